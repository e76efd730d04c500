"""A workbook's package: a zip file whose parts are inflated only within limits.

A zip file of 300 KB can claim, or really hold, hundreds of megabytes. Declared sizes are added up
before anything is inflated, and Python's zipfile inflates no part beyond what it declared: what
passes here cannot surprise calamine, which has no limits of its own.
"""

from __future__ import annotations

import io
import zipfile
from typing import IO, TYPE_CHECKING
from xml.parsers import expat

from pipeline.errors import ManifestError
from pipeline.reader.content import Content
from pipeline.reader.workbook.damage import explained
from pipeline.reader.workbook.sheets import SheetPart

if TYPE_CHECKING:
    from collections.abc import Iterator

# Real sheets inflate 8 to 20 times (measured on sheets of 100,000 rows, all cells equal: 14).
MAX_RATIO = 50
# The cells of an .ods are spelled out: 53 times, measured on 100,000 rows of 12 cells. Their part
# is never held as a whole, and what it holds is counted as it comes (see `gathered`).
STREAMED = "content.xml"
MAX_STREAMED_RATIO = 200
FREE_BYTES = 4 * 1024**2
MAX_UNPACKED_BYTES = 2 * 1024**3
MAX_SMALL_PART_BYTES = 32 * 1024**2
_CHUNK_BYTES = 1024**2
_INFLATED = (".xml", ".rels", ".bin")
_SHEETS = "xl/worksheets/"
# An OpenDocument package that is encrypted as a whole has but one part (ODF 1.4 part 2, 3.16).
_MAIN_PARTS = {
    "xl/workbook.xml": Content.ZIP,
    "xl/workbook.bin": Content.XLSB,
    "content.xml": Content.ODS,
    "encrypted-package": Content.ODS,
}


def open_package(name: str, data: bytes) -> zipfile.ZipFile:
    """Open the package `data` of the file `name`, its sizes checked and its small parts tried.

    Raises ManifestError for a damaged package and for one that would inflate past the limits.
    """
    with explained(name):
        package = zipfile.ZipFile(io.BytesIO(data))
        parts = [i for i in package.infolist() if i.filename.lower().endswith(_INFLATED)]
        for streamed in (False, True):
            sizes = [part.file_size for part in parts if (part.filename == STREAMED) is streamed]
            _refuse_bomb(name, sum(sizes), len(data), MAX_STREAMED_RATIO if streamed else MAX_RATIO)
        if len({part.filename.lower() for part in parts}) < len(parts):
            raise zipfile.BadZipFile("a part is there twice")
        for part in parts:
            # A sheet is inflated when it is looked at; calamine opens no other one.
            if not (part.filename.startswith(_SHEETS) and part.filename.endswith(".xml")):
                _inflate(package, part)
        return package


def kind_of(package: zipfile.ZipFile) -> Content | None:
    """Which kind of workbook the package is; None for any other zip file."""
    names = set(package.namelist())
    return next((kind for part, kind in _MAIN_PARTS.items() if part in names), None)


def sheets_of(name: str, package: zipfile.ZipFile) -> list[SheetPart]:
    """The worksheets of an .xlsx package, in their order; chart sheets are left out."""
    with explained(name):
        targets = relations(package, "xl/_rels/workbook.xml.rels", "/worksheet")
        found = []
        for tag, attributes in elements(package, "xl/workbook.xml"):
            relation = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            if tag == "sheet" and relation in targets:
                visible = attributes.get("state", "visible") == "visible"
                part = part_name(targets[relation])
                found.append(SheetPart(attributes["name"], visible, part))
        return found


def elements(package: zipfile.ZipFile, part: str) -> list[tuple[str, dict[str, str]]]:
    """Every element of a small part: its name without prefix, its attributes."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()

    def start(tag: str, attributes: dict[str, str]) -> None:
        found.append((tag.rpartition(":")[2], attributes))

    def doctype(*_: object) -> None:
        # Only an attack declares entities in a workbook.
        raise zipfile.BadZipFile(f"{part} has a document type")

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = doctype
    if package.getinfo(part).file_size > MAX_SMALL_PART_BYTES:
        raise zipfile.BadZipFile(f"{part} is too large")
    parser.Parse(package.read(part), True)
    return found


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """The bytes of `stream`, a megabyte at a time."""
    while chunk := stream.read(_CHUNK_BYTES):
        yield chunk


def relations(package: zipfile.ZipFile, part: str, kind: str) -> dict[str, str]:
    """What a part of relations leads to, by its id, as far as its type ends with `kind`."""
    return {
        attributes["Id"]: attributes["Target"]
        for tag, attributes in elements(package, part)
        if tag == "Relationship" and attributes.get("Type", "").endswith(kind)
    }


def part_name(target: str) -> str:
    """The name of the part that a relation of the workbook leads to."""
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _inflate(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Inflate a part once, to nowhere: zipfile checks its real size and its checksum."""
    with package.open(part) as stream:
        for _ in chunks(stream):
            pass


def _refuse_bomb(name: str, unpacked: int, packed: int, ratio: int) -> None:
    if unpacked > min(MAX_UNPACKED_BYTES, FREE_BYTES + ratio * packed):
        raise ManifestError(
            f"{name} would unpack from {packed:,} to {unpacked:,} bytes, which no real table does.",
            action="Copy the cells into a new workbook and save that.",
        )
