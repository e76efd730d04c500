"""OpenDocument spreadsheets, element by element."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape

from tests.corpus.sheet import Error, Formula, Number, Sheet, Value, codes_of
from tests.corpus.workbooks import HEAD, OASIS, zipped

_KIND = "application/vnd.oasis.opendocument.spreadsheet"
_CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
_PLACES = {name: name for name in ("office", "table", "text", "style")}
_PLACES |= {"number": "datastyle", "fo": "xsl-fo-compatible"}
_SPACES = " ".join(f'xmlns:{name}="{OASIS}:{place}:1.0"' for name, place in _PLACES.items())
_SPACES += f' xmlns:calcext="{_CALC}"'
_CODE = re.compile(r'(?:"([^"]*)")?(0+)(?:\.(0+))?( ?%)?(?: ?"([^"]*)")?')
# What LibreOffice writes for codes that say more.
_DIGITS = '<number:number number:decimal-places="0" number:min-integer-digits="%d"%s'
_THREE = _DIGITS % (3, "/>")
_MORE_THREE = f'<number:number-style style:name="three">{_THREE}</number:number-style>'
_STYLES = {
    "000-000": ("number-style", _DIGITS % (6, ("><number:embedded-text "
                'number:position="3">-</number:embedded-text></number:number>')), ""),
    "000,000": ("number-style", _DIGITS % (6, ' number:grouping="true"/>'), ""),
    "[Red]00000": ("number-style", '<style:text-properties fo:color="#ff0000"/>'
                   + _DIGITS % (5, "/>"), ""),
    "000;(000)": ("number-style", (f"<number:text>(</number:text>{_THREE}<number:text>)"
                  '</number:text><style:map style:condition="value()&gt;=0" '
                  'style:apply-style-name="three"/>'), _MORE_THREE),
    "[>100]000;00000": ("number-style", _DIGITS % (5, "/>") + '<style:map style:condition="'
                        'value()&gt;100" style:apply-style-name="three"/>', _MORE_THREE),
    "h:mm": ("time-style", ("<number:hours/><number:text>:</number:text>"
             '<number:minutes number:style="long"/>'), ""),
}  # fmt: skip
HIDDEN, FILTERED = ' table:visibility="collapse"', ' table:visibility="filter"'


def ods(*sheets: Sheet, password: bool = False) -> bytes:
    """A spreadsheet; each sheet ends as LibreOffice ends it, with a million blank rows."""
    codes = codes_of(sheets)
    styles = '<style:style style:name="off" style:family="table"><style:table-properties '
    styles += 'table:display="false"/></style:style>' + "".join(map(_style, codes, range(99)))
    return document(styles, "".join(_table(sheet, codes) for sheet in sheets), password=password)


def document(styles: str, tables: str, *, password: bool = False) -> bytes:
    """A spreadsheet of these elements."""
    content = (
        f"<office:document-content {_SPACES}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:spreadsheet>{tables}"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    secret = '<manifest:encryption-data manifest:checksum=""/>' if password else ""
    manifest = (
        f'<manifest:manifest xmlns:manifest="{OASIS}:manifest:1.0"><manifest:file-entry '
        f'manifest:full-path="/" manifest:media-type="{_KIND}"/><manifest:file-entry '
        f'manifest:full-path="content.xml" manifest:media-type="text/xml">{secret}'
        "</manifest:file-entry></manifest:manifest>"
    )
    parts = {"mimetype": _KIND, "META-INF/manifest.xml": HEAD + manifest}
    return zipped(parts | {"content.xml": HEAD + content})


def _style(code: str, at: int) -> str:
    """A cell style and its data style; times need none, their values say what they are."""
    if code in _STYLES:
        kind, inner, before = _STYLES[code]
        return before + _named(kind, inner, at)
    found = _CODE.fullmatch(code)
    if found is None:
        return ""
    before, zeros, decimals, percent, after = found.groups(default="")
    kind = "percentage-style" if percent else "number-style"
    inner = f"<number:text>{escape(before)}</number:text>" if before else ""
    inner += f'<number:number number:decimal-places="{len(decimals)}" '
    inner += f'number:min-integer-digits="{len(zeros)}"/>'
    behind = percent + (f" {after}" if after else "")
    inner += f"<number:text>{escape(behind)}</number:text>" if behind else ""
    return _named(kind, inner, at)


def _named(kind: str, inner: str, at: int) -> str:
    return (
        f'<number:{kind} style:name="N{at}">{inner}</number:{kind}><style:style style:name='
        f'"ce{at}" style:family="table-cell" style:data-style-name="N{at}"/>'
    )


def _table(sheet: Sheet, codes: list[str]) -> str:
    style = "" if sheet.shown else ' table:style-name="off"'
    rows = "".join(
        f"<table:table-row{_visibility(sheet, at)}>{_row(sheet, at, cells, codes)}"
        "</table:table-row>"
        for at, cells in enumerate(sheet.rows, 1)
    )
    blank = '<table:table-cell table:number-columns-repeated="16384"/>'
    return (
        f'<table:table table:name="{escape(sheet.name)}"{style}><table:table-column '
        f'table:number-columns-repeated="16384"/>{rows}<table:table-row '
        f'table:number-rows-repeated="{2**20 - len(sheet.rows)}">{blank}</table:table-row>'
        "</table:table>"
    )


def _visibility(sheet: Sheet, at: int) -> str:
    return HIDDEN if at in sheet.hidden else FILTERED if at in sheet.flat else ""


def _row(sheet: Sheet, at: int, cells: Sequence[Value], codes: list[str]) -> str:
    made = ""
    for column, cell in enumerate(cells):
        covered = any(
            top <= at <= bottom and left <= column <= right and (at, column) != (top, left)
            for top, left, bottom, right in sheet.merges
        )
        anchored = next((m for m in sheet.merges if m[:2] == (at, column)), None)
        spans = "" if anchored is None else (
            f' table:number-rows-spanned="{anchored[2] - at + 1}"'
            f' table:number-columns-spanned="{anchored[3] - column + 1}"'
        )  # fmt: skip
        tag = "table:covered-table-cell" if covered else "table:table-cell"
        attributes, shown = _cell(cell, codes)
        made += f"<{tag}{attributes}{spans}>{shown}</{tag}>"
    return made


def _cell(cell: Value, codes: list[str]) -> tuple[str, str]:
    if cell is None:
        return "", ""
    formula = ' table:formula="of:=[.Z9]"' if isinstance(cell, Formula | Error) else ""
    if isinstance(cell, Error):
        attributes = ' office:value-type="string" office:string-value="" calcext:value-type="error"'
        return formula + attributes, f"<text:p>{escape(cell.text)}</text:p>"
    if isinstance(cell, Formula):
        attributes, shown = _cell(cell.value, codes)
        return formula + attributes, shown
    if isinstance(cell, str):
        return ' office:value-type="string"', f"<text:p>{escape(cell)}</text:p>"
    if isinstance(cell, bool):
        return f' office:value-type="boolean" office:boolean-value="{str(cell).lower()}"', ""
    if isinstance(cell, Number):
        return _number(cell, codes)
    return f' office:value-type="float" office:value="{cell!r}"', f"<text:p>{cell}</text:p>"


def _number(cell: Number, codes: list[str]) -> tuple[str, str]:
    if ":" in cell.code:
        seconds = round(cell.value * 86_400)
        clock = f"PT{seconds // 3600:02}H{seconds // 60 % 60:02}M{seconds % 60:02}S"
        style = f' table:style-name="ce{codes.index(cell.code)}"'
        return f'{style} office:value-type="time" office:time-value="{clock}"', "<text:p>x</text:p>"
    kind = "percentage" if "%" in cell.code else "float"
    style = f' table:style-name="ce{codes.index(cell.code)}"'
    return f'{style} office:value-type="{kind}" office:value="{cell.value!r}"', "<text:p>x</text:p>"
