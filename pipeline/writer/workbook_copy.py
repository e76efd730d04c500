"""A workbook copied with cells of ours in one of its sheets; all other parts keep their bytes.

A new workbook is made in the same way, from an empty one.

Libraries were tried first. openpyxl drops cached values, sparklines and pictures. excelize 0.1
cannot give a formula a cached value (none, or the number of a shared string in its place), drops
empty cached texts and unknown attributes, writes every style and theme anew, and took 30 CPU
seconds and 2.4 GB for 100,000 rows of inline texts. This: 7 seconds, 15 MB above the rows.
"""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import IO, BinaryIO, cast
from xml.parsers.expat import ExpatError

from pipeline.manifest.wording import letters_of
from pipeline.reader.workbook.package import NotAWorkbook, Relationship, as_utf8
from pipeline.writer.behindrows import Table, Tail, filter_over, is_laid_out, set_page
from pipeline.writer.cells import Cell, Cut, add_looks
from pipeline.writer.parts import PackageCopy, elements
from pipeline.writer.sheet import Insert, Occupied, SheetPatch
from pipeline.writer.summary import Summary, put_summary
from pipeline.writer.thumbnails import Thumbnail, put_thumbnails

_MOST_TRIES = 64
_BUFFER_BYTES = 1 << 18
_FORBIDDEN = re.compile(r"[\\/*?:\[\]\x00-\x1f]|^'|'$")
_MOST_IN_NAME = 31
_WIDTH = 18.0


class Unreadable(Exception):
    """The manifest cannot be opened any more."""


DAMAGED = (
    NotAWorkbook,
    Unreadable,
    ExpatError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What zipfile, zlib, expat and our reading of attributes raise for a damaged file, for which Excel
is more forgiving: then a new workbook is written in place of a copy."""


def fill(
    package: PackageCopy,
    sheet: str | None,
    make: Callable[[Mapping[str, int], int], Insert],
    out: BinaryIO,
    summary: Summary | None = None,
    *,
    thumbnails: Sequence[Thumbnail] = (),
    over: Callable[[Insert], Table] | None = None,
    dressed: bool = False,
) -> Cut:
    """Copy a workbook with cells of ours in one of its sheets.

    Args:
        package: the workbook.
        sheet: the name of the sheet; None for the first one.
        make: `make(looks, first_free)` returns the cells. `looks` are the numbers of the cell
            formats; `first_free` is the first column, from 1, that a new one may take, 0 for any.
        out: where the copy is written.
        summary: the run in figures, which becomes a sheet; None for no such sheet.
        thumbnails: the videos, which become a sheet with a still of each; none for no such sheet.
        over: returns, of the cells that are put in, those that the filter of the sheet is over,
            and lets the sheet print one page wide; None leaves filters and pages alone.
        dressed: whether headers that have no look get one.

    Returns:
        How many texts had to be cut.

    Raises:
        NotAWorkbook: it has no such sheet, or it is damaged.
        zipfile.BadZipFile: it is damaged.
        expat.ExpatError: it is damaged.
        OSError: the disk does not take the copy.

    """
    workbook, cut = package.find_workbook(), Cut()
    relationships = package.relationships(workbook)
    target = find_sheet(package, workbook, relationships, sheet)
    looks = _looks(package, relationships, dressed=dressed)
    if summary is not None:
        put_summary(package, summary, looks, target, cut)
    put_thumbnails(package, thumbnails, looks, target, cut)
    as_plain_workbook(package, workbook)
    first_free, laid_out = 0, over is None or is_laid_out(package, target)
    for _ in range(_MOST_TRIES):
        insert = make(looks, first_free)
        if insert.known:
            _forget_calculation_order(package, workbook)
        table = None if over is None else over(insert)
        if table is not None and (filtered := filter_over(package, target, table)):
            insert = replace(insert, tail=_both(insert.tail, filtered))
        if table is not None and not (laid_out or table.again):
            page = set_page(package, target, insert.header_row)
            insert = replace(insert, tail=_both(insert.tail, page), fitted=True)
        try:
            copy_sheet(package, target, insert, out, cut)
        except Occupied as occupied:
            first_free = occupied.column + 1
            out.seek(0)
            out.truncate()
        else:
            return cut
    raise NotAWorkbook("there are no free columns on the right")


def copy_sheet(
    package: PackageCopy, target: Relationship, insert: Insert, out: BinaryIO, cut: Cut
) -> None:
    """Write the copy, with cells of ours in one sheet; `fill` says what it raises.

    Args:
        package: the workbook.
        target: the relationship of the sheet.
        insert: the cells.
        out: where the copy is written.
        cut: counts the texts that had to be cut.

    """
    with package.open(target.target) as part:
        wide = part.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

    def patch(source: IO[bytes], copy: IO[bytes]) -> None:
        stream = io.BytesIO(as_utf8(source.read())) if wide else source
        buffered = io.BufferedWriter(cast("io.RawIOBase", copy), _BUFFER_BYTES)
        SheetPatch(stream, buffered, insert, cut).run()
        buffered.flush()
        buffered.detach()

    package.copy(out, target.target, patch)


def find_sheet(
    package: PackageCopy, workbook: str, relationships: list[Relationship], name: str | None
) -> Relationship:
    """Return the relationship of a sheet.

    Args:
        package: the workbook.
        workbook: the name of its main part.
        relationships: those of that part.
        name: what the sheet is called; None for the first one.

    Raises:
        NotAWorkbook: there is no such sheet.

    """
    by_id = {relationship.id: relationship for relationship in relationships}
    for element in elements(package.read(workbook)):
        if element.local == "sheet" and name in (None, element.attributes.get("name")):
            found = by_id.get(element.reference() or "")
            if found is not None:
                return found
    raise NotAWorkbook(f"the file has no sheet {name!r}")


def _both(first: Tail | None, second: Tail) -> Tail:
    """Return the one change after the other."""
    if first is None:
        return second
    return lambda prefix, tail: second(prefix, first(prefix, tail))


def _looks(
    package: PackageCopy, relationships: list[Relationship], *, dressed: bool
) -> dict[str, int]:
    """Add our looks to the styles and return their numbers; none if the workbook has no styles."""
    styles = next((r.target for r in relationships if r.kind == "styles"), None)
    if styles is None:
        return {}
    changed, looks = add_looks(package.read(styles), dressed=dressed)
    package.change(styles, changed)
    return looks


def as_plain_workbook(package: PackageCopy, workbook: str) -> None:
    """Drop macros and the type of a template, which an .xlsx must not have."""
    package.drop(workbook, {"vbaProject", "wordVbaData"})
    package.set_main_type(workbook)


def _forget_calculation_order(package: PackageCopy, workbook: str) -> None:
    """Drop the calcChain, which Excel makes anew; one that names no formula counts as damage."""
    package.drop(workbook, {"calcChain"})


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
    tail: Tail | None = None,
    thumbnails: Sequence[Thumbnail] = (),
    widths: Mapping[int, float] | None = None,
    wrapped: Collection[int] = (),
    heights: Mapping[int, float] | None = None,
    head_styles: Mapping[int, int] | None = None,
    parts: Mapping[str, bytes] | None = None,
) -> Cut:
    """Write a new workbook with one table, its header frozen.

    Args:
        out: where it is written.
        sheet: the name of its sheet; None for "Products".
        first_column: the column of the first header, from 1.
        header_row: the row of the headers, from 1.
        headers: the headers.
        rows: the numbers of the other rows, ascending.
        cells: returns the cells of one of these rows, from `first_column` on.
        summary: the run in figures, which becomes a sheet; None for no such sheet.
        tail: changes what follows the rows, as in an `Insert`.
        thumbnails: the videos, which become a sheet with a still of each; none for no such sheet.
        widths: of columns, from 1, in characters; with them the table is dressed for people: its
            headers stand out and have a filter, its cells begin at the top, and it prints one page
            wide. None for a table that programs read.
        wrapped: the columns in which a text that is typed wraps.
        heights: those of rows, in points; the usual one for the others.
        head_styles: the cell formats of headers, by their columns.
        parts: parts of another workbook in place of its own, by their kind: "styles", "theme".

    Returns:
        How many texts had to be cut.

    """
    # It loads slowly, and most runs need no new workbook.
    from openpyxl import Workbook  # noqa: PLC0415
    from openpyxl.worksheet.page import PageMargins  # noqa: PLC0415
    from openpyxl.worksheet.properties import PageSetupProperties  # noqa: PLC0415

    bare, last = io.BytesIO(), first_column + len(headers) - 1
    book = Workbook(write_only=True)
    made = book.create_sheet(_FORBIDDEN.sub("_", sheet or "")[:_MOST_IN_NAME] or "Products")
    if widths is not None:
        made.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        made.page_setup.orientation, made.page_setup.fitToHeight = "landscape", 0
        made.page_setup.paperSize = 9  # A4
        made.page_margins = PageMargins(0.4, 0.4, 0.4, 0.4, 0.2, 0.2)
        made.print_title_rows = f"{header_row}:{header_row}"
        ends = (f"{letters_of(first_column)}{header_row}", f"{letters_of(last)}{max(rows or [1])}")
        made.auto_filter.ref = ":".join(ends)
    book.save(bare)
    every = dict.fromkeys(range(first_column, last + 1), _WIDTH)

    def make(looks: Mapping[str, int], _first_free: int) -> Insert:
        return Insert(
            header_row=header_row,
            headers=dict(enumerate(headers, start=first_column)),
            known=frozenset(),
            rows=rows,
            cells=lambda row: enumerate(cells(row), start=first_column),
            looks=looks,
            widths=every | dict(widths or {}),
            tail=tail,
            wrapped=wrapped,
            heights=heights or {},
            head_styles=head_styles or {},
        )

    package, dressed = PackageCopy.of(bare), widths is not None
    for one in package.relationships(package.find_workbook()):
        if parts and one.kind in parts:
            package.change(one.target, parts[one.kind])
    return fill(package, None, make, out, summary, thumbnails=thumbnails, dressed=dressed)
