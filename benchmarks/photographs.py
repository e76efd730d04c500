"""What it costs to look at the photographs of a manifest: as it is done, and decoding all in full.

A thousand baseline photographs of 12 megapixels, of which a few are different and the rest are
other names of those: each is read, hashed and decoded, a hundred at a time in turns. The shares are
the medians of these pairs: what else the machine does differs from one minute to the next.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.figures import Figure, at_most, beside
from benchmarks.processes import python, spend, workplace

NUMBER, DIFFERENT, PIECES = 1000, 12, 10
SHARE = 45.0
_SIZE = (4032, 3024)


def measure(*, number: int = NUMBER, long: bool = False) -> Iterator[Figure]:
    """Measure how photographs are looked at."""
    _ = long
    with workplace() as folder:
        make(folder, number // PIECES)
        turns: dict[str, list[Any]] = {"full": [], "eighth": [], "strict": []}
        for _piece in range(PIECES):
            for name, told in turns.items():
                told.append(spend(_driver(name, folder)).ok().json)
    each = f"{number:,} photographs of 12 megapixels"
    yield beside(f"{each}, all decoded in full", _worded(turns["full"], number))
    yield beside("as they are looked at", _worded(turns["eighth"], number))
    for word, figure in (("processor time", "cpu_s"), ("time", "elapsed_s")):
        share = _share(turns["eighth"], turns["full"], figure)
        yield at_most(f"{word} over decoding in full", share, SHARE, " %")
    yield beside("with `images.strict: true`", _worded(turns["strict"], number))
    found = sum(told["warned"] for told in turns["strict"])
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


def _share(turns: list[Any], over: list[Any], figure: str) -> float:
    """Return the median of how many per cent of the other's figure each turn took."""
    pairs = zip(turns, over, strict=True)
    return float(median(100 * one[figure] / other[figure] for one, other in pairs))


def _worded(turns: list[Any], number: int) -> str:
    cpu_s, elapsed_s = (sum(told[figure] for told in turns) for figure in ("cpu_s", "elapsed_s"))
    return f"{cpu_s / number * 1000:.1f} ms of CPU each, {elapsed_s:.1f} s in all"
