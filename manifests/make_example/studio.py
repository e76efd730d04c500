"""The photo studio: a camera, a softbox above left, a paper backdrop; a shot in, a picture out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from .paint import Paint, Rgb, cell_hash, linear
from .shapes import Field, Floats

SIZE = (1280, 960)
OVERSAMPLING = 1.5
KEY_LIGHT = (-0.55, 0.78, 0.48)
GROUND_REACH = 9.0


@dataclass(frozen=True)
class Part:
    """A piece of a product: where it is, how it is painted and how much it shines (0-1)."""

    shape: Field
    paint: Paint
    gloss: float = 0.3
    metal: float = 0.0


@dataclass(frozen=True)
class Shot:
    """A product before a backdrop, and the camera: degrees around and above it, metres away."""

    parts: tuple[Part, ...]
    backdrop: Rgb
    around: float
    above: float
    distance: float
    target: tuple[float, float, float]
    radius: float = 1.6
    lens: float = 2.6
    grain: float = 1.0


def _unit(v: Floats) -> Floats:
    length = np.linalg.norm(v, axis=-1, keepdims=True)
    return (v / np.maximum(length, 1e-9)).astype(np.float32)


def _nearest(parts: Sequence[Part], p: Floats) -> Floats:
    total = parts[0].shape(p)
    for part in parts[1:]:
        total = np.minimum(total, part.shape(p))
    return total.astype(np.float32)


def _rays(shot: Shot) -> tuple[Floats, Floats, tuple[int, int]]:
    width, height = (int(side * OVERSAMPLING) for side in SIZE)
    around, above = math.radians(shot.around), math.radians(shot.above)
    away = np.array(
        [math.sin(around) * math.cos(above), math.sin(above), math.cos(around) * math.cos(above)],
        dtype=np.float32,
    )
    target = np.asarray(shot.target, dtype=np.float32)
    right = _unit(np.cross(np.array([0, 1, 0], np.float32), away))
    up = np.cross(away, right)
    x, y = np.meshgrid(np.arange(width) + 0.5 - width / 2, height / 2 - np.arange(height) - 0.5)
    x, y = (v.ravel()[:, None].astype(np.float32) / height for v in (x, y))
    return (
        target + away * shot.distance,
        _unit(right * x + up * y - away * shot.lens),
        (
            width,
            height,
        ),
    )


def _span(shot: Shot, start: Floats, towards: Floats, grow: float = 0.0) -> tuple[Floats, Floats]:
    """Where rays enter and leave the ball around the product; leave < enter for a miss."""
    offset = start - np.asarray(shot.target, dtype=np.float32)
    b = np.sum(offset * towards, axis=-1)
    inner = b * b - np.sum(offset * offset, axis=-1) + (shot.radius + grow) ** 2
    root = np.sqrt(np.maximum(inner, 0))
    return np.maximum(-b - root, 0.0), np.where(inner > 0, -b + root, -1.0)


def _march(shot: Shot, start: Floats, towards: Floats) -> Floats:
    """How far each ray flies before it meets the product; infinity if it does not."""
    near, far = _span(shot, start, towards)
    hit = np.full(len(towards), np.inf, dtype=np.float32)
    alive = np.flatnonzero(far > near)
    at: Floats = near[alive].astype(np.float32)
    for _ in range(110):
        d = _nearest(shot.parts, start + towards[alive] * at[:, None])
        done = d < 0.0008
        hit[alive[done]] = at[done]
        at = at + d * 0.85
        go = ~done & (at < far[alive])
        alive, at = alive[go], at[go]
        if not len(alive):
            break
    return hit


def _normals(parts: Sequence[Part], p: Floats) -> Floats:
    e = 0.006
    total = np.zeros_like(p)
    for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        k = np.asarray(corner, dtype=np.float32)
        total += k * _nearest(parts, p + k * e)[:, None]
    return _unit(total)


def _shadow(shot: Shot, p: Floats, sharp: float = 5.0) -> Floats:
    """How much of the key light arrives: 0-1, softer the farther the thing that shades."""
    light = _unit(np.asarray(KEY_LIGHT, dtype=np.float32))
    _, far = _span(shot, p, light[None, :], grow=0.5)
    seen = np.ones(len(p), dtype=np.float32)
    alive = np.flatnonzero(far > 0)
    at = np.full(len(alive), 0.03, dtype=np.float32)
    for _ in range(48):
        d = _nearest(shot.parts, p[alive] + light * at[:, None])
        seen[alive] = np.minimum(seen[alive], np.clip(0.5 + 0.5 * sharp * d / at, 0, 1))
        at = at + np.clip(d * 0.8, 0.018, 0.14)
        go = (at < far[alive]) & (seen[alive] > 0.004)
        alive, at = alive[go], at[go]
        if not len(alive):
            break
    return seen * seen * (3 - 2 * seen)


def _openness(shot: Shot, p: Floats, n: Floats) -> Floats:
    """How much of the sky a point sees, from a few probes along its normal; ground counts."""
    closed = np.zeros(len(p), dtype=np.float32)
    for reach, weight in ((0.05, 1.0), (0.12, 0.8), (0.26, 0.6), (0.5, 0.4), (0.9, 0.22)):
        q = p + n * reach
        d = np.minimum(_nearest(shot.parts, q), np.maximum(q[:, 1], 0))
        closed += weight * np.clip(1 - d / reach, 0, 1)
    return np.clip(1 - closed / 2.4, 0.04, 1)


def _studio(backdrop: Floats, d: Floats) -> Floats:
    """What a mirror sees: a softbox above left, a strip at the right, the floor, a dim room."""
    box = np.clip((d @ _unit(np.asarray((-0.62, 0.62, 0.5), np.float32)) - 0.80) * 14, 0, 1)
    strip = np.clip(1 - np.abs(d[:, 0] - 0.80) * 9, 0, 1) * np.clip(
        1 - np.abs(d[:, 1] - 0.25), 0, 1
    )
    sky = 0.22 + 0.38 * np.clip(d[:, 1], 0, 1)
    room = np.where(d[:, 1:2] < 0, backdrop * 0.42, backdrop * sky[:, None])
    return (room + 2.6 * box[:, None] + 0.9 * strip[:, None]).astype(np.float32)


def _surface(shot: Shot, p: Floats, view: Floats) -> Floats:
    """The colour of points on the product, seen along `view`."""
    backdrop = linear(shot.backdrop)
    distances = np.stack([part.shape(p) for part in shot.parts])
    owner = distances.argmin(axis=0)
    albedo = np.zeros_like(p)
    gloss, metal = np.zeros(len(p), np.float32), np.zeros(len(p), np.float32)
    for i, part in enumerate(shot.parts):
        mine = owner == i
        albedo[mine] = part.paint(p[mine])
        gloss[mine], metal[mine] = part.gloss, part.metal
    n = _normals(shot.parts, p)
    light = _unit(np.asarray(KEY_LIGHT, dtype=np.float32))
    shade, openness = _shadow(shot, p + n * 0.01), _openness(shot, p, n)
    key = np.clip(n @ light * 0.9 + 0.1, 0, 1) * shade
    rim = np.clip(n @ _unit(np.asarray((0.9, 0.35, -0.3), np.float32)), 0, 1) * openness
    sky = (0.5 + 0.5 * n[:, 1]) * openness
    bounce = np.clip(0.5 - 0.5 * n[:, 1], 0, 1) * (0.3 + 0.7 * openness)
    lit = (1.12 * key + 0.40 * sky + 0.22 * rim)[:, None] + 0.34 * bounce[:, None] * backdrop
    mirror = view - 2 * np.sum(view * n, axis=1, keepdims=True) * n
    grazing = (1 - np.clip(-np.sum(view * n, axis=1), 0, 1)) ** 5
    fresnel = (0.045 + 0.7 * grazing) * gloss
    shine = _studio(backdrop, mirror) * (0.35 + 0.65 * openness * (0.4 + 0.6 * shade))[:, None]
    body = albedo * lit * (1 - 0.75 * metal[:, None])
    tint = np.where(metal[:, None] > 0, albedo * 1.4, 1.0)
    strength = np.where(metal > 0, 0.75 * metal, fresnel)
    return (body + shine * tint * strength[:, None]).astype(np.float32)


def _ground(shot: Shot, p: Floats) -> Floats:
    """The floor: evenly lit paper, darker where the product shades it."""
    close = np.hypot(p[:, 0], p[:, 2]) < shot.radius * 2.6
    light = np.ones(len(p), dtype=np.float32)
    up = np.zeros_like(p[close])
    up[:, 1] = 1
    light[close] = 0.40 + 0.60 * _shadow(shot, p[close], sharp=3.2)
    light[close] *= 0.25 + 0.75 * _openness(shot, p[close], up)
    return light


def _expose(colour: Floats) -> Floats:
    """Film: a soft shoulder instead of clipped whites, then the display's gamma."""
    bright = colour * 1.02
    grey = bright @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    bright = bright * 0.86 + 0.14 * grey[:, None]
    mapped = bright * (2.51 * bright + 0.03) / (bright * (2.43 * bright + 0.59) + 0.14)
    return np.clip(mapped, 0, 1) ** np.float32(1 / 2.2)


def photograph(shot: Shot) -> Image.Image:
    """The finished picture of a shot."""
    eye, towards, (width, height) = _rays(shot)
    x = (np.arange(width, dtype=np.float32) + 0.5) / width
    y = (np.arange(height, dtype=np.float32) + 0.5) / height
    glow = np.hypot((x[None, :] - 0.42) * 1.15, y[:, None] - 0.40)
    fall = 1.12 - 0.62 * np.clip(glow / 0.85, 0, 1) ** 1.5
    picture = (linear(shot.backdrop) * fall.ravel()[:, None]).astype(np.float32)
    hit = _march(shot, eye, towards)
    floor = np.where(towards[:, 1] < -1e-4, -eye[1] / np.minimum(towards[:, 1], -1e-4), np.inf)
    on_floor = np.flatnonzero((floor < hit) & (floor < shot.distance + GROUND_REACH))
    picture[on_floor] *= _ground(shot, eye + towards[on_floor] * floor[on_floor, None])[:, None]
    on_product = np.flatnonzero(hit < floor)
    points = eye + towards[on_product] * hit[on_product, None]
    picture[on_product] = _surface(shot, points, towards[on_product])
    shown = _expose(picture).reshape(height, width, 3)
    grain = cell_hash(np.indices((height, width, 1)).reshape(3, -1).T.astype(np.int64))
    dithered = shown * 255 + (grain.reshape(height, width, 1) - 0.5) * shot.grain
    full = Image.fromarray(np.clip(dithered + 0.5, 0, 255).astype(np.uint8), "RGB")
    return full.resize(SIZE, Image.Resampling.LANCZOS)
