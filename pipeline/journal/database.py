"""The journal's file on the disk: its tables, how it is opened, and what its failures mean.

Tested in tests/journal/test_disk.py.
"""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from pipeline.disk import failures
from pipeline.disk.failures import (
    cause_of,
    damaged,
    explain_rights,
    keep_undo,
    store_error,
    without_right,
)
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.disk.sqlitefile import (
    bring_forward,
    fault_in,
    open_to_read,
    open_to_write,
    version_of,
)
from pipeline.errors import JournalDamaged, StoreError, UsageError
from pipeline.manifest.invocation import Invocation, noted_invocation

_PAID_AGAIN = "In another output folder every row would be sent, and paid for, again."

_FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, command TEXT NOT NULL, started_at REAL NOT NULL,
    finished_at REAL, exit_code INTEGER, balance_before REAL, balance_after REAL
) WITHOUT ROWID;
CREATE TABLE requests (request_hash TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, key TEXT NOT NULL, number INTEGER NOT NULL,
    kind TEXT NOT NULL, data TEXT
);
CREATE TABLE attempts (
    key TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, request_hash TEXT NOT NULL,
    client_business_id TEXT NOT NULL, video_name TEXT NOT NULL, cost REAL, task_id TEXT,
    error_code TEXT, error_message TEXT, submitted_at REAL, finished_at REAL, video TEXT,
    closed INTEGER NOT NULL, PRIMARY KEY (key, number)
) WITHOUT ROWID;
CREATE TABLE uploads (
    account TEXT NOT NULL, sha256 TEXT NOT NULL, url TEXT NOT NULL, uploaded_at REAL NOT NULL,
    PRIMARY KEY (account, sha256)
) WITHOUT ROWID;
"""
_SECOND = """
CREATE TABLE renamed (identity TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE) WITHOUT ROWID;
INSERT OR REPLACE INTO meta VALUES ('schema', '2');
"""
_THIRD = """
CREATE TABLE decisions (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, entry TEXT NOT NULL, number INTEGER NOT NULL,
    sha256 TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL, note TEXT NOT NULL,
    prompt TEXT NOT NULL, prompt_of TEXT NOT NULL, reviewer TEXT NOT NULL, source TEXT NOT NULL
);
CREATE INDEX decisions_of ON decisions (entry, number);
INSERT OR REPLACE INTO meta VALUES ('schema', '3');
"""
_FOURTH = """
CREATE TABLE IF NOT EXISTS handovers (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, entry TEXT NOT NULL, number INTEGER NOT NULL,
    sha256 TEXT NOT NULL, name TEXT NOT NULL, poster TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS handovers_of ON handovers (entry);
INSERT OR REPLACE INTO meta VALUES ('schema', '4');
"""
_STEPS = (_FIRST, _SECOND, _THIRD, _FOURTH)
"""What each version of the schema adds to the one before. The last one is for good: an earlier
journal is brought forward by the steps that it does not have yet."""

VERSION = len(_STEPS)
"""The version of the schema that this program writes."""

STOPPED = "stopped:"
"""Before the id of a run, the name of the note that says what ended it early."""

_TABLES = ("attempts", "events", "requests", "meta")
_MONEY = _TABLES[:3]
"""Where one of these has a row, none of all tables is empty."""


def connect(path: Path, *, networked: bool | None = None) -> sqlite3.Connection:
    """Open the journal for writing, made if it does not exist; raises StoreError, UsageError.

    `networked` says whether it lies on a network file system; with None the system is asked.
    """
    with clear_errors(path), contextlib.ExitStack() as on_failure:
        fresh = is_gone(path)
        connection = open_to_write(path, networked=networked)
        on_failure.callback(connection.close)
        _prepare(connection, path, fresh=fresh)
        on_failure.pop_all()
    return connection


def connect_for_reading(path: Path) -> sqlite3.Connection | None:
    """Open the journal for reading, None if there is none; raises StoreError, UsageError."""
    if is_gone(path):
        return None
    with clear_errors(path), contextlib.ExitStack() as on_failure:
        connection = open_to_read(path)
        on_failure.callback(connection.close)
        if not _version(connection, path):
            # A run that was killed before it made the tables left nothing to read.
            _refuse_emptied(path)
            return None
        _refuse_gaps(connection, path)
        on_failure.pop_all()
    return connection


def clear_errors(path: Path) -> AbstractContextManager[None]:
    """Turn failures to use the journal at `path`, and damage inside it, into a StoreError.

    A path that SQLite cannot take as text becomes a UsageError.
    """
    place = "the manifest or of its output folder"
    explain, damage = partial(unusable, path), partial(_damage, path)
    return failures.clear_errors(f"the journal {path}", place, explain, damage)


def _damage(path: Path, message: str) -> JournalDamaged:
    """Return the error that says how to restore a journal.

    Whose it is, it cannot say itself: the command that works on it does, or the last run.
    """
    folder = OutputFolder(path.parent)
    typed, last = noted_invocation(folder.root), folder.last_manifest()
    if typed is None and last is not None and not folder.wrote(last):
        typed = Invocation(last)
    restore = "with `journal rebuild`" if typed is None else f"with: {typed.rebuild(folder.root)}"
    return JournalDamaged(
        message,
        action=f"Restore it {restore}. Do not delete the file: it knows what is paid for.",
    )


def unusable(path: Path, error: OSError | sqlite3.Error) -> StoreError:
    """Return a failure to use the journal at `path` as a StoreError that says what helps."""
    cause = cause_of(path, error)
    rights = without_right(cause) and not is_gone(path)
    remedy = f"{_remedy(path, cause)}{keep_undo(path, cause)} {_PAID_AGAIN}" if rights else None
    found = store_error(f"the journal {path}", cause, cannot="be used", action=remedy)
    return _damage(path, found.message) if damaged(cause) else found


def lost(path: Path) -> StoreError:
    """Return what to say where the journal that is open is no longer the one in the folder."""
    return StoreError(
        f"the journal {path} was deleted, moved or replaced while this run was using it: nothing "
        "more is submitted.",
        action="If it was moved, put it back. Then run again: what was sent is taken over from the "
        "account's book, or the run says how to restore the journal.",
    )


def _remedy(path: Path, cause: OSError | sqlite3.Error) -> str:
    if isinstance(cause, OSError) and cause.errno == errno.EROFS:
        return "Make the disk writable."
    return explain_rights(path)


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version = version_of(connection)
    if version > VERSION:
        raise UsageError(
            f"{path} was written by a newer version of reelsheet",
            action=f"Update reelsheet. {_PAID_AGAIN}",
        )
    return version


def _refuse_emptied(path: Path) -> None:
    """Raise StoreError if a journal without tables had some: its rows would be sent again."""
    folder = OutputFolder(path.parent)
    if any(not is_gone(one) and one.stat().st_size for one in (folder.summary, *folder.logs)):
        raise _damage(path, f"the journal {path} is empty, although runs were made in its folder.")


def refuse_damaged(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError, or sqlite3.Error, if a page of the file is damaged, also an unused one.

    It takes two milliseconds for a thousand rows, and no row is judged by a part of what is known.
    """
    if (fault := fault_in(connection)) is not None:
        raise _damage(path, f"the journal {path} is damaged: {fault}.")


def _refuse_gaps(
    connection: sqlite3.Connection, path: Path, tables: Sequence[str] = _TABLES
) -> None:
    """Raise StoreError if a table was emptied: what it knew would be sent, and paid for, again.

    Args:
        connection: The journal, open.
        path: Its file.
        tables: Those that are not empty once anything was sent.

    """
    questions = ", ".join(f"EXISTS (SELECT 1 FROM {name})" for name in tables)  # noqa: S608
    there = dict(zip(tables, connection.execute(f"SELECT {questions}").fetchone(), strict=True))
    if any(there.get(name) for name in _MONEY) and not all(there.values()):
        gone = ", ".join(name for name in tables if not there[name])
        raise _damage(
            path,
            f"the journal {path} is damaged: rows were deleted from it. Nothing is left of: "
            f"{gone}.",
        )


def refuse_lack_of_runs(path: Path) -> None:
    """Raise StoreError if a journal has forgotten its runs: nobody knows how the last one ended."""
    connection = connect_for_reading(path)
    if connection is not None:
        with contextlib.closing(connection), clear_errors(path):
            _refuse_gaps(connection, path, (*_TABLES, "runs"))


def _prepare(connection: sqlite3.Connection, path: Path, *, fresh: bool) -> None:
    refuse_damaged(connection, path)
    version = _version(connection, path)
    if version:
        _refuse_gaps(connection, path)
    elif not fresh:
        _refuse_emptied(path)
    bring_forward(connection, _STEPS)
