"""Room on the disk that is set aside for the answers to paid calls.

When the disk is full the task ids of what is on its way must still find a place. So a run begins by
writing a file of nothing, and gives it up piece by piece when the journal finds no room otherwise.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.disk.privatefile import open_private
from pipeline.errors import StoreError

SIZE_BYTES = 4 * 1024 * 1024
"""Room for the answers of thousands of submissions, and for the results of most manifests."""

PIECES = 8
"""A download that still runs may take what is given up before it is stopped: so not all at once."""


class Reserve:
    """A file of `size_bytes` at `path` while it is entered; gone afterwards, its room is free."""

    def __init__(self, path: Path, size_bytes: int = SIZE_BYTES) -> None:
        self._path = path
        self._size_bytes = size_bytes
        self._left_bytes = 0

    def __enter__(self) -> Self:
        """Set the room aside; raises StoreError if the disk does not have it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)  # what a killed run left
            with os.fdopen(open_private(self._path, os.O_WRONLY | os.O_EXCL), "wb") as file:
                # By chance, so that no file system saves the room by packing it; and to the disk,
                # since some find out only then that there is none.
                file.write(os.urandom(self._size_bytes))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self.release()
            raise StoreError(
                f"{self._size_bytes / 1e6:.1f} MB cannot be set aside in {self._path.parent} for "
                f"the answers to paid calls: {error.strerror or error}",
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
        self.release()

    def give_up_a_piece(self) -> bool:
        """Free a part of the room; return False if nothing was left to free."""
        if self._left_bytes <= 0:
            return False
        self._left_bytes -= -(-self._size_bytes // PIECES)
        try:
            if self._left_bytes > 0:
                os.truncate(self._path, self._left_bytes)
            else:
                self._path.unlink(missing_ok=True)
        except OSError:  # deleted by somebody else, say: then that is where the room is
            self.release()
        return True

    def release(self) -> None:
        """Free all of the room."""
        self._left_bytes = 0
        # Whoever cannot delete a file has nothing to say about room; the next run writes it anew.
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
