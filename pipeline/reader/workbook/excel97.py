"""Workbooks of Excel 5.0 to 2003 (.xls): one sheet with all that there is to see.

olefile finds the stream of records in its container. xlrd reads the values from it, the hidden
rows, merged cells, error values and number formats. calamine reads the values a second time: where
the two differ, the cell is a problem; where xlrd fails, calamine's values are taken, and a warning
says what is then unknown.

Neither library says which cells are formulas, so the records of a workbook that was never
calculated are walked as well (see `xlsrecords`).
"""

from __future__ import annotations

import datetime as dt
import io
import math
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xlrd
from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from pipeline.reader.workbook.damage import (
    Damage,
    damage_explained,
    failures_as_damage,
    password_error,
)
from pipeline.reader.workbook.formats import BUILT_IN, Timing, mask_of, timing_of
from pipeline.reader.workbook.sheets import Gathered, SheetPart, choose_sheet
from pipeline.reader.workbook.xlsrecords import (
    Globals,
    put_into_container,
    read_globals,
    read_stream,
    walk,
    without_others,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.reader.workbook.sheets import Grid

# BErr (2.5.10).
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}

_NUMBERS = frozenset({xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE})
_PLAIN = frozenset({xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_TEXT, xlrd.XL_CELL_BLANK})
_TIMES = (dt.date, dt.time, dt.timedelta)
# calamine makes a rectangle of each sheet; beyond so many cells in all of them it is not asked.
_SPARE_CELLS, _SPARE_RATIO = 1_000_000, 2
# Of a long text of a formula calamine reads only what is in its first record.
_CUT_CHARACTERS = 4_000

# The day 60 of 1900 is the 29th of February, which that year did not have.
_FIRST_REAL_DAY = 60
_EPOCH, _EPOCH_1904 = map(dt.datetime.fromisoformat, ("1899-12-30", "1904-01-01"))
_DAY = dt.timedelta(days=1)
# The day behind 31 December 9999, the last one that a spreadsheet has.
_LAST_DAY = 2_958_466


@dataclass(frozen=True, slots=True)
class _File:
    """A workbook: its path, its bytes, and the stream of records in them."""

    path: Path
    data: bytes
    stream: bytes


def xls_grid(path: Path, data: bytes, wanted: str | int | None) -> Grid:
    """Read the sheet `wanted` of the .xls file at `path`. Raises ManifestError."""
    file = _File(path, data, read_stream(path, data))
    with damage_explained(path.name):
        whole = read_globals(file.stream)
        if whole.protected:
            raise password_error(path.name)
        try:
            return _read_by_xlrd(file, whole, wanted)
        except Damage:
            return _read_by_calamine(file, whole, wanted)


def _read_by_xlrd(file: _File, whole: Globals, wanted: str | int | None) -> Grid:
    """Read the sheet with all that xlrd sees. Raises Damage where it fails."""
    name = file.path.name
    try:
        sheet, styles = _opened(name, file.stream, whole, wanted)
    except Damage:
        # xlrd fails over names, notes and links that it does not understand.
        sheet, styles = _opened(name, without_others(file.stream, whole), whole, wanted)
    gathered = Gathered(file.path, len(file.data))
    place, _ = whole.sheets[sheet.number]
    _gather(gathered, sheet, styles, {} if whole.calculated else walk(file.stream, place).unset)
    for row, shown in sheet.rowinfo_map.items():
        # A row of no height is as hidden as one that says so.
        if shown.hidden or (shown.height_mismatch and not shown.height):
            gathered.look.hidden.add(row + 1)
    gathered.look.merges += [
        (top + 1, left, bottom, right - 1) for top, bottom, left, right in sheet.merged_cells
    ]
    _compare(file, whole, gathered, sheet)
    return gathered.grid(sheet.name)


class _Nowhere(io.TextIOBase):
    """Where xlrd's remarks go."""

    def write(self, text: str) -> int:
        return len(text)


def _opened(
    name: str, stream: bytes, whole: Globals, wanted: str | int | None
) -> tuple[xlrd.sheet.Sheet, _Styles]:
    """The sheet `wanted` and the styles of its cells."""
    with failures_as_damage("its records make no sense"):
        book = xlrd.open_workbook(
            logfile=_Nowhere(),
            file_contents=stream,
            encoding_override=None if whole.wide or whole.coded else "cp1252",
            formatting_info=True,
            on_demand=True,
            ragged_rows=True,
        )
        pairs = zip(book.sheet_names(), whole.sheets, strict=True)
        parts = [SheetPart(one, shown, at=at) for at, (one, (_, shown)) in enumerate(pairs)]
    part = choose_sheet(name, parts, wanted)
    with failures_as_damage("its records make no sense"):
        return book.sheet_by_index(part.at), _Styles(book)


def _gather(
    gathered: Gathered, sheet: xlrd.sheet.Sheet, styles: _Styles, unset: dict[int, list[int]]
) -> None:
    """Take the cells that xlrd read; `unset` has formulas without a value (see `Walked`)."""
    for row in range(_height(sheet)):
        values = sheet.row_values(row)
        for column in unset.get(row, ()):
            gathered.mark(row + 1, column, "uncalculated")
            values[column] = ""
        for column, kind in enumerate(sheet.row_types(row)):
            if kind in _PLAIN or values[column] == "":
                continue
            if kind in _NUMBERS:
                style = sheet.cell_xf_index(row, column)
                if style in styles.masks:
                    gathered.mark(row + 1, column, "padded", styles.masks[style])
                if style in styles.timings:
                    values[column] = styles.dated(values[column], style)
            elif kind == xlrd.XL_CELL_BOOLEAN:
                values[column] = bool(values[column])
            else:
                gathered.mark(row + 1, column, "error", _error_text(values[column]))
                values[column] = ""
        gathered.put_row(row + 1, values)


def _height(sheet: xlrd.sheet.Sheet) -> int:
    """How many rows there are: xlrd counts anew where a sheet states its size behind its cells."""
    height: int = sheet.nrows
    with suppress(IndexError):
        while sheet.row_len(height) >= 0:
            height += 1
    return height


class _Styles:
    """What numbers are shown as, by style: only this tells a time from a number of days."""

    def __init__(self, book: xlrd.Book) -> None:
        formats = {one.format_key: one.format_str for one in book.format_list}
        numbers = (one.format_key for one in book.xf_list)
        codes = [formats.get(number) or BUILT_IN.get(number, "") for number in numbers]
        self.timings = {at: timing for at, code in enumerate(codes) if (timing := timing_of(code))}
        self.masks = {at: mask for at, code in enumerate(codes) if (mask := mask_of(code))}
        self._since_1904 = bool(book.datemode)

    def dated(self, value: float, style: int) -> object:
        """The number as a date and time, or as a span of time; itself where it can be neither.

        ECMA-376 part 1, 18.17.4, tells which day a number is.
        """
        if not 0 <= value < _LAST_DAY:
            return value
        span = dt.timedelta(days=value)
        if self.timings[style] is Timing.SPAN or span < _DAY:
            return span
        if self._since_1904:
            return _EPOCH_1904 + span if value < _LAST_DAY - 1462 else value
        return _EPOCH + span + (_DAY if value < _FIRST_REAL_DAY else dt.timedelta())


def _error_text(code: int) -> str:
    return _ERRORS.get(code, "#N/A")


def _compare(file: _File, whole: Globals, gathered: Gathered, sheet: xlrd.sheet.Sheet) -> None:
    """Mark the cells that calamine reads otherwise; it need not read the workbook at all."""
    height = _height(sheet)
    widths = [sheet.row_len(row) for row in range(height)]
    area = height * max(widths, default=0)
    try:
        _refuse_too_wide(file.stream, whole, sheet.number, area, sum(widths))
        rows = _rows_of(_by_calamine(file.stream, whole), sheet.number)
    except Damage:
        return
    for row in range(max(height, len(rows))):
        is_there = row < height
        ours = sheet.row_values(row) if is_there else []
        theirs = rows[row] if row < len(rows) else []
        missing = len(theirs) - len(ours)
        ours += [""] * missing
        theirs += [""] * -missing
        if ours == theirs:  # nearly always
            continue
        kinds = [*(sheet.row_types(row) if is_there else ()), *[xlrd.XL_CELL_EMPTY] * missing]
        for column, (kind, one, other) in enumerate(zip(kinds, ours, theirs, strict=True)):
            if one != other and not _agree(kind, one, other):
                gathered.mark(row + 1, column, "differing", f"{one!r} or {other!r}")


def _agree(kind: int, one: object, other: object) -> bool:
    """Whether calamine's value of a cell is only another form of xlrd's."""
    if isinstance(other, str):
        # calamine leaves zeros between narrow letters.
        letters = other.replace("\0", "")
        if kind == xlrd.XL_CELL_ERROR or not isinstance(one, str):
            return kind == xlrd.XL_CELL_ERROR and not letters
        return one == letters or (len(letters) >= _CUT_CHARACTERS and one.startswith(letters))
    if isinstance(other, float) and isinstance(one, float):
        return math.isnan(one) and math.isnan(other)
    return kind in _NUMBERS and isinstance(other, _TIMES)


def _read_by_calamine(file: _File, whole: Globals, wanted: str | int | None) -> Grid:
    """Read the values of a sheet that xlrd fails over, and what its records say of formulas.

    Raises Damage where calamine fails, too.
    """
    _refuse_too_wide(file.stream, whole)
    book = _by_calamine(file.stream, whole)
    sheets = [one for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    if len(sheets) != len(whole.sheets):
        raise Damage("its sheets cannot be told apart")
    shown = SheetVisibleEnum.Visible
    parts = [SheetPart(one.name, one.visible == shown, at=at) for at, one in enumerate(sheets)]
    part = choose_sheet(file.path.name, parts, wanted)
    walked = walk(file.stream, whole.sheets[part.at][0])
    gathered = Gathered(file.path, len(file.data))
    for row, values in enumerate(_rows_of(book, part.at)):
        for column in () if whole.calculated else walked.unset.get(row, ()):
            gathered.mark(row + 1, column, "uncalculated")
            values[column : column + 1] = [""]
        for column, code in walked.errors.get(row, {}).items():
            gathered.mark(row + 1, column, "error", _error_text(code))
        gathered.put_row(row + 1, values)
    gathered.look.hidden = {row + 1 for row in walked.hidden}
    gathered.look.half_seen = True
    return gathered.grid(part.name)


def _refuse_too_wide(
    stream: bytes, whole: Globals, known: int = -1, area: int = 0, cells: int = 0
) -> None:
    """Keep from calamine a workbook of which it would make more than of a real table.

    It makes a rectangle of every sheet, as large as its cells lie apart. `area` and `cells` are
    those of the worksheet with the number `known`. Raises Damage.
    """
    for at, place in enumerate(whole.places):
        if at != known:
            walked = walk(stream, place)
            area += (walked.last_row + 1) * (walked.last_column + 1)
            cells += walked.cells
    # Sheets may lie over one another.
    if area > _SPARE_CELLS + _SPARE_RATIO * min(cells, len(stream)):
        raise Damage("its cells lie too far apart")


def _by_calamine(stream: bytes, whole: Globals) -> CalamineWorkbook:
    """The workbook as calamine reads it. Raises Damage."""
    data = put_into_container(stream, whole)
    with failures_as_damage("its records make no sense"):
        return CalamineWorkbook.from_filelike(io.BytesIO(data))


def _rows_of(book: CalamineWorkbook, at: int) -> list[list[object]]:
    """The rows of a worksheet from A1 on, by its number among the worksheets. Raises Damage."""
    with failures_as_damage("its records make no sense"):
        kinds = enumerate(sheet.typ for sheet in book.sheets_metadata)
        numbers = [number for number, kind in kinds if kind == SheetTypeEnum.WorkSheet]
        rows = book.get_sheet_by_index(numbers[at]).to_python(skip_empty_area=False)
        return [[*row] for row in rows]
