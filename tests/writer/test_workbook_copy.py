"""The results workbook is the user's own, with results in it and nothing lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from python_calamine import CalamineWorkbook

from pipeline.manifest.resultcolumns import RESULT_COLUMNS
from pipeline.model import Manifest, Row, State
from pipeline.reader.reading import read
from pipeline.writer.cells import COLOUR_OF_LOOK, STATE_LOOKS
from pipeline.writer.layout import Result
from pipeline.writer.parts import MAIN_TYPE
from pipeline.writer.results import write_results
from tests.corpus.layouts import LAYOUTS, Layout, laid_out
from tests.writer.tables import (
    HEADERS,
    MAIN,
    manifest,
    opened,
    parts,
    repack,
    results,
    rich_workbook,
    small_workbook,
    summary,
)

if TYPE_CHECKING:
    from pathlib import Path

    from openpyxl.worksheet.worksheet import Worksheet

SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def rich(tmp_path: Path) -> Manifest:
    path = tmp_path / "products.xlsx"
    rich_workbook(path)
    return manifest(path)


def sheet_of(path: Path, name: str = "Products") -> Worksheet:
    return opened(path)[name]


def test_all_other_parts_keep_their_bytes(rich: Manifest, tmp_path: Path) -> None:
    """Only the sheet, the styles and the lists of parts change; the manifest itself never does."""
    before = rich.path.read_bytes()
    written = write_results(rich, results(rich), tmp_path / "out", summary=summary())
    assert written.notes == ()
    assert written.path == tmp_path / "out" / "results.xlsx"
    old, new = parts(rich.path), parts(written.path)
    changed = {name for name in old if new[name] != old[name]}
    assert changed == {
        "[Content_Types].xml",
        "xl/_rels/workbook.xml.rels",
        "xl/workbook.xml",
        "xl/styles.xml",
        SHEET,
    }
    assert len(new.keys() - old.keys()) == 1
    assert rich.path.read_bytes() == before


def test_the_sheet_keeps_what_is_not_ours(rich: Manifest, tmp_path: Path) -> None:
    """Without the cells, widths and frame added, the sheet's XML is what it was."""
    written = write_results(rich, results(rich), tmp_path / "out")
    old, new = parts(rich.path)[SHEET], parts(written.path)[SHEET]
    assert b"<f>LEN(B2)</f><v>6</v>" in new
    lists = re.compile(
        rb'<dataValidation [^>]*sqref="P2:[^>]*>.*?</dataValidation>| count="1"|<pageSetup.*?/>'
    )
    old, new = lists.sub(b"", old), lists.sub(b"", new)
    assert new.split(b"</sheetData>")[1] == old.split(b"</sheetData>")[1]
    added = re.compile(rb'<c r="[E-R]\d+".*?</c>')
    assert added.sub(b"", new.split(b"<sheetData>")[1]) == old.split(b"<sheetData>")[1]


def test_results_stand_beside_their_rows(rich: Manifest, tmp_path: Path) -> None:
    """The result columns come right of the last one, rows stay at their place, blank ones too."""
    states = (State.DONE, State.FAILED, State.IN_DOUBT)
    written = write_results(rich, results(rich, *states), tmp_path)
    sheet = sheet_of(written.path)
    assert tuple(cell.value for cell in sheet[1]) == (*HEADERS, *RESULT_COLUMNS)
    assert [sheet.cell(row, 5).value for row in (2, 3, 4, 5)] == [
        "done",
        "failed",
        None,
        "in_doubt",
    ]
    assert sheet["J2"].value == 1
    assert sheet["M2"].value == 6
    assert sheet.dimensions == "A1:R5"
    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["B"].width == 60
    assert sheet.column_dimensions["F"].width == 36


def test_other_readers_see_the_same(rich: Manifest, tmp_path: Path) -> None:
    """The reader of manifests sees texts, numbers and the link's cached text."""
    written = write_results(rich, results(rich), tmp_path)
    table = CalamineWorkbook.from_path(written.path).get_sheet_by_name("Products").to_python()
    assert table[0] == [*HEADERS, *RESULT_COLUMNS]
    assert table[1][4:8] == ["done", "videos/2.mp4", "", ""]
    assert table[1][8:10] == ["video_2", 1.0]
    assert table[3] == [""] * 18


def test_a_video_is_a_link_with_its_name(rich: Manifest, tmp_path: Path) -> None:
    """result_video is a HYPERLINK formula with a cached value and no hyperlink relationship."""
    row = Result(2, State.DONE, 'videos/a "b" & <c>.mp4')
    written = write_results(rich, [row, *results(rich)[1:]], tmp_path)
    name = 'videos/a ""b"" & <c>.mp4'
    assert sheet_of(written.path)["F2"].value == f'=HYPERLINK("{name}","{name}")'
    cached = opened(written.path, data_only=True)["Products"]["F2"].value
    assert cached == 'videos/a "b" & <c>.mp4'
    assert b"<hyperlink" not in parts(written.path)[SHEET]


def test_a_link_too_long_for_a_formula_is_text(rich: Manifest, tmp_path: Path) -> None:
    """Excel takes at most 255 characters in a formula's text; a longer name stays readable."""
    name = f"videos/{'x' * 300}.mp4"
    written = write_results(rich, [Result(2, State.DONE, name), *results(rich)[1:]], tmp_path)
    assert sheet_of(written.path)["F2"].value == name


def test_states_are_coloured_and_headers_match(rich: Manifest, tmp_path: Path) -> None:
    """Each state has the colour of its kind; the new headers look like the one beside."""
    for state in State:
        written = write_results(rich, results(rich, state), tmp_path)
        sheet = sheet_of(written.path)
        assert sheet["E2"].fill.fgColor.rgb == COLOUR_OF_LOOK[STATE_LOOKS[state]]
        assert sheet["E1"].style_id == sheet["D1"].style_id
        assert sheet["E1"].font.bold


def test_texts_never_become_formulas(rich: Manifest, tmp_path: Path) -> None:
    """An API's message that looks like a formula is a text, character by character."""
    nasty = "=cmd|' /C calc'!A0"
    row = Result(2, State.FAILED, None, nasty, "+1", "@x", 1, warnings=("-1",))
    written = write_results(rich, [row, *results(rich)[1:]], tmp_path)
    sheet = sheet_of(written.path)
    values = [(sheet[f"{letter}2"].value, sheet[f"{letter}2"].data_type) for letter in "GHIN"]
    assert [value for value, _ in values] == [nasty, "+1", "@x", "-1"]
    new = parts(written.path)[SHEET]
    assert new.count(b"<f>") == parts(rich.path)[SHEET].count(b"<f>") + 2  # the two other videos


def test_odd_characters_and_long_texts_fit(rich: Manifest, tmp_path: Path) -> None:
    """Control characters, half pairs and endless messages are written so that the file opens."""
    odd = Result(2, State.FAILED, error="a\x01b\ud800c_x0041_\r\n 😀 ", action="y" * 40_000)
    written = write_results(rich, [odd, *results(rich)[1:]], tmp_path)
    table = CalamineWorkbook.from_path(written.path).get_sheet_by_name("Products").to_python()
    error, action = str(table[1][6]), str(table[1][7])
    assert error.endswith("😀 ")
    assert "\ufffd" in error
    assert b"_x0001_" in parts(written.path)[SHEET]
    assert b"_x005F_x0041_" in parts(written.path)[SHEET]
    assert len(action) == 32_767
    assert action.endswith("…")
    assert "1 text longer than a cell holds" in written.notes[0]


def test_a_results_file_is_refreshed_in_place(rich: Manifest, tmp_path: Path) -> None:
    """Results over results: same columns, no second set, no second Summary, no style growth."""
    first = write_results(rich, results(rich), tmp_path / "1", summary=summary())
    again = manifest(
        first.path,
        (*HEADERS, *RESULT_COLUMNS),
        {row.number: (*row.cells, *[""] * 10) for row in rich.rows},
    )
    states = (State.FAILED, State.DONE, State.RUNNING)
    second = write_results(
        again, results(again, *states), tmp_path / "2", summary=summary(run_id="r-2")
    )
    sheet = sheet_of(second.path)
    assert tuple(cell.value for cell in sheet[1]) == (*HEADERS, *RESULT_COLUMNS)
    assert [sheet.cell(row, 5).value for row in (2, 3, 5)] == ["failed", "done", "running"]
    assert sheet["F2"].value is None
    assert sheet["G2"].value == "=1+1"
    assert sheet["G2"].data_type == "s" or b'<c r="G2" t="inlineStr">' in parts(second.path)[SHEET]
    book = opened(second.path)
    assert book.sheetnames == ["Products", "Prices", "Summary"]
    assert book["Summary"]["B1"].value == "r-2"
    printed = book["Summary"].sheet_properties.pageSetUpPr
    assert printed is not None
    assert printed.fitToPage
    assert parts(second.path)["xl/styles.xml"] == parts(first.path)["xl/styles.xml"]


def test_some_result_columns_are_completed(tmp_path: Path) -> None:
    """Columns moved or deleted by the user: those that are there stay, the others are added."""
    path = tmp_path / "p.xlsx"
    small_workbook(
        path,
        f'<worksheet xmlns="{MAIN}"><sheetData>'
        '<row r="1"><c r="B1" t="str"><v>Result_State </v></c>'
        '<c r="C1" t="str"><v>prompt</v></c></row>'
        '<row r="2"><c r="B2" t="str"><v>failed</v></c><c r="C2" t="str"><v>a lamp</v></c></row>'
        "</sheetData></worksheet>",
    )
    table = Manifest(
        path,
        ("Result_State ", "prompt"),
        (Row(2, ("failed", "a lamp")),),
        sheet="Products",
        first_column=1,
    )
    sheet = sheet_of(write_results(table, results(table), tmp_path / "out").path)
    headers = [cell.value for cell in sheet[1]]
    assert headers == [None, "result_state", "prompt", *RESULT_COLUMNS[1:]]
    assert [cell.value for cell in sheet[2]][1:3] == ["done", "a lamp"]


def test_the_summary_leaves_a_sheet_of_that_name_alone(rich: Manifest, tmp_path: Path) -> None:
    """A Summary of the user's own stays; ours takes another name."""
    book = opened(rich.path)
    book.create_sheet("Summary")["A1"] = "mine"
    book.save(rich.path)
    written = write_results(rich, results(rich), tmp_path / "out", summary=summary())
    again = opened(written.path)
    assert again.sheetnames == ["Products", "Prices", "Summary", "Summary 2"]
    assert again["Summary"]["A1"].value == "mine"
    pairs = {row[0]: row[1] for row in again["Summary 2"].iter_rows(values_only=True)}
    assert pairs["done"] == 2
    assert pairs["seconds of video"] == 18


def test_the_summary_is_known_again_after_excel_saved_it(rich: Manifest, tmp_path: Path) -> None:
    """Excel moves texts to the shared strings; the sheet is refreshed and not added once more."""
    first = write_results(rich, results(rich), tmp_path / "1", summary=summary())
    old = parts(first.path)
    name = next(name for name in old if b"Reelsheet run" in old[name])
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    link = f'<Relationship Id="rId79" Type="{kind}" Target="sharedStrings.xml"/></Relationships>'
    rels = "xl/_rels/workbook.xml.rels"
    text = b'<c r="A1" t="inlineStr"><is><t>Reelsheet run</t></is></c>'
    strings = f'<sst xmlns="{MAIN}"><si><t>x</t></si><si><t>Reelsheet run</t></si></sst>'
    types = old["[Content_Types].xml"].replace(
        b"</Types>",
        b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-'
        b'officedocument.spreadsheetml.sharedStrings+xml"/></Types>',
    )
    repack(first.path, {
        name: old[name].replace(text, b'<c r="A1" t="s"><v>1</v></c>'),
        "xl/sharedStrings.xml": strings.encode(),
        rels: old[rels].replace(b"</Relationships>", link.encode()),
        "[Content_Types].xml": types,
    })  # fmt: skip
    rows = {row.number: (*row.cells, *[""] * 10) for row in rich.rows}
    again = manifest(first.path, (*HEADERS, *RESULT_COLUMNS), rows)
    second = write_results(again, results(again), tmp_path / "2", summary=summary(run_id="r-9"))
    book = opened(second.path)
    assert book.sheetnames == ["Products", "Prices", "Summary"]
    assert book["Summary"]["B1"].value == "r-9"


def test_content_to_the_right_is_never_written_over(tmp_path: Path) -> None:
    """A note in a column without a header, far down: the results start behind it."""
    path = tmp_path / "p.xlsx"
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, 9))
    rows += '<row r="9"><c r="A9"><v>9</v></c><c r="D9" t="str"><v>note</v></c></row>'
    small_workbook(path, f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>')
    table = manifest(path, ("1",), {n: (str(n),) for n in range(2, 10)})
    sheet = sheet_of(write_results(table, results(table), tmp_path / "out").path)
    assert sheet["D9"].value == "note"
    assert [cell.value for cell in sheet[1]][:6] == [1, None, None, None, *RESULT_COLUMNS[:2]]


def test_prefixes_cdata_and_self_closing_rows(tmp_path: Path) -> None:
    """Sheets of other programs: prefixed names, CDATA, rows and cells without content."""
    path = tmp_path / "p.xlsx"
    small_workbook(
        path,
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData>'
        '<x:row spans="1:1"><x:c t="inlineStr"><x:is><x:t><![CDATA[a</row>b]]></x:t></x:is></x:c>'
        '</x:row><!-- <row> --><x:row r="3" spans="1:1" ht="30" customHeight="1"/>'
        '<x:row r="4"><x:c r="A4"/></x:row></x:sheetData></x:worksheet>',
    )
    table = manifest(path, ("a</row>b",), dict.fromkeys((2, 3, 4, 6), ("",)))
    sheet = sheet_of(write_results(table, results(table), tmp_path / "out").path)
    assert sheet["A1"].value == "a</row>b"
    assert [sheet.cell(row, 2).value for row in (1, 2, 3, 4, 5, 6)] == [
        "result_state",
        "done",
        "done",
        "done",
        None,
        "done",
    ]
    assert sheet.row_dimensions[3].height == 30


def test_a_utf16_sheet_is_written_into(tmp_path: Path) -> None:
    """XML may come in UTF-16."""
    path = tmp_path / "p.xlsx"
    small_workbook(path, "")
    xml = (
        f'<?xml version="1.0" encoding="UTF-16"?><worksheet xmlns="{MAIN}"><sheetData><row r="1">'
        '<c r="A1" t="str"><v>größe</v></c></row></sheetData></worksheet>'
    )
    repack(path, {SHEET: xml.encode("utf-16")})
    table = manifest(path, ("größe",), {2: ("",)})
    sheet = sheet_of(write_results(table, results(table), tmp_path / "out").path)
    assert [sheet["A1"].value, sheet["B2"].value] == ["größe", "done"]


@pytest.mark.parametrize(
    ("pane", "frozen"),
    [
        ("", "A2"),
        ('<pane xSplit="2" topLeftCell="C1" activePane="topRight" state="frozen"/>', "C2"),
        ('<pane ySplit="3" topLeftCell="A4" activePane="bottomLeft" state="frozen"/>', "A4"),
        (None, "A2"),
    ],
)
def test_the_header_is_frozen(tmp_path: Path, pane: str | None, frozen: str) -> None:
    """The header row is frozen; a freeze that holds it already stays as it is."""
    path = tmp_path / "p.xlsx"
    row = '<sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData>'
    end = f">{pane}</sheetView>" if pane else "/>"
    view = f'<sheetViews><sheetView workbookViewId="0"{end}</sheetViews>'
    views = view if pane is not None else ""
    small_workbook(path, f'<worksheet xmlns="{MAIN}">{views}{row}</worksheet>')
    table = manifest(path, ("1",), {2: ("",)})
    assert sheet_of(write_results(table, results(table), tmp_path).path).freeze_panes == frozen


def test_results_are_not_hidden_with_the_columns_beside(tmp_path: Path) -> None:
    """All columns to the right hidden, as people do: the result columns show, the others do not."""
    path = tmp_path / "p.xlsx"
    cols = '<cols><col min="2" max="16384" width="9" hidden="1"/></cols>'
    row = '<sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData>'
    small_workbook(path, f'<worksheet xmlns="{MAIN}">{cols}{row}</worksheet>')
    table = manifest(path, ("1",), {2: ("",)})
    new = parts(write_results(table, results(table), tmp_path / "out").path)[SHEET].decode()
    assert '<col min="2" max="2" width="12.0" customWidth="1"/>' in new
    assert new.count('hidden="1"') == 1
    assert '<col min="16" max="16384" width="9" hidden="1"/>' in new


def test_macros_are_left_out_and_it_is_said(rich: Manifest, tmp_path: Path) -> None:
    """An .xlsm gives an .xlsx that Excel opens: no macro part, the type of a plain workbook."""
    old = parts(rich.path)
    macro = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    types = old["[Content_Types].xml"].replace(MAIN_TYPE.encode(), macro)
    vba = (
        b'<Relationship Id="rId77" Target="vbaProject.bin" '
        b'Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject"/>'
    )
    rels = old["xl/_rels/workbook.xml.rels"].replace(b"</Rel", vba + b"</Rel")
    repack(rich.path, {
        "[Content_Types].xml": types,
        "xl/_rels/workbook.xml.rels": rels,
        "xl/vbaProject.bin": b"macro",
    })  # fmt: skip
    path = rich.path.rename(tmp_path / "products.xlsm")
    table = manifest(path)
    written = write_results(table, results(table), tmp_path / "out")
    new = parts(written.path)
    assert written.path.name == "results.xlsx"
    assert "macros" in written.notes[0]
    assert "xl/vbaProject.bin" not in new
    assert b"vbaProject" not in new["xl/_rels/workbook.xml.rels"]
    assert macro not in new["[Content_Types].xml"]
    assert sheet_of(written.path)["E2"].value == "done"


def test_a_calculation_order_is_dropped_only_when_formulas_go(
    rich: Manifest, tmp_path: Path
) -> None:
    """The calcChain stays while results are added, and goes when a result formula may disappear."""
    old = parts(rich.path)
    chain = '<Override PartName="/xl/calcChain.xml" ContentType="application/xml"/></Types>'
    link = (
        '<Relationship Id="rId78" Target="calcChain.xml" Type="http://schemas.openxmlformats.org/'
        'officeDocument/2006/relationships/calcChain"/></Relationships>'
    )
    repack(rich.path, {
        "xl/calcChain.xml": f'<calcChain xmlns="{MAIN}"/>'.encode(),
        "[Content_Types].xml": old["[Content_Types].xml"].replace(b"</Types>", chain.encode()),
        "xl/_rels/workbook.xml.rels": old["xl/_rels/workbook.xml.rels"].replace(
            b"</Relationships>", link.encode()),
    })  # fmt: skip
    first = write_results(rich, results(rich), tmp_path / "1")
    assert "xl/calcChain.xml" in parts(first.path)
    rows = {row.number: (*row.cells, *[""] * 10) for row in rich.rows}
    again = manifest(first.path, (*HEADERS, *RESULT_COLUMNS), rows)
    second = parts(write_results(again, results(again), tmp_path / "2").path)
    assert "xl/calcChain.xml" not in second
    assert b"calcChain" not in second["[Content_Types].xml"]
    assert b"calcChain" not in second["xl/_rels/workbook.xml.rels"]


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_workbook_is_copied_wherever_its_parts_lie(layout: Layout, tmp_path: Path) -> None:
    """Names of parts have no case, slashes either way, and any place; the copy has slashes."""
    path = tmp_path / "p.xlsx"
    path.write_bytes(laid_out(layout))
    table = read(path)
    written = write_results(table, results(table), tmp_path / "out", summary=summary())
    assert written.notes == ()
    again = read(written.path, sheet="Shop")
    assert again.headers == ("key", "prompt", *RESULT_COLUMNS)
    assert again.rows[0].cells[:3] == ("A", "00007", "done")
    assert read(written.path, sheet="Summary").headers[0] == "Reelsheet run"
    names = parts(written.path)
    assert not [name for name in names if "\\" in name or name.startswith("/")]
    assert b"\\" not in names["[Content_Types].xml"]
