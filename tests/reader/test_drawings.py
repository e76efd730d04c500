"""Pictures over cells: in workbooks of Excel and in OpenDocument tables."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import openpyxl
import pytest
from openpyxl.drawing.image import Image as SheetImage
from PIL import Image

from pipeline.reader.reading import read

if TYPE_CHECKING:
    from pathlib import Path


def floating(path: Path, *cells: str) -> Path:
    """A table of three rows with a picture at each of these cells."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["key", "prompt", "image_1"], ["A", "a mug"], ["B", "a vase"], ["C", "a cup"]):
        sheet.append(row)
    for cell in cells:
        picture = io.BytesIO()
        Image.new("RGB", (4, 4), "red").save(picture, "PNG")
        sheet.add_image(SheetImage(picture), cell)
    book.save(path)
    return path


def test_a_picture_over_a_row_is_told(tmp_path: Path) -> None:
    """With the cell at which it is anchored; a logo over the headers and one below are not."""
    manifest = read(floating(tmp_path / "a.xlsx", "A1", "C2", "D4", "C40"))
    assert [(one.row, one.cell, one.code, one.severity) for one in manifest.cell_problems] == [
        (2, "C2", "picture_floats", "warning"),
        (4, "D4", "picture_floats", "warning"),
    ]
    assert not read(floating(tmp_path / "b.xlsx")).cell_problems


@pytest.mark.parametrize("drawing", [b"<broken", b"<!DOCTYPE a><a/>", None])
def test_a_drawing_that_cannot_be_read_is_no_damage_of_the_table(
    drawing: bytes | None, tmp_path: Path
) -> None:
    """The table is all there: what lies over it may be broken or missing."""
    path = floating(tmp_path / "a.xlsx", "C2")
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    parts = {name: data for name, data in parts.items() if "drawings/drawing" not in name}
    if drawing is not None:
        parts["xl/drawings/drawing1.xml"] = drawing
    with zipfile.ZipFile(path, "w") as book:
        for name, data in parts.items():
            book.writestr(name, data)
    manifest = read(path)
    assert len(manifest.rows) == 3
    assert not manifest.cell_problems


def test_a_picture_over_a_cell_of_an_opendocument_table(tmp_path: Path) -> None:
    """A chart, a note and a text box are none."""
    frames = (
        "<draw:frame><draw:image/></draw:frame>",
        "<draw:frame><draw:object/><draw:image/></draw:frame>",
        "<office:annotation><draw:image/></office:annotation>",
        "<draw:g><draw:frame><draw:image/></draw:frame><draw:frame><draw:image/></draw:frame></draw:g>",
    )
    cell = "<table:table-cell office:value-type='string'><text:p>{}</text:p>{}</table:table-cell>"
    rows = "".join(
        f"<table:table-row>{cell.format(f'K{n}', '')}{cell.format('a mug', frame)}"
        "</table:table-row>"
        for n, frame in enumerate(frames)
    )
    head = f"<table:table-row>{cell.format('key', '')}{cell.format('prompt', '')}</table:table-row>"
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
        for name, long in (
            ("office", "office"), ("table", "table"), ("text", "text"), ("draw", "drawing"),
        )
    )  # fmt: skip
    content = (
        f"<office:document-content{names}><office:body><office:spreadsheet>"
        f"<table:table table:name='S'>{head}{rows}</table:table>"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    path = tmp_path / "a.ods"
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        book.writestr("content.xml", content)
    manifest = read(path)
    assert [row.cells for row in manifest.rows] == [(f"K{n}", "a mug") for n in range(4)]
    assert [(one.cell, one.code) for one in manifest.cell_problems] == [
        ("B2", "picture_floats"),
        ("B5", "picture_floats"),
    ]
