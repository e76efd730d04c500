"""Where the records of a delimited text begin, and whether each has as many cells as the header.

A text in perfect order is counted in its bytes, which costs a third of walking it; every other one
is walked with the csv module, so that what does not fit can be named by line.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ManifestError
from pipeline.reader.quotes import broken_quote
from pipeline.reader.table import listed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    Places = npt.NDArray[np.intp]

_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_QUOTE, _BREAK, _RETURN = b'"\n\r'
# Counting takes some ten bytes of memory for each byte of text.
_COUNTED_BYTES = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class Records:
    """Where the records of a text begin (header first), and which blank ones pandas must skip."""

    lines: Sequence[int]
    width: int
    skipped: frozenset[int] = frozenset()


def records_of(path: Path, body: str, data: bytes, delimiter: str, first_line: int) -> Records:
    """Find where each record of `body` begins; `data` is the same text as UTF-8.

    Raises ManifestError naming the lines that do not fit the header, or the quote that is broken.
    """
    return _counted(data, delimiter, first_line) or _walked(path, body, delimiter, first_line)


def _counted(data: bytes, delimiter: str, first_line: int) -> Records | None:
    """The records of a text in perfect order; None where anything needs a closer look.

    In order are records of one width, without lone carriage returns, where every quote opens or
    closes a whole cell or is one of a pair inside of one: then what is quoted is told by whether an
    even or an odd number of quotes stands before it.
    """
    sign = delimiter.encode()
    if len(sign) > 1 or sign in b'"\r\n' or len(data) > _COUNTED_BYTES:
        return None
    if _RETURN in data and data.count(b"\r") != data.count(b"\r\n"):
        return None
    text = np.frombuffer(data if data.endswith(b"\n") else data + b"\n", np.uint8)
    breaks, signs = np.flatnonzero(text == _BREAK), np.flatnonzero(text == sign[0])
    whole = np.ones(len(breaks), np.bool_)  # the breaks that end a record
    if _QUOTE in data:
        quotes = text == _QUOTE
        if not _in_order(text, np.flatnonzero(quotes), sign[0]):
            return None
        quoted = np.bitwise_xor.accumulate(quotes)
        whole, signs = ~quoted[breaks], signs[~quoted[signs]]
    ends = breaks[whole]
    counts = np.diff(np.searchsorted(signs, ends), prepend=0)
    alike = counts[0] > 0 and (counts == counts[0]).all()
    longest = np.diff(ends, prepend=-1).max()
    if not alike or longest > csv.field_size_limit() or not _speaks(data[: ends[0]], sign):
        return None
    starts = np.flatnonzero(whole)[:-1] + (first_line + 1)
    return Records([first_line, *starts.tolist()], int(counts[0]) + 1)


def _in_order(text: npt.NDArray[np.uint8], quotes: Places, sign: int) -> Any:  # noqa: ANN401 - numpy's truth
    """Whether each quote stands at an edge of a cell, or beside another one inside of it.

    The text ends with a line break: what stands "before" a quote that begins it is that one.
    """
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before, after = text[opening - 1], text[closing + 1]
    return np.isin(before, (sign, _BREAK, _QUOTE)).all() and (
        np.isin(after, (sign, _BREAK, _RETURN, _QUOTE)).all()
    )


def _speaks(header: bytes, sign: bytes) -> bool:
    """Whether the first record has any text, so that it is the header."""
    return bool(header.replace(sign, b" ").replace(b'"', b" ").decode().strip())


def _walked(path: Path, body: str, delimiter: str, first_line: int) -> Records:
    lines: list[int] = []
    skipped: set[int] = set()
    wrong: list[tuple[int, int]] = []
    width = count = 0
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    line = first_line
    try:
        for fields in reader:
            if (width and len(fields) == width) or (not width and any(map(str.strip, fields))):
                width = len(fields)
                lines.append(line)
            elif any(map(str.strip, fields)):
                wrong.append((line, len(fields)))
            else:
                skipped.add(count)
            count += 1
            line = first_line + reader.line_num
    except csv.Error as error:
        raise broken_quote(path.name, body, delimiter, first_line, line) from error
    if wrong:
        raise _wrong_width(path, wrong, width, delimiter)
    return Records(lines, width, frozenset(skipped))


def _wrong_width(
    path: Path, wrong: list[tuple[int, int]], width: int, delimiter: str
) -> ManifestError:
    lines = [line for line, _ in wrong]
    sign = _NAMES.get(delimiter, repr(delimiter))
    return ManifestError(
        f"{path.name}: the header has {width} {'cell' if width == 1 else 'cells'}, but line "
        f"{lines[0]} has {wrong[0][1]}"
        + (f" (lines {listed(lines)} do not fit)." if len(lines) > 1 else "."),
        action=f"Cells are parted by a {sign} here: put a text that holds one into double quotes, "
        "and give each line as many cells as the header.",
    )
