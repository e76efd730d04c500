"""A file of the rows that need the user: once corrected, it can be run as it is.

Tested in tests/writer/test_plain_workbook.py and tests/writer/test_read_back.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from pipeline.disk.place import place, remove
from pipeline.manifest.columns import fold_header
from pipeline.manifest.resultcolumns import RESULT_COLUMNS
from pipeline.model import Manifest, State
from pipeline.writer.cells import STATE_LOOKS, Cell, Cut
from pipeline.writer.layout import (
    ACTION,
    ERROR,
    STATE,
    Result,
    number_columns,
    own_columns,
    own_values,
    pair,
)
from pipeline.writer.text_table import write_text
from pipeline.writer.workbook_copy import write_plain

_NEED_THE_USER = frozenset({State.INVALID, State.REFUSED, State.FAILED, State.EXPIRED})
# The state is among them because by that column a file is recognised as ours, and its guarded cells
# are read without the guard.
_FIELDS = (STATE, ERROR, ACTION)
_KEY = "key"


def write_failed(
    manifest: Manifest,
    results: Sequence[Result],
    folder: Path,
    *,
    keys: Sequence[str] | None = None,
) -> Path | None:
    """Write `failed.<suffix>` into `folder`: the rows that need the user.

    They are invalid, refused, failed or expired, or wait for a video that was bought before.

    The rows' own columns come first, then `result_state`, `result_error` and `result_action`. In a
    workbook plain numbers are numbers, and keys are texts. Without such rows an earlier file is
    deleted and None returned.

    Args:
        manifest: the table.
        results: one for each of its rows, in order.
        folder: where to write.
        keys: those of all rows, for a manifest without a key column: they become the first column,
            so that a corrected row is known again.

    Raises:
        StoreError: the folder does not take the file.
        ValueError: results and rows do not match one to one.

    """
    by_row = pair(manifest, results)
    rows = [row for row in manifest.rows if _needs_user(by_row[row.number])]
    suffix = ".xlsx" if manifest.dialect is None else manifest.path.suffix.lower() or ".csv"
    target = folder / f"failed{suffix}"
    if not rows:
        remove(target)
        return None
    own = own_columns(manifest.headers)
    headers = [*(manifest.headers[i] for i in own), *(RESULT_COLUMNS[field] for field in _FIELDS)]
    # All rows of the manifest decide, so that a column looks the same whichever of them failed.
    of_numbers = manifest.dialect is None
    numbers = number_columns(manifest.headers, manifest.rows, own) if of_numbers else frozenset()
    table = [(by_row[row.number], own_values(row, own, numbers)) for row in rows]
    if keys is not None and _KEY not in map(fold_header, manifest.headers):
        named = dict(zip((row.number for row in manifest.rows), keys, strict=True))
        headers.insert(0, _KEY)
        table = [(result, [named[result.row], *cells]) for result, cells in table]

    def write(file: BinaryIO) -> object:
        if manifest.dialect is None:
            return _write_workbook(file, manifest.sheet, headers, table)
        lines = ([*map(str, cells), *_texts(result)] for result, cells in table)
        return write_text(file, manifest.dialect, headers, lines)

    path, _ = place(target, write, copy_of=manifest.path)
    return path


def _needs_user(result: Result) -> bool:
    return result.held or result.state in _NEED_THE_USER


def _texts(result: Result) -> list[str]:
    values = result.cells
    return ["" if values[field] is None else str(values[field]) for field in _FIELDS]


def _write_workbook(
    file: BinaryIO,
    sheet: str | None,
    headers: Sequence[str],
    table: Sequence[tuple[Result, Sequence[str | float]]],
) -> Cut:
    def cells(number: int) -> list[Cell]:
        result, own = table[number - 2]
        state, *others = _texts(result)
        look = STATE_LOOKS[result.state]
        return [*map(Cell, own), Cell(state, look), *map(Cell, others)]

    return write_plain(
        file,
        sheet,
        first_column=1,
        header_row=1,
        headers=headers,
        rows=range(2, len(table) + 2),
        cells=cells,
    )
