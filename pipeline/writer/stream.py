"""The bytes of a sheet on their way from one workbook into another; see writer/sheet.py."""

from __future__ import annotations

from typing import IO

from pipeline.reader.workbook.package import tag_end


class Stream:
    """The bytes that the parser has seen and that are not written; offsets are the sheet's."""

    def __init__(self, source: IO[bytes], out: IO[bytes]) -> None:
        self.source, self.out = source, out
        self.window = bytearray()
        self.base = 0  # the offset of the window's first byte

    def raw(self, start: int, end: int) -> bytes:
        """Return the bytes between two offsets."""
        return bytes(self.window[start - self.base : end - self.base])

    def tag(self, start: int) -> int:
        """Return where the tag ends that begins at the offset `start`."""
        return tag_end(self.window, start - self.base) + self.base

    def copy(self, end: int) -> None:
        """Write everything before the offset `end` as it came."""
        self.out.write(self.window[: end - self.base])
        self.skip(end)

    def skip(self, end: int) -> None:
        """Leave out everything before the offset `end`."""
        del self.window[: end - self.base]
        self.base = end
