"""One run per output folder: a lock that the system frees when the run ends, however it ends.

The lock file is empty. Who holds the lock is written to a file beside it, `run.owner.json`, for the
message that another run gets. A killed run leaves that file behind, but no lock.

Tested in tests/runner/test_api.py and tests/system/test_lost_neighbours.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.disk.failures import raise_store_errors
from pipeline.disk.openfile import is_gone, open_private, open_to_read_bytes
from pipeline.disk.rights import make_cache
from pipeline.errors import RunLocked


@contextlib.contextmanager
def run_lock(path: Path, manifest: Path | None = None) -> Iterator[None]:
    """Hold the lock at `path`, without waiting for it.

    Those who may read the `manifest` get into the output folder, if it is made here.

    Raises:
        RunLocked: another run holds it; the message names its process.
        StoreError: the folder cannot be written.

    """
    owner = _owner_file(path)
    # Where a file system has no locks, filelock would use a file, which would outlive a killed run.
    lock = FileLock(path, mode=0o600, fallback_to_soft=False)
    folder = path.parent.parent
    make_cache(path.parent, manifest)
    with raise_store_errors(f"the output folder {folder}"):
        try:
            lock.acquire(blocking=False)
        except Timeout as error:
            raise _locked(path) from error
        path.chmod(0o600)  # an earlier one may have been open to others
    try:
        _name(owner)
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def is_locked(path: Path) -> bool:
    """Return whether a run holds the lock at `path`; False where that cannot be told."""
    return _is_held(path) is True


def was_left(path: Path) -> bool:
    """Return whether nobody holds the lock at `path`; False where that cannot be told.

    Another user may look at what a run writes, but not try its lock.
    """
    return is_gone(_owner_file(path)) or _is_held(path) is False


def _is_held(path: Path) -> bool | None:
    if is_gone(path):
        return False
    lock = FileLock(path, mode=0o600, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    except OSError:
        return None
    lock.release()
    return False


def why_locked(path: Path) -> RunLocked | None:
    """Return why no run can begin just now; None where none holds the lock at `path`.

    Only where a run has left its name the lock is tried: that could keep one from beginning.
    """
    return _locked(path) if not is_gone(_owner_file(path)) and is_locked(path) else None


def _owner_file(path: Path) -> Path:
    return path.with_suffix(".owner.json")


def _locked(path: Path) -> RunLocked:
    return RunLocked(
        f"another run works in {path.parent.parent}: {_name_owner(_owner_file(path))}",
        action="Wait for it to end.",
    )


def _name(owner: Path) -> None:
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since})
    with (
        raise_store_errors(owner),
        os.fdopen(open_private(owner, os.O_WRONLY | os.O_TRUNC), "wb") as file,
    ):
        file.write(text.encode())


def _name_owner(owner: Path) -> str:
    try:
        with open_to_read_bytes(owner) as file:
            said = json.load(file)
        return f"process {said['pid']} on {said['host']}, since {said['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "its process is not known yet"
