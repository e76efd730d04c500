"""A GIF file without its metadata (GIF89a specification).

A GIF is a header with a table of colours, and a row of blocks: pictures, and extensions with a
label. The content of both comes in sub-blocks of at most 255 bytes, the last of which is empty. A
semicolon ends the file. Kept are the pictures, how long and in which way each is shown, and of the
extensions of applications those that say how often an animation runs and what its colours mean.

Tested in tests/pictures/metadata/test_removal.py.
"""

from __future__ import annotations

from pipeline.pictures.metadata.orientation import Unwalkable

_SIGNATURES = (b"GIF87a", b"GIF89a")
_HEADER_BYTES = 13
_PICTURE, _PICTURE_BYTES = 0x2C, 10
_EXTENSION, _CONTROL, _TEXT, _APPLICATION = 0x21, 0xF9, 0x01, 0xFF
_TRAILER = 0x3B
_KEPT_APPLICATIONS = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")


def rewrite_gif(data: bytes) -> bytes:
    """Return the file without its metadata; raises Unwalkable."""
    if not data.startswith(_SIGNATURES) or len(data) < _HEADER_BYTES:
        raise Unwalkable("it does not begin as a GIF")
    at = _HEADER_BYTES + _table_bytes(data[10])
    kept, pictures, control = [data[:at]], 0, b""
    while at < len(data) and data[at] != _TRAILER:
        begin = at
        if data[at] == _PICTURE:
            at = _end_of_picture(data, at)
            kept += [control, data[begin:at]]
            control, pictures = b"", pictures + 1
        elif data[at] == _EXTENSION:
            at = _end_of_blocks(data, at + 2)
            label = data[begin + 1]
            if label == _CONTROL:
                control = data[begin:at]  # of the picture that follows
            elif label == _TEXT:
                control = b""
            elif label == _APPLICATION and data[begin + 3 : begin + 14] in _KEPT_APPLICATIONS:
                kept.append(data[begin:at])
        else:
            at += 1  # padding
    if not pictures:
        raise Unwalkable("it holds no picture")
    return b"".join([*kept, bytes([_TRAILER])])


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _end_of_picture(data: bytes, at: int) -> int:
    if at + _PICTURE_BYTES > len(data):
        raise Unwalkable("it ends in the middle of a picture")
    return _end_of_blocks(data, at + _PICTURE_BYTES + _table_bytes(data[at + 9]) + 1)


def _end_of_blocks(data: bytes, at: int) -> int:
    """Return the place behind a row of sub-blocks."""
    while at < len(data):
        length = data[at]
        at += 1 + length
        if not length:
            return at
    raise Unwalkable("it ends in the middle of a block")
