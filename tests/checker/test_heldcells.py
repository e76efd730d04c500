"""Cells that were once read as empty or as one address: their rows are held, not edited."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest

from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.checker.rules import same_content
from pipeline.config.loading import load

JOINED = "https://x.example/a.jpg,https://x.example/b.jpg"


def check(path: Path, *settings: str) -> CheckedManifest:
    return check_manifest(path, load(None, environ={}, overrides=settings), cache_dir=None)


def emptied(path: Path, formula: str) -> Path:
    """A workbook whose picture cell has a formula with an empty saved result."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["key", "prompt", "image_1"])
    sheet.append(["A", "A blue mug turns on a wooden table", "OLD"])
    book.save(path)
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    name = "xl/worksheets/sheet1.xml"
    head, at, rest = parts[name].partition(b'<c r="C2"')
    cell = b' t="str"><f>%s</f><v></v></c>' % formula.encode()
    parts[name] = head + at + cell + rest[rest.index(b"</c>") + len(b"</c>") :]
    with zipfile.ZipFile(path, "w") as target:
        for part, data in parts.items():
            target.writestr(part, data)
    return path


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        ("VLOOKUP(A2,X:Y,2,0)", "formula_empty"),
        ('IMAGE("https://x.example/a.jpg")', "picture_formula"),
    ],
)
def test_a_formula_without_a_result_holds_its_row(tmp_path: Path, formula: str, code: str) -> None:
    """It is not sent, what it once asked for is known, and a setting lets it through."""
    path = emptied(tmp_path / "m.xlsx", formula)
    checked = check(path)
    assert [one.code for one in checked.errors] == [code]
    assert checked.errors[0].key == "A"
    assert f"manifest.allow: [{code}]" in checked.errors[0].message
    assert (checked.valid, [*checked.held]) == (0, [2])
    assert checked.with_held().requests[2].images == ()
    allowed = check(path, f"manifest.allow={code}")
    assert (allowed.valid, allowed.errors) == (1, ())


def test_a_formula_that_says_itself_when_it_is_empty_is_a_warning(tmp_path: Path) -> None:
    """The row is sent without a picture."""
    checked = check(emptied(tmp_path / "m.xlsx", 'IF(A2="","",B9)'))
    assert [one.code for one in checked.problems] == ["formula_empty_meant"]
    assert checked.valid == 1


def test_several_addresses_in_a_cell_for_one_hold_its_row(tmp_path: Path) -> None:
    """What was sent when they counted as one address is known as what it was."""
    path = tmp_path / "m.csv"
    path.write_text(f'key,prompt,image_1\nA,A mug turns on a table,"{JOINED}"\n', encoding="utf-8")
    checked = check(path)
    assert [one.code for one in checked.errors] == ["picture_several"]
    assert "manifest.allow" not in checked.errors[0].message
    assert (checked.valid, [*checked.held]) == (0, [2])
    assert checked.with_held().requests[2].images == (JOINED,)


def test_addresses_that_are_parted_now_ask_for_what_was_asked(tmp_path: Path) -> None:
    """In a column of several pictures the row goes on, and is not edited."""
    path = tmp_path / "m.csv"
    three = f"{JOINED},https://x.example/c.jpg"
    path.write_text(f'key,prompt,images\nA,A mug turns on a table,"{three}"\n', encoding="utf-8")
    now = check(path).requests[2]
    path.write_text(f'key,prompt,image_1\nA,A mug turns on a table,"{three}"\n', encoding="utf-8")
    assert len(now.images) == 3
    assert same_content(now, check(path).with_held().requests[2])
