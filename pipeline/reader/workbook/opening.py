"""A sheet of a workbook is opened, and becomes a manifest.

Whatever the format, hidden rows, merged cells, error values, formulas never calculated and padding
number formats are seen: `xlsx`, `excel97` and `opendocument` each make the same grid of cells. What
cannot be told from the cells' texts alone (an error value, a lost digit) becomes a problem; whether
it matters depends on the column, which is decided later.

Tested in tests/reader/test_workbook.py.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import compress
from typing import TYPE_CHECKING

from pipeline.errors import ManifestError
from pipeline.manifest.blank import all_blank, is_blank
from pipeline.manifest.picturetexts import advice_on
from pipeline.manifest.wording import address_of, agree, count, letters_of, list_numbers, plural
from pipeline.model import Manifest, Problem, Severity
from pipeline.reader.content import Content, content_of, refuse_renamed
from pipeline.reader.table import Table, manifest_of
from pipeline.reader.workbook.cellforms import BY_FORMULA, DELIBERATE, IN_CELL
from pipeline.reader.workbook.cellforms import UNREADABLE as CELL_UNREADABLE
from pipeline.reader.workbook.formats import (
    UNREADABLE,
    apply_mask,
    has_lost_digits,
    is_exact,
    texts_of,
    too_large,
)
from pipeline.reader.workbook.package import find_content, open_package
from pipeline.reader.workbook.sheets import PADDED, CellMark, Grid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OURS = "result_"
_SENTENCES = {
    "error_value": (
        "{cell} holds the error value {text}. Correct its formula, or type the value instead."
    ),
    "formula_not_calculated": (
        "The formula in {cell} was never calculated, so it has no value yet. "
        "Open the workbook in Excel, save it, and run again."
    ),
    "cell_unreadable": (
        "{cell} cannot be read: the file says {text} of it, which is none of the workbook's texts. "
        "Type the value again, or open the workbook in Excel and save it under a new name."
    ),
    "formula_empty": (
        "The formula in {cell} has an empty result in the file. Open the workbook in Excel, "
        "correct the formula if it fails, and save it; or type the value instead."
    ),
    "formula_empty_meant": "The formula in {cell} has an empty result: the cell counts as empty.",
    "picture_in_cell": (
        "{cell} holds a picture, not its name. Pictures inside a workbook are not sent: save it as "
        "a file and write the name of the file, or a web address, into the cell."
    ),
    "picture_formula": "{cell} holds a formula that shows a picture, not its name. {text}",
    "digits_lost": (
        "{cell} is a number of {text} digits, and Excel keeps only 15: the last ones are lost. "
        "Format the cell as Text and type the number again."
    ),
    "value_uncertain": (
        "{cell} can be read in two ways: {text}. "
        "Save the workbook as an Excel workbook (.xlsx), or type the value again."
    ),
    "number_too_large": (
        "{cell} holds a number that is too large for any spreadsheet program. Type the value again."
    ),
    "format_not_understood": (
        "{cell} holds {text}, in a number format that shows it in another way, with zeros that "
        "cannot be read. Format the cell as Text and type what it is to say."
    ),
    "merged_cell": (
        "{cell} is part of a merged range and has no value of its own. "
        "Unmerge the cells and fill each one."
    ),
}
# Merged ranges do not overlap: all of them together are no larger than a large table.
_MOST_MERGED = 5_000_000
# A row is not blank when a value is missing from it only because a formula failed.
_SPEAKING = frozenset(
    {"error_value", "formula_not_calculated", "value_uncertain", CELL_UNREADABLE, IN_CELL}
)
FLOATING = "picture_floats"
"""The code of a picture that lies over a row."""
_LONGEST_SAID = 60
_HIDDEN_ROWS = ("include", "skip")


def read_grid(path: Path, data: bytes, sheet: str | int | None) -> Grid:
    """Read the cells of a sheet; import only the libraries that its format needs.

    Args:
        path: the file, for messages.
        data: its bytes.
        sheet: the sheet's name or number from 1; None for the first visible one.

    Raises:
        ManifestError: there is no such sheet, or the file is no workbook that can be read.

    """
    if content_of(data) is not Content.ZIP:
        from pipeline.reader.workbook.excel97 import read_xls

        return read_xls(path, data, sheet)
    package = open_package(path.name, data)
    kind = find_content(path.name, package)
    if kind is None:
        raise ManifestError(
            f"{path.name} is a zip file, but no workbook that can be read.",
            action="Open it in its own program and export it as an Excel workbook (.xlsx).",
        )
    refuse_renamed(path, kind)
    if kind is Content.ODS:
        from pipeline.reader.workbook.opendocument import read_ods

        return read_ods(path, len(data), package, sheet)
    from pipeline.reader.workbook.xlsx import read_xlsx

    return read_xlsx(path, data, package, sheet)


def manifest_from(
    grid: Grid, *, hidden_rows: str | None = None, fill_merged: bool = False
) -> Manifest:
    """Make the cells of a sheet a manifest.

    Args:
        grid: the cells.
        hidden_rows: "include" or "skip"; None refuses a sheet that has any.
        fill_merged: whether every cell of a merged range gets the value of its first.

    Raises:
        ManifestError: the sheet is empty, or nothing was said about its hidden rows.

    """
    if hidden_rows not in {None, *_HIDDEN_ROWS}:
        raise ManifestError(
            f"Hidden rows can be 'include' or 'skip', not {hidden_rows!r}.",
            action="Set `manifest.hidden_rows` to one of the two.",
        )
    marks = list(_lost_numbers(grid))
    texts = [texts_of(column) for column in grid.columns]
    at = {number: index for index, number in enumerate(grid.numbers)}
    for mark in grid.look.marks:
        if mark.row not in at or mark.column >= len(texts):
            continue
        column, index = texts[mark.column], at[mark.row]
        if mark.code != PADDED:
            marks.append(replace(mark, text=_said(mark)))
        elif mark.text != UNREADABLE:
            column[index] = apply_mask(column[index], mark.text)
        elif column[index]:
            marks.append(CellMark(mark.row, mark.column, "format_not_understood", column[index]))
    top = _header_index(grid, texts)
    _refuse_unread_headers(grid, top)
    for mark in _marks_of_merged(grid, texts, top, at):
        if fill_merged:
            texts[mark.column][at[mark.row]] = mark.text
        else:
            marks.append(mark)
    dropped = _find_hidden(grid, texts, top, hidden_rows)
    return _manifest(grid, texts, top, marks, dropped)


def _manifest(
    grid: Grid, texts: list[list[str]], top: int, marks: list[CellMark], dropped: set[int]
) -> Manifest:
    first = next(i for i, column in enumerate(texts) if not all_blank(column[top:]))
    numbers, body = grid.numbers[top + 1 :], [column[top + 1 :] for column in texts[first:]]
    if dropped:
        kept = [number not in dropped for number in numbers]
        numbers, body = [*compress(numbers, kept)], [[*compress(column, kept)] for column in body]
    header = [column[top] for column in texts[first:]]
    table = Table(
        grid.path,
        grid.numbers[top],
        header,
        numbers,
        body,
        sheet=grid.sheet,
        first_column=first,
        only_sheet=len(grid.sheets) <= 1,
    )
    marks = [mark for mark in marks if _matters(mark, table) and mark.row not in dropped]
    speaking = frozenset(mark.row for mark in marks if mark.code in _SPEAKING)
    manifest = manifest_of(replace(table, speaking=speaking))
    there = {row.number for row in manifest.rows}
    marks.sort(key=lambda mark: (mark.row, mark.column))
    problems = [_problem(manifest, mark) for mark in marks if mark.row in there]
    problems += [_warn_of_picture(row, at) for row, at in grid.look.pictures if row in there]
    return replace(manifest, cell_problems=(*_warn_of_unseen(grid), *problems))


def _said(mark: CellMark) -> str:
    """Return what a sentence says of a cell."""
    if mark.code == BY_FORMULA:
        return advice_on(mark.text)
    # An error value may be left without a name by its writer.
    return mark.text.strip()[:_LONGEST_SAID] or "#N/A"


def _warn_of_picture(row: int, column: int) -> Problem:
    """Return the warning about a picture over a row; whether it has another is decided later."""
    cell = f"{letters_of(column + 1)}{row}"
    message = (
        f"A picture lies over {cell}, and the picture cells of the row are empty: pictures inside "
        "a workbook are not sent. Save it as a file (right-click, Save as Picture), and write the "
        "name of the file into a picture cell."
    )
    return Problem(FLOATING, message, Severity.WARNING, row=row, cell=cell)


def _warn_of_unseen(grid: Grid) -> tuple[Problem, ...]:
    """Return the warning about a workbook of which not all could be seen."""
    if not grid.look.half_seen:
        return ()
    message = (
        f"{grid.path.name} is not written as Excel writes it: its hidden rows, error values, "
        "merged cells and number formats are unknown. Hidden rows are read, and error values are "
        "blank. "
        "Save it as an Excel workbook (.xlsx) to be sure of them."
    )
    return (Problem("workbook_half_seen", message, Severity.WARNING),)


def _matters(mark: CellMark, table: Table) -> bool:
    """Tell whether the cell lies below the headers, under one that is not ours."""
    index = mark.column - table.first_column
    header = table.header[index].strip().lower() if 0 <= index < len(table.header) else ""
    return mark.row > table.header_row and not is_blank(header) and not header.startswith(_OURS)


def headers_of(grid: Grid) -> list[str]:
    """Return the texts of the first row that says something; none of an empty sheet."""
    for index in range(len(grid.numbers)):
        row = texts_of([column[index] for column in grid.columns])
        if not all_blank(row):
            return row
    return []


def _header_index(grid: Grid, texts: list[list[str]]) -> int:
    for index in range(len(grid.numbers)):
        if not all_blank(column[index] for column in texts):
            return index
    raise ManifestError(
        f"{grid.path.name}: sheet {grid.sheet!r} is empty.",
        action="Put the column names into its first row, or set `manifest.sheet` to another sheet.",
    )


def _refuse_unread_headers(grid: Grid, top: int) -> None:
    """Refuse a sheet whose headers cannot be read: another row would be taken for them."""
    for mark in grid.look.marks:
        if mark.code == CELL_UNREADABLE and mark.row <= grid.numbers[top]:
            cell = f"{letters_of(mark.column + 1)}{mark.row}"
            raise ManifestError(
                f"{grid.path.name}: {cell}, among the headers of sheet {grid.sheet!r}, cannot be "
                f"read: the file says {_said(mark)} of it.",
                action="Open the workbook in Excel and save it under a new name, or type the "
                "headers again.",
            )


def _lost_numbers(grid: Grid) -> Iterator[CellMark]:
    for index, column in enumerate(grid.columns):
        if is_exact([value for value in column if type(value) is float or type(value) is int]):
            continue
        for row, value in zip(grid.numbers, column, strict=True):
            if has_lost_digits(value):
                yield CellMark(row, index, "digits_lost", str(len(f"{abs(value):.0f}")))
            elif too_large(value):
                yield CellMark(row, index, "number_too_large")


def _marks_of_merged(
    grid: Grid, texts: list[list[str]], top: int, at: dict[int, int]
) -> Iterator[CellMark]:
    """Yield the cells below the header that merged ranges cover, with the text of the range."""
    steps = 0
    for first_row, first_column, bottom, last_column in grid.look.merges:
        last_row = min(bottom, grid.numbers[-1])
        steps += max(0, last_row - first_row + 1) * (min(last_column + 1, len(texts)) + 1)
        if steps > _MOST_MERGED:
            raise ManifestError(
                f"{grid.path.name}: sheet {grid.sheet!r} has more merged cells than a table can.",
                action="Copy the cells into a new workbook and save that.",
            )
        columns = range(first_column, min(last_column + 1, len(texts)))
        anchored = first_row in at and first_column < len(texts)
        anchor = texts[first_column][at[first_row]] if anchored else ""
        for row in range(max(first_row, grid.numbers[top] + 1), last_row + 1):
            for column in columns if row in at else ():
                if (row, column) != (first_row, first_column):
                    yield CellMark(row, column, "merged_cell", anchor)


def _find_hidden(grid: Grid, texts: list[list[str]], top: int, hidden_rows: str | None) -> set[int]:
    """Return the hidden rows to skip; raise if there are any and manifest.hidden_rows is unset."""
    if hidden_rows == "include" or not grid.look.hidden:
        return set()
    hidden = [
        number
        for index, number in enumerate(grid.numbers)
        if number in grid.look.hidden
        and index > top
        and not all_blank(column[index] for column in texts)
    ]
    if hidden and hidden_rows is None:
        are = f"{count(len(hidden), 'row')} {agree(len(hidden), 'is', 'are')}"
        where = f"{plural(len(hidden), 'row')} {list_numbers(hidden)}"
        raise ManifestError(
            f"{grid.path.name}: {are} hidden or filtered out in sheet {grid.sheet!r} ({where}).",
            action="Unhide them, or set `manifest.hidden_rows` to `include` or `skip`.",
        )
    return set(hidden)


def _problem(manifest: Manifest, mark: CellMark) -> Problem:
    index = mark.column - manifest.first_column
    cell = address_of(manifest, index, mark.row) or ""
    message = _SENTENCES[mark.code].format(cell=cell, text=mark.text)
    header = manifest.headers[index].strip()
    severity = Severity.WARNING if mark.code == DELIBERATE else Severity.ERROR
    return Problem(mark.code, message, severity, row=mark.row, cell=cell, column=header)
