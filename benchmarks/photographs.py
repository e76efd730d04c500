"""What it costs to look at the photographs of a manifest: as it is done, and decoding all in full.

A thousand baseline photographs of 12 megapixels, of which a few are different and the rest are
other names of those: each is read, hashed and decoded, in turns, so that both meet the same
company.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.figures import Figure, at_most, beside
from benchmarks.processes import Spent, python, spend, workplace

NUMBER, DIFFERENT, TURNS = 1000, 12, 2
SHARE = 45.0
_SIZE = (4032, 3024)


def measure(*, number: int = NUMBER, long: bool = False) -> Iterator[Figure]:
    """Measure how photographs are looked at."""
    _ = long
    with workplace() as folder:
        make(folder, number)
        turns: dict[str, list[Spent]] = {"full": [], "eighth": []}
        for _turn in range(TURNS):
            for name, spent in turns.items():
                spent.append(spend(_driver(name, folder)).ok())
        strict = spend(_driver("strict", folder)).ok()
    full, eighth = (_best(spent) for spent in turns.values())
    each = f"{number:,} photographs of 12 megapixels"
    yield beside(f"{each}, all decoded in full", _worded(full, number))
    yield beside("as they are looked at", _worded(eighth, number))
    yield at_most("processor time over decoding in full", 100 * eighth[0] / full[0], SHARE, " %")
    yield at_most("time over decoding in full", 100 * eighth[1] / full[1], SHARE, " %")
    yield beside("with `images.strict: true`", _worded(_figures(strict), number))
    found = strict.json["warned"]
    yield at_most("sound photographs that the strict reader warns of", found, 0)


def make(folder: Path, number: int) -> None:
    """Write photographs, a few of them different, under so many names."""
    chance = np.random.default_rng(1)
    for at in range(min(DIFFERENT, number)):
        small = chance.integers(0, 255, (38, 51, 3), dtype=np.uint8)
        smooth = np.asarray(Image.fromarray(small).resize(_SIZE, Image.Resampling.BICUBIC))
        grain = chance.normal(0, 6, (_SIZE[1], _SIZE[0], 1))
        picture = Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8))
        picture.save(folder / f"{at}.jpg", quality=88)
    for at in range(DIFFERENT, number):
        os.link(folder / f"{at % DIFFERENT}.jpg", folder / f"{at}.jpg")


def _driver(name: str, folder: Path) -> list[str | Path]:
    return python("-m", "benchmarks.photographs_driver", name, folder)


def _figures(spent: Spent) -> tuple[float, float]:
    return spent.json["cpu_s"], spent.json["elapsed_s"]


def _best(turns: list[Spent]) -> tuple[float, float]:
    cpu, elapsed = zip(*map(_figures, turns), strict=True)
    return min(cpu), min(elapsed)


def _worded(figures: tuple[float, float], number: int) -> str:
    cpu_s, elapsed_s = figures
    return f"{cpu_s / number * 1000:.1f} ms of CPU each, {elapsed_s:.1f} s in all"
