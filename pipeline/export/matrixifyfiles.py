"""A workbook for Matrixify, by which Shopify fetches the videos into its Files.

The sheet is called Files; `Link` may lead outside of Shopify, and the name of the file in it
becomes the name in Shopify. A file of that name counts as being there already (MERGE), so that
another video under the same name needs REPLACE, which deletes the earlier one first. Source:
matrixify.app/documentation/files, read in November 2026.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

from pipeline.disk.openfile import open_to_read_bytes
from pipeline.disk.place import place_unless_same
from pipeline.export.mediatable import Medium
from pipeline.export.tables import Table, TableFormat, TableOrder
from pipeline.writer.cells import Cell
from pipeline.writer.workbook_copy import write_plain

_SHEET = "Files"
_COLUMNS = ("Command", "Link", "File Name")
_DATED = "docProps/core.xml"
"""The part of a workbook that says when it was made."""


def _write(order: TableOrder) -> Table:
    path = order.approved / FORMAT.file
    media = order.media

    def cells(row: int) -> Iterable[Cell]:
        return map(Cell, _line(media[row - 2], order.replaced))

    book = io.BytesIO()
    write_plain(
        book,
        _SHEET,
        first_column=1,
        header_row=1,
        headers=_COLUMNS,
        rows=range(2, 2 + len(media)),
        cells=cells,
    )
    if not _says_the_same(path, book):
        path = place_unless_same(path, book.getvalue(), copy_of=order.manifest)
    return Table(path)


def _line(one: Medium, replaced: frozenset[str]) -> tuple[str, str, str]:
    command = "REPLACE" if one.key in replaced else "MERGE"
    return command, one.url, one.file.rpartition("/")[2]


def _says_the_same(path: Path, book: io.BytesIO) -> bool:
    """Return whether a workbook differs from this one in nothing but when it was made."""
    try:
        with (
            open_to_read_bytes(path) as file,
            zipfile.ZipFile(file) as old,
            zipfile.ZipFile(book) as new,
        ):
            names = old.namelist()
            return names == new.namelist() and all(
                old.read(name) == new.read(name) for name in names if name != _DATED
            )
    except (OSError, zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError):
        return False


FORMAT = TableFormat("matrixify", "matrixify.xlsx", _write)
