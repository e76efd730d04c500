"""Notes at the cells of a sheet, beside those that people have made there.

A note is an entry in the sheet's part of comments, and a shape in its part of old drawings (VML),
without which Excel does not show it. Both parts may be there already, for notes of the user's own
or for buttons; then they are added to. Sources: ECMA-376 part 1, 18.7 (comments), part 4, 19.4
(VML in spreadsheets).

Tested in tests/writer/test_marked.py.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count

from pipeline.manifest.wording import letters_of
from pipeline.reader.workbook.package import (
    Element,
    NotAWorkbook,
    Relationship,
    chunks,
    rels_of,
)
from pipeline.writer.cells import xml_text
from pipeline.writer.parts import (
    PackageCopy,
    add_prefix,
    append_child,
    elements,
    parts_behind_rows,
    prefix_of,
    splice,
)

Place = tuple[int, int]
"""A cell: its row and its column, from 1."""

_AUTHOR = "Reelsheet"
_MOST_CHARACTERS = 2000
"""A note is read in a small window."""
_COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_VML_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_STRICT = "http://purl.oclc.org/ooxml/"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"
# The drawing of notes, as the sheet names it. What is looked for lies behind the rows of a sheet.
_DRAWING = re.compile(rb"<(?:[\w.-]+:)?legacyDrawing\s[^>]*?:id\s*=\s*[\"']([^\"']+)[\"']")
_OVERLAP_BYTES = 4096
# The elements of a worksheet that stand behind `legacyDrawing`.
_BEHIND = frozenset({
    "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems",
    "tableParts", "extLst",
})  # fmt: skip
# They declare their names themselves: the part that they are added to may call them otherwise.
_NAMES = (
    'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel"'
)
_EMPTY_VML = f"<xml {_NAMES}></xml>"
_SHAPE_TYPE = (
    f"<v:shapetype {_NAMES} "
    'id="_x0000_t202" coordsize="21600,21600" o:spt="202" '
    'path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/>'
    '<v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_SHAPE = (
    f"<v:shape {_NAMES} "
    'id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;visibility:hidden" '
    'fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/>'
    '<v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>'
    '<v:textbox style="mso-direction-alt:auto"/><x:ClientData ObjectType="Note">'
    "<x:MoveWithCells/><x:SizeWithCells/><x:Anchor>{anchor}</x:Anchor><x:AutoFill>False"
    "</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"
)
_FIRST_SHAPE = 1024
_SHAPE_ID = re.compile(rb"_x0000_s(\d{1,9})\b")
_SIZE = (4, 8)
"""Columns and rows that a note covers."""


def put_notes(
    package: PackageCopy, sheet: Relationship, notes: Mapping[Place, str]
) -> Callable[[str, bytes], bytes] | None:
    """Add notes to a sheet.

    Args:
        package: the workbook.
        sheet: the relationship of the sheet.
        notes: the texts, in the order of the sheet; a cell that has a note gets a longer one.

    Returns:
        What makes, of the prefix of the sheet's elements and all that follows its rows, what has
        to follow them; None if that stays as it is.

    """
    base = sheet.type.rpartition("/")[0]
    named = rels_of(sheet.target) in package
    found = package.relationships(sheet.target) if named else []
    commented = _put_comments(package, sheet, found, notes, base)
    places = [place for place in notes if place not in commented]
    ids = {one.id: one.target for one in found if one.kind == "vmlDrawing"}
    drawing = ids.get(_drawing_of(package, sheet.target)) if ids else None
    if drawing is not None:
        package.change(drawing, _with_shapes(package.read(drawing), places))
        return None
    part = _free_part(package, sheet.target, "drawings/vmlDrawing{}.vml")
    package.add_part(part, _with_shapes(_EMPTY_VML.encode(), places), _VML_TYPE)
    new = package.add_relationship(sheet.target, f"{base}/vmlDrawing", part)
    tag = f'<legacyDrawing xmlns:rs="{base}" rs:id="{new}"/>'
    return lambda prefix, rest: _with_tag(prefix, rest, tag)


def _put_comments(
    package: PackageCopy,
    sheet: Relationship,
    found: Iterable[Relationship],
    notes: Mapping[Place, str],
    base: str,
) -> set[Place]:
    """Add the entries; return the cells that had one, which was added to."""
    part = next((one.target for one in found if one.kind == "comments"), None)
    if part is None:
        part = _free_part(package, sheet.target, "comments{}.xml")
        main = _STRICT_MAIN if base.startswith(_STRICT) else _MAIN
        entries = "".join(_entry(place, text, 0) for place, text in notes.items())
        fresh = (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f'<comments xmlns="{main}"><authors><author>{_AUTHOR}</author></authors>'
            f"<commentList>{entries}</commentList></comments>"
        )
        package.add_part(part, fresh.encode("ascii", "xmlcharrefreplace"), _COMMENTS_TYPE)
        package.add_relationship(sheet.target, f"{base}/comments", part)
        return set()
    changed, commented = _with_entries(package.read(part), notes)
    package.change(part, changed)
    return commented


def _with_entries(data: bytes, notes: Mapping[Place, str]) -> tuple[bytes, set[Place]]:
    listed = elements(data)
    by_name = {one.local: one for one in reversed(listed)}
    authors, entries = by_name.get("authors"), by_name.get("commentList")
    if authors is None or entries is None:
        raise NotAWorkbook("its notes are not listed")
    prefix = prefix_of(entries)
    author = sum(one.local == "author" for one in listed)
    places = {f"{letters_of(place[1])}{place[0]}": place for place in notes}
    own: dict[str, Element] = {}
    last: dict[int, int] = {}  # where the runs of a text end
    for one in listed:
        if one.local == "comment":
            own[one.attributes.get("ref", "").replace("$", "")] = one
        elif one.local in {"t", "r"} and one.parent is not None and one.parent.local == "text":
            last[id(one.parent)] = one.end
    texts = {id(one.parent): one for one in listed if one.local == "text"}
    commented = {places[ref]: texts[id(one)] for ref, one in own.items()
                 if ref in places and id(one) in texts}  # fmt: skip
    new = "".join(_entry(at, text, author) for at, text in notes.items() if at not in commented)
    cuts = [
        append_child(data, authors, add_prefix(f"<author>{_AUTHOR}</author>", prefix)),
        append_child(data, entries, add_prefix(new, prefix)),
    ]
    for place, element in commented.items():
        run = add_prefix(_run(f"\n{notes[place]}"), prefix)
        if element.self_closing:
            cuts.append(append_child(data, element, run))
        else:
            at = last.get(id(element), element.inner)
            cuts.append((at, at, run))
    return splice(data, cuts), set(commented)


def _entry(place: Place, text: str, author: int) -> str:
    row, column = place
    return (
        f'<comment ref="{letters_of(column)}{row}" authorId="{author}">'
        f"<text>{_run(text)}</text></comment>"
    )


def _run(text: str) -> str:
    if len(text) > _MOST_CHARACTERS:
        text = f"{text[: _MOST_CHARACTERS - 1]}…"
    return f'<r><t xml:space="preserve">{xml_text(text)}</t></r>'


def _with_shapes(data: bytes, places: Sequence[Place]) -> bytes:
    """Add a hidden shape for each note to a drawing, which need not be well-formed XML."""
    end = data.rfind(b"</")
    if end < 0:
        raise NotAWorkbook("its drawing of notes has no end")
    first = 1 + max((int(number) for number in _SHAPE_ID.findall(data)), default=_FIRST_SHAPE)
    shapes = (_shape(number, place) for number, place in enumerate(places, start=first))
    typed = "" if b"_x0000_t202" in data else _SHAPE_TYPE
    return data[:end] + (typed + "".join(shapes)).encode() + data[end:]


def _shape(number: int, place: Place) -> str:
    (row, column), (wide, high) = place, _SIZE
    top = max(row - 2, 0)
    anchor = f"{column}, 15, {top}, 10, {column + wide}, 15, {top + high}, 4"
    return _SHAPE.format(number=number, anchor=anchor, row=row - 1, column=column - 1)


def _drawing_of(package: PackageCopy, part: str) -> str:
    """Return the id of the drawing of notes that a sheet names, which may be a large one."""
    kept = b""
    with package.open(part) as stream:
        for chunk in chunks(stream):
            if found := _DRAWING.search(kept + chunk):
                return found[1].decode("utf-8", "replace")
            kept = chunk[-_OVERLAP_BYTES:]
    return ""


def _with_tag(prefix: str, rest: bytes, tag: str) -> bytes:
    """Put the tag where the schema wants it, into what follows the rows."""
    found, end = parts_behind_rows(prefix, rest)
    at = next((one.start for one in found if one.local in _BEHIND), end)
    return rest[:at] + add_prefix(tag, prefix) + rest[at:]


def _free_part(package: PackageCopy, sheet: str, pattern: str) -> str:
    """Return a name that no part has, in the folder above that of the sheets."""
    folder = posixpath.dirname(posixpath.dirname(sheet))
    names = (posixpath.join(folder, pattern.format(number)) for number in count(1))
    return next(name for name in names if name not in package)
