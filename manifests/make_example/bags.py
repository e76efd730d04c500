"""The bag maker's products: a handlebar bag and a saddle bag."""

from __future__ import annotations

import numpy as np

from .paint import banded, cloth, plain, wood
from .shapes import ball, block, cut, kept, melted, moved, tube, turned
from .studio import Part


def handlebar_bag() -> tuple[Part, ...]:
    """An ochre roll bag for the handlebar with leather straps and brass buckles."""
    end = [(0.40, 0.98), (0.47, 0.93), (0.50, 0.86)]
    profile = [
        (0.0, -1.0),
        *[(r, -y) for r, y in end],
        (0.505, 0.0),
        *[(r, y) for r, y in reversed(end)],
        (0.0, 1.0),
    ]
    lying = moved(turned(profile, 0.02), (0.0, 0.52, 0.0), ("z", 90.0))
    ochre, leather = cloth((196, 140, 62)), cloth((104, 62, 38), weave=30.0)
    ends = banded(ochre, cloth((74, 70, 64)), 0, 0.80, 2.0)
    ends = banded(ends, cloth((74, 70, 64)), 0, -2.0, -0.80)
    pocket = moved(block((0.40, 0.20, 0.09), 0.07), (0.0, 0.45, 0.52))
    zipper = moved(block((0.33, 0.013, 0.02), 0.01), (0.0, 0.56, 0.605))
    pull = moved(block((0.018, 0.055, 0.012), 0.01), (0.31, 0.52, 0.617))
    band = [(0.50, -0.055), (0.50, -0.055), (0.545, -0.055), (0.545, -0.055)]
    loop = [*band, (0.545, 0.055), (0.545, 0.055), (0.50, 0.055), (0.50, 0.055)]
    straps, brass = [], []
    for x in (-0.58, 0.58):
        straps.append(moved(turned(loop, 0.008), (x, 0.52, 0.0), ("z", 90.0)))
        frame = cut(block((0.085, 0.07, 0.02), 0.02), block((0.052, 0.04, 0.2), 0.01))
        place = (x, 0.80, 0.475)
        brass.append(moved(frame, place, ("x", -58.0)))
        brass.append(moved(block((0.010, 0.07, 0.012), 0.008), place, ("x", -58.0)))
    grip = tube(
        [(-0.3, 1.03), (-0.24, 1.13), (0.0, 1.17), (0.24, 1.13), (0.3, 1.03)], [0.035, 0.035]
    )
    return (
        Part(lying, ends, 0.25),
        Part(melted([pocket], 0.01), ochre, 0.25),
        Part(melted([zipper, pull], 0.01), plain((150, 120, 66)), 0.6, 0.8),
        Part(melted(straps, 0.005), leather, 0.45),
        Part(grip, leather, 0.45),
        Part(melted(brass, 0.004), plain((196, 152, 74)), 0.9, 0.9),
    )


def saddle_bag() -> tuple[Part, ...]:
    """A pine-green saddle bag: flap, two straps, side pockets and a wooden dowel."""
    body = melted(
        [
            moved(block((0.74, 0.44, 0.36), 0.16), (0.0, 0.46, 0.0)),
            moved(ball((0.70, 0.40, 0.46)), (0.0, 0.42, 0.04)),
        ],
        0.12,
    )
    sides = [moved(block((0.16, 0.26, 0.27), 0.11), (x, 0.36, 0.02)) for x in (-0.80, 0.80)]
    lid = kept(
        melted(
            [
                moved(block((0.765, 0.47, 0.39), 0.17), (0.0, 0.46, 0.01)),
                moved(ball((0.73, 0.43, 0.50)), (0.0, 0.42, 0.05)),
            ],
            0.12,
        ),
        moved(block((0.9, 0.36, 0.9), 0.05), (0.0, 0.84, 0.2)),
    )
    straps, brass = [], []
    for x in (-0.36, 0.36):
        run = tube(
            [(-0.40, 0.93), (-0.2, 0.955), (0.22, 0.955), (0.46, 0.80), (0.56, 0.5), (0.52, 0.24)],
            [0.02, 0.02],
        )
        flat = kept(
            moved(lambda p, run=run: run(p * np.array([1, 1, 0.0], np.float32)), (0, 0, 0)),  # type: ignore[misc]
            block((9, 9, 0.058), 0.01),
        )
        straps.append(moved(flat, (x, 0.0, 0.0), ("y", -90.0)))
        frame = cut(block((0.09, 0.075, 0.022), 0.02), block((0.056, 0.045, 0.2), 0.01))
        brass.append(moved(frame, (x, 0.52, 0.585)))
        brass.append(moved(block((0.012, 0.07, 0.016), 0.01), (x, 0.52, 0.595)))
    dowel = moved(
        turned([(0.0, -0.6), (0.045, -0.6), (0.045, 0.6), (0.0, 0.6)], 0.01),
        (0.0, 0.93, -0.36),
        ("z", 90.0),
    )
    pine, leather = cloth((52, 84, 68)), cloth((142, 88, 50), weave=30.0)
    return (
        Part(body, pine, 0.25),
        Part(melted(sides, 0.01), cloth((46, 76, 62)), 0.25),
        Part(lid, cloth((58, 92, 74)), 0.28),
        Part(melted(straps, 0.005), leather, 0.45),
        Part(melted(brass, 0.004), plain((206, 166, 92)), 0.9, 0.9),
        Part(dowel, wood((196, 152, 100)), 0.3),
    )
