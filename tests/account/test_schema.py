"""The book's file: damaged, unreadable, newer, without its id, or not there at all."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.account import schema
from pipeline.account.book import Book
from pipeline.account.reading import (
    bought_elsewhere,
    doubts_of,
    id_of,
    journals_in,
    keys_bought,
    latest_tasks,
    owner_of_key,
    sent_from,
    submissions_of,
    tasks_among,
    total_since,
)
from pipeline.account.schema import unusable
from pipeline.engine.limits import Spend
from pipeline.errors import StoreError
from tests.account.accounts import ACCOUNT, accounts_in, lane, opened
from tests.system.test_journal_command import zeroed

PAGE_BYTES = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A book with a few dozen submissions."""
    path = tmp_path / "book.db"
    with opened(path) as book, lane(book, tmp_path / "a") as one:
        one.intend(*(f"r{number}" for number in range(60)))
        one.tell([ev.Accepted("r0", 1, "task-0")])
    return path


def change(book: Path, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(book)) as connection, connection:
        connection.execute(sql)


def test_a_damaged_page_is_found_before_a_request_is_judged(path: Path) -> None:
    """Whichever page it is: an index that lacks a purchase would have it bought again."""
    whole = path.read_bytes()
    for page in range(len(whole) // PAGE_BYTES):
        content = bytearray(whole)
        content[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = bytes(PAGE_BYTES)
        path.write_bytes(content)
        with pytest.raises(StoreError, match=r"book\.db") as caught:
            Book(path)
        assert "reelsheet account import" in (caught.value.action or "")
        path.with_name("book.db-wal").unlink(missing_ok=True)
        path.with_name("book.db-shm").unlink(missing_ok=True)
    path.write_bytes(whole)
    with opened(path):
        pass


def test_a_great_book_is_found_damaged_where_it_is_used(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To look through all of it would take every run seconds; nothing is sent by damage."""
    monkeypatch.setattr(schema, "_QUICKLY_CHECKED_BYTES", PAGE_BYTES)
    zeroed(path, "submissions")
    with opened(path) as book, lane(book, tmp_path / "b") as one:
        with pytest.raises(StoreError, match=r"book\.db") as caught:
            one.intend("s")
        assert "reelsheet account import" in (caught.value.action or "")


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE submissions SET state = 'unheard of'",
        "UPDATE requests SET body = '{}'",
    ],
)
def test_what_was_never_written_is_told_as_damage(path: Path, damage: str) -> None:
    (known,) = journals_in(path)
    change(path, damage)
    with pytest.raises(StoreError, match="never written") as caught:
        submissions_of(path, known.journal_id)
    assert "reelsheet account import" in (caught.value.action or "")


def test_each_failure_has_a_remedy_of_its_own(path: Path) -> None:
    """Nobody is told to mend a book that is only closed to them, or busy."""
    denied = unusable(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    assert "Run as its owner" in (denied.action or "")
    full = unusable(path.with_name("none"), OSError(errno.EROFS, os.strerror(errno.EROFS)))
    for one in (denied, full):
        assert "account.book" in (one.action or "")
    with (
        contextlib.closing(sqlite3.connect(path, isolation_level=None)) as holding,
        contextlib.closing(sqlite3.connect(path, timeout=0)) as waiting,
    ):
        holding.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as locked:
            waiting.execute("DELETE FROM keys")
    busy = unusable(path, locked.value)
    assert "lock" in busy.message
    for one in (denied, full, busy):
        assert "import" not in (one.action or "")


@pytest.mark.parametrize("made", [False, True])
def test_where_there_is_no_book_nothing_was_bought(tmp_path: Path, *, made: bool) -> None:
    """Nor where a kill left the file before anything was in it; to look writes nothing."""
    path = tmp_path / "book.db"
    if made:
        path.touch()
    assert bought_elsewhere(path, ACCOUNT, (), {"hash"}) == {}
    assert keys_bought(path, ACCOUNT, {"a"}) == []
    assert submissions_of(path, "any") == []
    assert tasks_among(path, {"task"}) == set()
    assert latest_tasks(path, ACCOUNT, 3) == []
    assert journals_in(path) == journals_in(path, tmp_path) == []
    assert accounts_in(path) == []
    assert id_of(path) == ""
    assert owner_of_key(path, "sk-one") is None
    assert total_since(path, ACCOUNT, 0.0, None) == Spend()
    assert list(sent_from(path, ACCOUNT)) == []
    assert doubts_of(path, ACCOUNT) == []
    assert path.exists() == made
    assert not made or path.read_bytes() == b""


def test_a_kill_before_the_book_had_its_id(path: Path) -> None:
    """It can be read all the same, and the next run gives it one."""
    change(path, "DELETE FROM meta WHERE name = 'id'")
    assert id_of(path) == ""
    assert owner_of_key(path, "sk-one") is None
    with opened(path) as book:
        assert len(book.id) == 32
    assert id_of(path) == book.id


def test_tasks_are_known_whoever_submitted_them(path: Path, tmp_path: Path) -> None:
    """Of any number that is asked for, also more than a query takes."""
    with opened(path) as book, lane(book, tmp_path / "b", "another") as other:
        other.intend("s")
        other.tell([ev.Accepted("s", 1, "task-s")])
    asked = {f"task-{number}" for number in range(1200)} | {"task-s"}
    assert tasks_among(path, asked) == {"task-0", "task-s"}
    assert tasks_among(path, set()) == set()
    assert accounts_in(path) == ["another", ACCOUNT]
