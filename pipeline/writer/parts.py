"""The parts of a workbook, changed byte by byte and copied; all others go through whole.

Which part is what, and where the elements of a part lie, the reader of packages says
(reader/workbook/package.py). Sources: ECMA-376 part 2 (packages, relationships, content types) and
part 1 (parts of a workbook).

Tested in tests/writer/test_workbook_copy.py.
"""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import IO, BinaryIO, Self

from pipeline.reader.workbook.package import (
    Element,
    Package,
    as_utf8,
    fold_name,
    iter_elements,
    rels_of,
    tag_end,
    with_slashes,
)

MAIN_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
"""The content type of the workbook part."""
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
"""The content type of a worksheet part."""
_TYPES = "[Content_Types].xml"
_NO_RELATIONSHIPS = (
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>'
)
_LARGE_BYTES = 1 << 30
_PACKED = (".png", ".jpg", ".jpeg", ".gif", ".mp4", ".webp")


class PackageCopy(Package):
    """A workbook that is open for copying, and the changes that its copy gets."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        super().__init__(file)
        self._changed: dict[str, tuple[str, bytes]] = {}
        self._dropped: set[str] = set()

    @classmethod
    def of(cls, source: Path | BinaryIO) -> Self:
        """Open a workbook; raises zipfile.BadZipFile, OSError."""
        return cls(zipfile.ZipFile(source))

    def __contains__(self, name: str) -> bool:
        return fold_name(name) in self._changed or super().__contains__(name)

    def part(self, name: str) -> str:
        """Return a part's name as the zip file spells it, with slashes; raises NotAWorkbook."""
        changed = self._changed.get(fold_name(name))
        return changed[0] if changed else super().part(name)

    def read(self, name: str) -> bytes:
        """Return a part as it will be in the copy, in an encoding that extends ASCII.

        Its size has no limit here: the manifest was read before, within the reader's limits, in
        which all parts are counted.
        """
        changed = self._changed.get(fold_name(name))
        return changed[1] if changed else as_utf8(self.zip.read(self.info(name)))

    def change(self, name: str, data: bytes) -> None:
        """Give a part of the copy other content; raises NotAWorkbook if there is no such part."""
        self._changed[fold_name(name)] = (self.part(name), data)

    def add_part(self, name: str, data: bytes, content_type: str) -> None:
        """Add a part with its content type."""
        self._changed[fold_name(name)] = (name, data)
        self._append(_TYPES, f'<Override PartName="/{name}" ContentType="{content_type}"/>')

    def add_files(self, parts: Mapping[str, bytes], extension: str, content_type: str) -> None:
        """Add many parts of one kind, which is told by the extension of their names.

        Args:
            parts: what is in them, by their names.
            extension: that of all these names.
            content_type: their kind, unless the workbook says already what the extension is.

        """
        self._changed |= {fold_name(name): (name, data) for name, data in parts.items()}
        known = [
            one.attributes.get("Extension", "").casefold()
            for one in elements(self.read(_TYPES))
            if one.local == "Default"
        ]
        if extension not in known:
            self._append(_TYPES, f'<Default Extension="{extension}" ContentType="{content_type}"/>')

    def add_relationship(self, source: str, kind: str, target: str) -> str:
        """Add a relationship of the part `source` to the part `target`; return its id.

        Args:
            source: the name of the part that gets it.
            kind: its type, a URI.
            target: the name of the part that it leads to.

        """
        if rels_of(source) not in self:
            self._changed[fold_name(rels_of(source))] = (rels_of(source), _NO_RELATIONSHIPS)
        taken = {relationship.id for relationship in self.relationships(source)}
        number = next(n for n in range(1, len(taken) + 2) if f"rIdReelsheet{n}" not in taken)
        new = f"rIdReelsheet{number}"
        xml = f'<Relationship Id="{new}" Type="{kind}" Target="/{target}"/>'
        self._append(rels_of(source), xml)
        return new

    def drop(self, source: str, kinds: Collection[str]) -> None:
        """Leave out the parts that a part is related to in these ways, and all that names them."""
        dropped = [one for one in self.relationships(source) if one.kind in kinds]
        if not dropped:
            return
        ids = {one.id for one in dropped}
        parts = {fold_name(one.target) for one in dropped}
        self._cut(rels_of(source), lambda element: element.attributes.get("Id") in ids)
        self._cut(_TYPES, lambda element: _part_of(element) in parts)
        self._dropped |= parts | {fold_name(rels_of(one.target)) for one in dropped}

    def set_main_type(self, workbook: str) -> None:
        """Give the workbook part the type of a plain .xlsx, without macros and no template."""
        data = self.read(_TYPES)
        cuts = [
            (e.start, e.end, _as_main(e))
            for e in elements(data)
            if _part_of(e) == fold_name(workbook) and e.attributes.get("ContentType") != MAIN_TYPE
        ]
        if cuts:
            self.change(_TYPES, splice(data, cuts))

    def copy(self, out: BinaryIO, part: str, patch: Callable[[IO[bytes], IO[bytes]], None]) -> None:
        """Write the copy.

        Args:
            out: where to.
            part: the name of the part that is too large to be held.
            patch: copies that part from its first argument to its second.

        """
        left = dict(self._changed)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as copy:
            for info in self.zip.infolist():
                key = fold_name(info.filename)
                if key in self._dropped or info.is_dir():
                    continue
                fresh = _fresh(info)
                patched = key == fold_name(part)
                if key in left and not patched:
                    copy.writestr(fresh, left.pop(key)[1])
                    continue
                large = info.file_size > _LARGE_BYTES
                changed = left.pop(key, None)
                with (
                    io.BytesIO(changed[1]) if changed else self.zip.open(info) as source,
                    copy.open(fresh, "w", force_zip64=large) as target,
                ):
                    (patch if patched else shutil.copyfileobj)(source, target)
            for name, data in left.values():
                copy.writestr(name, data, _packing(name))

    def _append(self, name: str, xml: str) -> None:
        """Add an element as the last child of a part's root."""
        data = self.read(name)
        root = elements(data)[0]
        xml = xml.replace("<", f"<{prefix_of(root)}")
        self.change(name, splice(data, [append_child(data, root, xml.encode())]))

    def _cut(self, name: str, unwanted: Callable[[Element], bool]) -> None:
        data = self.read(name)
        cuts = [(e.start, e.end, b"") for e in elements(data) if unwanted(e)]
        self.change(name, splice(data, cuts))


def _fresh(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Return the entry of a part in the copy."""
    fresh = zipfile.ZipInfo(with_slashes(info.filename), info.date_time)
    fresh.external_attr = info.external_attr
    fresh.compress_type = _packing(info.filename)
    return fresh


def _packing(name: str) -> int:
    """Return how a part is compressed: not at all if it is packed already."""
    return zipfile.ZIP_STORED if name.lower().endswith(_PACKED) else zipfile.ZIP_DEFLATED


def _part_of(element: Element) -> str:
    """Return the name of the part that a content type is of, as names are compared."""
    return fold_name(element.attributes.get("PartName", ""))


def _as_main(element: Element) -> bytes:
    """Return the element that gives a part the content type of a workbook."""
    part = with_slashes(element.attributes["PartName"])
    return f'<{element.name} PartName="/{part}" ContentType="{MAIN_TYPE}"/>'.encode()


def elements(data: bytes) -> list[Element]:
    """Return all elements of a small part in document order; raises expat.ExpatError."""
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


def add_prefix(xml: str, prefix: str) -> bytes:
    """Return our own markup with the prefix of the part, in ASCII, which fits every encoding."""
    if prefix:
        xml = re.sub(r"<(/?)(?=[a-zA-Z])", rf"<\1{prefix}", xml)
    return xml.encode("ascii", "xmlcharrefreplace")


def parts_behind_rows(prefix: str, tail: bytes) -> tuple[list[Element], int]:
    """Return the elements of a sheet that follow its rows, and where the sheet ends.

    `tail` is all of its bytes from the end of its rows on, `prefix` that of its elements' names.
    """
    start = tail.index(b">") + 1 if tail.startswith(b"</") else 0  # the end of the rows
    opened = f"<{prefix}worksheet>".encode()
    shift = start - len(opened)
    found = [one for one in elements(opened + tail[start:]) if _is_top(one)]
    for one in found:
        one.start, one.end, one.inner, one.close = (
            at + shift for at in (one.start, one.end, one.inner, one.close)
        )
    return found, tail.rindex(f"</{prefix}worksheet".encode())


def _is_top(element: Element) -> bool:
    return element.parent is not None and element.parent.parent is None


class Stream:
    """The bytes that the parser has seen and that are not written; offsets are the sheet's."""

    def __init__(self, source: IO[bytes], out: IO[bytes]) -> None:
        self.source, self.out = source, out
        self.window = bytearray()
        self.base = 0  # the offset of the window's first byte

    def raw(self, start: int, end: int) -> bytes:
        """Return the bytes between two offsets."""
        return bytes(self.window[start - self.base : end - self.base])

    def tag(self, start: int) -> int:
        """Return where the tag ends that begins at the offset `start`."""
        return tag_end(self.window, start - self.base) + self.base

    def copy(self, end: int) -> None:
        """Write everything before the offset `end` as it came."""
        self.out.write(self.window[: end - self.base])
        self.skip(end)

    def skip(self, end: int) -> None:
        """Leave out everything before the offset `end`."""
        del self.window[: end - self.base]
        self.base = end
