"""Cells that the library misreads or gives up over, and formulas without a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.errors import ManifestError
from pipeline.reader.reading import read

if TYPE_CHECKING:
    from pipeline.model import Manifest
    from tests.reader.conftest import MakeBook

STRINGS = ("prompt", "key", "A mug turns", "MUG-1", " ")
HEADER = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'


def found(manifest: Manifest) -> list[tuple[str | None, str]]:
    return [(one.cell, one.code) for one in manifest.cell_problems]


@pytest.mark.parametrize(
    "value",
    [
        "<v> 2 </v>",
        "<v>\n2\n</v>",
        "<v>&#50;</v>",
        "<v><![CDATA[2]]></v>",
        "<v><!-- two -->2</v>",
        '<v xml:space="preserve">\t2</v>',
        "<v>2</v>",
    ],
)
def test_the_number_of_a_text_may_be_written_in_odd_ways(make_book: MakeBook, value: str) -> None:
    """What can only be meant in one way is read so, and is never the first text of the file."""
    rows = f'<row r="2"><c r="A2" t="s">{value}</c><c r="B2" t="s"><v>3</v></c></row>'
    manifest = read(make_book(HEADER + rows, strings=STRINGS))
    assert [row.cells for row in manifest.rows] == [("A mug turns", "MUG-1")]
    assert not manifest.cell_problems


@pytest.mark.parametrize(
    "value", ["-1", "3.0", "+3", "x", "5", "99999999999999999999", "3</v><v>0", "1e0", "0x2"]
)
def test_any_other_number_of_a_text_is_an_unreadable_cell(make_book: MakeBook, value: str) -> None:
    """The cell is empty and a problem; its row and all others are read, the last one too."""
    rows = (
        '<row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2" t="s"><v>3</v></c></row>'
        f'<row r="4"><c r="A4" t="s"><v>{value}</v></c>'
        '<c r="B4" t="inlineStr"><is><t>MUG-2</t></is></c></row>'
        f'<row r="5"><c r="B5" t="s"><v>{value}</v></c></row>'
    )
    manifest = read(make_book(HEADER + rows, strings=STRINGS))
    assert [(row.number, row.cells) for row in manifest.rows] == [
        (2, ("A mug turns", "MUG-1")),
        (4, ("", "MUG-2")),
        (5, ("", "")),
    ]
    assert found(manifest) == [("A4", "cell_unreadable"), ("B5", "cell_unreadable")]
    assert "A4 cannot be read" in manifest.cell_problems[0].message


@pytest.mark.parametrize("header", [HEADER.replace(">1<", ">-1<"), HEADER.replace("><v>", "><v>9")])
def test_headers_that_cannot_be_read_are_refused(make_book: MakeBook, header: str) -> None:
    """No column is lost without a word, and no other row becomes the headers."""
    rows = '<row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2" t="s"><v>3</v></c></row>'
    with pytest.raises(ManifestError, match="among the headers of sheet 'Sheet 1', cannot be read"):
        read(make_book(header + rows, strings=STRINGS))


def test_cells_without_a_text_are_only_empty(make_book: MakeBook) -> None:
    """A style alone, an empty value, a blank text and a text of its own are no problem."""
    rows = (
        '<row r="2"><c r="A2" t="s"/><c r="B2" t="s"><v></v></c><c r="C2" t="s"><v/></c></row>'
        '<row r="3"><c r="A3" t="s"><is><t>own</t></is></c><c r="B3" t="s"><v> 4 </v></c></row>'
    )
    manifest = read(make_book(HEADER + rows, strings=STRINGS))
    assert [row.cells for row in manifest.rows] == [("own", "")]
    assert not manifest.cell_problems


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="A2" t="n"><v>abc</v></c>',
        '<c r="A2" t="b"><v>2</v></c>',
        '<c r="A2" t="odd"><v>2</v></c>',
        "<c t='n' r='A2'><v>1,5</v></c>",
    ],
)
def test_a_cell_over_which_the_library_gives_up_costs_its_row_alone(
    make_book: MakeBook, cell: str
) -> None:
    """Such a cell is a problem; the workbook is not damaged for it."""
    rows = (
        f'<row r="2">{cell}<c r="B2" t="s"><v>3</v></c></row>'
        '<row r="3"><c r="A3" t="s"><v>2</v></c><c r="B3" t="n"><v> 7 </v></c></row>'
    )
    manifest = read(make_book(HEADER + rows, strings=STRINGS))
    assert [row.cells for row in manifest.rows] == [("", "MUG-1"), ("A mug turns", "7")]
    assert found(manifest) == [("A2", "cell_unreadable")]


def formula(text: str, kind: str = ' t="str"', value: str = "<v></v>") -> str:
    return (
        f'{HEADER}<row r="2"><c r="A2"{kind}><f>{text}</f>{value}</c>'
        '<c r="B2" t="s"><v>3</v></c></row>'
    )


IMAGE = "IMAGE(&quot;https://x.example/a.jpg&quot;)"
GOOGLE = 'IFERROR(__xludf.DUMMYFUNCTION("IMAGE(""https://x.example/a.jpg"", 4)"),"")'


@pytest.mark.parametrize(
    ("sheet", "code", "address"),
    [
        (formula(IMAGE), "picture_formula", True),
        (formula("_xlfn." + IMAGE, "", ""), "picture_formula", True),
        (formula("_xlfn." + IMAGE, ' t="e"', "<v>#NAME?</v>"), "picture_formula", True),
        (formula(GOOGLE), "picture_formula", True),
        (formula("IMAGE(C2)"), "picture_formula", False),
        (formula('IMAGE("https://x.example/"&amp;C2)'), "picture_formula", False),
        (formula('_xlfn.DISPIMG("ID_F00",1)'), "picture_formula", False),
        (formula("1+1", ' t="e" vm="1"', "<v>#VALUE!</v>"), "picture_in_cell", False),
        (formula("A9", ' t="str"', "<v/>"), "formula_empty", False),
        (formula('IFERROR(VLOOKUP(B2,C:D,2,0),"")'), "formula_empty", False),
        (formula('IF(C2="","",C2)'), "formula_empty_meant", False),
        (formula("A9", "", ""), "formula_not_calculated", False),
    ],
)
def test_a_formula_without_a_result_is_told(
    make_book: MakeBook, sheet: str, code: str, address: bool
) -> None:
    """Its cell is empty for every reader; where it shows a picture, its address is offered."""
    manifest = read(make_book(sheet, strings=STRINGS))
    assert [row.cells for row in manifest.rows] == [("", "MUG-1")]
    assert found(manifest) == [("A2", code)]
    message = manifest.cell_problems[0].message
    assert (
        message.endswith("Write https://x.example/a.jpg into the cell instead of the formula.")
        == address
    )
    assert ("save it as a file" in message) == (code.startswith("picture") and not address)


def test_filled_down_formulas_without_a_result_make_no_rows(make_book: MakeBook) -> None:
    """Under the table they say nothing, as in every spreadsheet program."""
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="str"><f>IFERROR(X{n},"")</f><v></v></c></row>'
        for n in range(2, 9)
    )
    assert not read(make_book(HEADER + rows, strings=STRINGS)).rows
