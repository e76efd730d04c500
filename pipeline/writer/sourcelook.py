"""How some rows of a manifest look in their workbook, so that others can be made to look the same.

Only what is seen is taken: formats of cells, widths of columns, heights of rows. Values are those
that were read.

Tested in tests/writer/test_sourcelook.py.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.manifest.wording import number_of
from pipeline.reader.workbook.package import chunks, make_parser
from pipeline.writer.ownsheets import is_strict
from pipeline.writer.parts import PackageCopy
from pipeline.writer.workbook_copy import DAMAGED, find_sheet

_DIGITS = "0123456789"
_MOST_COLUMNS = 1000
"""So many columns that share a width are looked at."""
_NUMBER = ("n", None)
"""The types of a cell that holds a number."""


@dataclass(slots=True)
class SourceLook:
    """The look of a sheet; rows and columns count from 1.

    `styles` and `theme` are the parts that the numbers of formats are about. `cells` has the
    format of each cell of the rows that were asked for, and whether it holds a number; `columns`
    has the formats of columns.
    """

    styles: bytes
    theme: bytes | None
    cells: dict[int, dict[int, tuple[int, bool]]] = field(default_factory=dict)
    heights: dict[int, float] = field(default_factory=dict)
    widths: dict[int, float] = field(default_factory=dict)
    columns: dict[int, int] = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, bytes]:
        """The parts by their kind."""
        return {"styles": self.styles} | ({} if self.theme is None else {"theme": self.theme})

    def style_of(self, row: int, column: int) -> int | None:
        """Return the format of a cell, or that of its column; None for the usual one."""
        return self.cells.get(row, {}).get(column, (0, False))[0] or self.columns.get(column)

    def is_number(self, row: int, column: int) -> bool:
        """Return whether a cell holds a number, and not a text of digits."""
        return self.cells.get(row, {}).get(column, (0, False))[1]


class _Over(Exception):
    """No row behind this one is asked for."""


def look_at(path: Path, sheet: str | None, rows: Collection[int]) -> SourceLook | None:
    """Return how rows of a workbook look; None for one of another kind, or that is damaged.

    Args:
        path: the workbook.
        sheet: the name of its sheet; None for the first one.
        rows: the numbers of the rows.

    """
    try:
        package = PackageCopy.of(path)
        with package.zip:
            return _look(package, sheet, frozenset(rows))
    except (*DAMAGED, OSError):
        return None


def _look(package: PackageCopy, sheet: str | None, rows: frozenset[int]) -> SourceLook | None:
    workbook = package.find_workbook()
    relationships = package.relationships(workbook)
    target = find_sheet(package, workbook, relationships, sheet)
    parts = {one.kind: one.target for one in reversed(relationships)}
    if "styles" not in parts or is_strict(target):
        return None
    theme = package.read(parts["theme"]) if parts.get("theme", "") in package else None
    look = SourceLook(package.read(parts["styles"]), theme)
    reader = _Reader(look, rows)
    parser = make_parser(reader.start, lambda _: None, lambda _: None)
    with package.open(target.target) as stream:
        try:
            for chunk in chunks(stream):
                parser.Parse(chunk, False)
        except _Over:
            pass
    return look


class _Reader:
    """Takes the elements of a sheet."""

    def __init__(self, look: SourceLook, rows: frozenset[int]) -> None:
        self._look, self._rows = look, rows
        self._last = max(rows, default=0)
        self._row = self._column = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        local = name.rpartition(":")[2]
        if local == "c":
            if self._row in self._rows:
                self._take(attributes)
        elif local == "row":
            self._begin(attributes)
        elif local == "col" and "width" in attributes:
            low, high = int(attributes["min"]), int(attributes["max"])
            for column in range(low, min(high, low + _MOST_COLUMNS) + 1):
                self._look.widths[column] = float(attributes["width"])
                if int(attributes.get("style", "0")):
                    self._look.columns[column] = int(attributes["style"])

    def _begin(self, attributes: dict[str, str]) -> None:
        self._row = int(attributes.get("r", self._row + 1))
        self._column = 0
        if self._row > self._last:
            raise _Over
        if self._row in self._rows and "ht" in attributes:
            self._look.heights[self._row] = float(attributes["ht"])

    def _take(self, attributes: dict[str, str]) -> None:
        letters = attributes.get("r", "").rstrip(_DIGITS)
        self._column = number_of(letters) if letters else self._column + 1
        known = int(attributes.get("s", "0")), attributes.get("t") in _NUMBER
        self._look.cells.setdefault(self._row, {})[self._column] = known
