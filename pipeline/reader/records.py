"""The records of a delimited text, as the csv module reads them: cells by column, and lines."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.errors import ManifestError
from pipeline.reader.quotes import broken_quote
from pipeline.reader.table import listed, shared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Record = tuple[int, list[str]]

_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
# Records become columns in batches: lists of all of them are never held beside the columns.
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Records:
    """The header of a text and, column by column, what is under it.

    `lines` are those on which the records under the header begin. Blank records are among them
    where they are as wide as the header.
    """

    header_line: int
    header: list[str]
    lines: list[int]
    columns: list[list[str]]


def records_of(path: Path, body: str, delimiter: str, first_line: int) -> Records:
    """Read the records of `body`, whose first line has the number `first_line` in the file.

    Raises ManifestError naming the lines that do not fit the header, or the quote that is broken.
    """
    walk = _walk(path, body, delimiter, first_line)
    line, header = next(((line, cells) for line, cells in walk if _speaks(cells)), (0, []))
    if not header:
        raise ManifestError(
            f"{path.name} is empty: there is no header line in it.",
            action="Put the column names into its first line (at least `prompt`), rows below it.",
        )
    width = len(header)
    records = Records(line, header, [], [[] for _ in header])
    wrong: list[tuple[int, int]] = []
    while batch := list(islice(walk, _BATCH)):
        fitting = [record for record in batch if len(record[1]) == width]
        if len(fitting) < len(batch):
            odd = (one for one in batch if len(one[1]) != width and _speaks(one[1]))
            wrong.extend((line, len(cells)) for line, cells in odd)
        if fitting and not wrong:
            lines, rows = zip(*fitting, strict=True)
            records.lines.extend(lines)
            for column, cells in zip(records.columns, zip(*rows, strict=True), strict=True):
                column.extend(shared(cells))
    if wrong:
        raise _wrong_width(path, wrong, width, delimiter)
    return records


def _walk(path: Path, body: str, delimiter: str, first_line: int) -> Iterator[Record]:
    """Each record with the line that it begins on."""
    # StringIO would take four bytes for each character.
    stream = io.TextIOWrapper(io.BytesIO(body.encode()), "utf-8", newline="")
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    line = first_line
    try:
        for cells in reader:
            yield line, cells
            line = first_line + reader.line_num
    except csv.Error as error:
        raise broken_quote(path.name, body, delimiter, first_line, line) from error


def _speaks(cells: list[str]) -> bool:
    return any(map(str.strip, cells))


def _wrong_width(
    path: Path, wrong: list[tuple[int, int]], width: int, delimiter: str
) -> ManifestError:
    lines = [line for line, _ in wrong]
    sign = _NAMES.get(delimiter, repr(delimiter))
    return ManifestError(
        f"{path.name}: the header has {width} {'cell' if width == 1 else 'cells'}, but line "
        f"{lines[0]} has {wrong[0][1]}"
        + (f" (lines {listed(lines)} do not fit)." if len(lines) > 1 else "."),
        action=f"Cells are parted by a {sign} here: put a text that holds one into double quotes, "
        "and give each line as many cells as the header.",
    )
