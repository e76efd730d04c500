"""The parts of a workbook: found by their relationships, changed byte by byte, and copied.

Sources: ECMA-376 part 2 (packages, relationships, content types) and part 1 (workbook parts).
"""

from __future__ import annotations

import codecs
import posixpath
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, Self
from xml.parsers import expat

_TYPES = "[Content_Types].xml"
MAIN_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_LARGE_BYTES = 1 << 30
_TAG = re.compile(rb"""<[^>"']*(?:(?:"[^"]*"|'[^']*')[^>"']*)*>""")
_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\?>")
_PACKED = (".png", ".jpg", ".jpeg", ".gif", ".mp4", ".webp")


class NotAWorkbook(Exception):
    """The file is not built as a workbook; the text says why."""


@dataclass(frozen=True, slots=True)
class Relationship:
    """A part that another part names; `kind` is the last word of the type URI."""

    id: str
    type: str
    target: str
    element: Element

    @property
    def kind(self) -> str:
        """What the target is for the source: `worksheet`, `styles` or `calcChain`."""
        return self.type.rpartition("/")[2]


@dataclass(slots=True)
class Package:
    """A workbook that is open for copying, and the changes that its copy gets."""

    zip: zipfile.ZipFile
    changed: dict[str, bytes] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)

    @classmethod
    def open(cls, source: Path | BinaryIO) -> Self:
        """Open a workbook; raises zipfile.BadZipFile, OSError."""
        return cls(zipfile.ZipFile(source))

    def part(self, name: str) -> str:
        """Return the name of a part as the zip file spells it; raises NotAWorkbook."""
        if name in self.changed:
            return name
        wanted = name.replace("\\", "/").lstrip("/").lower()
        for info in self.zip.infolist():
            if info.filename.replace("\\", "/").lstrip("/").lower() == wanted:
                return info.filename
        raise NotAWorkbook(f"the file has no {name}")

    def read(self, name: str) -> bytes:
        """Return a small part as it will be in the copy, in an encoding that extends ASCII."""
        if name not in self.changed:
            return as_utf8(self.zip.read(self.part(name)))
        return self.changed[name]

    def relationships(self, part: str) -> list[Relationship]:
        """Return the relationships of a part to other parts of the file."""
        folder = posixpath.dirname(part)
        found = elements(self.read(_rels_of(part)))
        return [
            Relationship(
                element.attributes.get("Id", ""),
                element.attributes.get("Type", ""),
                posixpath.normpath(posixpath.join("/", folder, element.attributes["Target"]))[1:],
                element,
            )
            for element in found
            if element.local == "Relationship"
            and element.attributes.get("TargetMode") != "External"
            and "Target" in element.attributes
        ]

    def workbook(self) -> str:
        """Return the name of the workbook part; raises NotAWorkbook."""
        for relationship in self.relationships(""):
            if relationship.kind == "officeDocument":
                return self.part(relationship.target)
        raise NotAWorkbook("the file names no workbook")

    def add_part(self, part: str, data: bytes, content_type: str) -> None:
        """Add a part with its content type."""
        self.changed[part] = data
        types = self.read(_TYPES)
        override = f'<Override PartName="/{part}" ContentType="{content_type}"/>'
        self._append(_TYPES, types, override)

    def add_relationship(self, source: str, kind: str, target: str) -> str:
        """Add a relationship of the part `source` to the part `target`; return its id."""
        rels = _rels_of(source)
        taken = {relationship.id for relationship in self.relationships(source)}
        number = next(n for n in range(1, len(taken) + 2) if f"rIdReelsheet{n}" not in taken)
        new = f"rIdReelsheet{number}"
        xml = f'<Relationship Id="{new}" Type="{kind}" Target="/{target}"/>'
        self._append(rels, self.read(rels), xml)
        return new

    def drop(self, source: str, relationship: Relationship) -> None:
        """Leave out the target of a relationship, with its content type and the relationship."""
        rels = self.part(_rels_of(source))
        data = self.read(rels)
        same = [e for e in elements(data) if e.attributes.get("Id") == relationship.id]
        self.changed[rels] = splice(data, [(e.start, e.end, b"") for e in same])
        part = relationship.target
        self.removed |= {part.lower(), _rels_of(part).lower()}
        data = self.read(_TYPES)
        overrides = [
            e
            for e in elements(data)
            if e.attributes.get("PartName", "").lstrip("/").lower() == part.lower()
        ]
        self.changed[_TYPES] = splice(data, [(e.start, e.end, b"") for e in overrides])

    def set_main_type(self, workbook: str) -> None:
        """Give the workbook part the type of a plain .xlsx, without macros and no template."""
        data = self.read(_TYPES)
        cuts = [
            (e.start, e.end, _override(e, MAIN_TYPE))
            for e in elements(data)
            if e.attributes.get("PartName", "").lstrip("/").lower() == workbook.lower()
            and e.attributes.get("ContentType") != MAIN_TYPE
        ]
        if cuts:
            self.changed[_TYPES] = splice(data, cuts)

    def copy(self, out: BinaryIO, part: str, patch: Callable[[IO[bytes], IO[bytes]], None]) -> None:
        """Write the copy.

        Args:
            out: where to.
            part: the part that is too large to be held, by its name in the zip file.
            patch: copies that part from its first argument to its second.

        """
        left = dict(self.changed)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as copy:
            for info in self.zip.infolist():
                name = info.filename
                if name.lower() in self.removed or info.is_dir():
                    continue
                fresh = zipfile.ZipInfo(name, info.date_time)
                fresh.external_attr = info.external_attr
                fresh.compress_type = (
                    zipfile.ZIP_STORED if name.lower().endswith(_PACKED) else zipfile.ZIP_DEFLATED
                )
                if name in left:
                    copy.writestr(fresh, left.pop(name))
                    continue
                large = info.file_size > _LARGE_BYTES
                with (
                    self.zip.open(info) as source,
                    copy.open(fresh, "w", force_zip64=large) as target,
                ):
                    (patch if name == part else shutil.copyfileobj)(source, target)
            for name, data in left.items():
                copy.writestr(name, data)

    def _append(self, part: str, data: bytes, xml: str) -> None:
        name = self.part(part)
        root = elements(data)[0]
        head, colon, _ = root.name.rpartition(":")
        xml = xml.replace("<", f"<{head}{colon}")
        self.changed[name] = splice(data, [append_child(data, root, xml.encode())])


def _override(element: Element, content_type: str) -> bytes:
    part = element.attributes["PartName"]
    return f'<{element.name} PartName="{part}" ContentType="{content_type}"/>'.encode()


def _rels_of(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


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


def elements(data: bytes) -> list[Element]:
    """Return the elements of a small part in document order; raises expat.ExpatError."""
    parser = expat.ParserCreate()
    found: list[Element] = []
    open_ones: list[Element] = []

    def start(name: str, attributes: dict[str, str]) -> None:
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

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(data, True)
    return found


def tag_end(data: bytes | bytearray, start: int) -> int:
    """Return the offset behind the tag at `start`; a `>` inside quotes does not end it."""
    tag = _TAG.match(data, start)
    if tag is None:
        raise expat.ExpatError(f"no tag at byte {start}")
    return tag.end()


def splice(data: bytes, cuts: Iterable[tuple[int, int, bytes]]) -> bytes:
    """Replace each `[start:end]` of `(start, end, replacement)`; they must not overlap."""
    pieces, at = [], 0
    for start, end, replacement in sorted(cuts, key=lambda cut: (cut[0], cut[1])):
        pieces += [data[at:start], replacement]
        at = end
    pieces.append(data[at:])
    return b"".join(pieces)


def append_child(data: bytes, element: Element, xml: bytes) -> tuple[int, int, bytes]:
    """Return the cut that adds `xml` as the last child of `element`."""
    if not element.self_closing:
        return element.close, element.close, xml
    tag = data[element.start : element.inner - 2].rstrip()
    return element.start, element.end, tag + b">" + xml + f"</{element.name}>".encode()


def prefix_of(element: Element) -> str:
    """Return the prefix of an element's name with its colon, or nothing."""
    head, colon, _ = element.name.rpartition(":")
    return head + colon


def prefixed(xml: str, prefix: str) -> bytes:
    """Return our own markup with the prefix of the part, in ASCII, which fits every encoding."""
    if prefix:
        xml = re.sub(r"<(/?)(?=[a-zA-Z])", rf"<\1{prefix}", xml)
    return xml.encode("ascii", "xmlcharrefreplace")


def as_utf8(data: bytes) -> bytes:
    """Return a UTF-16 part as UTF-8; in any other encoding our ASCII markup fits."""
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data
    return _DECLARATION.sub(b"", data.decode("utf-16").encode("utf-8"))
