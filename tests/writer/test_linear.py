"""Results are written into a workbook in one pass, whatever repeats in it.

The reader takes such files, since nothing in their cells is wrong; each would take minutes here if
a search began over again at each repetition.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from pipeline.reader.reading import read
from pipeline.writer.results import write_results
from tests.corpus.workbooks import row, xlsx, zipped
from tests.writer.tables import results, summary

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.writer.results import Written

SHEET = "xl/worksheets/sheet1.xml"
RELS, TYPES = "xl/_rels/workbook.xml.rels", "[Content_Types].xml"
KIND = "http://schemas.microsoft.com/office/2006/relationships"


def parts_of(book: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(book)) as package:
        return {name: package.read(name).decode() for name in package.namelist()}


def written(tmp_path: Path, parts: dict[str, str]) -> Written:
    path = tmp_path / "book.xlsx"
    path.write_bytes(zipped(parts))
    table = read(path)
    return write_results(table, results(table), tmp_path / "out", summary=summary())


def table(attributes: str = "") -> dict[str, str]:
    first = row(1, "sku", "prompt")
    return parts_of(xlsx(first + row(2, "A", "A red shoe", attributes=attributes)))


def test_blanks_in_the_tag_of_a_row(tmp_path: Path) -> None:
    """Two megabytes of them stand where `spans` is sought."""
    found = written(tmp_path, table(" " * 2_000_000 + 'ht="20"'))
    assert found.notes == ()
    assert read(found.path).rows[0].cells[2] == "done"


def test_a_tag_that_does_not_end_in_its_chunk(tmp_path: Path) -> None:
    """The parser begins anew with a long attribute in each chunk, so chunks grow with it."""
    found = written(tmp_path, table(f' x="{"y" * 3_500_000}"'))
    assert found.notes == ()


def test_parts_of_macros(tmp_path: Path) -> None:
    """Twenty thousand relationships to macros are left out in one pass over the list."""
    parts = table()
    many = "".join(
        f'<Relationship Id="m{at}" Type="{KIND}/vbaProject" Target="vba{at}.bin"/>'
        for at in range(20_000)
    )
    parts[RELS] = parts[RELS].replace("</Relationships>", f"{many}</Relationships>")
    found = written(tmp_path, parts)
    assert found.notes == ()
    with zipfile.ZipFile(found.path) as package:
        assert b"vbaProject" not in package.read(RELS)


def test_a_list_of_sheets_that_has_no_room(tmp_path: Path) -> None:
    """Where the summary finds no name among a thousand, the results are a plain workbook."""
    parts = table()
    names = ("Summary", *(f"Summary {at}" for at in range(2, 1001)))
    more = "".join(f'<sheet name="{name}" sheetId="9" r:id="rId1"/>' for name in names)
    listed = parts["xl/workbook.xml"]
    parts["xl/workbook.xml"] = listed.replace("</sheets>", f"{more}</sheets>")
    found = written(tmp_path, parts)
    assert "could not be copied" in found.notes[0]
    assert read(found.path).rows[0].cells[:2] == ("A", "A red shoe")


def test_an_earlier_summary_among_many_strings(tmp_path: Path) -> None:
    """Its mark may be the last of half a million strings: the copy is made all the same."""
    parts = table()
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    more = f'<Relationship Id="s" Type="{office}/worksheet" Target="worksheets/sheet2.xml"/>'
    more += f'<Relationship Id="t" Type="{office}/sharedStrings" Target="sharedStrings.xml"/>'
    parts[RELS] = parts[RELS].replace("</Relationships>", f"{more}</Relationships>")
    listed = parts["xl/workbook.xml"]
    parts["xl/workbook.xml"] = listed.replace(
        "</sheets>", '<sheet name="Summary" sheetId="2" r:id="s"/></sheets>'
    )
    mark = '<c r="A1" t="s"><v>600000</v></c>'
    others = '<row r="2"><c r="A2"/></row>' * 5_000
    name_space = parts[SHEET].partition('xmlns="')[2].partition('"')[0]
    parts["xl/worksheets/sheet2.xml"] = (
        f'<worksheet xmlns="{name_space}"><sheetData><row r="1">{mark}</row>{others}</sheetData>'
        "</worksheet>"
    )
    strings = "<si/>" * 600_000 + "<si><t>Reelsheet run</t></si>"
    parts["xl/sharedStrings.xml"] = f'<sst xmlns="{name_space}">{strings}</sst>'
    path = tmp_path / "book.xlsx"
    data = zipped(parts)
    path.write_bytes(data)
    found = read(path)
    made = write_results(found, results(found), tmp_path / "out", summary=summary())
    assert made.notes == ()
    with zipfile.ZipFile(made.path) as package:
        assert package.read("xl/workbook.xml").count(b"<sheet ") == 2
        assert b"Reelsheet run" in package.read("xl/worksheets/sheet2.xml")
