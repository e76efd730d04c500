"""The parts of an .xlsx, and a copy of them for what calamine cannot read as it is.

calamine looks for the parts where Excel puts them, by some forms of their relationships only. It
makes a dense rectangle up to the last filled cell: one space typed into row 1,048,576 costs
hundreds of megabytes, and a wrong `<dimension>` once aborted the process. And it refuses a workbook
over an error value that it does not know. The copy has the parts at their usual places, holds the
rows that say something, numbered from 1 without gaps, and has #N/A for every error value; which
they are was seen before (see `rows`).

Tested in tests/reader/test_workbook.py and tests/reader/test_package.py.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.manifest.wording import letters_of
from pipeline.reader.workbook.blocks import Blocks
from pipeline.reader.workbook.cellforms import RawCell, Strings, rewrite
from pipeline.reader.workbook.package import (
    Package,
    Relationship,
    iter_elements,
    make_parser,
    rels_of,
    workbook_of,
)
from pipeline.reader.workbook.rows import Walk, says_nothing
from pipeline.reader.workbook.sheets import SheetPart

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADDRESS = re.compile(rb'\sr=["\']\$?[A-Z]{1,3}\$?\d{1,7}["\']')
_NAMESPACE = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_OF_PACKAGES = "http://schemas.openxmlformats.org/package/2006"
# Where calamine looks for the parts of a workbook, and where they are put in a copy.
_WORKBOOK, _STRINGS, _STYLES = "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml"
_SHEET = "xl/worksheets/sheet1.xml"


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook by the names of its parts, as the zip file spells them.

    `stated` is how the package itself names the workbook.
    """

    package: Package
    workbook: str
    stated: str
    relationships: list[Relationship]
    strings: str | None
    styles: str | None

    def sheets(self) -> list[SheetPart]:
        """Return the worksheets in their order, without chart sheets."""
        targets = {one.id: one.target for one in self.relationships if one.kind == "worksheet"}
        found = []
        for element in iter_elements(self.package.read(self.workbook)):
            part = targets.get(element.reference() or "")
            if element.local == "sheet" and part is not None:
                visible = element.attributes.get("state", "visible") == "visible"
                found.append(SheetPart(element.attributes["name"], visible, part))
        return found

    @property
    def usual_places(self) -> dict[str, str]:
        """The parts that calamine reads beside the sheet, and where it looks for them."""
        places = {self.workbook: _WORKBOOK, self.strings: _STRINGS, self.styles: _STYLES}
        return {part: place for part, place in places.items() if part is not None}

    def is_usual(self, sheet: SheetPart) -> bool:
        """Tell whether calamine finds the workbook's parts: it looks where Excel puts them."""
        usual = all(self._is_at(part, place) for part, place in self.usual_places.items())
        stated = next(one.stated for one in self.relationships if one.target == sheet.part)
        inside = stated.startswith("/xl/") or not stated.startswith(("/", "..", "xl/"))
        plain = "\\" not in stated and posixpath.normpath(stated) == stated
        return usual and inside and plain and self.stated.lstrip("/").lower() == _WORKBOOK

    def _is_at(self, part: str, place: str) -> bool:
        name = self.package.info(part).filename.replace("\\", "/")
        return name.lower() == place.lower()


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


def find_parts(package: Package) -> Book:
    """Find the parts of a workbook; raises NotAWorkbook, expat.ExpatError."""
    workbook, stated_as = workbook_of(package)
    relationships = package.relationships(workbook)

    def related(kind: str, usual: str) -> str | None:
        targets = [one.target for one in relationships if one.kind == kind]
        return next((package.part(one) for one in (*targets, usual) if one in package), None)

    strings, styles = related("sharedStrings", _STRINGS), related("styles", _STYLES)
    return Book(package, workbook, stated_as, relationships, strings, styles)


def pack(book: Book, sheet: SheetPart, strings: Strings) -> Packed:
    """Copy what calamine reads, with the sheet cut down to its filled rows.

    Args:
        book: the workbook.
        sheet: the sheet that is read.
        strings: the shared texts, if they were counted.

    Raises expat.ExpatError or zipfile.BadZipFile for a damaged part.
    """
    numbers: list[int] = []
    columns = [0]
    target = io.BytesIO()
    with (
        book.package.open(sheet.part) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy,
    ):
        copy.compresslevel = 1
        blocks = Blocks(source)
        with copy.open(_SHEET, "w") as part:
            for row in _rows(blocks, strings, _blank_strings(book), columns, numbers):
                part.write(row)
            part.write(b"</%ssheetData></%sworksheet>" % (blocks.prefix, blocks.prefix))
        for name, text in _signposts(book, sheet):
            copy.writestr(name, text)
        for own, place in book.usual_places.items():
            copy.writestr(place, book.package.zip.read(book.package.info(own)))
    return Packed(target.getvalue(), numbers, max(columns))


def _signposts(book: Book, sheet: SheetPart) -> Iterator[tuple[str, str]]:
    """Yield the parts of a copy that say where its other parts are."""
    from xml.sax.saxutils import quoteattr  # noqa: PLC0415 - loads all of HTTP

    places = book.usual_places | {sheet.part: _SHEET}
    kept = [
        f"<Relationship Id={quoteattr(one.id)} Type={quoteattr(one.type)}"
        f" Target={quoteattr('/' + places.get(one.target, one.target))}/>"
        for one in book.relationships
    ]
    yield rels_of(_WORKBOOK), _relationships("".join(kept))
    office = f'<Relationship Id="a" Type="{_OFFICE}/officeDocument" Target="{_WORKBOOK}"/>'
    yield rels_of(""), _relationships(office)
    yield "[Content_Types].xml", f'<Types xmlns="{_OF_PACKAGES}/content-types"/>'


def _relationships(inner: str) -> str:
    return f'<Relationships xmlns="{_OF_PACKAGES}/relationships">{inner}</Relationships>'


def count_strings(book: Book) -> Strings:
    """Count the shared texts of a workbook."""
    count = 0

    def start(tag: str, _: object) -> None:
        nonlocal count
        count += tag.rpartition(":")[2] == "si"

    if book.strings is not None:
        with book.package.open(book.strings) as stream:
            make_parser(start).ParseFile(stream)
    return Strings(count)


def _blank_strings(book: Book) -> set[str]:
    """Return the numbers of the shared strings that hold nothing but white space."""
    if book.strings is None:
        return set()
    blank: set[str] = set()
    number = -1

    def start(tag: str, _: object) -> None:
        nonlocal number
        if tag.rpartition(":")[2] == "si":
            number += 1
            blank.add(str(number))

    def characters(text: str) -> None:
        if not text.isspace():
            blank.discard(str(number))

    with book.package.open(book.strings) as stream:
        make_parser(start, text=characters).ParseFile(stream)
    return blank


def _rows(
    blocks: Blocks, strings: Strings, blank: set[str], columns: list[int], numbers: list[int]
) -> Iterator[bytes]:
    last = 0
    yield _head(blocks.prefix)
    for block in blocks:
        if not blocks.prefix and says_nothing(block):
            continue
        walk = Walk(block, blocks.prefix, last)
        last = walk.row
        kept: dict[int, list[RawCell]] = {}
        for cell in walk.cells:
            if _speaks(cell, blank):
                kept.setdefault(cell.row, []).append(cell)
        for number, cells in kept.items():
            numbers.append(number)
            columns.append(max(cell.column for cell in cells))
            yield _row(block, blocks.prefix, cells, len(numbers), strings)


def _speaks(cell: RawCell, blank: set[str]) -> bool:
    """Tell whether the cell shows something, or would if its formula were calculated."""
    if cell.kind == "s":
        return cell.text.strip() not in blank
    return bool(cell.text.strip()) or (cell.formula and cell.kind != "str")


def _head(prefix: bytes) -> bytes:
    name = b":" + prefix[:-1] if prefix else b""
    return b'<?xml version="1.0" encoding="UTF-8"?><%sworksheet xmlns%s="%s"><%ssheetData>' % (
        prefix,
        name,
        _NAMESPACE,
        prefix,
    )


def _row(block: bytes, prefix: bytes, cells: list[RawCell], number: int, strings: Strings) -> bytes:
    """Copy the cells of a row, with the row's new number in their addresses."""
    parts = [b'<%srow r="%d">' % (prefix, number)]
    for cell in cells:
        raw = block[cell.begins : cell.ends]
        tag, sign, rest = raw.partition(b">")
        if cell.kind == "e":
            rest = b"<%sv>#N/A</%sv>" % (prefix, prefix)
        elif written := rewrite(cell, raw, tag, prefix, strings):
            tag, rest = written
        tag = _ADDRESS.sub(b"", tag) + b' r="%s%d"' % (letters_of(cell.column + 1).encode(), number)
        parts += (tag, sign, rest, b"</%sc>" % prefix)
    return b"".join([*parts, b"</%srow>" % prefix])
