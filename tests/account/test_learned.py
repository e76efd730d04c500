"""What the book keeps of how tasks go: by account and kind, bounded, and for every process."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from pipeline.account.book import Book
from pipeline.account.learned import keep_learned, learned_tasks
from pipeline.account.schema import VERSION
from pipeline.disk.sqlitefile import version_of
from pipeline.engine.bars import PARTS
from pipeline.engine.experience import Known
from pipeline.engine.rows import Kind
from tests.account.accounts import ACCOUNT, DAY, opened

KIND: Kind = ("gemini_omni_flash", 6, "720P", 0)


def news(duration_s: float, count: int = 40, kind: Kind = KIND) -> Known:
    """What a run has learned of so many tasks of one length."""
    ratios = tuple((1.0,) if part == 20 else () for part in range(PARTS))
    return Known(kind, (duration_s,) * count, count, ratios, ratios, 0.75)


def keep(book: Book, *of: Known, account: str = ACCOUNT, at: float = DAY) -> None:
    keep_learned(book, account, of, at).result()


def change(book: Path, sql: str, *values: str) -> None:
    with contextlib.closing(sqlite3.connect(book)) as connection, connection:
        connection.execute(sql, values)


def test_a_run_begins_with_what_those_before_have_learned(tmp_path: Path) -> None:
    """Of the same account alone."""
    path = tmp_path / "book.db"
    assert learned_tasks(path, ACCOUNT) == []
    with opened(path) as book:
        keep(book, news(61.23456), news(90, kind=("another", 6, "720P", 0)))
        keep(book, news(300), account="elsewhere")
    known = {one.kind: one for one in learned_tasks(path, ACCOUNT)}
    assert set(known) == {KIND, ("another", 6, "720P", 0)}
    assert known[KIND].durations_s == (61.23,) * 40
    assert known[KIND].by_pace[20] == known[KIND].by_speed[20] == (1.0,)
    assert known[KIND].heeded == 0.75
    (other,) = learned_tasks(path, "elsewhere")
    assert other.durations_s[0] == 300


def test_processes_add_what_they_have_learned_themselves(tmp_path: Path) -> None:
    """One that learned little does not wipe out what another one learned meanwhile."""
    path = tmp_path / "book.db"
    with opened(path) as one, opened(path) as other:
        keep(one, news(60, 150))
        keep(other, news(90, 10))
    (known,) = learned_tasks(path, ACCOUNT)
    assert known.durations_s.count(60) == 150
    assert known.durations_s.count(90) == 10


def test_the_book_does_not_grow_with_what_is_learned(tmp_path: Path) -> None:
    """A line a kind, of a few kilobytes; the kinds that were used last."""
    path = tmp_path / "book.db"
    with opened(path) as book:
        for night in range(60):
            keep(book, news(60, 5000, (f"model {night}", 6, "720P", 0)), at=DAY + night)
    known = {one.kind[0] for one in learned_tasks(path, ACCOUNT)}
    assert known == {f"model {night}" for night in range(10, 60)}
    with contextlib.closing(sqlite3.connect(path)) as connection:
        ((longest,),) = connection.execute("SELECT max(length(body)) FROM learned")
    assert longest < 20_000


def test_a_book_of_an_earlier_version_knows_nothing_yet(tmp_path: Path) -> None:
    """To look changes nothing; the next run brings it forward, with all that it knows."""
    path = tmp_path / "book.db"
    with opened(path) as book:
        book.note_references(ACCOUNT)
    change(path, "DROP TABLE learned")
    change(path, "PRAGMA user_version = 1")
    assert learned_tasks(path, ACCOUNT) == []
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert version_of(connection) == 1
    with opened(path) as book:
        assert book.finds_by_reference(ACCOUNT)
        keep(book, news(60))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert version_of(connection) == VERSION
    assert len(learned_tasks(path, ACCOUNT)) == 1


@pytest.mark.parametrize(
    "body",
    ["", "{}", "[]", "nothing", '{"durations_s":["x"],"by_pace":[],"by_speed":[],"heeded":0}'],
)
def test_a_line_that_is_not_understood_is_learned_anew(tmp_path: Path, body: str) -> None:
    """It is no purchase: nothing stops for it."""
    path = tmp_path / "book.db"
    with opened(path) as book:
        keep(book, news(60))
        change(path, "UPDATE learned SET body = ?", body)
        assert learned_tasks(path, ACCOUNT) == []
        keep(book, news(70))
    (known,) = learned_tasks(path, ACCOUNT)
    assert set(known.durations_s) == {70.0}
