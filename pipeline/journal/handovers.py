"""Which takes were handed over, a table of the journal that only grows, and whose files are gone.

A note says which file lies under which name in the folder of what is handed over, and the latest
one about an entry counts. It is no event: it moves no row. It tells a later export which files are
its own, and a run that nobody needs a video here any more. A journal of an earlier version has no
such table; the first command that writes to it makes one.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from pipeline.disk.openfile import is_gone
from pipeline.disk.sqlitefile import leave_whole, open_to_read, transaction
from pipeline.journal.database import clear_errors, connect, connect_for_reading, lost
from pipeline.journal.ownership import read_notes


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
_REMOVED = "removed:"
_GET_REMOVED = f"SELECT name, value FROM meta WHERE name LIKE '{_REMOVED}%'"  # noqa: S608
_PUT_REMOVED = "INSERT OR REPLACE INTO meta VALUES (?, ?)"


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

    Those about removed files, too: else a row whose file went would be missed again.

    Raises StoreError where the target cannot be written.
    """
    found: list[Handover] = []
    removed: list[tuple[str, str]] = []
    with (
        contextlib.suppress(sqlite3.Error, OSError),
        contextlib.closing(open_to_read(source)) as connection,
    ):
        found = _read(connection)
        removed = connection.execute(_GET_REMOVED).fetchall()
    note_handovers(target, found)
    _put_removed(target, removed)


def _read(connection: sqlite3.Connection) -> list[Handover]:
    if connection.execute(_HAS_TABLE).fetchone() is None:
        return []
    return [Handover(*row) for row in connection.execute(_GET)]


# Which files of takes `prune` has removed. Their takes stay what they were.


def note_removed(path: Path, takes: Mapping[tuple[str, int], str], at: float) -> None:
    """Note the takes whose files go, before they go, in one transaction. Raises StoreError.

    Args:
        path: the journal, which is there.
        takes: the names of the files, by entry and number of the take.
        at: the Unix second.

    """
    notes = [
        (f"{_REMOVED}{number}:{entry}", json.dumps({"at": at, "file": name}))
        for (entry, number), name in takes.items()
    ]
    _put_removed(path, notes)


def _put_removed(path: Path, notes: Sequence[tuple[str, str]]) -> None:
    if not notes:
        return
    if is_gone(path):
        raise lost(path)
    connection = connect(path)
    with contextlib.closing(connection), clear_errors(path):
        with transaction(connection):
            connection.executemany(_PUT_REMOVED, notes)
        leave_whole(connection)


def read_removed(path: Path) -> dict[tuple[str, int], float]:
    """Return when the files of takes were removed, by entry and number. Raises StoreError."""
    found = {}
    for name, text in read_notes(path).items():
        if name.startswith(_REMOVED):
            number, _, entry = name.removeprefix(_REMOVED).partition(":")
            found[entry, int(number)] = float(json.loads(text)["at"])
    return found
