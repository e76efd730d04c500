"""A look at a worksheet before calamine reads it: how far it goes, and what calamine would hide.

calamine gives error values and formulas that were never calculated as empty text, says nothing of
hidden rows, and makes a rectangle of all that lies between two filled cells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.reader import plain
from pipeline.reader.blocks import Blocks
from pipeline.reader.walk import Cell, Walk, column_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO

# The error values that calamine knows; any other one makes it refuse the whole workbook.
KNOWN_ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})
_MERGE = re.compile(rb"""mergeCell\s[^>]*?ref=["']([A-Z]+)(\d+):([A-Z]+)(\d+)["']""")


@dataclass(frozen=True, slots=True)
class Mark:
    """A cell that needs a word: `kind` is error, uncalculated or padded (`text`: its mask)."""

    row: int
    column: int
    kind: str
    text: str


@dataclass(slots=True)
class Look:
    """What was found on a sheet. Rows count from 1, columns from 0."""

    filled: int = 0
    last_row: int = 0
    last_column: int = 0
    hidden: set[int] = field(default_factory=set)
    marks: list[Mark] = field(default_factory=list)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)

    @property
    def area(self) -> int:
        """The cells of the rectangle that calamine would make of the sheet."""
        return self.last_row * (self.last_column + 1)

    @property
    def odd_errors(self) -> bool:
        """Whether a cell holds an error value that calamine does not know: #SPILL!, Err:502."""
        return any(one.kind == "error" and one.text not in KNOWN_ERRORS for one in self.marks)


def look_at(stream: IO[bytes], padded: dict[str, str]) -> Look:
    """Look through the sheet in `stream`. `padded` has the mask of each padding style.

    Raises expat.ExpatError for a sheet that is no whole XML.
    """
    look = Look()
    blocks = Blocks(stream)
    row = 0
    for block in blocks:
        if not blocks.prefix and plain.is_plain(block):
            row = _plainly(block, row, look, padded)
        else:
            row = _thoroughly(block, blocks.prefix, row, look, padded)
    look.merges = [
        (int(top), column_of(left.decode()), int(bottom), column_of(right.decode()))
        for left, top, right, bottom in _MERGE.findall(blocks.tail)
    ]
    return look


def _plainly(block: bytes, row: int, look: Look, padded: dict[str, str]) -> int:
    last_filled = plain.last_filled_row(block)
    if last_filled is not None:
        look.filled += plain.filled(block)
        look.last_row = max(look.last_row, last_filled)
        look.last_column = max(look.last_column, plain.last_column(block, look.last_column))
        look.hidden.update(plain.hidden_rows(block))
        _mark(plain.cells_of_interest(block, padded), look, padded)
    return plain.last_row(block) or row


def _thoroughly(block: bytes, prefix: bytes, row: int, look: Look, padded: dict[str, str]) -> int:
    walk = Walk(block, prefix, row)
    look.filled += len(walk.cells)
    look.last_row = max([look.last_row, *(cell.row for cell in walk.cells)])
    look.last_column = max([look.last_column, *(cell.column for cell in walk.cells)])
    look.hidden |= walk.hidden
    _mark(walk.cells, look, padded)
    return walk.row


def _mark(cells: Iterable[Cell], look: Look, padded: dict[str, str]) -> None:
    for cell in cells:
        if cell.kind == "e":
            look.marks.append(Mark(cell.row, cell.column, "error", cell.text))
        elif cell.formula and cell.kind != "str" and not cell.text:
            look.marks.append(Mark(cell.row, cell.column, "uncalculated", ""))
        elif cell.kind == "n" and cell.style in padded:
            look.marks.append(Mark(cell.row, cell.column, "padded", padded[cell.style]))
