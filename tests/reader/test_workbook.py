"""Workbooks: what a person sees is what is read, and what calamine hides is told."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import openpyxl
import pytest

from pipeline.errors import ManifestError
from pipeline.manifest.wording import address_of
from pipeline.reader.reading import read

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reader.conftest import MakeBook


def cell(address: str, text: str) -> str:
    return f'<c r="{address}" t="inlineStr"><is><t>{text}</t></is></c>'


HEADER = f'<row r="1">{cell("A1", "id")}{cell("B1", "prompt")}</row>'


def save(path: Path, *rows: list[object]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)
    return path


def fault(path: Path, sheet: str | int | None = None, hidden: str | None = None) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        read(path, sheet=sheet, hidden_rows=hidden)
    return caught.value


def test_values_read_as_a_person_sees_them(tmp_path: Path) -> None:
    """Numbers, dates and truth values become plain text; text stays what it is."""
    values: dict[object, str] = {
        "007": "007",
        "NA": "NA",
        4.0: "4",
        0.1: "0.1",
        0.1 + 0.2: "0.3",
        123456789012345: "123456789012345",
        0.0000001: "0.0000001",
        True: "TRUE",
        dt.date(2026, 11, 5): "2026-11-05",
        dt.datetime(2026, 11, 5, 7, 30): "2026-11-05T07:30:00",  # noqa: DTZ001 - Excel has no zones
    }
    path = save(tmp_path / "a.xlsx", [f"h{i}" for i in range(len(values))], list(values))
    assert read(path).rows[0].cells == tuple(values.values())


def test_times_read_as_a_person_sees_them(make_book: MakeBook) -> None:
    """`16:9` typed into Excel is the time 16:09; which column means a frame is told later."""
    cells = "".join(
        f'<c r="{column}2" s="{style}"><v>{value}</v></c>'
        for column, style, value in [
            ("A", 1, 0.672916666666667),
            ("B", 1, 0.386111111111111),
            ("C", 2, 0.672916666666667),
            ("D", 1, 0.5),
            ("E", 0, 0.672916666666667),
        ]
    )
    header = "".join(cell(f"{c}1", f"h{c}") for c in "ABCDE")
    path = make_book(
        f'<row r="1">{header}</row><row r="2">{cells}</row>', formats=("h:mm", "[h]:mm:ss")
    )
    assert read(path).rows[0].cells == (
        "16:09",
        "09:16",
        "16:09:00",
        "12:00",
        "0.672916666666667",
    )


def test_zero_padding_formats_keep_their_zeros(make_book: MakeBook) -> None:
    """A number shown as 00042 is read as 00042."""
    row = '<row r="2"><c r="A2" s="1"><v>42</v></c><c r="B2"><v>42</v></c></row>'
    assert read(make_book(HEADER + row, formats=("00000",))).rows[0].cells == ("00042", "42")


def test_lost_digits_are_a_problem(make_book: MakeBook) -> None:
    """Excel keeps 15 digits of a number; a longer one is told with its cell."""
    row = '<row r="2"><c r="A2"><v>123456789012345678</v></c><c r="B2"><v>999999999999999</v></c>'
    (problem,) = read(make_book(HEADER + row + "</row>")).cell_problems
    assert (problem.code, problem.cell, problem.column) == ("digits_lost", "A2", "id")
    assert "18 digits" in problem.message


def test_errors_and_uncalculated_formulas_are_problems(make_book: MakeBook) -> None:
    """The engine shows both as empty; a cached value, also an empty text, is no problem."""
    rows = (
        '<row r="2"><c r="A2" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
        '<c r="B2"><f>A1</f><v></v></c></row>'
        '<row r="3"><c r="A3"><f>A1</f></c></row>'
        '<row r="4"><c r="A4" t="str"><f>"x"</f><v>x</v></c><c r="B4" t="str"><f>""</f><v></v></c>'
        "</row>"
        '<row r="5"><c r="B5" t="e"><v>#N/A</v></c></row>'
    )
    manifest = read(make_book(HEADER + rows))
    found = [(p.row, p.cell, p.column, p.code) for p in manifest.cell_problems]
    assert found == [
        (2, "A2", "id", "error_value"),
        (2, "B2", "prompt", "formula_not_calculated"),
        (3, "A3", "id", "formula_not_calculated"),
        (5, "B5", "prompt", "error_value"),
    ]
    assert [row.number for row in manifest.rows] == [2, 3, 4, 5]
    assert manifest.rows[2].cells == ("x", "")


def test_our_own_columns_make_no_problems(make_book: MakeBook) -> None:
    """The links that we write are formulas without a value."""
    header = f'<row r="1">{cell("A1", "id")}{cell("B1", "result_video")}</row>'
    row = f'<row r="2">{cell("A2", "1")}<c r="B2"><f>HYPERLINK("x")</f></c></row>'
    assert read(make_book(header + row)).cell_problems == ()


def test_merged_cells_are_problems_or_filled(tmp_path: Path) -> None:
    """Covered cells have no value; on demand they take that of their range."""
    path = save(tmp_path / "a.xlsx", ["id", "p"], ["1", "x"], ["2", None], ["3", None])
    book = openpyxl.load_workbook(path)
    book.worksheets[0].merge_cells("B2:B3")
    book.save(path)
    (problem,) = read(path).cell_problems
    assert (problem.code, problem.cell, problem.row) == ("merged_cell", "B3", 3)
    filled = read(path, fill_merged=True)
    assert [row.cells[1] for row in filled.rows] == ["x", "x", ""]
    assert filled.cell_problems == ()


def test_hidden_rows_need_a_word(tmp_path: Path) -> None:
    """Hidden or filtered rows are refused until it is said what to do with them."""
    path = save(tmp_path / "a.xlsx", ["id"], ["1"], ["2"], ["3"])
    book = openpyxl.load_workbook(path)
    book.worksheets[0].row_dimensions[3].hidden = True
    book.save(path)
    error = fault(path)
    assert "1 row is hidden" in error.message
    assert "row 3" in error.message
    assert [r.number for r in read(path, hidden_rows="skip").rows] == [2, 4]
    assert [r.number for r in read(path, hidden_rows="include").rows] == [2, 3, 4]
    assert "'show'" in fault(path, hidden="show").message


def test_the_sheet_is_chosen_by_name_or_number(make_book: MakeBook) -> None:
    """The default is the first sheet that is shown."""
    path = make_book(
        f'<row r="1">{cell("A1", "hidden")}</row>',
        f'<row r="1">{cell("A1", "shown")}</row>',
        states=("hidden", "visible"),
    )
    assert read(path).headers == ("shown",)
    assert read(path).sheet == "Sheet 2"
    assert read(path, sheet=1).headers == ("hidden",)
    assert read(path, sheet="1").headers == ("hidden",)
    assert read(path, sheet="sheet 1").headers == ("hidden",)
    error = fault(path, sheet="Prices")
    assert "'Prices'" in error.message
    assert "1 'Sheet 1', 2 'Sheet 2'" in str(error.action)


def test_the_header_is_the_first_row_that_is_not_blank(make_book: MakeBook) -> None:
    """Blank rows above and blank columns on the left shift the addresses, not the cells."""
    rows = (
        f'<row r="3">{cell("C3", "id")}{cell("D3", "prompt")}</row>'
        f'<row r="5">{cell("C5", "1")}{cell("D5", "x")}</row>'
    )
    manifest = read(make_book(rows))
    assert (manifest.header_row, manifest.first_column) == (3, 2)
    assert (manifest.headers, manifest.rows[0].number) == (("id", "prompt"), 5)
    assert address_of(manifest, 1, 5) == "D5"


def test_an_empty_sheet_is_said(make_book: MakeBook) -> None:
    """A sheet without a filled cell has its own sentence."""
    assert "'Sheet 1' is empty" in fault(make_book("")).message
    assert "'Sheet 1' is empty" in fault(make_book("<sheetData/>")).message


def test_a_wrong_dimension_costs_nothing(make_book: MakeBook) -> None:
    """The extent that a sheet claims is not believed."""
    row = f'<row r="2">{cell("A2", "1")}{cell("B2", "x")}</row>'
    for claim in ("A1:XFD1048576", "A1:GR1000000", "A1"):
        sheet = f'<dimension ref="{claim}"/><sheetData>{HEADER}{row}</sheetData>'
        assert [r.cells for r in read(make_book(sheet)).rows] == [("1", "x")]


def test_a_styled_tail_and_a_lone_space_cost_nothing(make_book: MakeBook) -> None:
    """Blank cells far below and far to the right are cut off; row numbers stay physical."""
    rows = (
        f'<row r="2">{cell("A2", "1")}{cell("B2", "x")}</row>'
        f'<row r="700000"><c r="A700000" s="0"/><c r="XFD700000" s="0"/></row>'
        f'<row r="800000">{cell("A800000", "2")}<c r="B800000"><f>A1</f></c></row>'
        '<row r="1048576"><c r="A1048576" t="s"><v>1</v></c>'
        '<c r="XFD1048576" t="inlineStr"><is><t xml:space="preserve"> </t></is></c></row>'
    )
    manifest = read(make_book(HEADER + rows, strings=("filled", "  ")))
    assert [(row.number, row.cells) for row in manifest.rows] == [
        (2, ("1", "x")),
        (800000, ("2", "")),
    ]
    assert [problem.cell for problem in manifest.cell_problems] == ["B800000"]


def test_a_sheet_with_prefixes_and_without_addresses_is_read(make_book: MakeBook) -> None:
    """Other writers spell the same sheet in other ways."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    plain = (
        "<row><c t='inlineStr'><is><t>id</t></is></c><c t='inlineStr'><is><t>p</t></is></c></row>"
        "<row hidden='1'><c><v>1</v></c><c t='e'><v>#N/A</v></c></row>"
    )
    manifest = read(make_book(plain), hidden_rows="include")
    assert [row.cells[0] for row in manifest.rows] == ["1"]
    assert [(p.row, p.cell) for p in manifest.cell_problems] == [(2, "B2")]
    assert "1 row is hidden" in fault(make_book(plain)).message
    prefixed = plain.replace("</", "</x:").replace("<row", "<x:row").replace("<c", "<x:c")
    for tag in ("is", "t", "v"):
        prefixed = prefixed.replace(f"<{tag}>", f"<x:{tag}>")
    sheet = f'<x:sheetData xmlns:x="{main}">{prefixed}</x:sheetData>'
    assert len(read(make_book(sheet), hidden_rows="include").cell_problems) == 1


def test_text_with_tags_in_it_is_only_text(make_book: MakeBook) -> None:
    """Words that look like attributes of a tag change nothing."""
    row = f'<row r="2">{cell("A2", "hidden=&quot;1&quot;")}' + cell("B2", 't="e" &lt;f&gt;')
    manifest = read(make_book(HEADER + row + "</row>"))
    assert manifest.rows[0].cells == ('hidden="1"', 't="e" <f>')
    assert manifest.cell_problems == ()
