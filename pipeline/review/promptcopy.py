"""A copy of the manifest with the new prompts of its rows, for who wants them in the sheet itself.

The manifest is never written to. In a copy of a workbook every other cell, format and sheet stays.

Tested in tests/review/test_promptcopy.py.
"""

from __future__ import annotations

import csv
import io
from functools import partial
from pathlib import Path
from typing import BinaryIO

from pipeline.checker.check import CheckedManifest
from pipeline.disk.place import place
from pipeline.errors import UsageError
from pipeline.model import Manifest
from pipeline.writer.cells import Cell, Cut
from pipeline.writer.layout import number_columns, own_values
from pipeline.writer.parts import PackageCopy
from pipeline.writer.sheet import Insert
from pipeline.writer.workbook_copy import DAMAGED, copy_sheet, find_sheet, write_plain

_WORKBOOK = ".xlsx"


def write_prompts(checked: CheckedManifest, target: Path) -> int:
    """Write the copy, and return how many rows have a new prompt in it.

    Args:
        checked: the manifest, with the new prompts of its rows.
        target: where to; there must be no file of that name.

    Raises:
        UsageError: The copy would be of another kind, is there, or has no column for prompts.
        StoreError: The folder does not take it.

    """
    manifest = checked.manifest
    at = checked.fields.get("prompt")
    if at is None:
        raise _no_column(checked)
    _refuse(manifest, target)
    prompts = {number: checked.drafts[number].prompt for number in checked.sheet_prompts}
    if target.suffix.casefold() != _WORKBOOK:
        place(target, partial(_write_text, manifest, at, prompts), copy_of=manifest.path)
    else:
        place(target, partial(_write_workbook, manifest, at, prompts), copy_of=manifest.path)
    return len(prompts)


def _no_column(checked: CheckedManifest) -> UsageError:
    """Return why there is no place for new prompts: a row's own may come from elsewhere, or not."""
    own = checked.sheet_prompts
    path = checked.manifest.path
    if any(own.get(number, draft.prompt) for number, draft in checked.drafts.items()):
        return UsageError(
            f"{path} has no prompt column: its prompts are made of other columns.",
            action="Add a column `prompt`; where its cells are empty, nothing changes.",
        )
    return UsageError(
        f"{path} has no prompt column, and its rows have no prompts: a copy would be the same.",
        action="Add a column `prompt`; where its cells are empty, a video is made without words.",
    )


def _refuse(manifest: Manifest, target: Path) -> None:
    suffix = target.suffix.casefold()
    fits = suffix == _WORKBOOK or (manifest.dialect and suffix == manifest.path.suffix.casefold())
    if not fits:
        also = f" or {manifest.path.suffix}" if manifest.dialect else ""
        raise UsageError(f"{target} would be no table of this kind: name a file in .xlsx{also}.")
    if target.exists():
        raise UsageError(f"{target} is there already; nothing was written.", action="Name another.")


def _write_text(manifest: Manifest, at: int, prompts: dict[int, str], file: BinaryIO) -> None:
    """Write every cell as the manifest has it: nothing is guarded in a manifest."""
    dialect = manifest.dialect
    assert dialect is not None  # noqa: S101 - only a text has the suffix of one
    text = io.StringIO()
    table = csv.writer(text, delimiter=dialect.delimiter, lineterminator=dialect.newline)
    table.writerow(manifest.headers)
    for row in manifest.rows:
        cells = [*row.cells]
        cells[at] = prompts.get(row.number, cells[at])
        table.writerow(cells)
    try:
        data = text.getvalue().encode(dialect.encoding)
    except UnicodeEncodeError:  # the new prompts need more letters than the manifest had
        data = text.getvalue().encode("utf-8-sig", "surrogatepass")
    else:
        mark = "\ufeff".encode(dialect.encoding) if dialect.bom else b""
        data = data if data.startswith(mark) else mark + data
    file.write(data)


def _write_workbook(manifest: Manifest, at: int, prompts: dict[int, str], file: BinaryIO) -> None:
    if manifest.dialect is None:
        try:
            package = PackageCopy.of(manifest.path)
            with package.zip:
                _copy(package, manifest, at, prompts, file)
        except DAMAGED:  # such as an .xls
            file.seek(0)
            file.truncate()
        else:
            return
    columns = range(len(manifest.headers))
    numbers = number_columns(manifest.headers, manifest.rows, columns)
    rows = {}
    for row in manifest.rows:
        values = own_values(row, columns, numbers)
        values[at] = prompts.get(row.number, row.cells[at])
        rows[row.number] = [*map(Cell, values)]
    write_plain(
        file,
        manifest.sheet,
        first_column=manifest.first_column + 1,
        header_row=manifest.header_row,
        headers=manifest.headers,
        rows=list(rows),
        cells=rows.__getitem__,
    )


def _copy(
    package: PackageCopy, manifest: Manifest, at: int, prompts: dict[int, str], file: BinaryIO
) -> None:
    workbook = package.find_workbook()
    target = find_sheet(package, workbook, package.relationships(workbook), manifest.sheet)
    column = manifest.first_column + at + 1
    insert = Insert(
        header_row=manifest.header_row,
        headers={},
        known=frozenset(),
        rows=list(prompts),
        cells=lambda row: [(column, Cell(prompts[row]))] if row in prompts else [],
        looks={},
        widths={},
    )
    copy_sheet(package, target, insert, file, Cut())
