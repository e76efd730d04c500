"""Where the result columns stand: those a manifest already has stay, the others go to the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.model import RESULT_COLUMNS, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model import Manifest, Result

NEED_THE_USER = frozenset({State.INVALID, State.REFUSED, State.FAILED, State.EXPIRED})
STATE, VIDEO, ERROR, ACTION, TASK = 0, 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Layout:
    """The headers written, and for each result column its position and its field.

    `fields` pairs a 0-based position among `headers` with an index into RESULT_COLUMNS, in
    ascending order of position; `own` is how many headers the manifest itself has.
    """

    headers: tuple[str, ...]
    fields: tuple[tuple[int, int], ...]
    own: int

    def cells(self, row: Sequence[str], values: Sequence[str | int | None]) -> list[str]:
        """One line of text cells: the row's own with the result's in their places."""
        line = list(row[: self.own])
        line += [""] * (len(self.headers) - len(line))
        for position, index in self.fields:
            value = values[index]
            line[position] = "" if value is None else str(value)
        return line


def lay_out(headers: Sequence[str]) -> Layout:
    """Find the result columns among `headers` (trimmed, without case); append what is missing."""
    index = {name: position for position, name in enumerate(RESULT_COLUMNS)}
    there = [
        (position, index[name])
        for position, name in enumerate(_plain(header) for header in headers)
        if name in index
    ]
    missing = sorted(set(index.values()) - {field for _, field in there})
    fields = there + [(len(headers) + offset, field) for offset, field in enumerate(missing)]
    names = (*headers, *(RESULT_COLUMNS[field] for field in missing))
    return Layout(names, tuple(fields), len(headers))


def own_columns(headers: Sequence[str]) -> tuple[int, ...]:
    """The positions of the user's own columns, without earlier results."""
    return tuple(i for i, header in enumerate(headers) if _plain(header) not in RESULT_COLUMNS)


def pair(manifest: Manifest, results: Sequence[Result]) -> dict[int, Result]:
    """The results by row number.

    Raises ValueError when they are not one for each row, in order: a result written to another
    product's row would be worse than none.
    """
    if [row.number for row in manifest.rows] != [result.row for result in results]:
        raise ValueError("results and rows of the manifest do not match one to one")
    return {result.row: result for result in results}


def _plain(header: str) -> str:
    return header.strip().casefold()
