"""A WebP file without its metadata (RFC 9649).

A WebP is a RIFF file: a header with the length of all that follows, and a row of chunks, each with
four letters, a length and, after an odd length, a byte of padding. A plain picture is one chunk.
With more than that, VP8X comes first and says in bits what follows. Kept are the chunks of picture,
transparency, animation and colour profile.

Tested in tests/pictures/metadata/test_removal.py.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pipeline.pictures.metadata.orientation import Orientation, Unwalkable

_HEADER_BYTES = 12
_PICTURE = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_KEPT = _PICTURE | {b"ICCP", b"ANIM"}
_EXTENDED, _FRAME, _FRAME_HEAD_BYTES = b"VP8X", b"ANMF", 16
_SAYS_EXIF, _SAYS_XMP = 0x08, 0x04


def rewrite_webp(data: bytes) -> bytes:
    """Return the file without its metadata; raises Unwalkable."""
    if data[:4] != b"RIFF" or data[8:_HEADER_BYTES] != b"WEBP":
        raise Unwalkable("it does not begin as a WebP")
    (length,) = struct.unpack_from("<I", data, 4)
    chunks = list(_walk(data[_HEADER_BYTES : 8 + int(length)]))
    if not any(kind in {*_PICTURE, _FRAME} for kind, _ in chunks):
        raise Unwalkable("it holds no picture")
    orientation = Orientation()
    for kind, content in chunks:
        if kind == b"EXIF":
            orientation.note_exif(content)
        elif kind == b"XMP ":
            orientation.note_xmp(content)
    extended = chunks[0][0] == _EXTENDED and len(chunks[0][1]) > 0
    exif = orientation.write() if extended else b""
    kept = [_kept_of(kind, content, says_exif=bool(exif)) for kind, content in chunks]
    body = b"".join([b"WEBP", *kept, _chunk(b"EXIF", exif) if exif else b""])
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _walk(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        end = at + 8 + int(length)
        if end > len(data):
            raise Unwalkable(f"its chunk at byte {at + _HEADER_BYTES:,} is longer than the file")
        yield data[at : at + 4], data[at + 8 : end]
        at = end + end % 2


def _kept_of(kind: bytes, content: bytes, *, says_exif: bool) -> bytes:
    if kind == _EXTENDED and content:
        flags = content[0] & ~(_SAYS_EXIF | _SAYS_XMP) | (_SAYS_EXIF if says_exif else 0)
        return _chunk(kind, bytes([flags]) + content[1:])
    if kind == _FRAME:
        parts = _walk(content[_FRAME_HEAD_BYTES:])
        shown = b"".join(_chunk(one, inner) for one, inner in parts if one in _PICTURE)
        return _chunk(kind, content[:_FRAME_HEAD_BYTES] + shown)
    return _chunk(kind, content) if kind in _KEPT else b""


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
