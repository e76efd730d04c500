"""CSV, TSV and other delimited text: every cell as it stands, every record with its line number.

Tested in tests/reader/test_text.py and tests/reader/test_delimited.py.
"""

from __future__ import annotations

import csv
import io
import re
from array import array
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from pipeline.errors import ManifestError
from pipeline.manifest.blank import all_blank, is_blank
from pipeline.manifest.packedrows import BLOCK_ROWS, PackedRows
from pipeline.manifest.plaintext import unguard, unguard_within
from pipeline.manifest.resultcolumns import our_columns
from pipeline.manifest.wording import count, list_numbers
from pipeline.model import Manifest, TextDialect
from pipeline.reader.table import FIRST_LINES, Table, manifest_of, share_equal
from pipeline.reader.text.dialect import decode_text, find_delimiter, stated_delimiter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pipeline.manifest.earlier import FoundOut

    Record = tuple[int, list[str]]

_QUOTE = '"'
_CLOSE_IT = 'Close the quote. A quote that is part of a quoted text is written twice ("").'
_RESULTS_MARK = "result_state"
# A byte order mark written twice, or kept behind a `sep=` line that was put before it.
_SECOND_MARK = "\ufeff"
_LAST_BREAK = re.compile(r"(?:\r\n|\n|\r)\s*\Z")
_BREAK = re.compile(r"\r\n|\n|\r")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
# So many rows are kept packed: as Python's texts they would take a gigabyte.
_MANY_LINES = 200_000
# As far as spreadsheet programs go.
_MOST_ROWS, _MOST_COLUMNS = 2**20, 2**14
_LONGEST_HEADER = 1000
# No row of a table is as long: it would take minutes to be looked at.
_LONGEST_RECORD = 2**24
# 100,000 rows of long prompts are some 50 MB, and a text takes several times its size to read.
_MOST_BYTES = 256 * 1024**2
_FEWER = "Split it, or take out columns and rows that no video needs."


def read_text(
    path: Path, data: bytes, *, encoding: str | None = None, kept: FoundOut | None = None
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
    del data  # of a large table each copy less counts
    text = decoded.text
    _refuse_nul(path, text)
    stated = stated_delimiter(text)
    body, first_line = (text[stated[1] :], 2) if stated else (text, 1)
    body = body.removeprefix(_SECOND_MARK)
    delimiter = stated[0] if stated else find_delimiter(body, path.suffix.lower())
    dialect = TextDialect(
        delimiter, decoded.encoding, decoded.bom, _newline(text), sep_line=stated is not None
    )
    note, many = decoded.note, _has_many_lines(body)
    # StringIO would take four bytes for each character.
    encoded = body.encode()
    del decoded, text, body
    table = _table_of(path, encoded, delimiter, first_line, many=many)
    manifest = manifest_of(replace(table, dialect=dialect))
    return replace(manifest, notes=(note,)) if note else manifest


def _has_many_lines(body: str) -> bool:
    lines = body.count("\n")
    return lines > _MANY_LINES or lines + body.count("\r") > _MANY_LINES


def _refuse_nul(path: Path, text: str) -> None:
    at = text.find("\0")
    if at >= 0:
        line = len(_BREAK.findall(text, 0, at)) + 1
        raise ManifestError(
            f"{path.name}: line {line} holds a NUL character, which no text file has: the file is "
            "damaged, or not text.",
            action="Export the table again, as CSV UTF-8.",
        )


def _table_of(path: Path, encoded: bytes, delimiter: str, first_line: int, *, many: bool) -> Table:
    """Read the records of a text in UTF-8, whose first line has the number `first_line`.

    Blank records are among them where they are as wide as the header. Of `many` lines the rows are
    packed, and the table has the first cells of its columns, and all of those without a header.
    """
    walk = _walk(path, encoded, delimiter, first_line)
    line, header = next(((line, cells) for line, cells in walk if not all_blank(cells)), (0, []))
    if not header:
        raise ManifestError(
            f"{path.name} is empty: there is no header line in it.",
            action="Put the column names into its first line (at least `prompt`), rows below it.",
        )
    _refuse_odd_header(path.name, line, header)
    unguards = _unguards_of(header)
    found = _Found(len(header), many=many)
    while batch := list(islice(walk, BLOCK_ROWS)):
        found.add(batch, unguards)
    if found.wrong:
        raise _wrong_width(path, found.wrong, found.width, delimiter)
    if unguards is not None:
        header = [*map(unguard, header)]
    return found.table(path, line, header)


class _Found:
    """The cells of the records so far, in columns; of many records as packed rows."""

    def __init__(self, width: int, *, many: bool) -> None:
        self.width = width
        self.wrong: list[tuple[int, int]] = []
        self._packed = PackedRows() if many else None
        self._numbers: list[int] | array[int] = array("q") if many else []
        self._columns: list[list[str]] = [[] for _ in range(width)]

    def add(self, batch: Sequence[Record], unguards: Sequence[Callable[[str], str]] | None) -> None:
        """Take in records; those that do not fit are wrong unless they are blank."""
        lines, rows = zip(*batch, strict=True)
        if {*map(len, rows)} != {self.width}:
            odd = (one for one in batch if len(one[1]) != self.width and not all_blank(one[1]))
            self.wrong.extend((line, len(cells)) for line, cells in odd)
            fitting = [record for record in batch if len(record[1]) == self.width]
            lines, rows = zip(*fitting, strict=True) if fitting else ((), ())
        if not rows or self.wrong:
            return
        if unguards is not None:
            rows = tuple(
                [take(cell) for take, cell in zip(unguards, cells, strict=True)] for cells in rows
            )
        if self._packed is not None:
            self._packed.add(lines, rows)
        if self._packed is None or len(self._numbers) < FIRST_LINES:
            for column, cells in zip(self._columns, zip(*rows, strict=True), strict=True):
                column.extend(cells if self._packed is not None else share_equal(cells))
        self._numbers.extend(lines)

    def table(self, path: Path, line: int, header: list[str]) -> Table:
        """Return all of them as a table under the header, which stands on this line."""
        packed, columns = self._packed, self._columns
        if packed is not None and len(packed):
            columns = [
                [*packed.texts_of(at)] if is_blank(header[at]) else cells
                for at, cells in enumerate(columns)
            ]
        return Table(path, line, header, self._numbers, columns, packed=packed)


def _unguards_of(header: Sequence[str]) -> list[Callable[[str], str]] | None:
    """Return what takes the guards from the cells of each column of results; None for others."""
    if not any(name.strip().casefold() == _RESULTS_MARK for name in header):
        return None
    ours = our_columns([*map(unguard, header)])
    return [unguard_within if at in ours else unguard for at in range(len(header))]


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


def _walk(path: Path, encoded: bytes, delimiter: str, first_line: int) -> Iterator[Record]:
    """Yield each record with the line that it begins on."""
    stream = io.TextIOWrapper(io.BytesIO(encoded), "utf-8", newline="")
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
        body = encoded.decode()
        raise _broken_quote(path.name, body, delimiter, first_line, line) from error


class _Lines:
    """The lines of a text, as records are read from them, some at a time.

    A signal is heeded between two of those.
    """

    def __init__(self, name: str, stream: io.TextIOWrapper) -> None:
        self._name = name
        self._stream = stream
        self._in_record = 0

    def begin_record(self) -> None:
        self._in_record = 0

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._some())

    def _some(self) -> Iterator[list[str]]:
        while lines := self._stream.readlines(_LONGEST_RECORD // 256):
            self._in_record += sum(map(len, lines))
            if self._in_record > _LONGEST_RECORD:
                raise ManifestError(
                    f"{self._name} has a row of more than {_LONGEST_RECORD:,} characters, which no "
                    "table has.",
                    action="Save the table again as CSV, with a line break behind each row.",
                )
            yield lines


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
