"""Packages: parts are found by their relationships, whatever their names, and within limits."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from pipeline.errors import ManifestError
from pipeline.reader.content import is_text
from pipeline.reader.workbook.opening import manifest_from, read_grid
from pipeline.reader.workbook.package import iter_elements
from tests.corpus.layouts import LAYOUTS, USUAL, Layout, laid_out
from tests.corpus.workbooks import zipped

BOOK = Path("shop.xlsx")


def parts_of(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {name: package.read(name).decode() for name in package.namelist()}


def fault(data: bytes) -> ManifestError:
    with pytest.raises(ManifestError, match=BOOK.name) as caught:
        manifest_from(read_grid(BOOK, data, None))
    return caught.value


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_parts_are_found_wherever_they_lie(layout: Layout) -> None:
    """Names compare without case, slashes either way, and targets lead from their source."""
    data = laid_out(layout)
    assert not is_text(BOOK, data)
    manifest = manifest_from(read_grid(BOOK, data, None))
    assert (manifest.sheet, manifest.headers) == ("Shop", ("key", "prompt"))
    assert [(row.number, row.cells) for row in manifest.rows] == [(2, ("A", "00007"))]


def test_a_workbook_that_nothing_names_is_where_it_usually_is() -> None:
    """Some programs leave out the relationships of the package, or write them wrongly."""
    parts = parts_of(laid_out(USUAL))
    for relations in (None, "<broken"):
        odd = {name: part for name, part in parts.items() if name != "_rels/.rels"}
        odd |= {"_rels/.rels": relations} if relations else {}
        assert manifest_from(read_grid(BOOK, zipped(odd), None)).rows[0].cells == ("A", "00007")


def test_the_workbook_that_is_named_is_read() -> None:
    """Also where another lies at the usual place."""
    other = parts_of(laid_out(LAYOUTS["another folder"]))
    usual = {name: part.replace("Shop", "Old") for name, part in parts_of(laid_out(USUAL)).items()}
    assert manifest_from(read_grid(BOOK, zipped(usual | other), None)).sheet == "Shop"


def test_a_document_of_another_kind_is_no_workbook() -> None:
    """A text document is a package, too."""
    layout = LAYOUTS["another folder"]
    parts = parts_of(laid_out(layout))
    parts[layout.workbook] = '<w:document xmlns:w="urn:w"/>'
    assert "no workbook that can be read" in fault(zipped(parts)).message


@pytest.mark.parametrize("part", [USUAL.sheet, USUAL.its_relations])
def test_a_part_that_is_not_there_is_damage(part: str) -> None:
    """The sentence names it."""
    parts = parts_of(laid_out(USUAL))
    del parts[part]
    assert f"the file has no {part}" in fault(zipped(parts)).message


def test_a_part_that_is_there_twice_is_damage() -> None:
    """Another program might read the other one."""
    parts = parts_of(laid_out(USUAL))
    again = {USUAL.sheet.upper(): parts[USUAL.sheet], "xl\\styles.xml": parts[USUAL.styles]}
    for name, part in again.items():
        assert "a part is there twice" in fault(zipped(parts | {name: part})).message


def test_a_document_type_is_damage() -> None:
    """Only an attack declares entities in a workbook."""
    parts = parts_of(laid_out(USUAL))
    parts[USUAL.workbook] = '<!DOCTYPE x [<!ENTITY e "e">]>' + parts[USUAL.workbook][55:]
    assert "document type" in fault(zipped(parts)).message


def test_a_sheet_counts_in_the_limits_whatever_it_is_called() -> None:
    """A part may be named as a picture: all parts count."""
    layout = Layout(sheet="xl/media/sheet.png", to_sheet="media/sheet.png")
    parts = parts_of(laid_out(layout))
    parts[layout.sheet] += " " * 60_000_000
    assert "would unpack" in fault(zipped(parts)).message


def test_elements_are_known_to_the_byte() -> None:
    """Over chunks, prefixes, quoted `>` and elements that close themselves."""
    data = b"<a:r xmlns:a='u'>" + b"<a:x y='>'/>" * 200_000 + b"<a:z>t</a:z></a:r>"
    found = list(iter_elements(data))
    assert len(found) == 200_002
    root, first, last = found[0], found[1], found[-1]
    assert (root.local, root.start, root.end) == ("r", 0, len(data))
    assert first.self_closing
    assert data[first.start : first.end] == b"<a:x y='>'/>"
    assert data[last.inner : last.close] == b"t"
    assert last.parent is root
