"""The book's file on the disk: its tables, how it is opened, and what its failures mean.

Several processes write it at a time, each a transaction; it stays in WAL mode, except on a network
disk (see `disk.sqlitefile`).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from pipeline.disk import failures
from pipeline.disk.failures import cause_of, damaged, keep_undo, store_error, without_right
from pipeline.disk.openfile import OpenFile, is_gone
from pipeline.disk.sqlitefile import (
    bring_forward,
    fault_in,
    open_to_read,
    open_to_write,
    version_of,
)
from pipeline.errors import StoreError, UsageError
from pipeline.manifest.invocation import account_command

_FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE keys (digest TEXT PRIMARY KEY, account TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE journals (
    journal_id TEXT PRIMARY KEY, account TEXT NOT NULL, folder TEXT NOT NULL,
    manifest TEXT NOT NULL, seq INTEGER NOT NULL, last_event INTEGER NOT NULL,
    opened_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE requests (request_hash TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE submissions (
    reference TEXT PRIMARY KEY, account TEXT NOT NULL, journal_id TEXT NOT NULL,
    identity TEXT NOT NULL, key TEXT NOT NULL, number INTEGER NOT NULL, request_hash TEXT NOT NULL,
    state TEXT NOT NULL, task_id TEXT, seconds INTEGER NOT NULL, money REAL, submitted_at REAL,
    finished_at REAL, video_name TEXT NOT NULL, video TEXT
) WITHOUT ROWID;
CREATE INDEX by_request ON submissions (account, request_hash);
CREATE INDEX by_day ON submissions (account, submitted_at);
CREATE INDEX by_entry ON submissions (journal_id, identity, number);
CREATE TABLE uploads (
    account TEXT NOT NULL, sha256 TEXT NOT NULL, url TEXT NOT NULL, uploaded_at REAL NOT NULL,
    PRIMARY KEY (account, sha256)
) WITHOUT ROWID;
"""
_LEARNED = """
CREATE TABLE learned (
    account TEXT NOT NULL, model TEXT NOT NULL, seconds INTEGER NOT NULL, resolution TEXT NOT NULL,
    pictures INTEGER NOT NULL, at REAL NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, model, seconds, resolution, pictures)
) WITHOUT ROWID;
"""
_STEPS = (_FIRST, _LEARNED)
"""What each version of the schema adds to the one before; each is for good."""

VERSION = len(_STEPS)

_TIMEOUT_S = 60
"""How long other processes of the account are waited for; each commit takes milliseconds."""

_QUICKLY_CHECKED_BYTES = 64 << 20
"""A book of this size is looked through in a second; a greater one is found damaged where it is."""

_MEND = (
    "Mend it with: {command}. What can be read of it and the journals of all "
    "output folders that it names are put into a new book; the file is kept. Do not delete it: it "
    "knows what is paid for."
)
_ANOTHER = "Name another place with the setting account.book, or none to run without a book."


def connect(path: Path, *, networked: bool | None = None) -> sqlite3.Connection:
    """Open the book for writing, made if it does not exist; raises StoreError, UsageError.

    `networked` says whether it lies on a network file system; with None the system is asked.
    """
    with clear_errors(path), contextlib.ExitStack() as on_failure:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = open_to_write(path, networked=networked, timeout_s=_TIMEOUT_S)
        on_failure.callback(connection.close)
        _refuse_newer(version_of(connection), path)
        if path.stat().st_size <= _QUICKLY_CHECKED_BYTES:
            refuse_damaged(connection, path)
        bring_forward(connection, _STEPS)
        on_failure.pop_all()
    return connection


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the book for reading as long as the context lasts; where there is none, an empty book.

    Raises StoreError, UsageError.
    """
    with clear_errors(path), contextlib.ExitStack() as on_end:
        if not is_gone(path):
            connection = on_end.enter_context(contextlib.closing(open_to_read(path)))
            version = version_of(connection)
            _refuse_newer(version, path)
            if version:
                yield connection
                return
        empty = on_end.enter_context(
            contextlib.closing(sqlite3.connect(":memory:", isolation_level=None))
        )
        bring_forward(empty, _STEPS)
        yield empty


def how_to_mend(path: Path) -> str:
    """Say what to do about a book that is damaged."""
    return _MEND.format(command=account_command("import", str(path)))


def refuse_damaged(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError, or sqlite3.Error, if a page of the book is damaged."""
    if (fault := fault_in(connection)) is not None:
        raise StoreError(
            f"the account's book {path} is damaged: {fault}.", action=how_to_mend(path)
        )


def clear_errors(path: Path) -> AbstractContextManager[None]:
    """Turn failures to use the book at `path`, and damage inside it, into a StoreError."""
    place = "the account's book"
    explain, damage = partial(unusable, path), partial(StoreError, action=how_to_mend(path))
    return failures.clear_errors(f"{place} {path}", place, explain, damage)


def unusable(path: Path, error: OSError | sqlite3.Error) -> StoreError:
    """Return a failure to use the book at `path` as a StoreError that says what helps."""
    cause = cause_of(path, error)
    action = None
    if damaged(cause):
        action = how_to_mend(path)
    elif without_right(cause) and not is_gone(path):
        action = "Run as its owner, or take the right to read and write it."
        action += keep_undo(path, cause) or f" {_ANOTHER}"
    elif isinstance(cause, OSError):
        action = _ANOTHER
    return store_error(f"the account's book {path}", cause, cannot="be used", action=action)


def refuse_lost(file: OpenFile | None, path: Path) -> None:
    """Raise StoreError where the open book is not the one that others see: none has its intents."""
    if file is None or file.is_lost():
        raise StoreError(
            f"the account's book {path} was deleted, moved or replaced while this run was using "
            "it: nothing more is submitted.",
            action="If it was moved, put it back. Then run again: what was bought is taken over "
            "from the journals.",
        )


def _refuse_newer(version: int, path: Path) -> None:
    if version > VERSION:
        raise UsageError(
            f"the account's book {path} was written by a newer version of reelsheet.",
            action="Update reelsheet: it knows what was paid for.",
        )
