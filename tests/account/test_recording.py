"""Journal first, then book; and the numbers that tell which of the two is older."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from pipeline import events as ev
from pipeline.account.reading import journals_in
from pipeline.account.recording import Pair, pair_in
from pipeline.model import State
from tests.account.accounts import ACCOUNT, DAY, lane, opened, states


def pair_of(journal: Path) -> Pair:
    """What a journal's file says of its book."""
    with contextlib.closing(sqlite3.connect(journal)) as connection:
        return pair_in(dict(connection.execute("SELECT name, value FROM meta")))


def test_the_numbers_of_both(tmp_path: Path) -> None:
    path, journal = tmp_path / "book.db", tmp_path / "a" / "journal.db"
    with opened(path) as book:
        with lane(book, tmp_path / "a") as one:
            assert pair_of(journal) == Pair(book.id, str(path), 0, 0, 0)
            one.intend("r")
            assert (pair_of(journal).seq, pair_of(journal).confirmed) == (1, 0)
            one.tell([ev.Accepted("r", 1, "t")])
            one.tell([ev.Completed("r", 1, None)])
            pair = pair_of(journal)
            assert (pair.seq, pair.confirmed, pair.last_event) == (2, 1, 2)
            (known,) = journals_in(path)
            assert (known.seq, known.last_event) == (2, 2)
        with lane(book, tmp_path / "a") as one:
            assert (pair_of(journal).seq, pair_of(journal).confirmed) == (2, 2)
            one.intend("s")
            assert (pair_of(journal).seq, journals_in(path)[0].seq) == (3, 3)


def test_an_upload_is_kept_for_all_manifests_and_for_this_one(tmp_path: Path) -> None:
    """The book has it for the account; the journal, where there is no book."""
    with opened(tmp_path / "book.db") as book, lane(book, tmp_path / "a") as one:
        url = "https://files.example/1"
        one.recorder.remember_upload("address key", "aa", url, DAY).result(20)
        assert list(one.journal.uploads("address key", DAY - 1)) == [("aa", url, DAY)]
    with opened(tmp_path / "book.db") as book:
        assert list(book.uploads(ACCOUNT, DAY - 1)) == [("aa", url, DAY)]


def test_a_refused_intent_is_in_the_journal_alone(tmp_path: Path) -> None:
    with (
        opened(tmp_path / "book.db") as book,
        lane(book, tmp_path / "a") as a,
        lane(book, tmp_path / "b") as b,
    ):
        a.intend("r", text="same")
        assert b.intend("s", text="same").withheld
        assert b.journal.entries()["s"].state is State.SUBMITTING
        b.tell([ev.NotAccepted("s", 1)])
        assert b.journal.entries()["s"].state is State.WAITING
        # Both told of their numbers all the same: the journal is not ahead for good.
        numbers = {one.journal_id: one.seq for one in journals_in(book.path)}
        assert numbers == {a.journal.id: 1, b.journal.id: 2}
    assert states(tmp_path / "book.db") == {"rs-a-r-1": State.SUBMITTING}


def test_a_number_is_never_used_again_with_an_older_journal(tmp_path: Path) -> None:
    """The book's number stands where the journal is an older copy, and counts on from there."""
    journal = tmp_path / "a" / "journal.db"
    with opened(tmp_path / "book.db") as book:
        with lane(book, tmp_path / "a") as one:
            one.intend("r")
        old = journal.read_bytes()
        with lane(book, tmp_path / "a") as one:
            one.intend("s")
            one.intend("t")
        journal.write_bytes(old)
        with lane(book, tmp_path / "a") as one:
            one.intend("u")
        assert pair_of(journal).seq == 4
        assert journals_in(book.path)[0].seq == 4
