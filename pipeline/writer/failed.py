"""A file of the rows that need the user: once corrected, it can be run as it is.

A workbook looks as the manifest does. Only what is seen is taken over: formats of cells, widths of
columns, heights of rows. Values are those that were read.

Tested in tests/writer/test_failed.py, tests/writer/test_plain_workbook.py and
tests/writer/test_read_back.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pipeline.disk.place import place, remove
from pipeline.manifest.columns import fold_header
from pipeline.manifest.resultcolumns import RESULT_COLUMNS
from pipeline.manifest.wording import height_of, number_of
from pipeline.model import Manifest, Row, State
from pipeline.reader.workbook.package import chunks, make_parser
from pipeline.writer.cells import STATE_LOOKS, TEXT, TOP, Cell, Cut
from pipeline.writer.layout import (
    ACTION,
    ERROR,
    STATE,
    Result,
    number_columns,
    own_columns,
    own_values,
    own_widths,
    pair,
)
from pipeline.writer.ownsheets import is_strict
from pipeline.writer.parts import PackageCopy
from pipeline.writer.text_table import write_text
from pipeline.writer.workbook_copy import DAMAGED, find_sheet, write_plain

_NEED_THE_USER = frozenset({State.INVALID, State.REFUSED, State.FAILED, State.EXPIRED})
# The state is among them because by that column a file is recognised as ours, and its guarded cells
# are read without the guard.
_FIELDS = (STATE, ERROR, ACTION)
_WIDTHS = (12.0, 48.0, 48.0)
_KEY_WIDTH = 24.0
_KEY = "key"
_DIGITS = "0123456789"
_MOST_COLUMNS = 1000
"""So many columns that share a width are looked at."""
_NUMBER = ("n", None)
"""The types of a cell that holds a number."""


def write_failed(
    manifest: Manifest,
    results: Sequence[Result],
    folder: Path,
    *,
    keys: Sequence[str] | None = None,
    source: Path | None = None,
) -> Path | None:
    """Write `failed.<suffix>` into `folder`: the rows that need the user.

    They are invalid, refused, failed or expired, or wait for a video that was bought before.

    The rows' own columns come first, then `result_state`, `result_error` and `result_action`. In a
    workbook plain numbers are numbers, and keys are texts; it looks as the manifest does. Without
    such rows an earlier file is deleted and None returned.

    Args:
        manifest: the table.
        results: one for each of its rows, in order.
        folder: where to write.
        keys: those of all rows, for a manifest without a key column: they become the first column,
            so that a corrected row is known again.
        source: a copy of the workbook as it was when it was read; None for the manifest itself.

    Raises:
        StoreError: the folder does not take the file.
        ValueError: results and rows do not match one to one.

    """
    by_row = pair(manifest, results)
    rows = [row for row in manifest.rows if _needs_user(by_row[row.number])]
    suffix = ".xlsx" if manifest.dialect is None else manifest.path.suffix.lower() or ".csv"
    target = folder / f"failed{suffix}"
    if not rows:
        remove(target)
        return None
    own = own_columns(manifest.headers)
    headers = [*(manifest.headers[i] for i in own), *(RESULT_COLUMNS[field] for field in _FIELDS)]
    # All rows of the manifest decide, so that a column looks the same whichever of them failed.
    of_numbers = manifest.dialect is None
    numbers = number_columns(manifest.headers, manifest.rows, own) if of_numbers else frozenset()
    table = [(by_row[row.number], own_values(row, own, numbers)) for row in rows]
    if keys is not None and _KEY not in map(fold_header, manifest.headers):
        named = dict(zip((row.number for row in manifest.rows), keys, strict=True))
        headers.insert(0, _KEY)
        table = [(result, [named[result.row], *cells]) for result, cells in table]

    def write(file: BinaryIO) -> object:
        if manifest.dialect is None:
            look = _look_at(source or manifest.path, manifest.sheet, _looked_at(manifest, rows))
            begin = len(headers) - len(own) - len(_FIELDS)
            return _Workbook(manifest, own, headers, table, look, begin).write(file)
        lines = ([*map(str, cells), *_texts(result)] for result, cells in table)
        return write_text(file, manifest.dialect, headers, lines)

    path, _ = place(target, write, copy_of=manifest.path)
    return path


def _looked_at(manifest: Manifest, rows: Iterable[Row]) -> set[int]:
    return {manifest.header_row, *(row.number for row in rows)}


def _needs_user(result: Result) -> bool:
    return result.held or result.state in _NEED_THE_USER


def _texts(result: Result) -> list[str]:
    values = result.cells
    return ["" if values[field] is None else str(values[field]) for field in _FIELDS]


@dataclass(frozen=True, slots=True)
class _Workbook:
    """The rows as a workbook that looks as the manifest does, if that can be seen.

    `own` are the places of the manifest's columns, which stand behind `begin` others.
    """

    manifest: Manifest
    own: Sequence[int]
    headers: Sequence[str]
    table: Sequence[tuple[Result, Sequence[str | float]]]
    look: _SourceLook | None
    begin: int

    def write(self, file: BinaryIO) -> Cut:
        """Write it."""
        look, head = self.look, self.manifest.header_row
        widths = [_KEY_WIDTH] * self.begin + own_widths(self.manifest, self.own) + list(_WIDTHS)
        styles: dict[int, int] = {}
        if look is not None:
            for at, column in self._places():
                widths[at - 1] = look.widths.get(column, widths[at - 1])
                styles[at] = look.style_of(head, column) or 0
            last = styles.get(self.begin + len(self.own), 0)
            styles |= {at: last for at in range(1, len(self.headers) + 1) if at not in styles}
        return write_plain(
            file,
            self.manifest.sheet,
            first_column=1,
            header_row=1,
            headers=self.headers,
            rows=range(2, len(self.table) + 2),
            cells=self._cells,
            widths=dict(enumerate(widths, start=1)),
            heights=self._heights(widths),
            head_styles=styles if any(styles.values()) else {},
            parts=None if look is None else look.parts,
        )

    def _places(self) -> Iterator[tuple[int, int]]:
        """Yield the columns here, from 1, with those of the manifest's sheet."""
        for at, column in enumerate(self.own, start=self.begin + 1):
            yield at, self.manifest.first_column + column + 1

    def _cells(self, number: int) -> Iterator[Cell]:
        result, values = self.table[number - 2]
        yield from (Cell(value, TOP) for value in values[: self.begin])
        for (_, column), value in zip(self._places(), values[self.begin :], strict=True):
            yield self._own_cell(result.row, column, value)
        state, *others = _texts(result)
        yield Cell(state, STATE_LOOKS[result.state])
        yield from (Cell(text, TEXT) for text in others)

    def _own_cell(self, row: int, column: int, value: str | float) -> Cell:
        if self.look is None:
            return Cell(value, TEXT)
        # Beside its format a number has to stay one, and a text a text: so it is read the same.
        kept = value if self.look.is_number(row, column) else str(value)
        return Cell(kept, TEXT, style=self.look.style_of(row, column))

    def _heights(self, widths: Sequence[float]) -> dict[int, float]:
        """Return the heights that the rows have in the manifest, or that their texts need."""
        heights = {}
        for number, (result, values) in enumerate(self.table, start=2):
            known = 0.0 if self.look is None else self.look.heights.get(result.row, 0.0)
            said = [*zip(_texts(result), _WIDTHS, strict=True)]
            own = [] if known else zip(map(str, values), widths, strict=False)
            heights[number] = max(known, height_of([*said, *own]))
        return heights


@dataclass(slots=True)
class _SourceLook:
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


def _look_at(path: Path, sheet: str | None, rows: Collection[int]) -> _SourceLook | None:
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


def _look(package: PackageCopy, sheet: str | None, rows: frozenset[int]) -> _SourceLook | None:
    workbook = package.find_workbook()
    relationships = package.relationships(workbook)
    target = find_sheet(package, workbook, relationships, sheet)
    parts = {one.kind: one.target for one in reversed(relationships)}
    if "styles" not in parts or is_strict(target):
        return None
    theme = package.read(parts["theme"]) if parts.get("theme", "") in package else None
    look = _SourceLook(package.read(parts["styles"]), theme)
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

    def __init__(self, look: _SourceLook, rows: frozenset[int]) -> None:
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
