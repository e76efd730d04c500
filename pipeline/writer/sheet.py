"""A sheet copied with cells of ours in its rows; every other byte goes through unchanged.

How `SheetPatch` works, and why nothing of the user's is lost:

- The sheet flows through in chunks. expat says where each tag begins and ends; what is written is
  cut from the bytes themselves, never made from what the parser understood. So prefixes,
  attributes, comments and cells that we know nothing of stay as they are.
- `Stream` holds the bytes between what has been written and what the parser has seen. Every byte
  leaves it once and in order: `copy` writes it as it came, `skip` leaves it out because its
  replacement has been written. Memory holds the head of the sheet or one row, so that 100,000 rows
  cost no more than ten.
- A row that gets cells is kept back until its end tag: up to the first of our columns it is copied;
  from there on its cells and ours are written in the order of their columns. The rows of a
  sheet ascend, so `_waiting` is a stack of our row numbers, the lowest on top, each taken once;
  rows that the sheet does not have are written before the next one, or at the end.
- After `</sheetData>` nothing is parsed any more; the rest is copied.
- A new column must be free from its header to its last row, which shows only while the sheet is
  read. Where it is not, `Occupied` ends the copy and the caller begins it again, further right.
- A kill harms nothing: the manifest is only read, and the copy is written beside its final name
  and renamed when it is whole (`disk/place.py`).

Tested in tests/writer/test_workbook_copy.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, NamedTuple
from xml.parsers import expat

from pipeline.manifest.wording import letters_of, number_of
from pipeline.reader.workbook.package import NotAWorkbook, tag_end
from pipeline.writer.cells import HEAD, TEXT, WEAK_LOOKS, Cell, Cut, Mark, cell_xml
from pipeline.writer.head import patch_head
from pipeline.writer.parts import Stream, add_prefix

_CHUNK_BYTES = 1 << 16
# Looked for from the first blank of several: from each of them, the search would take their square.
_STYLE = re.compile(rb"""\ss\s*=\s*(?:"[^"]*"|'[^']*')""")
_HEIGHT = re.compile(rb"\sht\s*=")
_SPANS = re.compile(rb"""(?<!\s)\s+spans=("[^"]*"|'[^']*')""")
# The reader takes no longer head or row; both are held as a whole.
_MOST_HELD_BYTES = 128 * 1024**2
_DIGITS = "0123456789"


class Occupied(Exception):
    """A new column already holds something of the user's further down: `column` is 1-based."""

    def __init__(self, column: int) -> None:
        super().__init__(f"column {letters_of(column)} is in use")
        self.column = column


@dataclass(frozen=True, slots=True)
class Insert:
    """The cells that are put into a sheet; columns and rows are counted from 1.

    `headers` names each target column, and `widths` gives its width in characters; `known` are
    those that held results before and are written over. `rows` are the numbers of the rows that
    get cells, ascending; `cells` returns the cells of one of them by column. `looks` are the
    numbers of the cell formats. `tail` changes what follows the rows, given with the prefix of the
    sheet's elements; None leaves it as it is. `outlined` are new columns that can be folded away
    together, `wrapped` those in which a text that is typed wraps. `heights` are those of rows that
    have none so far, in points, `head_styles` the cell formats of headers.
    `fitted` says that the sheet prints one page wide.
    """

    header_row: int
    headers: Mapping[int, str]
    known: frozenset[int]
    rows: Sequence[int]
    cells: Callable[[int], Iterable[tuple[int, Cell | Mark]]]
    looks: Mapping[str, int]
    widths: Mapping[int, float]
    tail: Callable[[str, bytes], bytes] | None = None
    outlined: Collection[int] = ()
    wrapped: Collection[int] = ()
    heights: Mapping[int, float] = field(default_factory=dict)
    head_styles: Mapping[int, int] = field(default_factory=dict)
    fitted: bool = False


class _Old(NamedTuple):
    """A cell that the row has already, in or behind our first column; `filled` if not empty."""

    column: int
    start: int
    end: int
    style: str | None
    filled: bool


class SheetPatch:
    """Copies one sheet with the cells of an `Insert`; see the top of this module."""

    def __init__(self, source: IO[bytes], out: IO[bytes], insert: Insert, cut: Cut) -> None:
        self._stream = Stream(source, out)
        self._insert, self._cut = insert, cut
        self._first = min(insert.headers, default=1)
        self._waiting = sorted({*insert.rows, insert.header_row}, reverse=True)
        self._prefix = ""
        self._columns: dict[str, int] = {}
        self._cell_name = self._row_name = self._data_name = ""
        self._empty_data = False
        self._row = self._column = self._row_start = 0
        self._old: list[_Old] = []
        self._header_style: str | None = None
        self._opened: tuple[int, int, str | None] | None = None
        self._filled = False
        self._over = False
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._seek_data

    def run(self) -> None:
        """Write the whole sheet; raises Occupied, NotAWorkbook, and ExpatError for broken XML."""
        window = self._stream.window
        # As much again as is held: the parser begins anew with a tag that does not end in a chunk.
        while not self._over and (
            chunk := self._stream.source.read(max(_CHUNK_BYTES, len(window)))
        ):
            window += chunk
            if len(window) > _MOST_HELD_BYTES:
                raise NotAWorkbook("a sheet has a head or a row without end")
            self._parser.Parse(chunk, False)
        if not self._over:
            raise expat.ExpatError("the sheet ends before its rows do")
        if self._insert.tail is not None:
            self._change_tail(self._insert.tail)
        self._stream.copy(self._stream.base + len(self._stream.window))
        while chunk := self._stream.source.read(_CHUNK_BYTES):
            self._stream.out.write(chunk)

    def _change_tail(self, change: Callable[[str, bytes], bytes]) -> None:
        window = self._stream.window
        while chunk := self._stream.source.read(_CHUNK_BYTES):
            window += chunk
            if len(window) > _MOST_HELD_BYTES:
                raise NotAWorkbook("a sheet has no end behind its rows")
        window[:] = change(self._prefix, bytes(window))

    def _seek_data(self, name: str, _attributes: dict[str, str]) -> None:
        head, colon, local = name.rpartition(":")
        if local != "sheetData":
            return
        self._prefix = head + colon
        self._cell_name, self._row_name, self._data_name = (
            f"{self._prefix}c",
            f"{self._prefix}row",
            name,
        )
        at = self._parser.CurrentByteIndex
        insert, stream = self._insert, self._stream
        stream.out.write(
            patch_head(
                stream.raw(stream.base, at),
                header_row=insert.header_row,
                last_row=self._waiting[0],
                widths=insert.widths,
                known=insert.known,
                outlined=insert.outlined,
                styles=dict.fromkeys(insert.wrapped, insert.looks.get(TEXT)),
                fitted=insert.fitted,
            )
        )
        stream.skip(at)
        self._empty_data = self._open(at, name)
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def _open(self, at: int, name: str, height: float | None = None) -> bool:
        """Write the start tag at `at` without its spans; return whether it was self-closing.

        `height` is that of a row which has none; None for the usual one.
        """
        end = self._stream.tag(at)
        tag = self._stream.raw(at, end)
        closed = tag.endswith(b"/>")
        tag = tag[:-2].rstrip() + b">" if closed else tag
        if height is not None and _HEIGHT.search(tag) is None:
            tag = tag[:-1] + _high(height).encode() + b">"
        self._stream.out.write(_SPANS.sub(b"", tag))
        self._stream.skip(end)
        if not tag.startswith(f"<{name}".encode()):
            raise expat.ExpatError(f"no start of {name} at byte {at}")
        return closed

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == self._cell_name:
            reference = attributes.get("r")
            column = self._column_of(reference) if reference else self._column + 1
            self._column = column
            if column >= self._first:
                self._opened = column, self._parser.CurrentByteIndex, attributes.get("s")
                self._filled = False
            elif self._row == self._insert.header_row:
                self._header_style = attributes.get("s")
        elif name == self._row_name:
            self._start_row(attributes)
        elif self._opened is not None:
            self._filled = True

    def _column_of(self, reference: str) -> int:
        letters = reference.rstrip(_DIGITS)
        number = self._columns.get(letters)
        if number is None:
            number = self._columns[letters] = number_of(letters)
        return number

    def _start_row(self, attributes: dict[str, str]) -> None:
        number = attributes.get("r")
        row = int(number) if number else self._row + 1
        at = self._parser.CurrentByteIndex
        self._stream.copy(at)
        self._missing_rows(row)
        self._row, self._column, self._row_start = row, 0, at
        self._old.clear()

    def _end(self, name: str) -> None:
        if name == self._cell_name:
            if self._opened is not None:
                self._end_cell(*self._opened)
        elif name == self._row_name:
            self._end_row(name)
        elif name == self._data_name:
            self._end_data(name)

    def _end_cell(self, column: int, start: int, style: str | None) -> None:
        end = self._stream.tag(start)
        if self._stream.raw(end - 2, end) != b"/>":
            end = self._stream.tag(self._parser.CurrentByteIndex)
        self._old.append(_Old(column, start, end, style, self._filled))
        self._opened = None

    def _end_row(self, name: str) -> None:
        stream, row = self._stream, self._row
        if not self._waiting or self._waiting[-1] != row:
            return
        close = self._parser.CurrentByteIndex
        closed = self._open(self._row_start, name, self._insert.heights.get(row))
        if not closed:
            stream.copy(self._old[0].start if self._old else close)
        stream.out.write(self._merge_row(row, self._own_cells(row)))
        if closed:
            stream.out.write(f"</{name}>".encode())
        else:
            stream.skip(self._old[-1].end if self._old else close)

    def _own_cells(self, row: int) -> dict[int, Cell | Mark]:
        self._waiting.pop()
        if row == self._insert.header_row and self._insert.headers:
            styles = self._insert.head_styles
            headers = self._insert.headers.items()
            return {at: Cell(text, HEAD, style=styles.get(at)) for at, text in headers}
        return dict(self._insert.cells(row))

    def _merge_row(self, row: int, new: dict[int, Cell | Mark]) -> bytes:
        """Return a row from our first column on: the user's cells and ours, in order."""
        if not self._old:
            return add_prefix(
                "".join(self._xml(row, *pair, None) for pair in new.items()), self._prefix
            )
        guarded = self._insert.headers.keys() - self._insert.known
        kept: dict[int, str | None] = {}
        marked: dict[int, bytes] = {}
        pieces: dict[int, bytes] = {}
        for old in self._old:
            if old.filled and old.column in guarded and old.column in new:
                raise Occupied(old.column)
            kept[old.column] = old.style
            ours = new.get(old.column)
            if isinstance(ours, Mark):
                marked[old.column] = self._restyled(old, ours)
            elif ours is None:
                pieces[old.column] = self._stream.raw(old.start, old.end)
            if row == self._insert.header_row and old.filled:
                self._header_style = old.style
        for at, cell in new.items():
            if at not in marked:
                pieces[at] = add_prefix(self._xml(row, at, cell, kept.get(at)), self._prefix)
        pieces |= marked
        return b"".join(pieces[column] for column in sorted(pieces))

    def _restyled(self, old: _Old, mark: Mark) -> bytes:
        """Return a cell of the user's with another format."""
        raw = self._stream.raw(old.start, old.end)
        style = mark.style(old.style)
        if style is None:
            return raw
        end = tag_end(raw, 0)
        named = len(self._cell_name) + 1
        tag = raw[:named] + f' s="{style}"'.encode() + _STYLE.sub(b"", raw[named:end])
        return tag + raw[end:]

    def _xml(self, row: int, column: int, cell: Cell | Mark, kept: str | None) -> str:
        if isinstance(cell, Mark):
            return cell_xml(f"{letters_of(column)}{row}", Cell(None), cell.style(kept), self._cut)
        style = self._style(cell, kept, header=row == self._insert.header_row)
        return cell_xml(f"{letters_of(column)}{row}", cell, style, self._cut)

    def _style(self, cell: Cell, kept: str | None, *, header: bool) -> int | str | None:
        if cell.style is not None:
            return cell.style
        if header:
            return kept or self._header_style or self._insert.looks.get(HEAD)
        if cell.look in WEAK_LOOKS and (kept is not None or cell.value in {None, ""}):
            return kept
        if cell.look is not None and cell.look in self._insert.looks:
            return self._insert.looks[cell.look]
        return kept

    def _missing_rows(self, before: int | None) -> None:
        """Write our rows before row `before` (None: all) that the sheet itself does not have."""
        while self._waiting and (before is None or self._waiting[-1] < before):
            row = self._waiting[-1]
            self._old.clear()
            height = self._insert.heights.get(row)
            high = "" if height is None else _high(height)
            self._stream.out.write(add_prefix(f'<row r="{row}"{high}>', self._prefix))
            self._stream.out.write(self._merge_row(row, self._own_cells(row)))
            self._stream.out.write(add_prefix("</row>", self._prefix))

    def _end_data(self, name: str) -> None:
        if not self._empty_data:
            self._stream.copy(self._parser.CurrentByteIndex)
        self._missing_rows(None)
        if self._empty_data:
            self._stream.out.write(f"</{name}>".encode())
        self._over = True
        self._parser.StartElementHandler = None
        self._parser.EndElementHandler = None


def _high(height: float) -> str:
    return f' ht="{height:g}" customHeight="1"'
