"""A manifest that was paid for from another working folder is found before it is paid for again."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.disk.folder import OutputFolder
from pipeline.errors import StoreError, UsageError
from pipeline.journal.journal import Journal
from pipeline.journal.ownership import (
    explain_paid_elsewhere,
    find_manifest,
    find_renamed,
    is_unused,
    refuse_edition,
)
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.wording import quote_name
from tests.journal.lives import intended

NAME = Path("outputs", "night")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest in a folder of its own, below the one that a run is started in."""
    path = tmp_path / "shop" / "manifests" / "night.csv"
    path.parent.mkdir(parents=True)
    path.write_text("prompt\na film\n", encoding="utf-8")
    return path


def journal(root: Path, manifest: Path, *, sent: bool = True) -> Path:
    """Begin a journal of a manifest in the output folder `root`; return its folder."""
    root.mkdir(parents=True)
    with contextlib.closing(Journal(root / "journal.db")) as begun:
        begun.claim(manifest, adopt=False)
        if sent:
            begun.append([intended("a"), ev.Accepted("a", 1, "task")], 1.0).result(10)
    return root


def files(folder: Path) -> set[Path]:
    """All there is, but what SQLite itself lays beside a journal in WAL mode to read it."""
    return {one for one in folder.rglob("*") if not one.name.endswith(("-shm", "-wal"))}


@pytest.mark.parametrize("home", ["shop", "shop/manifests", "."])
def test_it_is_found_beside_the_manifest_and_above(
    manifest: Path, tmp_path: Path, home: str
) -> None:
    """Both folders are named, with what would happen and what to do; nothing is made."""
    there = journal(tmp_path / home / NAME, manifest)
    here = OutputFolder(tmp_path / "elsewhere" / NAME)
    before = files(tmp_path)
    found = explain_paid_elsewhere(manifest, here, "outputs")
    assert found is not None
    assert found.exit_code == 2
    assert "paid for a second time" in found.message
    assert str(there) in found.message
    assert str(here.root) in found.message
    home_told = (tmp_path / home).resolve()
    assert f"--out {quote_name(str(there))} or start in {home_told}" in (found.action or "")
    assert f"--out {quote_name(str(here.root))}." in (found.action or "")
    assert files(tmp_path) == before


def test_it_is_found_by_way_of_a_link(manifest: Path, tmp_path: Path) -> None:
    """Which name a run was given does not matter: the journal knows the file itself."""
    journal(tmp_path / "links" / NAME, manifest)
    link = tmp_path / "links" / "night.csv"
    link.symlink_to(manifest)
    assert explain_paid_elsewhere(link, OutputFolder(tmp_path / NAME), "outputs") is not None
    assert explain_paid_elsewhere(manifest, OutputFolder(tmp_path / NAME), "outputs") is None


def test_a_folder_that_rows_were_sent_from_goes_on(manifest: Path, tmp_path: Path) -> None:
    """Whatever else there is: its own journal knows what is paid for."""
    journal(tmp_path / NAME, manifest)
    here = journal(tmp_path / "shop" / NAME, manifest)
    assert explain_paid_elsewhere(manifest, OutputFolder(here), "outputs") is None


def test_an_empty_journal_is_no_leave_to_pay_again(manifest: Path, tmp_path: Path) -> None:
    """One that a stopped run left behind knows nothing of what is paid for."""
    here = OutputFolder(journal(tmp_path / NAME, manifest, sent=False))
    assert explain_paid_elsewhere(manifest, here, "outputs") is None
    journal(tmp_path / "shop" / NAME, manifest)
    assert explain_paid_elsewhere(manifest, here, "outputs") is not None


def test_what_would_not_be_paid_twice_is_nobodys_hindrance(manifest: Path, tmp_path: Path) -> None:
    """Another manifest's folder of that name, and one from which nothing was ever sent."""
    other = tmp_path / "shop" / "other" / "night.csv"
    journal(tmp_path / "shop" / NAME, other)
    journal(tmp_path / "shop" / "manifests" / NAME, manifest, sent=False)
    assert explain_paid_elsewhere(manifest, OutputFolder(tmp_path / NAME), "outputs") is None


def test_a_set_folder_for_all_outputs_is_one_folder(manifest: Path, tmp_path: Path) -> None:
    """Where output.dir is absolute there is no other place."""
    outputs = tmp_path / "all"
    journal(tmp_path / "shop" / NAME, manifest)
    assert explain_paid_elsewhere(manifest, OutputFolder(outputs / "night"), str(outputs)) is None


def test_a_journal_that_cannot_be_read_may_be_the_one(manifest: Path, tmp_path: Path) -> None:
    """In doubt nothing is paid: a person looks first. One's own is a failure as ever."""
    there = tmp_path / "shop" / NAME
    there.mkdir(parents=True)
    (there / "journal.db").write_text("no journal at all, but long enough to be one" * 20)
    found = explain_paid_elsewhere(manifest, OutputFolder(tmp_path / NAME), "outputs")
    assert found is not None
    assert "damaged. If this manifest" in found.message
    assert f"--out {quote_name(str(there))};" in (found.action or "")
    with pytest.raises(StoreError):
        explain_paid_elsewhere(manifest, OutputFolder(there), "outputs")


def test_editions_of_a_series_share_a_journal_and_no_other_manifest_is_mixed_in(
    tmp_path: Path,
) -> None:
    """One that was run by itself joins by being run once with the name of the series."""
    monday, tuesday, shoes = (tmp_path / f"{name}.csv" for name in ("mon", "tue", "shoes"))
    for manifest in (monday, tuesday, shoes):
        manifest.write_text("prompt\na mug\n", encoding="utf-8")
    with contextlib.closing(Journal(tmp_path / "journal.db")) as journal:
        journal.claim(monday, adopt=False)
        refused = refuse_edition(journal.path, Invocation(tuesday), "shop", adopt=False)
        assert refused is not None
        first = f"reelsheet run {quote_name(str(monday))} --series shop --limit 0"
        then = f"reelsheet run {quote_name(str(tuesday))} --series shop"
        assert f"run: {first}. Then run: {then}." in (refused.action or "")
        with pytest.raises(UsageError, match="belongs to a manifest that is of no series"):
            journal.claim(tuesday, adopt=False, series="shop")
        for manifest in (monday, tuesday, monday, tuesday):
            journal.claim(manifest, adopt=False, series="shop")
        assert find_manifest(journal.path) == tuesday.resolve()
        with pytest.raises(UsageError, match="belongs to another series, shop"):
            journal.claim(shoes, adopt=False, series="shoes")
        with pytest.raises(UsageError, match="belongs to another manifest"):
            journal.claim(shoes, adopt=False)


def test_a_series_takes_over_a_manifest_that_is_gone(tmp_path: Path) -> None:
    """Where the user says so, which the refusal names."""
    monday, tuesday = (tmp_path / f"{name}.csv" for name in ("mon", "tue"))
    monday.write_text("prompt\na mug\n", encoding="utf-8")
    with contextlib.closing(Journal(tmp_path / "journal.db")) as journal:
        journal.claim(monday, adopt=False)
        monday.unlink()
        refused = refuse_edition(journal.path, Invocation(tuesday), "shop", adopt=False)
        assert refused is not None
        then = f"run: reelsheet run {quote_name(str(tuesday))} --series shop --adopt."
        assert then in (refused.action or "")
        assert refuse_edition(journal.path, Invocation(tuesday), "shop", adopt=True) is None
        journal.claim(tuesday, adopt=True, series="shop")
        assert find_manifest(journal.path) == tuesday.resolve()


def test_a_manifest_is_found_under_the_name_that_it_has_now(tmp_path: Path) -> None:
    """By each that it had before, as long as no other file has it."""
    first, second, third = (tmp_path / f"{name}.csv" for name in ("first", "second", "third"))
    path = tmp_path / "journal.db"
    assert find_renamed(first, path) is None
    first.write_text("prompt\na mug\n", encoding="utf-8")
    with contextlib.closing(Journal(path)) as journal:
        journal.claim(first, adopt=False)
        for before, now in ((first, second), (second, third)):
            before.rename(now)
            journal.claim(now, adopt=True)
    assert find_renamed(first, path) == find_renamed(second, path) == third.resolve()
    assert find_renamed(third, path) is None
    assert find_renamed(tmp_path / "other.csv", path) is None
    first.write_text("prompt\na cup\n", encoding="utf-8")
    assert find_renamed(first, path) is None


def test_failed_rows_in_place_leave_the_series_its_manifest(tmp_path: Path) -> None:
    """A file that a run has written into the folder is no edition of its own."""
    monday = tmp_path / "mon.csv"
    monday.write_text("prompt\na mug\n", encoding="utf-8")
    failed = tmp_path / "out" / "failed.csv"
    failed.parent.mkdir()
    with contextlib.closing(Journal(failed.with_name("journal.db"))) as journal:
        journal.claim(monday, adopt=False, series="shop")
        journal.claim(failed, adopt=False, series="shop")
        assert find_manifest(journal.path) == monday.resolve()


def test_a_manifest_whose_name_is_no_text_is_remembered_as_any_other(tmp_path: Path) -> None:
    """Whatever the bytes of its name are."""
    manifest = tmp_path / os.fsdecode(b"b\xe4d.csv")
    with contextlib.closing(Journal(tmp_path / "journal.db")) as journal:
        journal.claim(manifest, adopt=False, series=None)
        assert find_manifest(journal.path) == manifest


def test_a_folder_that_the_book_knows_needs_no_guard(manifest: Path, tmp_path: Path) -> None:
    """What was bought for it is not bought again, wherever the manifest is run."""
    there = journal(tmp_path / "shop" / NAME, manifest)
    here = OutputFolder(tmp_path / "elsewhere" / NAME)
    for guarded in ([], [there]):
        found = explain_paid_elsewhere(manifest, here, "outputs", guarded.__contains__)
        assert (found is None) == bool(guarded)


def test_a_journal_that_is_gone_was_never_used(tmp_path: Path, manifest: Path) -> None:
    """It may vanish while it is looked at; one in which something was sent is used."""
    assert is_unused(tmp_path / "gone.db")
    assert is_unused(journal(tmp_path / "a", manifest, sent=False) / "journal.db")
    assert not is_unused(journal(tmp_path / "b", manifest) / "journal.db")
