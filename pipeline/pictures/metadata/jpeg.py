"""A JPEG file without its metadata (ITU-T T.81, annex B).

A JPEG is a row of segments. Each begins with FF and a byte that says its kind, and, but for a few,
with its length. After a segment SOS the compressed picture follows without a length: it lasts up to
the next FF that is followed neither by 00 (a byte FF of the picture) nor by D0 to D7 (a restart
mark). A progressive picture has several such scans with tables between them. EOI ends the picture;
a camera may add further ones behind it (MPF), a telephone a film.

Kept are the tables, the frame and the scans, and of the application segments those that say what
the colours mean: JFIF (without its thumbnail), ICC profiles and Adobe's APP14, which tells RGB,
YCbCr and CMYK apart.

Tested in tests/pictures/metadata/test_removal.py.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from pipeline.pictures.metadata.orientation import Orientation, Unwalkable

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_SOS, _END = 0xDA, 0xD9
_SCAN = -1
"""Stands for a marker with the compressed data of a scan, which have none."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_TABLES_AND_FRAMES = _FRAMES | {0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF}
"""SOF, and DHT, DAC, DQT, DNL, DRI, DHP and EXP."""
_COLOURS_AT, _SCANNED_AT = 9, 4
"""Where a frame says how many colours it has, and a scan how many of them it holds."""
_PICTURE = _TABLES_AND_FRAMES | {_SOS, _SCAN, _END}
_WITHOUT_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
"""Stuffed bytes and marks between segments: readers pass over them."""
_AFTER_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_JFIF, _JFIF_BYTES = b"JFIF\0", 14
_ADOBE, _ADOBE_BYTES = b"Adobe", 12
_ICC = b"ICC_PROFILE\0"
_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"


def rewrite_jpeg(data: bytes) -> bytes:
    """Return the file without its metadata; raises Unwalkable."""
    kept: list[bytes] = []
    orientation = Orientation()
    for marker, piece in _walk(data):
        kept.append(piece if marker in _PICTURE else _kept_of(marker, piece, orientation))
    return b"".join([_SOI, *_with_exif([one for one in kept if one], orientation.write())])


def count_scans(data: bytes) -> int:
    """Count the scans of the first picture; 0 if the file cannot be walked."""
    try:
        return sum(marker == _SOS for marker, _ in _walk(data))
    except Unwalkable:
        return 0


def comes_in_passes(data: bytes) -> bool:
    """Tell whether a picture that is not progressive comes in several scans all the same."""
    colours = 0
    try:
        for marker, piece in _walk(data):
            if marker in _FRAMES and len(piece) > _COLOURS_AT:
                colours = piece[_COLOURS_AT]
            elif marker == _SOS:
                return len(piece) > _SCANNED_AT and piece[_SCANNED_AT] < colours
    except Unwalkable:
        return True
    return True


def _walk(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the segments of the first picture with their markers, and each scan behind its SOS."""
    if not data.startswith(_SOI):
        raise Unwalkable("it does not begin as a JPEG")
    at, scans = len(_SOI), 0
    while (found := _next_marker(data, at)) is not None:
        at, marker = found
        if marker in _WITHOUT_LENGTH:
            at += 2
            continue
        end = _end_of_segment(data, at)
        if marker == _END or (scans and end > len(data)):
            yield _END, _EOI  # no reader comes further than here
            break
        if end > len(data):
            raise Unwalkable(f"its segment at byte {at:,} is longer than the file")
        yield marker, data[at:end]
        at = end
        if marker == _SOS:
            scans += 1
            after = _AFTER_SCAN.search(data, at)
            at = after.start() if after else len(data)
            yield _SCAN, data[end:at]
    if not scans:
        raise Unwalkable("it holds no picture")


def _next_marker(data: bytes, at: int) -> tuple[int, int] | None:
    """Return the place and the kind of the next marker; None at the end of the file."""
    at = data.find(b"\xff", at)
    while 0 <= at < len(data) - 1 and data[at + 1] == 0xFF:  # noqa: PLR2004 - fill bytes
        at += 1
    return (at, data[at + 1]) if 0 <= at < len(data) - 1 else None


def _end_of_segment(data: bytes, at: int) -> int:
    """Return the place behind a segment, which may lie behind the end of the file."""
    if at + 4 > len(data):
        return len(data) + 1
    (length,) = struct.unpack_from(">H", data, at + 2)
    return at + 2 + max(2, int(length))  # the length counts itself


def _kept_of(marker: int, segment: bytes, orientation: Orientation) -> bytes:
    """Return what is kept of a segment that says something about the picture: mostly nothing."""
    payload = segment[4:]
    if marker == _APP0 and payload.startswith(_JFIF) and len(payload) >= _JFIF_BYTES:
        # The last two bytes are the sides of a thumbnail.
        return _segment(marker, payload[: _JFIF_BYTES - 2] + bytes(2))
    if marker == _APP14 and payload.startswith(_ADOBE) and len(payload) >= _ADOBE_BYTES:
        return _segment(marker, payload[:_ADOBE_BYTES])
    if marker == _APP2 and payload.startswith(_ICC):
        return segment
    if marker == _APP1 and payload.startswith(_EXIF):
        orientation.note_exif(payload)
    elif marker == _APP1 and payload.startswith(_XMP):
        orientation.note_xmp(payload)
    return b""


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _with_exif(kept: list[bytes], tiff: bytes) -> list[bytes]:
    """Put an Exif segment in front, behind that of JFIF, which has to be the first."""
    if not tiff:
        return kept
    first = 1 if kept[0][:2] == bytes([0xFF, _APP0]) else 0
    return [*kept[:first], _segment(_APP1, _EXIF + tiff), *kept[first:]]
