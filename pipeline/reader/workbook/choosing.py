"""Which sheet of a workbook is read: the one that was asked for, or the one with the prompts.

Numbers puts an "Export Summary" first, and people an "Anleitung" or a "Start here". If the first
sheet that is shown has no prompt column, the others are looked at. The only other one that is shown
and has one is taken, and this is said; but not from a manifest that was run before, nor where there
are several: there they are offered. The sheets that explain our template are passed over.

Tested in tests/reader/test_sheets.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.errors import ManifestError
from pipeline.manifest.columns import field_of, fold_header
from pipeline.manifest.examples import explains
from pipeline.manifest.wording import quote_name
from pipeline.reader.workbook.opening import headers_of, manifest_from, read_grid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.model import Manifest
    from pipeline.reader.workbook.sheets import Grid, SheetPart

_LOOKED_AT = 12
"""So many other sheets are looked at."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read of a workbook; the names are those of the arguments of `reading.read`.

    `prompts` are the headers that the settings have stand for the prompt, beside the usual ones;
    None if no prompt column is needed. `new` says that another sheet may be taken.
    """

    sheet: str | int | None = None
    hidden_rows: str | None = None
    fill_merged: bool = False
    prompts: Sequence[str] | None = None
    new: bool = False

    def has_prompts(self, headers: Sequence[str]) -> bool:
        """Tell whether one of the headers is that of the prompts."""
        own = set(map(fold_header, self.prompts or ()))
        return any(field_of(one) == "prompt" or fold_header(one) in own for one in headers)


def read_workbook(path: Path, data: bytes, wanted: Wanted) -> Manifest:
    """Read one sheet of the workbook `data` of the file at `path`.

    Args:
        path: the file.
        data: its bytes.
        wanted: the sheet, and how it is read.

    Raises:
        ManifestError: it cannot be read; the message names the file and the row.

    """
    grid = _read_first(path, data, wanted)
    others = [one for one in grid.sheets if one.name != grid.sheet]
    failure = None
    try:
        manifest = _manifest_from(grid, wanted)
    except ManifestError as error:
        if not others or wanted.prompts is None or wanted.has_prompts(headers_of(grid)):
            raise
        failure = error
    else:
        manifest = replace(manifest, other_sheets=tuple(one.name for one in others))
        if wanted.prompts is None or wanted.has_prompts(manifest.headers):
            return manifest
    found = _with_prompts(path, data, others, wanted)
    shown = [sheet for sheet, _ in found if sheet.visible]
    if wanted.new and wanted.sheet is None and len(shown) == 1:
        (taken,) = (one for sheet, one in found if sheet.visible)
        return _taken(grid, taken, wanted)
    ways = tuple(map(_describe, shown or [sheet for sheet, _ in found]))
    if failure is not None:
        raise ManifestError(failure.message, action=" ".join((failure.action or "", *ways)).strip())
    return replace(manifest, hints=(*manifest.hints, *ways))


def _read_first(path: Path, data: bytes, wanted: Wanted) -> Grid:
    """Read the sheet that is asked for, or the first shown one that does not explain our template.

    It may have been moved to the front: that changes nothing in how the table was read before.
    """
    grid = read_grid(path, data, wanted.sheet)
    shown = [one.name for one in grid.sheets[:_LOOKED_AT] if one.visible]
    for name in shown[1:] if wanted.sheet is None else ():
        if not explains([str(cells[0]) for cells in grid.columns if cells]):
            break
        grid = read_grid(path, data, name)
    return grid


def _manifest_from(grid: Grid, wanted: Wanted) -> Manifest:
    return manifest_from(grid, hidden_rows=wanted.hidden_rows, fill_merged=wanted.fill_merged)


def _with_prompts(
    path: Path, data: bytes, others: Sequence[SheetPart], wanted: Wanted
) -> list[tuple[SheetPart, Grid]]:
    """Return the other sheets that have a prompt column."""
    found = []
    for sheet in others[:_LOOKED_AT]:
        try:
            grid = read_grid(path, data, sheet.name)
        except ManifestError:
            continue
        if wanted.has_prompts(headers_of(grid)):
            found.append((sheet, grid))
    return found


def _taken(first: Grid, taken: Grid, wanted: Wanted) -> Manifest:
    """Read the sheet that was chosen in the place of the first one, and say so."""
    manifest = _manifest_from(taken, wanted)
    note = (
        f"{first.path.name}: sheet {first.sheet!r} has no prompt column; sheet {taken.sheet!r} is "
        "read, the only one that has. To read another one, set manifest.sheet."
    )
    return replace(
        manifest,
        other_sheets=tuple(one.name for one in taken.sheets if one.name != taken.sheet),
        sheet_found=True,
        notes=(note,),
    )


def _describe(sheet: SheetPart) -> str:
    """Return the sentence that offers a sheet."""
    hidden = "" if sheet.visible else ", which is hidden,"
    setting = f"manifest.sheet={json.dumps(sheet.name, ensure_ascii=False)}"
    return (
        f"Sheet {sheet.name!r}{hidden} has a prompt column: to read it, add "
        f"--set {quote_name(setting)}."
    )
