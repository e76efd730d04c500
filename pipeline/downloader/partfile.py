"""The part file: a video that is still being downloaded, `.<name>.part` beside its final name.

A small companion, `.<name>.part.json`, keeps the validator and the size that the host gave, so
that a later try, also by another process and with a fresh URL, can continue where this one ended. A
short video gets one only when it is interrupted: most come in one go and never need it. Links are
never followed: neither the part nor the companion nor the final name may be a link.

Tested in tests/downloader/test_fetching.py.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from pipeline.disk.failures import storing as disk_storing
from pipeline.disk.openfile import open_regular, open_unlinked
from pipeline.disk.place import sync_folder
from pipeline.errors import StoreError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_SIDECAR_LIMIT_BYTES = 4096
LONG_BYTES = 1024 * 1024
"""A video of at least this size, or of unknown size, has its companion from the start."""


def storing(path: Path) -> AbstractContextManager[None]:
    """Turn every failure of the file system inside into a StoreError that names `path`."""
    return disk_storing(path, cannot="be written or read")


@dataclass(frozen=True, slots=True)
class Mark:
    """What makes a part resumable: the host's validator of the file, and its whole size.

    `validator` is a strong ETag or a Last-Modified date; `total_bytes` is None if never announced.
    """

    validator: str
    total_bytes: int | None = None


class PartFile:
    """The part of one video: written in pieces, kept over interruptions, moved when verified."""

    def __init__(self, folder: Path, name: str) -> None:
        self.final = folder / name
        self.path = folder / f".{name}.part"
        self.sidecar = folder / f".{name}.part.json"
        self._folder = folder
        self._name = name
        self._descriptor: int | None = None
        self.size_bytes = self._size_on_disk()
        self.mark = self._read_mark() if self.size_bytes else None
        self._mark_kept = self.mark is not None

    @property
    def whole(self) -> bool:
        """Whether all announced bytes are there already."""
        return self.mark is not None and self.mark.total_bytes == self.size_bytes > 0

    def _size_on_disk(self) -> int:
        with storing(self.path):
            try:
                found = self.path.lstat()
            except FileNotFoundError:
                return 0
        return found.st_size if stat.S_ISREG(found.st_mode) else 0

    def _read_mark(self) -> Mark | None:
        """Read the companion; without a sound one the part is not resumable."""
        with storing(self.sidecar):
            try:
                found = self.sidecar.lstat()
            except FileNotFoundError:
                return None
            if not stat.S_ISREG(found.st_mode) or found.st_size > _SIDECAR_LIMIT_BYTES:
                return None
        with storing(self.sidecar), open_regular(self.sidecar) as descriptor:
            mark = _parse_mark(os.read(descriptor, _SIDECAR_LIMIT_BYTES), self._name)
        if mark is None or (mark.total_bytes or self.size_bytes) < self.size_bytes:
            return None
        return mark

    def start_over(self, mark: Mark | None) -> None:
        """Begin an empty part; without a `mark` it is not resumable."""
        if self.size_bytes or self._mark_kept:
            self.remove()
        with storing(self.path):
            # Alone a companion would be a lie. Mostly neither it nor the part is there.
            self.sidecar.unlink(missing_ok=True)
            try:
                self._descriptor = open_unlinked(self.path, _NEW)
            except FileExistsError:
                self.path.unlink()
                self._descriptor = open_unlinked(self.path, _NEW)
        self.mark = mark
        if mark is not None and (mark.total_bytes or LONG_BYTES) >= LONG_BYTES:
            self._write_mark(mark)

    def keep(self) -> None:
        """Write down what is needed to continue with this part, if that is possible.

        It happens after a failure: that there is no room for it must not hide that failure.
        """
        if self.mark is None or self._mark_kept or self._size_on_disk() != self.size_bytes:
            return
        with suppress(StoreError):
            self._write_mark(self.mark)

    def _write_mark(self, mark: Mark) -> None:
        record = {"name": self._name, "validator": mark.validator, "size": mark.total_bytes}
        with storing(self.sidecar):
            try:
                with FileIO(open_unlinked(self.sidecar, _NEW), "wb") as file:
                    file.write(json.dumps(record).encode())
            except OSError:
                self.sidecar.unlink(missing_ok=True)
                raise
        self._mark_kept = True

    def go_on(self) -> None:
        """Open the part at its end."""
        with storing(self.path):
            self._descriptor = open_unlinked(self.path, os.O_WRONLY | os.O_APPEND)
            if os.fstat(self._descriptor).st_size != self.size_bytes:
                raise OSError(errno.EBUSY, "another program changes it")

    def write(self, piece: bytes) -> None:
        """Append a piece, unbuffered."""
        descriptor = self._descriptor
        assert descriptor is not None, "opened before it is written to"  # noqa: S101
        with storing(self.path):
            written = os.write(descriptor, piece)
            while written < len(piece):  # a disk that runs full takes a part of it first
                written += os.write(descriptor, memoryview(piece)[written:])
        self.size_bytes += len(piece)

    def close(self) -> None:
        """Close the part and keep it; unless it is whole, with what is needed to continue."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with storing(self.path):
                os.close(descriptor)
            if not self.whole:
                self.keep()

    def remove(self) -> None:
        """Delete the part and its companion, the companion first: alone it would be a lie."""
        self.mark = None
        self.close()
        for path in (self.sidecar, self.path):
            with storing(path):
                path.unlink(missing_ok=True)
        self.size_bytes, self._mark_kept = 0, False

    def open(self) -> int:
        """Return a descriptor of the part, for its verification and for `settle`.

        It can be written to as well, since Windows flushes no other.
        """
        with storing(self.path):
            return open_unlinked(self.path, os.O_RDWR)

    def settle(self, descriptor: int | None = None) -> None:
        """Make the verified part durable under its final name. Blocks: call it in a thread.

        `descriptor` is what `open` gave, if it was opened already; it is closed here.
        """
        if descriptor is None:
            descriptor = self.open()
        with storing(self.path):
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        with storing(self.final):
            self.path.replace(self.final)
            if self._mark_kept:
                self.sidecar.unlink(missing_ok=True)
            sync_folder(self._folder)


def _parse_mark(text: bytes, name: str) -> Mark | None:
    try:
        record = json.loads(text)
    except ValueError:
        return None
    if not isinstance(record, dict) or record.get("name") != name:
        return None
    validator, size = record.get("validator"), record.get("size")
    # It is sent as a header: nothing that could not have come as a header.
    if not isinstance(validator, str) or not validator.isprintable() or not validator:
        return None
    if size is not None and (not isinstance(size, int) or size < 0):
        return None
    return Mark(validator, size)
