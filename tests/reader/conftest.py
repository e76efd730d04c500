"""Workbooks made byte by byte, for what no library would write."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Protocol
from xml.sax.saxutils import escape

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


class MakeBook(Protocol):
    """Write a workbook whose sheets have these inner XML texts."""

    def __call__(
        self,
        *sheets: str,
        strings: Sequence[str] = ...,
        formats: Sequence[str] = ...,
        states: Sequence[str] = ...,
        name: str = ...,
    ) -> Path: ...


def _styles(formats: Sequence[str]) -> str:
    """Style 1 has the first format, and so on."""
    declared = "".join(
        f'<numFmt numFmtId="{164 + i}" formatCode="{escape(code)}"/>'
        for i, code in enumerate(formats)
    )
    used = "".join(f'<xf numFmtId="{164 + i}"/>' for i in range(len(formats)))
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts>{declared}</numFmts>'
        f'<cellStyleXfs><xf numFmtId="0"/></cellStyleXfs>'
        f'<cellXfs><xf numFmtId="0"/>{used}</cellXfs></styleSheet>'
    )


@pytest.fixture
def make_book(tmp_path: Path) -> MakeBook:
    """A function that writes an .xlsx of raw sheets."""

    def make(
        *sheets: str,
        strings: Sequence[str] = (),
        formats: Sequence[str] = (),
        states: Sequence[str] = (),
        name: str = "book.xlsx",
    ) -> Path:
        path = tmp_path / name
        names = "".join(
            f'<sheet name="Sheet {i}" sheetId="{i}" r:id="rId{i}"'
            f' state="{states[i - 1] if states else "visible"}"/>'
            for i in range(1, len(sheets) + 1)
        )
        relations = "".join(
            f'<Relationship Id="rId{i}" Type="{OFFICE}/worksheet"'
            f' Target="worksheets/sheet{i}.xml"/>'
            for i in range(1, len(sheets) + 1)
        )
        relations += (
            f'<Relationship Id="s" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
            f'<Relationship Id="t" Type="{OFFICE}/styles" Target="styles.xml"/>'
        )
        shared = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in strings)
        parts = {
            "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
            "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="a" '
            f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{names}'
            "</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
            f"{relations}</Relationships>",
            "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{shared}</sst>',
            "xl/styles.xml": _styles(formats),
        }
        for i, sheet in enumerate(sheets, 1):
            inner = sheet if "sheetData" in sheet else f"<sheetData>{sheet}</sheetData>"
            parts[f"xl/worksheets/sheet{i}.xml"] = f'<worksheet xmlns="{MAIN}">{inner}</worksheet>'
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            for part, text in parts.items():
                package.writestr(part, HEAD + text)
        return path

    return make
