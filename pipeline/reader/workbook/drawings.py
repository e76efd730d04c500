"""The pictures that lie over the cells of a worksheet: each is anchored at one of them.

A sheet names a drawing by its relationships (ECMA-376 part 1, 20.5); each anchor in it has the cell
where it begins, and holds a picture, a group with pictures, a chart or a shape. Only pictures count
here: whoever puts one over a row takes it for the picture of that row.

Tested in tests/reader/test_drawings.py.
"""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING
from xml.parsers import expat

from pipeline.reader.workbook.damage import Damage
from pipeline.reader.workbook.package import make_parser

if TYPE_CHECKING:
    from pipeline.reader.workbook.package import Package

_ANCHORS = frozenset({"oneCellAnchor", "twoCellAnchor"})
_PLACES = frozenset({"row", "col"})
_MOST_PICTURES = 200_000
_MOST_DIGITS = 7
# A drawing that cannot be read keeps nobody from reading the table.
_FAILURES = (Damage, expat.ExpatError, zipfile.BadZipFile, zlib.error, ValueError, EOFError)


def find_pictures(package: Package, sheet: str) -> list[tuple[int, int]]:
    """Return the cells at which pictures are anchored on a sheet, in their order.

    Rows count from 1, columns from 0.

    Args:
        package: the workbook.
        sheet: the name of the sheet's part.

    """
    found: list[tuple[int, int]] = []
    try:
        for one in package.relationships(sheet):
            if one.kind == "drawing":
                with package.open(one.target) as stream:
                    _Drawing(found).read(stream.read())
    except _FAILURES:
        pass
    return sorted(found)


class _Drawing:
    """One drawing as expat tells it; the cells of its pictures go to `found`."""

    def __init__(self, found: list[tuple[int, int]]) -> None:
        self._found = found
        self._place: dict[str, int] = {}
        self._from = False
        self._text: list[str] | None = None
        self._parser = make_parser(self._start, self._end, self._characters)

    def read(self, data: bytes) -> None:
        """Take the part. Raises expat.ExpatError, ValueError."""
        self._parser.Parse(data, True)

    def _start(self, tag: str, _: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name in _ANCHORS:
            self._place = {}
        elif name == "from":
            self._from = True
        elif name in _PLACES and self._from:
            self._text = []
        elif name == "blip" and len(self._place) == len(_PLACES):
            if len(self._found) < _MOST_PICTURES:
                self._found.append((self._place["row"] + 1, self._place["col"]))
            self._place = {}  # a group counts once

    def _end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        if name == "from":
            self._from = False
        elif name in _PLACES and self._text is not None:
            text = "".join(self._text).strip()
            if len(text) <= _MOST_DIGITS and text.isdecimal():
                self._place[name] = int(text)
            self._text = None

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)
