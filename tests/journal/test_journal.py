"""The journal keeps what was reported durable, says it again, and belongs to one manifest."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from pipeline import events as ev
from pipeline.disk.groupcommit import Committed
from pipeline.errors import ExitCode, StoreError, UsageError
from pipeline.journal.database import VERSION
from pipeline.journal.journal import Journal
from pipeline.journal.ownership import find_manifest
from pipeline.journal.reading import read_durations, read_entries, replay
from pipeline.lifecycle import ImpossibleMove, apply
from pipeline.model import Entry, State
from tests.conftest import share_of_examples
from tests.journal.lives import VIDEO, intended, lives


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Journal]:
    with contextlib.closing(Journal(path)) as journal:
        yield journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def sql(path: Path, statement: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement).fetchall()


@settings(max_examples=share_of_examples(0.25))
@given(lives())
def test_the_tables_the_replay_and_the_fold_agree(batches: list[list[ev.Event]]) -> None:
    """For any lives: what the tables hold is what all events, folded anew, come to."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal.db")
        folded: dict[str, Entry] = {}
        with opened(path) as journal:
            for at, batch in enumerate(batches):
                for event in batch:
                    entry = apply(folded.pop(event.key, None), event, float(at))
                    folded[entry.key] = entry
                written = journal.append(batch, float(at))
            written.result(10)
            assert journal.entries() == folded
        with opened(path) as again:
            assert again.entries() == folded
        assert replay(path) == read_entries(path) == folded


def test_what_is_reported_durable_is_there_for_everyone(path: Path) -> None:
    """When the future is done, another connection sees the event and its state."""
    with opened(path) as journal:
        journal.append([intended("a")], 1.0).result(10)
        assert read_entries(path)["a"].state is State.SUBMITTING
        assert sql(path, "SELECT kind, at FROM events") == [("Intended", 1.0)]
        assert sql(path, "PRAGMA journal_mode") == [("wal",)]


def test_an_event_and_its_state_are_one_transaction(path: Path) -> None:
    """A batch with an impossible event leaves nothing behind, and nothing is written after it."""
    with opened(path) as journal:
        journal.append([intended("a")], 1.0).result(10)
        bad = journal.append([intended("b"), ev.Completed("a", 1, None)], 2.0)
        with pytest.raises(ImpossibleMove):
            bad.result(10)
        with pytest.raises(ImpossibleMove):
            journal.append([intended("c")], 3.0).result(10)
    assert set(replay(path)) == set(read_entries(path)) == {"a"}


def test_a_later_journal_goes_on_where_the_earlier_ended(path: Path) -> None:
    """A row's open state is read back before the next event."""
    with opened(path) as journal:
        journal.append([intended("a"), ev.Accepted("a", 1, "t1")], 1.0)
    with opened(path) as journal:
        journal.append([ev.Completed("a", 1, 3.0), ev.Downloaded("a", 1, VIDEO)], 2.0).result(10)
        assert journal.entries()["a"].video == VIDEO
    assert replay(path)["a"].finished_at == 2.0


def test_a_row_that_settles_and_moves_on_in_one_batch(path: Path) -> None:
    """Its second event follows its first, which the tables do not hold yet."""
    with opened(path) as journal:
        journal.append([intended("a"), ev.Accepted("a", 1, "t1")], 1.0).result(10)
    lived = [
        ev.Completed("a", 1, 3.0),
        ev.Downloaded("a", 1, VIDEO),
        ev.Requeued("a", 1),
        intended("a", 2),
        ev.Declined("a", 2, None, "no"),
        ev.Requeued("a", 2),
    ]
    with opened(path) as journal:
        journal.append(lived, 2.0).result(10)
        journal.append([intended("a", 3)], 3.0).result(10)
        entries = journal.entries()
    assert entries["a"].take == VIDEO
    assert entries["a"].attempt.number == 3
    assert replay(path) == entries


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep the journal's writer waiting in the middle of its first transaction."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("COMMIT")


def test_what_shares_a_commit_shares_its_future(path: Path) -> None:
    """Nobody can cancel it for the others; no batch grows for ever; all of it is there."""
    with opened(path) as journal:
        with held(path):
            first = journal.append([intended("first")], 1.0)
            upload = journal.remember_upload("shop", "aa", "https://files.example/1", 1.0)
            many = journal.append([intended(f"row{n}") for n in range(2000)], 1.0)
            last = [journal.append([intended(f"last{n}")], 1.0) for n in range(2)]
            assert not last[1].cancel()
            assert not any(one.done() for one in (first, upload, many, *last))
            assert last[0] is last[1]
            assert last[0] is not many
        assert last[1].result(10) == Committed()
        assert all(one.done() for one in (first, upload, many))
        assert len(journal.entries()) == 2003
        assert len(list(journal.uploads("shop", since=0.0))) == 1


def test_many_rows_in_one_commit(path: Path) -> None:
    """However many rows share a commit, new ones and those of an earlier run: each is told."""
    keys = [f"P{number}" for number in range(60)]
    with opened(path) as journal:
        journal.append([intended(key) for key in keys[:40]], 1.0).result(10)
    with opened(path) as again:
        accepted = [ev.Accepted(key, 1, f"task-{key}") for key in keys[:40]]
        again.append([*accepted, *map(intended, keys[40:])], 2.0).result(10)
    entries = read_entries(path)
    assert entries == replay(path)
    assert [entries[key].task_id for key in keys] == [f"task-{key}" for key in keys[:40]] + (
        [None] * 20
    )


def test_attempts_that_follow_each_other_in_one_commit(path: Path) -> None:
    """A failed attempt and the next one of the same row share a commit, for many rows."""
    keys = [f"P{number}" for number in range(40)]
    events: list[ev.Event] = []
    for key in keys:
        events += [intended(key), ev.Accepted(key, 1, "a"), ev.TaskFailed(key, 1, "moderation", "")]
        events += [ev.Requeued(key, 1), intended(key, 2), ev.Accepted(key, 2, f"task-{key}")]
    with opened(path) as journal:
        journal.append(events, 1.0).result(10)
        journal.append([ev.Completed(key, 2, 30.0) for key in keys], 2.0).result(10)
        assert journal.entries_of(keys) == journal.entries() == replay(path)
    entries = read_entries(path)
    assert {(one.state, one.attempt.number) for one in entries.values()} == {(State.READY, 2)}


def test_closing_writes_what_is_queued(path: Path) -> None:
    """Nothing that was appended is forgotten by close."""
    with opened(path) as journal:
        waiting = [journal.append([intended(f"row{n}")], float(n)) for n in range(5000)]
    assert all(one.done() and one.exception() is None for one in waiting)
    assert len(read_entries(path)) == 5000


def test_many_at_once_share_their_commits(path: Path) -> None:
    """Three thousand concurrent appends make a few transactions: the header counts them."""
    with opened(path) as journal:
        journal.append([intended("first")], 0.0).result(10)
        before = commits(path)
        waiting = [journal.append([intended(f"row{n}")], 1.0) for n in range(3000)]
        for one in waiting:
            one.result(10)
        assert commits(path) - before < 1000


def commits(path: Path) -> int:
    """Count the frames of the write-ahead log that end a transaction.

    Source: https://www.sqlite.org/fileformat.html#the_write_ahead_log: a header of 32 bytes, then
    frames of 24 bytes and a page; bytes 4-8 of a commit's last frame are not zero.
    """
    log = path.with_name(path.name + "-wal").read_bytes()
    page = int.from_bytes(log[8:12], "big")
    frames = range(32, len(log) - 24, 24 + page)
    return sum(log[at + 4 : at + 8] != bytes(4) for at in frames)


def test_commits_wait_for_the_disk(path: Path) -> None:
    """An intent is durable against a power cut: synchronous is FULL."""
    with opened(path) as journal:
        assert journal._connection.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such modes")
@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open cannot be deleted there")
def test_after_its_file_was_deleted_nothing_new_begins(path: Path) -> None:
    """The commit says so, and what is known of money still goes on to the book."""
    with contextlib.closing(Journal(path)) as journal:
        assert journal.append([intended("a")], 1.0).result(10).shortage is None
        path.unlink()
        shortage = journal.append([intended("b")], 1.0).result(10).shortage
        assert "was deleted, moved or replaced" in str(shortage)
        journal.append([ev.Accepted("a", 1, "task-1")], 2.0).result(10)
        assert journal.entries()["a"].task_id == "task-1"


def test_nobody_else_may_read_it(path: Path) -> None:
    """The journal and the files beside it are for their owner alone, whatever the umask."""
    before = os.umask(0)
    try:
        with opened(path) as journal:
            journal.append([intended("a")], 1.0).result(10)
            modes = {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {0o600}


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_symbolic_link_is_not_followed(path: Path) -> None:
    """Nobody gets the journal written somewhere else."""
    path.symlink_to(path.with_name("elsewhere.db"))
    with pytest.raises(StoreError, match="cannot be used"):
        Journal(path)
    assert not path.with_name("elsewhere.db").exists()


def test_another_manifest_is_refused(path: Path, tmp_path: Path) -> None:
    """Two manifests of one name must not share a folder unnoticed; --adopt moves it over."""
    with opened(path) as journal:
        journal.claim(tmp_path / "a" / "shop.csv", adopt=False)
        journal.claim(tmp_path / "a" / ".." / "a" / "shop.csv", adopt=False)
        with pytest.raises(UsageError, match=r"another manifest: .*a.shop\.csv") as caught:
            journal.claim(tmp_path / "b" / "shop.csv", adopt=False)
        assert caught.value.exit_code is ExitCode.USAGE
        assert "--adopt" in (caught.value.action or "")
        journal.claim(tmp_path / "b" / "shop.csv", adopt=True)
    with opened(path) as journal, pytest.raises(UsageError):
        journal.claim(tmp_path / "a" / "shop.csv", adopt=False)


def test_a_manifest_that_exists_keeps_its_journal(path: Path, tmp_path: Path) -> None:
    """With --adopt, too: it would begin another one and pay for all of its rows again."""
    shop = tmp_path / "shop.csv"
    shop.touch()
    with opened(path) as journal:
        journal.claim(shop, adopt=False)
        for adopt in (True, False):
            with pytest.raises(UsageError, match="which still exists") as caught:
                journal.claim(tmp_path / "b" / "shop.csv", adopt=adopt)
            assert "--adopt" not in (caught.value.action or "")
        shop.unlink()
        journal.claim(tmp_path / "b" / "shop.csv", adopt=True)


def test_its_own_results_are_of_the_same_manifest(path: Path, tmp_path: Path) -> None:
    """A file that a run wrote into the folder takes nothing over: the journal stays whose it is."""
    shop = tmp_path / "a" / "shop.csv"
    with opened(path) as journal:
        journal.claim(shop, adopt=False)
        journal.claim(tmp_path / "failed.csv", adopt=False)
        journal.claim(tmp_path / "results.csv", adopt=True)
        journal.claim(shop, adopt=False)
    assert find_manifest(path) == shop.resolve()


def test_a_journal_says_whose_it_is(path: Path, tmp_path: Path) -> None:
    """Nobody's before it is there, and before a run has claimed it."""
    assert find_manifest(path) is None
    with opened(path) as journal:
        assert find_manifest(path) is None
        journal.claim(tmp_path / "shop.csv", adopt=False)
    assert find_manifest(path) == (tmp_path / "shop.csv").resolve()


def test_the_identity_of_a_journal_stays(path: Path) -> None:
    """References are made from it, so it never changes; another journal has another one."""
    with opened(path) as journal:
        first = journal.id
    with opened(path) as journal:
        assert journal.id == first
    with opened(path.with_name("other.db")) as journal:
        assert journal.id != first


def test_a_newer_version_is_refused(path: Path) -> None:
    """An old program does not write into a new journal, nor read it wrongly."""
    with opened(path):
        pass
    sql(path, f"PRAGMA user_version = {VERSION + 1}")
    for use in (Journal, read_entries, replay):
        with pytest.raises(UsageError, match="newer version"):
            use(path)


@pytest.mark.parametrize(
    "content", [b"not a database at all, but a text" * 100, bytes(range(256)) * 8]
)
def test_a_file_that_is_no_journal_is_named(path: Path, content: bytes) -> None:
    """A clear message with the path and what to do, not a traceback."""
    path.write_bytes(content)
    for use in (Journal, read_entries, replay):
        with pytest.raises(StoreError, match="no SQLite database, or it is damaged") as caught:
            use(path)
        assert str(path) in caught.value.message
    assert path.read_bytes() == content


def test_a_journal_that_lost_a_table_is_named(path: Path) -> None:
    """Damage inside of the file is a StoreError, too."""
    with opened(path):
        pass
    sql(path, "DROP TABLE attempts")
    with pytest.raises(StoreError, match="attempts"):
        Journal(path)
    with pytest.raises(StoreError):
        read_entries(path)
    sql(path, "DROP TABLE meta")
    with pytest.raises(StoreError):
        Journal(path)


def test_no_journal_is_no_rows(path: Path) -> None:
    """Reading makes no file; a replay of nothing says so."""
    assert read_entries(path) == {}
    with pytest.raises(StoreError, match="no journal"):
        replay(path)
    assert not path.exists()


def test_reading_does_not_disturb_a_run(path: Path) -> None:
    """`status` beside a run sees what is committed, and stops nobody."""
    with opened(path) as journal:
        for number in range(50):
            journal.append([intended(f"row{number}")], 1.0).result(10)
            assert len(read_entries(path)) == number + 1


def test_uploads_are_kept_by_account_and_age(path: Path) -> None:
    """A picture's URL is found again for its account, and only while it is young."""
    with opened(path) as journal:
        journal.remember_upload("shop", "aa", "https://files.example/1", 100.0)
        journal.remember_upload("shop", "bb", "https://files.example/2", 200.0)
        journal.remember_upload("other", "cc", "https://files.example/3", 200.0)
        journal.remember_upload("shop", "aa", "https://files.example/4", 300.0).result(10)
        assert sorted(journal.uploads("shop", since=150.0)) == [
            ("aa", "https://files.example/4", 300.0),
            ("bb", "https://files.example/2", 200.0),
        ]
        assert list(journal.uploads("shop", since=300.0)) == []


def test_runs_are_noted(path: Path) -> None:
    """When a run began and how it ended."""
    with opened(path) as journal:
        journal.begin_run("r1", "run", 1.0)
        journal.end_run("r1", 2.0, 5)
        journal.begin_run("r2", "retry", 3.0)
    assert sql(
        path, "SELECT run_id, command, started_at, finished_at, exit_code FROM runs ORDER BY run_id"
    ) == [
        ("r1", "run", 1.0, 2.0, 5),
        ("r2", "retry", 3.0, None, None),
    ]


def test_durations_are_told_the_latest_first(path: Path) -> None:
    """What the provider did not tell is left out; without a journal there is nothing to tell."""
    assert read_durations(path) == []
    with opened(path) as journal:
        for key, took_s in (("a", 30.5), ("b", None), ("c", 41.0)):
            row = [intended(key), ev.Accepted(key, 1, f"t-{key}"), ev.Completed(key, 1, took_s)]
            journal.append(row, 1.0).result(10)
    assert read_durations(path) == [41.0, 30.5]
    assert read_durations(path, most=1) == [41.0]


def test_a_journal_without_tables_is_no_journal_yet(path: Path) -> None:
    """A run that was killed before it made the tables has left nothing to read."""
    path.touch()
    assert read_entries(path) == {}


def test_whether_a_task_was_found_or_given(path: Path) -> None:
    """Only a task that somebody found may be put to another row; one taken back is no more."""
    with opened(path) as journal:
        journal.append([intended("given"), ev.Accepted("given", 1, "t1")], 1.0).result(10)
        found = [intended("found"), ev.AnswerLost("found", 1, "?"), ev.Found("found", 1, "t2")]
        journal.append([*found, intended("sent")], 2.0).result(10)
        entries = read_entries(path)
        assert {key: journal.was_found(entry) for key, entry in entries.items()} == {
            "given": False,
            "found": True,
            "sent": False,
        }
