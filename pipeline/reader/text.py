"""CSV, TSV and other delimited text: every cell as it stands, every record with its line number.

pandas reads the cells. It fills short records silently and knows no line numbers, so the records
are walked once before, with the csv module: what does not fit the header is named by line.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from pipeline.errors import ManifestError
from pipeline.formulas import unguard
from pipeline.model import Manifest, TextDialect
from pipeline.reader.delimiters import find_delimiter, stated_delimiter
from pipeline.reader.encodings import decode
from pipeline.reader.quotes import broken_quote
from pipeline.reader.table import Table, listed, manifest_of

if TYPE_CHECKING:
    from pathlib import Path

_RESULTS_MARK = "result_state"
_LAST_BREAK = re.compile(r"(?:\r\n|\n|\r)\s*\Z")
_FIRST_BREAK = re.compile(r"\r\n|\n|\r")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}


@dataclass(frozen=True, slots=True)
class _Records:
    """Where the records of a text begin (header first), and which blank ones pandas must skip."""

    lines: list[int]
    width: int
    skipped: frozenset[int]


def read_text(path: Path, data: bytes, *, encoding: str | None = None) -> Manifest:
    """Read the delimited text `data` of the file at `path`.

    `encoding` is tried where the bytes are no UTF-8. Raises ManifestError naming the line.
    """
    decoded = decode(data, path.name, encoding)
    text = decoded.text
    _refuse_nul(path, text)
    stated = stated_delimiter(text)
    body, first_line = (text[stated[1] :], 2) if stated else (text, 1)
    if not body.strip():
        raise ManifestError(
            f"{path.name} is empty: there is no header line in it.",
            action="Put the column names into its first line (at least `prompt`), rows below it.",
        )
    delimiter = stated[0] if stated else find_delimiter(body, path.suffix.lower())
    records = _walk(path, body, delimiter, first_line)
    columns = _columns(path, body, delimiter, records)
    dialect = TextDialect(
        delimiter, decoded.encoding, decoded.bom, _newline(text), sep_line=stated is not None
    )
    return _manifest(path, records, columns, dialect)


def _manifest(
    path: Path, records: _Records, columns: list[list[str]], dialect: TextDialect
) -> Manifest:
    header = [column[0] for column in columns]
    if any(name.strip().casefold() == _RESULTS_MARK for name in header):
        columns = [[unguard(cell) for cell in column] for column in columns]
        header = [column[0] for column in columns]
    for column in columns:
        del column[0]
    return manifest_of(Table(path, records.lines[0], header, records.lines[1:], columns, dialect))


def _newline(text: str) -> str:
    """The line break of the file: its last one, which cannot be inside of a quoted cell."""
    last = _LAST_BREAK.search(text[-1000:])
    found = _FIRST_BREAK.search(last[0] if last else text)
    return found[0] if found else "\n"


def _refuse_nul(path: Path, text: str) -> None:
    at = text.find("\0")
    if at >= 0:
        line = len(_FIRST_BREAK.findall(text, 0, at)) + 1
        raise ManifestError(
            f"{path.name}: line {line} holds a NUL character, which no text file has: the file is "
            "damaged, or no text.",
            action="Export the table again, as CSV UTF-8.",
        )


def _walk(path: Path, body: str, delimiter: str, first_line: int) -> _Records:
    """Find where each record begins; refuse the file where one does not fit the header."""
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
    return _Records(lines, width, frozenset(skipped))


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


def _columns(path: Path, body: str, delimiter: str, records: _Records) -> list[list[str]]:
    """Every column as text, header included, as pandas' C parser reads it."""
    frame = pd.read_csv(
        io.BytesIO(body.encode()),
        sep=delimiter,
        engine="c",
        dtype=str,
        names=range(records.width),
        header=None,
        keep_default_na=False,
        na_filter=False,
        skip_blank_lines=False,
        skiprows=sorted(records.skipped) or None,
    )
    if frame.shape != (len(records.lines), records.width):
        raise ManifestError(
            f"{path.name}: {len(records.lines)} lines of {records.width} cells were found, but "
            f"{frame.shape[0]} of {frame.shape[1]} were read.",
            action="Open the file in a spreadsheet program and save it again as CSV UTF-8.",
        )
    return [frame[name].tolist() for name in frame.columns]
