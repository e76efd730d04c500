"""Whole rows of a worksheet, block by block as its part is inflated.

Every byte is searched once, however long a row is, and what is held has limits: the head of a
sheet, a row, and what stands behind the rows.

Tested in tests/reader/test_workbook.py and tests/reader/test_linear.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.parsers import expat

from pipeline.reader.workbook.damage import Damage
from pipeline.reader.workbook.package import chunks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

_OPENING = re.compile(rb"<((?:\w+:)?)sheetData(?:\s[^<>]*?)?(/?)>")
# 16,384 columns take 2 MB of a head; a row of as many cells, each with a long text, some 30 MB.
_MOST_HEAD_BYTES = 16 * 1024**2
_MOST_ROW_BYTES = 64 * 1024**2
_MOST_TAIL_BYTES = 64 * 1024**2
# No spreadsheet program writes any.
_MOST_COMMENT_BYTES = 64 * 1024


class Blocks:
    """Whole rows, block by block. Afterwards `tail` is what stands behind the rows.

    `prefix` is the namespace prefix of the sheet's tags with its colon, mostly empty. Raises
    expat.ExpatError for a sheet that breaks off, Damage for one with a row without end.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self.tail = b""
        self._chunks = chunks(stream)
        self._buffer = bytearray()
        self.prefix, self._is_empty, ends = self._find_rows()
        del self._buffer[:ends]

    def _find_rows(self) -> tuple[bytes, bool, int]:
        """Find the tag before the rows: its prefix, whether there are none, and where it ends."""
        searched = 0
        for chunk in self._chunks:
            self._buffer += chunk
            if opening := _OPENING.search(self._buffer, searched):
                _without_comments(bytes(self._buffer[: opening.start()]))
                return bytes(opening[1]), bool(opening[2]), opening.end()
            searched = max(searched, self._buffer.rfind(b"<", searched))
            _demand_end(self._buffer, _MOST_HEAD_BYTES, "before its rows")
        raise expat.ExpatError("a sheet has no rows part")

    def __iter__(self) -> Iterator[bytes]:
        closing = b"</" + self.prefix + b"sheetData"
        row = b"<" + self.prefix + b"row"
        buffer, searched, end = self._buffer, 0, 0
        while not self._is_empty and (end := buffer.find(closing, searched)) < 0:
            cut = buffer.rfind(row, max(1, searched))
            if cut > 0:
                yield bytes(buffer[:cut])
                del buffer[:cut]
            _demand_end(buffer, _MOST_ROW_BYTES, "in one row")
            searched = max(0, len(buffer) - len(closing))
            chunk = next(self._chunks, b"")
            if not chunk:
                raise expat.ExpatError("a sheet ends in the middle of its rows")
            buffer += chunk
        yield bytes(buffer[:end])
        del buffer[:end]
        for chunk in self._chunks:
            buffer += chunk
            _demand_end(buffer, _MOST_TAIL_BYTES, "behind its rows")
        self.tail = _without_comments(bytes(buffer))


def _without_comments(markup: bytes) -> bytes:
    """Return the markup without its comments; raises Damage for a long one."""
    kept, at = [], 0
    while (begins := markup.find(b"<!--", at)) >= 0:
        kept.append(markup[at:begins])
        ends = markup.find(b"-->", begins)
        at = len(markup) if ends < 0 else ends + 3
        if at - begins > _MOST_COMMENT_BYTES:
            raise Damage(f"a sheet holds a comment of {at - begins:,} bytes")
    return b"".join([*kept, markup[at:]])


def _demand_end(buffer: bytearray, most_bytes: int, where: str) -> None:
    if len(buffer) > most_bytes:
        raise Damage(f"a sheet has more than {most_bytes:,} bytes {where}")
