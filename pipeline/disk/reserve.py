"""Room set aside on the disk, so that the answers to paid calls are still written when it is full.

A run begins by writing a file of random bytes, the reserve, and frees it piece by piece when a
store finds no other room.

Tested in tests/security/test_reserve.py.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.disk.failures import store_error
from pipeline.disk.openfile import open_private

SIZE_BYTES = 4 * 1024 * 1024
"""Room for the replies to thousands of submissions, and for the results of most manifests."""

PIECES = 8
"""The reserve is freed in pieces, since a download that still runs may take the room first."""


class Reserve:
    """A context in which a file of `size_bytes` lies at `path`; afterwards its room is free."""

    def __init__(self, path: Path, size_bytes: int = SIZE_BYTES) -> None:
        self._path = path
        self._size_bytes = size_bytes
        self._left_bytes = 0
        self._lock = threading.Lock()  # journal and book may both need room

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
        with self._lock:
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
