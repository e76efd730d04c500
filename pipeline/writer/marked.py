"""The manifest with its problems: their cells coloured, and what is wrong in a note at each.

A workbook is copied as it is (see `workbook_copy`), formulas, formats and other sheets with it; of
every other manifest a new workbook is made, with the same cells at the same places. A text is never
a formula in it, whatever it begins with.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from pipeline.manifest.wording import number_of
from pipeline.model import Severity
from pipeline.writer.cells import Cell, Cut, Mark, add_formats
from pipeline.writer.layout import number_columns, own_values
from pipeline.writer.notes import Place, put_notes
from pipeline.writer.parts import PackageCopy
from pipeline.writer.sheet import Insert
from pipeline.writer.workbook_copy import (
    DAMAGED,
    as_plain_workbook,
    copy_sheet,
    find_sheet,
    write_plain,
)

if TYPE_CHECKING:
    from pipeline.model import Manifest, Problem, Row

MOST_ROWS = 20_000
"""Of a longer table only the rows with problems are written, and no more of them."""
_MOST_NOTES = 20_000
"""The most cells that get a note; those behind them are coloured alone."""
_ERROR_FILL, _WARNING_FILL = "FFFFC7CE", "FFFFF2B3"
_LAST_ROW = 2**20


@dataclass(frozen=True, slots=True)
class Marked:
    """What a workbook of problems is, and what it had no room for.

    `copied` says that it is a copy of the manifest. `left_out` is the number of its rows that are
    not in it, `unnoted` that of the coloured cells without a note.
    """

    copied: bool
    left_out: int = 0
    unnoted: int = 0


def write_marked(manifest: Manifest, problems: Sequence[Problem], file: BinaryIO) -> Marked:
    """Write the manifest as a workbook with its problems marked; of a very long one, a part.

    Args:
        manifest: the table.
        problems: those of its rows and of the whole file; at least one.
        file: where to write.

    """
    found = _by_cell(manifest, problems)
    unnoted = max(0, len(found) - _MOST_NOTES)
    if manifest.dialect is None and len(manifest.rows) <= MOST_ROWS:
        try:
            package = PackageCopy.of(manifest.path)
            with package.zip:
                _mark(package, manifest.sheet, found, file)
        except (*DAMAGED, OSError):
            file.seek(0)
            file.truncate()
        else:
            return Marked(copied=True, unnoted=unnoted)
    kept = _rows_to_write(manifest, found)
    bare = io.BytesIO()
    _write_plain(manifest, kept, bare)
    written = {manifest.header_row, *kept}
    shown = {place: one for place, one in found.items() if place[0] in written}
    _mark(PackageCopy.of(bare), None, shown, file)
    return Marked(False, len(manifest.rows) - len(kept), max(0, len(shown) - _MOST_NOTES))


def _rows_to_write(manifest: Manifest, found: Mapping[Place, object]) -> dict[int, Row]:
    """Return the rows of a new workbook: all, or of very many the first with problems."""
    rows = {row.number: row for row in manifest.rows if row.number <= _LAST_ROW}
    if len(rows) <= MOST_ROWS:
        return rows
    bad = dict.fromkeys(row for row, _ in found if row in rows)
    return {number: rows[number] for number in islice(bad, MOST_ROWS)}


def _by_cell(manifest: Manifest, problems: Sequence[Problem]) -> dict[Place, list[Problem]]:
    """Put the problems to their cells, in the order of the sheet.

    Those of a whole row are in its first cell, those of the whole file in the header.
    """
    columns = {header: at for at, header in reversed(list(enumerate(manifest.headers)))}
    found: defaultdict[Place, list[Problem]] = defaultdict(list)
    for problem in problems:
        row = manifest.header_row if problem.row is None else problem.row
        letters = (problem.cell or "").rstrip("0123456789")
        column = columns.get(problem.column or "", 0) + manifest.first_column + 1
        if row <= _LAST_ROW:
            found[row, number_of(letters) if letters.isalpha() else column].append(problem)
    return dict(sorted(found.items()))


def _mark(
    package: PackageCopy, sheet: str | None, found: Mapping[Place, Sequence[Problem]], out: BinaryIO
) -> None:
    workbook = package.find_workbook()
    relationships = package.relationships(workbook)
    target = find_sheet(package, workbook, relationships, sheet)
    as_plain_workbook(package, workbook)
    styles = next((one.target for one in relationships if one.kind == "styles"), None)
    formats = 0
    if styles is not None:
        data, formats = add_formats(package.read(styles), (_ERROR_FILL, _WARNING_FILL))
        package.change(styles, data)
    noted = {place: _note(found[place]) for place in list(found)[:_MOST_NOTES]}
    tail = put_notes(package, target, noted)
    rows: defaultdict[int, list[tuple[int, Cell | Mark]]] = defaultdict(list)
    for (row, column), problems in found.items():
        bad = any(one.severity is Severity.ERROR for one in problems)
        rows[row].append((column, Mark(formats, 1 if bad else 2)))
    insert = Insert(
        header_row=min(rows),
        headers={},
        known=frozenset(),
        rows=list(rows),
        cells=rows.__getitem__,
        looks={},
        widths={},
        tail=tail,
    )
    copy_sheet(package, target, insert, out, Cut())


def _note(problems: Sequence[Problem]) -> str:
    return "\n".join(dict.fromkeys(one.message for one in problems))


def _write_plain(manifest: Manifest, rows: Mapping[int, Row], file: BinaryIO) -> None:
    headers = manifest.headers
    columns = range(len(headers))
    numbers = number_columns(headers, manifest.rows, columns)

    def cells(number: int) -> Iterator[Cell]:
        yield from map(Cell, own_values(rows[number], columns, numbers))

    write_plain(
        file,
        manifest.sheet,
        first_column=manifest.first_column + 1,
        header_row=manifest.header_row,
        headers=headers,
        rows=list(rows),
        cells=cells,
    )
