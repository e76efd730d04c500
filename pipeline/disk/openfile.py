"""Our files, opened at their very place: no link is followed, only ordinary files are taken."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import StoreError

_AS_IT_IS = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"))
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)  # a pipe without a reader would be waited for, for ever
_OWN = 0o600


def refuse_link(path: Path) -> None:
    """Raise StoreError where a link lies at `path`: nothing is written to where it leads."""
    if path.is_symlink():
        raise StoreError(
            f"{path} is a link to another place; nothing is written there.",
            action="Remove the link, or name another output folder with --out.",
        )


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
    _demand_regular(path, path.lstat().st_mode)
    descriptor = open_unlinked(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_private(path: Path, flags: int) -> int:
    """Open a file of ours, made if it is not there, and return its descriptor.

    `flags` are those of `os.open` beyond creating. A file that others could read, as an earlier
    copy or a backup may have left it, is closed to them.

    Raises:
        OSError: a link, a pipe or a device lies in its place, or it cannot be opened or closed to
            others.

    """
    descriptor = open_unlinked(path, flags | os.O_CREAT | _AT_ONCE, _OWN)
    try:
        mode = os.fstat(descriptor).st_mode
        _demand_regular(path, mode)
        if os.name == "posix" and mode & 0o077:
            os.fchmod(descriptor, _OWN)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _demand_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a link, a folder or a device, not a file", str(path))
