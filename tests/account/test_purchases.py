"""What the rows of a manifest are compared with: the book, and journals beside it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.account.importing import import_journal
from pipeline.account.purchases import Purchases, find_purchases, knows_folder
from pipeline.disk.folder import OutputFolder
from pipeline.journal.journal import Journal
from tests.account.accounts import ACCOUNT, DAY, VIDEO, Lane, lane, opened
from tests.account.test_importing import config, intended, lonely


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    return tmp_path / "outputs"


def purchases(outputs: Path, book: Path, folder: Path) -> Purchases:
    found = find_purchases(
        config(outputs, f"account.book={book}"), os.environ, OutputFolder(folder), Path("m.csv")
    )
    assert found is not None
    return found


def test_keys_are_found_in_journals_that_the_book_does_not_know_to_their_end(
    tmp_path: Path, outputs: Path
) -> None:
    """A plan asks about the same table before any run has taken these journals over."""
    book, keys = tmp_path / "book.db", ("a", "b", "c", "d", "mine")
    old = lonely(outputs / "old", [intended("a"), intended("b"), ev.Declined("b", 1, None, "no")])
    own = lonely(outputs / "own", [intended("mine")])

    def known() -> dict[str, set[str]]:
        asked = purchases(outputs, book, own.parent).keys_elsewhere(keys)
        return {Path(one.folder).name: set(some) for one, some in asked}

    assert known() == {"old": {"a"}}
    with opened(book) as made:
        import_journal(made, ACCOUNT, old)
        with lane(made, outputs / "told") as told:
            told.intend("c")
    assert known() == {"old": {"a"}, "told": {"c"}}
    lonely(old.parent, [intended("d")])
    lonely(outputs / "later", [intended("b")])
    assert known() == {"old": {"a", "d"}, "told": {"c"}, "later": {"b"}}


def test_what_was_sent_from_a_journal_is_known_from_both(tmp_path: Path, outputs: Path) -> None:
    """As the newer of the two has it, and each submission once."""
    book = tmp_path / "book.db"
    with opened(book) as made, lane(made, outputs / "old") as old:
        old.intend("r", "s")
        name = old.journal.id
    with contextlib.closing(Journal(outputs / "old" / "journal.db")) as journal:
        journal.append([ev.Accepted("r", 1, "t"), intended("u")], DAY).result(10)
    found = purchases(outputs, book, outputs / "new").bought_for(name)
    assert {one.key: one.task_id for one in found} == {"r": "t", "s": None, "u": None}
    assert len(found) == 3


def test_the_prompts_of_all_that_was_bought_are_known_from_both(
    tmp_path: Path, outputs: Path
) -> None:
    """As they were sent, letter for letter: rows of large manifests are looked up by them."""
    book, odd = tmp_path / "book.db", 'a "caf\u00e9"\\,\r\n\x07steam'
    with opened(book) as made, lane(made, outputs / "old") as old:
        old.intend("r", text=odd)
    lonely(outputs / "beside", [intended("s", text="a bag")])
    assert {*purchases(outputs, book, outputs / "new").prompts()} == {odd, "a bag"}
    assert [*purchases(outputs, tmp_path / "none.db", outputs / "beside").prompts()] != []


def make(one: Lane, key: str, task: str) -> None:
    one.intend(key)
    one.tell([ev.Accepted(key, 1, task), ev.Completed(key, 1, None)])
    one.tell([ev.Downloaded(key, 1, VIDEO)])


def test_the_files_of_a_task_are_found_in_every_folder_of_the_account(
    tmp_path: Path, outputs: Path
) -> None:
    """Those near and those that the book knows; a journal that cannot be read hides no other."""
    book = tmp_path / "book.db"
    with opened(book) as made:
        for folder, account in (("far/a", ACCOUNT), ("outputs/b", ACCOUNT), ("far/c", "another")):
            with lane(made, tmp_path / folder, account) as one:
                make(one, "r", "task-1")
                make(one, "s", f"task of {folder}")
        with lane(made, tmp_path / "far/broken") as one:
            make(one, "r", "task-1")
        with lane(made, tmp_path / "far/gone") as one:
            make(one, "r", "task-1")
    (tmp_path / "far/gone/journal.db").unlink()
    (tmp_path / "far/broken/journal.db").write_bytes(b"no database" * 500)
    found = purchases(outputs, book, outputs / "new").copies_of({"task-1", "task-2"})
    paths = {task: {one.path for one in files} for task, files in found.items()}
    assert paths == {
        "task-1": {tmp_path / folder / "videos" / VIDEO.name for folder in ("far/a", "outputs/b")}
    }


@pytest.mark.parametrize(
    ("folder", "guarded", "guarded_from_afar"),
    [
        ("told", True, True),
        ("copy", True, True),
        ("copy and more", True, False),
        ("unknown", True, False),
        ("unreadable", False, False),
        ("empty", False, False),
    ],
)
def test_what_was_bought_for_a_folder_guards_a_run(
    tmp_path: Path, outputs: Path, folder: str, *, guarded: bool, guarded_from_afar: bool
) -> None:
    """If the book knows its journal, or the run takes that over, as it does with those near."""
    book = tmp_path / "book.db"
    with opened(book) as made, lane(made, outputs / "told") as one:
        one.intend("r")
    for copy in ("copy", "copy and more"):
        shutil.copytree(outputs / "told", outputs / copy)
    lonely(outputs / "copy and more", [intended("s")])
    for begun in ("unknown", "unreadable"):
        lonely(outputs / begun, [intended("t")])
    with contextlib.closing(sqlite3.connect(outputs / "unreadable" / "journal.db")) as connection:
        connection.execute("DROP TABLE attempts")
    place = outputs / folder
    live = config(outputs, f"account.book={book}")
    assert knows_folder(live, os.environ, place, near=True) == guarded
    assert knows_folder(live, os.environ, place, near=False) == guarded_from_afar
    for unguarded in ("account.book=none", "provider=rehearsal"):
        without = config(outputs, f"account.book={book}", unguarded)
        assert not knows_folder(without, os.environ, place, near=True)
