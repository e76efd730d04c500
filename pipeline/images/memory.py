"""What was found out about pictures in earlier runs, so that none is read twice unchanged.

It only saves time: whatever goes wrong here, the pictures are simply read again.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pipeline.model import Picture

_LOG = logging.getLogger(__name__)
_FILE = "pictures.db"
_WAIT_S = 2.0  # for another process that writes just now
# The number belongs to the checks that a picture has passed: raise it when they get stricter.
_TABLE = "pictures_1"
_COLUMNS = "path, size, mtime_ns, ctime_ns, sha256, mime_type, width, height, warnings"


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
    """A small SQLite file of checked pictures. Without a folder, or on trouble, it stays empty.

    Two processes may use one file. A damaged file is thrown away and begun anew.
    """

    def __init__(self, cache_dir: Path | None) -> None:
        self._connection: sqlite3.Connection | None = None
        if cache_dir is None:
            return
        file = cache_dir / _FILE
        try:
            self._connection = _opened(file)
        except sqlite3.OperationalError as error:
            self._give_up(error)
        except sqlite3.DatabaseError as error:
            self._begin_anew(file, error)
        except OSError as error:
            self._give_up(error)

    def recall(self, path: Path, stamp: Stamp) -> Picture | None:
        """Return the picture as it was found then, if the file has not changed since."""
        if self._connection is None:
            return None
        try:
            row = self._connection.execute(
                f"SELECT sha256, mime_type, width, height, warnings FROM {_TABLE} "  # noqa: S608
                "WHERE path = ? AND size = ? AND mtime_ns = ? AND ctime_ns = ?",
                (_path_key(path), *stamp),
            ).fetchone()
            if row is None:
                return None
            sha256, mime_type, width, height, warnings = row
            return Picture(
                path, sha256, stamp.size, mime_type, width, height, tuple(json.loads(warnings))
            )
        except (sqlite3.Error, ValueError, TypeError) as error:
            self._give_up(error)
            return None

    def remember(self, found: Iterable[tuple[Picture, Stamp]]) -> None:
        """Keep what was found, in one transaction."""
        if self._connection is None:
            return
        rows = [
            (
                _path_key(picture.path),
                *stamp,
                picture.sha256,
                picture.mime_type,
                picture.width,
                picture.height,
                json.dumps(picture.warnings),
            )
            for picture, stamp in found
        ]
        marks = ", ".join("?" * (_COLUMNS.count(",") + 1))
        try:
            with self._connection as connection:
                connection.executemany(
                    f"INSERT OR REPLACE INTO {_TABLE} ({_COLUMNS}) VALUES ({marks})",  # noqa: S608
                    rows,
                )
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        """Let go of the file; nothing is remembered from then on."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _begin_anew(self, file: Path, error: Exception) -> None:
        _LOG.info("The memory of pictures is damaged and begins anew: %s", error)
        try:
            for suffix in ("", "-journal", "-wal", "-shm"):
                file.with_name(file.name + suffix).unlink(missing_ok=True)
            self._connection = _opened(file)
        except (sqlite3.Error, OSError) as again:
            self._give_up(again)

    def _give_up(self, error: Exception) -> None:
        _LOG.info("Pictures are read without a memory of earlier runs: %s", error)
        self.close()


def _opened(file: Path) -> sqlite3.Connection:
    """Open the file for its owner alone, and make the table if there is none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    held = os.open(file, flags, 0o600)
    os.close(held)
    file.chmod(0o600)
    connection = sqlite3.connect(file, timeout=_WAIT_S)
    try:
        with connection:
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {_TABLE} (path BLOB PRIMARY KEY, size INTEGER, "
                "mtime_ns INTEGER, ctime_ns INTEGER, sha256 TEXT, mime_type TEXT, width INTEGER, "
                "height INTEGER, warnings TEXT) WITHOUT ROWID"
            )
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _path_key(path: Path) -> bytes:
    """Return the absolute path as bytes: not every file name is valid text."""
    return os.fsencode(path.absolute())
