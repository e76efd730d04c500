"""Products and the places they stand in, drawn from a seed: no two look alike."""

from __future__ import annotations

import colorsys
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

_SIDE = 640
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Scene:
    """A product, and the ground that it stands on, larger than what is shown of it."""

    ground: Image.Image
    product: Image.Image
    at: tuple[float, float]
    """The middle of the product, in shares of the ground's sides."""

    def whole(self) -> Image.Image:
        """Return both, as one picture."""
        return composed(self.ground, self.product, self.at)


def composed(ground: Image.Image, product: Image.Image, at: tuple[float, float]) -> Image.Image:
    """Return the product on the ground, its middle at a place in shares of the ground's sides."""
    whole = ground.copy()
    place = (
        round(at[0] * ground.width - product.width / 2),
        round(at[1] * ground.height - product.height / 2),
    )
    whole.paste(product, place, product)
    return whole


def hue(draw: random.Random, *, dark: bool = False, pale: bool = False) -> Colour:
    """Return a colour."""
    light = draw.uniform(0.22, 0.4) if dark else draw.uniform(0.45, 0.85)
    full = draw.uniform(0.02, 0.06) if pale else draw.uniform(0.35, 0.9)
    if pale:
        light = draw.uniform(0.86, 0.95)
    red, green, blue = colorsys.hsv_to_rgb(draw.random(), full, light)
    return round(red * 255), round(green * 255), round(blue * 255)


def product(draw: random.Random, colour: Colour, kind: str | None = None) -> Image.Image:
    """Return a product of some kind on nothing, lit from one side."""
    kind = kind or draw.choice(sorted(_KINDS))
    layer = Image.new("RGBA", (_SIDE, _SIDE), (0, 0, 0, 0))
    _KINDS[kind](ImageDraw.Draw(layer), draw, colour)
    return _lit(layer, draw)


def _lit(layer: Image.Image, draw: random.Random) -> Image.Image:
    across = np.linspace(0, 1, _SIDE)
    middle = draw.uniform(0.25, 0.5)
    shade = 0.55 + 0.6 * np.exp(-(((across - middle) / 0.28) ** 2))
    pixels = np.asarray(layer).astype(np.float32)
    pixels[..., :3] *= shade[None, :, None]
    rng = np.random.default_rng(draw.randrange(1 << 30))
    pixels[..., :3] += rng.normal(0, 2.5, (_SIDE, _SIDE, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGBA")


def _tone(colour: Colour, by: float) -> Colour:
    red, green, blue = (max(0, min(255, round(one * by))) for one in colour)
    return red, green, blue


def _mug(pen: ImageDraw.ImageDraw, draw: random.Random, colour: Colour) -> None:
    wide = draw.randint(240, 320)
    pen.ellipse((300 + wide // 3, 240, 340 + wide, 440), outline=_tone(colour, 0.8), width=34)
    pen.rounded_rectangle((320 - wide // 2, 170, 320 + wide // 2, 520), 40, fill=colour)
    pen.ellipse((320 - wide // 2, 140, 320 + wide // 2, 210), fill=_tone(colour, 0.6))
    _label(pen, draw, (320, 360), colour)


def _bottle(pen: ImageDraw.ImageDraw, draw: random.Random, colour: Colour) -> None:
    wide = draw.randint(110, 190)
    pen.rounded_rectangle((320 - wide, 260, 320 + wide, 620), 60, fill=colour)
    pen.polygon([(320 - wide, 300), (280, 160), (360, 160), (320 + wide, 300)], fill=colour)
    pen.rectangle((278, 60, 362, 170), fill=_tone(colour, 0.7))
    pen.rectangle((320 - wide, 380, 320 + wide, 520), fill=_tone(colour, 1.35))
    _label(pen, draw, (320, 450), colour)


def _lamp(pen: ImageDraw.ImageDraw, draw: random.Random, colour: Colour) -> None:
    top = draw.randint(80, 160)
    pen.polygon([(320 - top, 60), (320 + top, 60), (520, 300), (120, 300)], fill=colour)
    pen.rectangle((305, 300, 335, 560), fill=_tone(colour, 0.5))
    pen.ellipse((200, 540, 440, 610), fill=_tone(colour, 0.6))


def _carton(pen: ImageDraw.ImageDraw, draw: random.Random, colour: Colour) -> None:
    depth = draw.randint(70, 140)
    pen.polygon([(120, 220), (420, 260), (420, 580), (120, 520)], fill=colour)
    side = [(420, 260), (420 + depth, 200), (420 + depth, 500), (420, 580)]
    pen.polygon(side, fill=_tone(colour, 0.6))
    pen.polygon([(120, 220), (120 + depth, 170), (420 + depth, 200), (420, 260)],
                fill=_tone(colour, 1.2))  # fmt: skip
    _label(pen, draw, (270, 400), colour)


def _shoe(pen: ImageDraw.ImageDraw, draw: random.Random, colour: Colour) -> None:
    heel = draw.randint(180, 260)
    outline = [(80, heel), (210, heel + 20), (330, 350), (560, 420), (590, 490), (80, 490)]
    pen.polygon(outline, fill=colour)
    pen.rectangle((70, 485, 600, 530), fill=_tone(colour, 1.5))
    for step in range(4):
        x, y = 220 + step * 45, heel + 40 + step * 38
        pen.line((x, y, x + 70, y - 30), fill=_tone(colour, 1.6), width=10)


def _chair(pen: ImageDraw.ImageDraw, draw: random.Random, colour: Colour) -> None:
    back = draw.randint(60, 140)
    pen.rounded_rectangle((180, back, 440, 330), 30, fill=colour)
    pen.polygon([(150, 330), (470, 330), (520, 420), (110, 420)], fill=_tone(colour, 0.85))
    for x in (130, 190, 430, 490):
        pen.line((x, 420, x + draw.randint(-12, 12), 620), fill=_tone(colour, 0.5), width=20)


def _ring(pen: ImageDraw.ImageDraw, draw: random.Random, colour: Colour) -> None:
    pen.ellipse((160, 240, 480, 560), outline=_tone(colour, 1.1), width=draw.randint(30, 60))
    pen.polygon([(320, 100), (400, 180), (320, 270), (240, 180)], fill=_tone(colour, 1.6))


def _plant(pen: ImageDraw.ImageDraw, draw: random.Random, colour: Colour) -> None:
    for _ in range(9):
        x, y = draw.randint(130, 510), draw.randint(60, 330)
        pen.line((320, 430, x, y), fill=(50, 90, 45), width=9)
        pen.ellipse((x - 55, y - 35, x + 55, y + 35), fill=(60, draw.randint(90, 160), 60))
    pen.polygon([(210, 420), (430, 420), (390, 610), (250, 610)], fill=colour)


_KINDS: dict[str, Callable[[ImageDraw.ImageDraw, random.Random, Colour], None]] = {
    "bottle": _bottle, "carton": _carton, "chair": _chair, "lamp": _lamp,
    "mug": _mug, "plant": _plant, "ring": _ring, "shoe": _shoe,
}  # fmt: skip
KINDS = tuple(sorted(_KINDS))


def _label(
    pen: ImageDraw.ImageDraw, draw: random.Random, at: tuple[int, int], colour: Colour
) -> None:
    words = draw.choice(("NORD", "Lumo", "ÉTÉ", "7·11", "kiln", "BRAE"))
    font = ImageFont.load_default(draw.randint(40, 70))
    light = sum(colour) < 380
    pen.text(at, words, font=font, anchor="mm", fill=(245, 240, 230) if light else (40, 35, 30))


def ground(draw: random.Random, size: tuple[int, int], kind: str) -> Image.Image:
    """Return a ground: white, black, studio, wood, room or lights."""
    wide, high = size
    rng = np.random.default_rng(draw.randrange(1 << 30))
    down, across = np.mgrid[0 : 1 : high * 1j, 0 : 1 : wide * 1j]
    if kind == "white":
        pixels = np.full((high, wide, 3), 250.0)
    elif kind == "black":
        pixels = np.full((high, wide, 3), 4.0)
    elif kind == "studio":
        glow = np.exp(-((across - 0.5) ** 2 + (down - 0.55) ** 2) / 0.25)
        pixels = (90 + 130 * glow)[..., None] * (np.array(hue(draw, pale=True)) / 240)
    elif kind == "wood":
        grain = np.cumsum(rng.normal(0, 1, high))
        streak = np.sin(grain[:, None] / 3 + across * draw.uniform(4, 12))
        pixels = np.array([150.0, 105.0, 70.0]) + 22 * streak[..., None]
        pixels = pixels + rng.normal(0, 5, (high, wide, 1))
    elif kind == "room":
        wall, table = np.array(hue(draw, pale=True)) * 0.8, np.array(hue(draw))
        line = draw.uniform(0.55, 0.72)
        pixels = np.where((down < line)[..., None], wall, table * (1.3 - down)[..., None])
        pixels = pixels + rng.normal(0, 1.5, (high, wide, 1))
    else:
        pixels = _lights(draw, size)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _lights(draw: random.Random, size: tuple[int, int]) -> np.ndarray:
    """Return a dark street with lights out of focus."""
    picture = Image.new("RGB", size, (14, 16, 24))
    pen = ImageDraw.Draw(picture)
    for _ in range(26):
        x, y, r = draw.randrange(size[0]), draw.randrange(size[1]), draw.randint(12, 46)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=_tone(hue(draw), draw.uniform(0.3, 1)))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(7))).astype(np.float32)


def scene(
    draw: random.Random,
    size: tuple[int, int],
    kind: str,
    *,
    colour: Colour | None = None,
    of: str | None = None,
) -> Scene:
    """Return a scene a tenth larger than what is shown.

    Args:
        draw: what decides.
        size: of the film frame.
        kind: of the ground.
        colour: of the product.
        of: the kind of product.

    """
    whole = round(size[0] * 1.12), round(size[1] * 1.12)
    if colour is None:
        colour = hue(draw, dark=kind == "black", pale=kind == "white" and draw.random() < 0.3)
    made = product(draw, colour, of)
    side = round(min(whole) * draw.uniform(0.62, 0.85))
    made = made.resize((side, side), Image.Resampling.LANCZOS)
    at = draw.uniform(0.46, 0.54), draw.uniform(0.48, 0.54)
    behind = ground(draw, whole, kind)
    if kind not in {"black", "lights"}:
        behind = _shadowed(behind, made, at)
    return Scene(behind, made, at)


def _shadowed(behind: Image.Image, made: Image.Image, at: tuple[float, float]) -> Image.Image:
    """Return the ground with the soft shadow of a product."""
    place = (
        round(at[0] * behind.width - made.width * 0.42),
        round(at[1] * behind.height + made.height * 0.33),
    )
    shadow = Image.new("L", behind.size, 255)
    ImageDraw.Draw(shadow).ellipse(
        (*place, place[0] + round(made.width * 0.9), place[1] + round(made.height * 0.2)), fill=150
    )
    soft = shadow.filter(ImageFilter.GaussianBlur(made.width / 18))
    return ImageChops.multiply(behind, Image.merge("RGB", [soft] * 3))


def card(draw: random.Random, size: tuple[int, int]) -> Image.Image:
    """Return a card with text."""
    back, fore = draw.choice((((248, 246, 240), (30, 30, 34)), ((24, 28, 60), (240, 240, 250))))
    picture = Image.new("RGB", size, back)
    pen = ImageDraw.Draw(picture)
    words = draw.choice(("Sale ends Sunday", "Neu im Shop", "Made of oak", "20 % off"))
    font = ImageFont.load_default(min(size) // 9)
    pen.text((size[0] // 2, size[1] // 2), words, font=font, fill=fore, anchor="mm")
    return picture
