"""Text tables, written as the manifest was: delimiter, encoding, line ends, byte order mark.

A manifest that begins with Excel's line `sep=;` gives a file that does. Blank lines are no rows and
are left out. Every cell goes through `manifest.plaintext.guard`, and those of result columns
through `guard_within`, so that a spreadsheet program runs nothing when it opens the file; the
reader takes the guards off again in every file with a `result_state` column.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from pipeline.manifest.plaintext import guard, guard_within
from pipeline.manifest.resultcolumns import our_columns
from pipeline.model import TextDialect

_BUFFER_LINES = 2000


class _Lines:
    """Takes lines from the csv module, changes their ends and encodes them."""

    def __init__(self, file: BinaryIO, dialect: TextDialect) -> None:
        self.file = file
        self.encoding = _plain_encoding(dialect.encoding)
        self.newline = dialect.newline
        self.pending: list[str] = []
        self.replaced = 0

    def write(self, line: str) -> None:
        self.pending.append(line[:-2] + self.newline)
        if len(self.pending) >= _BUFFER_LINES:
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
    """Write a table and return how many characters its encoding lacks; they are written as `?`.

    Args:
        file: where to.
        dialect: how the manifest was written.
        headers: the first line.
        rows: the cells of the other lines.

    """
    lines = _Lines(file, dialect)
    if dialect.bom:
        file.write("\ufeff".encode(lines.encoding))
    if dialect.sep_line:
        lines.write(f"sep={dialect.delimiter}\r\n")
    # The csv module quotes only the line ends that it writes itself: with CR and LF, a lone one of
    # them inside a cell is quoted too. `_Lines` replaces them by the manifest's own line end.
    table = csv.writer(lines, delimiter=dialect.delimiter, lineterminator="\r\n")
    table.writerow(_safe(headers, ()))
    ours = sorted(our_columns(headers))
    table.writerows(_safe(row, ours) for row in rows)
    lines.flush()
    return lines.replaced


def _safe(cells: Sequence[str], ours: Sequence[int]) -> Sequence[str]:
    """Guard the cells of a line; those at the places `ours`, which a run writes, within, too."""
    within = {
        index: guard_within(cells[index])
        for index in ours
        if index < len(cells) and not cells[index].isalnum()
    }
    # No formula begins with a letter or a digit: most rows need no look at each cell.
    plain = "".join([cell[:1] for cell in cells]).isalnum()
    if plain and all(cells[index] == text for index, text in within.items()):
        return cells
    return [within[index] if index in within else guard(cell) for index, cell in enumerate(cells)]


def _plain_encoding(name: str) -> str:
    """Return the codec that writes no byte order mark itself: the dialect says if there is one."""
    known = codecs.lookup(name).name
    return {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(known, known)


def _fits(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
