"""Excel and OpenDocument workbooks: one sheet of them, every cell as the text that a person sees.

Whatever the format, hidden rows, merged cells, error values, formulas never calculated and padding
number formats are seen: `xlsx`, `excel97` and `opendocument` each make the same grid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import ManifestError
from pipeline.reader.content import Content, content_of, refuse_renamed
from pipeline.reader.workbook.excel97 import xls_grid
from pipeline.reader.workbook.grid import manifest_from
from pipeline.reader.workbook.opendocument import ods_grid
from pipeline.reader.workbook.package import kind_of, open_package
from pipeline.reader.workbook.xlsx import xlsx_grid

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.model import Manifest
    from pipeline.reader.workbook.sheets import Grid

HIDDEN_ROWS = ("include", "skip")


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
    grid = _grid(path, data, sheet)
    return manifest_from(grid, hidden_rows=hidden_rows, fill_merged=fill_merged)


def _grid(path: Path, data: bytes, sheet: str | int | None) -> Grid:
    if content_of(data) is not Content.ZIP:
        return xls_grid(path, data, sheet)
    package = open_package(path.name, data)
    kind = kind_of(package)
    if kind is None:
        raise ManifestError(
            f"{path.name} is a zip file, but no workbook that can be read.",
            action="Open it in its own program and export it as an Excel workbook (.xlsx).",
        )
    refuse_renamed(path, kind)
    if kind is Content.ODS:
        return ods_grid(path, len(data), package, sheet)
    return xlsx_grid(path, data, package, sheet)
