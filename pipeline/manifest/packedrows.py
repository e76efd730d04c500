"""The rows of a large table in little memory, unpacked a block at a time as they are read.

A row of twelve short cells takes some 900 bytes as Python's texts, and 180 here. Whoever wants one
column of all rows asks for that alone (`texts_of`): it costs a tenth of all of them.
"""

from __future__ import annotations

import contextlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from typing import TYPE_CHECKING, overload

from pipeline.manifest.blank import all_blank
from pipeline.model import Row

if TYPE_CHECKING:
    from collections.abc import Collection

BLOCK_ROWS = 1000
"""How many rows are packed together."""
_BETWEEN = "\0"  # no text file has it: the reader refuses it
_SHARE = 16
"""A column with at most one different text for so many cells is kept as numbers of its texts."""
_SAMPLE = 100
"""So many cells show whether it is worth while to look at all of a block."""


@dataclass(frozen=True, slots=True)
class _Shared:
    """The cells of a block that say the same few things over and over."""

    texts: tuple[str, ...]
    places: bytes

    def unpack(self) -> list[str]:
        texts = self.texts
        return [texts[at] for at in self.places]


_Cells = bytes | _Shared


@dataclass(frozen=True, slots=True)
class _Block:
    numbers: array[int]
    columns: tuple[_Cells, ...]

    def rows(self) -> Iterator[Row]:
        return map(Row, self.numbers, zip(*map(_unpack, self.columns), strict=True))


class PackedRows(Sequence[Row]):
    """Rows that are made when they are asked for; made from blocks by `add`."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._starts: list[int] = []
        self._length = 0
        self._known: dict[str, str] = {}
        self._said: dict[int, tuple[tuple[str, ...], dict[str, int]]] = {}  # last, in each column
        self._unpacked: tuple[int, list[Row]] = (-1, [])
        self.blank: set[int] = set()
        """The places of rows of which every cell is blank."""

    def add(self, numbers: Sequence[int], rows: Sequence[Sequence[str]]) -> None:
        """Add rows with their physical numbers, all of them of the same width."""
        texts = [*zip(*rows, strict=True)]
        self.blank.update(
            self._length + at
            for at, first in enumerate(texts[0] if texts else ())
            if not "!" <= first[:1] <= "~" and all_blank(rows[at])
        )
        columns = tuple(self._pack(cells, at) for at, cells in enumerate(texts))
        self._append(_Block(array("q", numbers), columns))

    def without(self, places: Collection[int]) -> PackedRows:
        """Return the same rows without those at some places; `blank` is not kept."""
        kept = PackedRows()
        kept._known = self._known
        left = sorted(places)
        for start, block in zip(self._starts, self._blocks, strict=True):
            end = start + len(block.numbers)
            here = {at - start for at in left[bisect_right(left, start - 1) :] if at < end}
            kept._append(self._thin_out(block, here) if here else block)
        return kept

    def narrowed(self, width: int) -> PackedRows:
        """Return the same rows with their first cells alone; `blank` is not kept."""
        kept = PackedRows()
        for block in self._blocks:
            kept._append(_Block(block.numbers, block.columns[:width]))
        return kept

    def texts_of(self, index: int) -> Iterator[str]:
        """Return the cells of one column, in order."""
        return chain.from_iterable(_unpack(block.columns[index]) for block in self._blocks)

    def columns(self, indexes: Sequence[int]) -> Iterator[list[list[str]]]:
        """Return the cells of some columns, in order, those of some rows at a time."""
        return ([_unpack(block.columns[at]) for at in indexes] for block in self._blocks)

    @property
    def numbers(self) -> Iterator[int]:
        """The physical numbers of the rows, in order."""
        return chain.from_iterable(block.numbers for block in self._blocks)

    def place_of(self, number: int) -> int | None:
        """Return the place of the row with a physical number; None if there is none."""
        at = bisect_right(self._blocks, number, key=lambda block: block.numbers[0]) - 1
        if at < 0:
            return None
        numbers = self._blocks[at].numbers
        within = bisect_right(numbers, number) - 1
        return self._starts[at] + within if numbers[within] == number else None

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Row]:
        return chain.from_iterable(block.rows() for block in self._blocks)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Row, ...]: ...

    def __getitem__(self, index: int | slice) -> Row | tuple[Row, ...]:
        if isinstance(index, slice):
            return tuple(self[at] for at in range(*index.indices(self._length)))
        place = index + self._length if index < 0 else index
        if not 0 <= place < self._length:
            raise IndexError(index)
        at = bisect_right(self._starts, place) - 1
        known, rows = self._unpacked
        if known != at:
            rows = [*self._blocks[at].rows()]
            self._unpacked = (at, rows)
        return rows[place - self._starts[at]]

    def _append(self, block: _Block) -> None:
        if block.numbers:
            self._blocks.append(block)
            self._starts.append(self._length)
            self._length += len(block.numbers)

    def _pack(self, cells: Sequence[str], column: int) -> _Cells:
        with contextlib.suppress(KeyError):  # a block mostly says what the one before it says
            texts, place_of = self._said[column]
            return _Shared(texts, bytes(map(place_of.__getitem__, cells)))
        some = cells[:_SAMPLE]
        if len(set(some)) * _SHARE > 2 * len(some):
            return _BETWEEN.join(cells).encode()
        different = dict.fromkeys(cells)
        if len(different) * _SHARE > len(cells):
            return _BETWEEN.join(cells).encode()
        texts = tuple(self._known.setdefault(text, text) for text in different)
        place_of = {text: at for at, text in enumerate(texts)}
        self._said[column] = texts, place_of
        return _Shared(texts, bytes(map(place_of.__getitem__, cells)))

    def _thin_out(self, block: _Block, places: set[int]) -> _Block:
        kept = [at not in places for at in range(len(block.numbers))]
        columns = tuple(
            self._pack([*compress(_unpack(cells), kept)], at)
            for at, cells in enumerate(block.columns)
        )
        return _Block(array("q", compress(block.numbers, kept)), columns)


def texts_of(rows: Sequence[Row], index: int) -> Iterable[str]:
    """Return the cells of one column of a manifest's rows, in order."""
    if isinstance(rows, PackedRows):
        return rows.texts_of(index)
    return [row.cells[index] for row in rows]


def without_rows(rows: Sequence[Row], places: Collection[int]) -> Sequence[Row]:
    """Return the rows of a manifest without those at some places."""
    if isinstance(rows, PackedRows):
        return rows.without(places)
    return tuple(row for at, row in enumerate(rows) if at not in places)


def numbers_of(rows: Sequence[Row]) -> Iterable[int]:
    """Return the physical numbers of a manifest's rows, in order."""
    return rows.numbers if isinstance(rows, PackedRows) else (row.number for row in rows)


def _unpack(cells: _Cells) -> list[str]:
    return cells.decode().split(_BETWEEN) if isinstance(cells, bytes) else cells.unpack()
