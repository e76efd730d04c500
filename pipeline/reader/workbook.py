"""Excel and OpenDocument workbooks: one sheet of them, every cell as the text that a person sees.

pandas reads the cells through calamine. An .xlsx is looked at first (see `look`), so that nothing
calamine hides is lost and nothing it would choke on reaches it. The binary formats and .ods have
no such look: there, error values and formulas never calculated are empty cells, and a warning of
the whole file says so; merged cells are those that calamine knows of.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import pandas as pd
from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from pipeline.errors import ManifestError
from pipeline.model import Problem, Severity
from pipeline.reader.files import Content, content_of
from pipeline.reader.formats import padded_styles
from pipeline.reader.grid import Grid, manifest_from
from pipeline.reader.look import Look, look_at
from pipeline.reader.package import (
    SheetPart,
    explained,
    is_workbook,
    is_xlsx,
    open_package,
    sheets_of,
)
from pipeline.reader.packing import packed

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.model import Manifest

HIDDEN_ROWS = ("include", "skip")
# A sheet may be emptier than this before a copy without its blank rows is made.
_SPARE_CELLS = 1_000_000
_SPARE_RATIO = 2
# Cells of the rectangle that calamine may make, by the size of the file.
_MOST_CELLS = 1_000_000
_MOST_CELLS_PER_BYTE = 8
# Filled cells that a file may hold. 100,000 rows of 12 equal cells have 0.5 a byte; at this limit
# a file of 300 KB takes less than 300 MB.
_FREE_FILLED = 300_000
_MOST_FILLED_PER_BYTE = 1.5


@dataclass(frozen=True, slots=True)
class _Source:
    """What pandas is to read: the bytes, the sheet in them, and the number of each of its rows."""

    data: bytes
    sheet: str
    look: Look = field(default_factory=Look)
    seen: bool = True  # whether the look could find what calamine hides
    numbers: list[int] | None = None


def read_workbook(
    path: Path,
    data: bytes,
    *,
    sheet: str | int | None = None,
    hidden_rows: str | None = None,
    fill_merged: bool = False,
) -> Manifest:
    """Read one sheet of the workbook `data` of the file at `path`.

    The arguments are those of `reading.read`. Raises ManifestError naming the file and the row.
    """
    if hidden_rows not in {None, *HIDDEN_ROWS}:
        raise ManifestError(
            f"Hidden rows can be 'include' or 'skip', not {hidden_rows!r}.",
            action="Set `manifest.hidden_rows` to one of the two.",
        )
    source = _source(path.name, data, sheet)
    columns = _columns(path.name, source)
    height = _height(source, columns)
    for column in columns:
        column.extend([""] * (height - len(column)))
    numbers = range(1, height + 1) if source.numbers is None else source.numbers
    grid = Grid(path, source.sheet, numbers, columns, source.look)
    manifest = manifest_from(grid, hidden_rows=hidden_rows, fill_merged=fill_merged)
    if source.seen:
        return manifest
    return replace(manifest, cell_problems=(*manifest.cell_problems, _not_looked_at(path)))


def _not_looked_at(path: Path) -> Problem:
    suffix = path.suffix.lower()
    return Problem(
        code="format_not_looked_at",
        message=(
            f"In a workbook of the format {suffix}, hidden rows, error values such as #N/A and "
            "formulas never calculated cannot be seen: a cell with an error counts as empty. Save "
            "it as .xlsx to have them checked."
        ),
        severity=Severity.WARNING,
    )


def _height(source: _Source, columns: list[list[object]]) -> int:
    """The rows of the sheet. calamine leaves out last rows that hold only what it hides."""
    if source.numbers is not None:
        return len(source.numbers)
    read = len(columns[0]) if columns else 0
    return max([read, *(mark.row for mark in source.look.marks if mark.kind != "padded")])


def _source(name: str, data: bytes, wanted: str | int | None) -> _Source:
    if content_of(data) is Content.ZIP:
        package = open_package(name, data)
        if not is_workbook(package):
            raise ManifestError(
                f"{name} is a zip file, but no workbook that can be read.",
                action="Open it in its own program and export it as an Excel workbook (.xlsx).",
            )
        if is_xlsx(package):
            return _looked_at(name, data, package, wanted)
    part = chosen(name, _listed_by_calamine(name, data), wanted)
    return _Source(data, part.name, Look(merges=_merges(name, data, part.name)), seen=False)


def _looked_at(
    name: str, data: bytes, package: zipfile.ZipFile, wanted: str | int | None
) -> _Source:
    sheet = chosen(name, sheets_of(name, package), wanted)
    with explained(name):
        padded = padded_styles(package)
        with package.open(sheet.part) as stream:
            look = look_at(stream, padded)
        if look.filled > _FREE_FILLED + _MOST_FILLED_PER_BYTE * len(data):
            raise ManifestError(
                f"{name} packs {look.filled:,} cells into {len(data):,} bytes, which no real table "
                "does.",
                action="Copy the cells into a new workbook and save that.",
            )
        if look.area <= _SPARE_CELLS + _SPARE_RATIO * look.filled:
            return _Source(data, sheet.name, look)
        copy = packed(package, sheet.part)
    if copy.area > _MOST_CELLS + _MOST_CELLS_PER_BYTE * len(data):
        raise ManifestError(
            f"{name}: sheet {sheet.name!r} spreads {look.filled:,} filled cells over "
            f"{len(copy.numbers):,} rows and {copy.last_column + 1:,} columns.",
            action="Remove what stands far to the right of the table.",
        )
    return _Source(copy.data, sheet.name, look, numbers=copy.numbers)


def chosen(name: str, sheets: list[SheetPart], wanted: str | int | None) -> SheetPart:
    """The sheet of that name or number (from 1); by default the first one that is shown.

    Raises ManifestError that lists the sheets.
    """
    if wanted is None:
        shown = [sheet for sheet in sheets if sheet.visible] or sheets
        if shown:
            return shown[0]
        raise ManifestError(f"{name} has no worksheet.", action="Save it with one.")
    for same in (str.__eq__, lambda one, other: one.strip().casefold() == other.strip().casefold()):
        for sheet in sheets:
            if isinstance(wanted, str) and same(sheet.name, wanted):
                return sheet
    number = int(wanted) if isinstance(wanted, int) or wanted.strip().isdecimal() else 0
    if 1 <= number <= len(sheets):
        return sheets[number - 1]
    listing = ", ".join(f"{at} {sheet.name!r}" for at, sheet in enumerate(sheets, 1))
    raise ManifestError(
        f"{name} has no sheet {wanted!r}.",
        action=f"Set `manifest.sheet` to one of these names or numbers: {listing}.",
    )


def _listed_by_calamine(name: str, data: bytes) -> list[SheetPart]:
    with _calamine(name), pd.ExcelFile(io.BytesIO(data), engine="calamine") as book:
        metadata = cast("CalamineWorkbook", book.book).sheets_metadata
        shown = {str(sheet.name): str(sheet.visible) for sheet in metadata}
        return [
            SheetPart(str(sheet), shown[str(sheet)].endswith(".Visible"))
            for sheet in book.sheet_names
        ]


def _merges(name: str, data: bytes, sheet: str) -> list[tuple[int, int, int, int]]:
    """The merged ranges that calamine knows of, as `Look.merges` has them."""
    with _calamine(name):
        ranges = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(sheet)
        found = ranges.merged_cell_ranges or []
    return [(top + 1, left, bottom + 1, right) for (top, left), (bottom, right) in found]


def _columns(name: str, source: _Source) -> list[list[object]]:
    """The columns of the sheet from A on, as calamine's values."""
    with _calamine(name):
        frame = pd.read_excel(
            io.BytesIO(source.data),
            sheet_name=source.sheet,
            engine="calamine",
            header=None,
            dtype=object,
            na_filter=False,
            keep_default_na=False,
        )
    return [frame.pop(column).tolist() for column in list(frame.columns)]


@contextmanager
def _calamine(name: str) -> Iterator[None]:
    """Turn calamine's failures, a panic of its Rust code among them, into one sentence."""
    try:
        yield
    except PasswordError as error:
        raise ManifestError(
            f"{name} is protected by a password.", action="Save a copy without the password."
        ) from error
    except BaseException as error:
        panicked = type(error).__name__ == "PanicException"
        if not (panicked or isinstance(error, (CalamineError, ValueError, OSError, KeyError))):
            raise
        raise ManifestError(
            f"{name} is damaged or incomplete ({error}).",
            action="Copy or download it again, or open it in Excel and save it under a new name.",
        ) from error
