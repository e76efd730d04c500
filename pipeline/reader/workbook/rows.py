"""The rows of a worksheet's XML: what can be seen of them before calamine reads the cells.

calamine gives error values and formulas that were never calculated as empty text, says nothing of
hidden rows, and makes a rectangle of all that lies between two filled cells. So the sheet is
looked through first, block by block as it is inflated (`Blocks`).

Rows written the way that spreadsheet programs write them are plain: their tags are counted and
searched in the bytes, which costs a tenth of parsing them, and only the few cells of interest are
taken apart. Text cannot be taken for a tag: it holds no `<`. Other rows are parsed cell by cell
(`Walk`).

Tested in tests/reader/test_workbook.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.manifest.wording import number_of
from pipeline.reader.workbook.blocks import Blocks
from pipeline.reader.workbook.cellforms import (
    UNREADABLE,
    RawCell,
    Strings,
    code_of,
    formula_in,
    has_odd_string,
    is_misread,
)
from pipeline.reader.workbook.damage import Damage
from pipeline.reader.workbook.package import make_parser
from pipeline.reader.workbook.sheets import PADDED, CellMark, Look

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import IO

# No tag holds a `<`: every search for the end of one stops there, whatever is repeated.
_MERGE = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^<>]*?ref=["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']"""
)
_ADDRESS = re.compile(r"\$?([A-Z]{1,3})\$?(\d+)")
_FAR = re.compile(r"\$?(?:[A-Z]{4}|[A-Z]{1,3}\$?\d{8})")
_ROOT = b"<rows>"
_COLUMN = re.compile(rb'<c r="([A-Z]{1,3})')
_ROW = re.compile(rb'<row r="(\d{1,7})"')
_ROW_TAG = re.compile(rb'<row r="(\d{1,7})"([^<>]*)>')
_CELL = re.compile(rb'<c r="([A-Z]{1,3})(\d{1,7})"([^<>]*)>')
_KIND = re.compile(rb'\st="(\w+)"')
_STYLE = re.compile(rb'\ss="(\d+)"')
_VALUE = re.compile(rb"<v[^<>]*>([^<]*)</v>")
_FORMULA = re.compile(rb"<f[ />]")
_VALUES = (b"</v>", b"</is>")
# A row of no height is as hidden as one that says so.
_HIDDEN = re.compile(rb'hidden="(?:1|true)"|ht="0"')
_HIDING = re.compile(rb'<row [^<>]*?(?:hidden|ht="0")')
_ODD_ROW = re.compile(rb'<row(?! r="\d{1,7}")')
_ODD_CELL = re.compile(rb'<c(?! r="[A-Z]{1,3}\d{1,7}")')
_LAST_LETTER = 25
_MOST_DIGITS = 7
"""The digits of a row's number: no sheet has ten million rows."""
_FEW_STYLES = 8
"""So many styles are sought one by one, which is faster than to look at each styled cell."""


class _Looking:
    """A look at a sheet, block by block. The arguments are those of `look_at`."""

    def __init__(self, padded: dict[str, str], strings: Strings) -> None:
        self.look = Look()
        self._padded = padded
        self._strings = strings
        self._row = 0

    def take(self, block: bytes, prefix: bytes) -> None:
        """Look at a block of whole rows."""
        if prefix or self._strings.counted or not is_plain(block) or has_odd_string(block):
            self._thoroughly(block, prefix)
        else:
            self._plainly(block)

    def _plainly(self, block: bytes) -> None:
        last_filled, look = _last_filled_row(block), self.look
        if last_filled is not None:
            look.filled += _count_filled(block)
            look.last_row = max(look.last_row, last_filled)
            look.last_column = max(look.last_column, _last_column(block, look.last_column))
            look.hidden.update(_hidden_rows(block))
            self._mark(block, _cells_of_interest(block, self._padded))
        self._row = _last_row(block) or self._row

    def _thoroughly(self, block: bytes, prefix: bytes) -> None:
        walk, look = Walk(block, prefix, self._row), self.look
        look.filled += len(walk.cells)
        look.last_row = max([look.last_row, *(cell.row for cell in walk.cells)])
        look.last_column = max([look.last_column, *(cell.column for cell in walk.cells)])
        look.hidden |= walk.hidden
        self._mark(block, walk.cells)
        self._row = walk.row

    def _mark(self, block: bytes, cells: Iterable[RawCell]) -> None:
        marks = self.look.marks
        for cell in cells:
            raw = block[cell.begins : cell.ends]
            if is_misread(cell, raw):
                self.look.odd_cells = True
            if code := code_of(cell, raw, self._strings):
                self.look.odd_cells |= code == UNREADABLE
                said = cell.text if code == UNREADABLE else formula_in(raw)
                marks.append(CellMark(cell.row, cell.column, code, said))
            elif cell.kind == "e":
                marks.append(CellMark(cell.row, cell.column, "error_value", cell.text))
            elif cell.formula and cell.kind != "str" and not cell.text:
                marks.append(CellMark(cell.row, cell.column, "formula_not_calculated"))
            elif cell.kind == "n" and cell.style in self._padded:
                marks.append(CellMark(cell.row, cell.column, PADDED, self._padded[cell.style]))


def look_at(stream: IO[bytes], padded: dict[str, str], strings: Strings | None = None) -> Look:
    """Look through the sheet in `stream`.

    Args:
        stream: the part of the sheet.
        padded: the mask of each padding style.
        strings: the shared texts of the workbook, if they were counted: then each cell is held
            against what calamine can read.

    Raises expat.ExpatError for a sheet that is no whole XML.

    """
    looking = _Looking(padded, strings or Strings())
    blocks = Blocks(stream)
    for block in blocks:
        looking.take(block, blocks.prefix)
    looking.look.merges = [
        (int(top), number_of(left.decode()) - 1, int(bottom), number_of(right.decode()) - 1)
        for left, top, right, bottom in _MERGE.findall(blocks.tail)
    ]
    return looking.look


class Walk:
    """One pass of expat over a block of whole rows.

    `row` is the last row's number, before and after; `hidden` has the numbers of hidden rows.
    """

    def __init__(self, block: bytes, prefix: bytes = b"", row: int = 0) -> None:
        self.cells: list[RawCell] = []
        self.hidden: set[int] = set()
        self.row = row
        self._column = -1
        self._cell: dict[str, str] = {}
        self._begins = 0
        self._text: list[str] = []
        self._reads = self._formula = self._value = False
        self._cut = len(prefix)
        self._parser = make_parser(self._start, self._end, self._characters)
        self._parser.Parse(_ROOT, False)
        self._parser.Parse(block, False)
        self._parser.Parse(b"</rows>", True)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag[self._cut :]
        if tag == "c":
            self._open_cell(attributes)
        elif tag in {"v", "t"}:
            self._reads = self._value = True
        elif tag == "f":
            self._formula = True
        elif tag == "row":
            number = attributes.get("r", "")
            if len(number) > _MOST_DIGITS:
                raise Damage("a row lies outside of every sheet")
            self.row = int(number) if number.isdecimal() else self.row + 1
            self._column = -1
            if attributes.get("hidden") in {"1", "true"} or attributes.get("ht") == "0":
                self.hidden.add(self.row)

    def _open_cell(self, attributes: dict[str, str]) -> None:
        self._cell = attributes
        self._begins = self._parser.CurrentByteIndex - len(_ROOT)
        self._formula = self._value = False
        self._text.clear()
        address = attributes.get("r", "")
        if _FAR.match(address):
            raise Damage("a cell lies outside of every sheet")
        found = _ADDRESS.fullmatch(address)
        self._column = number_of(found[1]) - 1 if found else self._column + 1

    def _characters(self, text: str) -> None:
        if self._reads:
            self._text.append(text)

    def _end(self, tag: str) -> None:
        tag = tag[self._cut :]
        if tag in {"v", "t"}:
            self._reads = False
        elif tag == "c" and (self._formula or self._value):
            self.cells.append(
                RawCell(
                    self.row,
                    self._column,
                    self._cell.get("t", "n"),
                    self._cell.get("s", ""),
                    "".join(self._text),
                    self._formula,
                    self._begins,
                    self._parser.CurrentByteIndex - len(_ROOT),
                )
            )


def is_plain(block: bytes) -> bool:
    """Tell whether each row and cell begins with its quoted address, and nothing is odd."""
    return not (
        _ODD_ROW.search(block)
        or _ODD_CELL.search(block)
        # The rare byte is sought first: the search for it alone is several times as fast.
        or (b"'" in block and b"='" in block)
        or (b"!" in block and b"<!" in block)
    )


def _count_filled(block: bytes) -> int:
    """Count the cells of the block that have a value."""
    return sum(map(block.count, _VALUES))


def says_nothing(block: bytes) -> bool:
    """Tell whether the rows of a block are plain, and without any value or formula."""
    return is_plain(block) and not _count_filled(block) and not _has_formula(block)


def _has_formula(block: bytes) -> bool:
    """Tell whether any cell of the block is a formula."""
    return _FORMULA.search(block) is not None


def _last_row(block: bytes, before: int | None = None) -> int | None:
    """Return the number of the block's last row, or of the last that begins before a byte."""
    at = block.rfind(b"<row ", 0, before)
    found = _ROW.match(block, at) if at >= 0 else None
    return int(found[1]) if found else None


def _last_filled_row(block: bytes) -> int | None:
    """Return the number of the last row that has a value or a formula."""
    at = -1
    for sign in (*_VALUES, b"</f>", b"<f "):
        at = max(at, block.rfind(sign, max(at, 0)))
    return _last_row(block, at) if at >= 0 else None


def _last_column(block: bytes, known: int) -> int:
    """Return the last column with any cell, blank ones included, from 0; at least `known`."""
    if known < _LAST_LETTER:
        beyond = rb'<c r="(?:[%c-Z]\d|[A-Z][A-Z])' % (ord("A") + known + 1)
        if not re.search(beyond, block):
            return known
    columns = {number_of(letters.decode()) - 1 for letters in set(_COLUMN.findall(block))}
    return max(columns, default=known)


def _hidden_rows(block: bytes) -> Iterator[int]:
    """Yield the numbers of the hidden or filtered rows."""
    for tag in _ROW_TAG.finditer(block) if _HIDING.search(block) else ():
        if _HIDDEN.search(tag[2]):
            yield int(tag[1])


def _cells_of_interest(block: bytes, styles: Collection[str]) -> Iterator[RawCell]:
    """Yield cells with a formula, with an error value, or with one of the number `styles`."""
    formulas = (found.start() for found in _FORMULA.finditer(block))
    seen: set[int] = set()
    for signs in (formulas, _positions(block, b't="e"'), *_signs_of(block, styles)):
        before = 0
        for at in signs:
            # The signs ascend, so no byte is searched twice: without a new cell since the last
            # sign, this one is in the same.
            begins = block.rfind(b"<c ", before, at)
            before = at
            found = _CELL.match(block, begins) if begins >= 0 else None
            if found is None or begins in seen or block.rfind(b"</c>", begins, at) >= 0:
                continue
            seen.add(begins)
            ends = begins if found[3].endswith(b"/") else block.find(b"</c>", begins)
            yield _cell(block, found, ends)


def _signs_of(block: bytes, styles: Collection[str]) -> list[Iterator[int]]:
    """Return where the block names these styles, ascending in each list."""
    if len(styles) <= _FEW_STYLES:
        return [_positions(block, b's="%s"' % style.encode()) for style in styles]
    named = _STYLE.finditer(block)
    return [(found.start() for found in named if found[1].decode() in styles)]


def _cell(block: bytes, found: re.Match[bytes], ends: int) -> RawCell:
    inner = block[found.end() : ends]
    kind, style, value = _KIND.search(found[3]), _STYLE.search(found[3]), _VALUE.search(inner)
    return RawCell(
        int(found[2]),
        number_of(found[1].decode()) - 1,
        kind[1].decode() if kind else "n",
        style[1].decode() if style else "",
        value[1].decode() if value else "",
        b"<f" in inner,
        found.start(),
        ends,
    )


def _positions(block: bytes, sign: bytes) -> Iterator[int]:
    at = block.find(sign)
    while at >= 0:
        yield at
        at = block.find(sign, at + 1)
