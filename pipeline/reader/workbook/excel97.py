"""Workbooks of Excel 97 to 2003, and of Excel 5.0 and 95: one sheet with all that there is to see.

[MS-XLS]: each row and each cell is a record, with the flags, styles and cached values that the
newer formats keep in XML. A formula's record always has a value: where no engine ever calculated
the workbook (2.4.215), a 0 or an empty text of it is what its writer put there for want of one.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from pipeline.errors import ManifestError
from pipeline.reader.workbook import biff
from pipeline.reader.workbook.compound import MAGIC, Compound
from pipeline.reader.workbook.damage import explained, protected
from pipeline.reader.workbook.sheets import Gathered, chosen
from pipeline.reader.workbook.styles import Styles, error_text, rk_number

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.reader.workbook.sheets import Grid

_ROW, _MERGES = 0x208, 0xE5
_NUMBER, _RK, _MANY_RK, _LABEL, _RICH_LABEL = 0x203, 0x27E, 0xBD, 0x204, 0xD6
_SHARED_LABEL, _TRUTH, _FORMULA, _TEXT = 0xFD, 0x205, 0x06, 0x207
# ROW (2.4.221): a row of no height is as hidden as one that says so.
_HIDDEN, _OWN_HEIGHT, _HEIGHT = 0x20, 0x40, 0x7FFF
# FormulaValue (2.5.133): its last two bytes say that it is no number, its first what it is.
_NO_NUMBER = 0xFFFF
_IS_TEXT, _IS_TRUTH, _IS_ERROR = range(3)


def xls_grid(path: Path, data: bytes, wanted: str | int | None) -> Grid:
    """Read the sheet `wanted` of the .xls file at `path`. Raises ManifestError."""
    if not data.startswith(MAGIC):
        raise ManifestError(
            f"{path.name} was made by a version of Excel before 5.0 (1993).",
            action="Open it in LibreOffice or Excel and save it as an Excel workbook (.xlsx).",
        )
    with explained(path.name):
        compound = Compound(data)
        stream = compound.stream("Workbook" if "Workbook" in compound.names else "Book")
        try:
            book = biff.globals_of(stream)
        except biff.Protected as error:
            raise protected(path.name) from error
    sheet = chosen(path.name, book.sheets, wanted)
    with explained(path.name):
        walk = _Walk(book, Gathered(path, len(data)))
        walk.through(stream, sheet.at)
    return walk.gathered.grid(sheet.name)


class _Walk:
    """One pass over the records of a sheet."""

    def __init__(self, book: biff.Globals, gathered: Gathered) -> None:
        self.gathered = gathered
        self._book = book
        self._styles = Styles(book.formats, book.styles, since_1904=book.since_1904)
        self._formula = (0, 0)
        self._text: list[bytes] = []
        self._takers = {
            _ROW: self._row,
            _MERGES: self._merges,
            _NUMBER: self._number,
            _RK: self._rk,
            _MANY_RK: self._many_rk,
            _LABEL: self._label,
            _RICH_LABEL: self._label,
            _SHARED_LABEL: self._shared_label,
            _TRUTH: self._truth,
            _FORMULA: self._formula_cell,
        }

    def through(self, stream: bytes, at: int) -> None:
        """Take every record of the sheet that begins at the byte `at`."""
        before = 0
        for kind, data in biff.records(stream, at):
            if kind == _TEXT or (kind == biff.CONTINUE and before == _TEXT):
                self._text.append(data)
                before = _TEXT
                continue
            before = kind
            if self._text:
                self._end_text()
            taker = self._takers.get(kind)
            if taker is not None:
                taker(data)
        if self._text:
            self._end_text()

    def _row(self, data: bytes) -> None:
        row, height, flags = *struct.unpack_from("<H4xH", data), data[12]
        flat = flags & _OWN_HEIGHT and not height & _HEIGHT
        if flags & _HIDDEN or flat:
            self.gathered.look.hidden.add(row + 1)

    def _merges(self, data: bytes) -> None:
        for at in range(struct.unpack_from("<H", data)[0]):
            top, bottom, left, right = struct.unpack_from("<4H", data, 2 + at * 8)
            self.gathered.look.merges.append((top + 1, left, bottom + 1, right))

    def _number(self, data: bytes) -> None:
        row, column, style, value = struct.unpack_from("<3Hd", data)
        self._styles.put(self.gathered, row + 1, column, style, value)

    def _rk(self, data: bytes) -> None:
        row, column, style, rk = struct.unpack_from("<3HI", data)
        self._styles.put(self.gathered, row + 1, column, style, rk_number(rk))

    def _many_rk(self, data: bytes) -> None:
        row, first = struct.unpack_from("<HH", data)
        for at in range((len(data) - 6) // 6):
            style, rk = struct.unpack_from("<HI", data, 4 + at * 6)
            self._styles.put(self.gathered, row + 1, first + at, style, rk_number(rk))

    def _label(self, data: bytes) -> None:
        row, column = struct.unpack_from("<HH", data)
        self.gathered.put(row + 1, column, biff.text_of(data, 6, self._book))

    def _shared_label(self, data: bytes) -> None:
        row, column, at = struct.unpack_from("<HH2xI", data)
        self.gathered.put(row + 1, column, self._book.strings[at])

    def _truth(self, data: bytes) -> None:
        row, column, value, is_error = struct.unpack_from("<HH2xBB", data)
        self._truth_or_error(row, column, value, is_error=bool(is_error))

    def _truth_or_error(self, row: int, column: int, value: int, *, is_error: bool) -> None:
        if is_error:
            self.gathered.mark(row + 1, column, "error", error_text(value))
        else:
            self.gathered.put(row + 1, column, bool(value))

    def _formula_cell(self, data: bytes) -> None:
        row, column, style = struct.unpack_from("<3H", data)
        kind, value, marker = struct.unpack_from("<BxB3xH", data, 6)
        if marker != _NO_NUMBER:
            (number,) = struct.unpack_from("<d", data, 6)
            if number or self._book.calculated:
                self._styles.put(self.gathered, row + 1, column, style, number)
            else:
                self.gathered.mark(row + 1, column, "uncalculated")
        elif kind == _IS_TEXT:
            self._formula = (row, column)
        elif kind in {_IS_TRUTH, _IS_ERROR}:
            self._truth_or_error(row, column, value, is_error=kind == _IS_ERROR)
        elif not self._book.calculated:
            self.gathered.mark(row + 1, column, "uncalculated")

    def _end_text(self) -> None:
        row, column = self._formula
        self.gathered.put(row + 1, column, biff.continued_text(self._text, self._book))
        self._text = []
