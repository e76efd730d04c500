"""The sheet `Videos` of the results: a small still of each video, with key, state and link.

It is for people who judge by a look at many: the stills are the posters of the review page. A
strict workbook, which names the parts of a drawing in another way, gets no such sheet. Sources:
ECMA-376 part 1, 20.5 (drawings in sheets) and 18.3.1.99 (worksheet).

Tested in tests/writer/test_thumbnails.py.
"""

from __future__ import annotations

import io
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import unquote

from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import open_to_read_bytes
from pipeline.model import State
from pipeline.reader.workbook.package import Relationship, rels_of
from pipeline.writer.cells import LINK, STATE_LOOKS, Cell, Cut, cell_xml, xml_text
from pipeline.writer.layout import Result, link_of
from pipeline.writer.ownsheets import OwnSheet, is_strict, namespace_of, put_sheet
from pipeline.writer.parts import PackageCopy

MOST_THUMBNAILS = 5_000
"""So many videos are shown; with more a spreadsheet program takes long to open the file."""
_MOST_BYTES = 200_000
_NAME, _MARK = "Videos", "Video still"
_HEADERS = (_MARK, "key", "state", "video")
_WIDTHS = (24, 30, 12, 40)
_BOX_PX = (160, 90)
_ROW_PT = 72
_EDGE_PX = 3
_EMU_OF_PX = 9_525
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.drawing+xml"
_RELS_TYPE = "application/vnd.openxmlformats-package.relationships+xml"
_TOP = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_DRAWING = (
    f'{_TOP}<xdr:wsDr xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" '
    f'xmlns:r="{_R}">'
)
_RELATIONSHIPS = (
    f'{_TOP}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
)


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A video as the sheet shows it: where it lies, and a JPEG, or none."""

    key: str
    state: State
    video: str
    jpeg: bytes | None


def thumbnails_of(results: Iterable[Result], folder: Path) -> list[Thumbnail]:
    """Return the stills of the videos that are to have one, as far as they were drawn.

    `folder` is the output folder. The name of a poster is that of its video with the number of the
    take; of several, as a row may get after it was restored, the last one counts.
    """
    shown = [one for one in results if one.caption is not None and one.video is not None]
    if not shown:
        return []
    posters = sorted(OutputFolder(folder).posters.glob("*.jpg"), key=_number_in)
    newest = {path.name.rsplit(".", 2)[0]: path for path in posters}
    return [
        Thumbnail(one.caption or "", one.state, one.video or "", _read(newest.get(_stem(one))))
        for one in shown[:MOST_THUMBNAILS]
    ]


def _number_in(poster: Path) -> int:
    number = poster.stem.rpartition(".")[2]
    return int(number) if number.isdecimal() else 0


def _stem(result: Result) -> str:
    name = (result.video or "").rpartition("/")[2].removesuffix(".mp4")
    return unquote(name) if (result.video or "").startswith("https://") else name


def _read(path: Path | None) -> bytes | None:
    """Return a still; None where there is none, or what lies there is far too large for one."""
    if path is None:
        return None
    try:
        with open_to_read_bytes(path) as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError:
        return None
    return data if len(data) <= _MOST_BYTES else None


def put_thumbnails(
    package: PackageCopy,
    thumbnails: Sequence[Thumbnail],
    looks: Mapping[str, int],
    like: Relationship,
    cut: Cut,
) -> None:
    """Add the sheet `Videos` after the last one, or write it over that of an earlier results file.

    Args:
        package: the workbook.
        thumbnails: the videos, in their order; only the first `MOST_THUMBNAILS` are shown.
        looks: the numbers of the cell formats.
        like: the relationship of a sheet of this workbook.
        cut: counts the texts that had to be cut.

    """
    if not thumbnails or is_strict(like):
        return
    shown = thumbnails[:MOST_THUMBNAILS]
    sheet = _sheet(shown, looks, namespace_of(like), cut).encode("utf-8")
    part = put_sheet(package, OwnSheet(_NAME, _MARK, sheet), like)
    _forget_drawing(package, part)
    drawing = _put_drawing(package, shown)
    # The sheet names it by the only relationship that it has.
    new = package.add_relationship(part, f"{_R}/drawing", drawing)
    package.change(part, sheet.replace(b'r:id=""', f'r:id="{new}"'.encode()))


def _forget_drawing(package: PackageCopy, part: str) -> None:
    """Leave out the stills of an earlier results file."""
    if rels_of(part) not in package:
        return
    for one in package.relationships(part):
        if one.kind == "drawing" and rels_of(one.target) in package:
            package.drop(one.target, {"image"})
    package.drop(part, {"drawing"})


def _put_drawing(package: PackageCopy, thumbnails: Sequence[Thumbnail]) -> str:
    """Add the stills and the part that says where each lies; return its name."""
    folder = posixpath.dirname(package.find_workbook())
    number = next(n for n in count(1) if _drawing_part(folder, n) not in package)
    media, anchors, relationships = {}, [], []
    for row, one in enumerate(thumbnails, start=1):
        if one.jpeg is None or (size := _size_px(one.jpeg)) is None:
            continue
        name = posixpath.join(folder, f"media/reelsheet{number}-{row}.jpeg")
        media[name] = one.jpeg
        anchors.append(_anchor(row, one.key, *size))
        relationships.append(f'<Relationship Id="rId{row}" Type="{_R}/image" Target="/{name}"/>')
    part = _drawing_part(folder, number)
    package.add_part(part, f"{_DRAWING}{''.join(anchors)}</xdr:wsDr>".encode(), _DRAWING_TYPE)
    links = f"{_RELATIONSHIPS}{''.join(relationships)}</Relationships>".encode()
    package.add_files({rels_of(part): links}, "rels", _RELS_TYPE)
    package.add_files(media, "jpeg", "image/jpeg")
    return part


def _drawing_part(folder: str, number: int) -> str:
    return posixpath.join(folder, f"drawings/reelsheet{number}.xml")


def _size_px(jpeg: bytes) -> tuple[int, int] | None:
    """Return the size of a still in the sheet, None if it is no picture."""
    from PIL import Image  # noqa: PLC0415 - most runs write no such sheet

    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as still:
            width, height = still.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    scale = min(_BOX_PX[0] / width, _BOX_PX[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _anchor(row: int, key: str, width_px: int, height_px: int) -> str:
    wide, high, edge = (px * _EMU_OF_PX for px in (width_px, height_px, _EDGE_PX))
    name = xml_text(key)
    return (
        f"<xdr:oneCellAnchor><xdr:from><xdr:col>0</xdr:col><xdr:colOff>{edge}</xdr:colOff>"
        f"<xdr:row>{row}</xdr:row><xdr:rowOff>{edge}</xdr:rowOff></xdr:from>"
        f'<xdr:ext cx="{wide}" cy="{high}"/><xdr:pic><xdr:nvPicPr>'
        f'<xdr:cNvPr id="{row + 1}" name="{name}" descr="{name}"/><xdr:cNvPicPr>'
        '<a:picLocks noChangeAspect="1"/></xdr:cNvPicPr></xdr:nvPicPr>'
        f'<xdr:blipFill><a:blip r:embed="rId{row}"/><a:stretch><a:fillRect/></a:stretch>'
        '</xdr:blipFill><xdr:spPr><a:xfrm><a:off x="0" y="0"/>'
        f'<a:ext cx="{wide}" cy="{high}"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/>'
        "</a:prstGeom></xdr:spPr></xdr:pic><xdr:clientData/></xdr:oneCellAnchor>"
    )


def _sheet(
    thumbnails: Sequence[Thumbnail], looks: Mapping[str, int], namespace: str, cut: Cut
) -> str:
    columns = "".join(
        f'<col min="{at}" max="{at}" width="{width}" customWidth="1"/>'
        for at, width in enumerate(_WIDTHS, start=1)
    )
    head = _cells(1, [Cell(text) for text in _HEADERS], looks, cut)
    rows = "".join(
        f'<row r="{number}" ht="{_ROW_PT}" customHeight="1">'
        f"{_cells(number, _line(one), looks, cut)}</row>"
        for number, one in enumerate(thumbnails, start=2)
    )
    return (
        f'{_TOP}<worksheet xmlns="{xml_text(namespace)}" xmlns:r="{_R}"><cols>{columns}</cols>'
        f'<sheetData><row r="1">{head}</row>{rows}</sheetData><drawing r:id=""/></worksheet>'
    )


def _line(one: Thumbnail) -> list[Cell]:
    return [
        Cell(None),
        Cell(one.key),
        Cell(one.state.value, STATE_LOOKS[one.state]),
        Cell(one.video, LINK if link_of(one.video) else None, link_of(one.video)),
    ]


def _cells(number: int, cells: Sequence[Cell], looks: Mapping[str, int], cut: Cut) -> str:
    return "".join(
        cell_xml(f"{letter}{number}", cell, looks.get(cell.look or ""), cut)
        for letter, cell in zip("ABCD", cells, strict=True)
    )
