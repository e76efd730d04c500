"""A new, plain workbook: for formats that cannot be copied, and for the rows that failed."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, BinaryIO

from pipeline.writer.cells import Cell, Cut
from pipeline.writer.package import Package
from pipeline.writer.sheet import Insert
from pipeline.writer.workbook import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pipeline.model import Summary

FORBIDDEN = re.compile(r"[\\/*?:\[\]\x00-\x1f]|^'|'$")
MOST_IN_NAME = 31
WIDTH = 18.0


def write_plain(
    out: BinaryIO,
    sheet: str | None,
    *,
    first_column: int,
    header_row: int,
    headers: Sequence[str],
    rows: Sequence[int],
    cells: Callable[[int], Iterable[Cell]],
    summary: Summary | None = None,
) -> Cut:
    """A workbook with one table, its header frozen, every cell a text, a number or a video link.

    `first_column` is 1-based; `cells(row)` gives the cells of a row from there on.
    """
    # Heavy, and most runs need no new workbook.
    from openpyxl import Workbook  # noqa: PLC0415

    bare = io.BytesIO()
    book = Workbook(write_only=True)
    book.create_sheet(FORBIDDEN.sub("_", sheet or "")[:MOST_IN_NAME] or "Products")
    book.save(bare)

    def make(looks: Mapping[str, int], _first_free: int) -> Insert:
        return Insert(
            header_row=header_row,
            headers=dict(enumerate(headers, start=first_column)),
            known=frozenset(),
            rows=rows,
            cells=lambda row: enumerate(cells(row), start=first_column),
            looks=looks,
            widths=dict.fromkeys(range(first_column, first_column + len(headers)), WIDTH),
        )

    return fill(Package.open(bare), None, make, out, summary)
