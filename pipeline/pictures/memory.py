"""What is kept of pictures between runs: what was found out about them, and copies made of them.

The findings save time only: whatever goes wrong with them, the pictures are read again.

Tested in tests/pictures/test_shelf.py, copies in tests/pictures/test_recipe.py.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.disk.openfile import open_private, open_to_read_bytes
from pipeline.disk.place import place_in_cache
from pipeline.disk.sqlitefile import close_logs
from pipeline.model import Picture

_LOG = logging.getLogger(__name__)
_FILE = "pictures.db"
_COPIES = "pictures"
_WAIT_S = 2.0
"""How long to wait for another process that is writing."""
_TABLE = "pictures_2"
"""Raise the number when the checks get stricter: pictures that passed the old ones do not count."""
_KEY = ("path", "recipe", "size", "mtime_ns", "ctime_ns")
_CREATE = f"""
CREATE TABLE IF NOT EXISTS {_TABLE} (
  path BLOB, recipe INTEGER, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER,
  sha256 TEXT, size_bytes INTEGER, mime_type TEXT, width INTEGER, height INTEGER, warnings TEXT,
  copy BLOB, copy_sha256 TEXT, copy_size INTEGER, copy_mtime_ns INTEGER, copy_ctime_ns INTEGER,
  PRIMARY KEY (path, recipe)) WITHOUT ROWID
"""
_SAME = " AND ".join(f"{column} = ?" for column in _KEY)
_RECALL = f"SELECT * FROM {_TABLE} WHERE {_SAME}"  # noqa: S608
_REMEMBER = f"INSERT OR REPLACE INTO {_TABLE} VALUES ({', '.join('?' * 16)})"  # noqa: S608


class Stamp(NamedTuple):
    """What changes when a file does: its size in bytes, and two times in nanoseconds."""

    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        """Take the stamp; the inode time also tells a file replaced under its old date."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class PictureMemory:
    """A small SQLite file of checked pictures; without a folder, or if it fails, it stays empty.

    Two processes may use the same file. A damaged file is deleted and a new one begun. Pictures
    found with another `recipe` are not recalled; 0 stands for pictures that are sent as they are.
    """

    def __init__(self, cache_dir: Path | None, *, recipe: int = 0) -> None:
        self._connection: sqlite3.Connection | None = None
        self._recipe = recipe
        if cache_dir is None:
            return
        file = cache_dir / _FILE
        try:
            self._connection = _open_memory(file)
        except (sqlite3.OperationalError, OSError) as error:
            self._give_up(error)
        except sqlite3.DatabaseError as error:
            self._begin_anew(file, error)

    def recall(self, path: Path, stamp: Stamp) -> Picture | None:
        """Return the picture found earlier if neither its file nor its copy has changed since."""
        if self._connection is None:
            return None
        try:
            key = (_path_key(path), self._recipe, *stamp)
            row = self._connection.execute(_RECALL, key).fetchone()
            return None if row is None else _picture(path, row[len(_KEY) :])
        except (sqlite3.Error, ValueError, TypeError) as error:
            self._give_up(error)
            return None

    def remember(self, found: Iterable[tuple[Path, Stamp, Picture]]) -> None:
        """Keep the pictures found at these paths, in one transaction."""
        if self._connection is None:
            return
        rows = [
            (_path_key(path), self._recipe, *stamp, *row)
            for path, stamp, picture in found
            if (row := _row(path, picture)) is not None
        ]
        try:
            with self._connection as connection:
                connection.executemany(_REMEMBER, rows)
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        """Close the file; nothing is remembered from then on."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _begin_anew(self, file: Path, error: Exception) -> None:
        _LOG.info("The record of checked pictures is damaged and is begun again: %s", error)
        try:
            for suffix in ("", "-journal", "-wal", "-shm"):
                file.with_name(file.name + suffix).unlink(missing_ok=True)
            self._connection = _open_memory(file)
        except (sqlite3.Error, OSError) as again:
            self._give_up(again)

    def _give_up(self, error: Exception) -> None:
        _LOG.info("The record of checked pictures cannot be used, so all are read: %s", error)
        self.close()


def _open_memory(file: Path) -> sqlite3.Connection:
    """Open the file for its owner alone, and make the table if there is none."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    close_logs(file)
    os.close(open_private(file, os.O_RDWR))
    connection = sqlite3.connect(file, timeout=_WAIT_S)
    try:
        with connection:
            connection.execute(_CREATE)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _path_key(path: Path) -> bytes:
    """Return the absolute path as bytes: not every file name is valid text."""
    return os.fsencode(path.absolute())


def _row(path: Path, picture: Picture) -> tuple[object, ...] | None:
    """Return what is kept of a picture, in the order of the table; None if it has no kept copy."""
    copy: tuple[object, ...] = (None,) * 5
    if picture.unkept:
        return None
    if picture.path != path:
        stamp = _stamp(picture.path)
        if stamp is None:
            return None
        copy = (_path_key(picture.path), picture.copy_sha256, *stamp)
    warnings = json.dumps(picture.warnings)
    file = (picture.sha256, picture.size_bytes, picture.mime_type, picture.width, picture.height)
    return (*file, warnings, *copy)


def _picture(path: Path, row: tuple[Any, ...]) -> Picture | None:
    sha256, size_bytes, mime_type, width, height, warnings, copy, copy_sha256, *stamp = row
    place = path if copy is None else Path(os.fsdecode(copy))
    if copy is not None and _stamp(place) != tuple(stamp):
        return None
    noted = tuple(json.loads(warnings))
    return Picture(place, sha256, size_bytes, mime_type, width, height, noted, copy_sha256)


def _stamp(path: Path) -> Stamp | None:
    try:
        return Stamp.of(path.stat())
    except OSError:  # anyone may delete a copy; then it is made again
        return None


class CopyFolder:
    """The folder of prepared copies inside the cache; a copy is named by the picture's identity."""

    def __init__(self, cache_dir: Path) -> None:
        self._path = cache_dir / _COPIES
        self._one_at_a_time = threading.Lock()

    def keep(self, name: str, data: bytes) -> Path:
        """Put a copy there and return its path; an equal file already there is not touched.

        Raises OSError.
        """
        final = self._path / name
        with self._one_at_a_time:
            if not _holds(final, data):
                place_in_cache(final, data)
        return final


def _holds(path: Path, data: bytes) -> bool:
    try:
        with open_to_read_bytes(path) as file:
            return file.read(len(data) + 1) == data
    except OSError:  # not there, or not readable: it is written again
        return False
