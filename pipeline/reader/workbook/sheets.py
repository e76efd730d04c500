"""The sheet that is read: which it is, what was seen on it, and its cells as they come.

Only rows that say something are kept, under their own numbers: a lone blank in the last row of a
sheet costs nothing, and no rectangle is made of what lies between two cells.

Tested in tests/reader/test_workbook.py and tests/reader/test_bombs.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.errors import ManifestError
from pipeline.reader.workbook.cellforms import DELIBERATE, EMPTY_RESULT
from pipeline.reader.workbook.damage import Damage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# As far as Excel and LibreOffice go.
_MOST_ROWS, _MOST_COLUMNS = 2**20, 2**14
# Twice what 100,000 rows of long prompts have.
MOST_CHARACTERS = 100_000_000
"""The most characters that all cells of a table may have."""
_LISTED = 20
"""The most sheets that a message lists."""
# The error values that calamine knows; any other one makes it refuse the whole workbook.
_KNOWN_ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A worksheet of a workbook: its name, whether it is shown, and where it is in the file.

    `part` is the name of a part of a package, `at` a place in a stream or among the tables.
    """

    name: str
    visible: bool
    part: str = ""
    at: int = 0


def choose_sheet(name: str, sheets: list[SheetPart], wanted: str | int | None) -> SheetPart:
    """Return the sheet of that name or number (from 1); by default the first that is shown.

    Raises ManifestError that lists the sheets.
    """
    if wanted is None:
        shown = [sheet for sheet in sheets if sheet.visible] or sheets
        if shown:
            return shown[0]
        raise ManifestError(f"{name} has no worksheet.", action="Save it with one.")
    for same in (str.__eq__, lambda one, other: one.strip().casefold() == other.strip().casefold()):
        for sheet in sheets:
            if isinstance(wanted, str) and same(sheet.name, wanted):
                return sheet
    number = int(wanted) if isinstance(wanted, int) or wanted.strip().isdecimal() else 0
    if 1 <= number <= len(sheets):
        return sheets[number - 1]
    listing = ", ".join(f"{at} {sheet.name!r}" for at, sheet in enumerate(sheets[:_LISTED], 1))
    if len(sheets) > _LISTED:
        listing += f" and {len(sheets) - _LISTED:,} more"
    raise ManifestError(
        f"{name} has no sheet {wanted!r}.",
        action=f"Set `manifest.sheet` to one of these names or numbers: {listing}.",
    )


PADDED = "padded"
"""The code of a number that its format shows with more than its digits."""
SILENT = frozenset({PADDED, EMPTY_RESULT, DELIBERATE})
"""The codes of cells that make no row of what has no other cell."""


@dataclass(frozen=True, slots=True)
class CellMark:
    """A cell that needs a word: `code` is that of its problem, or PADDED (`text`: its mask)."""

    row: int
    column: int
    code: str
    text: str = ""


@dataclass(slots=True)
class Look:
    """What was found on a sheet. Rows count from 1, columns from 0.

    `pictures` are the cells over which pictures lie. `odd_cells` says that calamine would misread
    cells, `half_seen` that nothing is known of hidden rows, errors, merged cells and formats.
    """

    filled: int = 0
    last_row: int = 0
    last_column: int = 0
    hidden: set[int] = field(default_factory=set)
    marks: list[CellMark] = field(default_factory=list)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    pictures: list[tuple[int, int]] = field(default_factory=list)
    odd_cells: bool = False
    half_seen: bool = False

    @property
    def area(self) -> int:
        """The cells of the rectangle that calamine would make of the sheet."""
        return self.last_row * (self.last_column + 1)

    @property
    def odd_errors(self) -> bool:
        """Whether a cell holds an error value that calamine does not know: #SPILL!, Err:502."""
        return any(
            one.code == "error_value" and one.text not in _KNOWN_ERRORS for one in self.marks
        )


@dataclass(frozen=True, slots=True)
class Grid:
    """A sheet as read: calamine's values column by column from A on, and the look's findings.

    `sheets` are all worksheets of the workbook.
    """

    path: Path
    sheet: str
    numbers: Sequence[int]
    columns: list[list[object]]
    look: Look
    sheets: Sequence[SheetPart] = ()


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
        self._characters = 0
        self._most_places = most_places(size_bytes)
        self._most_filled = most_filled(size_bytes)

    def put(self, row: int, column: int, value: object) -> None:
        """Take a cell. A text of nothing but blanks says nothing."""
        if isinstance(value, str):
            if not value.strip():
                return
            self.count_characters(len(value))
        self._place(row, column)[column] = value

    def count_characters(self, characters: int) -> None:
        """Count characters of texts, before they are made where that is possible."""
        self._characters += characters
        if self._characters > MOST_CHARACTERS:
            raise too_many_characters(self._path.name)

    def put_row(self, row: int, values: Sequence[object]) -> None:
        """Take the cells of a row from A on; none of them was taken before."""
        cells = ["" if isinstance(one, str) and not one.strip() else one for one in values]
        while cells and cells[-1] == "":
            cells.pop()
        if cells:
            filled = len(cells) - cells.count("")
            self.count_characters(sum(len(one) for one in cells if isinstance(one, str)))
            self._place(row, len(cells) - 1, filled)[: len(cells)] = cells

    def mark(self, row: int, column: int, code: str, text: str = "") -> None:
        """Take a cell with an error value or a formula without a value, or one that is padded."""
        if code not in SILENT:
            self._place(row, column)
        self.look.marks.append(CellMark(row, column, code, text))

    def grid(self, sheet: str, sheets: Sequence[SheetPart]) -> Grid:
        """Return the rows that say something, as columns; `sheets` are all of the workbook."""
        # A row that only merged cells fill is a row, once they are filled.
        look, reached, last = self.look, 0, self.look.last_row
        for top, _, bottom, _ in sorted(look.merges):
            if top in self._rows or bottom in self._rows:
                # Ranges do not overlap: those of a real table have no more rows than it has.
                look.filled += max(0, min(bottom, last) - top + 1)
                if look.filled > self._most_filled:
                    raise density_error(self._path.name, look.filled, self._size_bytes)
                for row in range(max(top, reached), min(bottom, last) + 1):
                    self._place(row, 0, filled=0)
                reached = max(reached, bottom + 1)
        width = self.look.last_column + 1
        numbers = sorted(self._rows)
        if len(numbers) * width > self._most_places:
            raise self._too_wide()
        for cells in self._rows.values():
            cells.extend([""] * (width - len(cells)))
        columns = [[self._rows[number][at] for number in numbers] for at in range(width)]
        return Grid(self._path, sheet, numbers, columns if numbers else [], self.look, sheets)

    def _place(self, row: int, column: int, filled: int = 1) -> list[object]:
        """Return a row's cells, long enough for that column; `filled` more of them are counted."""
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
        look.filled += filled
        if look.filled > self._most_filled:
            raise density_error(self._path.name, look.filled, self._size_bytes)
        return cells

    def _too_wide(self) -> ManifestError:
        look = self.look
        return width_error(self._path.name, look.filled, len(self._rows), look.last_column + 1)


def most_filled(size_bytes: int) -> float:
    """Return how many filled cells a file may hold.

    100,000 rows of 12 equal cells have 0.5 a byte; at this limit 300 KB take less than 300 MB.
    """
    return 300_000 + 1.5 * size_bytes


def most_places(size_bytes: int) -> int:
    """Return how many cells the rectangle around the filled ones may have."""
    return 1_000_000 + 8 * size_bytes


def too_many_characters(name: str) -> ManifestError:
    """Return the error about a table that says more than any real one."""
    return ManifestError(
        f"{name} holds more than {MOST_CHARACTERS:,} characters, which no real table does.",
        action="Split it, or take out columns and rows that no video needs.",
    )


def density_error(name: str, filled: int, size_bytes: int) -> ManifestError:
    """Return the error about a file that packs more cells than a real one."""
    return ManifestError(
        f"{name} packs {filled:,} cells into {size_bytes:,} bytes, which no real table does.",
        action="Copy the cells into a new workbook and save that.",
    )


def width_error(name: str, filled: int, rows: int, columns: int) -> ManifestError:
    """Return the error about a sheet whose few cells stand far apart."""
    return ManifestError(
        f"{name} spreads {filled:,} filled cells over {rows:,} rows and {columns:,} columns.",
        action="Remove what stands far to the right of the table.",
    )
