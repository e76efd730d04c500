"""A file comes whole or not at all: written beside, brought to the disk, then renamed.

One writer works in an output folder at a time (the run's lock), so the temporary name is fixed:
what a killed writer left behind is written over by the next one.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from pipeline.errors import StoreError

T = TypeVar("T")

MOST_NAMES = 99
WORDS = {
    errno.ENOSPC: ("the disk is full", "Free some space and run again: nothing paid for is lost."),
    errno.EROFS: ("the disk is read-only", "Choose another folder with --out."),
    errno.EACCES: ("the folder may not be written to", "Change its rights, or use --out."),
    errno.EPERM: ("the folder may not be written to", "Change its rights, or use --out."),
    errno.ENOENT: ("the folder is gone", "Bring it back, or choose another with --out."),
    errno.ENOTDIR: ("its folder is a file", "Choose another folder with --out."),
    errno.EFBIG: ("the file system takes no file that large", "Choose another disk with --out."),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter folder with --out."),
}
if hasattr(errno, "EDQUOT"):  # Windows has none
    WORDS[errno.EDQUOT] = ("the disk quota is used up", "Free some space and run again.")


def place(target: Path, write: Callable[[BinaryIO], T]) -> tuple[Path, T]:
    """Let `write` fill a file beside `target` and put it there; also give back what it returns.

    A target that is open in a spreadsheet program (Windows) or is otherwise held is left alone:
    the file then goes to `<stem>-2<suffix>`, `-3`, and so on, over an earlier one of that name.
    Raises StoreError when the folder does not take the file.
    """
    temp = temporary(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # What a killed writer left goes first; a link that stands there is not followed.
        temp.unlink(missing_ok=True)
        with temp.open("xb") as file:
            written = write(file)
            file.flush()
            os.fsync(file.fileno())
        placed = _rename(temp, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise store_error(target, error) from error
    finally:
        with contextlib.suppress(OSError):
            temp.unlink(missing_ok=True)
    return placed, written


def remove(target: Path) -> None:
    """Take away a stale file and what a killed writer left beside it. Raises StoreError."""
    try:
        temporary(target).unlink(missing_ok=True)
        target.unlink(missing_ok=True)
    except OSError as error:
        raise store_error(target, error) from error


def temporary(target: Path) -> Path:
    """The name beside `target` under which it is written."""
    return target.with_name(f".{target.name}.part")


def store_error(target: Path, error: OSError) -> StoreError:
    """The failure in plain words."""
    why, action = WORDS.get(
        error.errno or 0,
        (error.strerror or str(error), "Look at the disk and the folder, then run again."),
    )
    return StoreError(f"{target} cannot be written: {why}.", action=action)


def _rename(temp: Path, target: Path) -> Path:
    for number in range(1, MOST_NAMES + 1):
        name = target if number == 1 else target.with_name(f"{target.stem}-{number}{target.suffix}")
        try:
            temp.replace(name)
        except (PermissionError, IsADirectoryError):
            # Windows refuses to replace a file that another program holds open.
            if number == MOST_NAMES:
                raise
        else:
            return name
    raise AssertionError  # pragma: no cover - the loop returns or raises


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable. Windows has no such call for folders."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network file systems cannot do this for a folder; the file itself is safe.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)
