"""The workbook of problems is the user's own, with coloured cells, and notes beside theirs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.model import Manifest, Problem, Severity
from pipeline.reader.reading import read
from pipeline.writer.marked import write_marked
from tests.corpus.layouts import LAYOUTS, laid_out
from tests.writer.tables import manifest, opened, parts, rich_workbook

SHEET = "xl/worksheets/sheet1.xml"
RED, YELLOW = "FFFFC7CE", "FFFFF2B3"


def problem(
    cell: str | None, row: int | None, message: str, *, column: str = "", warning: bool = False
) -> Problem:
    """A problem of a cell, of a row or of the whole file."""
    severity = Severity.WARNING if warning else Severity.ERROR
    return Problem("odd", message, severity, row=row, cell=cell, column=column or None)


def marked(table: Manifest, problems: list[Problem], path: Path) -> bool:
    """Write the workbook of problems; tell whether it is a copy."""
    with path.open("w+b") as file:
        return write_marked(table, problems, file).copied


@pytest.fixture
def rich(tmp_path: Path) -> Manifest:
    path = tmp_path / "products.xlsx"
    rich_workbook(path)
    return manifest(path)


PROBLEMS = [
    problem(None, None, "The whole file is odd."),
    problem("A2", 2, "The key is odd."),
    problem("C3", 3, "Write a day.", warning=True),
    problem("D3", 3, "It is <no> number & more."),
    problem("D3", 3, "=1+1", warning=True),
    problem("F5", 5, "Empty, and not even in the file."),
]


def test_cells_are_coloured_and_say_what_is_wrong(rich: Manifest, tmp_path: Path) -> None:
    """An error is red, a warning yellow; each sentence of a cell stands in its note once."""
    assert marked(rich, [*PROBLEMS, PROBLEMS[3]], tmp_path / "problems.xlsx")
    sheet = opened(tmp_path / "problems.xlsx")["Products"]
    fills = {cell: sheet[cell].fill.fgColor.rgb for cell in ("A1", "A2", "C3", "D3", "F5", "B3")}
    assert fills == {
        "A1": RED, "A2": RED, "C3": YELLOW, "D3": RED, "F5": RED, "B3": "00000000"
    }  # fmt: skip
    notes = {cell: sheet[cell].comment for cell in fills}
    texts = {cell: note.text for cell, note in notes.items() if note is not None}
    assert texts == {
        "A1": "The whole file is odd.",
        "A2": "check this one\nThe key is odd.",
        "C3": "Write a day.",
        "D3": "It is <no> number & more.\n=1+1",
        "F5": "Empty, and not even in the file.",
    }
    assert [notes[cell].author for cell in ("A2", "C3")] == ["Ana", "Reelsheet"]


def test_nothing_of_the_users_is_lost(rich: Manifest, tmp_path: Path) -> None:
    """Values, formulas, number formats, pictures, lists and other sheets are what they were."""
    before = rich.path.read_bytes()
    marked(rich, PROBLEMS, tmp_path / "problems.xlsx")
    old, new = parts(rich.path), parts(tmp_path / "problems.xlsx")
    changed = {name for name in old if old[name] != new.get(name)}
    comments = next(name for name in old if "comments" in name)
    drawing = next(name for name in old if name.endswith(".vml") or "legacyDrawing" in name)
    assert changed == {SHEET, "xl/styles.xml", comments, drawing}
    assert new.keys() == old.keys()
    assert rich.path.read_bytes() == before
    bare = re.compile(rb'<c r="F5"[^>]*/>|\ss="\d+"|<pane.*?/>|<selection[^>]*/>')
    kept = [bare.sub(b"", part[SHEET].split(b"<sheetData>")[1]) for part in (old, new)]
    assert kept[0] == kept[1]
    sheet = opened(tmp_path / "problems.xlsx")["Products"]
    assert sheet["C3"].number_format == "yyyy-mm-dd"
    assert (sheet["A1"].font.b, sheet["B1"].fill.fgColor.rgb) == (True, "00336699")


def test_notes_have_a_shape_each_with_an_id_of_its_own(rich: Manifest, tmp_path: Path) -> None:
    """Excel shows no note without one; a cell that had a note keeps its shape."""
    marked(rich, PROBLEMS, tmp_path / "problems.xlsx")
    new = parts(tmp_path / "problems.xlsx")
    drawing = next(new[name] for name in new if name.endswith(".vml"))
    ids = re.findall(rb'<[\w:]*shape\s[^>]*?id="(\w+)"', drawing)
    assert len(ids) == len(set(ids)) == 5
    again = manifest(tmp_path / "problems.xlsx")
    marked(again, [problem("B5", 5, "Odd again.")], tmp_path / "again.xlsx")
    assert opened(tmp_path / "again.xlsx")["Products"]["B5"].comment is not None


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_of_a_workbook_is_marked(name: str, tmp_path: Path) -> None:
    """Whatever prefixes, encodings and folders a program gives its parts."""
    path = tmp_path / "m.xlsx"
    path.write_bytes(laid_out(LAYOUTS[name]))
    table = read(path)
    first = table.rows[0].number
    assert marked(
        table, [problem(None, first, "Odd.", column=table.headers[1])], tmp_path / "p.xlsx"
    )
    again = read(tmp_path / "p.xlsx")
    assert (again.headers, again.rows) == (table.headers, table.rows)


def test_a_text_file_becomes_a_workbook_of_the_same_cells(tmp_path: Path) -> None:
    """Under their own numbers of rows; what begins like a formula is text, and stays so."""
    path = tmp_path / "m.csv"
    path.write_text("sku,prompt\nA,=1+1\n\nB,#N/A\nC,007\n", encoding="utf-8")
    table = read(path)
    found = [problem(None, 4, "Odd.", column="prompt"), problem(None, 5, "No column.")]
    assert not marked(table, found, tmp_path / "p.xlsx")
    sheet = opened(tmp_path / "p.xlsx").active
    assert sheet is not None
    values = [sheet[cell].value for cell in ("A1", "B2", "B4", "B5")]
    assert values == ["sku", "=1+1", "#N/A", "007"]
    assert {sheet[cell].data_type for cell in ("B2", "B4", "B5")} <= {"s", "inlineStr"}
    assert sheet["B4"].comment is not None
    assert sheet["A5"].comment is not None
    assert sheet["A5"].comment.text == "No column."


def test_a_workbook_that_cannot_be_copied_is_made_anew(tmp_path: Path) -> None:
    """An .xls is no package; its cells are there all the same."""
    path = tmp_path / "m.xls"
    path.write_bytes(b"no workbook at all")
    table = manifest(path, ("sku", "prompt"), {2: ("A", "")})
    assert not marked(table, [problem("B2", 2, "The prompt is empty.")], tmp_path / "p.xlsx")
    sheet = opened(tmp_path / "p.xlsx")["Products"]
    assert sheet["A2"].value == "A"
    assert sheet["B2"].fill.fgColor.rgb == RED
