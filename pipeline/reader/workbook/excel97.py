"""Workbooks of Excel 5.0 to 2003 (.xls): one sheet with all that there is to see.

olefile finds the stream of records in its container. xlrd reads the values from it, the hidden
rows, merged cells, error values and number formats. calamine reads the values a second time: where
the two differ, the cell is a problem; where xlrd fails, calamine's values are taken, and a warning
says what is then unknown.

Neither library says which cells are formulas, so the records of the sheet are walked as well (see
`xlsrecords`). Both libraries get a copy that holds nothing but this sheet's cells: xlrd fails over
names, notes and links that it does not understand, and calamine would read all sheets.

Tested in tests/reader/test_excel97.py.
"""

from __future__ import annotations

import datetime as dt
import io
import math
from contextlib import suppress
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import xlrd
from python_calamine import CalamineWorkbook
from xlrd.xldate import xldate_as_datetime

from pipeline.reader.workbook.cellforms import DELIBERATE
from pipeline.reader.workbook.damage import (
    Damage,
    explain_damage,
    explain_password,
    treat_failures_as_damage,
)
from pipeline.reader.workbook.formats import BUILT_IN, Timing, mask_of, timing_of
from pipeline.reader.workbook.sheets import PADDED, Gathered, choose_sheet
from pipeline.reader.workbook.xlsdrawings import find_pictures
from pipeline.reader.workbook.xlsrecords import (
    Walked,
    put_into_container,
    read_globals,
    read_stream,
    records_of,
    walk_records,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.reader.workbook.sheets import Grid

# BErr (2.5.10); xlrd does not know the youngest of them.
_ERRORS = xlrd.error_text_from_code | {0x2B: "#GETTING_DATA"}
_NUMBERS = frozenset({xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE})
_PLAIN = frozenset({xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_TEXT, xlrd.XL_CELL_BLANK})
_TIMES = (dt.date, dt.time, dt.timedelta)
_SENSELESS = "its records make no sense"
# calamine makes a rectangle of the sheet; beyond so many cells in it calamine is not asked.
_SPARE_CELLS, _SPARE_RATIO = 1_000_000, 2
# Of a long text of a formula calamine reads only what is in its first record.
_CUT_CHARACTERS = 4_000


def read_xls(path: Path, data: bytes, wanted: str | int | None) -> Grid:
    """Read the sheet `wanted` of the .xls file at `path`. Raises ManifestError."""
    stream = read_stream(path, data)
    with explain_damage(path.name):
        whole = read_globals(stream)
        if whole.protected:
            raise explain_password(path.name)
        part = choose_sheet(path.name, whole.sheets, wanted)
        walked = walk_records(stream, part.at)
        gathered = Gathered(path, len(data))
        gathered.look.pictures = find_pictures(stream, records_of(stream, part.at))
        theirs: list[list[object]] | None = None
        with suppress(Damage):
            theirs = _read_by_calamine(walked)
        try:
            rows = _rows_by_xlrd(gathered, walked, whole.encoding, theirs)
        except Damage:
            if theirs is None:
                raise
            rows = iter(theirs)
            gathered.look.half_seen = True
        for row, values in enumerate(rows):
            # No library tells the formula, so nobody knows whether it says this itself.
            for column in walked.empty.get(row, ()) if whole.calculated else ():
                gathered.mark(row + 1, column, DELIBERATE)
            for column in () if whole.calculated else walked.unset.get(row, ()):
                gathered.mark(row + 1, column, "formula_not_calculated")
                values[column : column + 1] = [""]
            gathered.put_row(row + 1, values)
        return gathered.grid(part.name, whole.sheets)


def _read_by_calamine(walked: Walked) -> list[list[object]]:
    """Return the rows of the sheet from A1 on, as calamine reads them. Raises Damage."""
    if walked.area > _SPARE_CELLS + _SPARE_RATIO * walked.cells:
        raise Damage("its cells lie too far apart")
    data = put_into_container(walked.stream)
    with treat_failures_as_damage(_SENSELESS):
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        return [[*row] for row in book.get_sheet_by_index(0).to_python(skip_empty_area=False)]


class _Nowhere(io.TextIOBase):
    """A sink for xlrd's log output."""

    def write(self, text: str) -> int:
        return len(text)


def _rows_by_xlrd(
    gathered: Gathered, walked: Walked, encoding: str | None, theirs: list[list[object]] | None
) -> Iterator[list[object]]:
    """Yield the rows as xlrd reads them; `theirs` are those of calamine, if any.

    Raises Damage where xlrd fails.
    """
    with treat_failures_as_damage(_SENSELESS):
        book = xlrd.open_workbook(
            logfile=_Nowhere(),
            file_contents=walked.stream,
            encoding_override=encoding,
            formatting_info=True,
            ragged_rows=True,
        )
        sheet, styles = book.sheet_by_index(0), _Styles(book)
    look = gathered.look
    for row, shown in sheet.rowinfo_map.items():
        # A row of no height is as hidden as one that says so.
        if shown.hidden or (shown.height_mismatch and not shown.height):
            look.hidden.add(row + 1)
    look.merges += [(top + 1, left, end, right - 1) for top, end, left, right in sheet.merged_cells]
    if theirs is not None:
        _compare(gathered, sheet, theirs)
    return (_shown_row(gathered, sheet, styles, row) for row in range(sheet.nrows))


def _shown_row(
    gathered: Gathered, sheet: xlrd.sheet.Sheet, styles: _Styles, row: int
) -> list[object]:
    """Return the values of a row; mark those that are shown in another way or are errors."""
    values: list[Any] = sheet.row_values(row)
    for column, kind in enumerate(sheet.row_types(row)):
        if kind in _PLAIN:
            continue
        if kind in _NUMBERS:
            style = sheet.cell_xf_index(row, column)
            if style in styles.masks:
                gathered.mark(row + 1, column, PADDED, styles.masks[style])
            if style in styles.timings:
                values[column] = styles.read_time(values[column], style)
        elif kind == xlrd.XL_CELL_BOOLEAN:
            values[column] = bool(values[column])
        else:
            gathered.mark(row + 1, column, "error_value", _ERRORS.get(values[column], "#N/A"))
            values[column] = ""
    return values


class _Styles:
    """What numbers are shown as, by style: only this tells a time from a number of days."""

    def __init__(self, book: xlrd.Book) -> None:
        formats = {one.format_key: one.format_str for one in book.format_list}
        numbers = (one.format_key for one in book.xf_list)
        codes = [formats.get(number) or BUILT_IN.get(number, "") for number in numbers]
        self.timings = {at: timing for at, code in enumerate(codes) if (timing := timing_of(code))}
        self.masks = {at: mask for at, code in enumerate(codes) if (mask := mask_of(code))}
        self._since_1904 = book.datemode

    def read_time(self, value: float, style: int) -> object:
        """Return the number as a date and time or a span of time; itself if it is neither."""
        with suppress(OverflowError, ValueError):
            if 0 <= value < 1 or (value >= 1 and self.timings[style] is Timing.SPAN):
                return dt.timedelta(days=value)
            if value >= 1:
                return xldate_as_datetime(value, self._since_1904)
        return value


def _compare(gathered: Gathered, sheet: xlrd.sheet.Sheet, theirs: list[list[object]]) -> None:
    """Mark the cells that calamine reads otherwise."""
    for row in range(max(sheet.nrows, len(theirs))):
        values, kinds = (
            (sheet.row_values(row), sheet.row_types(row)) if row < sheet.nrows else ([], ())
        )
        others = theirs[row] if row < len(theirs) else []
        if values == others:  # nearly always
            continue
        cells = zip_longest(kinds, values, others, fillvalue="")
        for column, (kind, one, other) in enumerate(cells):
            if one != other and not _agree(kind, one, other):
                gathered.mark(row + 1, column, "value_uncertain", f"{one!r} or {other!r}")


def _agree(kind: object, one: object, other: object) -> bool:
    """Tell whether calamine's value of a cell is only another form of xlrd's."""
    if isinstance(other, str):
        # calamine leaves zeros between narrow letters.
        letters = other.replace("\0", "")
        if kind == xlrd.XL_CELL_ERROR or not isinstance(one, str):
            return kind == xlrd.XL_CELL_ERROR and not letters
        return one == letters or (len(letters) >= _CUT_CHARACTERS and one.startswith(letters))
    if isinstance(other, float) and isinstance(one, float):
        return math.isnan(one) and math.isnan(other)
    return kind in _NUMBERS and isinstance(other, _TIMES)
