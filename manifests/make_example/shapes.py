"""Shapes as signed distance fields: each takes points (n, 3) and gives distances (n,)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[Any]
Field: TypeAlias = Callable[[Floats], Floats]


def _spline(points: Sequence[tuple[float, float]], steps: int = 14) -> Floats:
    """A Catmull-Rom curve through the points; a point given twice is a corner."""
    knots = np.asarray([points[0], *points, points[-1]], dtype=np.float32)
    u = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[:, None]
    pieces = [
        0.5
        * (
            2 * b
            + (c - a) * u
            + (2 * a - 5 * b + 4 * c - d) * u**2
            + (3 * b - a - 3 * c + d) * u**3
        )
        for a, b, c, d in zip(knots, knots[1:], knots[2:], knots[3:], strict=False)
    ]
    return np.vstack([*pieces, knots[-1:]]).astype(np.float32)


@dataclass(frozen=True)
class _Grid:
    """Values over a rectangle of the plane, read back with bilinear interpolation."""

    low: tuple[float, float]
    step: float
    values: Floats

    def __call__(self, x: Floats, y: Floats) -> Floats:
        height, width = self.values.shape
        gx = np.clip((x - self.low[0]) / self.step, 0, width - 1.001)
        gy = np.clip((y - self.low[1]) / self.step, 0, height - 1.001)
        ix, iy = gx.astype(np.int32), gy.astype(np.int32)
        fx, fy = gx - ix, gy - iy
        v = self.values
        lower = v[iy, ix] * (1 - fx) + v[iy, ix + 1] * fx
        upper = v[iy + 1, ix] * (1 - fx) + v[iy + 1, ix + 1] * fx
        return (lower * (1 - fy) + upper * fy).astype(np.float32)


def _measure(
    curve: Floats, radii: Floats, low: tuple[float, float], high: tuple[float, float]
) -> tuple[_Grid, NDArray[np.bool_]]:
    """Distances to a curve of changing thickness, on a grid, and which points its polygon holds."""
    step = 0.006
    xs = np.arange(low[0], high[0], step, dtype=np.float32)
    ys = np.arange(low[1], high[1], step, dtype=np.float32)
    x, y = np.meshgrid(xs, ys)
    best = np.full(x.shape, 1e9, dtype=np.float32)
    inside = np.zeros(x.shape, dtype=bool)
    closed = np.vstack([curve, curve[:1]])
    for i, ((ax, ay), (bx, by)) in enumerate(itertools.pairwise(closed)):
        crosses = (ay > y) != (by > y)
        if by != ay:
            inside ^= crosses & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
        if i == len(curve) - 1:
            break
        dx, dy = bx - ax, by - ay
        along = np.clip(((x - ax) * dx + (y - ay) * dy) / max(dx * dx + dy * dy, 1e-9), 0, 1)
        radius = radii[i] + (radii[i + 1] - radii[i]) * along
        np.minimum(best, np.hypot(x - ax - along * dx, y - ay - along * dy) - radius, out=best)
    return _Grid(low, step, best), inside


def turned(points: Sequence[tuple[float, float]], soft: float = 0.012) -> Field:
    """A pot from the wheel: a profile (radius, height) from axis to axis, turned around y."""
    curve = _spline(points)
    reach = float(curve[:, 0].max()) + 0.6
    low, high = (-0.03, float(curve[:, 1].min()) - 0.6), (reach, float(curve[:, 1].max()) + 0.6)
    grid, inside = _measure(curve, np.zeros(len(curve), np.float32), low, high)
    signed = _Grid(low, grid.step, np.where(inside, -grid.values, grid.values))

    def shape(p: Floats) -> Floats:
        r = np.hypot(p[:, 0], p[:, 2])
        beyond = np.maximum(np.maximum(r - high[0], p[:, 1] - high[1]), low[1] - p[:, 1])
        return signed(r, p[:, 1]) - soft + np.maximum(beyond, 0)

    return shape


def tube(points: Sequence[tuple[float, float]], radii: Sequence[float]) -> Field:
    """A bent rod in the plane z = 0: a handle, a spout, a twig."""
    curve = _spline(points)
    at = np.linspace(0, len(radii) - 1, len(curve))
    thick = np.interp(at, np.arange(len(radii)), radii).astype(np.float32)
    zeros = np.zeros_like(thick)
    low = (float(curve[:, 0].min()) - 0.7, float(curve[:, 1].min()) - 0.7)
    high = (float(curve[:, 0].max()) + 0.7, float(curve[:, 1].max()) + 0.7)
    centre, _ = _measure(curve, zeros, low, high)
    surface, _ = _measure(curve, thick, low, high)

    def shape(p: Floats) -> Floats:
        x, y = p[:, 0], p[:, 1]
        flat = np.maximum(centre(x, y), 0)
        beyond = np.maximum.reduce([low[0] - x, x - high[0], low[1] - y, y - high[1]])
        rod = np.hypot(flat, p[:, 2]) - (flat - surface(x, y))
        return rod + np.maximum(beyond, 0)

    return shape


def block(half: tuple[float, float, float], soft: float) -> Field:
    """A box of half sizes with edges rounded by `soft`."""
    size = np.asarray(half, dtype=np.float32) - soft

    def shape(p: Floats) -> Floats:
        q = np.abs(p) - size
        outside = np.linalg.norm(np.maximum(q, 0), axis=1)
        return outside + np.minimum(q.max(axis=1), 0) - soft

    return shape


def ball(half: tuple[float, float, float]) -> Field:
    """An ellipsoid (its distance is a good bound near the surface)."""
    size = np.asarray(half, dtype=np.float32)

    def shape(p: Floats) -> Floats:
        k = np.linalg.norm(p / size, axis=1)
        slope = np.linalg.norm(p / (size * size), axis=1)
        return (k * (k - 1) / np.maximum(slope, 1e-6)).astype(np.float32)

    return shape


def moved(
    shape: Field, by: tuple[float, float, float], turn: tuple[str, float] | None = None
) -> Field:
    """A shape at another place, turned about one axis ("x", "y" or "z") by degrees before."""
    offset = np.asarray(by, dtype=np.float32)
    spin = np.eye(3, dtype=np.float32)
    if turn is not None:
        axis, angle = "xyz".index(turn[0]), math.radians(turn[1])
        i, j = (axis + 1) % 3, (axis + 2) % 3
        spin[i, i] = spin[j, j] = math.cos(angle)
        spin[i, j], spin[j, i] = -math.sin(angle), math.sin(angle)
    return lambda p: shape((p - offset) @ spin)


def melted(shapes: Sequence[Field], soft: float) -> Field:
    """Shapes run into one another over `soft`."""

    def shape(p: Floats) -> Floats:
        total = shapes[0](p)
        for other in shapes[1:]:
            d = other(p)
            h = np.clip(0.5 + 0.5 * (d - total) / soft, 0, 1)
            total = d + (total - d) * h - soft * h * (1 - h)
        return total

    return shape


def bounded(shape: Field, centre: tuple[float, float, float], radius: float) -> Field:
    """Give the same shape, measured in full only near the ball that holds it (for costly ones)."""
    middle = np.asarray(centre, dtype=np.float32)

    def within(p: Floats) -> Floats:
        total = np.linalg.norm(p - middle, axis=1) - radius + 0.05
        near = total < 0.15
        total[near] = shape(p[near])
        return total

    return within


def cut(shape: Field, by: Field) -> Field:
    """The first without the second."""
    return lambda p: np.maximum(shape(p), -by(p))


def kept(shape: Field, within: Field) -> Field:
    """What two shapes share."""
    return lambda p: np.maximum(shape(p), within(p))
