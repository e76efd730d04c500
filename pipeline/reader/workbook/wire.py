"""How a manifest crosses from the process that read it: as lines of JSON, a part of it in each.

Nothing but texts and numbers can be said in them, whatever a file did to the process that reads it.

Tested in tests/reader/test_apart.py.
"""

from __future__ import annotations

import json
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from pipeline.errors import ManifestError
from pipeline.model import Manifest, Problem, Row, Severity
from pipeline.reader.table import share_equal
from pipeline.reader.workbook.sheets import MOST_CHARACTERS, too_many_characters

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_AT_ONCE = 1000
_BETWEEN = "\t"
# More cells than any sheet of twelve columns has.
_MOST_CELLS = 20_000_000
MOST_BYTES = 8 * MOST_CHARACTERS
"""More than all lines of a manifest within these limits can have."""
_DUMPS = json.JSONEncoder(separators=(",", ":")).encode
_OF_HEAD = attrgetter(
    "headers", "sheet", "first_column", "header_row", "sheet_found", "notes", "other_sheets",
    "hints",
)  # fmt: skip
_OF_PROBLEM = attrgetter("code", "message", "severity", "row", "cell", "column", "key")


def line_of(kind: str, said: object) -> bytes:
    """Return a line that says one thing."""
    return f'["{kind}",{_DUMPS(said)}]\n'.encode()


def lines_of(manifest: Manifest) -> Iterator[bytes]:
    """Yield the lines of a manifest. Raises ManifestError for one that is too large."""
    name, rows, width = manifest.path.name, manifest.rows, len(manifest.headers)
    if len(rows) * width > _MOST_CELLS:
        raise ManifestError(
            f"{name} holds {len(rows) * width:,} cells; a table may have at most {_MOST_CELLS:,}.",
            action="Split it, or take out columns and rows that no video needs.",
        )
    said = _Characters(name)
    said.count(manifest.headers)
    yield line_of("head", _OF_HEAD(manifest))
    for first in range(0, len(manifest.cell_problems), _AT_ONCE):
        some = manifest.cell_problems[first : first + _AT_ONCE]
        said.count([one.message for one in some])
        yield line_of("problems", [*map(_OF_PROBLEM, some)])
    for first in range(0, len(rows), _AT_ONCE):
        part = rows[first : first + _AT_ONCE]
        # Column by column, so that what a column repeats is shared again.
        columns = [*zip(*(row.cells for row in part), strict=True)]
        for column in columns:
            said.count(column)
        yield line_of("rows", ([row.number for row in part], [*map(_joined, columns)]))
    yield line_of("end", None)


def _joined(cells: tuple[str, ...]) -> str | tuple[str, ...]:
    """Return the cells as one text, which crosses in half the time; as they are if one has a tab.

    `_split` undoes it.
    """
    joined = _BETWEEN.join(cells)
    return joined if joined.count(_BETWEEN) == len(cells) - 1 else cells


def _split(said: str | list[str]) -> list[str]:
    return said.split(_BETWEEN) if isinstance(said, str) else said


class _Characters:
    """Counts the characters of a table up to the most that it may have."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._sum = 0

    def count(self, texts: tuple[str, ...] | list[str]) -> None:
        self._sum += sum(map(len, texts))
        if self._sum > MOST_CHARACTERS:
            raise too_many_characters(self._name)


class Hearing:
    """A manifest as its lines are heard."""

    def __init__(self, path: Path) -> None:
        self._manifest = Manifest(path, (), ())
        self._problems: list[Problem] = []
        self._numbers: list[int] = []
        self._columns: list[list[str]] = []

    def take(self, kind: str, said: Any) -> None:  # noqa: ANN401 - whatever JSON can say
        """Take what a line says."""
        if kind == "head":
            headers, sheet, first_column, header_row, found, *lists = said
            notes, others, hints = map(tuple, lists)
            self._columns = [[] for _ in headers]
            self._manifest = replace(
                self._manifest,
                headers=tuple(headers),
                sheet=sheet,
                first_column=first_column,
                header_row=header_row,
                sheet_found=found,
                notes=notes,
                other_sheets=others,
                hints=hints,
            )
        elif kind == "problems":
            self._problems += [
                Problem(code, message, Severity(severity), *place)
                for code, message, severity, *place in said
            ]
        else:
            numbers, columns = said
            self._numbers += numbers
            for column, cells in zip(self._columns, columns, strict=True):
                column.extend(share_equal(_split(cells)))

    def manifest(self) -> Manifest:
        """Return the whole of it."""
        cells = zip(*self._columns, strict=True)
        rows = map(Row, self._numbers, cells)
        return replace(self._manifest, rows=tuple(rows), cell_problems=tuple(self._problems))
