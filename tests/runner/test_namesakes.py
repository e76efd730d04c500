"""Which output folder is a manifest's own: the same again each time, and never another's."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.checker.check import check_manifest
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.journal.journal import Journal
from pipeline.manifest.wording import quote_name
from pipeline.model import Attempt
from pipeline.runner.namesakes import Found, find_folder
from tests.system.harness import sheets

LIVE = Config.model_validate({"provider": "toapis", "account": {"book": "none"}})
"""Without a book: what it knows is tested with real runs, in tests/system/test_stems.py."""


def manifest(path: Path, *prompts: str) -> Path:
    """Write a manifest with a row for each of these prompts."""
    lines = [sheets.row(f"P{number}", prompt) for number, prompt in enumerate(prompts)]
    return sheets.write(path, lines)


def bought(path: Path, root: Path, *, sent: bool = True) -> None:
    """Make the journal of a manifest, as a run of it would leave it."""
    root.mkdir(parents=True)
    checked = check_manifest(path, LIVE, cache_dir=None)
    with contextlib.closing(Journal(root / "journal.db")) as journal:
        journal.claim(path, adopt=False)
        for number, request in enumerate(checked.requests.values()):
            key = f"P{number}"
            attempt = Attempt(key, 1, f"rs-{key}", request, f"{key}.mp4")
            declined = ev.Declined(key, 1, None, "no")
            answer: ev.Event = ev.Accepted(key, 1, f"t-{key}") if sent else declined
            journal.append([ev.Intended(key, 1, attempt), answer], 1.0).result(10)


def find(path: Path, outputs: Path, *, adopt: bool = False, named: bool = False) -> Found:
    base = OutputFolder(outputs / "shop")
    before = files(outputs)
    found = find_folder(path, LIVE, base, named=named, adopt=adopt)
    assert files(outputs) == before, "nothing is made"
    return found


def quoted(path: Path) -> str:
    return quote_name(str(path))


def files(folder: Path) -> dict[Path, bytes]:
    return {one: one.read_bytes() for one in folder.rglob("*") if one.is_file()}


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    return tmp_path / "outputs"


@pytest.mark.parametrize(
    ("latest", "here", "moved"),
    [
        ("a", "az", True),
        ("ab", "a", False),
        ("abc", "ab", True),
        ("abc", "a", False),
        ("ab", "z", False),
    ],
)
def test_more_than_half_of_the_journal_counts(
    tmp_path: Path, outputs: Path, latest: str, here: str, moved: bool
) -> None:
    """Half is not most. By name or not, it is judged in the same way."""
    old = manifest(tmp_path / "a" / "shop.csv", *latest)
    bought(old, outputs / "shop")
    old.unlink()
    new = manifest(tmp_path / "b" / "shop.csv", *here)
    for named in (True, False):
        found = find(new, outputs, named=named)
        assert found.moved is moved
        assert (found.folder.root.name == "shop") is (moved or named)


def test_nobody_has_the_name(tmp_path: Path, outputs: Path) -> None:
    """The folder of the manifest's name, without a word."""
    path = manifest(tmp_path / "shop.csv", "a")
    assert find(path, outputs) == Found(OutputFolder(outputs / "shop"))


def test_each_finds_its_own_again(tmp_path: Path, outputs: Path) -> None:
    """Whatever numbers are missing; a new one takes the first that is free."""
    for number, home in ((1, "shop"), (2, "shop-2"), (12, "shop-12")):
        path = manifest(tmp_path / str(number) / "shop.csv", f"film {number}")
        bought(path, outputs / home)
        assert find(path, outputs) == Found(OutputFolder(outputs / home))
    (outputs / "shop-x").mkdir()
    (outputs / "shop-1").mkdir()
    new = find(manifest(tmp_path / "new" / "shop.csv", "new"), outputs)
    assert new.folder.root.name == "shop-3"
    assert new.refusal is None
    assert "belongs to another manifest of that name" in (new.note or "")


def test_a_manifest_whose_name_is_a_number_of_another(tmp_path: Path, outputs: Path) -> None:
    """shop-2.csv does not meet the second shop.csv."""
    second = manifest(tmp_path / "b" / "shop.csv", "b")
    bought(second, outputs / "shop-2")
    path = manifest(tmp_path / "shop-2.csv", "c")
    base = OutputFolder(outputs / "shop-2")
    found = find_folder(path, LIVE, base, named=False, adopt=False)
    assert found.folder.root.name == "shop-2-2"


def test_moved_or_another(tmp_path: Path, outputs: Path) -> None:
    """By the file that is gone and most of the rows, of whichever folder."""
    first = manifest(tmp_path / "a" / "shop.csv", "a", "b", "c")
    second = manifest(tmp_path / "b" / "shop.csv", "d", "e", "f")
    bought(first, outputs / "shop")
    bought(second, outputs / "shop-2")
    second.unlink()
    moved = manifest(tmp_path / "c" / "shop.csv", "d", "e", "new")
    found = find(moved, outputs)
    assert (found.folder.root.name, found.moved, found.refusal) == ("shop-2", True, None)
    assert f"{second} is gone" in (found.note or "")
    fewer = manifest(tmp_path / "d" / "shop.csv", "new", "newer")
    assert find(fewer, outputs).folder.root.name == "shop-3"
    assert find(fewer, outputs, adopt=True).folder.root.name == "shop-2"
    second.touch()
    assert find(moved, outputs).folder.root.name == "shop-3", "it exists: it was not moved"
    assert not find(moved, outputs, adopt=True).moved


def test_renamed_while_rows_were_under_way(tmp_path: Path, outputs: Path) -> None:
    """The folder with most of its rows, of whatever name, if the file it remembers is gone."""
    few = manifest(tmp_path / "few.csv", "a")
    most = manifest(tmp_path / "most.csv", "a", "b", "c")
    bought(few, outputs / "few")
    bought(most, outputs / "anything")
    new = manifest(tmp_path / "shop.csv", "a", "b", "c", "d")
    assert find(new, outputs) == Found(OutputFolder(outputs / "shop")), "both still exist"
    few.unlink()
    assert find(new, outputs).folder.root.name == "few"
    most.unlink()
    found = find(new, outputs)
    assert (found.folder.root.name, found.moved) == ("anything", True)
    assert f"{most} was renamed to {new}: its videos are in" in (found.note or "")
    live = OutputFolder(outputs / "shop.rehearsal")
    assert find_folder(new, Config(), live, named=False, adopt=False).folder == live
    unlike = manifest(tmp_path / "unlike" / "shop.csv", "a", "x")
    few.touch()
    assert find(unlike, outputs) == Found(OutputFolder(outputs / "shop"))
    with contextlib.closing(Journal(outputs / "anything" / "journal.db")) as journal:
        journal.claim(new, adopt=True)
    assert find(new, outputs) == Found(OutputFolder(outputs / "anything")), "remembered"


def test_the_folder_of_a_series_is_not_taken(tmp_path: Path, outputs: Path) -> None:
    """Its next edition goes on there, whatever that is called."""
    edition = manifest(tmp_path / "monday.csv", "a", "b")
    bought(edition, outputs / "catalogue")
    with contextlib.closing(Journal(outputs / "catalogue" / "journal.db")) as journal:
        journal.claim(edition, adopt=False, series="catalogue")
    edition.unlink()
    new = manifest(tmp_path / "shop.csv", "a", "b")
    assert find(new, outputs) == Found(OutputFolder(outputs / "shop"))


def test_moved_before_its_pictures(tmp_path: Path, outputs: Path) -> None:
    """A folder of its own from which nothing was sent does not keep it from those of before."""
    old = manifest(tmp_path / "a" / "shop.csv", "a", "b")
    bought(old, outputs / "shop")
    old.unlink()
    new = manifest(tmp_path / "b" / "shop.csv", "a", "b")
    (outputs / "shop-2").mkdir()
    with contextlib.closing(Journal(outputs / "shop-2" / "journal.db")) as journal:
        journal.claim(new, adopt=False)
    found = find(new, outputs)
    assert (found.folder.root.name, found.moved) == ("shop", True)
    other = manifest(new, "c")
    assert find(other, outputs).folder.root.name == "shop-2"


def test_adopt_takes_the_folder_with_its_rows(tmp_path: Path, outputs: Path) -> None:
    """Of several that are gone; where none has a row of it, nothing is guessed."""
    for name, prompts in (("a", "abc"), ("b", "def"), ("c", "ghi")):
        path = manifest(tmp_path / name / "shop.csv", *prompts)
        bought(path, outputs / {"a": "shop", "b": "shop-2", "c": "shop-3"}[name])
        path.unlink()
    partly = manifest(tmp_path / "d" / "shop.csv", "d", "x")
    refused = find(partly, outputs).refusal
    assert refused is not None
    assert f"--adopt --out {quoted(outputs / 'shop-2')}." in (refused.action or "")
    found = find(partly, outputs, adopt=True)
    assert (found.folder.root.name, found.moved) == ("shop-2", True)
    edited = manifest(tmp_path / "e" / "shop.csv", "x", "y", "z")
    assert find(edited, outputs).folder.root.name == "shop-4"
    unclear = find(edited, outputs, adopt=True)
    assert not unclear.moved
    assert unclear.refusal is not None
    assert "may be any of 3 manifests that are gone" in unclear.refusal.message
    assert find(edited, outputs, adopt=True, named=True).moved


def test_a_folder_whose_journal_is_gone_is_not_free(tmp_path: Path, outputs: Path) -> None:
    """What its last run left tells whose it is: nobody else writes over the results there."""
    first = manifest(tmp_path / "a" / "shop.csv", "a")
    (outputs / "shop").mkdir(parents=True)
    summary = outputs / "shop" / "summary.json"
    summary.write_text(json.dumps({"manifest": str(first)}), "utf-8")
    other = manifest(tmp_path / "b" / "shop.csv", "b")
    found = find(other, outputs)
    assert found.folder.root.name == "shop-2"
    assert f"another manifest of that name, {first}" in (found.note or "")
    assert find(first, outputs) == Found(OutputFolder(outputs / "shop"))
    assert find(other, outputs, named=True) == Found(OutputFolder(outputs / "shop"))
    first.unlink()
    assert find(other, outputs, adopt=True).folder.root.name == "shop-2"
    for unknown in (
        "{}",
        "[]",
        "no summary",
        json.dumps({"manifest": f"{outputs}/shop/failed.csv"}),
    ):
        summary.write_text(unknown, "utf-8")
        assert find(other, outputs).folder.root.name == "shop"


def test_a_note_is_for_what_is_not_expected(tmp_path: Path, outputs: Path) -> None:
    """None for the folder of the manifest's own name, and none for a manifest that is not there."""
    second = manifest(tmp_path / "b" / "shop.csv", "b")
    bought(second, outputs / "shop-2")
    first = manifest(tmp_path / "a" / "shop.csv", "a")
    assert find(first, outputs) == Found(OutputFolder(outputs / "shop"))
    bought(first, outputs / "shop")
    missing = find(tmp_path / "c" / "shop.csv", outputs)
    assert (missing.folder.root.name, missing.note) == ("shop-3", None)


@pytest.mark.parametrize("sent", [True, False])
def test_what_another_has_bought_is_not_bought_again(
    tmp_path: Path, outputs: Path, sent: bool
) -> None:
    """One row is enough; what was refused there is no hindrance; nor is it in a rehearsal."""
    first = manifest(tmp_path / "a" / "shop.csv", "a", "b", "c")
    bought(first, outputs / "shop", sent=sent)
    copy = manifest(tmp_path / "b" / "shop.csv", "c", "new")
    found = find(copy, outputs)
    assert found.folder.root.name == "shop-2"
    if sent:
        assert found.refusal is not None
        assert "1 video that" in found.refusal.message
        assert f"run {quoted(first)}" in (found.refusal.action or "")
        assert f"--out {quoted(outputs / 'shop-2')}." in (found.refusal.action or "")
        first.unlink()
        gone = find(copy, outputs).refusal
        assert gone is not None
        assert f"--adopt --out {quoted(outputs / 'shop')}." in (gone.action or "")
    else:
        assert found.refusal is None
    base = OutputFolder(outputs / "shop")
    assert find_folder(copy, Config(), base, named=False, adopt=False).refusal is None


def test_the_folder_of_another_by_name(tmp_path: Path, outputs: Path) -> None:
    """--adopt is proposed only where it would not mix two manifests."""
    first = manifest(tmp_path / "a" / "shop.csv", "a", "b")
    bought(first, outputs / "shop")
    other = manifest(tmp_path / "b" / "shop.csv", "c")
    copy = manifest(tmp_path / "c" / "shop.csv", "a", "b")
    for path in (other, copy):
        for adopt in (True, False):
            found = find(path, outputs, named=True, adopt=adopt)
            assert found.refusal is not None
            assert "which still exists" in found.refusal.message
            assert "--adopt" not in str(found.refusal.action)
    assert find(first, outputs, named=True) == Found(OutputFolder(outputs / "shop"))
    first.unlink()
    assert find(copy, outputs, named=True).moved
    refused = find(other, outputs, named=True).refusal
    assert refused is not None
    assert "--adopt" not in str(refused.action)
    assert find(copy, outputs, named=True, adopt=True).moved


def test_what_cannot_be_read_may_be_its_own(tmp_path: Path, outputs: Path) -> None:
    """Whoever opens it says so; one that finds its own journal does not look further."""
    mine = manifest(tmp_path / "a" / "shop.csv", "a")
    bought(mine, outputs / "shop-2")
    (outputs / "shop").mkdir()
    (outputs / "shop" / "journal.db").write_text("no journal, but long enough to be one" * 20)
    assert find(mine, outputs) == Found(OutputFolder(outputs / "shop-2"))
    other = manifest(tmp_path / "b" / "shop.csv", "b")
    assert find(other, outputs) == Found(OutputFolder(outputs / "shop"))


def test_a_manifest_that_cannot_be_read_was_not_moved(tmp_path: Path, outputs: Path) -> None:
    """That it cannot be read is said by the check that follows."""
    first = manifest(tmp_path / "a" / "shop.csv", "a")
    bought(first, outputs / "shop")
    first.unlink()
    broken = tmp_path / "shop.csv"
    broken.write_text("")
    found = find(broken, outputs)
    assert (found.folder.root.name, found.moved) == ("shop-2", False)
    assert find(tmp_path / "nothing.csv", outputs).folder.root.name == "shop-2"
