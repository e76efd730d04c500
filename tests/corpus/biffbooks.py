"""Workbooks of Excel 97 to 2003 ([MS-XLS]), record by record."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from tests.corpus.sheet import (
    ERROR_CODES,
    Error,
    Formula,
    Number,
    Sheet,
    Value,
    codes_of,
    never_calculated,
)
from tests.corpus.workbooks import compound

RECORD_BYTES = 8224


def record(kind: int, data: bytes = b"") -> bytes:
    """A record."""
    return struct.pack("<HH", kind, len(data)) + data


def bof(kind: int) -> bytes:
    """The record that begins the workbook (5) or a sheet (16)."""
    return record(0x809, struct.pack("<HHHHII", 0x600, kind, 0x0DBB, 0x07CC, 0, 0x600))


def words(value: str, length: str) -> bytes:
    """A text with its length before it."""
    letters = value.encode("utf-16-le")
    return struct.pack(length, len(letters) // 2) + b"\x01" + letters


def text_records(kind: int, head: bytes, texts: Sequence[str]) -> bytes:
    """Texts in a record and those that continue it: where one goes on, its width is said again."""
    pieces = [bytearray(head)]
    for text in texts:
        letters = text.encode("utf-16-le")
        if len(pieces[-1]) + 5 > RECORD_BYTES:
            pieces.append(bytearray())
        pieces[-1] += struct.pack("<HB", len(letters) // 2, 1)
        while letters:
            room = (RECORD_BYTES - len(pieces[-1])) // 2 * 2
            pieces[-1] += letters[:room]
            letters = letters[room:]
            if letters:
                pieces.append(bytearray(b"\1"))
    return b"".join(
        struct.pack("<HH", 0x3C if at else kind, len(piece)) + piece
        for at, piece in enumerate(pieces)
    )


def xls(*sheets: Sheet, password: bool = False, since_1904: bool = False) -> bytes:
    """A workbook in its container."""
    return compound(stream(sheets, password=password, since_1904=since_1904), "Workbook")


def large(stream: bytes) -> bytes:
    """A compound file for streams past the first table sector."""
    sectors = -(-len(stream) // 512)
    tables = -(-(sectors + 80) // 128)
    chain = [0xFFFFFFFD] * tables + [0xFFFFFFFE]
    chain += [*range(tables + 2, tables + 1 + sectors), 0xFFFFFFFE]
    chain += [0xFFFFFFFF] * (tables * 128 - len(chain))
    small = compound(b"x", "Workbook")
    head = bytearray(small[:512])
    struct.pack_into("<II", head, 44, tables, tables)
    struct.pack_into(f"<{tables}I", head, 76, *range(tables))
    folder = bytearray(small[1024:1536])
    struct.pack_into("<II", folder, 128 + 116, tables + 1, len(stream))
    table = struct.pack(f"<{len(chain)}I", *chain)
    return bytes(head) + table + bytes(folder) + stream.ljust(sectors * 512, b"\0")


def stream(sheets: Sequence[Sheet], *, password: bool = False, since_1904: bool = False) -> bytes:
    """The stream of a workbook: what holds for all of it, then sheet after sheet."""
    codes = codes_of(sheets)
    texts = _texts(sheets)
    head = bof(5) + (record(0x2F, b"\1\0" * 8) if password else b"")
    head += record(0x42, struct.pack("<H", 1200)) + record(0x22, struct.pack("<H", since_1904))
    # LibreOffice and Excel take the first fifteen styles and four fonts for their own.
    head += record(0x31, struct.pack("<HHHHHBBBB", 200, 0, 0x7FFF, 400, 0, 0, 0, 0, 0)
                   + words("Arial", "<B")) * 4  # fmt: skip
    for at, code in enumerate(codes):
        head += record(0x41E, struct.pack("<H", 164 + at) + words(code, "<H"))
    for number in (*[0] * 16, *range(164, 164 + len(codes))):
        head += record(0xE0, struct.pack("<HHH14x", 0, number, 1))
    if not never_calculated(sheets):
        head += record(0x1C1, struct.pack("<HHI", 0x1C1, 0, 0x18D54))
    counts = struct.pack("<II", len(texts), len(texts))
    tail = text_records(0xFC, counts, texts) + record(0x0A)
    parts = [_sheet(sheet, texts, codes) for sheet in sheets]
    names = [words(sheet.name, "<B") for sheet in sheets]
    at = len(head) + sum(10 + len(name) for name in names) + len(tail)
    for sheet, part, name in zip(sheets, parts, names, strict=True):
        head += record(0x85, struct.pack("<IBB", at, not sheet.shown, 0) + name)
        at += len(part)
    return head + tail + b"".join(parts)


def _texts(sheets: Sequence[Sheet]) -> list[str]:
    cells = [cell for sheet in sheets for row in sheet.rows for cell in row]
    return list(dict.fromkeys(cell for cell in cells if isinstance(cell, str)))


def _sheet(sheet: Sheet, texts: list[str], codes: list[str]) -> bytes:
    size = struct.pack("<IIHHH", 0, len(sheet.rows), 0, sheet.width, 0)
    made = bof(0x10) + record(0x200, size)
    for at in range(len(sheet.rows)):
        flat = at + 1 in sheet.flat
        flags = 0x100 | 0x20 * (at + 1 in sheet.hidden) | 0x40 * flat
        height = 0 if flat else 300
        made += record(0x208, struct.pack("<6HHH", at, 0, sheet.width, height, 0, 0, flags, 15))
    for at, cells in enumerate(sheet.rows):
        made += b"".join(_cells(at, cells, texts, codes))
    ranges = b"".join(struct.pack("<4H", a - 1, c - 1, b, d) for a, b, c, d in sheet.merges)
    made += record(0xE5, struct.pack("<H", len(sheet.merges)) + ranges) if sheet.merges else b""
    return made + record(0x0A)


def _cells(row: int, cells: Sequence[Value], texts: list[str], codes: list[str]) -> Iterator[bytes]:
    for column, cell in enumerate(cells):
        style = 16 + codes.index(cell.code) if isinstance(cell, Number) else 15
        place = struct.pack("<HHH", row, column, style)
        if isinstance(cell, str):
            yield record(0xFD, place + struct.pack("<I", texts.index(cell)))
        elif isinstance(cell, bool):
            yield record(0x205, place + struct.pack("<BB", cell, 0))
        elif isinstance(cell, int | float | Number):
            yield _number(place, cell.value if isinstance(cell, Number) else cell)
        elif isinstance(cell, Formula | Error):
            yield _formula(place, cell)


def _number(place: bytes, value: float) -> bytes:
    """As Excel does: whole numbers of 30 bits packed, the others as they are."""
    if value == int(value) and abs(value) < 2**29:
        return record(0x27E, place + struct.pack("<I", int(value) << 2 & 0xFFFFFFFF | 2))
    return record(0x203, place + struct.pack("<d", value))


def _formula(place: bytes, cell: Formula | Error) -> bytes:
    """A formula whose expression is the number 1 (2.5.198.66)."""
    rest = struct.pack("<HIH", 0, 0, 3) + b"\x1e\x01\x00"
    if isinstance(cell, Error):
        value = struct.pack("<BxB3xH", 2, ERROR_CODES[cell.text], 0xFFFF)
    elif isinstance(cell.value, str):
        value = struct.pack("<BxB3xH", 0 if cell.value else 3, 0, 0xFFFF)
    else:
        value = struct.pack("<d", cell.value or 0)
    text = isinstance(cell, Formula) and isinstance(cell.value, str) and cell.value
    return record(6, place + value + rest) + (text_records(0x207, b"", [text]) if text else b"")
