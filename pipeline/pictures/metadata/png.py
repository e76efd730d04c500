"""A PNG file without its metadata (W3C, Portable Network Graphics, third edition).

A PNG is a signature and a row of chunks: length, four letters, content, checksum. IEND is the last.
Kept are the chunks that make the picture, those of an animation among them, and those that say what
its colours mean. Texts, times, Exif and private chunks go. The name of a colour profile, which is
free text, becomes a letter.

Tested in tests/pictures/metadata/test_removal.py.
"""

from __future__ import annotations

import struct
import zlib

from pipeline.pictures.metadata.orientation import Orientation, Unwalkable

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = frozenset(
    {
        *(b"IHDR", b"PLTE", b"IDAT", b"tRNS"),
        *(b"acTL", b"fcTL", b"fdAT"),
        *(b"cHRM", b"gAMA", b"sRGB", b"cICP", b"mDCV", b"mDCv", b"cLLI", b"cLLi", b"sBIT"),
        *(b"bKGD", b"pHYs"),
    }
)
_PROFILE, _PROFILE_NAME = b"iCCP", b"p"
_EXIF, _TEXT, _XMP = b"eXIf", b"iTXt", b"XML:com.adobe.xmp\0"
_FRAME_BYTES = 12


def rewrite_png(data: bytes, *, longest_profile_bytes: int | None = None) -> bytes:
    """Return the file without its metadata; raises Unwalkable.

    Args:
        data: the file.
        longest_profile_bytes: a colour profile that unfolds to more goes, too; None: it stays.

    """
    if not data.startswith(_SIGNATURE):
        raise Unwalkable("it does not begin as a PNG")
    kept: list[bytes] = []
    orientation = Orientation()
    at = len(_SIGNATURE)
    while True:
        if at + _FRAME_BYTES > len(data):
            raise Unwalkable("its end is missing")
        (length,) = struct.unpack_from(">I", data, at)
        kind, end = data[at + 4 : at + 8], at + _FRAME_BYTES + int(length)
        if end > len(data):
            raise Unwalkable(f"its chunk at byte {at:,} is longer than the file")
        if kind == b"IEND":
            break
        if kind in _KEPT:
            kept.append(data[at:end])
        elif kind == _PROFILE:
            if not _is_longer(data[at + 8 : end - 4], longest_profile_bytes):
                kept.append(_without_name(data[at + 8 : end - 4]))
        else:
            _note(kind, data[at + 8 : end - 4], orientation)
        at = end
    if not kept or kept[0][4:8] != b"IHDR":
        raise Unwalkable("it does not begin with its header")
    exif = orientation.write()
    # Behind the header: Exif may stand before or behind the picture, but not in the middle of it.
    return b"".join(
        [_SIGNATURE, kept[0], _chunk(_EXIF, exif) if exif else b"", *kept[1:], _chunk(b"IEND")]
    )


def _note(kind: bytes, content: bytes, orientation: Orientation) -> None:
    if kind == _EXIF:
        orientation.note_exif(content)
    elif kind == _TEXT and content.startswith(_XMP):
        orientation.note_xmp(content)


def _is_longer(content: bytes, most_bytes: int | None) -> bool:
    """Tell whether a colour profile unfolds to more bytes than these."""
    if most_bytes is None:
        return False
    unfolding = zlib.decompressobj()
    packed = content.partition(b"\0")[2][1:]  # behind its name and the way in which it is packed
    try:
        unfolding.decompress(packed, most_bytes)
    except zlib.error:
        return False  # decoders pass over a profile that they cannot unfold
    return bool(unfolding.unconsumed_tail)


def _without_name(content: bytes) -> bytes:
    """Return a chunk with a colour profile under a name that tells nothing."""
    _, zero, rest = content.partition(b"\0")
    return _chunk(_PROFILE, _PROFILE_NAME + zero + rest) if zero else b""


def _chunk(kind: bytes, content: bytes = b"") -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
