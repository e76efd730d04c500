"""A workbook copied with cells of ours in one of its sheets; all other parts keep their bytes.

Libraries were tried first. openpyxl drops cached values, sparklines and pictures. excelize 0.1
cannot give a formula a cached value (none, or the number of a shared string in its place), drops
empty cached texts and unknown attributes, writes every style and theme anew, and took 30 CPU
seconds and 2.4 GB for 100,000 rows of inline texts. This: 7 seconds, 15 MB above the rows.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, BinaryIO, cast

from pipeline.model import Summary
from pipeline.writer.cells import Cell, Cut, add_looks
from pipeline.writer.parts import NotAWorkbook, Package, Relationship, as_utf8, elements
from pipeline.writer.sheet import Insert, Occupied, SheetPatch
from pipeline.writer.summary import put_summary

MOST_TRIES = 64
BUFFER_BYTES = 1 << 18
FORBIDDEN = re.compile(r"[\\/*?:\[\]\x00-\x1f]|^'|'$")
MOST_IN_NAME = 31
WIDTH = 18.0


def fill(
    package: Package,
    sheet: str | None,
    make: Callable[[Mapping[str, int], int], Insert],
    out: BinaryIO,
    summary: Summary | None = None,
) -> Cut:
    """Copy `package` to `out` with the cells of `make(looks, first_free)` in `sheet`.

    `first_free` is 0, or the column from which on a new one may be put because something of the
    user's stands before it. `sheet` None means the first one.
    Raises NotAWorkbook, zipfile.BadZipFile or expat.ExpatError for a file that is not as it should
    be, OSError for the disk.
    """
    workbook, cut = package.workbook(), Cut()
    relationships = package.relationships(workbook)
    target = _sheet(package, workbook, relationships, sheet)
    looks = _looks(package, relationships)
    if summary is not None:
        put_summary(package, summary, looks, target, cut)
    _as_plain_workbook(package, workbook)
    first_free = 0
    for _ in range(MOST_TRIES):
        insert = make(looks, first_free)
        if insert.known:
            _forget_calculation_order(package, workbook)
        try:
            _copy(package, target, insert, out, cut)
        except Occupied as occupied:
            first_free = occupied.column + 1
            out.seek(0)
            out.truncate()
        else:
            return cut
    raise NotAWorkbook("no free columns were found on the right")


def _copy(package: Package, target: Relationship, insert: Insert, out: BinaryIO, cut: Cut) -> None:
    name = package.part(target.target)
    with package.zip.open(name) as part:
        wide = part.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

    def patch(source: IO[bytes], copy: IO[bytes]) -> None:
        stream = io.BytesIO(as_utf8(source.read())) if wide else source
        buffered = io.BufferedWriter(cast("io.RawIOBase", copy), BUFFER_BYTES)
        SheetPatch(stream, buffered, insert, cut).run()
        buffered.flush()
        buffered.detach()

    package.copy(out, name, patch)


def _sheet(
    package: Package, workbook: str, relationships: list[Relationship], name: str | None
) -> Relationship:
    by_id = {relationship.id: relationship for relationship in relationships}
    for element in elements(package.read(workbook)):
        if element.local == "sheet" and name in (None, element.attributes.get("name")):
            found = by_id.get(element.reference() or "")
            if found is not None:
                return found
    raise NotAWorkbook(f"the file has no sheet {name!r}")


def _looks(package: Package, relationships: list[Relationship]) -> dict[str, int]:
    """The looks added to the styles; none where the workbook has no styles to add to."""
    styles = next((r.target for r in relationships if r.kind == "styles"), None)
    if styles is None:
        return {}
    part = package.part(styles)
    package.changed[part], looks = add_looks(package.read(part))
    return looks


def _as_plain_workbook(package: Package, workbook: str) -> None:
    """An .xlsx may hold no macros and is no template."""
    for relationship in package.relationships(workbook):
        if relationship.kind in ("vbaProject", "wordVbaData"):
            package.drop(workbook, relationship)
    package.set_main_type(workbook)


def _forget_calculation_order(package: Package, workbook: str) -> None:
    """Drop the calcChain: Excel makes one, but repairs a file whose chain names no formula."""
    for relationship in package.relationships(workbook):
        if relationship.kind == "calcChain":
            package.drop(workbook, relationship)


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
