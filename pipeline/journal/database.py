"""The journal's file on the disk: SQLite, readable by its owner alone, with room set aside for it.

It is in WAL mode, or in rollback mode where the folder lies on a network: WAL does not work there.

When the disk is full, the task ids of submissions on their way must still be written. So a run
begins by writing a file of random bytes, the reserve, and frees it piece by piece when the journal
finds no other room.

Tested in tests/journal/test_disk.py and tests/security/test_reserve.py.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pipeline.disk.failures import damaged, explain_rights, store_error, without_right
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone, open_private, open_unlinked
from pipeline.disk.sqlitefile import TIMEOUT_S, network_kind, open_to_read
from pipeline.errors import StoreError, UsageError

_One = TypeVar("_One")

_ROWS_AT_ONCE = 16
"""Most rows in one statement: a text for each number of rows, and sqlite3 keeps 128 statements."""
SIZE_BYTES = 4 * 1024 * 1024
"""Room for the replies to thousands of submissions, and for the results of most manifests."""

_PATIENCE_MS = 1000
"""How long a reader is waited for at the end of a run."""

PIECES = 8
"""The reserve is freed in pieces, since a download that still runs may take the room first."""

DAMAGED = (
    "See what is wrong, and what helps, with: reelsheet journal verify MANIFEST. Do not delete the "
    "file: it knows what is paid for."
)
"""What to do about a journal that is damaged."""

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
_STEPS = (_FIRST, _SECOND)
"""What each version of the schema adds to the one before. The last one is for good: an earlier
journal is brought forward by the steps that it does not have yet."""

VERSION = len(_STEPS)
"""The version of the schema that this program writes."""


def connect(path: Path, *, networked: bool | None = None) -> sqlite3.Connection:
    """Open the journal for writing, made if it does not exist; raises StoreError, UsageError.

    `networked` says whether it lies on a network file system; with None the system is asked.
    """
    if networked is None:
        networked = network_kind(path.parent) is not None
    with clear_errors(path), contextlib.ExitStack() as on_failure:
        fresh = is_gone(path)
        os.close(open_private(path, os.O_RDWR))
        connection = sqlite3.connect(
            path, timeout=TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        on_failure.callback(connection.close)
        _choose_mode(connection, networked=networked)
        connection.execute("PRAGMA synchronous=FULL")
        _prepare(connection, path, fresh=fresh)
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


def fold_in(connection: sqlite3.Connection) -> None:
    """Bring what the log beside the journal holds into the file, if nobody needs the log now."""
    with contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA busy_timeout=0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    with contextlib.suppress(sqlite3.Error):
        connection.execute(f"PRAGMA busy_timeout={TIMEOUT_S * 1000}")


def leave_whole(connection: sqlite3.Connection) -> None:
    """Fold the log in and leave the WAL mode, before the journal is closed.

    In WAL mode whoever reads the file needs the right to write beside it, and leaves files there.
    Where somebody reads it at this moment the mode stays, and the last to close folds the log in.
    """
    fold_in(connection)
    with contextlib.suppress(sqlite3.Error):
        connection.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}")
        connection.execute("PRAGMA journal_mode=DELETE").fetchone()


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
        on_failure.pop_all()
    return connection


@contextlib.contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Turn failures to use the journal at `path`, and damage inside it, into a StoreError.

    A path that SQLite cannot take as text becomes a UsageError.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise unusable(path, error) from error
    except UnicodeEncodeError as error:
        # A ValueError too, but nothing is wrong with the journal: a path is no valid text here.
        raise UsageError(
            "the path of the manifest or of its output folder holds a name that is not valid text.",
            action="Rename the folder or file, or use a UTF-8 locale: export LC_ALL=C.UTF-8.",
        ) from error
    except (KeyError, ValueError) as error:
        raise StoreError(
            f"the journal {path} is damaged: it holds something that was never written ({error!r})",
            action=DAMAGED,
        ) from error


def unusable(path: Path, error: OSError | sqlite3.Error) -> StoreError:
    """Return a failure to use the journal at `path` as a StoreError that says what helps."""
    cause = _cause(path, error)
    action = None
    if damaged(cause):
        action = DAMAGED
    elif without_right(cause) and not is_gone(path):
        action = f"{_remedy(path, cause)} {_PAID_AGAIN}"
    return store_error(f"the journal {path}", cause, cannot="be used", action=action)


def _remedy(path: Path, cause: OSError | sqlite3.Error) -> str:
    if isinstance(cause, OSError) and cause.errno == errno.EROFS:
        return "Make the disk writable."
    return explain_rights(path)


def _cause(path: Path, error: OSError | sqlite3.Error) -> OSError | sqlite3.Error:
    """Return what the system says of a file that SQLite, which does not say why, cannot open."""
    if isinstance(error, sqlite3.Error) and without_right(error):
        try:
            os.close(open_unlinked(path, os.O_RDONLY))
        except OSError as reason:
            return reason
    return error


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        version = _noted_version(connection)
    if version > VERSION:
        raise UsageError(
            f"{path} was written by a newer version of reelsheet",
            action=f"Update reelsheet. {_PAID_AGAIN}",
        )
    return version


def _noted_version(connection: sqlite3.Connection) -> int:
    """Return the version of a journal that was restored from a dump, 0 if it has no tables yet.

    A dump loses `user_version`. The first version did not note its number in a table.
    """
    if connection.execute("SELECT name FROM sqlite_master WHERE name = 'meta'").fetchone():
        noted = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
        return int(noted[0]) if noted else 1
    return 0


def _refuse_emptied(path: Path) -> None:
    """Raise StoreError if a journal without tables had some: its rows would be sent again."""
    folder = OutputFolder(path.parent)
    if folder.summary.exists() or folder.log.exists():
        raise StoreError(
            f"the journal {path} is empty, although runs were made in its folder.", action=DAMAGED
        )


def refuse_damaged(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError, or sqlite3.Error, if a page of the file is damaged, also an unused one.

    It takes two milliseconds for a thousand rows, and no row is judged by a part of what is known.
    """
    if (fault := _fault_in(connection)) is not None:
        raise StoreError(f"the journal {path} is damaged: {fault}.", action=DAMAGED)


def _fault_in(connection: sqlite3.Connection) -> str | None:
    """Return the first damage that SQLite finds, in its own words; raises sqlite3.Error."""
    found = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
    lines = [line for line in found.splitlines() if not line.startswith("***")]
    return None if found == "ok" else lines[0]


def _prepare(connection: sqlite3.Connection, path: Path, *, fresh: bool) -> None:
    refuse_damaged(connection, path)
    version = _version(connection, path)
    if not version and not fresh:
        _refuse_emptied(path)
    # A journal that was restored from a dump has every step, but not the number in its place.
    if connection.execute("PRAGMA user_version").fetchone() != (VERSION,):
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
