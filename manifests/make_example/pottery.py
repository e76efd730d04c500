"""The pottery's products: a mug, a teapot, a vase."""

from __future__ import annotations

from .paint import glaze, plain
from .shapes import ball, cut, melted, moved, tube, turned
from .studio import Part


def mug() -> tuple[Part, ...]:
    """A moss-green stoneware mug with black tea in it."""
    outer = [(0.0, 0.03), (0.40, 0.0), (0.40, 0.0), (0.47, 0.10), (0.54, 0.38), (0.53, 0.72)]
    inner = [(0.515, 1.0), (0.50, 1.02), (0.47, 1.0), (0.465, 0.72), (0.46, 0.35), (0.36, 0.12)]
    wall = turned([*outer, *inner, (0.0, 0.10)])
    ear = [(0.50, 0.82), (0.70, 0.86), (0.86, 0.70), (0.84, 0.46), (0.68, 0.30), (0.52, 0.26)]
    handle = tube(ear, [0.062, 0.056, 0.055, 0.052, 0.05, 0.06])
    inside_only = turned(
        [(0.0, -0.1), (0.5, -0.1), (0.5, -0.1), (0.5, 1.3), (0.5, 1.3), (0.0, 1.3)]
    )
    body = melted([wall, cut(handle, inside_only)], 0.06)
    tea = turned([(0.0, 0.82), (0.47, 0.82), (0.47, 0.82), (0.47, 0.87), (0.47, 0.87), (0.0, 0.87)])
    moss = glaze((112, 122, 92), (62, 54, 40), bare=(176, 138, 104), line=0.17)
    return Part(body, moss, 0.85), Part(tea, plain((92, 44, 18)), 1.0)


def teapot(*, lid_off: bool = False) -> tuple[Part, ...]:
    """An ash-white teapot with a bare clay foot, a bowed handle and a lid with a knob."""
    outer = [(0.0, 0.04), (0.38, 0.0), (0.38, 0.0), (0.56, 0.12), (0.72, 0.40), (0.64, 0.72)]
    inner = [(0.40, 0.93), (0.31, 0.99), (0.27, 0.96), (0.36, 0.88), (0.58, 0.66), (0.64, 0.42)]
    wall = turned([*outer, *inner, (0.48, 0.16), (0.0, 0.11)])
    nose = [(0.60, 0.34), (0.84, 0.44), (0.98, 0.66), (1.06, 0.90), (1.14, 0.99)]
    spout = cut(
        tube(nose, [0.17, 0.125, 0.09, 0.07, 0.062]),
        tube([(1.02, 0.86), (1.12, 0.98), (1.2, 1.1)], [0.03, 0.042, 0.05]),
    )
    bow = [(-0.58, 0.76), (-0.78, 0.92), (-1.02, 0.84), (-1.06, 0.58), (-0.92, 0.38), (-0.68, 0.36)]
    handle = tube(bow, [0.06, 0.055, 0.052, 0.05, 0.048, 0.055])
    hollow = turned(
        [(0.0, 0.1), (0.45, 0.16), (0.62, 0.42), (0.55, 0.68), (0.28, 0.9), (0.28, 1.4), (0.0, 1.4)]
    )
    body = melted([wall, cut(spout, hollow), cut(handle, hollow)], 0.07)
    lid = turned(
        [
            (0.0, 0.955),
            (0.33, 0.965),
            (0.34, 0.99),
            (0.25, 1.05),
            (0.09, 1.095),
            (0.055, 1.13),
            (0.10, 1.19),
            (0.085, 1.24),
            (0.0, 1.255),
        ]
    )
    beside = moved(lid, (0.72, -0.945, 0.85))
    ash = glaze((206, 199, 184), (104, 82, 58), bare=(158, 112, 80), line=0.15)
    knob = glaze((206, 199, 184), (104, 82, 58))
    return Part(body, ash, 0.8), Part(beside if lid_off else lid, knob, 0.8)


def vase() -> tuple[Part, ...]:
    """A rust-red bud vase with a dry twig."""
    outer = [(0.0, 0.03), (0.28, 0.0), (0.28, 0.0), (0.42, 0.16), (0.46, 0.42), (0.30, 0.74)]
    neck = [(0.12, 0.98), (0.095, 1.2), (0.15, 1.36), (0.135, 1.375), (0.07, 1.22), (0.07, 1.0)]
    wall = turned([*outer, *neck, (0.2, 0.74), (0.0, 0.3)])
    stem = tube(
        [(0.0, 0.5), (0.02, 1.2), (0.06, 1.6), (0.20, 2.0), (0.24, 2.3)], [0.02, 0.016, 0.01]
    )
    side = tube([(0.06, 1.62), (-0.08, 1.85), (-0.14, 2.12)], [0.013, 0.009])
    buds = [
        moved(ball((0.05, 0.085, 0.05)), (0.245, 2.36, 0.0), ("z", -8.0)),
        moved(ball((0.045, 0.075, 0.045)), (-0.15, 2.17, 0.0), ("z", 14.0)),
        moved(ball((0.042, 0.07, 0.042)), (0.29, 2.08, 0.03), ("z", -50.0)),
        moved(ball((0.04, 0.07, 0.04)), (0.05, 1.86, 0.02), ("z", 35.0)),
        moved(ball((0.04, 0.065, 0.04)), (-0.17, 1.95, -0.02), ("z", 55.0)),
    ]
    rust = glaze((158, 74, 46), (72, 34, 26), bare=(196, 160, 126), line=0.13)
    twig = Part(melted([stem, side], 0.02), plain((112, 88, 62)), 0.1)
    return Part(wall, rust, 0.7), twig, Part(melted(buds, 0.01), plain((222, 202, 160)), 0.1)
