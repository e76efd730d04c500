"""Rows of a sheet move with all that hangs on them, or not at all."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image as Drawn
from openpyxl.styles import PatternFill
from openpyxl.worksheet.worksheet import Worksheet
from PIL import Image

from pipeline.reader.workbook.package import NotAWorkbook
from pipeline.writer.movedrows import Moves, _move_shapes, move_rows
from pipeline.writer.parts import PackageCopy
from pipeline.writer.workbook_copy import find_sheet

SWAPPED = Moves({2: 4, 3: 2, 4: 3}, frozenset({5}))


def move(fill: Callable[[Worksheet], object], moves: Moves, *raw: tuple[str, str]) -> Worksheet:
    """Make a sheet, have its rows moved, and open it again; `raw` is replaced in its XML first."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["key"], ["MUG"], ["BAG"], ["TEA"], ["CUP"], ["SUM"]):
        sheet.append(row)
    fill(sheet)
    made, moved = io.BytesIO(), io.BytesIO()
    book.save(made)
    package = PackageCopy.of(made)
    main = package.find_workbook()
    target = find_sheet(package, main, package.relationships(main), None)
    xml = package.read(target.target).decode()
    for old, new in raw:
        assert old in xml
        xml = xml.replace(old, new)
    package.change(target.target, xml.encode())
    move_rows(package, target, moves)
    package.copy(moved, target.target, shutil.copyfileobj)
    opened = load_workbook(moved).active
    assert isinstance(opened, Worksheet)
    return opened


def keys(sheet: Worksheet) -> list[object]:
    return [cell.value for cell in sheet["A"]]


def test_rows_come_to_their_numbers() -> None:
    """Those that go are gone, those that are not named stay."""

    def look(sheet: Worksheet) -> None:
        sheet["A2"].fill = PatternFill("solid", fgColor="FFFF00")
        sheet.row_dimensions[2].height = 40
        sheet.row_dimensions[3].hidden = True
        sheet.auto_filter.ref = "A1:A6"

    sheet = move(look, SWAPPED)
    assert keys(sheet) == ["key", "BAG", "TEA", "MUG", None, "SUM"]
    assert sheet["A4"].fill.fgColor.rgb == "00FFFF00"
    assert sheet.row_dimensions[4].height == 40
    assert [row for row in range(1, 7) if sheet.row_dimensions[row].hidden] == [2]
    assert sheet.auto_filter.ref == "A1:A6"


def test_a_row_that_stays_gives_way() -> None:
    """Where one is moved to its place."""
    assert keys(move(lambda _: None, Moves({2: 6}))) == ["key", None, "BAG", "TEA", "CUP", "MUG"]


def test_formulas_follow_the_cells_of_rows() -> None:
    """One cell, and several of one row; what spans rows stays, and so do texts and other sheets."""

    def calculate(sheet: Worksheet) -> None:
        sheet["B2"] = '=LEN(A2)&"A2"&SUM($A$2:B2)+Other!A2+A3'
        sheet["B3"] = "=SUM(A2:A6)+PI()"
        sheet["B4"] = "=A5&A5:B5"

    sheet = move(calculate, SWAPPED)
    assert [sheet[f"B{row}"].value for row in (4, 2, 3)] == [
        '=LEN(A4)&"A2"&SUM($A$4:B4)+Other!A2+A2',
        "=SUM(A2:A6)+PI()",
        "=#REF!&#REF!",
    ]


def test_shared_formulas_become_the_own_ones_of_their_rows() -> None:
    """Where the cell is gone to that says them for all of them."""

    def calculate(sheet: Worksheet) -> None:
        for row in (2, 3, 4):
            sheet[f"B{row}"] = f"={row}"

    first = ("<f>2</f>", '<f t="shared" ref="B2:B3" si="0">A2&amp;"&lt;"</f>')
    other = ("<f>3</f>", '<f t="shared" si="0"/>')
    sheet = move(calculate, SWAPPED, first, other)
    assert sheet["B4"].value == '=A4&"<"'
    assert sheet["B2"].value == '=A2&"<"'


def test_what_hangs_on_cells_goes_with_them() -> None:
    """Comments with their boxes, links, merged cells and pictures; charts and the like stay."""
    reds = [io.BytesIO(), io.BytesIO()]
    for red in reds:
        Image.new("RGB", (8, 8), "red").save(red, "PNG")

    def hang(sheet: Worksheet) -> None:
        sheet["A2"].comment = Comment("about the mug", "Eve")
        sheet["A5"].comment = Comment("about the cup", "Eve")
        sheet["A3"].hyperlink = "https://example.com/bag"
        sheet["A5"].hyperlink = "https://example.com/cup"
        sheet.merge_cells("C4:D4")
        sheet.merge_cells("C5:D5")
        sheet.add_image(Drawn(reds[0]), "E2")
        sheet.add_image(Drawn(reds[1]), "E5")

    sheet = move(hang, SWAPPED)
    said = {cell.coordinate: cell.comment.text for row in sheet for cell in row if cell.comment}
    assert said == {"A4": "about the mug"}
    linked = [cell.coordinate for row in sheet for cell in row if cell.hyperlink]
    assert linked == ["A2"]
    assert [str(one) for one in sheet.merged_cells.ranges] == ["C3:D3"]
    assert [one.anchor._from.row for one in vars(sheet)["_images"]] == [3]


def test_boxes_of_comments_move() -> None:
    """As Excel notes them, with rows from 0."""
    box = (
        b'<xml><v:shape id="_x0000_s1"><x:ClientData><x:Anchor>1, 15, 1, 10, 3, 15, 4, 4</x:Anchor>'
        b"<x:Row>1</x:Row><x:Column>0</x:Column></x:ClientData></v:shape>"
        b'<v:shape id="_x0000_s2"><x:ClientData><x:Row>4</x:Row></x:ClientData></v:shape></xml>'
    )
    moved = _move_shapes(box, SWAPPED)
    assert b"<x:Row>3</x:Row>" in moved
    assert b"<x:Anchor>1, 15, 3, 10, 3, 15, 6, 4</x:Anchor>" in moved
    assert b"_s2" not in moved


def test_no_list_is_left_empty() -> None:
    """Excel takes an empty list of merged cells for damage."""
    sheet = move(lambda sheet: sheet.merge_cells("C5:D5"), SWAPPED)
    assert not sheet.merged_cells.ranges


@pytest.mark.parametrize(
    "raw",
    [
        ('<row r="3">', "<row>"),
        ('<c r="A3"', "<c"),
        ('<c r="A3"', '<c r="A9"'),
        ("<sheetData>", "<sheetData><!-- rows -->"),
        ("<f>3</f>", '<f t="array" ref="B3:B4">A3:A4</f>'),
        ("<f>3</f>", '<f t="shared" si="7"/>'),
        ("<f>3</f>", "<f>&quot;A1</f>"),
    ],
)
def test_what_is_not_understood_is_not_moved(raw: tuple[str, str]) -> None:
    """Nothing is guessed."""

    def calculate(sheet: Worksheet) -> None:
        sheet["B3"] = "=3"

    with pytest.raises(NotAWorkbook):
        move(calculate, SWAPPED, raw)


def test_cells_of_several_rows_stay_only_where_these_stay() -> None:
    """Merged ones, for instance."""
    assert move(lambda sheet: sheet.merge_cells("B2:B3"), Moves({6: 7})).merged_cells.ranges
    with pytest.raises(NotAWorkbook, match="several rows"):
        move(lambda sheet: sheet.merge_cells("B2:B3"), SWAPPED)


def test_a_formula_of_one_cell_that_is_an_array_moves() -> None:
    """As newer Excels write those that may give several values."""

    def calculate(sheet: Worksheet) -> None:
        sheet["B3"] = "=3"

    sheet = move(calculate, SWAPPED, ("<f>3</f>", '<f t="array" ref="B3">A3</f>'))
    assert sheet["B2"].value.text == "=A2"
    assert sheet["B2"].value.ref == "B2"
