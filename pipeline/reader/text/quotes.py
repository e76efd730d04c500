"""Find where a quote of a text file went wrong, after a record could not be read.

Tested in tests/reader/test_text.py and tests/reader/test_delimited.py.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from pipeline.errors import ManifestError

_QUOTE = '"'
_BREAKS = re.compile(r"\r\n|\n|\r")
_CLOSE_IT = 'Close the quote. A quote that is part of a quoted text is written twice ("").'


@dataclass(frozen=True, slots=True)
class _Quoted:
    """A quoted cell: where it opens, and where its closing quote is; None if it has none."""

    opens: int
    closes: int | None
    sound: bool


def broken_quote(
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
            quoted = _quoted(body, at, delimiter)
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
    opened = line + len(_BREAKS.findall(body, start, quoted.opens))
    if quoted.closes is None:
        return ManifestError(
            f"{name}: the quote that opens in line {opened} is never closed.", action=_CLOSE_IT
        )
    closed = line + len(_BREAKS.findall(body, start, quoted.closes))
    return ManifestError(
        f"{name}: the quote that opens in line {opened} is closed in line {closed} in the middle "
        "of a cell.",
        action=_CLOSE_IT,
    )


def _offset(body: str, lines: int) -> int:
    stream = io.StringIO(body, newline="")
    return sum(len(next(stream, "")) for _ in range(lines))


def _quoted(body: str, opens: int, delimiter: str) -> _Quoted:
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
    while at < len(body) and body[at] not in {delimiter, "\n", "\r"}:
        at += 1
    return at + 1
