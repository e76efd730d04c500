"""The tea house's products: a tin, closed or open."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .paint import Rgb, glaze, labelled, plain
from .shapes import ball, bounded, melted, moved, turned
from .studio import Part


def label(paper: Rgb, ink: Rgb) -> Image.Image:
    """A wordless label: a frame, a sprig of tea and a sun."""
    back, front = (tuple(int(v) for v in c) for c in (paper, ink))
    art = Image.new("RGB", (900, 900), back)
    pen = ImageDraw.Draw(art)
    pen.rectangle((36, 36, 863, 863), outline=front, width=7)
    pen.rectangle((56, 56, 843, 843), outline=front, width=4)
    pen.ellipse((330, 150, 570, 390), outline=front, width=7)
    pen.line((450, 250, 450, 760), fill=front, width=10)
    for side, y, tilt in ((-1, 640, 34), (1, 590, 34), (-1, 510, 40), (1, 460, 40), (1, 330, 82)):
        leaf = Image.new("L", (260, 260), 0)
        left = Image.new("L", leaf.size, 0)
        ImageDraw.Draw(left).ellipse((20, -60, 240, 160), fill=255)
        right = Image.new("L", leaf.size, 0)
        ImageDraw.Draw(right).ellipse((20, 96, 240, 316), fill=255)
        leaf = Image.fromarray(np.minimum(np.asarray(left), np.asarray(right)))
        turned_leaf = leaf.rotate(side * tilt if side > 0 else 180 - tilt, Image.Resampling.BICUBIC)
        angle = math.radians(tilt)
        centre = (450 + side * 88 * math.cos(angle), y - 88 * math.sin(angle))
        art.paste(front, (int(centre[0]) - 130, int(centre[1]) - 130), turned_leaf)
    return art.filter(ImageFilter.GaussianBlur(1.6))  # softens edges for the sampler


def tin(enamel: Rgb, paper: Rgb, ink: Rgb, *, opened: bool = False) -> tuple[Part, ...]:
    """A lacquered tea tin with a paper label; opened, its lid leans beside it."""
    can = turned(
        [
            (0.0, 0.0),
            (0.43, 0.0),
            (0.43, 0.0),
            (0.45, 0.02),
            (0.45, 0.02),
            (0.45, 0.98),
            (0.45, 0.98),
            (0.42, 1.0),
            (0.42, 1.0),
            (0.42, 1.10),
            (0.42, 1.10),
            (0.40, 1.10),
            (0.40, 1.10),
            (0.40, 0.3),
            (0.40, 0.3),
            (0.0, 0.3),
        ],
        0.008,
    )
    lid = turned(
        [
            (0.0, 0.22),
            (0.42, 0.22),
            (0.42, 0.22),
            (0.42, 0.0),
            (0.42, 0.0),
            (0.45, 0.0),
            (0.45, 0.0),
            (0.45, 0.22),
            (0.45, 0.22),
            (0.42, 0.262),
            (0.40, 0.266),
            (0.30, 0.262),
            (0.0, 0.262),
        ],
        0.008,
    )
    lacquer = plain(enamel)
    wrapped = labelled(lacquer, label(paper, ink), 0.14, 0.86, 0.86)
    parts = [Part(can, wrapped, 0.75)]
    if not opened:
        return (*parts, Part(moved(lid, (0.0, 1.012, 0.0)), lacquer, 0.75))
    leaves = [
        moved(ball((0.10, 0.022, 0.026)), (x, y, z), ("y", turn)) for x, y, z, turn in _heap()
    ]
    tea = Part(
        bounded(melted(leaves, 0.012), (0.0, 0.97, 0.0), 0.52),
        glaze((50, 42, 30), (28, 24, 18)),
        0.15,
    )
    return (*parts, Part(moved(lid, (0.70, 0.475, 0.16), ("z", 74.0)), lacquer, 0.75), tea)


def _heap() -> list[tuple[float, float, float, float]]:
    """Where the loose leaves in an open tin lie (a sunflower's spiral)."""
    return [
        (
            0.36 * r * math.cos(a),
            0.985 - 0.05 * r + 0.012 * (i % 4),
            0.36 * r * math.sin(a),
            a * 57 + i * 61,
        )
        for i in range(44)
        for r, a in [(math.sqrt((i + 0.5) / 44), i * 2.39996)]
    ]
