"""The records of an .xls file, and what they say that no library tells.

olefile finds the stream of records in its container ([MS-CFB]). Each record has a kind, a length
and so many bytes ([MS-XLS] 2.1.4). Only those are looked into that say where the sheets begin,
which formulas were never calculated, and how far the cells go.

A formula's record always has a value (2.4.127): where no engine ever calculated the workbook
(2.4.215), a 0 or an empty text of it is what its writer put there for want of one.

Tested in tests/reader/test_excel97.py and tests/reader/test_bombs.py.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import olefile
from xlrd.biffh import encoding_from_codepage, unpack_string, unpack_unicode

from pipeline.errors import ManifestError
from pipeline.manifest.wording import agree, count
from pipeline.reader.content import MAGIC, Content, refuse_renamed
from pipeline.reader.workbook.damage import (
    Damage,
    explain_damage,
    explain_password,
    treat_failures_as_damage,
)
from pipeline.reader.workbook.sheets import SheetPart

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Streams that hold the cells of a workbook ([MS-XLS] 2.1.2, and of Excel 5.0 and 95), and those of
# other documents. Names in a container have no case ([MS-CFB] 2.6.4).
_TABLES = ("workbook", "book")
_DOCUMENTS = frozenset({"worddocument", "powerpoint document", "__properties_version1.0"})
# What a password protects as a whole lies in this one ([MS-OFFCRYPTO] 2.3.3).
_ENCRYPTED = "encryptedpackage"
# [MS-CFB] 2.2: sectors have 512 or 4,096 bytes; numbers from this one on end a chain of them.
_SECTOR_SHIFTS, _LAST_SECTOR = (9, 12), 0xFFFFFFFA
_TABLE_SECTOR, _CHAIN_END, _FREE_SECTOR = 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF
_SECTOR_BYTES, _TABLES_IN_HEADER = 4096, 109

# Kinds of records ([MS-XLS] 2.3.2).
_BOF, _EOF, _PASSWORD, _CODE_PAGE, _SHEET, _RECALCULATED = 0x809, 0x0A, 0x2F, 0x42, 0x85, 0x1C1
_FORMULAS = frozenset({0x06, 0x206, 0x406})
_CELLS = frozenset({0x201, 0x203, 0x204, 0x205, 0x27E, 0xD6, 0xFD, *_FORMULAS})
_RUNS_OF_CELLS = frozenset({0xBD, 0xBE})
# With those of cells: rows, dates, fonts, formats, styles; texts, shared formulas, merges.
# The stated size of a sheet (2.4.90) is not among them: it need not be true, and calamine takes
# memory for as many cells.
_NEEDED = frozenset({0x208, 0x22, 0x31, 0x41E, 0xE0, 0xFC, 0x3C, 0x207, 0x221, 0x236, 0x4BC, 0xE5,
                     _BOF, _EOF, _CODE_PAGE, _SHEET, *_CELLS, *_RUNS_OF_CELLS})  # fmt: skip
_OF_NO_INTEREST, _HEAD_BYTES, _BIFF8 = b"\xe1\0", 4, 0x600
# FormulaValue (2.5.133): its last two bytes say that it is no number, its first what it is.
_NO_NUMBER, _WITH_VALUE = b"\xff\xff", frozenset({0, 1, 2})


@dataclass(slots=True)
class Globals:
    """What the records say of the whole workbook.

    `encoding` is that of its texts, None where they are Unicode. `sheets` are the worksheets, each
    with the byte where it begins.
    """

    encoding: str | None = None
    calculated: bool = False
    protected: bool = False
    sheets: list[SheetPart] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Walked:
    """What the records say of a sheet.

    `stream` is a copy of all records in which those are void that do not matter to its cells;
    `area` the rectangle from A1 on that holds its `cells`. `unset` has, by row, the columns of
    formulas whose value is 0 or an empty text, `empty` of those that have an empty text; rows and
    columns count from 0.
    """

    stream: bytes
    cells: int
    area: int
    unset: dict[int, list[int]]
    empty: dict[int, list[int]]


def read_stream(path: Path, data: bytes) -> bytes:
    """Return the records of the workbook. Raises ManifestError for a file of another kind."""
    name = path.name
    if not data.startswith(MAGIC):
        refuse_renamed(path, Content.OLE)
        raise ManifestError(
            f"{name} was made by a version of Excel before 5.0 (1993).",
            action="Open it in LibreOffice or Excel and save it as an Excel workbook (.xlsx).",
        )
    with explain_damage(name):
        _refuse_too_long(data)
        with treat_failures_as_damage("its container is broken"):
            container = olefile.OleFileIO(io.BytesIO(data))
        # Documents that are embedded in the workbook have folders of their own.
        entries = container.root.kids_dict
        if _ENCRYPTED in entries:
            raise explain_password(name)
        if entries.keys() & _DOCUMENTS:
            raise ManifestError(
                f"{name} is a document of an older Office program, but no workbook.",
                action="Open it in its own program and export it as an Excel workbook (.xlsx).",
            )
        refuse_renamed(path, Content.OLE)
        table = next((entries[one] for one in _TABLES if one in entries), None)
        if table is None:
            raise Damage("it names no workbook")
        if max(table.size, container.root.size) > len(data):
            raise Damage("its table is longer than the file")
        with treat_failures_as_damage("its container is broken"):
            stream: bytes = container.openstream([table.name]).read()
        _refuse_circle(container, table)
        if len(stream) < table.size:
            missing = table.size - len(stream)
            are = agree(missing, "is", "are")
            raise Damage(f"{count(missing, 'byte')} of its table {are} missing")
        return stream


def _refuse_too_long(data: bytes) -> None:
    """Refuse a container whose header promises more tables of sectors than the file has room for.

    olefile would read them all, and over again where they are the same.
    """
    (shift,) = struct.unpack_from("<H", data, 30)
    tables, shorts, lists = (struct.unpack_from("<I", data, at)[0] for at in (44, 64, 72))
    if shift not in _SECTOR_SHIFTS:
        raise Damage("its sectors have no valid size")
    if max(tables, shorts, lists) > (len(data) >> shift) + 1:
        raise Damage("its table is longer than the file")


def _refuse_circle(container: olefile.OleFileIO, entry: olefile.olefile.OleDirectoryEntry) -> None:
    """Refuse a stream whose sectors lead back to one of them: olefile reads them over again."""
    following = container.minifat if entry.is_minifat else container.fat
    sector = entry.isectStart
    for _ in range(len(following) + 1):
        if sector >= _LAST_SECTOR:
            return
        sector = following[sector]
    raise Damage("its parts follow one another in a circle")


def records_of(stream: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Yield kind, place and length of the records of the part that begins at the byte `at`.

    Of the parts within it, such as charts, only the first record is among them.
    """
    depth, end, head = 0, len(stream), struct.Struct("<HH").unpack_from
    while True:
        kind, size = head(stream, at)
        at += 4 + size
        if at > end:
            raise Damage("it ends in the middle of a record")
        depth += (kind == _BOF) - (kind == _EOF)
        if depth == 1 or kind == _BOF:
            yield kind, at - size, size
        elif depth == 0:
            if kind != _EOF:
                raise Damage("a sheet does not begin where it should")
            return


def read_globals(stream: bytes) -> Globals:
    """Read what the first part of the stream says of all sheets. Raises Damage."""
    found = Globals()
    for kind, at, size in records_of(stream, 0):
        if kind == _BOF:
            if at > _HEAD_BYTES:
                raise Damage("its parts lie in one another")
            if struct.unpack_from("<H", stream, at)[0] < _BIFF8:
                found.encoding = "cp1252"
                found.calculated = True  # the record that would say so is younger
        elif kind == _PASSWORD:
            found.protected = True
        elif kind == _CODE_PAGE and found.encoding:
            (page,) = struct.unpack_from("<H", stream, at)
            found.encoding = encoding_from_codepage.get(page, f"cp{page}")
        elif kind == _RECALCULATED:
            found.calculated = any(stream[at + 4 : at + 8])
        elif kind == _SHEET:
            _take_sheet(found, stream[at : at + size])
    return found


def _take_sheet(found: Globals, said: bytes) -> None:
    place, shown, type_ = struct.unpack_from("<IBB", said)
    if not type_:  # no chart, no macros
        if found.encoding:
            name = unpack_string(said, 6, found.encoding, lenlen=1)
        else:
            name = unpack_unicode(said, 6, lenlen=1)
        found.sheets.append(SheetPart(name, shown & 3 == 0, at=place))


def walk_records(stream: bytes, place: int) -> Walked:
    """Walk through the records of the workbook and of the sheet that begins at the byte `place`."""
    copy = bytearray(stream)
    for kind, at, _ in records_of(stream, 0):
        elsewhere = kind == _SHEET and struct.unpack_from("<I", stream, at)[0] != place
        if elsewhere or kind not in _NEEDED:
            copy[at - 4 : at - 2] = _OF_NO_INTEREST
    cells = height = width = 0
    unset: dict[int, list[int]] = {}
    empty: dict[int, list[int]] = {}
    for kind, at, size in records_of(stream, place):
        if kind in _CELLS or kind in _RUNS_OF_CELLS:
            row, column = struct.unpack_from("<HH", stream, at)
            count = 1 if kind in _CELLS else 1 + size // 2
            cells += count
            height, width = max(height, row + 1), max(width, column + count)
            if kind in _FORMULAS and not _is_set(stream[at + 6 : at + 14]):
                unset.setdefault(row, []).append(column)
                if stream.startswith(_NO_NUMBER, at + 12):
                    empty.setdefault(row, []).append(column)
        elif kind not in _NEEDED:
            copy[at - 4 : at - 2] = _OF_NO_INTEREST
    return Walked(bytes(copy), cells, height * width, unset, empty)


def _is_set(value: bytes) -> bool:
    if value.endswith(_NO_NUMBER):
        return value[0] in _WITH_VALUE
    return struct.unpack("<d", value) != (0,)


def put_into_container(stream: bytes) -> bytes:
    """Return a plain container for the stream. Raises Damage.

    calamine follows the tables of a broken container without end.
    """
    # [MS-CFB] 2.2 to 2.6: header, tables, folder, stream. A stream of less than a sector would
    # have to lie in small ones.
    sectors = -(-len(stream) // _SECTOR_BYTES)
    tables = -(-(sectors + 1) // (_SECTOR_BYTES // 4 - 1))
    if tables > _TABLES_IN_HEADER:
        raise Damage("it is too large")
    first = tables + 1
    chain = [_TABLE_SECTOR] * tables + [_CHAIN_END, *range(first + 1, first + sectors), _CHAIN_END]
    chain += [_FREE_SECTOR] * (tables * _SECTOR_BYTES // 4 - len(chain))
    numbers = [*range(tables), *[_FREE_SECTOR] * (_TABLES_IN_HEADER - tables)]
    head = struct.pack(
        "<8s16x5H6x9I109I", MAGIC, 0x3E, 4, 0xFFFE, 12, 6,
        1, tables, tables, 0, _SECTOR_BYTES, _CHAIN_END, 0, _CHAIN_END, 0, *numbers,
    )  # fmt: skip
    # calamine wants the root to begin somewhere.
    folder = _entry("Root Entry", 5, 1, first, 0)
    folder += _entry("Workbook", 2, _FREE_SECTOR, first, sectors * _SECTOR_BYTES)
    parts = (head, struct.pack(f"<{len(chain)}I", *chain), folder, stream)
    return b"".join(part + b"\0" * (-len(part) % _SECTOR_BYTES) for part in parts)


def _entry(name: str, kind: int, child: int, start: int, size_bytes: int) -> bytes:
    words = name.encode("utf-16-le")
    form = "<64sHBB3I16x20xIQ"
    none = _FREE_SECTOR
    return struct.pack(form, words, len(words) + 2, kind, 1, none, none, child, start, size_bytes)
