"""Workbooks made byte by byte: what no library would write, and what people have all the same."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OASIS = "urn:oasis:names:tc:opendocument:xmlns"
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
SECTOR_BYTES = 512


def text(address: str, value: str) -> str:
    """A cell with a text."""
    return f'<c r="{address}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def number(address: str, value: float | str, style: int = 0) -> str:
    """A cell with a number, as it is stored."""
    return f'<c r="{address}" s="{style}"><v>{value}</v></c>'


def row(at: int, *cells: str | float | None, attributes: str = "") -> str:
    """A row: texts and numbers from column A on; what begins with `<c ` is taken as it is."""
    made = []
    for index, cell in enumerate(cells):
        address = f"{chr(ord('A') + index)}{at}"
        if isinstance(cell, str):
            made.append(cell if cell.startswith("<c ") else text(address, cell))
        elif cell is not None:
            made.append(number(address, cell))
    return f'<row r="{at}"{attributes}>{"".join(made)}</row>'


def xlsx(
    *sheets: str,
    formats: Sequence[str] = (),
    names: Sequence[str] = (),
    states: Sequence[str] = (),
    before: str = "",
    after: str = "",
) -> bytes:
    """A workbook whose sheets hold these rows; style 1 has the first of `formats`, and so on.

    `before` and `after` stand around the rows of each sheet.
    """
    names = names or [f"Sheet {i}" for i in range(1, len(sheets) + 1)]
    states = states or ["visible"] * len(sheets)
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{i}" r:id="rId{i}" state="{state}"/>'
        for i, (name, state) in enumerate(zip(names, states, strict=True), 1)
    )
    relations = "".join(
        f'<Relationship Id="rId{i}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    relations += f'<Relationship Id="t" Type="{OFFICE}/styles" Target="styles.xml"/>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="a" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f"{relations}</Relationships>",
        "xl/styles.xml": _styles(formats),
    }
    for i, rows in enumerate(sheets, 1):
        parts[f"xl/worksheets/sheet{i}.xml"] = (
            f'<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'
        )
    return zipped({name: HEAD + part for name, part in parts.items()})


def zipped(parts: dict[str, str]) -> bytes:
    """A zip file of texts."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            # OpenDocument part 2, 3.3: this one is not packed, so that a file is known by it.
            package.writestr(name, part, zipfile.ZIP_STORED if name == "mimetype" else None)
    return target.getvalue()


def _styles(formats: Sequence[str]) -> str:
    declared = "".join(
        f'<numFmt numFmtId="{164 + i}" formatCode="{escape(code, {chr(34): "&quot;"})}"/>'
        for i, code in enumerate(formats)
    )
    used = "".join(f'<xf numFmtId="{164 + i}"/>' for i in range(len(formats)))
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts>{declared}</numFmts>'
        f'<cellStyleXfs><xf numFmtId="0"/></cellStyleXfs>'
        f'<cellXfs><xf numFmtId="0"/>{used}</cellXfs></styleSheet>'
    )


def compound(stream: bytes, name: str) -> bytes:
    """A compound file with one stream ([MS-CFB]): an .xls, or what a password protects."""
    stream = stream.ljust(4096, b"\0")
    stream += b"\0" * (-len(stream) % SECTOR_BYTES)
    count = len(stream) // SECTOR_BYTES
    chain = [FAT, END, *range(3, count + 2), END]
    chain += [FREE] * (SECTOR_BYTES // 4 - len(chain))
    head = struct.pack("<8s16sHHHHH6s", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE,
                       9, 6, b"")  # fmt: skip
    head += struct.pack("<9I", 0, 1, 1, 0, 4096, END, 0, END, 0) + struct.pack("<I", 0)
    table = struct.pack(f"<{len(chain)}I", *chain)
    folder = _entry("Root Entry", 5, 1, END, 0) + _entry(name, 2, FREE, 2, len(stream))
    return head.ljust(SECTOR_BYTES, b"\xff") + table + folder.ljust(SECTOR_BYTES, b"\0") + stream


def _entry(name: str, kind: int, child: int, start: int, size_bytes: int) -> bytes:
    words = name.encode("utf-16-le") + b"\0\0"
    rest = struct.pack("<HBBIII16sIQQIQ", len(words), kind, 1, FREE, FREE, child, b"", 0, 0, 0,
                       start, size_bytes)  # fmt: skip
    return words.ljust(64, b"\0") + rest
