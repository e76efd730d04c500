"""A log that grows for ever: appended to line by line, and begun anew before it gets too large.

The file that is written to has the plain name; those before it have a number behind it, and the
greater one is the later one: `run.log.1`, `run.log.2`, … `run.log`. So nothing is renamed twice,
and a kill at any moment leaves every line in a file that is read.

Tested in tests/disk/test_logfile.py.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pipeline.disk.failures import raise_store_errors
from pipeline.disk.openfile import open_private, open_to_read_bytes

KEPT = 9
"""So many earlier files of a log are kept beside the one that is written to, unless told so."""

_OWN = 0o600


class LogFile:
    """Appends whole lines to a log; use it as a context.

    Args:
        path: The file.
        mode: Its rights.
        most_bytes: It is begun anew before it gets larger; None: never.
        kept: How many earlier files are kept.

    """

    def __init__(
        self,
        path: Path,
        *,
        mode: int = _OWN,
        most_bytes: float | None = None,
        kept: int = KEPT,
    ) -> None:
        self._path = path
        self._mode = mode
        self._most_bytes = most_bytes
        self._kept = kept
        self._descriptor: int | None = None
        self._whole = False
        self._open()
        for one in earlier_files(path):  # they may have been open to others
            with contextlib.suppress(OSError):
                os.close(open_private(one, os.O_RDONLY, mode))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def append(self, lines: bytes) -> None:
        """Hand lines to the system, each with its end; raises StoreError."""
        with raise_store_errors(f"the log {self._path}"):
            descriptor = self._file
            size = os.fstat(descriptor).st_size
            if self._most_bytes is not None and size and size + len(lines) > self._most_bytes:
                descriptor, size = self._begin_anew(size)
            if size and not (self._whole or _ends_whole(descriptor, size)):
                lines = b"\n" + lines  # behind the half of a line that a kill left
            self._whole = False
            left = memoryview(lines)
            try:
                while left:
                    left = left[os.write(descriptor, left) :]
            except OSError:
                _cut_to_whole(descriptor, size, lines[: len(lines) - len(left)])
                raise
            self._whole = True

    @property
    def _file(self) -> int:
        if self._descriptor is None:
            self._open()
        assert self._descriptor is not None  # noqa: S101 - it is open now
        return self._descriptor

    def _open(self) -> None:
        with raise_store_errors(f"the log {self._path}"):
            self._descriptor = open_private(self._path, os.O_RDWR | os.O_APPEND, self._mode)

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _begin_anew(self, size: int) -> tuple[int, int]:
        """Give the file a number and open the next one; go on with it where that cannot be done."""
        earlier = _numbered(self._path)
        number = max(earlier, default=0) + 1
        self._close()
        try:
            self._path.rename(self._path.with_name(f"{self._path.name}.{number}"))
        except OSError:  # Windows renames no file that somebody reads
            return self._file, size
        for old in sorted(earlier)[: max(0, len(earlier) + 1 - self._kept)]:
            with contextlib.suppress(OSError):
                earlier[old].unlink()
        return self._file, 0


def _ends_whole(descriptor: int, size: int) -> bool:
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) == b"\n"


def _cut_to_whole(descriptor: int, before: int, written: bytes) -> None:
    """Take the half of a line away that a full disk left, unless somebody has written behind it."""
    whole = written.rfind(b"\n") + 1
    with contextlib.suppress(OSError):  # then the next line begins behind it
        if os.fstat(descriptor).st_size == before + len(written):
            os.ftruncate(descriptor, before + whole)


def earlier_files(path: Path) -> list[Path]:
    """Return the files of a log before the one that is written to, the earliest first."""
    found = _numbered(path)
    return [found[number] for number in sorted(found)]


def files_of(path: Path) -> list[Path]:
    """Return all files of a log that are there, the earliest first."""
    return [*earlier_files(path), *([path] if os.path.lexists(path) else [])]


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of all files of a log that can be read, the earliest first.

    The one that is written to is opened first: it may get a number while the others are read.
    """
    with contextlib.ExitStack() as opened:
        latest = None
        with contextlib.suppress(OSError):
            latest = opened.enter_context(open_to_read_bytes(path))
        known = None if latest is None else os.fstat(latest.fileno())
        for one in earlier_files(path):
            with contextlib.suppress(OSError), open_to_read_bytes(one) as file:
                if known is None or not os.path.samestat(known, os.fstat(file.fileno())):
                    yield from file
        if latest is not None:
            with contextlib.suppress(OSError):
                yield from latest


def _numbered(path: Path) -> dict[int, Path]:
    pattern = re.compile(rf"{re.escape(path.name)}\.([1-9][0-9]{{0,17}})")
    found = {}
    with contextlib.suppress(OSError):
        for one in path.parent.iterdir():
            if named := pattern.fullmatch(one.name):
                found[int(named[1])] = one
    return found
