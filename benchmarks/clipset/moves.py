"""What moves in a clip: film frames of a scene, one after the other."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks.clipset.scenes import Scene, card, composed, ground, scene

Pixels = npt.NDArray[np.uint8]
Frames = Iterator[Pixels]


@dataclass(frozen=True)
class Shape:
    """Size, rate and length of a clip."""

    size: tuple[int, int] = (1280, 720)
    rate: int = 24
    seconds: int = 6

    @property
    def count(self) -> int:
        """How many film frames it has."""
        return self.rate * self.seconds


def seen(whole: Image.Image, size: tuple[int, int], x: float, y: float, nearer: float) -> Pixels:
    """Return what a camera sees of a picture.

    Args:
        whole: the picture.
        size: of the film frame.
        x: where the camera looks, from -1 (left) to 1 (right).
        y: likewise, from top to bottom.
        nearer: how near it is; at 1 it sees as many pixels as the film frame has.

    """
    wide, high = size[0] / nearer, size[1] / nearer
    left = (whole.width - wide) * (0.5 + x / 2)
    top = (whole.height - high) * (0.5 + y / 2)
    box = (left, top, left + wide, top + high)
    return np.asarray(whole.resize(size, Image.Resampling.BILINEAR, box=box))


def start_of(made: Scene, shape: Shape) -> Image.Image:
    """Return the picture that a clip of this scene begins with."""
    return Image.fromarray(seen(made.whole(), shape.size, 0, 0, 1.0))


def push(draw: random.Random, made: Scene, shape: Shape, by: float = 0.05) -> Frames:
    """Go nearer; with a negative `by`, away."""
    _ = draw
    whole = made.whole()
    for at in range(shape.count):
        part = at / (shape.count - 1)
        yield seen(whole, shape.size, 0, 0, 1 + by * part if by > 0 else 1 - by * (1 - part))


def pan(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    """Go from one side to the other."""
    way, whole = draw.choice((-1, 1)), made.whole()
    for at in range(shape.count):
        yield seen(whole, shape.size, way * 0.9 * (at / (shape.count - 1)), 0, 1.0)


def shake(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    """Hold the camera in the hand."""
    phase, whole = draw.random() * 6, made.whole()
    for at in range(shape.count):
        second = at / shape.rate
        x = 0.3 * math.sin(second * 2.1 + phase) + 0.1 * math.sin(second * 7.3)
        yield seen(whole, shape.size, x, 0.3 * math.sin(second * 1.7), 1.02)


def turn(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    """Turn the product on its axis."""
    turns, start = draw.uniform(0.5, 1.2), 0.0
    for at in range(shape.count):
        angle = start + turns * 2 * math.pi * at / shape.count
        wide = max(8, round(made.product.width * (0.62 + 0.38 * math.cos(angle))))
        turned = made.product.resize((wide, made.product.height), Image.Resampling.BILINEAR)
        whole = composed(made.ground, turned, made.at)
        yield seen(whole, shape.size, 0, 0, 1.0)


def float_(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    """Let the product float up and down."""
    far = draw.uniform(0.01, 0.03)
    for at in range(shape.count):
        up = made.at[1] + far * math.sin(at / shape.rate * 1.6)
        yield seen(composed(made.ground, made.product, (made.at[0], up)), shape.size, 0, 0, 1.0)


def steam(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    """Let steam rise before a camera that stands still."""
    still = seen(made.whole(), shape.size, 0, 0, 1.0).astype(np.float32)
    high, wide = shape.size[1] // 8, shape.size[0] // 8
    rng = np.random.default_rng(draw.randrange(1 << 30))
    cloud = Image.fromarray((rng.random((high * 3, wide // 3)) * 255).astype(np.uint8))
    soft = np.asarray(cloud.filter(ImageFilter.GaussianBlur(3))).astype(np.float32)
    soft = np.clip((soft - soft.mean()) * 6, 0, 255)
    fades = np.sin(np.linspace(0, math.pi, high))[:, None] * np.hanning(wide // 3)[None, :]
    left = (wide - wide // 3) // 2
    for at in range(shape.count):
        top = int(at * 0.7) % (high * 2)
        veil = np.zeros((high, wide), np.float32)
        veil[:, left : left + wide // 3] = soft[top : top + high] * fades
        large = Image.fromarray(veil.astype(np.uint8)).resize(shape.size)
        alpha = np.asarray(large).astype(np.float32)[..., None] / 255 * 0.45
        yield (still * (1 - alpha) + 235 * alpha).astype(np.uint8)


def sweep(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    """Let a light pass over the product."""
    still = seen(made.whole(), shape.size, 0, 0, 1.0).astype(np.float32)
    across = np.linspace(0, 1, shape.size[0])[None, :, None]
    bright = draw.uniform(0.3, 0.6)
    for at in range(shape.count):
        middle = -0.2 + 1.4 * at / shape.count
        light = 1 + bright * np.exp(-(((across - middle) / 0.12) ** 2))
        yield np.clip(still * light, 0, 255).astype(np.uint8)


def focus(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    """Come into focus, and go nearer."""
    most, whole = draw.uniform(6, 12), made.whole()
    blurred = [whole.filter(ImageFilter.GaussianBlur(most * step / 8)) for step in range(9)]
    for at in range(shape.count):
        part = at / (shape.count - 1)
        level = blurred[round(8 * max(0.0, 1 - part * 2.5))]
        yield seen(level, shape.size, 0, 0, 1 + 0.04 * part)


def two_shots(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    """Cut from one place to another, or dissolve."""
    other = scene(draw, shape.size, draw.choice(("room", "wood", "studio")))
    dissolve = draw.random() < 0.5
    first, second = push(draw, made, shape, 0.06), push(draw, other, shape, -0.06)
    half, long = shape.count // 2, shape.rate // 2
    for at, (one, two) in enumerate(zip(first, second, strict=True)):
        part = min(1.0, max(0.0, (at - half) / long)) if dissolve else float(at >= half)
        yield (one * (1 - part) + two * part).astype(np.uint8)


def typed(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    """Show a card whose text comes line by line, and drifts."""
    _ = made
    back = card(draw, shape.size)
    lines = ["Solid oak", "Made in Norway", "30 days to return", "Free delivery"]
    font = ImageFont.load_default(min(shape.size) // 16)
    ink = (30, 30, 34) if np.asarray(back)[2, 2].mean() > 128 else (240, 240, 250)
    for at in range(shape.count):
        frame = back.copy()
        pen = ImageDraw.Draw(frame)
        for number, line in enumerate(lines):
            come = (at / shape.count) * 5 - number
            if come > 0:
                x = shape.size[0] * (0.12 + 0.1 * math.exp(-3 * come)) + 8 * at / shape.rate
                pen.text((x, shape.size[1] * (0.62 + 0.08 * number)), line, font=font, fill=ink)
        yield np.asarray(frame)


def night(draw: random.Random, made: Scene, shape: Shape) -> Frames:
    """Stand before lights at night, with somebody's headlights passing."""
    behind = ground(draw, made.ground.size, "lights")
    dark = Scene(behind, made.product.point([int(one * 0.3) for one in range(256)] * 3
                                            + list(range(256))), made.at)  # fmt: skip
    whole = dark.whole()
    for at in range(shape.count):
        part = at / shape.count
        frame = Image.fromarray(seen(whole, shape.size, 0.4 * part, 0, 1.0))
        x, y = shape.size[0] * (part * 1.3 - 0.15), shape.size[1] * 0.72
        ImageDraw.Draw(frame).ellipse((x - 30, y - 22, x + 30, y + 22), fill=(230, 220, 190))
        yield np.asarray(frame)


MOVES: dict[str, Callable[[random.Random, Scene, Shape], Frames]] = {
    "push": push, "pan": pan, "shake": shake, "turn": turn, "float": float_, "steam": steam,
    "sweep": sweep, "focus": focus, "two shots": two_shots, "text": typed, "night": night,
}  # fmt: skip
