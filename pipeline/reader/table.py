"""Columns of text become a manifest: headers are checked, blank rows left out, row numbers kept.

Tested in tests/reader/test_text.py and tests/reader/test_workbook.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.errors import ManifestError
from pipeline.manifest.blank import all_blank, is_blank
from pipeline.manifest.columns import field_of
from pipeline.manifest.meanings import Standing, meanings_of
from pipeline.manifest.wording import letters_of, list_numbers, plural
from pipeline.model import Manifest, Row, TextDialect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.manifest.packedrows import PackedRows

_SHARING_SAMPLE = 1000
"""How many texts of a column show whether it says the same few things over and over."""
_NAMED_AT_MOST = 5
"""The most rows that a message about an empty header names."""
_SHOWN = 60
"""The most characters of a line that a message quotes."""
_KNOWN_HEADERS = 2
"""A lower line with at least this many known headers is the header line."""
_TITLE_SHARE = 2
"""A title line has at most one filled cell for every two in the header line."""
_TITLE_LINES = 3
"""How many lines below the first may be the header line."""
_TEMPLATE_LINES = 5
"""How many it may be in a template with several lines of headers."""
FIRST_LINES = max(_TITLE_LINES, _TEMPLATE_LINES)
"""So many cells of each column show whether the headers are where they should be."""
_NAME_OF_PROGRAM = re.compile(r"[a-z][a-z0-9]*([_#.-][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it stands in a file: its header line and, column by column, the cells under it.

    `numbers` are the physical numbers of the rows, blank ones included; `columns` has one list per
    header, of the same length as `numbers`. `speaking` are the numbers of rows that are kept even
    if all their texts are blank. A large table has its rows `packed`, and at least the first cells
    of each column.
    """

    path: Path
    header_row: int
    header: list[str]
    numbers: Sequence[int]
    columns: list[list[str]]
    dialect: TextDialect | None = None
    sheet: str | None = None
    first_column: int = 0
    speaking: frozenset[int] = frozenset()
    only_sheet: bool = True
    packed: PackedRows | None = None

    @property
    def name(self) -> str:
        """The file as a message names it, with the sheet if it has several."""
        return self.path.name if self.only_sheet else f"{self.path.name}, sheet {self.sheet!r}"

    @property
    def unit(self) -> str:
        """What a row of the file is called in a message."""
        return "line" if self.sheet is None else "row"


def manifest_of(table: Table) -> Manifest:
    """Check the headers of a table and make it a manifest.

    Raises:
        ManifestError: a header occurs twice, cells under an empty header are filled, or a title
            stands where the headers should be.

    """
    header = list(table.header)
    _refuse_title(table)
    _refuse_unnamed(table)
    while len(header) > 1 and is_blank(header[-1]):
        header.pop()
    _refuse_doubles(table, header)
    return Manifest(
        path=table.path,
        headers=tuple(header),
        rows=_rows_of(table, len(header)),
        dialect=table.dialect,
        sheet=table.sheet,
        first_column=table.first_column,
        header_row=table.header_row,
        hints=_hints(table),
    )


def _rows_of(table: Table, width: int) -> Sequence[Row]:
    if table.packed is not None:
        return table.packed.without(table.packed.blank).narrowed(width)
    columns = [share_equal(column) for column in table.columns[:width]]
    return tuple(
        Row(number, cells)
        for number, cells in zip(table.numbers, zip(*columns, strict=True), strict=True)
        if not all_blank(cells) or number in table.speaking
    )


def _hints(table: Table) -> tuple[str, ...]:
    """Return where the prompts may be, if they are under no header of the table."""
    if any(field_of(name) == "prompt" for name in table.header):
        return ()
    below = _header_below(table)
    return (below,) if below else ()


def share_equal(column: Sequence[str]) -> Sequence[str]:
    """Keep one string per value in a column that says the same few things over and over."""
    sample = column[:_SHARING_SAMPLE]
    if len(set(sample)) * 2 > len(sample):
        return column
    known: dict[str, str] = {}
    return [known.setdefault(text, text) for text in column]


def _refuse_title(table: Table) -> None:
    """Refuse a first line that says what the table is about, above the line of headers."""
    filled = [name for name in table.header if not is_blank(name)]
    for at, number in enumerate(table.numbers[:_TITLE_LINES] if filled else ()):
        below = [column[at] for column in table.columns if not is_blank(column[at])]
        if not below:
            continue
        if len(filled) * _TITLE_SHARE > len(below) or _count_known(filled):
            return
        if _count_known(below) >= _KNOWN_HEADERS:
            headers = ", ".join(cell.strip() for cell in below)[:_SHOWN]
            raise ManifestError(
                f"{table.name}: {table.unit} {number} looks like the headers ({headers}), but "
                f"{table.unit} {table.header_row} is above it ({filled[0].strip()[:_SHOWN]!r}).",
                action=f"Delete {table.unit} {table.header_row}: the headers have to come first.",
            )


def _header_below(table: Table) -> str | None:
    """Return which of the first lines looks like the headers, and what to delete above it.

    Templates of marketplaces have several lines of headers, the last of them for programs.
    """
    for at in reversed(range(min(_TEMPLATE_LINES, len(table.numbers)))):
        cells = [column[at].strip() for column in table.columns if not is_blank(column[at])]
        if _count_known(cells) < _KNOWN_HEADERS and not _are_names_of_programs(cells):
            continue
        number, unit = table.numbers[at], table.unit
        above = (
            f"{unit} {table.header_row}"
            if number == table.header_row + 1
            else f"{unit}s {table.header_row} to {number - 1}"
        )
        headers = ", ".join(cells)[:_SHOWN]
        return f"{unit.capitalize()} {number} looks like the headers ({headers}): delete {above}."
    return None


def _are_names_of_programs(cells: list[str]) -> bool:
    """Tell whether texts are written as programs call columns: item_sku, main_image_url."""
    joined = sum("_" in cell for cell in cells)
    alike = all(_NAME_OF_PROGRAM.fullmatch(cell) for cell in cells)
    return alike and joined * 2 >= len(cells) >= _KNOWN_HEADERS and len({*cells}) == len(cells)


def _count_known(headers: list[str]) -> int:
    """Count the fields that the headers name, in any language."""
    return len({field for header in headers if (field := field_of(header) or _meant_by(header))})


def _meant_by(header: str) -> str | None:
    found = meanings_of(header)[:1]
    return next((one.field for one in found if one.standing is not Standing.OFFERED), None)


def _refuse_unnamed(table: Table) -> None:
    for index, name in enumerate(table.header):
        if not is_blank(name):
            continue
        filled = (
            number
            for number, cell in zip(table.numbers, table.columns[index], strict=True)
            if not is_blank(cell)
        )
        found = list(islice(filled, _NAMED_AT_MOST))
        if found:
            raise ManifestError(
                f"{table.name}: {_place(table, index)} has no header in {table.unit} "
                f"{table.header_row}, but cells under it are filled "
                f"({plural(len(found), table.unit)} {list_numbers(found)}).",
                action=_header_below(table) or "Give the column a header, or empty its cells.",
            )


def _refuse_doubles(table: Table, header: list[str]) -> None:
    seen: dict[str, int] = {}
    for index, name in enumerate(header):
        if is_blank(name):
            continue
        first = seen.setdefault(name.strip().casefold(), index)
        if first != index:
            raise ManifestError(
                f"{table.name}: {_place(table, index)} has the header {name.strip()!r}, which "
                f"{_place(table, first)} already has ({header[first].strip()!r}).",
                action="Rename one of the two columns (spaces around and capitals do not count).",
            )


def _place(table: Table, index: int) -> str:
    """Name a column as a person finds it: by letter in a workbook, by number in a text file."""
    if table.sheet is None:
        return f"column {index + 1}"
    return f"column {letters_of(table.first_column + index + 1)}"
