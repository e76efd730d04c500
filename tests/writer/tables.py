"""Manifests and workbooks for the writer's tests, made the way people make them."""

from __future__ import annotations

import io
import warnings
import zipfile
from datetime import date
from typing import TYPE_CHECKING

from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from PIL import Image as Picture

from pipeline.model import Manifest, Row, State, TextDialect
from pipeline.writer.layout import Result
from pipeline.writer.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

HEADERS = ("sku", "prompt", "launch", "letters")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def manifest(
    path: Path,
    headers: Sequence[str] = HEADERS,
    rows: Mapping[int, Sequence[str]] | None = None,
    *,
    dialect: TextDialect | None = None,
    sheet: str | None = "Products",
) -> Manifest:
    """A manifest as the reader gives it; without `rows`, the three of `rich_workbook`."""
    if rows is None:
        rows = {n: (f"A-{n}", "a lamp", "2026-01-01", "6") for n in (2, 3, 5)}
    return Manifest(
        path=path,
        headers=tuple(headers),
        rows=tuple(Row(number, tuple(cells)) for number, cells in rows.items()),
        dialect=dialect,
        sheet=None if dialect else sheet,
    )


def results(table: Manifest, *states: State) -> list[Result]:
    """One result a row; the states in turn."""
    states = states or (State.DONE,)
    return [
        Result(
            row=row.number,
            state=states[index % len(states)],
            video=f"videos/{row.number}.mp4" if states[index % len(states)] is State.DONE else None,
            error="=1+1" if states[index % len(states)] is State.FAILED else None,
            task_id=f"video_{row.number}",
            attempts=1,
            seconds=6,
        )
        for index, row in enumerate(table.rows)
    ]


def summary(**changes: object) -> Summary:
    """A run's summary."""
    values: dict[str, object] = {
        "run_id": "r-1",
        "manifest": "products.xlsx",
        "provider": "rehearsal",
        "rows": 3,
        "states": {"done": 2, "failed": 1},
        "submitted": 3,
        "downloaded": 2,
        "bytes": 9,
        "video_seconds": 18,
        "started_at": "2026-11-01T20:00:00Z",
        "finished_at": "2026-11-01T21:00:00Z",
        "elapsed_s": 3600.5,
        "exit_code": 1,
    }
    return Summary(**{**values, **changes})  # type: ignore[arg-type]


def rich_workbook(path: Path) -> None:
    """A workbook with what people put into theirs; row 4 is blank, row 6 a note below the table."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Products"
    sheet.append(HEADERS)
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="336699")
    for row in (2, 3, 5):
        sheet.cell(row, 1, f"A-{row}")
        sheet.cell(row, 2, "a lamp")
        sheet.cell(row, 3, date(2026, 1, 1))
        sheet.cell(row, 4, "=LEN(B2)")
    sheet.column_dimensions["B"].width = 60
    sheet.auto_filter.ref = "A1:D5"
    choice = DataValidation(type="list", formula1='"4,6,10"')
    choice.add("D2:D5")
    sheet.add_data_validation(choice)
    red = Rule("cellIs", operator="greaterThan", formula=["5"], dxf=DifferentialStyle(Font(b=True)))
    sheet.conditional_formatting.add("D2:D5", red)
    sheet["A2"].comment = Comment("check this one", "Ana")
    image = io.BytesIO()
    Picture.new("RGB", (8, 8), "red").save(image, "PNG")
    sheet.add_image(Image(image), "R3")
    other = book.create_sheet("Prices")
    other.append([1])
    chart = BarChart()
    chart.add_data(Reference(other, min_col=1, min_row=1, max_row=1))
    other.add_chart(chart, "D2")
    book.defined_names["first"] = DefinedName("first", attr_text="Products!$A$2")
    book.save(path)
    sheet_xml = parts(path)["xl/worksheets/sheet1.xml"]
    # What openpyxl cannot write: a cached value, and an extension with a sparkline.
    cached = sheet_xml.replace(b"<f>LEN(B2)</f><v />", b"<f>LEN(B2)</f><v>6</v>", 1)
    cached = cached.replace(b"<f>LEN(B2)</f><v></v>", b"<f>LEN(B2)</f><v>6</v>", 1)
    extension = b'<extLst><ext uri="{0}"><x:y xmlns:x="urn:x">1</x:y></ext></extLst></worksheet>'
    repack(path, {"xl/worksheets/sheet1.xml": cached.replace(b"</worksheet>", extension)})


def opened(path: Path, *, data_only: bool = False) -> Workbook:
    """The workbook through openpyxl, which keeps a file open that holds pictures."""
    with warnings.catch_warnings():
        # It warns of the extension that it, unlike us, would drop.
        warnings.filterwarnings("ignore", "Unknown extension", UserWarning)
        return load_workbook(io.BytesIO(path.read_bytes()), data_only=data_only)


def parts(path: Path) -> dict[str, bytes]:
    """Every part of a package."""
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def repack(path: Path, changed: Mapping[str, bytes], *, without: Collection[str] = ()) -> None:
    """Write a package again with some parts changed, added or left out."""
    everything = {**parts(path), **changed}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in everything.items():
            if name not in without:
                package.writestr(name, data)


def small_workbook(path: Path, sheet_xml: str) -> None:
    """A workbook whose only sheet, `Products`, is this very XML."""
    book = Workbook()
    assert book.active is not None
    book.active.title = "Products"
    book.save(path)
    repack(path, {"xl/worksheets/sheet1.xml": sheet_xml.encode()})
