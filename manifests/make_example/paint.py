"""Paint for surfaces: each takes points (n, 3) and gives linear colours (n, 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .shapes import Floats

Paint: TypeAlias = Callable[[Floats], Floats]
Rgb: TypeAlias = tuple[float, float, float]


def linear(rgb: Rgb) -> Floats:
    """Give the light that a display's colour (0-255) stands for."""
    return (np.asarray(rgb, dtype=np.float32) / 255) ** np.float32(2.2)


def cell_hash(cells: NDArray[np.int64]) -> Floats:
    """A repeatable number in 0-1 for each integer cell (n, 3)."""
    mixed = cells[:, 0] * 73856093 ^ cells[:, 1] * 19349663 ^ cells[:, 2] * 83492791
    mixed = (mixed ^ (mixed >> 13)) * 1274126177 & 0x7FFFFFFF
    mixed = (mixed ^ (mixed >> 16)) & 0xFFFF
    return (mixed / 65535).astype(np.float32)


def noise(p: Floats, scale: float) -> Floats:
    """Smooth noise in 0-1."""
    q = p * scale
    whole = np.floor(q).astype(np.int64)
    f = (q - whole).astype(np.float32)
    f = f * f * (3 - 2 * f)
    total = np.zeros(len(p), dtype=np.float32)
    for corner in range(8):
        bits = np.array([corner & 1, corner >> 1 & 1, corner >> 2 & 1])
        weight = np.prod(np.where(bits, f, 1 - f), axis=1)
        total += weight * cell_hash(whole + bits)
    return total


def plain(rgb: Rgb) -> Paint:
    """One colour."""
    colour = linear(rgb)
    return lambda p: np.broadcast_to(colour, p.shape).astype(np.float32)


def glaze(rgb: Rgb, speck: Rgb, *, bare: Rgb | None = None, line: float = -9.0) -> Paint:
    """Stoneware: iron specks in a glaze that ends in a wavy line above the bare clay foot."""
    base, dot = linear(rgb), linear(speck)
    clay = linear(bare or rgb)

    def paint(p: Floats) -> Floats:
        cloud = noise(p, 3.5) * 0.6 + noise(p, 9.0) * 0.4
        colour = base * (0.88 + 0.24 * cloud)[:, None]
        tilted = p @ np.array([[0.8, 0.6, 0.0], [-0.48, 0.64, 0.6], [0.36, -0.48, 0.8]], np.float32)
        freckle = np.clip((noise(tilted, 62.0) - 0.79) * 8, 0, 0.7)[:, None]
        colour = colour * (1 - freckle) + dot * freckle
        edge = line + 0.035 * np.sin(np.arctan2(p[:, 2], p[:, 0]) * 3) + 0.03 * noise(p, 6.0)
        foot = np.clip((edge - p[:, 1]) * 60, 0, 1)[:, None]
        grit = (0.85 + 0.3 * noise(p, 60.0))[:, None]
        return (colour * (1 - foot) + clay * grit * foot).astype(np.float32)

    return paint


def cloth(rgb: Rgb, *, weave: float = 70.0) -> Paint:
    """Waxed canvas: uneven dye, and threads just fine enough to be seen."""
    base = linear(rgb)

    def paint(p: Floats) -> Floats:
        wax = 0.82 + 0.36 * (noise(p, 2.6) * 0.7 + noise(p, 8.0) * 0.3)
        threads = 0.92 + 0.16 * noise(p * np.array([1.0, 0.55, 1.0], np.float32), weave)
        return (base * (wax * threads)[:, None]).astype(np.float32)

    return paint


def wood(rgb: Rgb) -> Paint:
    """Grain along x."""
    base = linear(rgb)

    def paint(p: Floats) -> Floats:
        rings = noise(p * np.array([1.2, 14.0, 14.0], np.float32), 2.0)
        return (base * (0.75 + 0.5 * rings)[:, None]).astype(np.float32)

    return paint


def banded(paint: Paint, stripe: Paint, axis: int, low: float, high: float) -> Paint:
    """Another paint between two heights of an axis."""

    def both(p: Floats) -> Floats:
        within = (p[:, axis] > low) & (p[:, axis] < high)
        return np.where(within[:, None], stripe(p), paint(p)).astype(np.float32)

    return both


def labelled(paint: Paint, art: Image.Image, low: float, high: float, reach: float) -> Paint:
    """A paper label around the front (z > 0) of something turned, `reach` radians to each side."""
    pixels = (np.asarray(art.convert("RGB"), dtype=np.float32) / 255) ** np.float32(2.2)
    rows, columns = pixels.shape[:2]

    def both(p: Floats) -> Floats:
        angle = np.arctan2(p[:, 0], p[:, 2])
        u, v = (angle / reach + 1) / 2, (high - p[:, 1]) / (high - low)
        on = (u > 0) & (u < 1) & (v > 0) & (v < 1)
        x = np.clip(u * columns, 0, columns - 1).astype(np.int32)
        y = np.clip(v * rows, 0, rows - 1).astype(np.int32)
        return np.where(on[:, None], pixels[y, x], paint(p)).astype(np.float32)

    return both
