"""What of a results file that a person has worked in comes again in the next one. Pure.

Tested in tests/review/test_readback.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.checker.check import CheckedManifest
from pipeline.manifest.resultcolumns import names_beside, our_columns
from pipeline.model import Manifest, Row
from pipeline.review.joining import Joined, strays
from pipeline.review.readback import FoundFile
from pipeline.writer.kept import NOTHING_KEPT, Book, Kept
from pipeline.writer.layout import number_columns, own_values
from pipeline.writer.movedrows import Moves


def keep(
    checked: CheckedManifest, found: FoundFile | None, *, into_book: bool = True
) -> tuple[Kept, bool]:
    """Return what is kept, and whether something else is lost when the file is written over.

    Args:
        checked: the manifest.
        found: the results file that is there; None if there is none.
        into_book: whether a workbook may be written into; else it is lost but for its own columns.

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
    own = _own(checked.manifest)
    if not into_book or own is None:
        return kept, True
    free = [at for at in joined.added if headers[at] in ours]
    return Kept(book=_book(checked.manifest, joined, own, free)), lossy


def _own(manifest: Manifest) -> list[int] | None:
    """Return the places of the manifest's own columns; None if two cannot be told apart."""
    ours, headers = our_columns(manifest.headers), manifest.headers
    own = [at for at, name in enumerate(headers) if name.strip() and at not in ours]
    return own if len({headers[at].strip().casefold() for at in own}) == len(own) else None


def _book(manifest: Manifest, joined: Joined, own: Sequence[int], free: Sequence[int]) -> Book:
    """Return the workbook that is there, to be written into.

    Rows that are new at the end of the manifest come to its end. Where its rows stand otherwise
    than those of the manifest, they move to where these are.

    Args:
        manifest: the manifest.
        joined: the workbook, joined to it.
        own: the places of the manifest's own columns.
        free: the places in the workbook of columns that the manifest had before; new ones take
            them.

    """
    table = joined.table
    headers, places = [*table.headers], dict(joined.own)
    missing = [at for at in own if at not in places]
    for at, place in zip(missing, free, strict=False):
        headers[place], places[at] = manifest.headers[at], place
    numbers, moves = _numbers(manifest, joined)
    as_numbers = number_columns(manifest.headers, manifest.rows, own)
    more = [at for at in own if at not in places]
    columns = [at for at in own if at in places]
    rows, again, added = [], dict[int, dict[int, str | float]](), dict[int, tuple[str, ...]]()
    for row, number in zip(manifest.rows, numbers, strict=True):
        there = joined.rows.get(row.number)
        values = dict(zip(own, own_values(row, own, as_numbers), strict=True))
        cells = [""] * len(headers)
        for at in columns:
            cells[places[at]] = row.cells[at]
        other = {
            places[at]: values[at]
            for at in columns
            if there is None or at not in joined.own or there.cells[places[at]] != row.cells[at]
        }
        if other:
            again[number] = other
        added[number] = tuple(row.cells[at] for at in more)
        rows.append(Row(number, tuple(cells)))
    extra = Kept(tuple(manifest.headers[at] for at in more), added)
    names = tuple(
        headers[joined.ours[name]].strip().casefold() if name in joined.ours else name
        for name in names_beside(manifest.headers)
    )
    book = replace(table, headers=tuple(headers), rows=tuple(rows))
    return Book(book, names, again, moves, extra)


def _numbers(manifest: Manifest, joined: Joined) -> tuple[list[int], Moves | None]:
    """Return the numbers of the manifest's rows in the workbook, and how its rows come to them."""
    first, there = joined.table.header_row, joined.rows
    known = [there[row.number].number for row in manifest.rows[: len(there)]
             if row.number in there]  # fmt: skip
    if len(known) == len(there) and known == sorted(known) and not joined.others:
        last = max(known, default=first)
        new = range(last + 1, last + 1 + len(manifest.rows) - len(known))
        return [*known, *new], None
    numbers = [first + row.number - manifest.header_row for row in manifest.rows]
    to = {
        there[row.number].number: number
        for row, number in zip(manifest.rows, numbers, strict=True)
        if row.number in there
    }
    return numbers, Moves(to, frozenset(row.number for row in joined.others))
