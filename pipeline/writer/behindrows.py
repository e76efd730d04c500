"""What stands behind the rows of a results sheet: words to choose from, a filter, and its page.

Any other word can be typed all the same. The filter is over all columns, those of results, too.

Where a person has set a filter it is theirs and stays, but in our own template and in a results
file: there it reaches on to the last column and row. LibreOffice goes by a hidden name in the
workbook, Excel by the sheet: both are written. Sources: ECMA-376 part 1, 18.3.1.2 (autoFilter),
18.3.1.32 (dataValidation), 18.2.5 (definedName), 18.3.1.99 (worksheet: the order of its parts).

A sheet is printed sideways, one page wide, its headers on every page, unless a person has said how.

Tested in tests/writer/test_filters.py, tests/writer/test_printing.py and
tests/review/test_readback.py.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from xml.parsers.expat import ExpatError

from pipeline.manifest.examples import NEEDED_STYLE
from pipeline.manifest.wording import letters_of, number_of
from pipeline.reader.workbook.package import Element, Relationship, chunks, rels_of
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

_WORDS = "approve,reject"
_LAST_ROW = 2**20
_COUNT = re.compile(rb"""\scount\s*=\s*["']\d*["']""")
_BEHIND_LISTS = frozenset({
    "hyperlinks", "printOptions", "pageMargins", "pageSetup", "headerFooter", "rowBreaks",
    "colBreaks", "customProperties", "cellWatches", "ignoredErrors", "smartTags", "drawing",
    "drawingHF", "legacyDrawing", "legacyDrawingHF", "picture", "oleObjects", "controls",
    "webPublishItems", "tableParts", "extLst",
})  # fmt: skip
"""The parts of a sheet that stand behind its lists."""
_BEHIND_PAGE = _BEHIND_LISTS - {"hyperlinks", "printOptions", "pageMargins", "pageSetup"}
"""Those that stand behind its page."""
_NAME = "_xlnm._FilterDatabase"
_BEHIND = _BEHIND_LISTS | {
    "sortState", "dataConsolidate", "customSheetViews", "mergeCells", "phoneticPr",
    "conditionalFormatting", "dataValidations",
}  # fmt: skip
"""The parts of a sheet that stand behind its filter."""
_FILTER = re.compile(
    rb"""<(?:[\w.-]+:)?autoFilter\b[^>]*?\sref\s*=\s*["']\$?([A-Z]{1,3})\$?(\d{1,7}):"""
    rb"""\$?([A-Z]{1,3})\$?(\d{1,7})["']"""
)
_REF = re.compile(rb"""(\sref\s*=\s*)(["'])[^"']*\2""")
_OVERLAP_BYTES = 4096

_TITLES, _AREA = "_xlnm.Print_Titles", "_xlnm.Print_Area"
_PAGE = {"paperSize": "9", "orientation": "landscape", "fitToWidth": "1", "fitToHeight": "0"}
# What LibreOffice writes into every file of its own, whatever a person has done.
_USUAL_PAGE = {
    "scale": "100", "fitToWidth": "1", "fitToHeight": "1", "firstPageNumber": "1",
    "useFirstPageNumber": "false", "pageOrder": "downThenOver", "orientation": "portrait",
    "usePrinterDefaults": "false", "blackAndWhite": "false", "draft": "false",
    "cellComments": "none", "horizontalDpi": "300", "verticalDpi": "300", "copies": "1",
}  # fmt: skip
_PAGE_TAG = re.compile(rb"<(?:[\w.-]+:)?(pageSetup|pageSetUpPr|rowBreaks|colBreaks)\b([^>]*)>")
_ATTRIBUTE = re.compile(rb"""([\w.:-]+)\s*=\s*["']([^"']*)["']""")

Tail = Callable[[str, bytes], bytes]
"""Makes, of the prefix of a sheet's elements and all that follows its rows, what has to follow."""


@dataclass(frozen=True, slots=True)
class Table:
    """The cells that a filter is over, and the first of their columns that holds results.

    Rows and columns count from 1. `again` says that they are in a results file that was there.
    """

    first_row: int
    last_row: int
    first_column: int
    last_column: int
    results_from: int
    again: bool = False


def filter_over(package: PackageCopy, sheet: Relationship, table: Table) -> Tail | None:
    """Set or widen the filter of a sheet that is about to be copied.

    Args:
        package: the workbook, in which the hidden name is written.
        sheet: the relationship of the sheet.
        table: the cells.

    Returns:
        What makes, of the prefix of the sheet's elements and all that follows its rows, what has
        to follow them; None if that stays as it is.

    """
    if _has_tables(package, sheet):
        return None  # such a table has a filter of its own, and two of them are damage
    there = _find(package, sheet.target)
    if there is None:
        if table.again:
            return None  # somebody took it away
        last_column, last_row = table.last_column, table.last_row
    else:
        first_column, first_row, old_column, old_row = there
        reaches = old_column >= table.results_from and table.again
        begins = (first_row, first_column) == (table.first_row, table.first_column)
        if not begins or not (reaches or _is_template(package)):
            return None
        last_column, last_row = max(old_column, table.last_column), max(old_row, table.last_row)
    ends = ((table.first_column, table.first_row), (last_column, last_row))
    cells = ":".join(f"${letters_of(at)}${row}" for at, row in ends)
    put_name(package, sheet, _NAME, cells, hidden=True)
    return _put(":".join(f"{letters_of(at)}{row}" for at, row in ends))


def _has_tables(package: PackageCopy, sheet: Relationship) -> bool:
    if rels_of(sheet.target) not in package:
        return False
    return any(one.kind == "table" for one in package.relationships(sheet.target))


def _find(package: PackageCopy, part: str) -> tuple[int, int, int, int] | None:
    """Return the first column and row of a sheet's filter, and the last ones."""
    kept = b""
    with package.open(part) as stream:
        for chunk in chunks(stream):
            if found := _FILTER.search(kept + chunk):
                left, top, right, bottom = (one.decode() for one in found.groups())
                return number_of(left), int(top), number_of(right), int(bottom)
            kept = chunk[-_OVERLAP_BYTES:]
    return None


def _is_template(package: PackageCopy) -> bool:
    """Tell whether a workbook was made by `init`: it has a cell style of that name."""
    workbook = package.find_workbook()
    styles = [one.target for one in package.relationships(workbook) if one.kind == "styles"]
    return bool(styles) and f'name="{NEEDED_STYLE}"'.encode() in package.read(styles[0])


def _put(reference: str) -> Tail:
    def put(prefix: str, tail: bytes) -> bytes:
        try:
            found, end = parts_behind_rows(prefix, tail)
        except ExpatError:  # what a spreadsheet program forgives stays as it is
            return tail
        there = next((one for one in found if one.local == "autoFilter"), None)
        if there is not None:
            tag = _REF.sub(rb"\g<1>\2%s\2" % reference.encode(), tail[there.start : there.inner])
            return splice(tail, [(there.start, there.inner, tag)])
        at = next((one.start for one in found if one.local in _BEHIND), end)
        xml = add_prefix(f'<autoFilter ref="{reference}"/>', prefix)
        return splice(tail, [(at, at, xml)])

    return put


def put_name(
    package: PackageCopy, sheet: Relationship, name: str, cells: str, *, hidden: bool = False
) -> None:
    """Write a name of cells in a sheet into the workbook, or write it anew.

    Args:
        package: the workbook.
        sheet: the relationship of the sheet.
        name: the name, one of those that spreadsheet programs know.
        cells: what it stands for.
        hidden: whether people are not to see it.

    """
    workbook = package.find_workbook()
    data = package.read(workbook)
    found = elements(data)
    listed = [one for one in found if one.local == "sheet"]
    at = position_of(package, sheet)
    if at is None:
        return
    named = xml_text("'{}'".format(listed[at].attributes["name"].replace("'", "''")))
    unseen = ' hidden="1"' if hidden else ""
    xml = f'<definedName name="{name}" localSheetId="{at}"{unseen}>{named}!{cells}</definedName>'
    ours = add_prefix(xml, prefix_of(listed[at]))
    package.change(workbook, splice(data, [_place(data, found, (name, str(at)), ours)]))


def position_of(package: PackageCopy, sheet: Relationship) -> int | None:
    """Return which of the sheets it is, from 0, as names of cells tell them apart."""
    workbook = package.find_workbook()
    listed = [one for one in elements(package.read(workbook)) if one.local == "sheet"]
    targets = {one.id: one.target for one in package.relationships(workbook)}
    places = (n for n, e in enumerate(listed) if targets.get(e.reference() or "") == sheet.target)
    return next(places, None)


def _place(
    data: bytes, found: list[Element], name: tuple[str, str], ours: bytes
) -> tuple[int, int, bytes]:
    """Return the cut that puts the name in the place of an earlier one, or behind the others."""
    for one in found:
        known = one.attributes.get("name"), one.attributes.get("localSheetId")
        if one.local == "definedName" and known == name:
            return one.start, one.end, ours
    names = next((one for one in found if one.local == "definedNames"), None)
    if names is not None:
        return append_child(data, names, ours)
    before = [e for e in found if e.local in {"sheets", "functionGroups", "externalReferences"}]
    last = max(before, key=lambda one: one.end)
    opened, closed = (add_prefix(f"<{s}definedNames>", prefix_of(last)) for s in ("", "/"))
    return last.end, last.end, opened + ours + closed


def put_dropdown(column: int, header_row: int) -> Tail:
    """Return what adds the list to a sheet.

    `column` is the one below whose header, in `header_row`, one of the words is to be chosen; both
    count from 1. A list that an earlier results file had there stays.
    """
    letters = letters_of(column)
    cells = f"{letters}{header_row + 1}:{letters}{_LAST_ROW}"
    xml = (
        '<dataValidation type="list" errorStyle="information" allowBlank="1" showErrorMessage="0" '
        f'sqref="{cells}"><formula1>"{_WORDS}"</formula1></dataValidation>'
    )

    def put(prefix: str, tail: bytes) -> bytes:
        ours = add_prefix(xml, prefix)
        try:
            found, end = parts_behind_rows(prefix, tail)
        except ExpatError:  # what a spreadsheet program forgives stays as it is
            return tail
        lists = next((one for one in found if one.local == "dataValidations"), None)
        if lists is None:
            at = next((one.start for one in found if one.local in _BEHIND_LISTS), end)
            opened, closed = (add_prefix(f"<{s}dataValidations>", prefix) for s in ("", "/"))
            return splice(tail, [(at, at, opened + ours + closed)])
        if _is_there(tail[lists.start : lists.end], cells):
            return tail
        if lists.self_closing:
            return splice(tail, [append_child(tail, lists, ours)])
        # How many there are is counted by whoever reads them.
        tag = _COUNT.sub(b"", tail[lists.start : lists.inner])
        return splice(tail, [(lists.start, lists.inner, tag), (lists.close, lists.close, ours)])

    return put


def _is_there(lists: bytes, cells: str) -> bool:
    """Return whether the list is there, as we wrote it or as a spreadsheet program saved it."""
    first = cells.partition(":")[0].encode()
    for found in re.finditer(rb"<(?:[\w.-]+:)?dataValidation\s[^>]*>.{0,200}", lists, re.DOTALL):
        if first in found[0] and _WORDS.encode() in found[0]:
            return True
    return False


def is_laid_out(package: PackageCopy, sheet: Relationship) -> bool:
    """Tell whether somebody has said how a sheet of a workbook is to be printed."""
    at = str(position_of(package, sheet))
    for one in elements(package.read(package.find_workbook())):
        said = one.attributes.get("name"), one.attributes.get("localSheetId")
        if one.local == "definedName" and said in {(_TITLES, at), (_AREA, at)}:
            return True
    kept = b""
    with package.open(sheet.target) as stream:
        for chunk in chunks(stream):
            if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return True  # it cannot be seen from here
            if any(_is_chosen(*found) for found in _PAGE_TAG.findall(kept + chunk)):
                return True
            kept = chunk[-_OVERLAP_BYTES:]
    return False


def _is_chosen(name: bytes, inside: bytes) -> bool:
    """Tell whether a person has chosen what an element says."""
    said = {key.decode(): value.decode() for key, value in _ATTRIBUTE.findall(inside)}
    if name == b"pageSetUpPr":
        return said.get("fitToPage", "0") not in {"0", "false"}
    if name == b"pageSetup":
        said.pop("paperSize", None)
        return any(value != _USUAL_PAGE.get(key) for key, value in said.items())
    return True


def set_page(package: PackageCopy, sheet: Relationship, header_row: int) -> Tail:
    """Lay out the page of a sheet that is about to be copied.

    Args:
        package: the workbook, in which the row that is repeated is named.
        sheet: the relationship of the sheet.
        header_row: that row, from 1.

    Returns:
        What makes, of the prefix of the sheet's elements and all that follows its rows, what has
        to follow them. The head is head.py's.

    """
    put_name(package, sheet, _TITLES, f"${header_row}:${header_row}")

    def put(prefix: str, tail: bytes) -> bytes:
        try:
            found, end = parts_behind_rows(prefix, tail)
        except ExpatError:  # what a spreadsheet program forgives stays as it is
            return tail
        there = next((one for one in found if one.local == "pageSetup"), None)
        paper = {} if there is None else {"paperSize": there.attributes.get("paperSize", "9")}
        listed = "".join(f' {name}="{value}"' for name, value in (_PAGE | paper).items())
        ours = add_prefix(f"<pageSetup{listed}/>", prefix)
        if there is not None:
            return splice(tail, [(there.start, there.end, ours)])
        at = next((one.start for one in found if one.local in _BEHIND_PAGE), end)
        return splice(tail, [(at, at, ours)])

    return put
