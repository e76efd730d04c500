"""Columns of text become a manifest: headers checked, blank rows dropped, numbers kept."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.errors import ManifestError
from pipeline.manifest.blank import is_blank, shows
from pipeline.manifest.columns import ALIASES, folded
from pipeline.manifest.wording import letters_of, listed, plural
from pipeline.model import Manifest, Row, TextDialect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SHARING_SAMPLE = 1000
_NAMED_AT_MOST = 5
# As many columns that we know make a line of headers, and as few filled cells a title.
_KNOWN_HEADERS, _TITLE_SHARE = 2, 2
_TITLE_LINES = 3
_FIELDS = {alias: field for field, aliases in ALIASES.items() for alias in aliases}
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it stands in a file: its header line and, column by column, what is under it.

    `numbers` are the physical numbers of the rows, blank ones included; `columns` has one list per
    header, of the same length as `numbers`. `speaking` are the numbers of rows that are kept even
    if all of their texts are blank.
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


def manifest_of(table: Table) -> Manifest:
    """Check the headers of `table` and make it a manifest.

    Raises ManifestError for a header that stands twice, cells under an empty header, or a title
    where the headers should be.
    """
    header = list(table.header)
    _refuse_title(table)
    _refuse_unnamed(table)
    while len(header) > 1 and is_blank(header[-1]):
        header.pop()
    _refuse_doubles(table, header)
    columns = [shared(column) for column in table.columns[: len(header)]]
    rows = tuple(
        Row(number, cells)
        for number, cells in zip(table.numbers, zip(*columns, strict=True), strict=True)
        if any(map(shows, cells)) or number in table.speaking
    )
    return Manifest(
        path=table.path,
        headers=tuple(header),
        rows=rows,
        dialect=table.dialect,
        sheet=table.sheet,
        first_column=table.first_column,
        header_row=table.header_row,
    )


def shared(column: Sequence[str]) -> Sequence[str]:
    """Keep one string per value where a column says the same few things over and over."""
    sample = column[:_SHARING_SAMPLE]
    if len(set(sample)) * 2 > len(sample):
        return column
    known: dict[str, str] = {}
    return [known.setdefault(text, text) for text in column]


def _place(table: Table, index: int) -> str:
    """A column as a person finds it: by letter in a workbook, by number in a text file."""
    if table.sheet is None:
        return f"column {index + 1}"
    return f"column {letters_of(table.first_column + index + 1)}"


def _refuse_title(table: Table) -> None:
    """Refuse a first line that says what the table is about, above the line of headers."""
    filled = [name for name in table.header if shows(name)]
    for at, number in enumerate(table.numbers[:_TITLE_LINES] if filled else ()):
        cells = [column[at] for column in table.columns]
        below = sum(map(bool, map(shows, cells)))
        if not below:
            continue
        if len(filled) * _TITLE_SHARE > below or _known(filled):
            return
        if _known(cells) >= _KNOWN_HEADERS:
            unit = "line" if table.sheet is None else "row"
            raise ManifestError(
                f"{table.path.name}: {unit} {number} looks like the headers "
                f"({', '.join(cell.strip() for cell in cells if shows(cell))[:_SHOWN]}), but "
                f"{unit} {table.header_row} stands above it ({filled[0].strip()[:_SHOWN]!r}).",
                action=f"Delete {unit} {table.header_row}: the headers have to come first.",
            )


def _known(headers: list[str]) -> int:
    """How many of our fields the headers name."""
    return len({_FIELDS[name] for name in map(folded, headers) if name in _FIELDS})


def _refuse_unnamed(table: Table) -> None:
    unit = "line" if table.sheet is None else "row"
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
                f"{table.path.name}: {_place(table, index)} has no header in {unit} "
                f"{table.header_row}, but cells under it are filled "
                f"({plural(len(found), unit)} {listed(found)}).",
                action="Give the column a header, or empty its cells.",
            )


def _refuse_doubles(table: Table, header: list[str]) -> None:
    seen: dict[str, int] = {}
    for index, name in enumerate(header):
        if is_blank(name):
            continue
        plain = name.strip().casefold()
        if plain in seen:
            first = seen[plain]
            raise ManifestError(
                f"{table.path.name}: the header {name.strip()!r} of {_place(table, index)} stands "
                f"already in {_place(table, first)} ({header[first].strip()!r}).",
                action="Rename one of the two columns (spaces around and capitals do not count).",
            )
        seen[plain] = index
