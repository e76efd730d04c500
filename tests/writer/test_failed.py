"""The rows that need the user look as they do in the manifest, and are read as they are there."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import openpyxl
from openpyxl.styles import Alignment, Font, PatternFill

from pipeline.authoring.workbook import make_workbook
from pipeline.model import Row, State
from pipeline.reader.reading import read
from pipeline.writer.failed import write_failed
from pipeline.writer.results import write_results
from tests.writer.tables import manifest, opened, results, summary

HEADERS = ("key", "prompt", "code", "share", "price", "launch", "weight", "digits")
FORMATS = ("@", "General", "00000", "0%", '0.00 "€"', "yyyy-mm-dd", "0.0", "General")


def shop(path: Path) -> None:
    """A workbook with formats that say something, with colours, and a table that begins at C2."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for at, name in enumerate(HEADERS, start=3):
        sheet.cell(2, at, name).font = Font(name="Verdana", bold=True, color="FF112233")
    for number in range(3, 7):
        values = (f"K{number}", "A lamp.", 42, 0.5, 4, date(2026, 1, number), 1.25, "007")
        for at, (value, mask) in enumerate(zip(values, FORMATS, strict=True), start=3):
            cell = sheet.cell(number, at)
            cell.value = value  # type: ignore[assignment]
            cell.number_format, cell.alignment = mask, Alignment(wrap_text=True)
            cell.fill = PatternFill("solid", fgColor="FFEEDDCC")
    sheet.column_dimensions["D"].width = 71
    sheet.row_dimensions[4].height = 44
    book.save(path)


def test_failed_rows_look_like_the_manifest(tmp_path: Path) -> None:
    """Fonts, fills, formats, widths and heights; every cell is read as before."""
    shop(tmp_path / "shop.xlsx")
    table = read(tmp_path / "shop.xlsx")
    assert table.first_column == 2
    states = (State.DONE, State.FAILED, State.DONE, State.REFUSED)
    found = write_failed(table, results(table, *states), tmp_path)
    assert found is not None
    sheet = opened(found).worksheets[0]
    assert (sheet["A1"].font.name, sheet["A1"].font.bold) == ("Verdana", True)
    assert sheet["I1"].font.name == "Verdana", "the headers of results look like the last one"
    assert sheet["B2"].fill.fgColor.rgb == "FFEEDDCC"
    assert sheet["C2"].number_format == "00000"
    assert sheet.column_dimensions["B"].width == 71
    assert sheet.row_dimensions[2].height == 44
    again = read(found)
    bad = [row.cells for row, state in zip(table.rows, states, strict=True) if state != "done"]
    assert [row.cells[: len(HEADERS)] for row in again.rows] == bad


def test_of_another_kind_it_is_dressed_plainly(tmp_path: Path) -> None:
    """A table that is no workbook we can copy still reads well: marked headers, filter, widths."""
    (tmp_path / "p.ods").write_bytes(b"no zip at all")
    rows = {2: ("A", "x" * 90), 3: ("B", "short")}
    table = manifest(tmp_path / "p.ods", ("key", "prompt"), rows)
    outcomes = results(table, State.FAILED)
    found = write_failed(table, outcomes, tmp_path)
    assert found is not None
    written = write_results(table, outcomes, tmp_path, summary=summary())
    for path in (found, written.path):
        sheet = opened(path).worksheets[0]
        assert sheet["A1"].font.bold
        assert sheet["A1"].font.name == sheet["B2"].font.name == "Calibri"
        assert (sheet["B2"].alignment.vertical, sheet["B2"].alignment.wrap_text) == ("top", True)
        assert sheet.auto_filter.ref == sheet.dimensions
        assert sheet.page_setup.fitToHeight == 0
        assert (sheet.row_dimensions[2].height or 0) > (sheet.row_dimensions[3].height or 15)
        assert sheet.column_dimensions["B"].width == 60
    said = {row[0]: row[1] for row in opened(written.path)["Summary"].iter_rows(values_only=True)}
    assert said["links lead from"] == str(tmp_path.absolute())


def test_a_row_without_a_height_gets_one_where_results_need_lines(tmp_path: Path) -> None:
    """In a copy as well, where the user's other rows stay as they are."""
    book = openpyxl.load_workbook(io.BytesIO(make_workbook(("key", "prompt"), [("A", "a lamp")])))
    for number in (3, 4):
        book.worksheets[0].append((f"K{number}", "a cup"))
    book.save(tmp_path / "a.xlsx")
    table = read(tmp_path / "a.xlsx")
    one, two, three = results(table)
    long = type(two)(two.row, State.FAILED, error="The provider says no. " * 9)
    written = write_results(table, [one, long, three], tmp_path / "out").path
    heights = [opened(written).worksheets[0].row_dimensions[row].height for row in (2, 3, 4)]
    assert heights[0] == book.worksheets[0].row_dimensions[2].height
    assert (heights[1] or 0) > 60
    assert heights[2] is None
    assert isinstance(table.rows[0], Row)
