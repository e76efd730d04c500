"""The journal's file on the disk: SQLite, readable by its owner alone, with room set aside for it.

It is in WAL mode, or in rollback mode where the folder lies on a network: WAL does not work there.

When the disk is full, the task ids of submissions on their way must still be written. So a run
begins by writing a file of random bytes, the reserve, and frees it piece by piece when the journal
finds no other room.

Tested in tests/journal/test_disk.py and tests/security/test_reserve.py.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pipeline.disk.failures import store_error, storing
from pipeline.disk.openfile import open_private
from pipeline.disk.sqlitefile import TIMEOUT_S, network_kind, open_to_read
from pipeline.errors import StoreError, UsageError

_One = TypeVar("_One")

_ROWS_AT_ONCE = 16
"""Most rows in one statement: a text for each number of rows, and sqlite3 keeps 128 statements."""
SIZE_BYTES = 4 * 1024 * 1024
"""Room for the replies to thousands of submissions, and for the results of most manifests."""

PIECES = 8
"""The reserve is freed in pieces, since a download that still runs may take the room first."""

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
"""
_STEPS = (_FIRST, _SECOND)
"""What each version of the schema adds to the one before. The last one is for good: an earlier
journal is brought forward by the steps that it does not have yet."""

VERSION = len(_STEPS)


def connect(path: Path, *, networked: bool | None = None) -> sqlite3.Connection:
    """Open the journal for writing, made if it does not exist; raises StoreError, UsageError.

    `networked` says whether it lies on a network file system; with None the system is asked.
    """
    if networked is None:
        networked = network_kind(path.parent) is not None
    with clear_errors(path), contextlib.ExitStack() as on_failure:
        os.close(open_private(path, os.O_RDWR))
        connection = sqlite3.connect(
            path, timeout=TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        on_failure.callback(connection.close)
        _choose_mode(connection, networked=networked)
        connection.execute("PRAGMA synchronous=FULL")
        _prepare(connection, path)
        on_failure.pop_all()
    return connection


def _choose_mode(connection: sqlite3.Connection, *, networked: bool) -> None:
    if not networked:
        connection.execute("PRAGMA journal_mode=WAL")
        return
    # Exclusive only for the change: a journal that was in WAL mode on another disk, before it was
    # moved here, can be opened that way without the shared memory of WAL.
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.execute("PRAGMA locking_mode=NORMAL")
    connection.execute(
        "SELECT count(*) FROM sqlite_master"
    ).fetchone()  # releases the exclusive lock


def connect_for_reading(path: Path) -> sqlite3.Connection | None:
    """Open the journal for reading, None if there is none; raises StoreError, UsageError."""
    if not path.is_file():
        return None
    with clear_errors(path), contextlib.ExitStack() as on_failure:
        connection = open_to_read(path)
        on_failure.callback(connection.close)
        if not _version(connection, path):
            # A run that was killed before it made the tables left nothing to read.
            return None
        on_failure.pop_all()
    return connection


@contextlib.contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Turn failures to use the journal at `path`, and damage inside it, into a StoreError.

    A path that SQLite cannot take as text becomes a UsageError.
    """
    try:
        with storing(f"the journal {path}", cannot="be used"):
            yield
    except UnicodeEncodeError as error:
        # A ValueError too, but nothing is wrong with the journal: a path is no valid text here.
        raise UsageError(
            "the path of the manifest or of its output folder holds a name that is not valid text.",
            action="Rename the folder or file, or use a UTF-8 locale: export LC_ALL=C.UTF-8.",
        ) from error
    except (KeyError, ValueError) as error:
        raise StoreError(
            f"the journal {path} is damaged: it holds something that was never written ({error!r})",
            action="Restore its last good copy, and keep this file too: it knows of payments.",
        ) from error


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise UsageError(
            f"{path} was written by a newer version of reelsheet",
            action="Update reelsheet, or choose another folder with --out.",
        )
    return version


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection, path)
    if version == VERSION:
        return
    steps = "".join(_STEPS[version:])
    connection.executescript(
        f"BEGIN IMMEDIATE;\n{steps}\nPRAGMA user_version = {VERSION};\nCOMMIT;"
    )


def insert(connection: sqlite3.Connection, into: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows, several with each statement.

    At each statement this thread releases the interpreter lock and must win it back from the event
    loop's thread.

    Args:
        connection: the journal, open for writing.
        into: the statement up to its VALUES.
        rows: the values, all of one length.

    """
    for some in in_pieces(rows):
        marks = f"({', '.join('?' * len(some[0]))})"
        values = tuple(chain.from_iterable(some))
        connection.execute(f"{into} VALUES {', '.join([marks] * len(some))}", values)


def in_pieces(many: Sequence[_One]) -> Iterator[Sequence[_One]]:
    """Yield as many at a time as fit one statement."""
    for first in range(0, len(many), _ROWS_AT_ONCE):
        yield many[first : first + _ROWS_AT_ONCE]


class Reserve:
    """A context in which a file of `size_bytes` lies at `path`; afterwards its room is free."""

    def __init__(self, path: Path, size_bytes: int = SIZE_BYTES) -> None:
        self._path = path
        self._size_bytes = size_bytes
        self._left_bytes = 0

    def __enter__(self) -> Self:
        """Write the file; raises StoreError if the disk has no room for it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)  # left by a killed run
            with os.fdopen(open_private(self._path, os.O_WRONLY | os.O_EXCL), "wb") as file:
                # Random bytes, so that no file system compresses them; flushed, since some file
                # systems notice only then that there is no room.
                file.write(os.urandom(self._size_bytes))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self._release()
            raise store_error(
                f"{self._size_bytes / 1e6:.1f} MB",
                error,
                cannot=f"be set aside in {self._path.parent} for the answers to paid calls",
                action="Make room, or make the folder writable, then run again: nothing was sent.",
            ) from error
        self._left_bytes = self._size_bytes
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._release()

    def give_up_a_piece(self) -> bool:
        """Free a part of the room; return whether there was any left."""
        if self._left_bytes <= 0:
            return False
        self._left_bytes -= -(-self._size_bytes // PIECES)
        try:
            if self._left_bytes > 0:
                os.truncate(self._path, self._left_bytes)
            else:
                self._path.unlink(missing_ok=True)
        except OSError:  # deleted by somebody else, say: then its room is free already
            self._release()
        return True

    def _release(self) -> None:
        """Free all of the room."""
        self._left_bytes = 0
        # A failure to delete it harms nothing: the next run deletes it and writes it anew.
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
