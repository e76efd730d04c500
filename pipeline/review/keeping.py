"""What of a results file that a person has worked in comes again in the next one. Pure.

Tested in tests/review/test_readback.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipeline.checker.check import CheckedManifest
from pipeline.manifest.resultcolumns import names_beside
from pipeline.model import Row
from pipeline.review.joining import Joined, strays
from pipeline.review.readback import FoundFile
from pipeline.writer.kept import NOTHING_KEPT, Book, Kept
from pipeline.writer.layout import number_columns, own_values


def keep(checked: CheckedManifest, found: FoundFile | None) -> tuple[Kept, bool]:
    """Return what is kept, and whether something else is lost when the file is written over.

    Args:
        checked: the manifest.
        found: the results file that is there; None if there is none.

    """
    if found is None:
        return NOTHING_KEPT, False
    joined, written = found.joined, found.written
    if joined is None:
        return NOTHING_KEPT, found.unreadable
    lossy = bool(written and written.lossy) or bool(strays(joined))
    ours = set() if written is None else {*written.headers}
    headers = joined.table.headers
    added = [at for at in joined.added if headers[at] not in ours]
    kept = Kept(
        tuple(headers[at] for at in added),
        {number: tuple(row.cells[at] for at in added) for number, row in joined.rows.items()},
    )
    if joined.table.sheet is None:
        return kept, lossy
    book = _book(checked, joined)
    if book is None:  # the rows stand where the manifest has them now
        return kept, True
    return replace(kept, columns=(), cells={}, book=book), lossy


def _book(checked: CheckedManifest, joined: Joined) -> Book | None:
    """Return the workbook that is there, to be written into; None if its rows stand otherwise.

    Rows that are new at the end of the manifest come to its end.
    """
    manifest, table = checked.manifest, joined.table
    own = [at for at in range(len(manifest.headers)) if manifest.headers[at].strip()]
    complete = all(name in joined.ours for name in names_beside(manifest.headers))
    if not complete or joined.others or any(at not in joined.own for at in own):
        return None
    numbers = [joined.rows[row.number].number for row in manifest.rows[: len(joined.rows)]
               if row.number in joined.rows]  # fmt: skip
    if len(numbers) != len(joined.rows) or numbers != sorted(numbers):
        return None
    last = max(numbers, default=table.header_row)
    as_numbers = number_columns(manifest.headers, manifest.rows, own)
    rows, again = [], dict[int, Mapping[int, str | float]]()
    for at, row in enumerate(manifest.rows):
        there = joined.rows.get(row.number)
        number = there.number if there else last + 1 + at - len(numbers)
        values = dict(zip(own, own_values(row, own, as_numbers), strict=True))
        cells = [""] * len(table.headers)
        for place in own:
            cells[joined.own[place]] = row.cells[place]
        other = {
            joined.own[place]: value
            for place, value in values.items()
            if there is None or there.cells[joined.own[place]] != row.cells[place]
        }
        if other:
            again[number] = other
        rows.append(Row(number, tuple(cells)))
    return Book(replace(table, rows=tuple(rows)), again)
