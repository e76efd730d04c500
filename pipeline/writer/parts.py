"""The parts of a workbook, changed byte by byte and copied (`Package` says how they are found).

Sources: ECMA-376 part 2 (packages, relationships, content types) and part 1 (workbook parts).
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, BinaryIO

from pipeline.reader.workbook.package import (
    Element,
    Package,
    Relationship,
    as_utf8,
    fold_name,
    iter_elements,
    rels_of,
    with_slashes,
)

_TYPES = "[Content_Types].xml"
MAIN_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_LARGE_BYTES = 1 << 30
_PACKED = (".png", ".jpg", ".jpeg", ".gif", ".mp4", ".webp")


class CopiedPackage(Package):
    """A workbook that is open for copying, and the changes that its copy gets.

    `changed` and `removed` have parts by their names as `part` returns them.
    """

    def __init__(self, source: Path | BinaryIO) -> None:
        """Open a workbook; raises zipfile.BadZipFile, OSError."""
        super().__init__(zipfile.ZipFile(source))
        self.changed: dict[str, bytes] = {}
        self.removed: set[str] = set()

    def part(self, name: str) -> str:
        """Return a part's name as the copy spells it; raises NotAWorkbook."""
        return name if name in self.changed else super().part(name)

    def read(self, name: str) -> bytes:
        """Return a part as it will be in the copy, in an encoding that extends ASCII."""
        part = self.part(name)
        return (
            self.changed[part] if part in self.changed else as_utf8(self.zip.read(self.info(part)))
        )

    def add_part(self, part: str, data: bytes, content_type: str) -> None:
        """Add a part with its content type."""
        self.changed[part] = data
        types = self.read(_TYPES)
        override = f'<Override PartName="/{part}" ContentType="{content_type}"/>'
        self._append(_TYPES, types, override)

    def add_relationship(self, source: str, kind: str, target: str) -> str:
        """Add a relationship of the part `source` to the part `target`; return its id."""
        rels = rels_of(source)
        taken = {relationship.id for relationship in self.relationships(source)}
        number = next(n for n in range(1, len(taken) + 2) if f"rIdReelsheet{n}" not in taken)
        new = f"rIdReelsheet{number}"
        xml = f'<Relationship Id="{new}" Type="{kind}" Target="/{target}"/>'
        self._append(rels, self.read(rels), xml)
        return new

    def drop(self, source: str, relationship: Relationship) -> None:
        """Leave out the target of a relationship, with its content type and the relationship."""
        rels = self.part(rels_of(source))
        data = self.read(rels)
        same = [e for e in elements(data) if e.attributes.get("Id") == relationship.id]
        self.changed[rels] = splice(data, [(e.start, e.end, b"") for e in same])
        part = relationship.target
        self.removed |= {fold_name(part), fold_name(rels_of(part))}
        data = self.read(_TYPES)
        overrides = [
            e
            for e in elements(data)
            if fold_name(e.attributes.get("PartName", "")) == fold_name(part)
        ]
        self.changed[_TYPES] = splice(data, [(e.start, e.end, b"") for e in overrides])

    def set_main_type(self, workbook: str) -> None:
        """Give the workbook part the type of a plain .xlsx, without macros and no template."""
        data = self.read(_TYPES)
        cuts = [
            (e.start, e.end, _override(e, MAIN_TYPE))
            for e in elements(data)
            if fold_name(e.attributes.get("PartName", "")) == fold_name(workbook)
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
                name = with_slashes(info.filename)
                if fold_name(name) in self.removed or info.is_dir():
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
    return (
        f'<{element.name} PartName="/{with_slashes(part)}" ContentType="{content_type}"/>'.encode()
    )


def elements(data: bytes) -> list[Element]:
    """Return the elements of a small part in document order; raises expat.ExpatError."""
    return list(iter_elements(data))


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
