"""A copy of the manifest has the new prompts, and everything else as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from pipeline.checker.check import CheckedManifest
from pipeline.errors import UsageError
from pipeline.reader.reading import read
from pipeline.review.promptcopy import write_prompts
from tests.review.shop import Shop, make_shop

NEW = 'A "red" mug, = nice.\nSlowly \u2713'


def with_new(shop: Shop) -> CheckedManifest:
    """The manifest with a new prompt in its first row."""
    checked = shop.check()
    draft = checked.drafts[2]
    drafts = {**checked.drafts, 2: draft._replace(prompt=NEW)}
    return replace(checked, drafts=drafts, sheet_prompts={2: draft.prompt})


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_text_manifest(tmp_path: Path, encoding: str) -> None:
    """In its own form, or as UTF-8 where that lacks a letter; or as a workbook."""
    shop = make_shop(tmp_path)
    text = shop.manifest.read_text(encoding="utf-8").replace("The TEA", "=Thé")
    shop.manifest.write_text(text, encoding="utf-8")
    checked = with_new(shop)
    assert checked.manifest.dialect is not None
    dialect = replace(checked.manifest.dialect, encoding=encoding)
    checked = replace(checked, manifest=replace(checked.manifest, dialect=dialect))
    for name in ("copy.csv", "copy.xlsx"):
        assert write_prompts(checked, tmp_path / name) == 1
        again = read(tmp_path / name)
        assert again.headers == checked.manifest.headers
        assert [row.cells[1] for row in again.rows] == [NEW, "A BAG.", "A TEA."]
        assert again.rows[2].cells[3] == "=Thé"


def test_a_workbook(tmp_path: Path) -> None:
    """Its other sheets, formulas and widths are in the copy."""
    shop = make_shop(tmp_path)
    book = Workbook()
    assert book.active is not None
    for line in shop.manifest.read_text(encoding="utf-8").splitlines():
        book.active.append(line.split(","))
    book.active["D2"] = "=1+1"
    book.active.column_dimensions["B"].width = 60
    book.create_sheet("Prices")
    book.save(tmp_path / "shop.xlsx")
    before = (tmp_path / "shop.xlsx").read_bytes()
    assert write_prompts(with_new(Shop(tmp_path / "shop.xlsx", shop.folder)), tmp_path / "c.xlsx")
    copy = load_workbook(tmp_path / "c.xlsx")
    sheet = copy.worksheets[0]
    assert [sheet.cell(row, 2).value for row in (1, 2, 3)] == ["prompt", NEW, "A BAG."]
    assert (sheet["D2"].value, sheet.column_dimensions["B"].width) == ("=1+1", 60)
    assert copy.sheetnames[1] == "Prices"
    assert (tmp_path / "shop.xlsx").read_bytes() == before


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    """Nor is a workbook made a text."""
    shop = make_shop(tmp_path)
    for name in ("shop.csv", "copy.tsv"):
        with pytest.raises(UsageError):
            write_prompts(with_new(shop), tmp_path / name)


@pytest.mark.parametrize("prompt", ["A mug.", ""])
def test_without_a_column_it_is_said_where_prompts_come_from(tmp_path: Path, prompt: str) -> None:
    """From other columns; or nowhere, where pictures alone make the videos."""
    checked = with_new(make_shop(tmp_path))
    drafts = {number: draft._replace(prompt=prompt) for number, draft in checked.drafts.items()}
    fields = {name: at for name, at in checked.fields.items() if name != "prompt"}
    # A new prompt from a review says nothing of where the row's own comes from.
    drafts[2] = drafts[2]._replace(prompt=NEW)
    checked = replace(checked, drafts=drafts, fields=fields, sheet_prompts={2: prompt})
    with pytest.raises(UsageError) as refused:
        write_prompts(checked, tmp_path / "copy.csv")
    made = "its prompts are made of other columns."
    assert (made in refused.value.message) == bool(prompt)
    assert not (tmp_path / "copy.csv").exists()
