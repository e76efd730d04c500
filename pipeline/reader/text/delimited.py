"""CSV, TSV and other delimited text: every cell as it stands, every record with its line number.

Tested in tests/reader/test_text.py and tests/reader/test_delimited.py.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.errors import ManifestError
from pipeline.manifest.blank import all_blank
from pipeline.manifest.plaintext import unguard, unguard_within
from pipeline.manifest.resultcolumns import our_columns
from pipeline.manifest.wording import count, list_numbers
from pipeline.model import Manifest, TextDialect
from pipeline.reader.table import Table, manifest_of, share_equal
from pipeline.reader.text.dialect import decode_text, find_delimiter, stated_delimiter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.manifest.asbefore import Reading

    Record = tuple[int, list[str]]

_QUOTE = '"'
_CLOSE_IT = 'Close the quote. A quote that is part of a quoted text is written twice ("").'
_RESULTS_MARK = "result_state"
# A byte order mark written twice, or kept behind a `sep=` line that was put before it.
_SECOND_MARK = "\ufeff"
_LAST_BREAK = re.compile(r"(?:\r\n|\n|\r)\s*\Z")
_BREAK = re.compile(r"\r\n|\n|\r")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
# Records become columns in batches: lists of all of them are never held beside the columns.
_BATCH = 1000
# As far as spreadsheet programs go.
_MOST_ROWS, _MOST_COLUMNS = 2**20, 2**14
_LONGEST_HEADER = 1000
# No row of a table is as long: it would take minutes to be looked at.
_LONGEST_RECORD = 2**24
# 100,000 rows of long prompts are some 50 MB, and a text takes several times its size to read.
_MOST_BYTES = 256 * 1024**2
_FEWER = "Split it, or take out columns and rows that no video needs."


def read_text(
    path: Path, data: bytes, *, encoding: str | None = None, kept: Reading | None = None
) -> Manifest:
    """Read a delimited text.

    Args:
        path: where it was read from; its suffix says which delimiter is usual.
        data: the whole file.
        encoding: `manifest.encoding`, tried where the bytes are not UTF-8.
        kept: how it was read when it was run before; None if it never was.

    Raises:
        ManifestError: it cannot be read as a table; it names the lines.

    """
    if len(data) > _MOST_BYTES:
        raise ManifestError(
            f"{path.name} has {len(data):,} bytes; a manifest of text has at most {_MOST_BYTES:,}.",
            action=_FEWER,
        )
    decoded = decode_text(data, path.name, encoding, kept)
    text = decoded.text
    _refuse_nul(path, text)
    stated = stated_delimiter(text)
    body, first_line = (text[stated[1] :], 2) if stated else (text, 1)
    body = body.removeprefix(_SECOND_MARK)
    delimiter = stated[0] if stated else find_delimiter(body, path.suffix.lower())
    table = _table_of(path, body, delimiter, first_line)
    if any(name.strip().casefold() == _RESULTS_MARK for name in table.header):
        header = [*map(unguard, table.header)]
        ours = our_columns(header)
        columns = [
            [*map(unguard_within if at in ours else unguard, cells)]
            for at, cells in enumerate(table.columns)
        ]
        table = replace(table, header=header, columns=columns)
    dialect = TextDialect(
        delimiter, decoded.encoding, decoded.bom, _newline(text), sep_line=stated is not None
    )
    manifest = manifest_of(replace(table, dialect=dialect))
    return replace(manifest, notes=(decoded.note,)) if decoded.note else manifest


def _refuse_nul(path: Path, text: str) -> None:
    at = text.find("\0")
    if at >= 0:
        line = len(_BREAK.findall(text, 0, at)) + 1
        raise ManifestError(
            f"{path.name}: line {line} holds a NUL character, which no text file has: the file is "
            "damaged, or not text.",
            action="Export the table again, as CSV UTF-8.",
        )


def _table_of(path: Path, body: str, delimiter: str, first_line: int) -> Table:
    """Read the records of `body`, whose first line has the number `first_line` in the file.

    Blank records are among them where they are as wide as the header.
    """
    walk = _walk(path, body, delimiter, first_line)
    line, header = next(((line, cells) for line, cells in walk if not all_blank(cells)), (0, []))
    if not header:
        raise ManifestError(
            f"{path.name} is empty: there is no header line in it.",
            action="Put the column names into its first line (at least `prompt`), rows below it.",
        )
    width = len(header)
    _refuse_odd_header(path.name, line, header)
    numbers: list[int] = []
    columns: list[list[str]] = [[] for _ in header]
    wrong: list[tuple[int, int]] = []
    while batch := list(islice(walk, _BATCH)):
        fitting = [record for record in batch if len(record[1]) == width]
        if len(fitting) < len(batch):
            odd = (one for one in batch if len(one[1]) != width and not all_blank(one[1]))
            wrong.extend((line, len(cells)) for line, cells in odd)
        if fitting and not wrong:
            lines, rows = zip(*fitting, strict=True)
            numbers.extend(lines)
            for column, cells in zip(columns, zip(*rows, strict=True), strict=True):
                column.extend(share_equal(cells))
    if wrong:
        raise _wrong_width(path, wrong, width, delimiter)
    return Table(path, line, header, numbers, columns)


def _too_many_rows(name: str) -> ManifestError:
    return ManifestError(
        f"{name} has more than {_MOST_ROWS:,} rows, the most of any spreadsheet.", action=_FEWER
    )


def _refuse_odd_header(name: str, line: int, header: list[str]) -> None:
    """Refuse headers that are more, or longer, than those of any table."""
    if len(header) > _MOST_COLUMNS:
        raise ManifestError(
            f"{name}: the header in line {line} has {len(header):,} cells; a table has at most "
            f"{_MOST_COLUMNS:,} columns.",
            action=_FEWER,
        )
    for number, text in enumerate(header, 1):
        if len(text) > _LONGEST_HEADER:
            raise ManifestError(
                f"{name}: the header of column {number} in line {line} has {len(text):,} "
                f"characters; a header has at most {_LONGEST_HEADER:,}.",
                action="Put the column names into the first line, rows below it.",
            )


def _walk(path: Path, body: str, delimiter: str, first_line: int) -> Iterator[Record]:
    """Yield each record with the line that it begins on."""
    # StringIO would take four bytes for each character.
    stream = io.TextIOWrapper(io.BytesIO(body.encode()), "utf-8", newline="")
    lines = _Lines(path.name, stream)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = first_line
    try:
        for records, cells in enumerate(reader):
            if records > _MOST_ROWS:
                raise _too_many_rows(path.name)
            lines.begin_record()
            yield line, cells
            line = first_line + reader.line_num
    except csv.Error as error:
        raise _broken_quote(path.name, body, delimiter, first_line, line) from error


class _Lines:
    """The lines of a text, as records are read from them; a signal is heeded between two lines."""

    def __init__(self, name: str, stream: io.TextIOWrapper) -> None:
        self._name = name
        self._stream = stream
        self._in_record = 0

    def begin_record(self) -> None:
        self._in_record = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._stream.readline(_LONGEST_RECORD + 1):
            self._in_record += len(line)
            if self._in_record > _LONGEST_RECORD:
                raise ManifestError(
                    f"{self._name} has a row of more than {_LONGEST_RECORD:,} characters, which no "
                    "table has.",
                    action="Save the table again as CSV, with a line break behind each row.",
                )
            yield line


def _wrong_width(
    path: Path, wrong: list[tuple[int, int]], width: int, delimiter: str
) -> ManifestError:
    lines = [line for line, _ in wrong]
    sign = _NAMES.get(delimiter, repr(delimiter))
    return ManifestError(
        f"{path.name}: the header has {count(width, 'cell')}, but line "
        f"{lines[0]} has {wrong[0][1]}"
        + (f" (lines {list_numbers(lines)} do not fit)." if len(lines) > 1 else "."),
        action=f"The delimiter here is a {sign}: put a text that holds one into double quotes, "
        "and give each line as many cells as the header.",
    )


def _newline(text: str) -> str:
    """Return the line break of the file: the last, which cannot be inside a quoted cell."""
    last = _LAST_BREAK.search(text[-1000:])
    found = _BREAK.search(last[0] if last else text)
    return found[0] if found else "\n"


@dataclass(frozen=True, slots=True)
class _Quoted:
    """A quoted cell: where it opens, and where its closing quote is; None if it has none."""

    opens: int
    closes: int | None
    sound: bool


def _broken_quote(
    name: str, body: str, delimiter: str, first_line: int, record_line: int
) -> ManifestError:
    """Say where the quote opens that made a record unreadable.

    Args:
        name: the name of the file.
        body: its text, from the line `first_line` on.
        delimiter: the sign between cells.
        first_line: the number of the first line of `body` in the file.
        record_line: the number of the line on which the record begins.

    """
    start = _offset(body, record_line - first_line)
    at = start
    while at < len(body):
        if body[at] == _QUOTE:
            quoted = _follow_quote(body, at, delimiter)
            if quoted.closes is not None and quoted.closes - at > csv.field_size_limit():
                break
            if not quoted.sound:
                return _sentence(name, body, quoted, start, record_line)
            at = (quoted.closes or at) + 1
        at = _next_field(body, at, delimiter)
    return ManifestError(
        f"{name}: a cell of the record in line {record_line} is longer than "
        f"{csv.field_size_limit():,} characters.",
        action="Shorten the cell, or check whether a quote before it is never closed.",
    )


def _sentence(name: str, body: str, quoted: _Quoted, start: int, line: int) -> ManifestError:
    opened = line + len(_BREAK.findall(body, start, quoted.opens))
    if quoted.closes is None:
        return ManifestError(
            f"{name}: the quote that opens in line {opened} is never closed.", action=_CLOSE_IT
        )
    closed = line + len(_BREAK.findall(body, start, quoted.closes))
    return ManifestError(
        f"{name}: the quote that opens in line {opened} is closed in line {closed} in the middle "
        "of a cell.",
        action=_CLOSE_IT,
    )


def _offset(body: str, lines: int) -> int:
    stream = io.StringIO(body, newline="")
    return sum(len(next(stream, "")) for _ in range(lines))


def _follow_quote(body: str, opens: int, delimiter: str) -> _Quoted:
    """Follow the quoted cell that opens at `opens` to its end, or to where it goes wrong."""
    at = opens + 1
    while (at := body.find(_QUOTE, at)) >= 0:
        after = body[at + 1 : at + 2]
        if after != _QUOTE:
            return _Quoted(opens, at, sound=after in {"", delimiter, "\n", "\r"})
        at += 2
    return _Quoted(opens, None, sound=False)


def _next_field(body: str, at: int, delimiter: str) -> int:
    """Find the beginning of the cell after the one that `at` is in."""
    found = re.compile(f"[{re.escape(delimiter)}\r\n]").search(body, at)
    return found.end() if found else len(body)
