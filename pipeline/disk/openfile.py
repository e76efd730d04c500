"""Files for their owner alone, at their very place: no link is followed, no one else may read."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_MODE = 0o600


def open_private(path: Path, flags: int) -> int:
    """Open a file of ours, made if it is not there, and return its descriptor.

    `flags` are those of `os.open` beyond creating. A file that others could read, as an earlier
    copy or a backup may have left it, is closed to them.

    Raises:
        OSError: a link, a pipe or a device lies in its place, or it cannot be opened or closed to
            others.

    """
    if path.is_symlink():  # looked for here for systems without O_NOFOLLOW
        raise OSError(errno.ELOOP, "it is a link to another place; remove it", str(path))
    for flag in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY", "O_NONBLOCK"):  # each where it exists
        flags |= getattr(os, flag, 0)  # a pipe without a reader would wait for ever
    descriptor = os.open(path, flags | os.O_CREAT, _MODE)
    try:
        _close_to_others(descriptor, path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _close_to_others(descriptor: int, path: Path) -> None:
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is no ordinary file; remove it", str(path))
    if os.name == "posix" and mode & 0o077:
        os.fchmod(descriptor, _MODE)
