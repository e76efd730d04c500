"""What the first bytes of a picture tell: its format and its size, without the rest of the file."""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from pipeline.pictures.accepted import FORMAT_OF, PICTURE_FORMATS, PictureFormat, other_kind

ENOUGH_BYTES = 1_000_000
"""A picture that has not told its size by then (a long preview in front) does not tell it here."""
_STEPS = (32, 4096, 65_536, 262_144, ENOUGH_BYTES)
# What Pillow's readers raise where a file ends too early for them.
_TOO_SHORT = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError,
              OverflowError, RuntimeError, struct.error, Image.DecompressionBombError,
              Image.DecompressionBombWarning)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PictureHead:
    """What a file is, as a sentence calls it, and its size in pixels where it is told.

    `format` is None for what is no picture.
    """

    shown: str
    format: PictureFormat | None = None
    width: int = 0
    height: int = 0

    @property
    def sent(self) -> bool:
        """Whether the provider takes the format."""
        return self.format is not None and self.format.mime_type is not None


def is_step(size_bytes: int, before_bytes: int) -> bool:
    """Tell whether enough more of a file is here to try `read_head` again."""
    return any(before_bytes < step <= size_bytes for step in _STEPS)


def read_head(data: bytes) -> PictureHead:
    """Tell what a file is by its beginning; the size is 0 x 0 where more of it is needed."""
    known = next((each for each in PICTURE_FORMATS if each.begins(data)), None)
    if known is None:
        return PictureHead(other_kind(data) or "no picture of a format that is known")
    width, height = _webp_size(data) if known.name == "WebP" else _size(data, known)
    return PictureHead(known.shown, known, width, height)


def _size(data: bytes, known: PictureFormat) -> tuple[int, int]:
    names = [name for name, each in FORMAT_OF.items() if each is known]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(data), formats=names) as picture:
                return picture.size
    except _TOO_SHORT:
        return 0, 0


def _webp_size(data: bytes) -> tuple[int, int]:
    """Read the size of a WebP, whose reader in Pillow wants the whole file (RFC 9649)."""
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8X" and len(body) == 10:  # noqa: PLR2004 - the bytes of the chunk's head
        width = int.from_bytes(body[4:7], "little") + 1
        return width, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:  # noqa: PLR2004 - its signature
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and len(body) == 10 and body[3:6] == b"\x9d\x01\x2a":  # noqa: PLR2004
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0
