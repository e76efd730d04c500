"""What the cells of a column look like: pictures, seconds, frames, keys.

`fits` asks whether a column whose header says so may be a field at all; `looks_like` whether a
column whose header says nothing of the kind must be meant for one.

Tested in tests/checker/test_columnreport.py.
"""

from __future__ import annotations

import re
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pipeline.checker.drafts import split_images
from pipeline.checker.naming import normalise_key
from pipeline.checker.rules import aspect_ratio_of, duration_of, resolution_of
from pipeline.manifest.blank import fold_text, strip_blanks
from pipeline.manifest.meanings import is_in_seconds
from pipeline.manifest.packedrows import texts_of
from pipeline.pictures.accepted import PICTURE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.model import Row

_SAMPLE = 1000
"""How many rows show what a column is about."""
_LONGEST = 2048
"""Characters of a cell that is looked at: no picture is named by more."""
_BEHIND = re.compile(r"[?#]")
"""What follows the path of a web address begins with one of these."""
_SHAPE = re.compile(r"[0-9]{1,2}(?:[.,][0-9]+)?\s*[:x\u00d7/]\s*[0-9]{1,2}(?:[.,][0-9]+)?")
_LINES = re.compile(r"[0-9]{3,4}\s*[pi]?|[248]k|(?:full[ -]?)?hd|uhd")


class Looks:
    """The cells of a manifest, column by column, as far as they show what a column is about."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._samples: dict[int, list[str]] = {}

    def fits(self, field: str, index: int) -> bool:
        """Tell whether a column may be a field: half of its cells, an empty one all the same.

        A column of keys must have a key for each row, and none twice.
        """
        if field == "key":
            return self.tells_rows_apart(index)
        may_be = _MAY_BE.get(field)
        cells = self.sample(index)
        return may_be is None or 2 * sum(map(may_be, cells)) >= len(cells)

    def looks_like(self, index: int) -> str | None:
        """Return the field that a column is meant for by its cells; None for all other columns.

        It is "images" where cells name several pictures, else "image_1" for any picture.
        """
        cells = self.sample(index)
        if not cells:
            return None
        if 2 * sum(map(_names_pictures, cells)) > len(cells):
            several = any(len(split_images(cell)) > 1 for cell in cells)
            return "images" if several else "image_1"
        for field, understood in _UNDERSTOOD.items():
            if all(map(understood, cells)) and (
                any(map(_has_letters, cells)) or field == "aspect_ratio" or len(set(cells)) > 1
            ):
                return field
        return None

    def is_empty(self, index: int) -> bool:
        """Tell whether no cell of a column says anything."""
        return not self.sample(index)

    def tells_rows_apart(self, index: int) -> bool:
        """Tell whether each row has a text of its own in a column."""
        keys = {normalise_key(text[:_LONGEST]) for text in texts_of(self._rows, index)}
        return len(keys) == len(self._rows) and "" not in keys

    def sample(self, index: int) -> list[str]:
        """Return what the first cells of a column say."""
        if index not in self._samples:
            texts = (row.cells[index][:_LONGEST] for row in islice(self._rows, _SAMPLE))
            self._samples[index] = [text for text in map(strip_blanks, texts) if text]
        return self._samples[index]


def _names_pictures(cell: str) -> bool:
    named = split_images(cell)
    return bool(named) and all(map(_names_a_picture, named))


def _names_a_picture(text: str) -> bool:
    path = _BEHIND.split(text, maxsplit=1)[0] if "://" in text else text
    return PurePosixPath(path.replace("\\", "/")).suffix.lower() in PICTURE_SUFFIXES


def _has_letters(cell: str) -> bool:
    return any(map(str.isalpha, cell)) or not cell.isalnum()


def _may_be_shape(cell: str) -> bool:
    return aspect_ratio_of(cell) is not None or _SHAPE.fullmatch(fold_text(cell)) is not None


def _may_be_lines(cell: str) -> bool:
    return _LINES.fullmatch(fold_text(cell)) is not None


_MAY_BE: dict[str, Callable[[str], bool]] = {
    "duration": is_in_seconds,
    "aspect_ratio": _may_be_shape,
    "resolution": _may_be_lines,
}
_UNDERSTOOD: dict[str, Callable[[str], object]] = {
    "aspect_ratio": aspect_ratio_of,
    "duration": duration_of,
    "resolution": resolution_of,
}
"""How each field's cells are read, the surest first; all of the values are true."""
