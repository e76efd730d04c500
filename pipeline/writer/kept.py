"""What a person has put into a results file, as far as the next one holds it again.

Columns of their own come again with the cells of their rows. A workbook is written into: so its
other sheets, its formats and its formulas stay, and the cells that are the manifest's are as the
manifest has them. Where its rows stand in another order they are moved first.

Tested in tests/review/test_readback.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.model import Manifest, Row
from pipeline.writer.layout import Result, number_columns, own_values
from pipeline.writer.movedrows import Moves


class BookUnfit(Exception):
    """The workbook that is there cannot be written into: a new one takes its place."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a person has put into a results file: columns of their own, or the whole workbook.

    `cells` are those of the `columns`, by the numbers of the rows in the manifest.
    """

    columns: tuple[str, ...] = ()
    cells: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    book: Book | None = None

    def of(self, row: int) -> tuple[str, ...]:
        """Return the cells of a person's own columns in a row of the manifest."""
        return self.cells.get(row, ("",) * len(self.columns))

    def values(self, rows: Sequence[Row]) -> dict[int, list[str | float]]:
        """Return them for a workbook, where numbers are numbers, by the numbers of the rows."""
        places = range(len(self.columns))
        own = [Row(row.number, self.of(row.number)) for row in rows]
        numbers = number_columns(self.columns, own, places)
        return {row.number: [*own_values(row, places, numbers)] for row in own}


@dataclass(frozen=True, slots=True)
class Book:
    """A results workbook that is written into.

    `table` has a row for each row of the manifest, in that order, each with its own number in the
    workbook, to which `moves` brings it. `again` are the cells that are written once more, as the
    manifest has them: by the number of the row, the values by their places among the headers.
    `more` are the columns of the manifest that the workbook does not have, `names` what those that
    runs write are called in it.
    """

    table: Manifest
    names: tuple[str, ...]
    again: Mapping[int, Mapping[int, str | float]] = field(default_factory=dict)
    moves: Moves | None = None
    more: Kept = field(default_factory=Kept)

    @property
    def columns(self) -> frozenset[int]:
        """The places of the columns in which cells are written again."""
        return frozenset(at for cells in self.again.values() for at in cells)

    def results(self, results: Sequence[Result]) -> list[Result]:
        """Return the results of the manifest's rows as those of the rows in the workbook."""
        return [
            replace(one, row=row.number) for one, row in zip(results, self.table.rows, strict=True)
        ]


NOTHING_KEPT = Kept()
