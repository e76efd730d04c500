"""CSV, TSV and other delimited text: every cell as it stands, every record with its line number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.errors import ManifestError
from pipeline.manifest.formulas import unguard
from pipeline.model import Manifest, TextDialect
from pipeline.reader.delimiters import find_delimiter, stated_delimiter
from pipeline.reader.encodings import decode
from pipeline.reader.records import Records, records_of
from pipeline.reader.table import Table, manifest_of

if TYPE_CHECKING:
    from pathlib import Path

_RESULTS_MARK = "result_state"
# A byte order mark written twice, or kept behind a `sep=` line that was put before it.
_SECOND_MARK = "\ufeff"
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
    body = body.removeprefix(_SECOND_MARK)
    delimiter = stated[0] if stated else find_delimiter(body, path.suffix.lower())
    records = records_of(path, body, delimiter, first_line)
    dialect = TextDialect(
        delimiter, decoded.encoding, decoded.bom, _newline(text), sep_line=stated is not None
    )
    return _manifest(path, records, dialect)


def _manifest(path: Path, records: Records, dialect: TextDialect) -> Manifest:
    header, columns = records.header, records.columns
    if any(name.strip().casefold() == _RESULTS_MARK for name in header):
        header = [unguard(name) for name in header]
        columns = [[unguard(cell) for cell in column] for column in columns]
    return manifest_of(Table(path, records.header_line, header, records.lines, columns, dialect))


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
