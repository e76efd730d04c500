"""Failures of the disk in plain words: what the system or SQLite reports, and the remedy."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.disk.openfile import NotAFile, open_unlinked
from pipeline.errors import StoreError, UsageError, WrongKind

_FREE = "Free some space and run again: nothing paid for is lost."
_ELSEWHERE = "Choose another folder with --out."
_RIGHTS = "Make the folder writable, or choose another one with --out."
_PUT_BACK = "Put the file back that belongs there; if there was none, remove what is in its place."
_LOOK = "Check the disk and the folder, then run again: nothing paid for is lost."
_FULL = ("the disk is full", _FREE)
_OF_SYSTEM = {
    errno.ENOSPC: _FULL,
    # Windows has no quotas that it reports by a number of their own.
    getattr(errno, "EDQUOT", errno.ENOSPC): ("the disk is full, or its quota is used up", _FREE),
    errno.EROFS: ("the disk is read-only", _ELSEWHERE),
    errno.EACCES: ("access is denied", _RIGHTS),
    errno.EPERM: ("access is denied", _RIGHTS),
    errno.ENOENT: ("its folder does not exist", "Restore it, or choose another one with --out."),
    errno.ENOTDIR: ("its folder is a file", _ELSEWHERE),
    errno.EISDIR: ("a folder is in its place", "Rename that folder, then run again."),
    errno.ELOOP: ("it is a link to another place", "Remove the link, then run again."),
    errno.EFBIG: ("the file system takes no file that large", "Choose another disk with --out."),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a folder with a shorter name with --out."),
    errno.EMFILE: (
        "the system lets this program open no more files",
        "Lower limits.downloads (or raise the limit with ulimit -n) and run again.",
    ),
    errno.ENFILE: (
        "the system lets no program open any more files",
        "Close other programs and run again.",
    ),
}
_OF_SQLITE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: ("it is read-only", _RIGHTS),
    sqlite3.SQLITE_READONLY_ROLLBACK: (
        "a write to it was interrupted, and must be undone before it can be read",
        _RIGHTS,
    ),
    sqlite3.SQLITE_BUSY: ("another program keeps it locked", "Close that program and run again."),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened, or its folder cannot be written to", _RIGHTS),
    sqlite3.SQLITE_NOTADB: ("it is no SQLite database, or it is damaged", _LOOK),
    sqlite3.SQLITE_CORRUPT: ("it is damaged", _LOOK),
}
# What SQLite reports when a file may not grow. SQLITE_FULL stands for ENOSPC alone; the others for
# a quota, a limit on the size of files, an index without room, a server that notices late.
_NO_ROOM = frozenset({
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_FSYNC,
})  # fmt: skip
# What SQLite reports of the disk, of rights and of other programs, and not of what the file holds.
_FROM_OUTSIDE = frozenset({
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
})  # fmt: skip
_NO_RIGHT = frozenset({
    sqlite3.SQLITE_AUTH, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY,
})  # fmt: skip
_PRIMARY = 0xFF
"""The low byte of an extended result code is the primary one (sqlite.org/rescode.html)."""


def store_error(
    subject: Path | str, error: Exception, *, cannot: str = "be written", action: str | None = None
) -> StoreError:
    """Return the failure as a StoreError that names what failed, why, and what to do.

    Args:
        subject: the file, or a few words that name it.
        error: what the system or SQLite raised.
        cannot: what could not be done, as in "be written".
        action: what to do, where the usual advice does not fit.

    """
    if isinstance(error, NotAFile):
        # A file beside the one that was meant may be the cause.
        why = str(error.strerror).replace("it", Path(error.filename).name, 1)
        return WrongKind(f"{subject} cannot {cannot}: {why}.", action=_PUT_BACK)
    why, usual = _explain(error)
    return StoreError(f"{subject} cannot {cannot}: {why}.", action=action or usual)


@contextlib.contextmanager
def raise_store_errors(
    subject: Path | str, *, cannot: str = "be written", action: str | None = None
) -> Iterator[None]:
    """Turn each failure of the disk inside into a StoreError.

    Args:
        subject: The file, or a few words that name it.
        cannot: What could not be done, as in "be written".
        action: What to do, where the usual advice does not fit.

    Raises:
        StoreError: The disk, or SQLite, refused something inside.

    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise store_error(subject, error, cannot=cannot, action=action) from error


def explain_os_error(error: OSError) -> str:
    """Return why the system refused, in its own words, without its number and the path."""
    return error.strerror or str(error) or type(error).__name__


def no_room(error: Exception) -> bool:
    """Return whether SQLite may have failed because the disk, or a quota, is full."""
    return isinstance(error, sqlite3.Error) and _code(error) in _NO_ROOM


def damaged(error: Exception) -> bool:
    """Return whether SQLite complains of what a file holds, and not of the disk or of rights."""
    return isinstance(error, sqlite3.Error) and _code(error) & _PRIMARY not in _FROM_OUTSIDE


def without_right(error: Exception) -> bool:
    """Return whether a file may not be opened, read or written, as far as this can be told."""
    if isinstance(error, sqlite3.Error):
        return _code(error) & _PRIMARY in _NO_RIGHT
    return isinstance(error, OSError) and error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}


def cause_of(path: Path, error: OSError | sqlite3.Error) -> OSError | sqlite3.Error:
    """Return what the system says of a file that SQLite, which does not say why, cannot open."""
    if isinstance(error, sqlite3.Error) and without_right(error):
        try:
            os.close(open_unlinked(path, os.O_RDONLY))
        except OSError as reason:
            return reason
    return error


def keep_undo(path: Path, error: Exception) -> str:
    """Return what to leave alone where a write must be undone; nothing where none must."""
    if not isinstance(error, sqlite3.Error) or _code(error) != sqlite3.SQLITE_READONLY_ROLLBACK:
        return ""
    return f" Do not delete {path.name}-journal: what undoes the write is in it."


def explain_rights(path: Path) -> str:
    """Return what gives this user the right to read and write a file that is there."""
    closed = _first_closed(path)
    if os.name != "posix":
        return f"Run as the owner of {closed}, or take the right to read and write it."
    if os.statvfs(closed).f_flag & os.ST_RDONLY:
        return "Make the disk writable."
    found = closed.stat()
    if found.st_uid != os.geteuid():
        return f"{closed} belongs to {_owner(closed, found.st_uid)}: run as that user."
    right = "u+rwx" if closed.is_dir() else "u+rw"
    return f"Take the right to read and write it with: chmod {right} {shlex.quote(str(closed))}."


def _first_closed(path: Path) -> Path:
    """Return the first folder on the way to a file that lets this user not go on, or the file."""
    for folder in reversed(path.parents):
        needed = os.X_OK if folder != path.parent else os.W_OK | os.X_OK
        if not os.access(folder, needed):
            return folder
    return path


def _owner(path: Path, number: int) -> str:
    try:
        return path.owner()
    except (KeyError, OSError):
        return f"user {number}"


def _explain(error: Exception) -> tuple[str, str]:
    if isinstance(error, sqlite3.Error):
        usual = _OF_SQLITE.get(_code(error) & _PRIMARY, (str(error), _LOOK))
        return _OF_SQLITE.get(_code(error), usual)
    if isinstance(error, OSError):
        return _OF_SYSTEM.get(error.errno or 0, (explain_os_error(error), _LOOK))
    return str(error) or type(error).__name__, _LOOK


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0)


@contextlib.contextmanager
def clear_errors(
    file: str,
    place: str,
    explain: Callable[[OSError | sqlite3.Error], StoreError],
    damage: Callable[[str], StoreError],
) -> Iterator[None]:
    """Turn failures to use a file, and damage inside it, into a StoreError as long as this lasts.

    Args:
        file: what it is called in messages.
        place: whose path it lies at, in a message about a path that SQLite cannot take as text.
        explain: says what a failure of the system or of SQLite means.
        damage: returns the error of a damaged file from what is wrong with it.

    Raises:
        StoreError: the file cannot be used.
        UsageError: its path is no valid text.

    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise explain(error) from error
    except UnicodeEncodeError as error:
        # A ValueError too, but nothing is wrong with the file.
        raise UsageError(
            f"the path of {place} holds a name that is not valid text.",
            action="Rename the folder or file, or use a UTF-8 locale: export LC_ALL=C.UTF-8.",
        ) from error
    except (KeyError, ValueError) as error:
        raise damage(
            f"{file} is damaged: it holds something that was never written ({error!r})"
        ) from error
