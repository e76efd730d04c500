"""Kills and full disks: what was reported durable stays, and nothing is half-written."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.account import schema
from pipeline.disk.groupcommit import Committed, done_with
from pipeline.errors import JournalDamaged, StoreError
from pipeline.journal.copies import back_up, salvage
from pipeline.journal.database import VERSION, unusable
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_entries, replay
from pipeline.journal.writing import Change
from pipeline.manifest.invocation import Invocation, note_invocation
from tests.journal.lives import intended, kill_while_written

ROOT = Path(__file__).resolve().parents[2]

WRITER = """
import sys
from pathlib import Path
from pipeline import events as ev
from pipeline.journal.journal import Journal
from tests.journal.lives import VIDEO, intended

journal, number = Journal(Path(sys.argv[1])), 0
while True:
    keys = [f"row{number + i}" for i in range(7)]
    number += 7
    intents = [journal.append([intended(key)], 1.0) for key in keys]
    for key, done in zip(keys, intents):
        done.result()
        print("intent", key, flush=True)
    answers = [
        journal.append([ev.Accepted(key, 1, "task-" + key), ev.Completed(key, 1, None)], 2.0)
        for key in keys
    ]
    for key, done in zip(keys, answers):
        done.result()
        print("answer", key, flush=True)
"""

LIMITED = """
import resource, signal, sys
from pathlib import Path
from pipeline.errors import JournalDamaged, StoreError
from pipeline.journal import journal as module
from pipeline.journal.journal import Journal
from tests.journal.lives import intended

journal, number = Journal(Path(sys.argv[1])), 0
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
while number < 100_000:
    try:
        journal.append([intended(f"row{number}")], 1.0).result(10)
    except StoreError as error:
        print(number, error.message, flush=True)
        module._FOLD_EVERY_S = 0.0
        break
    number += 1
try:
    journal.append([intended("later")], 1.0).result(10)
except StoreError:
    print("refused", flush=True)
journal.close()
"""


def child(code: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def assert_whole(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert replay(path) == read_entries(path)


@pytest.mark.process
@pytest.mark.parametrize("lines", [1, 20, 333])
def test_a_killed_process_loses_nothing_that_was_durable(tmp_path: Path, lines: int) -> None:
    """SIGKILL in the middle of writing: every event that was reported durable is there."""
    path = tmp_path / "journal.db"
    with child(WRITER, path) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline().split() for _ in range(lines)]
        writer.kill()
        *whole, _ = writer.stdout.read().split("\n")  # the last word may be cut by the kill
        said += [line.split() for line in whole]
    entries = read_entries(path)
    for what, key in said:
        assert key in entries
        assert what == "intent" or entries[key].task_id == f"task-{key}"
    assert_whole(path)
    with contextlib.closing(Journal(path)) as journal:
        journal.append([intended("after")], 3.0).result(10)
    assert_whole(path)


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_a_file_that_may_not_grow_is_a_store_error(tmp_path: Path) -> None:
    """The append fails in plain words, so do all later ones, and what was there is whole."""
    path = tmp_path / "journal.db"
    with child(LIMITED, path) as writer:
        assert writer.stdout is not None
        first, *rest = writer.stdout.read().splitlines()
    assert writer.returncode == 0
    number, message = first.split(" ", 1)
    assert f"the journal {path} cannot be used" in message
    assert rest == ["refused"]
    assert set(read_entries(path)) == {f"row{one}" for one in range(int(number))}
    assert_whole(path)


def test_a_full_database_is_a_store_error(tmp_path: Path) -> None:
    """SQLite's own limit of pages stands for a full disk: nothing of the batch is written."""
    path = tmp_path / "journal.db"
    with contextlib.closing(Journal(path)) as journal:
        journal.append([intended("a")], 1.0).result(10)
        pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
        journal._connection.execute(f"PRAGMA max_page_count = {pages}")
        batch = [intended(f"row{n}", text="long " * 500 + str(n)) for n in range(20)]
        with pytest.raises(StoreError, match="full"):
            journal.append(batch, 2.0).result(10)
        with pytest.raises(StoreError):
            journal.remember_upload("shop", "aa", "https://files.example/1", 1.0).result(10)
        with pytest.raises(StoreError):
            journal.begin_run("r", "run", 1.0)
    assert set(read_entries(path)) == {"a"}
    assert_whole(path)


def test_a_locked_journal_is_a_store_error(tmp_path: Path) -> None:
    """Another program that holds the file makes no traceback."""
    path = tmp_path / "journal.db"
    with contextlib.closing(Journal(path)) as journal:
        journal._connection.execute("PRAGMA busy_timeout = 1")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked"):
                journal.append([intended("a")], 1.0).result(10)
    assert read_entries(path) == {}


def test_a_folder_that_is_not_there_is_a_store_error(tmp_path: Path) -> None:
    """The message names the file."""
    path = tmp_path / "nowhere" / "journal.db"
    with pytest.raises(StoreError, match="nowhere"):
        Journal(path)


def alone(path: Path) -> Path:
    """Copy the file by itself, as `cp` would."""
    folder = path.parent / "alone"
    folder.mkdir()
    return Path(shutil.copy(path, folder))


def test_a_quiet_journal_is_whole_as_a_file(tmp_path: Path) -> None:
    """A copy has all that was written once no batch waits, although the journal is open."""
    path = tmp_path / "journal.db"
    with contextlib.closing(Journal(path)) as journal:
        journal.append([intended("a")], 1.0).result(10)
        log = path.with_name("journal.db-wal")
        end = time.monotonic() + 30
        while log.stat().st_size and time.monotonic() < end:
            time.sleep(0.02)
        assert set(read_entries(alone(path))) == {"a"}
        journal.append([intended("b")], 1.0).result(10)
        assert set(read_entries(path)) == {"a", "b"}


def test_a_closed_journal_leaves_nothing_beside_it(tmp_path: Path) -> None:
    """Nor does who reads it afterwards; while somebody reads, it is closed all the same."""
    path = tmp_path / "journal.db"
    with contextlib.closing(Journal(path)) as journal:
        journal.append([intended("a")], 1.0).result(10)
    assert set(read_entries(path)) == {"a"}
    assert list(tmp_path.iterdir()) == [path]
    with contextlib.closing(Journal(path)) as journal:
        journal.append([intended("b")], 1.0).result(10)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            assert len(reader.execute("SELECT * FROM attempts").fetchall()) == 2
            journal.append([intended("c")], 1.0).result(10)
            journal.close()
    assert set(read_entries(path)) == {"a", "b", "c"}
    with contextlib.closing(Journal(path)):
        pass
    assert set(read_entries(alone(path))) == {"a", "b", "c"}


@pytest.mark.parametrize("noted", [True, False])
def test_a_dump_is_restored(tmp_path: Path, noted: bool) -> None:
    """It loses the number of the schema; the first version did not note it in a table."""
    path, restored = tmp_path / "journal.db", tmp_path / "restored.db"
    with contextlib.closing(Journal(path)) as journal:
        journal.append([intended("a")], 1.0).result(10)
        known = journal.id
    with (
        contextlib.closing(sqlite3.connect(path)) as source,
        contextlib.closing(sqlite3.connect(restored)) as target,
    ):
        target.executescript("\n".join(source.iterdump()))
        if not noted and VERSION == 1:
            target.execute("DELETE FROM meta WHERE name = 'schema'")
            target.commit()
        assert target.execute("PRAGMA user_version").fetchone() == (0,)
    assert read_entries(restored) == read_entries(path)
    with contextlib.closing(Journal(restored)) as journal:
        assert journal.id == known
        assert journal._connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert replay(restored) == read_entries(restored)


def test_whose_a_damaged_journal_is(tmp_path: Path) -> None:
    """The command that works on it says so, else the last run; otherwise no manifest is made up."""
    folder = tmp_path / "outputs" / "a shop"
    folder.mkdir(parents=True)
    path = folder / "journal.db"
    path.write_text("a text" * 1000, encoding="utf-8")

    def advised() -> str:
        with pytest.raises(JournalDamaged) as caught:
            read_entries(path)
        return caught.value.action or ""

    assert advised().startswith("Restore it with `journal rebuild`. Do not delete the file")
    said = json.dumps({"manifest": str(folder / "failed.csv")})
    (folder / "summary.json").write_text(said, encoding="utf-8")
    assert advised().startswith("Restore it with `journal rebuild`. ")
    (folder / "summary.json").write_text('{"manifest": "m/p 1.csv"}', encoding="utf-8")
    assert f'rebuild "m/p 1.csv" --out "{folder}". Do not' in advised()
    note_invocation(folder, Invocation(Path("a shop.csv"), config=Path("c.yaml")))
    assert 'rebuild "a shop.csv" --config c.yaml. Do not' in advised()
    other = Invocation(Path("a shop.csv"), config=Path("of another thread.yaml"))
    copy_context().run(note_invocation, folder, other)
    assert 'rebuild "a shop.csv" --config c.yaml. Do not' in advised()


def test_an_emptied_journal_is_not_begun_anew(tmp_path: Path) -> None:
    """Where runs were made, its rows would be sent again; where none was, nothing is lost."""
    path = tmp_path / "journal.db"
    path.touch()
    assert read_entries(path) == {}
    (tmp_path / "run.log").write_text("{}\n")
    for use in (Journal, read_entries):
        with pytest.raises(StoreError, match="is empty, although runs were made"):
            use(path)


@pytest.mark.parametrize("page", range(7))
def test_a_damaged_page_is_found_before_a_row_is_judged(tmp_path: Path, page: int) -> None:
    """Whichever page of the file it is; the advice is for damage, and not to make room."""
    path = tmp_path / "journal.db"
    with contextlib.closing(Journal(path)) as journal:
        journal.append([intended(f"row{n}", text=f"film {n}") for n in range(9)], 1.0).result(10)
    content = bytearray(path.read_bytes())
    content[page * 4096 : (page + 1) * 4096] = bytes(len(content[page * 4096 : (page + 1) * 4096]))
    assert content != path.read_bytes()
    path.write_bytes(content)
    for use in (Journal, read_entries):
        with pytest.raises(StoreError, match="damaged") as caught:
            use(path)
        assert "journal rebuild" in (caught.value.action or "")


@pytest.mark.process
@pytest.mark.parametrize("use", [read_entries, replay, back_up, salvage, Journal])
def test_a_write_that_a_kill_interrupted_is_undone(
    tmp_path: Path, use: Callable[..., object]
) -> None:
    """By whoever opens the journal first, also only to read it."""
    path, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    with contextlib.closing(Journal(path)) as journal:
        journal.append([intended("a")], 1.0).result(10)
    undo = kill_while_written(path)
    used = use(path, copy) if use is back_up else use(path)
    if isinstance(used, Journal):
        used.close()
    assert not undo.exists()
    for one in (path, copy) if use is back_up else (path,):
        assert set(read_entries(one)) == {"a"}
        assert_whole(one)


@pytest.mark.process
def test_where_nobody_may_undo_an_interrupted_write_that_is_said(tmp_path: Path) -> None:
    """And what is needed for it is not deleted out of despair."""
    path = tmp_path / "journal.db"
    Journal(path).close()
    kill_while_written(path)
    with (
        contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reading,
        pytest.raises(sqlite3.OperationalError) as refused,
    ):
        reading.execute("SELECT * FROM meta")
    for error in (unusable(path, refused.value), schema.unusable(path, refused.value)):
        assert "a write to it was interrupted, and must be undone" in error.message
        assert "Do not delete journal.db-journal" in (error.action or "")
        assert "--out" not in (error.action or "")
        assert "account.book" not in (error.action or "")


def test_a_closed_journal_is_no_reason_for_another_folder(tmp_path: Path) -> None:
    """Neither a missing right nor a disk that takes no writes; without a journal it may be."""
    path = tmp_path / "journal.db"
    path.touch()
    for number, remedy in ((errno.EROFS, "Make the disk writable."), (errno.EACCES, str(path))):
        error = unusable(path, OSError(number, os.strerror(number), str(path)))
        assert error.action is not None
        assert remedy in error.action
        assert "--out" not in error.action
        assert error.action.endswith("every row would be sent, and paid for, again.")
    path.unlink()
    with pytest.raises(sqlite3.OperationalError) as absent:
        sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    if sys.platform != "win32":
        path.symlink_to(tmp_path)
        assert "it is a link" in unusable(path, absent.value).message
        path.unlink()
    path.touch()
    assert "cannot be opened" in unusable(path, absent.value).message
    path.unlink()
    assert "again" not in (unusable(path, PermissionError(errno.EACCES, "denied")).action or "")


@pytest.mark.skipif(sys.platform == "win32", reason="nobody may delete a file that is open there")
def test_what_is_known_of_money_goes_on_to_the_book_of_a_journal_that_was_deleted(
    tmp_path: Path,
) -> None:
    """Nothing new may begin; what the follower withholds is told beside that."""
    followed: list[int] = []

    class Follower:
        concerned = (ev.Intended, ev.Accepted)

        def notes(self, last_event: int) -> dict[str, str]:
            return {"last": str(last_event)}

        def follow(self, changes: Sequence[Change]) -> Future[Committed]:
            followed.append(len(changes))
            return done_with(Committed())

    with contextlib.closing(Journal(tmp_path / "journal.db")) as journal:
        journal.be_followed_by(Follower())
        assert journal.append([intended("a")], 1.0).result(10).shortage is None
        journal.path.unlink()
        lost = journal.append([ev.Accepted("a", 1, "t")], 2.0).result(10).shortage
        assert lost is not None
        assert "was deleted, moved or replaced" in lost.message
    assert followed == [1, 1]
