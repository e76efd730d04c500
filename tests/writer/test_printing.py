"""Results print sideways on one page's width; what a person has said of the page stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openpyxl
import pytest

from pipeline.reader.reading import read
from pipeline.writer.results import write_results
from tests.writer.tables import opened, parts, repack, results

if TYPE_CHECKING:
    from pathlib import Path

    from openpyxl.worksheet.worksheet import Worksheet

SHEET = "xl/worksheets/sheet1.xml"
OF_LIBREOFFICE = (
    b'<pageSetup paperSize="1" scale="100" fitToWidth="1" fitToHeight="1" pageOrder="downThenOver" '
    b'orientation="portrait" blackAndWhite="false" draft="false" cellComments="none" '
    b'horizontalDpi="300" verticalDpi="300" copies="1"/>'
    b'<headerFooter differentFirst="false"/>'
)


def shop(path: Path, **said: str) -> Worksheet:
    """A plain table whose headers are in the second row; `said` is its page setup."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for number, line in enumerate((("key", "prompt"), ("A", "A lamp."), ("B", "A cup.")), start=2):
        for at, text in enumerate(line, start=1):
            sheet.cell(number, at, text)
    for name, value in said.items():
        setattr(sheet.page_setup, name, value)
    book.save(path)
    return sheet


def printed(path: Path, out: Path) -> Worksheet:
    """The sheet of the results of a workbook."""
    table = read(path)
    return opened(write_results(table, results(table), out).path).worksheets[0]


def said_of(sheet: Worksheet) -> tuple[object, ...]:
    """What a sheet says of its page: the way, whether it fits, its width and height, its titles."""
    setup, fits = sheet.page_setup, sheet.sheet_properties.pageSetUpPr
    fitted = bool(fits and fits.fitToPage)
    return setup.orientation, fitted, setup.fitToWidth, setup.fitToHeight, sheet.print_title_rows


def test_of_a_plain_table_they_are_one_page_wide(tmp_path: Path) -> None:
    """Its headers are on every page, and results that are written once more are the same."""
    shop(tmp_path / "a.xlsx")
    sheet = printed(tmp_path / "a.xlsx", tmp_path / "out")
    assert said_of(sheet) == ("landscape", True, 1, 0, "$2:$2")
    again = printed(tmp_path / "out" / "results.xlsx", tmp_path / "again")
    assert said_of(again) == said_of(sheet)


def test_what_libreoffice_writes_into_every_file_is_nobodys(tmp_path: Path) -> None:
    """Its words for the usual page give way, the paper stays, and what stands around them does."""
    shop(tmp_path / "a.xlsx")
    xml = parts(tmp_path / "a.xlsx")[SHEET]
    unfitted = xml.replace(b"<pageSetUpPr/>", b'<pageSetUpPr fitToPage="false"/>')
    changed = unfitted.replace(b"</worksheet>", OF_LIBREOFFICE + b"</worksheet>")
    repack(tmp_path / "a.xlsx", {SHEET: changed})
    sheet = printed(tmp_path / "a.xlsx", tmp_path / "out")
    assert said_of(sheet) == ("landscape", True, 1, 0, "$2:$2")
    assert sheet.page_setup.paperSize == 1
    tail = parts(tmp_path / "out" / "results.xlsx")[SHEET]
    assert tail.count(b"<pageSetup ") == tail.count(b"<headerFooter") == 1


@pytest.mark.parametrize("said", [{"orientation": "landscape"}, {"scale": "60"}])
def test_what_a_person_has_set_stays(tmp_path: Path, said: dict[str, str]) -> None:
    """One word of theirs is enough."""
    before = said_of(shop(tmp_path / "a.xlsx", **said))
    assert said_of(printed(tmp_path / "a.xlsx", tmp_path / "out")) == before


def test_titles_that_a_person_has_set_stay(tmp_path: Path) -> None:
    """Those of this sheet; another one's say nothing of it."""
    shop(tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    book.create_sheet("Other").print_title_rows = "1:1"
    book.save(tmp_path / "a.xlsx")
    assert said_of(printed(tmp_path / "a.xlsx", tmp_path / "out"))[1]
    book.worksheets[0].print_title_rows = "1:2"
    book.save(tmp_path / "a.xlsx")
    sheet = printed(tmp_path / "a.xlsx", tmp_path / "two")
    assert said_of(sheet)[1:] == (False, None, None, "$1:$2")
