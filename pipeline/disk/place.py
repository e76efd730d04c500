"""A file comes whole or not at all: written beside its place, brought to the disk, then renamed.

A rename is atomic: anyone who looks, even after a kill or a power cut, finds the old file or the
new one. It is durable only when the folder itself has been flushed, and some file systems
cannot do that (see `sync_folder`).
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

from pipeline.disk.failures import raise_store_errors
from pipeline.disk.openfile import hash_of_file, open_regular, open_unlinked
from pipeline.disk.rights import mode_of_copy, mode_of_joint_copy

_Written = TypeVar("_Written")

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_MODE, _OWN = 0o666, 0o600
_AT_ONCE = 8 * 1024 * 1024
"""So much of a file is copied at a time, in bytes."""
_MOST_NAMES = 99
# How a file system reports that it flushes no folders: Linux's own for one without the call, and
# what network and foreign file systems of Linux and macOS give. EIO, ENOSPC and the like are not
# among them: there the name may be lost.
_NO_FLUSH = frozenset({errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EOPNOTSUPP})


def place(
    target: Path,
    write: Callable[[BinaryIO], _Written],
    *,
    copy_of: Path | tuple[Path, ...] = (),
    begin: Callable[[Path], None] = lambda _: None,
) -> tuple[Path, _Written]:
    """Let `write` fill a file beside `target` and put it there; return its path and that result.

    A target that is open in a spreadsheet program (Windows) or is otherwise held is left alone:
    the file then goes to `<stem>-2<suffix>`, `-3`, and so on, over an earlier one of that name.
    One writer works in an output folder at a time (the run's lock), so the name beside is fixed:
    what a killed writer left is written over by the next one.

    Args:
        target: where it goes.
        write: fills the file.
        copy_of: the file whose content it repeats, and whose rights it gets; of several, those
            that they share; of none, those that any new file has.
        begin: called with the new file when it is on the disk, just before it is renamed; if it
            raises, the target stays as it is.

    Raises:
        StoreError: the folder does not take the file.

    """
    temp = temporary(target)
    sources = copy_of if isinstance(copy_of, tuple) else (copy_of,)
    mode = mode_of_joint_copy(sources, target.parent) if sources else _MODE
    with raise_store_errors(target), _clearing(temp):
        descriptor, written = _write(temp, write, mode)

        def rename(temp: Path, target: Path) -> Path:
            begin(temp)
            return _rename(temp, target)

        return place_written(descriptor, temp, target, rename=rename), written


def place_unless_same(target: Path, data: bytes, *, copy_of: Path | tuple[Path, ...] = ()) -> Path:
    """Put a file at `target` unless it holds these bytes already; return its path.

    Args:
        target: where it goes.
        data: its content.
        copy_of: as for `place`.

    Raises:
        StoreError: the folder does not take the file.

    """
    with contextlib.suppress(OSError), open_regular(target) as descriptor:
        if os.fstat(descriptor).st_size == len(data):
            with open(descriptor, "rb", closefd=False) as file:
                if file.read() == data:
                    return target
    return place(target, lambda file: file.write(data), copy_of=copy_of)[0]


def place_written(
    descriptor: int,
    temp: Path,
    target: Path,
    *,
    rename: Callable[[Path, Path], Path] = Path.replace,
    outlived: Path | None = None,
    cannot: str = "be written",
) -> Path:
    """Bring a file that is written to the disk and put it in its place; return that place.

    Args:
        descriptor: the file, open to be written to; it is closed here.
        temp: the name beside `target` under which it was written.
        target: where it goes.
        rename: renames the file and returns the name that it got.
        outlived: a file beside `target` that nobody needs once the other is in its place.
        cannot: what could not be done where the disk fails, as in "be written".

    Raises:
        StoreError: the disk does not take the file `temp`, or the folder not the name `target`.

    """
    with raise_store_errors(temp, cannot=cannot):
        _flush(descriptor)
    with raise_store_errors(target, cannot=cannot):
        placed = rename(temp, target)
        if outlived is not None:
            outlived.unlink(missing_ok=True)
        sync_folder(target.parent)
    return placed


def place_in_cache(target: Path, data: bytes) -> None:
    """Put a file for its owner alone in a cache, which several processes may write to at once.

    Its name is not made durable: a file that a cache has lost is made anew. Raises OSError.
    """
    temp = _temporary_here(target)
    with _clearing(temp):
        _flush(_write(temp, lambda file: file.write(data), mode=_OWN)[0])
        temp.replace(target)


def place_new(target: Path, data: bytes, *, copy_of: Path | None = None) -> None:
    """Put a file where there is none.

    Args:
        target: where it goes.
        data: its content.
        copy_of: the file whose content it repeats, and whose rights it gets; None for those that
            any new file has.

    Raises:
        FileExistsError: something has the name.
        OSError: the folder does not take it.

    """
    mode = _MODE if copy_of is None else mode_of_copy(copy_of, target.parent)
    temp = _temporary_here(target)
    with _clearing(temp):
        _flush(_write(temp, lambda file: file.write(data), mode)[0])
        rename_new(temp, target, mode)


def rename_new(temp: Path, target: Path, mode: int) -> None:
    """Give a file that was written beside `target` that name, if nothing has it.

    Args:
        temp: the file, which is on the disk.
        target: the name.
        mode: the rights of the file.

    Raises:
        FileExistsError: something has the name.
        OSError: the folder does not take it.

    """
    os.close(open_unlinked(target, _NEW, mode))  # takes the name: two cannot both have it
    try:
        temp.replace(target)
    except OSError:
        target.unlink()
        raise
    sync_folder(target.parent)


def place_copy(source: Path, target: Path, sha256: str, mode: int = _MODE) -> bool:
    """Put a copy of a file at `target` if its content has this hash; return whether it has.

    Where the file system can, both share their blocks until either is written to. They are never
    links: whatever becomes of the one, the other stays.

    Args:
        source: the file; a link, or anything but a file, counts as one that is not there.
        target: where the copy goes, in place of what has that name.
        sha256: the hash of the content, in hexadecimal digits.
        mode: the most rights of the copy; it has none that `source` has not.

    Raises:
        StoreError: the folder does not take the file.

    """
    mode &= mode_of_copy(source, target.parent)
    temp = temporary(target)
    with raise_store_errors(target), _clearing(temp), contextlib.ExitStack() as opened:
        try:
            origin = opened.enter_context(open_regular(source))
        except OSError:
            return False
        descriptor, readable = _write(temp, lambda file: _copy(origin, file), mode)
        # What was written is hashed, and not what was read: it is the copy that counts.
        if not readable or hash_of_file(temp) != sha256:
            os.close(descriptor)
            return False
        place_written(descriptor, temp, target)
    return True


def _copy(origin: int, file: BinaryIO) -> bool:
    """Copy an open file; return whether it could be read to its end."""
    if hasattr(os, "copy_file_range"):
        with contextlib.suppress(OSError):  # not on this system, or not between these two disks
            while os.copy_file_range(origin, file.fileno(), _AT_ONCE):
                pass
            return True
    os.lseek(origin, 0, os.SEEK_SET)
    file.seek(0)
    file.truncate()
    while True:
        try:
            part = os.read(origin, _AT_ONCE)
        except OSError:
            return False
        if not part:
            return True
        file.write(part)


def holds_hash(path: Path, sha256: str) -> bool:
    """Return whether an ordinary file, and no link, has content with this hash."""
    try:
        return hash_of_file(path) == sha256
    except OSError:
        return False


def remove(target: Path) -> None:
    """Delete a stale file and what a killed writer left beside it. Raises StoreError."""
    with raise_store_errors(target, cannot="be deleted"):
        temporary(target).unlink(missing_ok=True)
        target.unlink(missing_ok=True)


def temporary(target: Path) -> Path:
    """Return the name beside `target` under which it is written."""
    return target.with_name(f".{target.name}.part")


def _temporary_here(target: Path) -> Path:
    """Return a name beside `target` that no other process writes to."""
    return target.with_name(f".{target.name}.{os.getpid()}.part")


def sync_folder(folder: Path, flush: Callable[[int], None] = os.fsync) -> None:
    """Make the names in a folder durable, where its file system can; raises OSError.

    Where a file system cannot flush folders, nothing more can be done: the file itself is already
    on the disk. So that counts as done, as does a folder that may be written to and not read.
    Every other failure is one. Windows has no such call.
    """
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        flush(descriptor)
    except OSError as error:
        if error.errno not in _NO_FLUSH:
            raise
    finally:
        os.close(descriptor)


def _write(
    temp: Path, write: Callable[[BinaryIO], _Written], mode: int = _MODE
) -> tuple[int, _Written]:
    """Write a file in place of what a killed writer left; return it, still open, and the result."""
    temp.parent.mkdir(parents=True, exist_ok=True)
    temp.unlink(missing_ok=True)  # a link that lies there is not followed
    descriptor = open_unlinked(temp, _NEW, mode)
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            return descriptor, write(file)
    except BaseException:
        os.close(descriptor)
        raise


def _flush(descriptor: int) -> None:
    """Bring a file to the disk and close it."""
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _clearing(temp: Path) -> Iterator[None]:
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            temp.unlink(missing_ok=True)


def is_open(target: Path) -> bool:
    """Return whether a spreadsheet program says, by a file beside it, that it has a file open.

    On a share, and where nothing locks files, only that tells.
    """
    beside = (f"~${target.name}", f".~lock.{target.name}#")
    return any(os.path.lexists(target.with_name(name)) for name in beside)


def _rename(temp: Path, target: Path) -> Path:
    for number in range(2 if is_open(target) else 1, _MOST_NAMES + 1):
        name = target if number == 1 else target.with_name(f"{target.stem}-{number}{target.suffix}")
        try:
            temp.replace(name)
        except (PermissionError, IsADirectoryError):
            # Windows refuses to replace a file that another program holds open.
            if number == _MOST_NAMES:
                raise
        else:
            return name
    raise AssertionError  # pragma: no cover - the loop returns or raises
