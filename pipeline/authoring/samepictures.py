"""Choose among several files of one picture: sizes that a shop made, copies, earlier versions.

Tested in tests/authoring/test_samepictures.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from pipeline.authoring.shots import Shot
from pipeline.disk.openfile import hash_of_file, open_to_read_bytes
from pipeline.pictures.heads import ENOUGH_BYTES, read_head

_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
"""Formats in the order in which they are taken, if there is nothing else to choose by."""


class PictureSizes:
    """Width and height of the pictures of a folder; a file is opened once, if asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.of = cache(self._measure)

    def _measure(self, path: str) -> tuple[int, int] | None:
        try:
            with open_to_read_bytes(self._folder / path) as file:
                head = read_head(file.read(ENOUGH_BYTES))
        except (OSError, ValueError):
            return None
        return (head.width, head.height) if head.width and head.height else None

    def area(self, path: str) -> int:
        """Return the pixels of a picture; 0 if they are unknown."""
        width, height = self.of(path) or (0, 0)
        return width * height

    def are_equal(self, one: str, other: str) -> bool:
        """Tell whether two files hold the same bytes."""
        first, second = self._folder / one, self._folder / other
        try:
            if first.stat().st_size != second.stat().st_size:
                return False
            return hash_of_file(first) == hash_of_file(second)
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Distinct:
    """A product's pictures, each once, and the files left out with the one that is used instead."""

    shots: tuple[Shot, ...]
    instead: dict[str, str]


def choose_files(shots: Sequence[Shot], sizes: PictureSizes) -> Distinct:
    """Take one file for each picture of a product.

    The largest wins; of those with at least half of its pixels, a retouched one before one as it
    is, and that before a copy.
    """
    groups: defaultdict[object, list[Shot]] = defaultdict(list)
    for shot in shots:
        groups[shot.picture].append(shot)
    best = {picture: _best(group, sizes) for picture, group in groups.items()}
    instead = {
        shot.path: best[picture].path
        for picture, group in groups.items()
        for shot in group
        if shot is not best[picture]
    }
    kept: list[Shot] = []
    for shot in shots:
        if shot.path in instead:
            continue
        same = next(
            (one for one in kept if shot.copied and sizes.are_equal(one.path, shot.path)), None
        )
        if same is None:
            kept.append(shot)
        else:
            instead[shot.path] = same.path
    return Distinct(tuple(kept), instead)


def _best(group: Sequence[Shot], sizes: PictureSizes) -> Shot:
    if len(group) == 1:
        return group[0]
    most = max(sizes.area(shot.path) for shot in group)

    def rank(shot: Shot) -> tuple[bool, int, int, int, int]:
        area, suffix = sizes.area(shot.path), PurePosixPath(shot.path).suffix.lower()
        place = _SUFFIXES.index(suffix) if suffix in _SUFFIXES else len(_SUFFIXES)
        return 2 * area >= most, shot.quality, area, -place, -len(shot.path)

    return max(group, key=rank)
