"""A workbook as the zip of parts it is: which part is what, and a copy with some of them changed.

Sources: ECMA-376 part 2 (packages, relationships, content types) and part 1 (workbook parts).
"""

from __future__ import annotations

import posixpath
import shutil
import zipfile
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, BinaryIO, Self

from pipeline.writer.elements import Element, append_child, as_utf8, elements, splice

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TYPES = "[Content_Types].xml"
MAIN_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
LARGE_BYTES = 1 << 30
PACKED = (".png", ".jpg", ".jpeg", ".gif", ".mp4", ".webp")


class NotAWorkbook(Exception):
    """The package is not built as a workbook that can be written into; the text says why."""


@dataclass(frozen=True, slots=True)
class Relationship:
    """One part pointing to another: `kind` is the last word of its type URI."""

    id: str
    type: str
    target: str
    element: Element

    @property
    def kind(self) -> str:
        """What the target is to the source: `worksheet`, `styles` or `calcChain`."""
        return self.type.rpartition("/")[2]


@dataclass(slots=True)
class Package:
    """A workbook file opened for copying, and the changes the copy gets."""

    zip: zipfile.ZipFile
    changed: dict[str, bytes] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)

    @classmethod
    def open(cls, source: Path | BinaryIO) -> Self:
        """Raises zipfile.BadZipFile or OSError."""
        return cls(zipfile.ZipFile(source))

    def part(self, name: str) -> str:
        """The part's name as the zip spells it. Raises NotAWorkbook."""
        if name in self.changed:
            return name
        wanted = name.replace("\\", "/").lstrip("/").lower()
        for info in self.zip.infolist():
            if info.filename.replace("\\", "/").lstrip("/").lower() == wanted:
                return info.filename
        raise NotAWorkbook(f"the file has no {name}")

    def read(self, name: str) -> bytes:
        """A small part as it will be in the copy, in UTF-8 or another encoding made of ASCII."""
        if name not in self.changed:
            return as_utf8(self.zip.read(self.part(name)))
        return self.changed[name]

    def relationships(self, part: str) -> list[Relationship]:
        """What `part` points to inside the file, by the part names of the zip."""
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
        """The name of the workbook part. Raises NotAWorkbook."""
        for relationship in self.relationships(""):
            if relationship.kind == "officeDocument":
                return self.part(relationship.target)
        raise NotAWorkbook("the file names no workbook")

    def add_part(self, part: str, data: bytes, content_type: str) -> None:
        """A new part with its content type."""
        self.changed[part] = data
        types = self.read(TYPES)
        override = f'<Override PartName="/{part}" ContentType="{content_type}"/>'
        self._append(TYPES, types, override)

    def add_relationship(self, source: str, kind: str, target: str) -> str:
        """Let `source` point to the part `target`; gives back the new id."""
        rels = _rels_of(source)
        taken = {relationship.id for relationship in self.relationships(source)}
        number = next(n for n in range(1, len(taken) + 2) if f"rIdReelsheet{n}" not in taken)
        new = f"rIdReelsheet{number}"
        xml = f'<Relationship Id="{new}" Type="{kind}" Target="/{target}"/>'
        self._append(rels, self.read(rels), xml)
        return new

    def drop(self, source: str, relationship: Relationship) -> None:
        """Leave a part out, with all that says it is there."""
        rels = self.part(_rels_of(source))
        data = self.read(rels)
        same = [e for e in elements(data) if e.attributes.get("Id") == relationship.id]
        self.changed[rels] = splice(data, [(e.start, e.end, b"") for e in same])
        part = relationship.target
        self.removed |= {part.lower(), _rels_of(part).lower()}
        data = self.read(TYPES)
        overrides = [
            e
            for e in elements(data)
            if e.attributes.get("PartName", "").lstrip("/").lower() == part.lower()
        ]
        self.changed[TYPES] = splice(data, [(e.start, e.end, b"") for e in overrides])

    def set_main_type(self, workbook: str) -> None:
        """Name the workbook part as one without macros and no template: a plain .xlsx."""
        data = self.read(TYPES)
        cuts = [
            (e.start, e.end, _override(e, MAIN_TYPE))
            for e in elements(data)
            if e.attributes.get("PartName", "").lstrip("/").lower() == workbook.lower()
            and e.attributes.get("ContentType") != MAIN_TYPE
        ]
        if cuts:
            self.changed[TYPES] = splice(data, cuts)

    def copy(self, out: BinaryIO, part: str, patch: Callable[[IO[bytes], IO[bytes]], None]) -> None:
        """Write the package to `out`: `part` through `patch`, and all other parts whole."""
        left = dict(self.changed)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as copy:
            for info in self.zip.infolist():
                name = info.filename
                if name.lower() in self.removed or info.is_dir():
                    continue
                fresh = zipfile.ZipInfo(name, info.date_time)
                fresh.external_attr = info.external_attr
                fresh.compress_type = (
                    zipfile.ZIP_STORED if name.lower().endswith(PACKED) else zipfile.ZIP_DEFLATED
                )
                if name in left:
                    copy.writestr(fresh, left.pop(name))
                    continue
                large = info.file_size > LARGE_BYTES
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
