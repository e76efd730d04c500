"""The folder of prepared copies: each written whole, and left alone once it is there."""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

_FOLDER = "pictures"


class CopyFolder:
    """`pictures/` inside the cache; the name of a copy is the identity of its picture."""

    def __init__(self, cache_dir: Path) -> None:
        self.path = cache_dir / _FOLDER
        self._one_at_a_time = threading.Lock()

    def keep(self, name: str, data: bytes) -> Path:
        """Put a copy there and return its path; an equal file already there is not touched.

        Raises:
            OSError: the folder or the disk does not take it.

        """
        final = self.path / name
        with self._one_at_a_time:
            if not _holds(final, data):
                self.path.mkdir(parents=True, exist_ok=True)
                _put(final, data)
        return final


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:  # not there, or not readable: it is written anew
        return False


def _put(final: Path, data: bytes) -> None:
    """Write beside, make durable, rename."""
    handle, beside = tempfile.mkstemp(dir=final.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(final)
    except BaseException:
        with suppress(OSError):
            Path(beside).unlink()
        raise
