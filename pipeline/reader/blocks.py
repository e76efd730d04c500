"""The rows of a worksheet's XML in blocks of about a megabyte, as they are inflated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.parsers import expat

from pipeline.reader.package import chunks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

_OPENING = re.compile(rb"<((?:\w+:)?)sheetData(?:\s[^>]*?)?(/?)>")


class Blocks:
    """Whole rows, block by block. Afterwards `tail` is what stands behind the rows.

    `prefix` is the namespace prefix of the sheet's tags with its colon, mostly empty; it is known
    from the first block on. Raises expat.ExpatError for a sheet that breaks off.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._chunks = chunks(stream)
        self.prefix = b""
        self.tail = b""

    def __iter__(self) -> Iterator[bytes]:
        buffer = b""
        opening = None
        for chunk in self._chunks:
            buffer += chunk
            if opening := _OPENING.search(buffer):
                break
        if not opening:
            raise expat.ExpatError("a sheet has no rows part")
        self.prefix = opening[1]
        buffer = buffer[opening.end() :]
        if opening[2]:
            self.tail = buffer + b"".join(self._chunks)
            return
        yield from self._rows(buffer)

    def _rows(self, buffer: bytes) -> Iterator[bytes]:
        closing = b"</" + self.prefix + b"sheetData"
        row = b"<" + self.prefix + b"row"
        while (end := buffer.find(closing)) < 0:
            chunk = next(self._chunks, b"")
            if not chunk:
                raise expat.ExpatError("a sheet ends in the middle of its rows")
            cut = buffer.rfind(row)
            if cut > 0:
                yield buffer[:cut]
                buffer = buffer[cut:]
            buffer += chunk
        yield buffer[:end]
        self.tail = buffer[end:] + b"".join(self._chunks)
