"""Text tables out, written the way the manifest was: delimiter, encoding, line ends, BOM.

A manifest that begins with Excel's line `sep=;` gives a file that does; its blank lines are no rows
and are not written again. Every cell goes through `formulas.guard`, so that a spreadsheet program
runs nothing on opening the file; the reader takes the guard off again in every file that has a
`result_state` column.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from pipeline.manifest.plaintext import guard
from pipeline.model import TextDialect

BUFFER_LINES = 2000


class _Lines:
    """Takes each line of the csv module, gives it the wanted end and encodes it."""

    def __init__(self, file: BinaryIO, dialect: TextDialect) -> None:
        self.file = file
        self.encoding = _plain_encoding(dialect.encoding)
        self.newline = dialect.newline
        self.pending: list[str] = []
        self.replaced = 0

    def write(self, line: str) -> None:
        self.pending.append(line[:-2] + self.newline)
        if len(self.pending) >= BUFFER_LINES:
            self.flush()

    def flush(self) -> None:
        # No reader of text tables keeps a NUL.
        text = "".join(self.pending).replace("\0", "?")
        self.pending.clear()
        try:
            data = text.encode(self.encoding)
        except UnicodeEncodeError:
            data = text.encode(self.encoding, errors="replace")
            self.replaced += sum(not _fits(character, self.encoding) for character in text)
        self.file.write(data)


def write_text(
    file: BinaryIO, dialect: TextDialect, headers: Sequence[str], rows: Iterable[Sequence[str]]
) -> int:
    """Write a table and return how many characters the encoding has no place for (now `?`)."""
    lines = _Lines(file, dialect)
    if dialect.bom:
        file.write("\ufeff".encode(lines.encoding))
    if dialect.sep_line:
        lines.write(f"sep={dialect.delimiter}\r\n")
    # The csv module quotes only the line ends it writes itself: with both, a lone CR or LF inside
    # a cell is safe as well. `_Lines` puts the manifest's own line end in place.
    table = csv.writer(lines, delimiter=dialect.delimiter, lineterminator="\r\n")
    table.writerow(_safe(headers))
    table.writerows(map(_safe, rows))
    lines.flush()
    return lines.replaced


def _safe(cells: Sequence[str]) -> Sequence[str]:
    # Letters and digits begin no formula: of most rows no cell has to be looked at by itself.
    if "".join([cell[:1] for cell in cells]).isalnum():
        return cells
    return [guard(cell) for cell in cells]


def _plain_encoding(name: str) -> str:
    """The codec without a BOM of its own: the dialect says whether there is one."""
    known = codecs.lookup(name).name
    return {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(known, known)


def _fits(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
