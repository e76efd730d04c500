"""A copy of a workbook with the filled rows of one sheet only, for a sheet that is mostly empty.

calamine makes a dense rectangle up to the last filled cell: one space typed into row 1,048,576
costs hundreds of megabytes, and a wrong `<dimension>` once aborted the process. The copy holds
the rows that say something, numbered from 1 without gaps. Error values are all #N/A in it, since
calamine refuses those it does not know; what they are was seen before (see `look`).
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.parsers import expat

from pipeline.manifest.wording import letters_of
from pipeline.reader.workbook.rows import Blocks, Cell, Walk, says_nothing

if TYPE_CHECKING:
    from collections.abc import Iterator

STRINGS = "xl/sharedStrings.xml"
_ADDRESS = re.compile(rb'\sr=["\']\$?[A-Z]+\$?\d+["\']')
_NAMESPACE = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@dataclass(frozen=True, slots=True)
class Packed:
    """The copy, the physical number of each of its rows, and its last column from 0."""

    data: bytes
    numbers: list[int]
    last_column: int

    @property
    def area(self) -> int:
        """The cells of the rectangle that calamine makes of the copy."""
        return len(self.numbers) * (self.last_column + 1)


def packed(package: zipfile.ZipFile, part: str) -> Packed:
    """Copy the package with the sheet `part` cut down to its filled rows.

    Raises expat.ExpatError or zipfile.BadZipFile for a damaged part.
    """
    numbers: list[int] = []
    columns = [0]
    target = io.BytesIO()
    with package.open(part) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        copy.compresslevel = 1
        blocks = Blocks(source)
        with copy.open(part, "w") as sheet:
            for row in _rows(blocks, blank_strings(package), columns, numbers):
                sheet.write(row)
            sheet.write(b"</%ssheetData></%sworksheet>" % (blocks.prefix, blocks.prefix))
        for info in package.infolist():
            if info.filename.endswith((".xml", ".rels")) and not _is_sheet(info.filename):
                copy.writestr(info.filename, package.read(info))
    return Packed(target.getvalue(), numbers, max(columns))


def blank_strings(package: zipfile.ZipFile) -> set[str]:
    """The numbers of the shared strings that hold nothing but white space."""
    if STRINGS not in package.namelist():
        return set()
    blank: set[str] = set()
    state = {"index": -1, "filled": True}

    def start(tag: str, _: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "si":
            close()
            state.update(index=state["index"] + 1, filled=False)

    def close() -> None:
        if not state["filled"]:
            blank.add(str(state["index"]))

    def characters(text: str) -> None:
        if not text.isspace():
            state["filled"] = True

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.CharacterDataHandler = characters
    with package.open(STRINGS) as stream:
        parser.ParseFile(stream)
    close()
    return blank


def _is_sheet(name: str) -> bool:
    return name.startswith("xl/worksheets/") and name.endswith(".xml")


def _rows(
    blocks: Blocks, blank: set[str], columns: list[int], numbers: list[int]
) -> Iterator[bytes]:
    last = 0
    started = False
    for block in blocks:
        if not started:
            yield _head(blocks.prefix)
            started = True
        if not blocks.prefix and says_nothing(block):
            continue
        walk = Walk(block, blocks.prefix, last)
        last = walk.row
        kept: dict[int, list[Cell]] = {}
        for cell in walk.cells:
            if _speaks(cell, blank):
                kept.setdefault(cell.row, []).append(cell)
        for number, cells in kept.items():
            numbers.append(number)
            columns.append(max(cell.column for cell in cells))
            yield _row(block, blocks.prefix, cells, len(numbers))
    if not started:
        yield _head(blocks.prefix)


def _speaks(cell: Cell, blank: set[str]) -> bool:
    """Whether the cell shows something, or would if its formula were calculated."""
    if cell.kind == "s":
        return cell.text not in blank
    return bool(cell.text.strip()) or (cell.formula and cell.kind != "str")


def _head(prefix: bytes) -> bytes:
    name = b":" + prefix[:-1] if prefix else b""
    return b'<?xml version="1.0" encoding="UTF-8"?><%sworksheet xmlns%s="%s"><%ssheetData>' % (
        prefix,
        name,
        _NAMESPACE,
        prefix,
    )


def _row(block: bytes, prefix: bytes, cells: list[Cell], number: int) -> bytes:
    """The cells as they stand in the block, with the row's new number in their addresses."""
    parts = [b'<%srow r="%d">' % (prefix, number)]
    for cell in cells:
        raw = block[cell.begins : cell.ends]
        tag, sign, rest = raw.partition(b">")
        if cell.kind == "e":
            rest = b"<%sv>#N/A</%sv>" % (prefix, prefix)
        tag = _ADDRESS.sub(b"", tag) + b' r="%s%d"' % (letters_of(cell.column + 1).encode(), number)
        parts += (tag, sign, rest, b"</%sc>" % prefix)
    return b"".join([*parts, b"</%srow>" % prefix])
