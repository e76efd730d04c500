"""Labelled clips that were made when the rules stood: nothing in them helped to choose a rule.

Other products and grounds, other moves, other forms of the faults, other encoders, rates and sizes.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.clipset import faults
from benchmarks.clipset.faults import Change, Sound
from benchmarks.clipset.listing import GOOD, Clip, Encoder, Film, Studio
from benchmarks.clipset.moves import Frames, Pixels, Shape, pan, push, seen
from benchmarks.clipset.scenes import Colour, Scene, hue

_SHAPES = (
    Shape((1280, 720), 24, 4),
    Shape((1280, 720), 30, 4),
    Shape((720, 1280), 25, 4),
    Shape((1280, 720), 25, 6),
    Shape((960, 960), 24, 4),
    Shape((640, 360), 24, 10),
    Shape((1920, 1080), 24, 4),
)
_ENCODERS: tuple[Encoder, ...] = (
    ("libx264", {"preset": "fast", "tune": "film", "crf": "20"}, None),
    ("libx264", {"preset": "veryfast", "profile": "baseline"}, 1_500_000),
    ("libx264", {"preset": "superfast", "crf": "34", "g": "12"}, None),
    ("libx265", {"preset": "ultrafast", "crf": "28", "x265-params": "log-level=none"}, None),
    ("mpeg4", {"g": "24"}, 3_000_000),
)


def _curved(draw: random.Random, colour: Colour) -> Image.Image:
    """Return a vase, a bag, a stone: something round with a pattern, lit from above."""
    side, turns = 600, draw.randint(2, 5)
    layer = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    bend = [draw.uniform(0.1, 0.35) for _ in range(turns)]
    outline = []
    for step in range(120):
        angle = step / 120 * 2 * math.pi
        wave = sum(part * math.sin(angle * (at + 1)) for at, part in enumerate(bend)) * 60
        x, y = 300 + (180 + wave) * math.cos(angle), 300 + (230 + wave) * math.sin(angle)
        outline.append((x, y))
    pen.polygon(outline, fill=colour)
    other = hue(draw)
    for at in range(draw.randint(3, 7)):
        y = 120 + at * 60
        pen.line((0, y, side, y + draw.randint(-30, 30)), fill=other, width=draw.randint(6, 22))
    mask = Image.new("L", layer.size, 0)
    ImageDraw.Draw(mask).polygon(outline, fill=255)
    pixels = np.asarray(layer).astype(np.float32)
    pixels[..., :3] *= np.linspace(1.25, 0.5, side)[:, None, None]
    made = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGBA")
    made.putalpha(mask)
    return made


def _place(draw: random.Random, size: tuple[int, int], kind: str) -> Image.Image:
    """Return a ground: cloth, sky, plain colour, black or white."""
    wide, high = size
    down, across = np.mgrid[0 : 1 : high * 1j, 0 : 1 : wide * 1j]
    rng = np.random.default_rng(draw.randrange(1 << 30))
    if kind == "cloth":
        weave = 14 * np.sin(across * wide / 5) * np.sin(down * high / 5)
        folds = 30 * np.sin(across * draw.uniform(4, 9) + down * draw.uniform(1, 5))
        pixels = np.array(hue(draw)) * 0.8 + (weave + folds)[..., None]
    elif kind == "sky":
        rough = Image.fromarray((rng.random((9, 16)) * 255).astype(np.uint8))
        clouds = np.asarray(rough.resize(size, Image.Resampling.BICUBIC)).astype(np.float32)
        pixels = np.array([120.0, 160.0, 215.0]) + (clouds[..., None] - 100) * 0.4
    elif kind == "plain":
        pixels = np.full((high, wide, 3), hue(draw, pale=True), np.float32)
    else:
        pixels = np.full((high, wide, 3), 2.0 if kind == "black" else 254.0)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def scene(
    draw: random.Random, size: tuple[int, int], kind: str, colour: Colour | None = None
) -> Scene:
    """Return a scene of this set.

    Args:
        draw: what decides.
        size: of the film frame.
        kind: of the ground.
        colour: of the product.

    """
    whole = round(size[0] * 1.15), round(size[1] * 1.15)
    made = _curved(draw, colour or hue(draw))
    side = round(min(whole) * draw.uniform(0.55, 0.9))
    return Scene(_place(draw, whole, kind), made.resize((side, side)), (0.5, 0.5))


def _blend(made: Scene, x: float, y: float, angle: float = 0.0) -> Image.Image:
    turned = made.product.rotate(angle, Image.Resampling.BILINEAR) if angle else made.product
    whole = made.ground.copy()
    left = round(made.at[0] * whole.width - turned.width / 2 + x)
    top = round(made.at[1] * whole.height - turned.height / 2 + y)
    whole.paste(turned, (left, top), turned)
    return whole


def _rocking(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    far = draw.uniform(3, 10)
    for at in range(shape.count):
        angle = far * math.sin(at / shape.rate * 1.5)
        yield seen(_blend(made, 0, 0, angle), shape.size, 0, 0, 1.0)


def _passing(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    """Move the ground one way and the product the other."""
    way = draw.choice((-1, 1))
    for at in range(shape.count):
        part = at / shape.count
        whole = _blend(made, way * 60 * part, 0)
        yield seen(whole, shape.size, -way * 0.7 * part, 0.2 * part, 1.0)


def _from_near(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    nearest, whole = draw.uniform(1.5, 2.2), made.whole()
    for at in range(shape.count):
        yield seen(whole, shape.size, 0, 0, nearest - (nearest - 1) * at / (shape.count - 1))


def _creeping(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    return push(draw, made, shape, 0.012)


def _snowing(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    flakes = [(draw.random(), draw.random(), draw.randint(2, 6)) for _ in range(150)]
    still = Image.fromarray(seen(made.whole(), shape.size, 0, 0, 1.0))
    wide, high = shape.size
    for at in range(shape.count):
        frame = still.copy()
        pen = ImageDraw.Draw(frame)
        for x, y, r in flakes:
            fallen = (y + at / shape.rate * 0.04 * r) % 1 * high
            pen.ellipse((x * wide - r, fallen - r, x * wide + r, fallen + r), fill=(235, 235, 240))
        yield np.asarray(frame)


def _candle(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    """Burn a candle beside the product in the dark, with a slow push."""
    light = 0.3
    for frame in push(draw, made, shape, 0.03):
        light += draw.gauss(0, 0.004) + (0.3 - light) * 0.1
        yield np.clip(frame * light, 0, 255).astype(np.uint8)


def _evening(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    for at, frame in enumerate(pan(draw, made, shape)):
        part = at / shape.count
        yield (frame * (1 - 0.7 * part, 1 - 0.75 * part, 1 - 0.6 * part)).astype(np.uint8)


def _montage(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    """Cut five times."""
    wholes = [made.whole()] + [
        scene(draw, shape.size, draw.choice(("cloth", "sky", "plain"))).whole() for _ in range(4)
    ]
    for at in range(shape.count):
        whole = wholes[at * 5 // shape.count]
        yield seen(whole, shape.size, 0, 0, 1 + 0.08 * (at * 5 % shape.count) / shape.count)


def _by_hand(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    """Move the product eight times a second, as puppets are moved."""
    held = max(1, shape.rate // 8)
    for at in range(shape.count):
        step = at // held
        whole = _blend(made, 9 * step - 120, 12 * math.sin(step), draw.choice((1.0, 1.5)))
        yield seen(whole, shape.size, 0, 0, 1.0)


def _rippling(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    still = seen(made.whole(), shape.size, 0, 0, 1.0)
    rows, phase = np.arange(shape.size[1]), draw.random() * 6
    for at in range(shape.count):
        shift = (4 * np.sin(rows / 23 + phase + at / shape.rate * 3)).astype(int)
        places = (np.arange(shape.size[0])[None, :] + shift[:, None]) % shape.size[0]
        yield still[rows[:, None], places]


_GOOD: dict[str, Film] = {
    "rocking": _rocking, "passing": _passing, "from near": _from_near, "creeping": _creeping,
    "snow": _snowing, "candle": _candle, "evening": _evening, "montage": _montage,
    "by hand": _by_hand, "rippling": _rippling,
}  # fmt: skip


# Faults.


def _stopped(draw: random.Random, frames: Frames, shape: Shape) -> Frames:
    """Stop for half of the clip; noise of the sensor may go on."""
    begin, noisy = draw.choice((0.0, 0.5)), draw.random() < 0.5
    rng = np.random.default_rng(draw.randrange(1 << 30))
    still: Pixels | None = None
    for at, frame in enumerate(frames):
        if begin <= at / shape.count < begin + 0.5:
            still = frame if still is None else still
            noise = rng.normal(0, 2, frame.shape) if noisy else 0
            yield np.clip(still + noise, 0, 255).astype(np.uint8)
        else:
            yield frame


def _pumping(draw: random.Random, frames: Frames, shape: Shape) -> Frames:
    rate, strength = draw.uniform(3.5, 5), draw.uniform(0.12, 0.2)
    for at, frame in enumerate(frames):
        gain = 1 + strength * math.sin(2 * math.pi * rate * at / shape.rate)
        yield np.clip(frame * gain, 0, 255).astype(np.uint8)


def _strobe(draw: random.Random, frames: Frames, shape: Shape) -> Frames:
    every = draw.randint(6, 14)
    for at, frame in enumerate(frames):
        yield (frame * (0.35 if at % every == 0 else 1)).astype(np.uint8)
    _ = shape


def _tinted(draw: random.Random, frames: Frames, shape: Shape) -> Frames:
    """Change the colours by chance from film frame to film frame."""
    for frame in frames:
        gains = [draw.uniform(0.85, 1.15) for _ in range(3)]
        yield np.clip(frame * gains, 0, 255).astype(np.uint8)
    _ = shape


def _boxed(draw: random.Random, frames: Frames, shape: Shape) -> Frames:
    """Cover the edges: thin bars, wide ones, of black or of a dark colour."""
    wide, high = shape.size
    above = draw.random() < 0.5
    part, level = draw.choice((0.05, 0.09, 0.125, 0.25)), draw.choice(((0, 0, 0), (12, 18, 40)))
    thick = round((high if above else wide) * part)
    for frame in frames:
        whole = frame.copy()
        if above:
            whole[:thick], whole[-thick:] = level, level
        else:
            whole[:, :thick], whole[:, -thick:] = level, level
        yield whole


def _emptied(draw: random.Random, frames: Frames, shape: Shape) -> Frames:
    """Fade to one colour for good, with some noise."""
    colour = np.array(draw.choice(((255, 255, 255), (200, 190, 180), (90, 20, 120))))
    rng = np.random.default_rng(draw.randrange(1 << 30))
    begin = draw.uniform(0.0, 0.4)
    for at, frame in enumerate(frames):
        part = min(1.0, max(0.0, (at / shape.count - begin) * 8))
        noise = rng.normal(0, 1.5, (*frame.shape[:2], 1))
        yield np.clip(frame * (1 - part) + colour * part + noise, 0, 255).astype(np.uint8)


def _put_out(draw: random.Random, frames: Frames, shape: Shape) -> Frames:
    """Be black for the first or the last part, or nearly so."""
    first, part = draw.random() < 0.5, draw.uniform(0.42, 0.8)
    rng = np.random.default_rng(draw.randrange(1 << 30))
    for at, frame in enumerate(frames):
        place = at / shape.count
        if place < part if first else place > 1 - part:
            yield np.clip(rng.normal(4, 3, frame.shape), 0, 255).astype(np.uint8)
        else:
            yield frame


_SEEN: tuple[tuple[str, tuple[Change, ...]], ...] = (
    ("stands still", (_stopped,)),
    ("flickers", (_pumping, _strobe, _tinted)),
    ("bars", (_boxed,)),
    ("blank", (_emptied,)),
    ("black", (_put_out,)),
)
_HEARD: tuple[tuple[str, Callable[[Sound], Sound] | None], ...] = (
    ("no sound", None),
    ("silent", lambda sound: (sound * 0.0002).astype(np.float32)),
    ("distorted", lambda sound: np.clip(sound * 30, -1, 1)),
)
_MOVING = ("rocking", "passing", "from near", "montage")


def _changed(change: Change) -> Film:
    def film(draw: random.Random, made: Scene, shape: Shape) -> Frames:
        return change(draw, _GOOD[draw.choice(_MOVING)](draw, made, shape), shape)

    return film


def _another(draw: random.Random, made: Scene, shape: Shape) -> Scene:
    other = scene(draw, shape.size, draw.choice(("cloth", "plain", "white")))
    return Scene(draw.choice((made.ground, other.ground)), other.product, other.at)


def _recoloured(draw: random.Random, made: Scene, shape: Shape) -> Scene:
    """Turn the colours of the product a third or a half round."""
    _ = shape
    by = draw.choice((0.33, 0.5))
    hues = np.asarray(made.product.convert("RGB").convert("HSV")).copy()
    hues[..., 0] += np.uint8(round(by * 255))
    product = Image.fromarray(hues, "HSV").convert("RGB").convert("RGBA")
    product.putalpha(made.product.getchannel("A"))
    return Scene(made.ground, product, made.at)


_GROUNDS, _RICH = ("cloth", "sky", "plain", "black", "white"), ("cloth", "sky", "plain")


def unseen(folder: Path, seed: str = "unseen") -> Iterator[Clip]:
    """Yield the clips of this set, or others of their kinds from another seed."""
    studio = Studio(folder, seed, _SHAPES, _ENCODERS, scene)
    for number in range(44):
        name = sorted(_GOOD)[number % len(_GOOD)]
        yield studio.shoot(GOOD, name, _GOOD[name], grounds=_GROUNDS)
    for number in range(8):
        good = (faults.faded, faults.grained)[number % 2]
        yield studio.shoot(GOOD, good.__name__, _changed(good), grounds=_RICH)
    yield from _faulty(studio)
    yield from _with_pictures(studio)


def _faulty(studio: Studio) -> Iterator[Clip]:
    for label, changes in _SEEN:
        for number in range(7):
            change = changes[number % len(changes)]
            kind = change.__name__.strip("_")
            yield studio.shoot(label, kind, _changed(change), grounds=_RICH)
    for _ in range(5):
        yield studio.shoot("damaged", "bytes", _passing, grounds=_RICH)
    for label, sound in _HEARD:
        for _ in range(2):
            yield studio.shoot(label, "sound", _passing, sound=sound, grounds=_RICH)


def _with_pictures(studio: Studio) -> Iterator[Clip]:
    for number in range(10):
        name = ("creeping", "rocking", "rippling", "snow", "evening")[number % 5]
        yield studio.shoot(
            GOOD,
            f"{name} from its picture",
            _GOOD[name],
            grounds=_GROUNDS,
            picture=lambda _, made, __: made,
        )
    others: tuple[tuple[str, str, Film, Callable[[random.Random, Scene, Shape], Scene]], ...] = (
        ("does not begin with the picture", "another product", _passing, _another),
        ("colour differs", "another colour", push, _recoloured),
    )
    for label, kind, film, picture in others:
        for _ in range(7):
            yield studio.shoot(label, kind, film, grounds=_RICH, picture=picture)
