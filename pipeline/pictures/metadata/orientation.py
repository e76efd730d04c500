"""How a camera was held: the one entry of Exif that is kept.

Exif is a small TIFF file (TIFF 6.0, section 2): a byte order, and directories of entries of 12
bytes each, of which the first directory has the orientation. Some programs note it in XMP instead,
which is XML; that counts only where Exif says nothing.

Tested in tests/pictures/metadata/test_removal.py.
"""

from __future__ import annotations

import re
import struct

_TAG, _SHORT = 0x0112, 3
_UPRIGHT = 1
_TURNS = range(2, 9)
_IN_XMP = re.compile(rb"""tiff:Orientation\s*(?:=\s*["']|>)\s*([2-8])\s*["'<]""")
_MOST_ENTRIES = 1000


class Unwalkable(ValueError):
    """The pieces of a file cannot be told apart; the text says where."""


class Orientation:
    """What the metadata of a picture says about how it was held."""

    def __init__(self) -> None:
        self._in_exif: int | None = None
        self._in_xmp: int | None = None

    def note_exif(self, block: bytes) -> None:
        """Take in an Exif block, with or without its six letters in front; the first one counts."""
        if self._in_exif is None:
            self._in_exif = _read(block.removeprefix(b"Exif\0\0"))

    def note_xmp(self, text: bytes) -> None:
        """Take in an XMP text."""
        if self._in_xmp is None and (found := _IN_XMP.search(text)):
            self._in_xmp = int(found[1])

    def write(self) -> bytes:
        """Return an Exif block that says this alone; an empty one for an upright picture."""
        turn = self._in_exif or self._in_xmp or _UPRIGHT
        if turn not in _TURNS:
            return b""
        entry = struct.pack(">HHIHH", _TAG, _SHORT, 1, turn, 0)
        return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)


def _read(tiff: bytes) -> int | None:
    """Return the orientation; None if there is none that can be read."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return None
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, first)
        for number in range(min(entries, _MOST_ENTRIES)):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * number)
            if tag == _TAG and kind == _SHORT:
                return int(value)
    except struct.error:
        return None
    return None
