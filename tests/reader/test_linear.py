"""What repeats in a workbook costs as often as it is there, not the square of that.

Every file here would take minutes, or hours, if any search began over again at each repetition. The
files are read in this process, so nothing but the reading itself ends one.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import ManifestError
from pipeline.model import Manifest
from pipeline.reader.reading import read
from tests.corpus.opendocuments import document
from tests.corpus.workbooks import row, xlsx, zipped

if TYPE_CHECKING:
    from pathlib import Path

TABLE = row(1, "sku", "prompt") + row(2, "A", "A red shoe")
MANY = 3_000_000
"""Bytes of what repeats: what unpacks to four megabytes may be in any file."""
FILES: dict[str, str] = {
    "rows begin": "<sheetData " * (MANY // 11),
    "comment of merges": f"<sheetData>{TABLE}</sheetData><!--" + "mergeCell " * 300_000 + "-->",
    "comments of merges": f"<sheetData>{TABLE}</sheetData>" + "<!--mergeCell r='A1'-->" * 100_000,
    "comment before the rows": "<!--" + "x" * MANY + f"--><sheetData>{TABLE}</sheetData>",
    "merges begin": f"<sheetData>{TABLE}</sheetData>" + "<mergeCell " * (MANY // 11),
    "merges in a tag": f"<sheetData>{TABLE}</sheetData><x " + "mergeCell ref=" * 200_000 + "/>",
    "letters of a merge": f'<sheetData>{TABLE}</sheetData><mergeCell ref="{"A" * MANY}1:B2"/>',
    "merges over everything": f"<sheetData>{TABLE}</sheetData>"
    + '<mergeCell ref="A1:B1048576"/>' * 100_000,
    "formulas of a cell": f'<sheetData>{TABLE}<row r="3"><c r="A3">'
    + "<f/>" * (MANY // 4) + "</c></row></sheetData>",
    "formulas without a cell": f'<sheetData>{TABLE}<row r="3">' + "<f/>" * (MANY // 4)
    + "</row></sheetData>",
    "cells begin": f'<sheetData>{TABLE}<row r="3">' + '<c r="A3" t="e" ' * (MANY // 16)
    + "></row></sheetData>",
    "values begin": f'<sheetData>{TABLE}<row r="3"><c r="A3" t="e">' + "<v" * (MANY // 2)
    + "</v></c></row></sheetData>",
    "hidden": f'<sheetData>{TABLE}<row r="3" ' + 'hidden="1" ' * (MANY // 11)
    + "/></sheetData>",
    "letters of a cell": f'<sheetData>{TABLE}<row r="3"><c r="{"A" * MANY}3"><v>1</v></c></row>'
    "</sheetData>",
    "digits of a row": f'<sheetData>{TABLE}<row r="{"1" * 4000}"><c><v>1</v></c></row></sheetData>',
}  # fmt: skip


def outcome(path: Path) -> Manifest | ManifestError:
    """The table, or why there is none: both are an end."""
    try:
        return read(path)
    except ManifestError as error:
        return error


@pytest.mark.parametrize("name", FILES)
def test_markup_that_repeats_is_passed_once(name: str, tmp_path: Path) -> None:
    """Whatever repeats in a sheet, and wherever: it is read, or refused in one sentence."""
    path = tmp_path / "book.xlsx"
    parts = parts_of(xlsx(TABLE))
    sheet = parts["xl/worksheets/sheet1.xml"]
    head = sheet[: sheet.index("<sheetData")]
    parts["xl/worksheets/sheet1.xml"] = head + FILES[name] + "</worksheet>"
    path.write_bytes(zipped(parts))
    found = outcome(path)
    if isinstance(found, ManifestError):
        assert "book.xlsx" in found.message
        assert len(found.message) < 1000
    else:
        assert found.rows[0].cells[:2] == ("A", "A red shoe")


def parts_of(book: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(book)) as package:
        return {name: package.read(name).decode() for name in package.namelist()}


def test_padded_styles_are_looked_for_all_at_once(tmp_path: Path) -> None:
    """Ten thousand formats that show zeros, each of them in use: every cell has its own."""
    formats = [f'{"0" * (2 + at % 9)}"-{at}"' for at in range(10_000)]
    cells = "".join(
        f'<row r="{at + 2}"><c r="A{at + 2}" s="{at % 10_000 + 1}"><v>7</v></c></row>'
        for at in range(40_000)
    )
    path = tmp_path / "book.xlsx"
    path.write_bytes(xlsx(row(1, "sku") + cells, formats=formats))
    rows = read(path).rows
    assert len(rows) == 40_000
    assert [rows[0].cells, rows[9_999].cells] == [("07-0",), ("07-9999",)]
    assert rows[30_001].cells == ("007-1",)


def test_more_cell_formats_than_any_program_takes_are_refused(tmp_path: Path) -> None:
    """Each format is understood once, and there are not too many to understand."""
    parts = parts_of(xlsx(TABLE))
    many = "<cellXfs>" + '<xf numFmtId="0"/>' * 100_001 + "</cellXfs>"
    parts["xl/styles.xml"] = f"<styleSheet>{many}</styleSheet>"
    path = tmp_path / "book.xlsx"
    path.write_bytes(zipped(parts))
    with pytest.raises(ManifestError, match="100,000 cell formats"):
        read(path)


def test_a_part_of_too_many_elements_is_refused(tmp_path: Path) -> None:
    """What becomes a list of elements has a limit: results are written with it later on."""
    parts = parts_of(xlsx(TABLE))
    parts["xl/styles.xml"] = "<styleSheet>" + "<x/>" * 500_001 + "</styleSheet>"
    path = tmp_path / "book.xlsx"
    path.write_bytes(zipped(parts))
    with pytest.raises(ManifestError, match="500,000 elements"):
        read(path)


def with_strings(one: str, cells: int, part: str = "sharedStrings.xml") -> bytes:
    """A workbook in which so many cells name one shared string."""
    named = "".join(
        f'<row r="{at}"><c r="A{at}" t="s"><v>0</v></c></row>' for at in range(3, 3 + cells)
    )
    parts = parts_of(xlsx(TABLE + named))
    rels = parts["xl/_rels/workbook.xml.rels"]
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    new = f'<Relationship Id="strings" Type="{kind}" Target="{part}"/></Relationships>'
    parts["xl/_rels/workbook.xml.rels"] = rels.replace("</Relationships>", new)
    parts[f"xl/{part}"] = f"<sst><si><t>{one}</t></si><si><t>other</t></si></sst>"
    return zipped(parts)


def test_shared_strings_count_as_often_as_cells_name_them(tmp_path: Path) -> None:
    """A string of three megabytes is no harm, and three gigabytes of it are."""
    path = tmp_path / "book.xlsx"
    path.write_bytes(with_strings("x" * MANY, 2))
    assert [len(one.cells[0]) for one in read(path).rows] == [1, MANY, MANY]
    path.write_bytes(with_strings("x" * MANY, 1000))
    with pytest.raises(ManifestError, match="more than 100,000,000 characters"):
        read(path)


def test_what_is_opened_counts_whatever_it_is_called(tmp_path: Path) -> None:
    """Strings in a part with the name of data pass as others do, and unpack within the limits."""
    path = tmp_path / "book.xlsx"
    path.write_bytes(with_strings("shared", 2, "strings.dat"))
    assert read(path).rows[1].cells[0] == "shared"
    path.write_bytes(with_strings("x" * 60_000_000, 1, "strings.dat"))
    with pytest.raises(ManifestError, match="would unpack"):
        read(path)


SAID = 'office:value-type="string"'


def table_of(*rows: str, before: str = "", after: str = "") -> bytes:
    named = "".join(
        f"<table:table-row>{one}</table:table-row>" for one in (said("sku", "prompt"), *rows)
    )
    return document("", f'<table:table table:name="S">{before}{named}{after}</table:table>')


def said(*texts: str) -> str:
    return "".join(
        f"<table:table-cell {SAID}><text:p>{text}</text:p></table:table-cell>" for text in texts
    )


NUMBER = '<table:table-cell office:value-type="float" office:value="7"/>'
SPANNED = (
    f'<table:table-cell table:number-rows-spanned="1048576" {SAID}><text:p>B</text:p>'
    "</table:table-cell>"
)
DOCUMENTS: dict[str, bytes] = {
    "blanks of a text": table_of(said("A", "x" + "<text:s/>" * 300_000)),
    "blanks counted": table_of(said("A", '<text:s text:c="1048576"/>' * 100)),
    "paragraphs of blanks": table_of(
        said("A", '</text:p><text:p><text:s text:c="1000000"/>' * 20_000)
    ),
    "columns": table_of(NUMBER * 50_000, before="<table:table-column/>" * 60_000),
    "groups": table_of(
        *[said("A", "B")] * 15_000,
        before='<table:table-row-group table:display="true">' * 15_000,
        after="</table:table-row-group>" * 15_000,
    ),
    "tables begin": document("", '<table:table a="' * (MANY // 16)),
    "words of a format": document(
        '<number:number-style style:name="n">'
        + "<number:text>a</number:text>" * 100_000
        + "</number:number-style>",
        '<table:table table:name="S"/>',
    ),
    "merges over everything": table_of(*[SPANNED] * 20_000),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_elements_that_repeat_are_passed_once(name: str, tmp_path: Path) -> None:
    """The same of OpenDocument: blanks, columns, groups, tables, formats, ranges."""
    path = tmp_path / "book.ods"
    path.write_bytes(DOCUMENTS[name])
    outcome(path)


def test_the_characters_of_a_document_are_counted_before_they_are_made(tmp_path: Path) -> None:
    """Blanks that a document only counts are refused at the first that no cell holds."""
    path = tmp_path / "book.ods"
    one = said(*['<text:s text:c="1000000"/>.'] * 200)
    path.write_bytes(table_of(one))
    with pytest.raises(ManifestError, match="more than 100,000,000 characters"):
        read(path)
