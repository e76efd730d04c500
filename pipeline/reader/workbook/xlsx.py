"""Excel workbooks (.xlsx, .xlsm): the cells of one sheet by calamine, and what calamine hides.

pandas reads the cells through calamine. The sheet is looked at first (see `rows`), so that nothing
calamine hides is lost and nothing it would choke on reaches it.

Tested in tests/reader/test_workbook.py.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from python_calamine import CalamineError, PasswordError

from pipeline.reader.workbook.damage import damage_error, damage_explained, password_error
from pipeline.reader.workbook.formats import BUILT_IN, mask_of
from pipeline.reader.workbook.package import (
    Package,
    fold_name,
    iter_elements,
)
from pipeline.reader.workbook.packing import Book, find_parts, pack
from pipeline.reader.workbook.rows import look_at
from pipeline.reader.workbook.sheets import (
    FREE_FILLED,
    MOST_CELLS,
    MOST_CELLS_PER_BYTE,
    MOST_FILLED_PER_BYTE,
    Grid,
    Look,
    choose_sheet,
    density_error,
    width_error,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A sheet may be emptier than this before a copy without its blank rows is made.
_SPARE_CELLS = 1_000_000
_SPARE_RATIO = 2
_GROUPS = frozenset({"numFmts", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs"})


@dataclass(frozen=True, slots=True)
class _Source:
    """What pandas is to read: the bytes, the sheet in them, and the number of each of its rows."""

    data: bytes
    sheet: str
    look: Look
    numbers: list[int] | None = None


def xlsx_grid(path: Path, data: bytes, package: Package, wanted: str | int | None) -> Grid:
    """Read a sheet of an .xlsx workbook.

    Args:
        path: the file, for messages.
        data: its bytes.
        package: the same bytes, open.
        wanted: the sheet's name or number from 1; None for the first visible one.

    Raises:
        ManifestError: there is no such sheet, or the file is damaged.

    """
    source = _looked_at(path.name, data, package, wanted)
    columns = _columns(path.name, source)
    height = _height(source, columns)
    for column in columns:
        column.extend([""] * (height - len(column)))
    numbers = range(1, height + 1) if source.numbers is None else source.numbers
    return Grid(path, source.sheet, numbers, columns, source.look)


def _height(source: _Source, columns: list[list[object]]) -> int:
    """The rows of the sheet. calamine leaves out last rows that hold only what it hides."""
    if source.numbers is not None:
        return len(source.numbers)
    read = len(columns[0]) if columns else 0
    return max([read, *(mark.row for mark in source.look.marks if mark.kind != "padded")])


def _looked_at(name: str, data: bytes, package: Package, wanted: str | int | None) -> _Source:
    with damage_explained(name):
        book = find_parts(package)
        sheets = book.sheets()
        # A sheet is inflated when it is looked at; calamine opens no other one.
        package.inflate(but={fold_name(sheet.part) for sheet in sheets})
    sheet = choose_sheet(name, sheets, wanted)
    with damage_explained(name):
        padded = _padded_styles(book)
        with package.open(sheet.part) as stream:
            look = look_at(stream, padded)
        if look.filled > FREE_FILLED + MOST_FILLED_PER_BYTE * len(data):
            raise density_error(name, look.filled, len(data))
        sparse = look.area > _SPARE_CELLS + _SPARE_RATIO * look.filled
        if not (sparse or look.odd_errors) and book.is_usual(sheet):
            return _Source(data, sheet.name, look)
        copy = pack(book, sheet)
    if copy.area > MOST_CELLS + MOST_CELLS_PER_BYTE * len(data):
        raise width_error(name, look.filled, len(copy.numbers), copy.last_column + 1)
    return _Source(copy.data, sheet.name, look, numbers=copy.numbers)


def _columns(name: str, source: _Source) -> list[list[object]]:
    """The columns of the sheet from A on, as calamine's values."""
    with _calamine(name):
        table = pd.read_excel(
            io.BytesIO(source.data),
            sheet_name=source.sheet,
            engine="calamine",
            header=None,
            dtype=object,
            na_filter=False,
            keep_default_na=False,
        )
    # Taking columns out of it one by one costs the square of their number.
    values = table.to_numpy()
    del table
    return [column.tolist() for column in values.T]


@contextmanager
def _calamine(name: str) -> Iterator[None]:
    """Turn calamine's failures, a panic of its Rust code among them, into one sentence."""
    try:
        yield
    except PasswordError as error:
        raise password_error(name) from error
    except BaseException as error:
        panicked = type(error).__name__ == "PanicException"
        if not (panicked or isinstance(error, (CalamineError, ValueError, OSError, KeyError))):
            raise
        raise damage_error(name, error) from error


def _padded_styles(book: Book) -> dict[str, str]:
    """The cell styles (a cell's `s`) that pad with zeros or words, and the mask of each.

    A mask has a `DIGIT` for each digit that is always shown, and the words around them.

    ECMA-376 part 1, 18.8: `s` is an index into `cellXfs`, whose `numFmtId` names a format.
    """
    if book.styles is None:
        return {}
    masks = {str(number): mask for number, code in BUILT_IN.items() if (mask := mask_of(code))}
    styles: list[str] = []
    group = ""
    for element in iter_elements(book.package.read(book.styles)):
        tag, attributes = element.local, element.attributes
        if tag in _GROUPS:
            group = tag
        elif tag == "numFmt" and group == "numFmts":
            mask = mask_of(attributes.get("formatCode", ""))
            if mask:
                masks[attributes.get("numFmtId", "")] = mask
        elif tag == "xf" and group == "cellXfs":
            styles.append(attributes.get("numFmtId", ""))
    return {str(index): masks[number] for index, number in enumerate(styles) if number in masks}
