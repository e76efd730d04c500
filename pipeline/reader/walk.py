"""Rows of a worksheet parsed cell by cell: thorough and slow, for what the plain look cannot do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.parsers import expat

_ADDRESS = re.compile(r"\$?([A-Z]{1,3})\$?(\d+)")
_ROOT = b"<rows>"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with a value or a formula, as its XML states it.

    Rows count from 1, columns from 0. `kind` and `style` are its `t` and `s`; `begins` and `ends`
    are the bytes of the block from its opening tag to before its closing tag.
    """

    row: int
    column: int
    kind: str
    style: str
    text: str
    formula: bool
    begins: int
    ends: int


def column_of(letters: str) -> int:
    """The column of its letters, from 0: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


class Walk:
    """One pass of expat over a block of whole rows.

    `row` is the last row's number, before and after; `hidden` has the numbers of hidden rows.
    """

    def __init__(self, block: bytes, prefix: bytes = b"", row: int = 0) -> None:
        self.cells: list[Cell] = []
        self.hidden: set[int] = set()
        self.row = row
        self._column = -1
        self._cell: dict[str, str] = {}
        self._begins = 0
        self._text: list[str] = []
        self._reads = self._formula = self._value = False
        self._cut = len(prefix)
        self._parser = expat.ParserCreate("UTF-8")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
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
            self.row = int(number) if number.isdecimal() else self.row + 1
            self._column = -1
            if attributes.get("hidden") in {"1", "true"} or attributes.get("ht") == "0":
                self.hidden.add(self.row)

    def _open_cell(self, attributes: dict[str, str]) -> None:
        self._cell = attributes
        self._begins = self._parser.CurrentByteIndex - len(_ROOT)
        self._formula = self._value = False
        self._text.clear()
        found = _ADDRESS.fullmatch(attributes.get("r", ""))
        self._column = column_of(found[1]) if found else self._column + 1

    def _characters(self, text: str) -> None:
        if self._reads:
            self._text.append(text)

    def _end(self, tag: str) -> None:
        tag = tag[self._cut :]
        if tag in {"v", "t"}:
            self._reads = False
        elif tag == "c" and (self._formula or self._value):
            self.cells.append(
                Cell(
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
