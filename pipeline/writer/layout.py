"""Which columns of a table are written, and which of the user's texts are written as numbers.

Result columns that a manifest already has stay where they are; the others go to the right.

A manifest holds texts, so that a number, a date or a code with zeros in front look alike. In a new
workbook a text is written as a number only where the cell then shows the same, but for rounding,
and the reader gives the very same text again: `4.50`, `007`, an EAN of 13 digits and all dates
stay texts.

Tested in tests/writer/test_text_table.py and tests/writer/test_plain_workbook.py.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from pipeline.manifest.columns import ALIASES, fold_header
from pipeline.manifest.resultcolumns import RESULT_COLUMNS, names_beside, our_columns
from pipeline.manifest.wording import height_of
from pipeline.model import Manifest, Row, State

STATE, VIDEO, ERROR, ACTION, TASK, WARNINGS, REVIEW = 0, 1, 2, 3, 4, 9, 11
"""The places of some of the result columns among them."""
TECHNICAL = range(TASK, 9)
"""Those of the result columns that are for looking something up: the task, attempts and times."""
WORDY = frozenset({ERROR, ACTION, WARNINGS, 12, 13})
"""Those whose texts are sentences."""
TYPED = frozenset({12, 13})
"""Those into which a person writes sentences."""
_NARROW, _WIDE = 10.0, 60.0
"""The least and the greatest width of a column of the user's, in characters."""
# Source: Microsoft, "Available number formats in Excel" and "Excel specifications and limits": a
# cell without a format rounds decimals where it is narrow, and shows numbers of 12 and more digits
# before the point, and those below 0.0001, in powers of ten. It keeps 15 digits, as a float does.
_PLAIN = re.compile(r"(?!-0$)-?(?!0\.0000)(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?")
_MOST_WHOLE, _MOST_DIGITS = 11, 15
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Result:
    """A row's outcome as it is written back, in the order of the result columns.

    `task_link` is where the provider shows the task, to whoever has the key. `renamed_from` is the
    key under which the journal knew the row, if this run or plan found it under another one. `held`
    says that the row waits, because its video was bought before and cannot be had here. `take` is
    the number of the take whose video it is; `review`, `review_note` and `new_prompt` are what a
    person said of that. `caption` is the key by which a sheet of stills shows the video; None if
    there is to be no such sheet.
    """

    row: int
    state: State
    video: str | None = None
    error: str | None = None
    action: str | None = None
    task_id: str | None = None
    attempts: int = 0
    submitted_at: str | None = None
    finished_at: str | None = None
    seconds: int | None = None
    warnings: tuple[str, ...] = ()
    task_link: str | None = None
    renamed_from: str | None = None
    held: bool = False
    take: int | None = None
    review: str | None = None
    review_note: str | None = None
    new_prompt: str | None = None
    caption: str | None = None

    @property
    def is_away(self) -> bool:
        """Whether its video is on no disk here: in a bucket, or known by its web address."""
        return self.video is not None and "://" in self.video

    @property
    def cells(self) -> tuple[str | int | None, ...]:
        """The values of `RESULT_COLUMNS`, in that order."""
        return (
            self.state.value,
            self.video,
            self.error,
            self.action,
            self.task_id,
            self.attempts,
            self.submitted_at,
            self.finished_at,
            self.seconds,
            " | ".join(self.warnings) or None,
            self.take,
            self.review,
            self.review_note,
            self.new_prompt,
        )


def link_of(video: str | None) -> str | None:
    """Return what a video is opened by; None where spreadsheet programs cannot, as in a bucket."""
    away = video is not None and "://" in video
    return video if not away or (video or "").startswith("https://") else None


@dataclass(frozen=True, slots=True)
class Layout:
    """The headers that are written, and the position and field of each result column.

    `fields` pairs a 0-based position among `headers` with an index into RESULT_COLUMNS, in
    ascending order of position; `own` is the number of headers that the manifest has.
    """

    headers: tuple[str, ...]
    fields: tuple[tuple[int, int], ...]
    own: int

    def cells(self, row: Sequence[str], values: Sequence[str | int | None]) -> list[str]:
        """Return one line of texts: the row's own cells, with the result in its columns."""
        line = list(row[: self.own])
        line += [""] * (len(self.headers) - len(line))
        for position, index in self.fields:
            value = values[index]
            line[position] = "" if value is None else str(value)
        return line


def lay_out(headers: Sequence[str], names: Sequence[str] = ()) -> Layout:
    """Find the result columns among `headers` (trimmed, in any case); append those missing.

    `names` are what they are called there, if not as beside these headers.
    """
    names = names or names_beside(headers)
    index = {name: position for position, name in enumerate(names)}
    there = [
        (position, index[name])
        for position, name in enumerate(_fold(header) for header in headers)
        if name in index
    ]
    missing = sorted(set(index.values()) - {field for _, field in there})
    fields = there + [(len(headers) + offset, field) for offset, field in enumerate(missing)]
    written = (*headers, *(names[field] for field in missing))
    return Layout(written, tuple(fields), len(headers))


def own_columns(headers: Sequence[str]) -> tuple[int, ...]:
    """Return the positions of the user's own columns, without those of earlier results."""
    written, ours = {*RESULT_COLUMNS, *names_beside(headers)}, our_columns(headers)
    return tuple(
        i for i, header in enumerate(headers) if i not in ours or _fold(header) not in written
    )


def own_widths(manifest: Manifest, columns: Iterable[int]) -> list[float]:
    """Return the widths of the user's own columns in a new workbook: as their texts need them."""
    widths = []
    for at in columns:
        texts = (row.cells[at] if at < len(row.cells) else "" for row in manifest.rows)
        longest = max((len(text) for text in texts), default=0)
        widths.append(min(_WIDE, max(_NARROW, longest, len(manifest.headers[at])) + 2))
    return widths


def heights_of(
    manifest: Manifest, results: Sequence[Result], widths: Sequence[float], *, copied: bool
) -> dict[int, float]:
    """Return the heights of the rows whose texts take several lines, by their numbers.

    In a copy the user's own rows are left as they are, but for those in which a result takes
    several lines.

    Args:
        manifest: the table.
        results: one for each of its rows, in order.
        widths: those of the result columns, in characters.
        copied: whether the sheet is a copy of the user's.

    """
    own = own_columns(manifest.headers)
    sized = (
        dict.fromkeys(own, _WIDE)
        if copied
        else dict(zip(own, own_widths(manifest, own), strict=True))
    )
    heights = {}
    for row, one in zip(manifest.rows, results, strict=True):
        values = one.cells
        said = [(str(values[at]), widths[at]) for at in WORDY if values[at]]
        if copied and not any(map(_needs_lines, said)):
            continue
        texts = [
            *said,
            *((row.cells[at], width) for at, width in sized.items() if at < len(row.cells)),
        ]
        if any(map(_needs_lines, texts)):
            heights[row.number] = height_of(texts)
    return heights


def _needs_lines(text: tuple[str, float]) -> bool:
    return len(text[0]) > text[1] or "\n" in text[0]


def pair(manifest: Manifest, results: Sequence[Result]) -> dict[int, Result]:
    """Return the results by row number.

    Raises ValueError unless there is one for each row, in order: a result in another product's row
    would be worse than none.
    """
    if [row.number for row in manifest.rows] != [result.row for result in results]:
        raise ValueError("results and rows of the manifest do not match one to one")
    return {result.row: result for result in results}


def _fold(header: str) -> str:
    return header.strip().casefold()


def number_columns(
    headers: Sequence[str], rows: Sequence[Row], columns: Iterable[int]
) -> frozenset[int]:
    """Return those of `columns` whose numbers are written as numbers.

    Every cell with a digit in it must be a plain number: where half a column were texts, sums would
    leave them out and sorting would separate them, silently. A key column keeps its texts: a key is
    no amount, and is compared with other lists as a text.

    Args:
        headers: the headers of the manifest.
        rows: all of its rows.
        columns: positions among `headers`.

    """
    names = map(fold_header, headers)
    keys = {index for index, name in enumerate(names) if name in ALIASES["key"]}
    return frozenset(
        index for index in columns if index not in keys and all(_fits(row, index) for row in rows)
    )


def own_values(
    row: Row, columns: Iterable[int], numbers: Collection[int]
) -> list[str | int | float]:
    """Return the values of a row's own columns; in those of `numbers`, numbers where they are.

    Args:
        row: the row.
        columns: the positions of the columns that are written.
        numbers: those of them that `number_columns` returned.

    """
    texts = row.cells
    return [
        _value(texts[index] if index < len(texts) else "", number=index in numbers)
        for index in columns
    ]


def _fits(row: Row, index: int) -> bool:
    text = row.cells[index] if index < len(row.cells) else ""
    return _is_number(text) or _DIGIT.search(text) is None


def _is_number(text: str) -> bool:
    if _PLAIN.fullmatch(text) is None:
        return False
    whole, _, decimals = text.removeprefix("-").partition(".")
    digits = f"{whole}{decimals}".lstrip("0")
    return len(whole) <= _MOST_WHOLE and len(digits) <= _MOST_DIGITS


def _value(text: str, *, number: bool) -> str | int | float:
    if not number or not _is_number(text):
        return text
    return float(text) if "." in text else int(text)
