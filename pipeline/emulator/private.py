"""Files and folders for their owner alone, and none that a link stands for.

A rehearsal's state holds pictures and texts that others may not have, and it may lie in a folder
that somebody else has filled: with links to places that this user may read or write.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

_FOLDER, _FILE = 0o700, 0o600
_PLAIN = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def make_folder(path: Path) -> None:
    """Make a folder of ours unless it is there; raise OSError where a link lies in its place."""
    refuse_link(path)
    path.mkdir(mode=_FOLDER, exist_ok=True)


def make_file(path: Path) -> None:
    """Make an empty file in place of whatever has the name. Raises OSError."""
    path.unlink(missing_ok=True)
    os.close(_open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))


def close_to_others(path: Path, *, make: bool = False) -> None:
    """Take the rights of others to a file away; with `make` it need not be there.

    Raises OSError where it is not there, or where something else has the name.
    """
    descriptor = _open(path, os.O_RDONLY | (os.O_CREAT if make else 0))
    try:
        if os.name == "posix" and stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            os.fchmod(descriptor, _FILE)
    finally:
        os.close(descriptor)


def write_private(path: Path, content: bytes) -> None:
    """Put a whole file at a path, in place of what has the name. Raises OSError."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    make_file(part)
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(part.unlink, missing_ok=True)
        part.write_bytes(content)
        part.replace(path)


def read_private(path: Path) -> bytes:
    """Read an ordinary file, in a folder that no link stands for. Raises OSError."""
    refuse_link(path.parent)
    with os.fdopen(_open(path, os.O_RDONLY), "rb") as file:
        return file.read()


def refuse_link(path: Path) -> None:
    """Raise OSError where a link lies at a path."""
    if path.is_symlink():
        raise OSError(errno.ELOOP, "it is a link to another place", str(path))


def refuse_unusual(path: Path) -> None:
    """Raise OSError where something lies at a path that is no ordinary file: a link, a pipe."""
    refuse_link(path)
    if os.path.lexists(path) and not path.is_file():
        raise OSError(errno.EINVAL, "it is no ordinary file", str(path))


def _open(path: Path, flags: int) -> int:
    if not hasattr(os, "O_NOFOLLOW"):
        refuse_link(path)
    descriptor = os.open(path, flags | _PLAIN, _FILE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no ordinary file", str(path))
    return descriptor
