"""The records of an .xls file: its sheets, its shared strings, its cell styles, and its texts.

[MS-XLS]: a stream of records, each a kind, a length and so many bytes; what is longer than 8,224
bytes goes on in records of the kind CONTINUE. Excel 5.0 and 95 (BIFF5) write the same records
with texts in the code page of their country.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.reader.workbook.damage import Damage
from pipeline.reader.workbook.sheets import SheetPart

if TYPE_CHECKING:
    from collections.abc import Iterator

BOF, END, CONTINUE = 0x809, 0x0A, 0x3C
_PASSWORD, _CODE_PAGE, _DATE_1904, _SHEET = 0x2F, 0x42, 0x22, 0x85
_STRINGS, _FORMAT, _STYLE, _RECALCULATED = 0xFC, 0x41E, 0xE0, 0x1C1
_BIFF8 = 0x600
_WIDE, _PHONETIC, _RICH = 1, 4, 8
# What Python calls the code pages that are not called by their number (2.4.52).
_CODE_PAGES = {367: "ascii", 10000: "mac_roman", 32768: "mac_roman", 32769: "cp1252"}

Record = tuple[int, bytes]


class Protected(Exception):
    """The records are encrypted."""


@dataclass(slots=True)
class Globals:
    """What holds for the whole workbook. `codes` has the number format of each cell style."""

    encoding: str = "utf-16-le"
    wide: bool = True
    since_1904: bool = False
    calculated: bool = False
    sheets: list[SheetPart] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)
    formats: dict[int, str] = field(default_factory=dict)
    styles: list[int] = field(default_factory=list)


def records(stream: bytes, at: int) -> Iterator[Record]:
    """The records of the part that begins at the byte `at`; charts within it are left out."""
    depth = 0
    while True:
        kind, size = struct.unpack_from("<HH", stream, at)
        at += 4 + size
        if at > len(stream):
            raise Damage("it ends in the middle of a record")
        depth += (kind == BOF) - (kind == END)
        if depth == 0:
            if kind != END:
                raise Damage("a sheet does not begin where it should")
            return
        if depth == 1:
            yield kind, stream[at - size : at]


def globals_of(stream: bytes) -> Globals:
    """The first part of the stream. Raises Protected where a password keeps it."""
    found = Globals()
    strings: list[bytes] = []
    before = 0
    for kind, data in records(stream, 0):
        if kind == _PASSWORD:
            raise Protected
        before = before if kind == CONTINUE else kind
        if before == _STRINGS:
            strings.append(data)
        else:
            _take(found, kind, data)
    if strings:
        found.strings = _shared(strings)
    return found


def _take(found: Globals, kind: int, data: bytes) -> None:
    if kind == BOF:
        found.wide = struct.unpack_from("<H", data)[0] >= _BIFF8
        found.encoding = "utf-16-le" if found.wide else "cp1252"
        found.calculated = not found.wide  # the record that would say so is younger
    elif kind == _CODE_PAGE and not found.wide:
        page = struct.unpack_from("<H", data)[0]
        found.encoding = _CODE_PAGES.get(page, f"cp{page}")
    elif kind == _DATE_1904:
        found.since_1904 = data[:1] == b"\1"
    elif kind == _RECALCULATED:
        found.calculated = any(data[4:8])
    elif kind == _SHEET:
        place, shown, type_ = struct.unpack_from("<IBB", data)
        if type_ == 0:
            name = text_of(data, 6, found, short=True)
            found.sheets.append(SheetPart(name, shown & 3 == 0, at=place))
    elif kind == _FORMAT:
        number = struct.unpack_from("<H", data)[0]
        found.formats[number] = text_of(data, 2, found, short=not found.wide)
    elif kind == _STYLE:
        found.styles.append(struct.unpack_from("<H", data, 2)[0])


def text_of(data: bytes, at: int, globals_: Globals, *, short: bool = False) -> str:
    """A text with its length before it, in one byte or in two (2.5.294, 2.5.240)."""
    length = data[at] if short else struct.unpack_from("<H", data, at)[0]
    at += 1 if short else 2
    if not globals_.wide:
        return data[at : at + length].decode(globals_.encoding, "replace")
    return _Pieces([data], 0, at).characters(length)


def continued_text(pieces: list[bytes], globals_: Globals) -> str:
    """The text of a formula, which may go on in further records (2.4.268)."""
    if not globals_.wide:
        return text_of(b"".join(pieces), 0, globals_)
    length = struct.unpack_from("<H", pieces[0])[0]
    return _Pieces(pieces, 0, 2).characters(length)


def _shared(pieces: list[bytes]) -> list[str]:
    """The shared strings (2.4.265), each with what its fonts and its phonetics take (2.5.293)."""
    count = struct.unpack_from("<I", pieces[0], 4)[0]
    at = _Pieces(pieces, 0, 8)
    if count > sum(map(len, pieces)):
        raise Damage("it has more texts than bytes")
    return [at.rich() for _ in range(count)]


class _Pieces:
    """A place in records that continue one another."""

    def __init__(self, pieces: list[bytes], piece: int, at: int) -> None:
        self._pieces = pieces
        self._piece = piece
        self._at = at

    def _data(self) -> bytes:
        """The piece in which the next byte stands."""
        while self._at >= len(self._pieces[self._piece]):
            self._at -= len(self._pieces[self._piece])
            self._piece += 1
            if self._piece == len(self._pieces):
                raise Damage("a text is cut off")
        return self._pieces[self._piece]

    def _number(self, form: str) -> int:
        (number,) = struct.unpack_from(form, self._data(), self._at)
        self._at += struct.calcsize(form)
        return int(number)

    def rich(self) -> str:
        length = self._number("<H")
        flags = self._data()[self._at]
        self._at += 1
        runs = self._number("<H") if flags & _RICH else 0
        more = self._number("<I") if flags & _PHONETIC else 0
        self._at -= 1
        text = self.characters(length, flags)
        self._at += 4 * runs + more
        return text

    def characters(self, length: int, flags: int | None = None) -> str:
        """So many characters, after the byte that says how wide they are.

        Where they go on in the next record, another such byte stands before the rest.
        """
        wide = bool((self._data()[self._at] if flags is None else flags) & _WIDE)
        self._at += 1
        parts = []
        while length:
            data = self._pieces[self._piece]
            part = data[self._at : self._at + (length * 2 if wide else length)]
            parts.append(part.decode("utf-16-le" if wide else "latin-1", "replace"))
            self._at += len(part)
            length -= len(part) // 2 if wide else len(part)
            if length:
                self._at = len(data)
                wide = bool(self._data()[0] & _WIDE)
                self._at = 1
        return "".join(parts)
