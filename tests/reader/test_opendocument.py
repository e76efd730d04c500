"""OpenDocument spreadsheets: what repeats, what is hidden in groups, and what cells say."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ManifestError
from pipeline.model import Manifest
from pipeline.reader.workbook.opening import manifest_from, read_grid
from tests.corpus.opendocuments import document
from tests.corpus.workbooks import zipped

TEXT = 'office:value-type="string"'


def cell(shown: str, attributes: str = TEXT) -> str:
    return f"<table:table-cell {attributes}>{shown}</table:table-cell>"


def text(words: str, attributes: str = "") -> str:
    return cell(f"<text:p>{words}</text:p>", f"{TEXT} {attributes}")


def number(value: str, attributes: str = "") -> str:
    return cell(
        "<text:p>?</text:p>", f'office:value-type="float" office:value="{value}" {attributes}'
    )


def row(*cells: str, attributes: str = "") -> str:
    return f"<table:table-row {attributes}>{''.join(cells)}</table:table-row>"


def table(*rows: str, name: str = "Sheet1", columns: str = "") -> str:
    return f'<table:table table:name="{name}">{columns}{"".join(rows)}</table:table>'


HEADER = row(text("sku"), text("prompt"))


def parse(*rows: str, styles: str = "", columns: str = "", hidden: str | None = None) -> Manifest:
    return opened(document(styles, table(HEADER, *rows, columns=columns)), hidden)


def opened(data: bytes, hidden: str | None = None) -> Manifest:
    return manifest_from(read_grid(Path("a.ods"), data, None), hidden_rows=hidden)


def cells(*rows: str, styles: str = "", columns: str = "") -> list[tuple[int, tuple[str, ...]]]:
    return [(one.number, one.cells) for one in parse(*rows, styles=styles, columns=columns).rows]


def test_rows_and_cells_repeat() -> None:
    """A count stands for equal ones; blank ones by the million cost nothing."""
    blank = row(cell("", 'table:number-columns-repeated="16384"'),
                attributes='table:number-rows-repeated="1000000"')  # fmt: skip
    both = row(text("x", 'table:number-columns-repeated="2"'),
               attributes='table:number-rows-repeated="2"')  # fmt: skip
    assert cells(blank, both, row(text("y"), text("z"))) == [
        (1_000_002, ("x", "x")),
        (1_000_003, ("x", "x")),
        (1_000_004, ("y", "z")),
    ]


@pytest.mark.parametrize("times", ["1048576", "99999999999999999999"])
def test_a_bomb_of_repeats_is_refused(times: str) -> None:
    """A few hundred bytes do not become millions of cells."""
    with pytest.raises(ManifestError, match="cells into"):
        parse(row(text("x"), attributes=f'table:number-rows-repeated="{times}"'))


@pytest.mark.parametrize(
    "shown",
    [
        "<text:p>" + "x" * 3_000_000 + "</text:p>",
        "<text:p>" + '<text:s text:c="1000000"/>' * 3 + "</text:p>",
    ],
)
def test_a_text_without_end_is_refused(shown: str) -> None:
    """A cell of millions of characters is damage."""
    with pytest.raises(ManifestError, match="without end"):
        parse(row(text("A"), cell(shown)))


def test_rows_in_a_closed_group_are_hidden() -> None:
    """So are those of a group within one."""
    group = '<table:table-row-group table:display="false"><table:table-row-group>'
    rows = (group + row(text("A"), text("x")), "</table:table-row-group></table:table-row-group>",
            row(text("B"), text("y")))  # fmt: skip
    with pytest.raises(ManifestError, match=r"1 row is hidden .* \(row 2\)"):
        parse(*rows)
    assert [one.number for one in parse(*rows, hidden="skip").rows] == [3]


def test_what_a_cell_says() -> None:
    """Paragraphs, blanks, tabs and breaks are text; notes and drawings are not."""
    note = "<office:annotation><text:p>a note</text:p></office:annotation>"
    drawing = "<draw:frame xmlns:draw='urn:x'><text:p>a label</text:p></draw:frame>"
    said = cell(f"{note}<text:p>two  \n blanks<text:s text:c='3'/>end<text:tab/>x{drawing}</text:p>"
                "<text:p>a <text:a>link</text:a><text:line-break/>&amp; <text:span>word</text:span>"
                "</text:p>")  # fmt: skip
    assert cells(row(text("A"), said)) == [(2, ("A", "two blanks   end\tx\na link\n& word"))]


def test_values_of_every_kind() -> None:
    """Dates, times, truth values and texts without paragraphs."""
    kinds = {
        'office:value-type="date" office:date-value="2026-11-05"': "2026-11-05",
        'office:value-type="date" office:date-value="2026-11-05T07:30:00"': "2026-11-05T07:30:00",
        'office:value-type="time" office:time-value="PT16H09M00S"': "16:09:00",
        'office:value-type="time" office:time-value="PT09H16M00.000000001S"': "09:16:00",
        'office:value-type="time" office:time-value="-PT1H00M00S"': "-01:00:00",
        'office:value-type="time" office:time-value="P1DT2H00M00S"': "26:00:00",
        'office:value-type="boolean" office:boolean-value="true"': "TRUE",
        'office:value-type="string" office:string-value="said"': "said",
        'office:value-type="currency" office:value="4.50"': "4.5",
        'office:value-type="float" office:value="4"': "4",
    }
    assert cells(*(row(text("A"), cell("", kind)) for kind in kinds)) == [
        (at, ("A", expected)) for at, expected in enumerate(kinds.values(), 2)
    ]
    odd = cell("<text:p>then</text:p>", 'office:value-type="date" office:date-value="-0044-03-15"')
    assert cells(row(text("A"), odd)) == [(2, ("A", "then"))]
    shown = cell("<text:p>TRUE</text:p>", 'office:value-type="float" office:value="1"')
    assert cells(row(text("A"), shown)) == [(2, ("A", "TRUE"))]


STYLES = (
    '<number:number-style style:name="N1"><number:number number:min-integer-digits="5"/>'
    '</number:number-style><number:currency-style style:name="N2P0"><number:number '
    'number:decimal-places="2" number:min-decimal-places="2" number:min-integer-digits="1"/>'
    "<number:text> </number:text><number:currency-symbol>€</number:currency-symbol>"
    '</number:currency-style><number:currency-style style:name="N2"><number:text>-</number:text>'
    '<number:number/><style:map style:condition="value()&gt;=0" style:apply-style-name="N2P0"/>'
    '</number:currency-style><number:number-style style:name="N3"><number:number '
    'number:display-factor="1000"/><number:text>k</number:text></number:number-style>'
    '<number:text-style style:name="N4"><number:text-content/><style:map style:apply-style-name='
    '"N2P0" style:condition="value()&gt;0"/></number:text-style>'
    '<style:style style:name="account" style:family="table-cell" style:data-style-name="N4"/>'
    '<style:style style:name="padded" style:family="table-cell" style:data-style-name="N1"/>'
    '<style:style style:name="child" style:family="table-cell" style:parent-style-name="padded"/>'
    '<style:style style:name="price" style:family="table-cell" style:data-style-name="N2"/>'
    '<style:style style:name="scaled" style:family="table-cell" style:data-style-name="N3"/>'
    '<style:style style:name="loop" style:family="table-cell" style:parent-style-name="loop"/>'
)


@pytest.mark.parametrize(
    ("style", "shown"),
    [("padded", "00042"), ("child", "00042"), ("price", "42.00 €"),
     ("account", "42.00 €"), ("scaled", "42"), ("loop", "42"), ("unknown", "42")],
)  # fmt: skip
def test_numbers_show_what_their_style_adds(style: str, shown: str) -> None:
    """By the style of the cell, of its row, or of its column."""
    default = f'table:default-cell-style-name="{style}"'
    column = f"<table:table-column/><table:table-column {default}/>"
    by_cell = row(text("A"), number("42", f'table:style-name="{style}"'))
    assert cells(by_cell, styles=STYLES) == [(2, ("A", shown))]
    by_row = row(text("A"), number("42"), attributes=default)
    assert cells(by_row, styles=STYLES) == [(2, ("A", shown))]
    by_column = row(text("A"), number("42"))
    assert cells(by_column, styles=STYLES, columns=column) == [(2, ("A", shown))]


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        (cell("", 'table:formula="of:=A1"'), "formula_not_calculated"),
        (cell("<text:p>#N/A</text:p>", 'table:formula="of:=NA()" office:value-type="float" '
              'office:value="0"'), "error_value"),
        (cell("<text:p>Err:502</text:p>", f'table:formula="of:=X()" {TEXT}'), "error_value"),
        (cell("<text:p>#REF!</text:p>", 'office:value-type="error"'), "error_value"),
        (cell("", f'table:formula="of:=X()" {TEXT} office:string-value="#N/A"'), "error_value"),
        (cell("<text:p/>", 'table:formula="of:=IF(1;&quot;&quot;)"'), None),
        (cell("<text:p/>", f'table:formula="of:=X()" {TEXT}'), "formula_empty"),
        (cell("<text:p/>", f'table:formula="of:=IF(A1=0;&quot;&quot;;1)" {TEXT}'),
         "formula_empty_meant"),
        (cell("", f'table:formula="of:=IMAGE(&quot;https://x.example/a.jpg&quot;)" {TEXT}'),
         "picture_formula"),
        (text("#N/A"), None),
    ],
)  # fmt: skip
def test_formulas_without_a_value(formula: str, code: str | None) -> None:
    """LibreOffice of every age, and programs that calculate nothing; typed words are words."""
    problems = parse(row(text("A"), formula)).cell_problems
    assert [(problem.cell, problem.code) for problem in problems] == [("B2", code)] * bool(code)


def test_tables_of_other_files_are_no_sheets() -> None:
    """What formulas point to is kept in tables that nobody sees."""
    linked = table(row(text("x")), name="'file:///prices.ods'#$Sheet1")
    manifest = opened(document("", linked + table(HEADER, row(text("A"), text("x")))))
    assert (manifest.sheet, manifest.headers) == ("Sheet1", ("sku", "prompt"))


def test_a_document_type_is_an_attack() -> None:
    """Entities are not expanded."""
    with pytest.raises(ManifestError, match="document type"):
        opened(zipped({"content.xml": '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'}))
