"""CSV, TSV and other delimited text: every cell as it stands, every record with its line number.

pandas reads the cells. It fills short records silently and knows no line numbers, so the records
are found first (see `records`): what does not fit the header is named by line.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pandas as pd

from pipeline.errors import ManifestError
from pipeline.formulas import unguard
from pipeline.model import Manifest, TextDialect
from pipeline.reader.delimiters import find_delimiter, stated_delimiter
from pipeline.reader.encodings import decode
from pipeline.reader.records import Records, records_of
from pipeline.reader.table import Table, manifest_of

if TYPE_CHECKING:
    from pathlib import Path

_RESULTS_MARK = "result_state"
_LAST_BREAK = re.compile(r"(?:\r\n|\n|\r)\s*\Z")
_FIRST_BREAK = re.compile(r"\r\n|\n|\r")


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
    utf8 = body.encode()
    records = records_of(path, body, utf8, delimiter, first_line)
    columns = _columns(path, utf8, delimiter, records)
    dialect = TextDialect(
        delimiter, decoded.encoding, decoded.bom, _newline(text), sep_line=stated is not None
    )
    return _manifest(path, records, columns, dialect)


def _manifest(
    path: Path, records: Records, columns: list[list[str]], dialect: TextDialect
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


def _columns(path: Path, data: bytes, delimiter: str, records: Records) -> list[list[str]]:
    """Every column as text, header included, as pandas' C parser reads it."""
    frame = pd.read_csv(
        io.BytesIO(data),
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
