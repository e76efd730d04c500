"""Bytes become text: by byte order mark, as UTF-8, or in the encoding named; never guessed.

A wrong guess (latin-1 takes any bytes) would put broken letters into paid videos.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from pipeline.errors import ManifestError

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_BYTES = 4096
# In UTF-16, half the bytes of ASCII letters, delimiters and line breaks are NUL.
_LEAST_NUL_SHARE = 0.05
_ONE_SIDED = 10

SAVE_AS_UTF8 = (
    "Save it as 'CSV UTF-8', or name its encoding in the configuration, for example "
    "`manifest.encoding: cp1252` (Excel in western Europe)."
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, without its byte order mark, and how it was written."""

    text: str
    encoding: str
    bom: bool


def decode(data: bytes, name: str, configured: str | None) -> Decoded:
    """Decode the bytes of the file `name`: byte order mark, UTF-8, then `configured`.

    Raises ManifestError naming line and byte where no encoding fits.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return Decoded(_strict(data, encoding, name, start=len(mark)), encoding, bom=True)
    wide = _utf16_without_mark(data)
    if wide is not None:
        return Decoded(_strict(data, wide, name), wide, bom=False)
    if configured is None or _is_utf8(configured):
        return Decoded(_strict(data, "utf-8", name), "utf-8", bom=False)
    try:
        return Decoded(data.decode("utf-8"), "utf-8", bom=False)
    except UnicodeDecodeError:
        return Decoded(_strict(data, configured, name), configured, bom=False)


def _is_utf8(configured: str) -> bool:
    return configured.lower().replace("_", "-") in {"utf-8", "utf8", "utf-8-sig"}


def _utf16_without_mark(data: bytes) -> str | None:
    """UTF-16 by where its NUL bytes stand, if that is unambiguous."""
    sample = data[:_SAMPLE_BYTES]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    least = max(1, int(len(sample) / 2 * _LEAST_NUL_SHARE))
    if len(data) % 2 or max(even, odd) < least:
        return None
    if odd >= _ONE_SIDED * max(even, 1) or (not even and odd > 1):
        return "utf-16-le"
    if even >= _ONE_SIDED * max(odd, 1) or (not odd and even > 1):
        return "utf-16-be"
    return None


def _strict(data: bytes, encoding: str, name: str, *, start: int = 0) -> str:
    try:
        return data[start:].decode(encoding) if start else data.decode(encoding)
    except UnicodeDecodeError as error:
        at = start + error.start
        line = _line_of(data[start:at].decode(encoding, "replace"))
        raise ManifestError(
            f"{name}: line {line} cannot be read as {encoding.upper()}: "
            f"byte {at + 1} of the file is 0x{data[at]:02X}.",
            action=SAVE_AS_UTF8,
        ) from error
    except LookupError as error:
        raise ManifestError(
            f"{name}: the encoding {encoding!r} is not known.",
            action="Give `manifest.encoding` a known name, for example utf-8, cp1252 or gb18030.",
        ) from error


def _line_of(before: str) -> int:
    return len(before.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
