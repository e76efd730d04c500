"""Sheets of ours in a workbook, after those of the user: added, or written over an earlier one.

A workbook may itself be a results file, and have been saved by a spreadsheet program since. Then
the sheet of ours in it is known by its name and by the text of A1.

Tested in tests/writer/test_workbook_copy.py and tests/writer/test_thumbnails.py.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from pipeline.reader.workbook.package import (
    Element,
    NotAWorkbook,
    Relationship,
    iter_elements,
    make_parser,
)
from pipeline.writer.parts import SHEET_TYPE, PackageCopy, append_child, elements, splice

_CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_STRICT = "http://purl.oclc.org/ooxml/"
_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRICT_NAMESPACE = "http://purl.oclc.org/ooxml/spreadsheetml/main"


@dataclass(frozen=True, slots=True)
class OwnSheet:
    """A sheet: its name, the text of A1 by which it is known again, and its XML.

    Of an earlier one, what a person has put beside its `columns` comes again; "": nothing.
    """

    name: str
    mark: str
    xml: bytes
    columns: str = ""


def is_strict(like: Relationship) -> bool:
    """Return whether a workbook is strict, by the relationship of a sheet: its types are others."""
    return like.type.startswith(_STRICT)


def namespace_of(like: Relationship) -> str:
    """Return the namespace of the sheets of a workbook, by the relationship of one of them."""
    return _STRICT_NAMESPACE if is_strict(like) else _NAMESPACE


def put_sheet(package: PackageCopy, own: OwnSheet, like: Relationship) -> str:
    """Add a sheet after the last one, or write it over the earlier one; return its part.

    Args:
        package: the workbook.
        own: the sheet.
        like: the relationship of a sheet of this workbook.

    Raises:
        NotAWorkbook: the workbook is damaged, or all names are taken.

    """
    workbook = package.find_workbook()
    found = elements(package.read(workbook))
    sheets = {e.attributes["name"]: e for e in found if e.local == "sheet"}
    earlier = _earlier(package, workbook, sheets, own)
    if earlier is not None:
        package.change(earlier, _with_typed(own, package.read(earlier)) if own.columns else own.xml)
        return earlier
    taken = {name.casefold() for name in sheets}
    name = next((n for n in _names(own.name) if n.casefold() not in taken), None)
    if name is None:
        raise NotAWorkbook(f"all names of a sheet {own.name} are taken")
    part = _free_part(package, posixpath.dirname(workbook))
    package.add_part(part, own.xml, SHEET_TYPE)
    new = package.add_relationship(workbook, like.type, part)
    _list_sheet(package, workbook, found, name, new)
    return part


def _with_typed(own: OwnSheet, earlier: bytes) -> bytes:
    """Return the XML of a sheet with the cells of an earlier one beside its columns."""
    typed: dict[int, bytes] = {}
    for one in elements(earlier):
        if one.local == "c" and not one.self_closing:
            at = _CELL.fullmatch(one.attributes.get("r", ""))
            if at is not None and at[1] not in own.columns:
                cell = earlier[one.start : one.end]
                prefix = one.name.removesuffix("c").encode()
                if prefix:
                    cell = cell.replace(b"<" + prefix, b"<").replace(b"</" + prefix, b"</")
                row = int(at[2])
                typed[row] = typed.get(row, b"") + cell
    found = elements(own.xml)
    edits = [
        append_child(own.xml, one, typed.pop(int(one.attributes["r"]), b""))
        for one in found
        if one.local == "row"
    ]
    rows = (b'<row r="%d">%s</row>' % (row, typed[row]) for row in sorted(typed))
    (data,) = (one for one in found if one.local == "sheetData")
    return splice(own.xml, [*edits, append_child(own.xml, data, b"".join(rows))])


def _list_sheet(
    package: PackageCopy, workbook: str, found: list[Element], name: str, relationship: str
) -> None:
    data = package.read(workbook)
    listed = [e for e in found if e.local == "sheet"]
    number = max(int(e.attributes["sheetId"]) for e in listed) + 1
    last = listed[-1]
    attribute = next((a for a in last.attributes if a.endswith(":id")), None)
    if attribute is None:
        raise NotAWorkbook("its last sheet names no part")
    xml = f'<{last.name} name="{name}" sheetId="{number}" {attribute}="{relationship}"/>'
    package.change(workbook, splice(data, [(last.end, last.end, xml.encode())]))


def _names(stem: str) -> list[str]:
    return [stem, *(f"{stem} {number}" for number in range(2, 1000))]


def _free_part(package: PackageCopy, folder: str) -> str:
    names = (posixpath.join(folder, f"worksheets/sheet{number}.xml") for number in count(1))
    return next(name for name in names if name not in package)


def _earlier(
    package: PackageCopy, workbook: str, sheets: Mapping[str, Element], own: OwnSheet
) -> str | None:
    """Return the part of this sheet that the workbook has as an earlier results file."""
    targets = {r.id: r.target for r in package.relationships(workbook)}
    pattern = re.compile(rf"{own.name}( \d+)?")
    for name, element in sheets.items():
        target = targets.get(element.reference() or "")
        if (
            pattern.fullmatch(name)
            and target
            and _first_text(package, workbook, target) == own.mark
        ):
            return target
    return None


def _first_text(package: PackageCopy, workbook: str, part: str) -> str | None:
    """Return the text of A1, which a spreadsheet program may have moved to the shared strings."""
    data = package.read(part)
    cell, inside = _first_cell(data)
    if cell is None or cell.attributes.get("r") != "A1":
        return None
    text = data[inside[0].inner : inside[0].close].decode("utf-8", "replace") if inside else None
    if text is None or cell.attributes.get("t") != "s":
        return text
    strings = [r.target for r in package.relationships(workbook) if r.kind == "sharedStrings"]
    return _shared_text(package.read(strings[0]), int(text)) if strings else None


def _first_cell(data: bytes) -> tuple[Element | None, list[Element]]:
    """Return the first cell of a sheet and the texts in it; the sheet may be a large one."""
    cell: Element | None = None
    inside: list[Element] = []
    for element in iter_elements(data):
        if cell is None:
            cell = element if element.local == "c" else None
        elif cell.end and element.start >= cell.end:
            break
        elif element.local in ("t", "v"):
            inside.append(element)
    return cell, inside


def _shared_text(data: bytes, index: int) -> str | None:
    """Return the shared string with this number from 0; the list may be a long one."""
    number, reads = -1, False
    found: list[str] = []

    def start(tag: str, _: object) -> None:
        nonlocal number, reads
        local = tag.rpartition(":")[2]
        number += local == "si"
        reads = local == "t" and number == index

    def end(_: str) -> None:
        nonlocal reads
        reads = False

    def characters(text: str) -> None:
        if reads:
            found.append(text)

    make_parser(start, end, characters).Parse(data, True)
    return "".join(found) if number >= index else None
