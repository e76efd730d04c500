"""The filled cells of a sheet as a walk through its records meets them; afterwards, its columns.

Only rows that say something are kept, under their own numbers: a lone blank in the last row of a
sheet costs nothing, and no rectangle is made of what lies between two cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import ManifestError
from pipeline.reader.damage import Damage
from pipeline.reader.grid import Grid
from pipeline.reader.look import Look, Mark

if TYPE_CHECKING:
    from pathlib import Path

# Filled cells that a file may hold. 100,000 rows of 12 equal cells have 0.5 a byte; at this limit
# a file of 300 KB takes less than 300 MB.
FREE_FILLED = 300_000
MOST_FILLED_PER_BYTE = 1.5
# Cells of the rectangle around them, by the size of the file.
MOST_CELLS = 1_000_000
MOST_CELLS_PER_BYTE = 8
# As far as Excel and LibreOffice go.
_MOST_ROWS, _MOST_COLUMNS = 2**20, 2**14


class Gathered:
    """The cells of one sheet of the file at `path`, which has `size_bytes`, and the look at it.

    Rows count from 1, columns from 0. Raises ManifestError as soon as there is more than a file
    of that size can mean.
    """

    def __init__(self, path: Path, size_bytes: int) -> None:
        self.look = Look()
        self._path = path
        self._size_bytes = size_bytes
        self._rows: dict[int, list[object]] = {}
        self._places = 0
        self._most_places = MOST_CELLS + MOST_CELLS_PER_BYTE * size_bytes
        self._most_filled = FREE_FILLED + MOST_FILLED_PER_BYTE * size_bytes

    def put(self, row: int, column: int, value: object) -> None:
        """Take a cell. A text of nothing but blanks says nothing."""
        if isinstance(value, str) and not value.strip():
            return
        self._place(row, column)[column] = value

    def mark(self, row: int, column: int, kind: str, text: str = "") -> None:
        """Take a cell with an error value or a formula without a value, or one that is padded."""
        if kind != "padded":
            self._place(row, column)
        self.look.marks.append(Mark(row, column, kind, text))

    def grid(self, sheet: str) -> Grid:
        """The rows that say something, as columns."""
        for top, _, bottom, _ in self.look.merges:
            # A row that only merged cells fill is a row, once they are filled.
            if any(row in self._rows for row in (top, bottom)):
                for row in range(top, min(bottom, self.look.last_row) + 1):
                    self._place(row, 0)
        width = self.look.last_column + 1
        numbers = sorted(self._rows)
        if len(numbers) * width > self._most_places:
            raise self._too_wide()
        for cells in self._rows.values():
            cells.extend([""] * (width - len(cells)))
        columns = [[self._rows[number][at] for number in numbers] for at in range(width)]
        return Grid(self._path, sheet, numbers, columns if numbers else [], self.look)

    def _place(self, row: int, column: int) -> list[object]:
        """The cells of a row, long enough for that column."""
        look = self.look
        if not (0 < row <= _MOST_ROWS and 0 <= column < _MOST_COLUMNS):
            raise Damage("a cell lies outside of every sheet")
        cells = self._rows.get(row)
        if cells is None:
            cells = self._rows[row] = []
            look.last_row = max(look.last_row, row)
        missing = column + 1 - len(cells)
        if missing > 0:
            self._places += missing
            look.last_column = max(look.last_column, column)
            if self._places > self._most_places:
                raise self._too_wide()
            cells += [""] * missing
        look.filled += 1
        if look.filled > self._most_filled:
            raise too_dense(self._path.name, look.filled, self._size_bytes)
        return cells

    def _too_wide(self) -> ManifestError:
        look = self.look
        return too_wide(self._path.name, look.filled, len(self._rows), look.last_column + 1)


def too_dense(name: str, filled: int, size_bytes: int) -> ManifestError:
    """The sentence about a file that packs more cells than a real one."""
    return ManifestError(
        f"{name} packs {filled:,} cells into {size_bytes:,} bytes, which no real table does.",
        action="Copy the cells into a new workbook and save that.",
    )


def too_wide(name: str, filled: int, rows: int, columns: int) -> ManifestError:
    """The sentence about a sheet whose few cells stand far apart."""
    return ManifestError(
        f"{name} spreads {filled:,} filled cells over {rows:,} rows and {columns:,} columns.",
        action="Remove what stands far to the right of the table.",
    )
