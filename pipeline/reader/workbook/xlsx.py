"""Excel workbooks (.xlsx, .xlsm): the cells of one sheet by calamine, and what calamine hides.

calamine reads the cells. The sheet is looked at first (see `rows`), so that nothing
calamine hides is lost and nothing it would choke on reaches it.

Tested in tests/reader/test_workbook.py.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from python_calamine import CalamineWorkbook

from pipeline.reader.workbook.cellforms import Strings
from pipeline.reader.workbook.damage import Damage, explain_damage, treat_failures_as_damage
from pipeline.reader.workbook.drawings import find_pictures
from pipeline.reader.workbook.formats import BUILT_IN, mask_of
from pipeline.reader.workbook.package import NotAWorkbook, Package, fold_name, iter_elements
from pipeline.reader.workbook.packing import Book, Packed, count_strings, find_parts, pack
from pipeline.reader.workbook.rows import look_at
from pipeline.reader.workbook.sharedstrings import refuse_expanding
from pipeline.reader.workbook.sheets import (
    SILENT,
    Grid,
    Look,
    SheetPart,
    choose_sheet,
    density_error,
    most_filled,
    most_places,
    width_error,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# A sheet may be emptier than this before a copy without its blank rows is made.
_SPARE_CELLS = 1_000_000
_SPARE_RATIO = 2
# Excel itself takes 65,490.
_MOST_STYLES = 100_000
_GROUPS = frozenset({"numFmts", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs"})


def read_xlsx(path: Path, data: bytes, package: Package, wanted: str | int | None) -> Grid:
    """Read a sheet of an .xlsx workbook.

    Args:
        path: the file, for messages.
        data: its bytes.
        package: the same bytes, open.
        wanted: the sheet's name or number from 1; None for the first visible one.

    Raises:
        ManifestError: there is no such sheet, or the file is damaged.

    """
    name, size_bytes = path.name, len(data)
    numbers: Sequence[int] = ()
    with explain_damage(name):
        book = find_parts(package)
        sheets = book.sheets()
        # A sheet is inflated when it is looked at; calamine opens no other one.
        package.inflate(
            but={fold_name(sheet.part) for sheet in sheets},
            also={fold_name(part) for part in book.usual_places},
        )
        sheet = choose_sheet(name, sheets, wanted)
        look = _look(book, sheet, None)
        refuse_expanding(name, book, sheet, look.filled)
        if look.filled > most_filled(size_bytes):
            raise density_error(name, look.filled, size_bytes)
        sparse = look.area > _SPARE_CELLS + _SPARE_RATIO * look.filled
        is_packed = sparse or look.odd_errors or look.odd_cells or not book.is_usual(sheet)
        if is_packed:
            data, numbers = _packed(pack(book, sheet, Strings()), name, size_bytes, look)
        try:
            columns = _columns(data, sheet.name)
        except Damage:
            # calamine gives up a workbook for a single cell that it cannot read.
            strings = count_strings(book)
            look, is_packed = _look(book, sheet, strings), True
            if not look.odd_cells:
                raise
            data, numbers = _packed(pack(book, sheet, strings), name, size_bytes, look)
            columns = _columns(data, sheet.name)
        look.pictures = find_pictures(package, sheet.part)
    if not is_packed:
        # calamine leaves out last rows that hold only what it hides.
        said = (mark.row for mark in look.marks if mark.code not in SILENT)
        numbers = range(1, 1 + max([len(columns[0]) if columns else 0, *said]))
    for column in columns:
        column.extend([""] * (len(numbers) - len(column)))
    return Grid(path, sheet.name, numbers, columns, look, sheets)


def _look(book: Book, sheet: SheetPart, strings: Strings | None) -> Look:
    with book.package.open(sheet.part) as stream:
        return look_at(stream, _padded_styles(book), strings)


def _packed(copy: Packed, name: str, size_bytes: int, look: Look) -> tuple[bytes, Sequence[int]]:
    """Return the bytes of a copy, and the numbers of its rows. Raises ManifestError."""
    if copy.area > most_places(size_bytes):
        raise width_error(name, look.filled, len(copy.numbers), copy.last_column + 1)
    return copy.data, copy.numbers


def _columns(data: bytes, sheet: str) -> list[list[object]]:
    """Return the columns of the sheet from A on, as calamine's values. Raises Damage."""
    with treat_failures_as_damage():
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    return [[*column] for column in zip(*rows, strict=True)]


def _padded_styles(book: Book) -> dict[str, str]:
    """Return the cell styles (a cell's `s`) that pad with zeros or words, with their masks.

    A mask has a `DIGIT` for each digit that is always shown, and the words around them.

    ECMA-376 part 1, 18.8: `s` is an index into `cellXfs`, whose `numFmtId` names a format.
    """
    if book.styles is None:
        return {}
    codes = {str(number): code for number, code in BUILT_IN.items()}
    styles: list[str] = []
    group = ""
    for element in iter_elements(book.package.read(book.styles)):
        tag, attributes = element.local, element.attributes
        if tag in _GROUPS:
            group = tag
        elif tag == "numFmt" and group == "numFmts":
            codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif tag == "xf" and group == "cellXfs":
            styles.append(attributes.get("numFmtId", ""))
    if len(styles) > _MOST_STYLES:
        raise NotAWorkbook(f"it has more than {_MOST_STYLES:,} cell formats")
    masks = {number: mask_of(codes.get(number, "")) for number in set(styles)}
    return {str(index): masks[number] for index, number in enumerate(styles) if masks[number]}
