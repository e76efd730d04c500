"""SQLite files of ours: how one is opened, brought to a newer version, and left whole.

SQLite's WAL mode keeps its index in memory that all users of a file share, and two machines share
none (sqlite.org/wal.html). On a network file system a file of ours therefore uses the rollback
mode, which needs only that the file system's locks hold.

The schema of a file is a series of steps, each for good: an earlier file is brought forward by the
steps that it does not have yet. Its version is the number of steps, kept in `user_version` and,
since a dump loses that, in its table `meta`.

Tested in tests/security/test_network_disk.py, tests/journal/test_disk.py and
tests/journal/test_reading.py.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path, PurePath
from typing import TypeVar
from urllib.parse import quote

from pipeline.disk.network import network_kind
from pipeline.disk.openfile import demand_regular, is_gone, open_private, open_to_read_bytes

_One = TypeVar("_One")

_BESIDE = ("-wal", "-shm", "-journal")
"""How the names of the files end that SQLite keeps beside a file."""
_BYTE = re.compile(r"\\u(dc[89a-f][0-9a-f])")
"""A byte of a name that is no valid text, as `text_of` writes it."""
_TIMEOUT_S = 10
"""How long another process's lock is waited for, in seconds."""
_PATIENCE_MS = 1000
"""How long a reader is waited for when a file is closed."""
_PAUSE_S = 0.02
_MODE_AT, _IN_WAL_MODE = 18, b"\x02"
"""Where a file's header says its mode, and what it says for WAL."""
_LITTLE_ROOM_BYTES = 64 << 20
"""Where less is free, the log beside a file is folded in early."""
_FEW_PAGES, _USUAL_PAGES = 64, 1000
"""Pages in the log at which it is folded in: with little room, and as SQLite does it by itself."""
_LOGGED_PAGE_BYTES = 4096 + 24
_ROWS_AT_ONCE = 16
"""Most rows in one statement: a text for each number of rows, and sqlite3 keeps 128 statements."""


def open_to_write(
    path: Path, *, networked: bool | None = None, timeout_s: float = _TIMEOUT_S
) -> sqlite3.Connection:
    """Open a file of ours for writing, made if it does not exist, for its owner alone.

    Args:
        path: the file.
        networked: whether it lies on a network file system; with None the system is asked.
        timeout_s: how long another process's lock is waited for, in seconds.

    Raises:
        OSError: a link, a pipe or a device lies in its place, or it cannot be made or opened.
        sqlite3.Error: SQLite cannot use it.

    """
    if networked is None:
        networked = network_kind(path.parent) is not None
    close_logs(path)
    os.close(open_private(path, os.O_RDWR))
    with contextlib.ExitStack() as on_failure:
        connection = sqlite3.connect(
            path, timeout=timeout_s, isolation_level=None, check_same_thread=False
        )
        on_failure.callback(connection.close)
        _choose_mode(connection, networked=networked, until=time.monotonic() + timeout_s)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint={_pages_in_log(path.parent)}")
        on_failure.pop_all()
    return connection


def close_logs(path: Path) -> None:
    """Close to others what SQLite keeps beside a file, as an earlier process may have left it.

    Not opened for that: closing a file lets go of all locks that this process has on it. Raises
    OSError where a link lies in the place of one, which SQLite would follow, or a pipe or a
    device, which it would wait for.
    """
    for end in _BESIDE:
        beside = path.with_name(path.name + end)
        try:
            mode = beside.lstat().st_mode
        except OSError:
            continue
        if stat.S_ISLNK(mode):
            raise OSError(errno.ELOOP, "it is a link to another place", str(beside))
        if not stat.S_ISDIR(mode):  # SQLite says that of a folder
            demand_regular(beside, mode)
        if os.name == "posix" and mode & 0o077:
            with contextlib.suppress(FileNotFoundError):  # folded in meanwhile
                beside.chmod(0o600)


def _choose_mode(connection: sqlite3.Connection, *, networked: bool, until: float) -> None:
    if not networked:
        # SQLite does not wait here for another process that opens a new file at the same moment.
        while not _chose_wal(connection, until):
            time.sleep(_PAUSE_S)
        return
    # Exclusive only for the change: a file that was in WAL mode on another disk, before it was
    # moved here, can be opened that way without the shared memory of WAL.
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.execute("PRAGMA locking_mode=NORMAL")
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # releases the lock


def _chose_wal(connection: sqlite3.Connection, until: float) -> bool:
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
            raise
        return False
    return True


def log_bytes(folder: Path) -> int:
    """Return what the log beside a file in this folder takes at most, and as much for its rest.

    The log grows a little beyond the pages at which it is folded in, and the file itself then.
    """
    return 2 * _pages_in_log(folder) * _LOGGED_PAGE_BYTES


def _pages_in_log(folder: Path) -> int:
    with contextlib.suppress(OSError):
        if shutil.disk_usage(folder).free < _LITTLE_ROOM_BYTES:
            return _FEW_PAGES
    return _USUAL_PAGES


def fold_in(connection: sqlite3.Connection) -> None:
    """Bring what the log beside a file holds into the file, if nobody needs the log now."""
    with contextlib.suppress(sqlite3.Error):
        (usual_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
        try:
            connection.execute("PRAGMA busy_timeout=0")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.execute(f"PRAGMA busy_timeout={usual_ms}")


def leave_whole(connection: sqlite3.Connection) -> None:
    """Fold the log in and leave the WAL mode, before the file is closed.

    In WAL mode whoever reads the file needs the right to write beside it, and leaves files there.
    Where somebody reads it at this moment the mode stays, and the last to close folds the log in.
    """
    fold_in(connection)
    with contextlib.suppress(sqlite3.Error):
        connection.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}")
        connection.execute("PRAGMA journal_mode=DELETE").fetchone()


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all of what follows or, after an error, nothing; no other writer comes between."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of a file's schema, 0 if it has no tables yet.

    After it was restored from a dump, only the table `meta` says it; the first version of the
    journal did not note its number there.
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if (
        version == 0
        and connection.execute("SELECT name FROM sqlite_master WHERE name = 'meta'").fetchone()
    ):
        noted = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
        return int(noted[0]) if noted else 1
    return version


def bring_forward(connection: sqlite3.Connection, steps: Sequence[str]) -> None:
    """Take a file through the steps of its schema that it does not have yet.

    Several processes may open one file at a time: each looks only when it holds the lock.
    """
    newest = len(steps)
    if version_of(connection) < newest:
        with transaction(connection):
            missing = "".join(steps[version_of(connection) :])
            for statement in missing.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {newest}")
    noted = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    if noted != (str(newest),):
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('schema', ?)", (str(newest),))
    if connection.execute("PRAGMA user_version").fetchone() != (newest,):
        connection.execute(f"PRAGMA user_version = {newest}")


def id_in(connection: sqlite3.Connection) -> str:
    """Return the id of a file, chosen by chance when first asked for; raises sqlite3.Error."""
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('id', ?)", (secrets.token_hex(16),))
    (found,) = connection.execute("SELECT value FROM meta WHERE name = 'id'").fetchone()
    return str(found)


def fault_in(connection: sqlite3.Connection) -> str | None:
    """Return the first damage that SQLite finds, in its own words; raises sqlite3.Error.

    It takes two milliseconds for a thousand rows.
    """
    found = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
    lines = [line for line in found.splitlines() if not line.startswith("***")]
    return None if found == "ok" else lines[0]


def insert(connection: sqlite3.Connection, into: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows, several with each statement.

    At each statement this thread releases the interpreter lock and must win it back from the event
    loop's thread.

    Args:
        connection: the file, open for writing.
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


def open_damaged(path: Path) -> sqlite3.Connection:
    """Open a damaged file for reading what is whole in it, also where its end is missing.

    Without `writable_schema` SQLite reads nothing of a file that is shorter than its header says;
    nothing can be written here. Raises OSError, sqlite3.Error.
    """
    connection = open_to_read(path)
    with contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA writable_schema=ON")
    return connection


def lacks_log(path: Path) -> bool:
    """Return whether a file was copied while it was in use, without the log of WAL mode beside it.

    It then holds only what was there some time before (sqlite.org/fileformat2.html, offset 18).
    """
    if not is_gone(path.with_name(f"{path.name}-wal")):
        return False
    try:
        with open_to_read_bytes(path) as file:
            return file.read(_MODE_AT + 1)[_MODE_AT:] == _IN_WAL_MODE
    except OSError:
        return False


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open the file at `path`, which must exist, for reading only.

    Raises:
        NotAFile: it, or a file that SQLite keeps beside it, is a pipe, a device or the like.
        sqlite3.Error: SQLite cannot use it.

    """
    _refuse_what_waits(path)
    _undo_interrupted_write(path)
    return _open_there(path, "ro")


def _refuse_what_waits(path: Path) -> None:
    """Raise NotAFile before SQLite opens a pipe: it would wait for the other end for ever.

    SQLite follows a link, and keeps its files beside the file that the link leads to.
    """
    real = Path(os.path.realpath(path))
    for one in (real, *(real.with_name(real.name + end) for end in _BESIDE)):
        try:
            mode = one.stat().st_mode
        except OSError:
            continue  # it is not there, or it is closed: SQLite says so
        if not stat.S_ISDIR(mode):
            demand_regular(one if real.name != one.name else path, mode)


def _undo_interrupted_write(path: Path) -> None:
    """Have SQLite undo the write of a process that was killed, before the file is only read.

    Its own locks keep it from one that still goes on. Where it may not, the reader is told so.
    """
    if is_gone(path.with_name(f"{path.name}-journal")) or path.is_symlink():
        return
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_open_there(path, "rw")) as undoing:
        undoing.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _open_there(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{uri_of(path.absolute())}?mode={mode}", uri=True, timeout=_TIMEOUT_S)


def uri_of(path: PurePath) -> str:
    """Return a file's URI as SQLite takes it: a Windows share is part of the path, no host."""
    name = path.as_posix()
    whole = os.fsencode(name if name.startswith("/") else f"/{name}")
    return "file://" + quote(whole, safe="/:")


def text_of(path: Path) -> str:
    r"""Return a path as text that SQLite takes: a byte E4 that is no valid text is `\udce4`."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def path_of(text: str) -> Path:
    """Return the path that such a text means."""
    if os.sep == "\\":  # there a backslash parts folders, and every name is text
        return Path(text)
    return Path(_BYTE.sub(lambda found: chr(int(found[1], 16)), text))
