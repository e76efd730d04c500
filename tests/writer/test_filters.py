"""The filter of a results sheet is over all columns, and a person's own stays as it is."""

from __future__ import annotations

import io
import re
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.table import Table as SheetTable

from pipeline.authoring.workbook import make_workbook
from pipeline.manifest.resultcolumns import RESULT_COLUMNS
from pipeline.manifest.wording import letters_of
from pipeline.model import State
from pipeline.reader.reading import read
from pipeline.writer.results import write_results
from tests.writer.tables import MAIN, opened, parts, results, small_workbook

ROWS = (("A", "a lamp"), ("B", "a cup"))
LAST = "P"


def book(path: Path) -> openpyxl.Workbook:
    """A workbook of a person's, without a filter; its sheet has a quote in its name."""
    made = openpyxl.Workbook()
    sheet = made.worksheets[0]
    sheet.title = "Ann's list"
    for row in (("key", "prompt"), *ROWS):
        sheet.append(row)
    made.save(path)
    return made


def filtered(path: Path) -> tuple[str | None, list[str]]:
    """The filter of the first sheet, and the hidden names that LibreOffice goes by."""
    text = parts(path)["xl/workbook.xml"].decode()
    names = re.findall(r"_FilterDatabase\"[^>]*>([^<]*)<", text)
    return opened(path).worksheets[0].auto_filter.ref, names


def test_a_sheet_without_a_filter_gets_one(tmp_path: Path) -> None:
    """Over the user's columns and those of the results, for Excel and for LibreOffice."""
    book(tmp_path / "a.xlsx")
    table = read(tmp_path / "a.xlsx")
    written = write_results(table, results(table), tmp_path / "out").path
    cells = f"$A$1:${LAST}$3"
    assert filtered(written) == (cells.replace("$", ""), [f"'Ann''s list'!{cells}"])


def test_a_filter_of_a_persons_own_stays(tmp_path: Path) -> None:
    """And so does a sheet whose rows are a table of Excel, with a filter of its own."""
    own = book(tmp_path / "a.xlsx")
    own.worksheets[0].auto_filter.ref = "A1:A3"
    own.save(tmp_path / "a.xlsx")
    table = read(tmp_path / "a.xlsx")
    written = write_results(table, results(table), tmp_path / "1").path
    assert filtered(written)[0] == "A1:A3"
    own.worksheets[0].auto_filter.ref = None
    own.worksheets[0].add_table(SheetTable(displayName="List", ref="A1:B3"))
    own.save(tmp_path / "a.xlsx")
    written = write_results(read(tmp_path / "a.xlsx"), results(table), tmp_path / "2").path
    assert filtered(written) == (None, [])


def test_the_filter_of_our_template_is_widened(tmp_path: Path) -> None:
    """With what somebody has chosen in it."""
    data = make_workbook(("key", "prompt"), ROWS)
    made = openpyxl.load_workbook(io.BytesIO(data))
    made.worksheets[0].auto_filter.add_filter_column(0, ["A"])
    made.save(tmp_path / "a.xlsx")
    table = read(tmp_path / "a.xlsx")
    written = write_results(table, results(table), tmp_path / "out").path
    assert filtered(written) == (f"A1:{LAST}3", [f"'Products'!$A$1:${LAST}$3"])
    assert b"<filterColumn" in parts(written)["xl/worksheets/sheet1.xml"]


@pytest.mark.parametrize("prefix", ["", "x:"])
def test_it_stands_where_the_schema_wants_it(tmp_path: Path, prefix: str) -> None:
    """Before merged cells, lists and margins, whatever the elements are called."""
    name = f":{prefix.rstrip(':')}" if prefix else ""
    xml = (
        f'<worksheet xmlns{name}="{MAIN}"><sheetData><row r="1"><c r="A1" t="str"><v>key</v></c>'
        '</row></sheetData><sheetCalcPr/><mergeCells><mergeCell ref="A9:B9"/></mergeCells>'
        '<pageMargins left="1"/></worksheet>'
    )
    small_workbook(tmp_path / "a.xlsx", re.sub(r"<(/?)(?=[a-z])", rf"<\1{prefix}", xml))
    table = read(tmp_path / "a.xlsx")
    written = write_results(table, results(table), tmp_path / "out").path
    tail = parts(written)["xl/worksheets/sheet1.xml"].decode().partition("sheetData>")[2]
    order = re.findall(rf"<{prefix}(sheetCalcPr|autoFilter|mergeCells|dataValidations|pageM)", tail)
    assert order == ["sheetCalcPr", "autoFilter", "mergeCells", "dataValidations", "pageM"]


def test_columns_for_looking_things_up_fold_away(tmp_path: Path) -> None:
    """The task, attempts and times are a group; what is typed wraps, all begins at the top."""
    book(tmp_path / "a.xlsx")
    table = read(tmp_path / "a.xlsx")
    written = write_results(table, results(table, State.FAILED), tmp_path / "out").path
    sheet = opened(written).worksheets[0]
    at = {cell.value: letters_of(cell.column) for cell in sheet[1]}
    folded = {name for name in RESULT_COLUMNS if sheet.column_dimensions[at[name]].outlineLevel}
    assert folded == set(RESULT_COLUMNS[4:9])
    assert sheet.sheet_format.outlineLevelCol == 1
    assert sheet.column_dimensions[at["new_prompt"]].alignment.wrap_text
    error = sheet[f"{at['result_error']}2"]
    assert (error.alignment.vertical, error.alignment.wrap_text) == ("top", True)
    assert sheet[f"{at['result_state']}2"].alignment.vertical == "top"
