"""The part of a sheet before its rows: its extent, its frozen header, its column widths.

Tested in tests/writer/test_workbook_copy.py.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from pipeline.manifest.wording import letters_of, number_of
from pipeline.reader.workbook.package import Element
from pipeline.writer.parts import add_prefix, append_child, elements, prefix_of, splice

_RANGE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d+)(?::\$?([A-Za-z]{1,3})\$?(\d+))?")
_OUTLINE_LEVEL = re.compile(rb"""\soutlineLevelCol\s*=\s*(?:"[^"]*"|'[^']*')""")
_MOST_FROZEN = 10  # a header further down would freeze the whole window

_Cuts = list[tuple[int, int, bytes]]


def patch_head(
    head: bytes,
    *,
    header_row: int,
    last_row: int,
    widths: Mapping[int, float],
    known: Collection[int],
    outlined: Collection[int] = (),
    styles: Mapping[int, int | None] | None = None,
    fitted: bool = False,
) -> bytes:
    """Return the head with its extent enlarged, its header frozen and the new columns wide.

    Args:
        head: all bytes of the sheet before `<sheetData`.
        header_row: the number of the row with the headers, from 1.
        last_row: the last row that gets cells, from 1.
        widths: the width in characters of each column that is written, by its number from 1.
        known: those of these columns that were there before.
        outlined: those of the others that can be folded away together.
        styles: the cell formats of columns, by their numbers from 1.
        fitted: whether all columns are printed on one page.

    """
    found = elements(head + b"</" + _root(head) + b">")
    root = found[0]
    tops = {element.local: element for element in found if element.parent is root}
    setup = next((one for one in found if one.local == "pageSetUpPr"), None)
    cuts = [
        *([_fit_width(head, root, tops.get("sheetPr"), setup)] if fitted else ()),
        *_dimension(tops.get("dimension"), max(widths, default=1), last_row),
        *_freeze(head, found, tops, header_row),
        *(_outline(head, root, tops) if set(outlined) - set(known) else ()),
        *_widths(head, found, tops.get("cols"), _cols(widths, outlined, styles or {}), known),
    ]
    return splice(head, cuts)


def _root(head: bytes) -> bytes:
    match = re.search(rb"<([A-Za-z_][\w.:-]*)", head)
    return match[1] if match else b""


def _dimension(element: Element | None, column: int, row: int) -> _Cuts:
    """Enlarge the used range to hold the new cells: some programs read no further."""
    match = _RANGE.fullmatch(element.attributes.get("ref", "")) if element else None
    if element is None or match is None:
        return []
    right, bottom = match[3] or match[1], int(match[4] or match[2])
    right = letters_of(max(number_of(right), column))
    reference = f"{match[1]}{match[2]}:{right}{max(bottom, row)}"
    return [
        (
            element.start,
            element.end,
            add_prefix(f'<dimension ref="{reference}"/>', prefix_of(element)),
        )
    ]


def _fit_width(
    head: bytes, root: Element, said: Element | None, there: Element | None
) -> tuple[int, int, bytes]:
    """Return the cut that makes a page as wide as all columns.

    `said` is the sheet's `sheetPr`, `there` the `pageSetUpPr` in it.
    """
    ours = add_prefix('<pageSetUpPr fitToPage="1"/>', prefix_of(root))
    if said is None:
        opened, closed = (add_prefix(f"<{s}sheetPr>", prefix_of(root)) for s in ("", "/"))
        return root.inner, root.inner, opened + ours + closed
    return append_child(head, said, ours) if there is None else (there.start, there.end, ours)


def _cols(
    widths: Mapping[int, float], outlined: Collection[int], styles: Mapping[int, int | None]
) -> dict[int, str]:
    """Return the element of each column that is written."""
    written = {}
    for at, width in widths.items():
        style = styles.get(at)
        look = "" if style is None else f' style="{style}"'
        level = ' outlineLevel="1"' if at in outlined else ""
        written[at] = f'<col min="{at}" max="{at}" width="{width}"{look} customWidth="1"{level}/>'
    return written


def _outline(head: bytes, root: Element, tops: dict[str, Element]) -> _Cuts:
    """Say that there are columns to be folded: without that some programs show no sign for it."""
    form = tops.get("sheetFormatPr")
    if form is None:
        cols = tops.get("cols")
        at = cols.start if cols else len(head)
        xml = '<sheetFormatPr defaultRowHeight="15" outlineLevelCol="1"/>'
        return [(at, at, add_prefix(xml, prefix_of(root)))]
    if form.attributes.get("outlineLevelCol", "0") != "0":
        return []
    named = form.start + 1 + len(form.name)
    tag = _OUTLINE_LEVEL.sub(b"", head[named : form.inner])
    return [(named, form.inner, b' outlineLevelCol="1"' + tag)]


def _freeze(head: bytes, found: list[Element], tops: dict[str, Element], row: int) -> _Cuts:
    if row > _MOST_FROZEN:
        return []
    view = next((element for element in found if element.local == "sheetView"), None)
    if view is None:
        return _new_view(head, found[0], tops, row)
    if view.attributes.get("view") == "pageLayout":
        return []  # this view cannot be frozen
    pane = next((e for e in found if e.local == "pane" and e.parent is view), None)
    if pane is not None:
        return _longer_pane(pane, row)
    xml = add_prefix(_pane(row), prefix_of(view))
    if view.self_closing:
        return [append_child(head, view, xml)]
    return [(view.inner, view.inner, xml)]


def _pane(row: int) -> str:
    top = f"A{row + 1}"
    return (
        f'<pane ySplit="{row}" topLeftCell="{top}" activePane="bottomLeft" state="frozen"/>'
        '<selection pane="bottomLeft"/>'
    )


def _new_view(head: bytes, root: Element, tops: dict[str, Element], row: int) -> _Cuts:
    if "sheetViews" in tops:
        return []
    after = (tops.get(name) for name in ("sheetFormatPr", "cols"))
    at = next((element.start for element in after if element), len(head))
    view = f'<sheetViews><sheetView workbookViewId="0">{_pane(row)}</sheetView></sheetViews>'
    return [(at, at, add_prefix(view, prefix_of(root)))]


def _longer_pane(pane: Element, row: int) -> _Cuts:
    """Leave an existing freeze, which is the user's, unless it does not hold the header."""
    attributes = dict(pane.attributes)
    frozen = attributes.get("state", "").startswith("frozen")
    if not frozen or float(attributes.get("ySplit", 0)) >= row:
        return []
    column = _RANGE.fullmatch(attributes.get("topLeftCell", "")) or _RANGE.fullmatch("A1")
    letters = column[1] if column else "A"
    attributes |= {"ySplit": str(row), "topLeftCell": f"{letters}{row + 1}"}
    attributes["activePane"] = "bottomRight" if float(attributes.get("xSplit", 0)) else "bottomLeft"
    listed = "".join(f' {name}="{value}"' for name, value in attributes.items())
    tag = f"<pane{listed}>" if not pane.self_closing else f"<pane{listed}/>"
    return [(pane.start, pane.inner, add_prefix(tag, prefix_of(pane)))]


def _widths(
    head: bytes,
    found: list[Element],
    cols: Element | None,
    written: Mapping[int, str],
    known: Collection[int],
) -> _Cuts:
    """Keep the width of a known column; take a new one out of any hidden range."""
    there = [e for e in found if e.local == "col" and e.parent is cols] if cols else []
    prefix = prefix_of(found[0])
    new = sorted(written.keys() - set(known))
    pieces = [piece for element in there for piece in _cut_range(head, element, new)]
    covered = {at for at in known for e in there if _low(e) <= at <= _high(e)}
    pieces += [(at, add_prefix(col, prefix)) for at, col in written.items() if at not in covered]
    inside = b"".join(piece for _, piece in sorted(pieces))
    if not inside:
        return []
    start, end = (cols.start, cols.end) if cols else (len(head), len(head))
    return [(start, end, add_prefix("<cols>", prefix) + inside + add_prefix("</cols>", prefix))]


def _cut_range(head: bytes, col: Element, new: list[int]) -> list[tuple[int, bytes]]:
    """Return the range of a `<col>` without the new columns, in pieces."""
    low, high = _low(col), _high(col)
    holes = [at for at in new if low <= at <= high]
    if not holes:
        return [(low, head[col.start : col.end])]
    pieces = []
    for hole in (*holes, high + 1):
        if low < hole:
            attributes = col.attributes | {"min": str(low), "max": str(hole - 1)}
            listed = "".join(f' {name}="{value}"' for name, value in attributes.items())
            pieces.append((low, add_prefix(f"<col{listed}/>", prefix_of(col))))
        low = hole + 1
    return pieces


def _low(col: Element) -> int:
    return int(col.attributes["min"])


def _high(col: Element) -> int:
    return int(col.attributes["max"])
