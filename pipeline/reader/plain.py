"""A quick look at rows written the way that spreadsheet programs write them.

Tags are counted and searched in the bytes, which costs a tenth of parsing them; only the few cells
of interest are taken apart. Text cannot be taken for a tag: it holds no `<`.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from pipeline.reader.walk import Cell, column_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_COLUMN = re.compile(rb'<c r="([A-Z]+)')
_ROW = re.compile(rb'<row r="(\d+)"')
_CELL = re.compile(rb'<c r="([A-Z]+)(\d+)"([^>]*)>')
_KIND = re.compile(rb'\st="(\w+)"')
_STYLE = re.compile(rb'\ss="(\d+)"')
_VALUE = re.compile(rb"<v[^>]*>([^<]*)</v>")
_FORMULA = re.compile(rb"<f[ />]")
_VALUES = (b"</v>", b"</is>")
# A row of no height is as hidden as one that says so.
_HIDDEN = re.compile(rb'hidden="(?:1|true)"|ht="0"')
_ODD_ROW, _ODD_CELL = re.compile(rb'<row(?! r="\d)'), re.compile(rb'<c(?! r="[A-Z])')
_LAST_LETTER = 25


def is_plain(block: bytes) -> bool:
    """Whether each row and cell begins with its address, in double quotes, and nothing is odd."""
    return not (
        _ODD_ROW.search(block) or _ODD_CELL.search(block) or b"='" in block or b"<!" in block
    )


def filled(block: bytes) -> int:
    """How many cells of the block have a value."""
    return sum(map(block.count, _VALUES))


def has_formula(block: bytes) -> bool:
    """Whether any cell of the block is a formula."""
    return _FORMULA.search(block) is not None


def last_row(block: bytes, before: int | None = None) -> int | None:
    """The number of the block's last row, or of the last one that begins before a byte of it."""
    at = block.rfind(b"<row ", 0, before)
    found = _ROW.match(block, at) if at >= 0 else None
    return int(found[1]) if found else None


def last_filled_row(block: bytes) -> int | None:
    """The number of the last row that has a value or a formula."""
    at = max(block.rfind(b"</f>"), block.rfind(b"<f "), *map(block.rfind, _VALUES))
    return last_row(block, at) if at >= 0 else None


def last_column(block: bytes, known: int) -> int:
    """The last column that any cell stands in, blank ones included, from 0; at least `known`."""
    if known < _LAST_LETTER:
        beyond = rb'<c r="(?:[%c-Z]\d|[A-Z][A-Z])' % (ord("A") + known + 1)
        if not re.search(beyond, block):
            return known
    columns = {column_of(letters.decode()) for letters in set(_COLUMN.findall(block))}
    return max(columns, default=known)


def hidden_rows(block: bytes) -> Iterator[int]:
    """The numbers of the hidden or filtered rows."""
    for sign in _HIDDEN.finditer(block) if b"hidden" in block or b'ht="0"' in block else ():
        tag = block.rfind(b"<", 0, sign.start())
        found = _ROW.match(block, tag)
        if found:
            yield int(found[1])


def cells_of_interest(block: bytes, styles: Iterable[str]) -> Iterator[Cell]:
    """Cells with a formula, with an error value, or with one of the number `styles`."""
    wanted = (b't="e"', *(b's="%s"' % style.encode() for style in styles))
    formulas = (found.start() for found in _FORMULA.finditer(block))
    seen: set[int] = set()
    for at in chain(formulas, _positions(block, wanted)):
        begins = block.rfind(b"<c ", 0, at)
        found = _CELL.match(block, begins) if begins >= 0 else None
        if found is None or begins in seen or block.rfind(b"</c>", begins, at) >= 0:
            continue
        seen.add(begins)
        ends = begins if found[3].endswith(b"/") else block.find(b"</c>", begins)
        yield _cell(block, found, ends)


def _cell(block: bytes, found: re.Match[bytes], ends: int) -> Cell:
    inner = block[found.end() : ends]
    kind, style, value = _KIND.search(found[3]), _STYLE.search(found[3]), _VALUE.search(inner)
    return Cell(
        int(found[2]),
        column_of(found[1].decode()),
        kind[1].decode() if kind else "n",
        style[1].decode() if style else "",
        value[1].decode() if value else "",
        b"<f" in inner,
        found.start(),
        ends,
    )


def _positions(block: bytes, wanted: Iterable[bytes]) -> Iterator[int]:
    for sign in wanted:
        at = block.find(sign)
        while at >= 0:
            yield at
            at = block.find(sign, at + 1)
