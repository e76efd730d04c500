"""The account of a run is opened, and whoever pays is told what it does not guard."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.account.opening import OpenAccount, explain_another, open_account
from pipeline.errors import StoreError, WrongKind
from pipeline.journal.journal import Journal
from pipeline.manifest.invocation import Invocation
from tests.account.accounts import ACCOUNT, DAY, lane, opened, states
from tests.account.test_importing import config, intended, lonely


def test_a_journal_that_cannot_be_read_keeps_no_other_from_its_guard(tmp_path: Path) -> None:
    """It is named to who asks; and over many journals there is a line now and then."""
    told: list[str] = []
    outputs = tmp_path / "outputs"
    for number in range(45):
        lonely(outputs / f"m{number:02}", [intended(f"r{number}")])
    broken = outputs / "m07" / "journal.db"
    broken.write_bytes(b"no database" * 500)
    with opened(tmp_path / "book.db") as book:
        account = OpenAccount(ACCOUNT, book, told.append)
        found = account.take_over(outputs, None, [])
    assert len(states(tmp_path / "book.db")) == 44
    assert [one.root for one in found if one.failure] == [broken.parent]
    assert told == [
        f"Comparing the journals with the account's book: {number} so far." for number in (20, 40)
    ]


def test_all_folders_near_are_looked_at(tmp_path: Path) -> None:
    """Those that the book follows, too: both may be older copies, of one moment."""
    outputs = tmp_path / "outputs"
    with opened(tmp_path / "book.db") as book:
        with lane(book, outputs / "followed") as one:
            one.intend("r")
        lonely(outputs / "taken", [intended("s")])
        (outputs / "gone").mkdir()
        (outputs / "gone" / "run.log").write_bytes(b"")
        (outputs / "other").mkdir()
        account = OpenAccount(ACCOUNT, book, print)
        for _ in range(2):
            found = account.take_over(outputs, None, [])
            assert {one.root.name for one in found} == {"followed", "taken", "gone"}


@pytest.mark.parametrize("gone", ["deleted", "replaced"])
def test_an_earlier_book_that_is_gone_is_said(tmp_path: Path, gone: str) -> None:
    """The run goes on by its journal: what other folders bought may be forgotten."""
    told: list[str] = []
    first, second = tmp_path / "one.db", tmp_path / "two.db"
    folder = tmp_path / "shop"
    with opened(first) as book, lane(book, folder) as one:
        one.intend("r")
    for rest in tmp_path.glob("one.db*"):
        rest.unlink()
    with (
        opened(first if gone == "replaced" else second) as book,
        contextlib.closing(Journal(folder / "journal.db")) as journal,
    ):
        account = OpenAccount(ACCOUNT, book, told.append)
        account.follow(journal, folder, Invocation(tmp_path / "m.csv"), DAY)
        assert states(book.path).keys() == {"rs-shop-r-1"}
    (line,) = told
    assert str(folder) in line
    assert str(first) in line
    assert "which is gone" in line


def test_a_new_book_beside_journals_of_another_is_said(tmp_path: Path) -> None:
    """Once for all of them: what the lost one knew of other folders is guarded no more."""
    told: list[str] = []
    outputs, path = tmp_path / "outputs", tmp_path / "book.db"
    with opened(tmp_path / "lost.db") as lost:
        for name in ("a", "b"):
            with lane(lost, outputs / name) as one:
                one.intend("r")
    lonely(outputs / "c", [intended("r")])
    with opened(path) as book:
        OpenAccount(ACCOUNT, book, told.append, fresh=True).take_over(outputs, None, [])
    (line,) = told
    assert f"{path} is new" in line
    assert "2 output folders" in line


@pytest.mark.skipif(os.name != "posix", reason="links need a right elsewhere")
def test_a_link_to_nowhere_is_no_new_book(tmp_path: Path) -> None:
    """It is there, and somebody meant something by it."""
    (tmp_path / "book.db").symlink_to(tmp_path / "gone" / "book.db")
    chosen = config(tmp_path / "outputs", f"account.book={tmp_path / 'book.db'}")
    with pytest.raises(StoreError, match="link to another place"):
        open_account(chosen, os.environ, print).__enter__()


def test_a_place_that_takes_the_file_and_not_the_book(tmp_path: Path) -> None:
    """A second book elsewhere would not know what another run puts into this one."""
    state = tmp_path / "var"
    (state / "book.db-wal").mkdir(parents=True)
    given = {"STATE_DIRECTORY": str(state)}
    chosen = config(tmp_path / "outputs")
    with pytest.raises(StoreError, match="the account's book") as caught:
        open_account(chosen, given, print).__enter__()
    assert str(state) in caught.value.message
    shutil.rmtree(state / "book.db-wal")
    with open_account(chosen, {**os.environ, **given}, print) as account:
        assert account is not None
        assert account.book.path == state / "book.db"


@pytest.mark.skipif(os.name != "posix", reason="needs a pipe in a folder")
@pytest.mark.parametrize("name", ["book.db", "book.db-wal"])
def test_a_pipe_in_the_place_of_the_book_sends_nobody_to_another(tmp_path: Path, name: str) -> None:
    """A book may have been there: a new one elsewhere would not know what was bought."""
    (tmp_path / "var").mkdir()
    os.mkfifo(tmp_path / "var" / name)
    given = {"STATE_DIRECTORY": str(tmp_path / "var")}
    with pytest.raises(WrongKind, match=f"{name} is a pipe, not a file"):
        open_account(config(tmp_path / "outputs"), given, print).__enter__()


@pytest.mark.parametrize("damaged", [False, True])
def test_the_book_of_an_earlier_version_is_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bool
) -> None:
    """It lies in the working folder under the name that the configuration says."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    with opened(here / "our.db") as book, lane(book, tmp_path / "shop") as shop:
        shop.intend("r")
    if damaged:
        (here / "our.db").write_bytes(b"no database" * 500)
    told: list[str] = []
    chosen = config(tmp_path / "outputs", f"account.book={there / 'our.db'}")
    with open_account(chosen, {}, told.append):
        pass
    (line,) = told
    words = (
        "may be the account's book of an earlier version" if damaged else "1 submission was taken"
    )
    assert words in line
    assert str(here / "our.db") in line
    assert len(states(there / "our.db")) == (0 if damaged else 1)


def test_an_older_copy_of_the_book_learns_from_the_folders_that_it_names(tmp_path: Path) -> None:
    """Wherever they are; one that cannot be read keeps nothing else from being known."""
    path = tmp_path / "book.db"
    with (
        opened(path) as book,
        lane(book, tmp_path / "far" / "shop") as shop,
        lane(book, tmp_path / "broken") as other,
    ):
        shop.intend("before")
        other.intend("r")
    shutil.copy(path, tmp_path / "older.db")
    with opened(path) as book, lane(book, tmp_path / "far" / "shop") as shop:
        shop.intend("later")
        shop.tell([ev.Accepted("later", 1, "t")])
    shutil.copy(tmp_path / "older.db", path)
    (tmp_path / "broken" / "journal.db").write_bytes(b"no database" * 500)
    with opened(path) as book:
        account = OpenAccount(ACCOUNT, book, print)
        account.catch_up({(tmp_path / "far" / "shop").resolve()})
        assert len(states(path)) == 2, "what is near was taken over already"
        account.catch_up(set())
    assert len(states(path)) == 3


@pytest.mark.parametrize(("manifest", "refused"), [("m.csv", True), ("other.csv", False)])
def test_another_journal_in_a_folder_is_refused_to_its_manifest_alone(
    tmp_path: Path, manifest: str, *, refused: bool
) -> None:
    """It does not know what was paid for; whose rows were never bought there has lost nothing."""
    folder = tmp_path / "shop"
    with opened(tmp_path / "book.db") as book:
        with lane(book, folder) as one:
            one.intend("r")
        (folder / "journal.db").unlink()
        lonely(folder, [intended("x")])
        typed = Invocation(folder / manifest)
        said = explain_another(folder / "journal.db", book.path, folder, typed)
    assert (said is not None) == refused
