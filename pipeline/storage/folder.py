"""A folder as the place of videos: it may be on another disk, and others may write to it, too.

A file is written beside its name, brought to the disk, and given the name by a link, which fails if
another has it meanwhile: whoever comes second overwrites nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.disk.failures import raise_store_errors
from pipeline.disk.openfile import (
    hash_of_file,
    open_regular,
    open_to_read_bytes,
    open_unlinked,
    refuse_link,
    refuse_no_folder,
)
from pipeline.disk.place import rename_new, sync_folder, temporary
from pipeline.errors import StoreError
from pipeline.storage.places import Put

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class FolderPlace:
    """A folder; `mode` are the rights of what is put there."""

    path: Path
    mode: int = 0o644

    @property
    def address(self) -> str:
        """Its path."""
        return str(self.path.absolute())

    async def prepare(self) -> None:
        """Make the folder in one that must be there: a share that is not mounted is noticed."""
        above = self.path.absolute().parent
        if not above.is_dir():
            raise StoreError(
                f"output.videos: there is no folder {above}.",
                action="Mount the disk, make the folder, or correct the setting.",
            )
        refuse_link(self.path)
        with raise_store_errors(self.path):
            self.path.mkdir(exist_ok=True)

    async def put(self, name: str, file: Path, sha256: str) -> Put:
        """Put a copy of a file here, if nothing has the name.

        Args:
            name: Its name here.
            file: The file, which stays.
            sha256: The hash of its content.

        Raises:
            StoreError: The folder does not take it, or the file is not what the hash says.

        """
        put = asyncio.get_running_loop().run_in_executor(None, self._put, name, file, sha256)
        try:
            return await asyncio.shield(put)
        except asyncio.CancelledError:  # the next try must not meet it at work
            with contextlib.suppress(Exception):
                await put
            raise

    def _put(self, name: str, file: Path, sha256: str) -> Put:
        target = self.path / name
        temp = temporary(target)
        with raise_store_errors(target):
            if (found := _compare(target, sha256)) is not None:
                return found
            temp.unlink(missing_ok=True)
            try:
                with (
                    open_regular(file) as source,
                    os.fdopen(open_unlinked(temp, _NEW, self.mode), "wb") as written,
                ):
                    _copy(source, written)
                if hash_of_file(temp) != sha256:
                    raise StoreError(f"{file} changed while it was copied; run again.")
                return self._name(temp, target, sha256)
            finally:
                with contextlib.suppress(OSError):
                    temp.unlink(missing_ok=True)

    def _name(self, temp: Path, target: Path, sha256: str) -> Put:
        """Give a written file its name, if nothing has it by now."""
        try:
            try:
                target.hardlink_to(temp)
            except FileExistsError:
                raise
            except OSError:  # a file system without links, such as FAT
                rename_new(temp, target, self.mode)
        except FileExistsError:
            return _compare(target, sha256) or Put.TAKEN
        sync_folder(target.parent)
        return Put.CREATED

    def list(self) -> Mapping[str, int]:
        """Return the names that are here with their sizes; none where there is no folder."""
        refuse_no_folder(self.path)
        with (
            raise_store_errors(f"the folder {self.path}", cannot="be read"),
            contextlib.suppress(FileNotFoundError),
            os.scandir(self.path) as found,
        ):
            return {one.name: one.stat().st_size for one in found if one.is_file()}
        return {}

    def size_of(self, name: str) -> int | None:
        """Return the size of a file; None where there is none."""
        try:
            return (self.path / name).lstat().st_size
        except OSError:
            return None

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[Iterable[bytes]]:
        """Open a file to read it piece by piece."""
        with open_to_read_bytes(self.path / name) as file:
            yield iter(lambda: file.read(_PIECE_BYTES), b"")

    def read_part(self, name: str, first: int, end: int) -> bytes:
        """Return the bytes from `first` up to `end`."""
        with open_to_read_bytes(self.path / name) as file:
            file.seek(first)
            return file.read(end - first)

    def link(self, name: str, seconds: int) -> str | None:
        """Return no web address: a folder has none."""
        del name, seconds
        return None


def _compare(target: Path, sha256: str) -> Put | None:
    """Return whether what has a name already is the same file; None where nothing has it."""
    try:
        target.lstat()
    except FileNotFoundError:
        return None
    try:
        return Put.SAME if hash_of_file(target) == sha256 else Put.TAKEN
    except FileNotFoundError:
        return None
    except OSError:  # a link, a folder, or a file that nobody here may read: it is another's
        return Put.TAKEN


def _copy(source: int, written: BinaryIO) -> None:
    with open(source, "rb", closefd=False) as reader:
        shutil.copyfileobj(reader, written, _PIECE_BYTES)
    written.flush()
    os.fsync(written.fileno())
