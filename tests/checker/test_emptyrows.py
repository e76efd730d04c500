"""Rows that hold nothing but what was filled down are none; what may be forgotten is a problem."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.config.loading import load


def check(folder: Path, text: str, *settings: str) -> CheckedManifest:
    path = folder / "shop.csv"
    path.write_text(text, encoding="utf-8")
    return check_manifest(path, load(None, environ={}, overrides=settings), cache_dir=None)


HEAD = "sku,prompt,image_1,duration,aspect_ratio,brand,total\nA,A mug turns,,6,16:9,Acme,12.50\n"


@pytest.mark.parametrize(
    "row",
    [
        ",,,6,,,",  # a duration
        ",,,,16:9,,",  # an aspect ratio
        ",,,6,16:9,Acme,0",  # the last row's own, and what a formula comes to
        ",,,,,,FALSE",
        ",,,,, - ,#N/A",
        ",,,99,,,",  # whatever it says: it is no row
        ",,,6,,,12.50",
    ],
)
def test_what_was_filled_down_is_no_row(tmp_path: Path, row: str) -> None:
    """No problem is said of it, and it is in no result."""
    checked = check(tmp_path, f"{HEAD}{row}\n{row}\n")
    assert checked.problems == ()
    assert [one.number for one in checked.manifest.rows] == [2]
    assert len(checked.keys) == 1


@pytest.mark.parametrize(
    ("row", "codes"),
    [
        ("B,,,6,,,", ["prompt_empty"]),  # a key
        (",A bag turns,,6,,,", ["key_empty"]),  # a prompt
        (",,https://shop.example/a.jpg,6,,,", ["key_empty", "prompt_empty"]),  # a picture
        (",,,6,,Bolt,", ["key_empty", "prompt_empty"]),  # another brand: somebody typed it
        (",,,6,,ask Anna,", ["key_empty", "prompt_empty"]),
    ],
)
def test_what_says_something_is_a_row(tmp_path: Path, row: str, codes: list[str]) -> None:
    """Somebody may have forgotten the prompt."""
    checked = check(tmp_path, f"{HEAD}{row}\n")
    assert [one.code for one in checked.errors] == codes


def test_a_look_that_was_filled_down_is_no_row(tmp_path: Path) -> None:
    """Whatever look it is; with a name of a product it says what to film, and is one."""
    head = "title,prompt,video_look,duration\nMug,A mug turns,turntable,6\n"
    checked = check(tmp_path, f"{head},,macro detail,\n,,turntable,6\n")
    assert checked.problems == ()
    assert len(checked.keys) == 1
    assert check(tmp_path, f"{head}Mug,,macro detail,\n").valid == 2
    assert check(tmp_path, f"{head},,macro detail,\nBag,A bag turns,,\n").valid == 2


def test_between_the_rows(tmp_path: Path) -> None:
    """A separating row with figures is none; there a text of the row above may be a variant."""
    checked = check(tmp_path, f"{HEAD},,,6,16:9,,0\nB,A bag turns,,6,,,\n")
    assert checked.problems == ()
    assert checked.keys == ("A", "B")
    checked = check(tmp_path, f"{HEAD},,,6,16:9,Acme,0\nB,A bag turns,,6,,,\n")
    assert [one.row for one in checked.errors] == [3, 3]
    checked = check(tmp_path, f"{HEAD},,,7,16:9,,\nB,A bag turns,,6,,,\n")
    assert [one.column for one in checked.errors] == ["sku", "prompt", "duration"]


def test_without_a_key_column(tmp_path: Path) -> None:
    """The keys of the other rows stay as they were."""
    text = "prompt,duration\nA mug turns,6\nA bag turns,6\n"
    whole = check(tmp_path, text)
    checked = check(tmp_path, f"{text},6\n,6\n")
    assert checked.problems == ()
    assert checked.keys == whole.keys


def test_prompts_that_a_template_makes(tmp_path: Path) -> None:
    """Where it makes one there is a row; where its cells are empty there is none."""
    text = "sku,title,season,duration\nA,Mug,summer,6\n,,summer,6\n,,,6\n"
    template = "manifest.prompt_template=A film of {{ title }} in {{ season }}"
    checked = check(tmp_path, text, template)
    assert checked.problems == ()
    assert checked.keys == ("A",)
    optional = "manifest.prompt_template=A film in {{ season }}"
    assert [one.code for one in check(tmp_path, text, optional).errors] == ["key_empty"]


def _calculate(path: Path, cells: tuple[str, ...], result: str) -> None:
    """Put what a spreadsheet program calculated into the formulas of a workbook."""
    with zipfile.ZipFile(path) as packed:
        parts = {one: packed.read(one) for one in packed.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    for cell in cells:
        found = re.search(rf'<c r="{cell}"[^>]*>(<f>.*?</f>).*?</c>', sheet)
        assert found
        sheet = sheet.replace(found[0], f'<c r="{cell}" {result.format(f=found[1])}</c>')
    parts["xl/worksheets/sheet1.xml"] = sheet.encode()
    with zipfile.ZipFile(path, "w") as packed:
        for name, data in parts.items():
            packed.writestr(name, data)


@pytest.mark.parametrize(
    "result", ['t="str">{f}<v></v>', 't="e">{f}<v>#N/A</v>'], ids=["empty", "error"]
)
def test_a_formula_of_prompts_that_was_filled_down(tmp_path: Path, result: str) -> None:
    """Below the table its result says nothing; in a row with a key it is a problem."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["sku", "prompt", "duration"])
    sheet.append(["A", "A mug turns", 6])
    sheet.append(["B", '=IF(A3="","",VLOOKUP(A3,Z:Z,1))', 6])
    sheet.append([None, '=IF(A4="","",VLOOKUP(A4,Z:Z,1))', 6])
    path = tmp_path / "shop.xlsx"
    book.save(path)
    _calculate(path, ("B3", "B4"), result)
    checked = check_manifest(path, load(None, environ={}), cache_dir=None)
    assert [one.number for one in checked.manifest.rows] == [2, 3]
    assert {one.row for one in checked.errors} == {3}
