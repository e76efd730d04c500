"""Cells put into the rows of a sheet while it flows by; every other byte goes through unchanged.

Memory holds one row and the head of the sheet, so 100,000 rows cost no more than ten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, NamedTuple
from xml.parsers import expat

from pipeline.manifest.wording import letters_of, number_of
from pipeline.writer.cells import Cell, Cut, cell_xml
from pipeline.writer.head import patch_head
from pipeline.writer.parts import prefixed, tag_end

CHUNK_BYTES = 1 << 16
SPANS = re.compile(rb"""\s+spans=("[^"]*"|'[^']*')""")
DIGITS = "0123456789"


class Occupied(Exception):
    """A new column already holds something of the user's further down: `column` is 1-based."""

    def __init__(self, column: int) -> None:
        super().__init__(f"column {letters_of(column)} is in use")
        self.column = column


@dataclass(frozen=True, slots=True)
class Insert:
    """What is put into a sheet.

    `headers` names each target column (1-based); `known` are those that held results before and
    are written over; `rows` are the row numbers that get cells, ascending; `cells` gives the
    cells of one of them; `widths` are the
    width in characters of each target column.
    """

    header_row: int
    headers: Mapping[int, str]
    known: frozenset[int]
    rows: Sequence[int]
    cells: Callable[[int], Iterable[tuple[int, Cell]]]
    looks: Mapping[str, int]
    widths: Mapping[int, float]


class _Old(NamedTuple):
    column: int
    start: int
    end: int
    style: str | None
    filled: bool


class _Stream:
    """Bytes in, bytes out, with a window on what the parser has seen and is not yet written."""

    def __init__(self, source: IO[bytes], out: IO[bytes]) -> None:
        self.source, self.out = source, out
        self.window = bytearray()
        self.base = 0  # the offset of the window's first byte

    def raw(self, start: int, end: int) -> bytes:
        return bytes(self.window[start - self.base : end - self.base])

    def tag(self, start: int) -> int:
        return tag_end(self.window, start - self.base) + self.base

    def copy(self, end: int) -> None:
        """Write all up to the offset `end` as it came."""
        self.out.write(self.window[: end - self.base])
        self.skip(end)

    def skip(self, end: int) -> None:
        """Leave out all up to the offset `end`."""
        del self.window[: end - self.base]
        self.base = end


class SheetPatch:
    """One pass over a sheet's XML."""

    def __init__(self, source: IO[bytes], out: IO[bytes], insert: Insert, cut: Cut) -> None:
        self.stream = _Stream(source, out)
        self.insert, self.cut = insert, cut
        self.first = min(insert.headers)
        self.waiting = sorted({*insert.rows, insert.header_row}, reverse=True)
        self.prefix = ""
        self.columns: dict[str, int] = {}
        self.cell_name = self.row_name = self.data_name = ""
        self.empty_data = False
        self.row = self.column = self.row_start = 0
        self.old: list[_Old] = []
        self.header_style: str | None = None
        self.opened: tuple[int, int, str | None] | None = None
        self.filled = False
        self.over = False
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._before

    def run(self) -> None:
        """Write the whole sheet. Raises Occupied, or expat.ExpatError for XML that is none."""
        while not self.over and (chunk := self.stream.source.read(CHUNK_BYTES)):
            self.stream.window += chunk
            self.parser.Parse(chunk, False)
        if not self.over:
            raise expat.ExpatError("the sheet ends before its rows do")
        self.stream.copy(self.stream.base + len(self.stream.window))
        while chunk := self.stream.source.read(CHUNK_BYTES):
            self.stream.out.write(chunk)

    def _before(self, name: str, _attributes: dict[str, str]) -> None:
        head, colon, local = name.rpartition(":")
        if local != "sheetData":
            return
        self.prefix = head + colon
        self.cell_name, self.row_name, self.data_name = f"{self.prefix}c", f"{self.prefix}row", name
        at = self.parser.CurrentByteIndex
        insert, stream = self.insert, self.stream
        stream.out.write(
            patch_head(
                stream.raw(stream.base, at),
                header_row=insert.header_row,
                last_row=self.waiting[0],
                widths=insert.widths,
                known=insert.known,
            )
        )
        stream.skip(at)
        self.empty_data = self._open(at, name)
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def _open(self, at: int, name: str) -> bool:
        """Write the start tag at `at` without spans; say whether it was self-closing."""
        end = self.stream.tag(at)
        tag = self.stream.raw(at, end)
        closed = tag.endswith(b"/>")
        tag = tag[:-2].rstrip() + b">" if closed else tag
        self.stream.out.write(SPANS.sub(b"", tag))
        self.stream.skip(end)
        if not tag.startswith(f"<{name}".encode()):
            raise expat.ExpatError(f"no start of {name} at byte {at}")
        return closed

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == self.cell_name:
            reference = attributes.get("r")
            column = self._column(reference) if reference else self.column + 1
            self.column = column
            if column >= self.first:
                self.opened = column, self.parser.CurrentByteIndex, attributes.get("s")
                self.filled = False
            elif self.row == self.insert.header_row:
                self.header_style = attributes.get("s")
        elif name == self.row_name:
            self._start_row(attributes)
        elif self.opened is not None:
            self.filled = True

    def _column(self, reference: str) -> int:
        letters = reference.rstrip(DIGITS)
        number = self.columns.get(letters)
        if number is None:
            number = self.columns[letters] = number_of(letters)
        return number

    def _start_row(self, attributes: dict[str, str]) -> None:
        number = attributes.get("r")
        row = int(number) if number else self.row + 1
        at = self.parser.CurrentByteIndex
        self.stream.copy(at)
        self._missing_rows(row)
        self.row, self.column, self.row_start = row, 0, at
        self.old.clear()

    def _end(self, name: str) -> None:
        if name == self.cell_name:
            if self.opened is not None:
                self._end_cell(*self.opened)
        elif name == self.row_name:
            self._end_row(name)
        elif name == self.data_name:
            self._end_data(name)

    def _end_cell(self, column: int, start: int, style: str | None) -> None:
        end = self.stream.tag(start)
        if self.stream.raw(end - 2, end) != b"/>":
            end = self.stream.tag(self.parser.CurrentByteIndex)
        self.old.append(_Old(column, start, end, style, self.filled))
        self.opened = None

    def _end_row(self, name: str) -> None:
        stream, row = self.stream, self.row
        if not self.waiting or self.waiting[-1] != row:
            return
        close = self.parser.CurrentByteIndex
        closed = self._open(self.row_start, name)
        if not closed:
            stream.copy(self.old[0].start if self.old else close)
        stream.out.write(self._merged(row, self._own_cells(row)))
        if closed:
            stream.out.write(f"</{name}>".encode())
        else:
            stream.skip(self.old[-1].end if self.old else close)

    def _own_cells(self, row: int) -> dict[int, Cell]:
        self.waiting.pop()
        if row == self.insert.header_row:
            return {at: Cell(text) for at, text in self.insert.headers.items()}
        return dict(self.insert.cells(row))

    def _merged(self, row: int, new: dict[int, Cell]) -> bytes:
        """The end of a row from the first target column on: the user's cells and ours, in order."""
        if not self.old:
            return prefixed(
                "".join(self._xml(row, *pair, None) for pair in new.items()), self.prefix
            )
        guarded = self.insert.headers.keys() - self.insert.known
        kept: dict[int, str | None] = {}
        pieces: dict[int, bytes] = {}
        for old in self.old:
            if old.filled and old.column in guarded and old.column in new:
                raise Occupied(old.column)
            kept[old.column] = old.style
            if old.column not in new:
                pieces[old.column] = self.stream.raw(old.start, old.end)
            if row == self.insert.header_row and old.filled:
                self.header_style = old.style
        for at, cell in new.items():
            pieces[at] = prefixed(self._xml(row, at, cell, kept.get(at)), self.prefix)
        return b"".join(pieces[column] for column in sorted(pieces))

    def _xml(self, row: int, column: int, cell: Cell, kept: str | None) -> str:
        style = self._style(cell, kept, header=row == self.insert.header_row)
        return cell_xml(f"{letters_of(column)}{row}", cell, style, self.cut)

    def _style(self, cell: Cell, kept: str | None, *, header: bool) -> int | str | None:
        if header:
            return kept or self.header_style
        if cell.look is not None and cell.look in self.insert.looks:
            return self.insert.looks[cell.look]
        return kept

    def _missing_rows(self, before: int | None) -> None:
        """Write the rows that have cells of ours and no row of the sheet's."""
        while self.waiting and (before is None or self.waiting[-1] < before):
            row = self.waiting[-1]
            self.old.clear()
            self.stream.out.write(prefixed(f'<row r="{row}">', self.prefix))
            self.stream.out.write(self._merged(row, self._own_cells(row)))
            self.stream.out.write(prefixed("</row>", self.prefix))

    def _end_data(self, name: str) -> None:
        if not self.empty_data:
            self.stream.copy(self.parser.CurrentByteIndex)
        self._missing_rows(None)
        if self.empty_data:
            self.stream.out.write(f"</{name}>".encode())
        self.over = True
        self.parser.StartElementHandler = None
        self.parser.EndElementHandler = None
