"""Binary workbooks of Excel 2007 and later: one sheet with all that there is to see.

[MS-XLSB]: a package as .xlsx is one, whose parts hold records instead of XML.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.reader.damage import Damage, explained
from pipeline.reader.gathered import Gathered
from pipeline.reader.package import part_name, relations
from pipeline.reader.sheets import SheetPart, chosen
from pipeline.reader.styles import Styles, error_text, rk_number

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.reader.grid import Grid

# The kinds of records that are read, 2.3.2.
_ROW = 0
_RK, _ERROR, _TRUTH, _REAL, _TEXT, _SHARED = range(2, 8)
_FORMULA_TEXT, _FORMULA_NUMBER, _FORMULA_TRUTH, _FORMULA_ERROR = range(8, 12)
_SHARED_ITEM, _FORMAT, _STYLE, _RICH_TEXT = 19, 44, 47, 62
_BOOK, _SHEET, _CALCULATION, _MERGE = 153, 156, 157, 176
_STYLES_BEGIN, _STYLES_END = 617, 618
_WORKBOOK, _STRINGS, _LOOKS = "xl/workbook.bin", "xl/sharedStrings.bin", "xl/styles.bin"
# The second byte of the flags of BrtRowHdr (2.4.761).
_HIDDEN, _OWN_HEIGHT = 0x10, 0x20
# A sheet of 1,000,000 rows and 12 columns has some 200 MB.
_MOST_BYTES = 512 * 1024**2
_NO_TEXT = 0xFFFFFFFF


@dataclass(slots=True)
class _Book:
    """What holds for the whole workbook."""

    since_1904: bool = False
    calculated: bool = False
    sheets: list[SheetPart] = field(default_factory=list)


def xlsb_grid(
    path: Path, size_bytes: int, package: zipfile.ZipFile, wanted: str | int | None
) -> Grid:
    """Read the sheet `wanted` of the .xlsb file at `path`. Raises ManifestError."""
    with explained(path.name):
        book = _book(package)
    sheet = chosen(path.name, book.sheets, wanted)
    with explained(path.name):
        walk = _Walk(book, _strings(package), _styles(package, book), Gathered(path, size_bytes))
        walk.through(package, sheet.part)
    return walk.gathered.grid(sheet.name)


def _book(package: zipfile.ZipFile) -> _Book:
    book = _Book()
    targets = relations(package, "xl/_rels/workbook.bin.rels", "/worksheet")
    for kind, data in _records(package, _WORKBOOK):
        if kind == _BOOK:
            book.since_1904 = bool(data[0] & 1)
        elif kind == _CALCULATION:
            book.calculated = any(data[:4])
        elif kind == _SHEET:
            relation, at = _text_at(data, 8)
            if relation in targets:
                part = part_name(targets[relation])
                book.sheets.append(SheetPart(_text_at(data, at)[0], data[0] & 3 == 0, part))
    return book


def _strings(package: zipfile.ZipFile) -> list[str]:
    """The shared strings (BrtSSTItem 2.4.722: a RichStr, whose text follows a byte of flags)."""
    if _STRINGS not in package.namelist():
        return []
    return [
        _text_at(data, 1)[0] for kind, data in _records(package, _STRINGS) if kind == _SHARED_ITEM
    ]


def _styles(package: zipfile.ZipFile, book: _Book) -> Styles:
    """The cell styles (BrtXF 2.4.862 between BrtBeginCellXFs and its end; BrtFmt 2.4.697)."""
    formats: dict[int, str] = {}
    used: list[int] = []
    of_cells = False
    for kind, data in _records(package, _LOOKS) if _LOOKS in package.namelist() else ():
        if kind == _FORMAT:
            formats[struct.unpack_from("<H", data)[0]] = _text_at(data, 2)[0]
        elif kind in {_STYLES_BEGIN, _STYLES_END}:
            of_cells = kind == _STYLES_BEGIN
        elif kind == _STYLE and of_cells:
            used.append(struct.unpack_from("<H", data, 2)[0])
    return Styles(formats, used, since_1904=book.since_1904)


class _Walk:
    """One pass over the records of a sheet."""

    def __init__(self, book: _Book, strings: list[str], styles: Styles, gathered: Gathered) -> None:
        self.gathered = gathered
        self._book = book
        self._strings = strings
        self._styles = styles
        self._row = 0

    def through(self, package: zipfile.ZipFile, part: str) -> None:
        """Take every record of the sheet in `part`."""
        for kind, data in _records(package, part):
            if _RK <= kind <= _FORMULA_ERROR or kind == _RICH_TEXT:
                # Cell (2.5.9): column, then a style of three bytes and a byte of flags.
                column, style = struct.unpack_from("<II", data)
                self._cell(kind, data, column, style & 0xFFFFFF)
            elif kind == _ROW:
                self._row_header(data)
            elif kind == _MERGE:
                top, bottom, left, right = struct.unpack_from("<4I", data)
                self.gathered.look.merges.append((top + 1, left, bottom + 1, right))

    def _row_header(self, data: bytes) -> None:
        row, height, flags = struct.unpack_from("<I4xHxB", data)
        self._row = row + 1
        if flags & _HIDDEN or (flags & _OWN_HEIGHT and not height):
            self.gathered.look.hidden.add(self._row)

    def _cell(self, kind: int, data: bytes, column: int, style: int) -> None:
        if kind == _SHARED:
            (at,) = struct.unpack_from("<I", data, 8)
            self.gathered.put(self._row, column, self._strings[at])
        elif kind in {_TEXT, _RICH_TEXT}:
            self.gathered.put(self._row, column, _text_at(data, 9 if kind == _RICH_TEXT else 8)[0])
        elif kind == _RK:
            number = rk_number(struct.unpack_from("<I", data, 8)[0])
            self._styles.put(self.gathered, self._row, column, style, number)
        elif kind == _REAL:
            (number,) = struct.unpack_from("<d", data, 8)
            self._styles.put(self.gathered, self._row, column, style, number)
        elif kind in {_TRUTH, _FORMULA_TRUTH}:
            self.gathered.put(self._row, column, bool(data[8]))
        elif kind in {_ERROR, _FORMULA_ERROR}:
            self.gathered.mark(self._row, column, "error", error_text(data[8]))
        else:
            self._formula(kind, data, column, style)

    def _formula(self, kind: int, data: bytes, column: int, style: int) -> None:
        """A formula with a text or a number, which is 0 or empty if it was never calculated."""
        text = _text_at(data, 8)[0] if kind == _FORMULA_TEXT else ""
        number = struct.unpack_from("<d", data, 8)[0] if kind == _FORMULA_NUMBER else 0.0
        if not (text or number or self._book.calculated):
            self.gathered.mark(self._row, column, "uncalculated")
        elif kind == _FORMULA_TEXT:
            self.gathered.put(self._row, column, text)
        else:
            self._styles.put(self.gathered, self._row, column, style, number)


def _records(package: zipfile.ZipFile, part: str) -> Iterator[tuple[int, bytes]]:
    """The kinds (2.3.2) and the bytes of all records of a part.

    2.1.4: kind and length are of as few bytes as they need, seven bits in each.

    Raises Damage for a part that breaks off, KeyError for one that is not there.
    """
    if package.getinfo(part).file_size > _MOST_BYTES:
        raise Damage(f"{part} is too large")
    data = package.read(part)
    at, end = 0, len(data)
    while at < end:
        kind = data[at]
        at += 1
        if kind & 0x80:
            kind = (kind & 0x7F) | (data[at] & 0x7F) << 7
            at += 1
        size, byte = 0, 0x80
        for shift in range(0, 28, 7):
            byte = data[at]
            at += 1
            size |= (byte & 0x7F) << shift
            if not byte & 0x80:
                break
        at += size
        if at > end:
            raise Damage(f"{part} ends in the middle of a record")
        yield kind, data[at - size : at]


def _text_at(data: bytes, at: int) -> tuple[str, int]:
    """The text at a place, and where it ends (XLWideString 2.5.169, XLNullableWideString)."""
    (length,) = struct.unpack_from("<I", data, at)
    if length == _NO_TEXT:
        return "", at + 4
    end = at + 4 + 2 * length
    if end > len(data):
        raise Damage("a text is cut off")
    return data[at + 4 : end].decode("utf-16-le", "replace"), end
