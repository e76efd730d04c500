"""A workbook as the package of parts that it is (ECMA-376 part 2), read within limits.

A package is a zip file. A part names others by its relationships, which lie in a part of their own
beside it: those of `xl/workbook.xml` in `xl/_rels/workbook.xml.rels`, those of the package itself
in `_rels/.rels`. Nothing else says where a part lies: the workbook may be `book.xml` at the root.
Names of parts have no case, and some programs write them with backslashes.

A zip file of 300 KB can claim, or really hold, hundreds of megabytes. Declared sizes are added up
before anything is inflated, and Python's zipfile inflates no part beyond what it declared: what
passes here cannot surprise calamine, which has no limits of its own.

Tested in tests/reader/test_package.py.
"""

from __future__ import annotations

import codecs
import io
import posixpath
import re
import zipfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING
from xml.parsers import expat

from pipeline.errors import ManifestError
from pipeline.reader.content import Content
from pipeline.reader.workbook.damage import Damage, explain_damage

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

# Real sheets inflate 8 to 20 times (measured on sheets of 100,000 rows, all cells equal: 14).
_MAX_RATIO = 50
# The cells of an .ods are spelled out: 53 times, measured on 100,000 rows of 12 cells. Their part
# is never held as a whole, and what it holds is counted as it comes (see `sheets.Gathered`).
_STREAMED = "content.xml"
_MAX_STREAMED_RATIO = 200
_FREE_BYTES = 4 * 1024**2
_MAX_UNPACKED_BYTES = 2 * 1024**3
_MAX_SMALL_PART_BYTES = 32 * 1024**2
_CHUNK_BYTES = 1024**2
# What else there is in a package, such as pictures, is not looked through; it counts all the same:
# any part may be named as one that is opened.
_INFLATED = (".xml", ".rels", ".bin")
# A workbook of Excel's own limits has 65,490 cell formats, its largest list.
_MOST_ELEMENTS = 500_000
# Where programs put the workbook that do not say where it is.
_USUAL_WORKBOOKS = ("xl/workbook.xml", "xl/workbook.bin")
# An OpenDocument package that is encrypted as a whole has but one part (ODF 1.4 part 2, 3.16).
_OPEN_DOCUMENT = ("content.xml", "encrypted-package")

# No tag holds another `<`: the search for the end of a broken one stops there.
_TAG = re.compile(rb"""<[^<>"']*(?:(?:"[^"<]*"|'[^'<]*')[^<>"']*)*>""")
_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\?>")


class NotAWorkbook(Damage):
    """The file is not built as a workbook; the text says why."""


@dataclass(slots=True)
class Element:
    """One element: `[start:end]` is all of it, `[inner:close]` its content.

    A self-closing element has `inner == close == end`. `local` is the name without its prefix.
    """

    name: str
    attributes: dict[str, str]
    parent: Element | None
    start: int
    inner: int
    close: int = 0
    end: int = 0

    @property
    def local(self) -> str:
        """The name without its prefix."""
        return self.name.rpartition(":")[2]

    @property
    def self_closing(self) -> bool:
        """Whether it has no end tag."""
        return self.close == self.end

    def reference(self) -> str | None:
        """Return the id of the relationship that it names (`r:id`, with any prefix)."""
        for name, value in self.attributes.items():
            if name.endswith(":id"):
                return value
        return None


@dataclass(frozen=True, slots=True)
class Relationship:
    """A part that another part names: `target` from the root, `stated` as it is written."""

    id: str
    type: str
    target: str
    stated: str

    @property
    def kind(self) -> str:
        """What the target is for the source: `worksheet`, `styles` or `calcChain`."""
        return self.type.rpartition("/")[2]


class Package:
    """The parts of the zip file `file`, by names in any case and with either slash."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self.zip = file
        self._infos: dict[str, zipfile.ZipInfo] = {}
        for info in file.infolist():
            self._infos.setdefault(fold_name(info.filename), info)

    def __contains__(self, name: str) -> bool:
        return fold_name(name) in self._infos

    def info(self, name: str) -> zipfile.ZipInfo:
        """Return a part's entry in the zip file; raises NotAWorkbook."""
        try:
            return self._infos[fold_name(name)]
        except KeyError:
            raise NotAWorkbook(f"the file has no {name}") from None

    def part(self, name: str) -> str:
        """Return a part's name as the zip file spells it, with slashes; raises NotAWorkbook."""
        return with_slashes(self.info(name).filename)

    def open(self, name: str) -> IO[bytes]:
        """Open a part; raises NotAWorkbook."""
        return self.zip.open(self.info(name))

    def read(self, name: str) -> bytes:
        """Return a small part in an encoding that extends ASCII; raises NotAWorkbook."""
        if self.info(name).file_size > _MAX_SMALL_PART_BYTES:
            raise NotAWorkbook(f"{name} is too large")
        with self.open(name) as stream:
            return as_utf8(stream.read())

    def relationships(self, part: str) -> list[Relationship]:
        """Return the relationships of a part to other parts of the file."""
        folder = posixpath.dirname(part)
        return [
            Relationship(
                element.attributes.get("Id", ""),
                element.attributes.get("Type", ""),
                self._target(folder, element.attributes["Target"]),
                element.attributes["Target"],
            )
            for element in iter_elements(self.read(rels_of(part)))
            if element.local == "Relationship"
            and element.attributes.get("TargetMode") != "External"
            and "Target" in element.attributes
        ]

    def main(self) -> Relationship:
        """Return the relationship of the package to its workbook; raises NotAWorkbook."""
        for relationship in self.relationships(""):
            if relationship.kind == "officeDocument":
                return relationship
        raise NotAWorkbook("the file names no workbook")

    def find_workbook(self) -> str:
        """Return the name of the workbook part; raises NotAWorkbook."""
        return self.part(self.main().target)

    def inflate(self, but: Container[str], also: Container[str] = ()) -> None:
        """Decompress every part once and discard it: zipfile checks real sizes and checksums.

        `but` has the folded names of parts that are read as a whole anyhow, or not at all; `also`
        those of parts that another library opens, whatever they are called.
        """
        for name, info in self._infos.items():
            if (name.endswith(_INFLATED) or name in also) and name not in but:
                with self.zip.open(info) as stream:
                    for _ in chunks(stream):
                        pass

    def _target(self, folder: str, stated: str) -> str:
        """Find the part that a relationship leads to; some programs write all from the root."""
        target = stated.replace("\\", "/")
        found = posixpath.normpath(posixpath.join("/", folder, target))[1:]
        return target if found not in self and target in self else found


def open_package(name: str, data: bytes) -> Package:
    """Open the package `data` of the file `name`, with the declared sizes of its parts checked.

    Raises ManifestError for a damaged package and for one that would inflate past the limits.
    """
    with explain_damage(name):
        package = zipfile.ZipFile(io.BytesIO(data))
        parts = package.infolist()
        streamed = sum(i.file_size for i in parts if fold_name(i.filename) == _STREAMED)
        others = sum(i.file_size for i in parts) - streamed
        _refuse_bomb(name, others, len(data), _MAX_RATIO)
        _refuse_bomb(name, streamed, len(data), _MAX_STREAMED_RATIO)
        if len({fold_name(part.filename) for part in parts}) < len(parts):
            raise zipfile.BadZipFile("a part is there twice")
        return Package(package)


def find_content(name: str, package: Package) -> Content | None:
    """Tell which kind of workbook the file `name` is; None for any other zip file.

    Raises ManifestError for a damaged one.
    """
    if any(part in package for part in _OPEN_DOCUMENT):
        return Content.ODS
    with explain_damage(name):
        try:
            workbook, _ = workbook_of(package)
        except NotAWorkbook:
            return None
        if fold_name(workbook).endswith(".bin"):
            return Content.XLSB
        root = next(iter_elements(package.read(workbook)))
        return Content.ZIP if root.local == "workbook" else None


def workbook_of(package: Package) -> tuple[str, str]:
    """Return the name of the workbook part, and how the package states it, empty if it does not.

    Raises NotAWorkbook.
    """
    try:
        named = package.main()
        return package.part(named.target), named.stated
    except (NotAWorkbook, expat.ExpatError) as error:
        for name in _USUAL_WORKBOOKS:
            if name in package:
                return package.part(name), ""
        raise NotAWorkbook("the file names no workbook") from error


def iter_elements(data: bytes) -> Iterator[Element]:
    """Give the elements of a small part in document order; an end is known when it is reached.

    Raises expat.ExpatError and NotAWorkbook.
    """
    found: list[Element] = []
    open_ones: list[Element] = []
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > _MOST_ELEMENTS:
            raise NotAWorkbook(f"a part has more than {_MOST_ELEMENTS:,} elements")
        at = parser.CurrentByteIndex
        parent = open_ones[-1] if open_ones else None
        element = Element(name, attributes, parent, at, tag_end(data, at))
        found.append(element)
        open_ones.append(element)

    def end(_name: str) -> None:
        element = open_ones.pop()
        if data[element.inner - 2 : element.inner] == b"/>":
            element.close = element.end = element.inner
        else:
            element.close = parser.CurrentByteIndex
            element.end = data.index(b">", element.close) + 1

    parser = make_parser(start, end)
    for at in range(0, len(data), _CHUNK_BYTES):
        parser.Parse(data[at : at + _CHUNK_BYTES], False)
        yield from found
        found.clear()
    parser.Parse(b"", True)
    yield from found


def make_parser(
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> expat.XMLParserType:
    """Make a parser of a part that calls these for each start tag, each end tag and each text.

    Args:
        start: is told of a tag and its attributes.
        end: is told of a tag; None for nobody.
        text: is told of characters between tags; None for nobody.

    It raises NotAWorkbook for a document type: only an attack declares entities in a workbook.

    """

    def refuse(*_: object) -> None:
        raise NotAWorkbook("a part has a document type")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    return parser


def tag_end(data: bytes | bytearray, start: int) -> int:
    """Return the offset behind the tag at `start`, past any `>` in quotes; raises ExpatError."""
    tag = _TAG.match(data, start)
    if tag is None:
        raise expat.ExpatError(f"no tag at byte {start}")
    return tag.end()


def as_utf8(data: bytes) -> bytes:
    """Return a UTF-16 part as UTF-8; in any other encoding our ASCII markup fits."""
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data
    return _DECLARATION.sub(b"", data.decode("utf-16").encode("utf-8"))


def with_slashes(name: str) -> str:
    """Return the name of a part from the root, with slashes."""
    return name.replace("\\", "/").lstrip("/")


def fold_name(name: str) -> str:
    """Return the name of a part in the form by which names are compared."""
    return with_slashes(name).lower()


def rels_of(part: str) -> str:
    """Return the name of the part that holds the relationships of `part`."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """Give the bytes of `stream`, a megabyte at a time."""
    while chunk := stream.read(_CHUNK_BYTES):
        yield chunk


def _refuse_bomb(name: str, unpacked: int, packed: int, ratio: int) -> None:
    if unpacked > min(_MAX_UNPACKED_BYTES, _FREE_BYTES + ratio * packed):
        raise ManifestError(
            f"{name} would unpack from {packed:,} to {unpacked:,} bytes, which no real table does.",
            action="Copy the cells into a new workbook and save that.",
        )
