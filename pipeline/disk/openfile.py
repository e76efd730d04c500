"""Open ordinary files safely: ours never through a link, the user's also through one."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from pipeline.errors import StoreError, UsageError, WrongKind

_AS_IT_IS = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"))
_QUIETLY = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)  # a pipe without a reader would be waited for, for ever
_OWN = 0o600


class NotAFile(OSError):
    """Something that is no ordinary file lies in a file's place; `strerror` says what it is."""

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(errno.EINVAL, f"it is {kind}, not a file", str(path))


def refuse_link(path: Path) -> None:
    """Raise StoreError where a link lies at `path`: nothing is written to where it leads.

    In a folder that is closed to this user nothing is written anyway; whoever opens it says so.
    """
    with contextlib.suppress(PermissionError):
        if path.is_symlink():
            raise StoreError(
                f"{path} is a link to another place; nothing is written there.",
                action="Remove the link, or name another output folder with --out.",
            )


def refuse_no_folder(path: Path) -> None:
    """Raise WrongKind where something that is no folder lies in a folder's place."""
    with contextlib.suppress(OSError):
        mode = path.stat().st_mode
        if not stat.S_ISDIR(mode):
            raise WrongKind(
                f"{path} is {name_kind(mode) or 'a file'}, not a folder.",
                action="Move it away, or name another output folder with --out.",
            )


def refuse_ring(path: Path) -> None:
    """Raise UsageError where links lead in a ring: what is asked where they end may fail on it."""
    try:
        path.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UsageError(
                f"{path} is a link that leads back to itself.", action="Name the file itself."
            ) from error


def refuse_pipe(path: Path) -> None:
    """Raise UsageError where a pipe or a device is named: opening it may wait for ever."""
    with contextlib.suppress(OSError):
        kind = name_kind(path.stat().st_mode)
        if kind is not None:
            raise UsageError(f"{path} is {kind}, not a file.", action="Name the file itself.")


def is_gone(path: Path) -> bool:
    """Return whether there is certainly nothing at `path`; not where that cannot be told."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


@dataclass(frozen=True, slots=True)
class OpenFile:
    """The file at a path as it was when it was opened, to see whether it is still there."""

    path: Path
    device: int
    inode: int

    @classmethod
    def at(cls, path: Path) -> Self | None:
        """Return the file that is at `path` now; None if that cannot be told."""
        try:
            found = path.stat()
        except OSError:
            return None
        return cls(path, found.st_dev, found.st_ino)

    def is_lost(self) -> bool:
        """Return whether it was deleted or moved, or another one lies in its place.

        Then no other process sees it. Windows lets nobody do that to a file that is open.
        """
        return OpenFile.at(self.path) != self


def open_unlinked(path: Path, flags: int, mode: int = 0o644) -> int:
    """Open a file that is no link and return its descriptor.

    Args:
        path: the file.
        flags: those of `os.open`.
        mode: the rights of a file that is made, before the umask.

    Raises:
        OSError: it is a link (ELOOP), or it cannot be opened.

    """
    # A file that must be new is never opened through a link.
    if not (hasattr(os, "O_NOFOLLOW") or flags & os.O_EXCL) and path.is_symlink():
        raise OSError(errno.ELOOP, "it is a link to another place", str(path))
    return os.open(path, flags | _AS_IT_IS, mode)


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[int]:
    """Open an ordinary file for reading, and nothing that a link or a device stands for.

    Yields its descriptor: a file object asks the system four things more before it reads. Raises
    OSError.
    """
    demand_regular(path, path.lstat().st_mode)
    descriptor = open_unlinked(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def open_to_read_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open an ordinary file as `open_regular` does, to read it line by line."""
    with open_regular(path) as descriptor, open(descriptor, "rb", closefd=False) as file:
        yield file


def hash_of_file(path: Path) -> str:
    """Return the sha256 of an ordinary file in hexadecimal digits; raises OSError."""
    with open_regular(path) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_private(path: Path, flags: int, mode: int = _OWN) -> int:
    """Open a file of ours, made if it is not there, and return its descriptor.

    A file that others could read, as an earlier copy or a backup may have left it, is closed to
    them.

    Args:
        path: the file.
        flags: those of `os.open` beyond creating.
        mode: the rights that it has then, whatever the umask: its owner's alone, unless others are
            let in on purpose.

    Raises:
        OSError: a link, a pipe or a device lies in its place, or it cannot be opened or closed to
            others.

    """
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat().st_mode
        if not (stat.S_ISLNK(found) or stat.S_ISDIR(found)):  # the system says that of those
            demand_regular(path, found)
    descriptor = open_unlinked(path, flags | os.O_CREAT | _AT_ONCE, _OWN)
    try:
        found = os.fstat(descriptor).st_mode
        demand_regular(path, found)
        if os.name == "posix" and found & 0o077 != mode & 0o077:
            os.fchmod(descriptor, mode)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def read_regular(path: Path, limit_bytes: int) -> bytes:
    """Read an ordinary file of the user's, links followed; one byte more than the limit if larger.

    A folder, pipe or device is never read: opening a pipe would wait for its writer for ever, and
    opening a device can do something.

    Raises:
        OSError: it is not an ordinary file, or it cannot be read.

    """
    demand_regular(path, path.stat().st_mode)
    with os.fdopen(os.open(path, os.O_RDONLY | _QUIETLY), "rb") as file:
        # Asked again: between the two another file may have taken its name.
        demand_regular(path, os.fstat(file.fileno()).st_mode)
        data: bytes | None = file.read(limit_bytes + 1)
        if data is None:  # it says that it is a file, and has nothing yet: the kernel's log
            raise OSError(errno.EINVAL, "it is a pipe, not a file", str(path))
        return data


def name_kind(mode: int) -> str | None:
    """Return what something that is not an ordinary file is, in plain words; None for a file."""
    kinds = (
        (stat.S_ISREG, None),
        (stat.S_ISLNK, "a link"),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((name for test, name in kinds if test(mode)), "no ordinary file")


def demand_regular(path: Path, mode: int) -> None:
    """Raise NotAFile unless `mode`, what the system says of a path, is an ordinary file's."""
    kind = name_kind(mode)
    if kind is not None:
        raise NotAFile(path, kind)
