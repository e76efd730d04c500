"""How a text file is written: its encoding and its delimiter.

Wrong letters would be paid for. So an encoding that is not UTF-8 is taken only where it is as good
as certain (see `encodings`), and said; a manifest that was run before is read as it was then.
The delimiter is found in the header and held against the first records.

Tested in tests/reader/test_text.py.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.errors import ManifestError
from pipeline.manifest.blank import all_blank
from pipeline.reader.text.encodings import detect, quote_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.manifest.earlier import FoundOut
    from pipeline.reader.text.encodings import Likely

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
_SAVE_AS_UTF8 = (
    "Save it as 'CSV UTF-8', or name its encoding in the configuration, for example "
    "`manifest.encoding: cp1252` (Excel in western Europe)."
)

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_CHARACTERS = 200_000
_SAMPLE_RECORDS = 200
# Excel's own first line, `sep=;`, names the delimiter; some tools put it into quotes.
_SEP_LINE = re.compile(
    r"\"?sep=(?P<delimiter>[^\r\n\"])\"?[,;\t|]*(?:\r\n|\n|\r|\Z)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Decoded:
    """The text of a file, without its byte order mark, and how it was written.

    `note` says how that was found out where it was.
    """

    text: str
    encoding: str
    bom: bool
    note: str | None = None


def decode_text(
    data: bytes, name: str, configured: str | None, kept: FoundOut | None = None
) -> _Decoded:
    """Decode the bytes of a file: by its byte order mark, as UTF-8, as configured, as detected.

    Args:
        data: the whole file.
        name: the file's name, for the message.
        configured: `manifest.encoding`, tried where the bytes are not UTF-8.
        kept: how it was read when it was run before; None if it never was.

    Raises:
        ManifestError: no encoding fits; it names line and byte.

    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _Decoded(_strict(data, encoding, name, start=len(mark)), encoding, bom=True)
    wide = _utf16_without_mark(data)
    if wide is not None:
        return _Decoded(_strict(data, wide, name), wide, bom=False)
    try:
        return _Decoded(data.decode("utf-8"), "utf-8", bom=False)
    except UnicodeDecodeError:
        if configured is not None:
            return _Decoded(_strict(data, configured, name), configured, bom=False)
    if kept is not None and kept.encoding is not None:
        text = _strict(data, kept.encoding, name)
        note = f"{name} is read as {kept.encoding}, as in its earlier runs"
        return _Decoded(text, kept.encoding, bom=False, note=f"{note}{_quoted(quote_of(text))}.")
    return _detected(data, name, new=kept is None)


def _detected(data: bytes, name: str, *, new: bool) -> _Decoded:
    """Decode by the encoding that is likely, if it can be taken; raise ManifestError if not."""
    found = detect(data)
    if new and found.sure:
        best = found.likely[0]
        note = (
            f"{name} is not UTF-8; it is read as {best.encoding} ({best.writer})"
            f"{_quoted(best.quote)}. If letters are wrong, name its encoding with "
            "--set manifest.encoding=NAME."
        )
        return _Decoded(_strict(data, best.encoding, name), best.encoding, bom=False, note=note)
    return _Decoded(_strict(data, "utf-8", name, likely=found.likely), "utf-8", bom=False)


def _quoted(quote: str) -> str:
    return f": \u201c{quote}\u201d" if quote else ""


def _advise(likely: Sequence[Likely]) -> str:
    """Return what to do about a text that is not UTF-8."""
    if not likely:
        return _SAVE_AS_UTF8
    ways = [
        f"--set manifest.encoding={one.encoding} ({one.writer}) reads \u201c{one.quote}\u201d"
        for one in likely
    ]
    return (
        "Save it as 'CSV UTF-8', or name its encoding, in the configuration "
        f"(`manifest.encoding: {likely[0].encoding}`) or by the option that gives the right "
        f"letters: {'; '.join(ways)}."
    )


def stated_delimiter(text: str) -> tuple[str, int] | None:
    """Return the delimiter that a `sep=` line names, and the length of that line."""
    found = _SEP_LINE.match(text)
    return (found["delimiter"], found.end()) if found else None


def find_delimiter(text: str, suffix: str) -> str:
    """Find the delimiter that splits the header, and most of the first records just like it.

    A header of one cell has no delimiter: it is a comma then, or a tab by the suffix `.tsv`.
    """
    usual = "\t" if suffix in {".tsv", ".tab"} else ","
    order = (usual, *(sign for sign in _DELIMITERS if sign != usual))
    scores = {sign: _score(text[:_SAMPLE_CHARACTERS], sign) for sign in order}
    best = max(order, key=scores.__getitem__)
    return best if scores[best] > (0.0, 1) else usual


def _utf16_without_mark(data: bytes) -> str | None:
    """Recognise UTF-16 by where its NUL bytes stand, if that is unambiguous."""
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


def _strict(
    data: bytes, encoding: str, name: str, *, start: int = 0, likely: Sequence[Likely] = ()
) -> str:
    try:
        text = data[start:].decode(encoding) if start else data.decode(encoding)
        text.encode()  # codecs of programming languages make halves of characters
    except UnicodeDecodeError as error:
        at = start + error.start
        line = _line_of(data[start:at], encoding)
        raise ManifestError(
            f"{name}: line {line} cannot be read as {encoding.upper()}: "
            f"byte {at + 1} of the file is 0x{data[at]:02X}.",
            action=_advise(likely),
        ) from error
    except (LookupError, ValueError) as error:
        raise ManifestError(
            f"{name}: the encoding {encoding!r} is not known, or is none of tables.",
            action="Give `manifest.encoding` a known name, for example utf-8, cp1252 or gb18030.",
        ) from error
    return text


def _line_of(data: bytes, encoding: str) -> int:
    """Return the number of the line that follows these bytes."""
    try:
        before = data.decode(encoding, "replace")
    except UnicodeError:  # some codecs know no other way than to fail
        before = data.decode("latin-1")
    return len(before.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def _score(sample: str, delimiter: str) -> tuple[float, int]:
    """Return the share of the records that are as wide as the header, and that width."""
    widths: list[int] = []
    try:
        records = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        widths.extend(len(r) for r in islice(records, _SAMPLE_RECORDS) if not all_blank(r))
    except csv.Error:
        # A cell past the csv module's size limit: the records before it are sample enough here,
        # and the full pass names it.
        widths.append(0)
    if not widths or widths[0] <= 1:
        return (0.0, 0)
    alike = sum(width == widths[0] for width in widths[:-1]) + 1
    return (alike / len(widths), widths[0])
