"""Which takes were handed over: a table of the journal that only grows.

A note says which file lies under which name in the folder of what is handed over, and the latest
one about an entry counts. It is no event: it moves no row. It tells a later export which files are
its own, and a run that nobody needs a video here any more. A journal of an earlier version has no
such table; the first command that writes to it makes one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from pipeline.disk.openfile import is_gone
from pipeline.disk.sqlitefile import leave_whole, open_to_read, transaction
from pipeline.journal.database import clear_errors, connect, connect_for_reading, lost


@dataclass(frozen=True, slots=True)
class Handover:
    """A take of an entry that was handed over, or with number 0 that nothing of it is any more.

    `name` is that of its folder and, with a suffix, of the files in it; `sha256` and `poster` are
    the hashes of both, `poster` empty where there is none; `at` is in Unix seconds.
    """

    at: float
    entry: str
    number: int
    sha256: str
    name: str
    poster: str = ""

    @property
    def stands(self) -> bool:
        """Whether the take is handed over, and not taken back."""
        return self.number > 0


_NAMES = tuple(field.name for field in fields(Handover))
_HAS_TABLE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'handovers'"
_GET = f"SELECT {', '.join(_NAMES)} FROM handovers ORDER BY seq"  # noqa: S608 - our own names
_PUT = f"INSERT INTO handovers ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))})"  # noqa: S608


def read_handovers(path: Path) -> list[Handover]:
    """Return all notes of a journal, in their order; none if there is none. Raises StoreError.

    Nothing is written.
    """
    connection = connect_for_reading(path)
    if connection is None:
        return []
    with contextlib.closing(connection), clear_errors(path):
        return _read(connection)


def latest_handovers(path: Path) -> dict[str, Handover]:
    """Return what is handed over of a journal's entries, by entry. Raises StoreError."""
    latest = {one.entry: one for one in read_handovers(path)}
    return {entry: one for entry, one in latest.items() if one.stands}


def note_handovers(path: Path, notes: Sequence[Handover]) -> None:
    """Add notes to a journal that is there, in one transaction. Raises StoreError."""
    if not notes:
        return
    if is_gone(path):
        raise lost(path)
    connection = connect(path)
    with contextlib.closing(connection), clear_errors(path):
        rows = [tuple(getattr(one, name) for name in _NAMES) for one in notes]
        with transaction(connection):
            connection.executemany(_PUT, rows)
        leave_whole(connection)


def copy_handovers(source: Path, target: Path) -> None:
    """Copy all notes that can be read of a journal, perhaps a damaged one, into another.

    Raises StoreError where the target cannot be written.
    """
    found: Iterable[Handover] = ()
    with (
        contextlib.suppress(sqlite3.Error, OSError),
        contextlib.closing(open_to_read(source)) as connection,
    ):
        found = _read(connection)
    note_handovers(target, list(found))


def _read(connection: sqlite3.Connection) -> list[Handover]:
    if connection.execute(_HAS_TABLE).fetchone() is None:
        return []
    return [Handover(*row) for row in connection.execute(_GET)]
