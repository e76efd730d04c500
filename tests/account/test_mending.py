"""A damaged book: a new one is made of what can be read of it, and of the journals."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.account.book import Book
from pipeline.account.mending import is_broken, mend, shows_a_book
from pipeline.account.reading import journals_in
from pipeline.errors import StoreError
from pipeline.journal.journal import Journal
from pipeline.manifest.wording import quote_name
from tests.account.accounts import ACCOUNT, lane, opened
from tests.system.test_journal_command import a_text, emptied, halved, torn, zeroed

ROWS = [f"row{n:03}" for n in range(120)]


def zeroed_in_submissions(path: Path) -> None:
    zeroed(path, "submissions")


def zeroed_in_journals(path: Path) -> None:
    zeroed(path, "journals")


def zeroed_in_the_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    pages = len(content) // 4096
    for page in (pages // 3, pages // 2, pages - 2):
        content[page * 4096 : (page + 1) * 4096] = bytes(4096)
    path.write_bytes(content)


DAMAGES = [
    zeroed_in_submissions,
    zeroed_in_journals,
    zeroed_in_the_middle,
    halved,
    torn,
    emptied,
    a_text,
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A book that knows two journals, `near` and `far`, with all rows bought."""
    book = tmp_path / "state" / "book.db"
    book.parent.mkdir()
    with opened(book) as made:
        for name in ("near", "far"):
            with lane(made, tmp_path / name) as some:
                some.intend(*ROWS)
                some.tell([ev.Accepted(key, 1, f"{name}-{key}") for key in ROWS])
    return book


def bought(path: Path) -> set[str | None]:
    with contextlib.closing(sqlite3.connect(path)) as book:
        return {task_id for (task_id,) in book.execute("SELECT task_id FROM submissions")}


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_journal_that_is_known_is_taken_over(
    path: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """With the one near whatever is damaged; with the others where the book can name them."""
    before = path.stat().st_size
    damage(path)
    assert is_broken(path)
    mended = mend(path, ACCOUNT, [tmp_path / "near" / "journal.db"])
    assert not is_broken(path)
    assert mended.lost == ()
    assert mended.aside.is_file()
    assert mended.aside.stat().st_size <= before or damage is a_text
    known = bought(path)
    assert {f"near-{key}" for key in ROWS} <= known
    if damage not in {emptied, a_text}:
        assert {f"far-{key}" for key in ROWS} <= known
    assert mended.submissions == len(known)


@pytest.mark.parametrize("damage", [zeroed_in_journals, zeroed_in_the_middle])
def test_what_only_the_book_knows_is_read_from_it(
    path: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """Of journals that are gone as much as is not damaged."""
    for name in ("near", "far"):
        shutil.rmtree(tmp_path / name)
    damage(path)
    mended = mend(path, ACCOUNT, [])
    assert len(mended.lost) == (0 if damage is zeroed_in_journals else 2)
    assert mended.submissions > len(ROWS)


def test_a_journal_that_cannot_be_read_is_named_and_the_book_believed(
    path: Path, tmp_path: Path
) -> None:
    """What the damaged book tells of its rows is kept."""
    a_text(tmp_path / "far" / "journal.db")
    zeroed(path, "uploads")
    mended = mend(path, ACCOUNT, [])
    assert mended.lost == (str(tmp_path / "far"),)
    assert {f"far-{key}" for key in ROWS} <= bought(path)


def test_a_file_shows_what_it_was(path: Path, tmp_path: Path) -> None:
    """By its first page, whatever is damaged behind it; what cannot be read shows nothing."""
    zeroed_in_the_middle(path)
    assert shows_a_book(path)
    assert not shows_a_book(tmp_path / "near" / "journal.db")
    assert not shows_a_book(tmp_path / "none.db")


def test_a_journal_that_is_an_older_copy_takes_nothing_back(path: Path, tmp_path: Path) -> None:
    """The damaged book knew more of it."""
    journal = tmp_path / "far" / "journal.db"
    (tmp_path / "copy").mkdir()
    with contextlib.closing(Journal(tmp_path / "copy" / "journal.db")) as copy:
        copy.take_over_id(next(one.journal_id for one in journals_in(path) if "far" in one.folder))
    shutil.copy(tmp_path / "copy" / "journal.db", journal)
    zeroed(path, "uploads")
    mend(path, ACCOUNT, [])
    assert {f"far-{key}" for key in ROWS} <= bought(path)


def test_journals_go_on_with_the_new_book(path: Path) -> None:
    """It has another id, and knows that of the damaged one."""
    with contextlib.closing(Book(path)) as book:
        earlier = book.id
    zeroed(path, "submissions")
    mend(path, ACCOUNT, [])
    with contextlib.closing(Book(path)) as book:
        assert book.id != earlier
        assert earlier in book.earlier


def test_a_whole_book_is_not_broken(path: Path, tmp_path: Path) -> None:
    """Nor is one that is not there, and a newer one is not touched."""
    assert not is_broken(path)
    assert not is_broken(tmp_path / "none.db")


def test_the_damage_names_the_command_that_mends(path: Path) -> None:
    """With the file, as it can be pasted."""
    zeroed(path, "submissions")
    with pytest.raises(StoreError) as raised:
        Book(path)
    assert f"reelsheet account import {quote_name(str(path))}" in str(raised.value.action)
