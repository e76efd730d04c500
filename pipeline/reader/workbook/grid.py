"""The cells of a sheet become a table: header found, hidden and merged rows dealt with.

Values become the texts that a person sees. What cannot be told from the texts alone (an error
value, a lost digit) becomes a problem; whether it matters depends on the column, which is decided
later.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, TypeGuard

from pipeline.errors import ManifestError
from pipeline.manifest.blank import is_blank, shows
from pipeline.manifest.wording import address_of, count, listed, plural
from pipeline.model import Manifest, Problem
from pipeline.reader.table import Table, manifest_of
from pipeline.reader.workbook.formats import UNREADABLE, padded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.reader.workbook.sheets import Grid

_OURS = "result_"
_SENTENCES = {
    "error_value": (
        "{cell} holds the error value {text}. Correct its formula, or type the value instead."
    ),
    "formula_not_calculated": (
        "The formula in {cell} was never calculated, so it has no value yet. "
        "Open the workbook in Excel, save it, and run again."
    ),
    "digits_lost": (
        "{cell} is a number of {text} digits, and Excel keeps only 15: the last ones are lost. "
        "Format the cell as Text and type the number again."
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
_MOST_MERGED = 50_000_000
# A row is not blank when a value is missing from it only because a formula failed.
_NUMBERS = frozenset({int, float})
_SPEAKING = frozenset({"error_value", "formula_not_calculated"})
_CODES = {"error": "error_value", "uncalculated": "formula_not_calculated"}
# Excel keeps 15 significant digits of a number; what was typed beyond is gone.
_MAX_EXACT = 10**15
_SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class _Find:
    """A cell with something to say about: its place in the grid, and the problem's code."""

    row: int
    column: int
    code: str
    text: str = ""


def manifest_from(grid: Grid, *, hidden_rows: str | None, fill_merged: bool) -> Manifest:
    """Make the grid a manifest.

    Raises ManifestError for an empty sheet, and for hidden rows that nothing was said about.
    """
    finds = list(_lost_numbers(grid))
    texts = [_texts_of(column) for column in grid.columns]
    at = {number: index for index, number in enumerate(grid.numbers)}
    for mark in grid.look.marks:
        if mark.row not in at or mark.column >= len(texts):
            continue
        if mark.text == UNREADABLE:
            if said := texts[mark.column][at[mark.row]]:
                finds.append(_Find(at[mark.row], mark.column, "format_not_understood", said))
        elif mark.kind == "padded":
            column = texts[mark.column]
            column[at[mark.row]] = padded(column[at[mark.row]], mark.text)
        else:
            said = mark.text.strip() or "#N/A"  # an error value that its writer left without name
            finds.append(_Find(at[mark.row], mark.column, _CODES[mark.kind], said))
    top = _header_index(grid, texts)
    for find, anchor in _merged(grid, texts, top, at):
        if fill_merged:
            texts[find.column][find.row] = anchor
        else:
            finds.append(find)
    dropped = _hidden(grid, texts, top, hidden_rows)
    return _manifest(grid, texts, top, finds, dropped)


def _manifest(
    grid: Grid, texts: list[list[str]], top: int, finds: list[_Find], dropped: set[int]
) -> Manifest:
    first = next(i for i, column in enumerate(texts) if any(map(shows, column[top:])))
    kept = [i for i in range(top + 1, len(grid.numbers)) if i not in dropped] if dropped else None
    body = [
        column[top + 1 :] if kept is None else [column[i] for i in kept] for column in texts[first:]
    ]
    numbers = grid.numbers[top + 1 :] if kept is None else [grid.numbers[i] for i in kept]
    table = Table(
        path=grid.path,
        header_row=grid.numbers[top],
        header=[column[top] for column in texts[first:]],
        numbers=numbers,
        columns=body,
        sheet=grid.sheet,
        first_column=first,
    )
    told = [find for find in finds if _matters(find, table, top, dropped)]
    speaking = frozenset(grid.numbers[find.row] for find in told if find.code in _SPEAKING)
    rows = manifest_of(replace(table, speaking=speaking))
    there = {row.number for row in rows.rows}
    told = [find for find in told if grid.numbers[find.row] in there]
    return replace(rows, cell_problems=tuple(_problems(table, told, grid.numbers)))


def _matters(find: _Find, table: Table, top: int, dropped: set[int]) -> bool:
    """Whether the cell lies in a row that is read, under a header that is not one of ours."""
    index = find.column - table.first_column
    header = table.header[index].strip().lower() if 0 <= index < len(table.header) else ""
    below = find.row > top and find.row not in dropped
    return below and not is_blank(header) and not header.startswith(_OURS)


def _header_index(grid: Grid, texts: list[list[str]]) -> int:
    for index in range(len(grid.numbers)):
        if any(shows(column[index]) for column in texts):
            return index
    raise ManifestError(
        f"{grid.path.name}: sheet {grid.sheet!r} is empty.",
        action="Put the column names into its first row, or set `manifest.sheet` to another sheet.",
    )


def _lost_numbers(grid: Grid) -> Iterator[_Find]:
    for index, column in enumerate(grid.columns):
        if not set(map(type, column)) & _NUMBERS:
            continue
        for row, value in enumerate(column):
            if _digits_lost(value):
                yield _Find(row, index, "digits_lost", str(len(f"{abs(value):.0f}")))
            elif _too_large(value):
                yield _Find(row, index, "number_too_large")


def _merged(
    grid: Grid, texts: list[list[str]], top: int, at: dict[int, int]
) -> Iterator[tuple[_Find, str]]:
    """The cells that merged ranges cover below the header, each with the text of its range."""
    steps = 0
    for first_row, first_column, bottom, last_column in grid.look.merges:
        last_row = min(bottom, grid.numbers[-1])
        steps += max(0, last_row - first_row + 1) * (min(last_column + 1, len(texts)) + 1)
        if steps > _MOST_MERGED:
            raise ManifestError(
                f"{grid.path.name}: sheet {grid.sheet!r} has more merged cells than a table can.",
                action="Copy the cells into a new workbook and save that.",
            )
        rows = [at[n] for n in range(first_row, last_row + 1) if n in at]
        columns = range(first_column, min(last_column + 1, len(texts)))
        anchored = first_row in at and first_column < len(texts)
        anchor = texts[first_column][at[first_row]] if anchored else ""
        for row in rows:
            for column in columns:
                if row > top and (grid.numbers[row], column) != (first_row, first_column):
                    yield _Find(row, column, "merged_cell"), anchor


def _hidden(grid: Grid, texts: list[list[str]], top: int, hidden_rows: str | None) -> set[int]:
    """The hidden rows to leave out; refuses a sheet that has some and nothing was said about."""
    if hidden_rows == "include" or not grid.look.hidden:
        return set()
    hidden = [
        index
        for index, number in enumerate(grid.numbers)
        if number in grid.look.hidden
        and index > top
        and any(shows(column[index]) for column in texts)
    ]
    if hidden and hidden_rows is None:
        number = len(hidden)
        are = f"{count(number, 'row')} {'is' if number == 1 else 'are'}"
        where = f"{plural(number, 'row')} {listed([grid.numbers[i] for i in hidden])}"
        raise ManifestError(
            f"{grid.path.name}: {are} hidden or filtered out in sheet {grid.sheet!r} ({where}).",
            action="Unhide them, or set `manifest.hidden_rows` to `include` or `skip`.",
        )
    return set(hidden)


def _problems(table: Table, finds: list[_Find], numbers: Sequence[int]) -> Iterator[Problem]:
    place = Manifest(table.path, (), (), sheet=table.sheet, first_column=table.first_column)
    for find in sorted(finds, key=lambda find: (find.row, find.column)):
        header = table.header[find.column - table.first_column].strip()
        row = numbers[find.row]
        cell = address_of(place, find.column - table.first_column, row) or ""
        message = _SENTENCES[find.code].format(cell=cell, text=find.text)
        yield Problem(find.code, message, row=row, cell=cell, column=header)


def _texts_of(column: list[object]) -> list[str]:
    """The texts of a whole column."""
    kinds = set(map(type, column))
    if kinds <= {str}:
        return column  # type: ignore[return-value]  # just proven by the line above
    memo: dict[object, str] = {}
    # True equals 1 as a dictionary key, and is another text.
    if bool in kinds:
        return [text_of(value) for value in column]
    return [memo.get(value) or memo.setdefault(value, text_of(value)) for value in column]


def text_of(value: object) -> str:
    """One value as text: `4.0` is "4", dates are ISO 8601, booleans TRUE or FALSE."""
    convert = _CONVERTERS.get(type(value))
    return str(value) if convert is None else convert(value)


def _digits_lost(value: object) -> TypeGuard[int | float]:
    """Whether `value` is a whole number that is too long to have kept all of its digits."""
    if type(value) is int:
        return not -_MAX_EXACT < value < _MAX_EXACT
    return type(value) is float and math.isfinite(value) and abs(value) >= _MAX_EXACT


def _too_large(value: object) -> bool:
    """Whether `value` is a number beyond all that a computer counts with, such as 1e999."""
    return type(value) is float and not math.isfinite(value)


def _from_bool(value: bool) -> str:
    return "TRUE" if value else "FALSE"


def _from_float(value: float) -> str:
    """At most 15 digits, as Excel shows them, and never in powers of ten."""
    if not math.isfinite(value):
        return str(value)  # only a damaged file holds such a number
    if value == int(value):
        return str(int(value))
    short = format(value, ".15g")
    return format(Decimal(short), "f") if "e" in short else short


def _from_datetime(value: dt.datetime) -> str:
    whole = (value + dt.timedelta(microseconds=500_000)).replace(microsecond=0)
    if (whole.hour, whole.minute, whole.second) == (0, 0, 0):
        return whole.date().isoformat()
    return whole.isoformat()


def _from_time(value: dt.time) -> str:
    return _from_duration(
        dt.timedelta(
            hours=value.hour,
            minutes=value.minute,
            seconds=value.second,
            microseconds=value.microsecond,
        )
    )


def _from_duration(value: dt.timedelta) -> str:
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


_CONVERTERS: dict[type, Callable[..., str]] = {
    str: str,
    bool: _from_bool,
    int: str,
    float: _from_float,
    dt.datetime: _from_datetime,
    dt.date: dt.date.isoformat,
    dt.time: _from_time,
    dt.timedelta: _from_duration,
}
