"""Binary workbooks ([MS-XLSB]), record by record."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator, Sequence

from tests.corpus.sheet import (
    ERROR_CODES,
    Error,
    Formula,
    Number,
    Sheet,
    Value,
    codes_of,
    never_calculated,
)
from tests.corpus.workbooks import HEAD, OFFICE, PACKAGE

_KIND = "application/vnd.ms-excel"


def record(kind: int, data: bytes = b"") -> bytes:
    """A record: 2.1.4, seven bits a byte."""
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = len(data)
    while size >= 0x80:
        head += bytes([size & 0x7F | 0x80])
        size >>= 7
    return head + bytes([size]) + data


def words(value: str) -> bytes:
    """A text with its length before it."""
    letters = value.encode("utf-16-le")
    return struct.pack("<I", len(letters) // 2) + letters


def xlsb(*sheets: Sheet, extra: dict[str, bytes] | None = None, since_1904: bool = False) -> bytes:
    """A workbook; `extra` has parts to put in or to replace."""
    texts = list(dict.fromkeys(
        cell for sheet in sheets for row in sheet.rows for cell in row if isinstance(cell, str)
    ))  # fmt: skip
    codes = codes_of(sheets)
    parts = {
        "[Content_Types].xml": _types(len(sheets)),
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.bin")]),
        "xl/workbook.bin": _workbook(sheets, since_1904=since_1904),
        "xl/_rels/workbook.bin.rels": _relations(
            [("worksheet", f"worksheets/sheet{at}.bin") for at in range(1, len(sheets) + 1)]
            + [("sharedStrings", "sharedStrings.bin"), ("styles", "styles.bin")]
        ),
        "xl/sharedStrings.bin": record(159, struct.pack("<II", len(texts), len(texts)))
        + b"".join(record(19, b"\0" + words(text)) for text in texts) + record(160),
        "xl/styles.bin": _styles(codes),
    }  # fmt: skip
    for at, sheet in enumerate(sheets, 1):
        parts[f"xl/worksheets/sheet{at}.bin"] = _sheet(sheet, texts, codes)
    return zipped(parts | (extra or {}))


def zipped(parts: dict[str, bytes]) -> bytes:
    """A zip file of these parts."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return target.getvalue()


def _types(sheets: int) -> bytes:
    kinds = {
        "/xl/workbook.bin": f"{_KIND}.sheet.binary.macroEnabled.main",
        "/xl/sharedStrings.bin": f"{_KIND}.sharedStrings",
        "/xl/styles.bin": f"{_KIND}.styles",
    } | {f"/xl/worksheets/sheet{at}.bin": f"{_KIND}.worksheet" for at in range(1, sheets + 1)}
    named = "".join(f'<Override PartName="{n}" ContentType="{k}"/>' for n, k in kinds.items())
    relations = "application/vnd.openxmlformats-package.relationships+xml"
    return (
        f'{HEAD}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        f'ContentType="{relations}"/>{named}</Types>'
    ).encode()


def _relations(targets: Sequence[tuple[str, str]]) -> bytes:
    made = "".join(
        f'<Relationship Id="rId{at}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(targets, 1)
    )
    return f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{made}</Relationships>'.encode()


def _workbook(sheets: Sequence[Sheet], *, since_1904: bool) -> bytes:
    engine = 0 if never_calculated(sheets) else 191_029
    made = record(131) + record(153, struct.pack("<II", since_1904, 0) + words(""))
    made += record(143)
    for at, sheet in enumerate(sheets, 1):
        state = struct.pack("<II", not sheet.shown, at)
        made += record(156, state + words(f"rId{at}") + words(sheet.name))
    calculation = struct.pack("<IIIdIH", engine, 1, 100, 0.001, 1, 2)
    return made + record(144) + record(157, calculation) + record(132)


def _styles(codes: list[str]) -> bytes:
    def some(begin: int, items: list[bytes], end: int) -> bytes:
        return record(begin, struct.pack("<I", len(items))) + b"".join(items) + record(end)

    formats = [record(44, struct.pack("<H", 164 + i) + words(c)) for i, c in enumerate(codes)]
    font = record(43, struct.pack("<HHHHBBBx8s", 220, 0, 400, 0, 0, 2, 0, b"\7" + b"\0" * 7)
                  + b"\2" + words("Calibri"))  # fmt: skip
    fill = record(45, struct.pack("<I", 0) + b"\0" * 64)
    border = record(46, b"\0" * 51)
    form = "<5HBBHH"
    styles = [struct.pack(form, 0, n, 0, 0, 0, 0, 0, 0, 0)
              for n in (0, *range(164, 164 + len(codes)))]  # fmt: skip
    return (
        record(278) + some(615, formats, 616) + some(611, [font], 612) + some(603, [fill], 604)
        + some(613, [border], 614)
        + some(626, [record(47, struct.pack(form, 0xFFFF, 0, 0, 0, 0, 0, 0, 0, 0))], 627)
        + some(617, [record(47, style) for style in styles], 618) + record(279)
    )  # fmt: skip


def _sheet(sheet: Sheet, texts: list[str], codes: list[str]) -> bytes:
    made = record(129)
    made += record(148, struct.pack("<4I", 0, max(len(sheet.rows) - 1, 0), 0, sheet.width))
    made += record(145)
    for at, cells in enumerate(sheet.rows):
        flat = at + 1 in sheet.flat
        flags = 0x10 * (at + 1 in sheet.hidden) | 0x20 * flat
        made += record(0, struct.pack("<IIHBBBI", at, 0, 0 if flat else 300, 0, flags, 0, 0))
        made += b"".join(_cells(cells, texts, codes))
    made += record(146)
    if sheet.merges:
        made += record(177, struct.pack("<I", len(sheet.merges)))
        for top, left, bottom, right in sheet.merges:
            made += record(176, struct.pack("<4I", top - 1, bottom - 1, left, right))
        made += record(178)
    return made + record(130)


def _cells(cells: Sequence[Value], texts: list[str], codes: list[str]) -> Iterator[bytes]:
    for column, cell in enumerate(cells):
        style = 1 + codes.index(cell.code) if isinstance(cell, Number) else 0
        place = struct.pack("<II", column, style)
        if isinstance(cell, str):
            yield record(7, place + struct.pack("<I", texts.index(cell)))
        elif isinstance(cell, bool):
            yield record(4, place + struct.pack("<B", cell))
        elif isinstance(cell, int | float | Number):
            yield _number(place, cell.value if isinstance(cell, Number) else cell)
        elif isinstance(cell, Formula | Error):
            yield _formula(place, cell)


def _number(place: bytes, value: float) -> bytes:
    if value == int(value) and abs(value) < 2**29:
        return record(2, place + struct.pack("<I", int(value) << 2 & 0xFFFFFFFF | 2))
    return record(5, place + struct.pack("<d", value))


def _formula(place: bytes, cell: Formula | Error) -> bytes:
    """A formula whose expression is the number 1."""
    rest = struct.pack("<HI", 0, 3) + b"\x1e\x01\x00" + struct.pack("<I", 0)
    if isinstance(cell, Error):
        return record(11, place + struct.pack("<B", ERROR_CODES[cell.text]) + rest)
    if isinstance(cell.value, str):
        return record(8, place + words(cell.value) + rest)
    return record(9, place + struct.pack("<d", cell.value or 0) + rest)
