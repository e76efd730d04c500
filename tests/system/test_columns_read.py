"""What is read of a manifest stays what it was: a header understood later buys nothing."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.disk.folder import OutputFolder
from pipeline.journal.journal import Journal
from pipeline.manifest.earlier import NOTE, Reading
from pipeline.manifest.languages import EARLIEST, LATEST
from pipeline.runner.knownreading import known_reading
from reelsheet import Reelsheet
from tests.upgrade.replay import CASES, Provider, Shop, provider

SHEET, OUT = "manifests/keyed.csv", "outputs/keyed"
UNREAD = {"Artikelnummer", "Bild", "Foto", "Dauer"}
"""Headers of the case that are understood by now, and were not when its rows were bought."""


@pytest.fixture
def double() -> Iterator[Provider]:
    """A provider that counts."""
    with provider() as one:
        yield one


def _noted(folder: Path) -> Reading:
    with contextlib.closing(sqlite3.connect(folder / OUT / "journal.db")) as journal:
        (text,) = journal.execute("SELECT value FROM meta WHERE name = ?", (NOTE,)).fetchone()
    return Reading.noted(text)


@pytest.mark.process
def test_a_journal_of_an_earlier_version_keeps_its_reading(
    tmp_path: Path, double: Provider
) -> None:
    """Nothing is bought, no row looks edited; the columns are named with the option to read one."""
    shop = Shop.of(CASES / "unread-words", tmp_path, double)
    checked = shop("check", SHEET, "--json", "-v").json
    assert {*checked["not_read"]} >= UNREAD
    warned = {one["column"]: one["message"] for one in checked["problems"]}
    assert "add --column Bild=image_1;" in warned["Bild"]
    assert "was run before" in warned["Bild"]
    before = shop.told(SHEET)
    assert set(before.groups) == {"done"}
    ended = shop("run", SHEET)
    assert (ended.code, double.posts) == (0, [])
    assert "not read: Artikelnummer" in ended.err
    assert _noted(shop.folder).names == EARLIEST
    assert shop.told(SHEET) == before
    asked = shop.told(SHEET, "--column", "Dauer=duration")
    assert asked.groups == {"changed": before.groups["done"]}
    assert asked.video_seconds == 0


@pytest.mark.process
def test_a_copy_of_a_manifest_from_before_is_read_as_it_was_bought(
    tmp_path: Path, double: Provider
) -> None:
    """Under another name it has no journal: what was bought tells how it was read."""
    shop = Shop.of(CASES / "unread-words", tmp_path, double)
    shutil.copy(shop.folder / SHEET, shop.folder / "manifests/copy.csv")
    planned = shop("plan", "manifests/copy.csv", "--json", "-v").json
    assert not planned["groups"].get("new")
    assert {*planned["not_read"]} >= UNREAD
    assert planned["video_seconds"] == 0
    shop("run", "manifests/copy.csv")
    assert double.posts == []


@pytest.mark.long
def test_a_new_manifest_keeps_what_it_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run without the option reads what the run before was told to, and makes nothing again."""
    monkeypatch.chdir(tmp_path)
    sheet = Path("shop.csv")
    sheet.write_text("sku,Text,Videolänge\nMUG,A red mug turns.,4\n", encoding="utf-8")
    told = Reelsheet(sheet, settings={"manifest.columns": {"Text": "prompt"}}).run()
    assert told.submitted == 1
    again = Reelsheet(sheet).plan()
    assert again.groups["done"] == again.rows == 1
    assert dict(again.columns.read) == {"sku": "key", "Text": "prompt", "Videolänge": "duration"}
    assert Reelsheet(sheet).run().submitted == 0
    ignored = Reelsheet(sheet, settings={"manifest.columns": {"Text": "ignore"}}).check()
    assert [one.code for one in ignored.problems] == ["no_prompt_column"]
    folder = OutputFolder.of(sheet, outputs="outputs", out=None, rehearsal=True)
    known = known_reading(folder)
    assert known is not None
    assert known.names == LATEST
    folder.journal.unlink()
    assert known_reading(folder) == known, "run.log remembers it"


def test_where_a_reading_is_remembered(tmp_path: Path) -> None:
    """A folder without runs knows none; a journal with runs and without a note is an early one."""
    folder = OutputFolder(tmp_path)
    assert known_reading(folder) is None
    with contextlib.closing(Journal(folder.journal)) as journal:
        assert known_reading(folder) is None
        journal.begin_run("run", "run", time.time())
    assert known_reading(folder) == Reading(EARLIEST)
    reading = Reading(LATEST, {"Bild": "image_1"}, frozenset({"x"}))
    with contextlib.closing(Journal(folder.journal)) as journal:
        journal.note({NOTE: reading.note()})
    assert known_reading(folder) == reading
    folder.journal.write_bytes(b"no journal")
    folder.log.write_text(json.dumps({"what": "begin", "reading": reading.note()}), "utf-8")
    assert known_reading(folder) == reading
    folder.log.write_text(json.dumps({"what": "begin"}), "utf-8")
    assert known_reading(folder) == Reading(EARLIEST)
