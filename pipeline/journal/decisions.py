"""The decisions that people made about takes: a table of the journal that only grows.

A decision is of a take, that is of an entry and the number of its attempt; the latest of both
counts. It is no event: it moves no row. A journal of an earlier version has no such table, and so
no decisions; the first command that writes to it makes one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Self

from pipeline.disk.openfile import OpenFile, is_gone
from pipeline.disk.sqlitefile import leave_whole, open_to_read, transaction
from pipeline.errors import UsageError
from pipeline.journal.database import clear_errors, connect, connect_for_reading, lost
from pipeline.journal.identities import Identities
from pipeline.journal.writing import PUT_NOTE
from pipeline.model import Decision

_COLUMNS = tuple(field.name for field in fields(Decision))
_HAS_TABLE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'decisions'"
_GET = f"SELECT {', '.join(_COLUMNS)} FROM decisions {{where}} ORDER BY seq"  # noqa: S608 - ours
_NEW = tuple(name for name in _COLUMNS if name != "seq")
_PUT = f"INSERT INTO decisions ({', '.join(_NEW)}) VALUES ({', '.join('?' * len(_NEW))})"  # noqa: S608
_AT_ONCE = 500
"""Every SQLite takes 999 values in a query (sqlite.org/limits.html)."""


class DecisionTable:
    """The decisions of a journal, open for writing beside a run that may be under way.

    A context manager. Each `add` is one transaction, which a run waits for: gather what comes
    together.
    """

    def __init__(self, path: Path) -> None:
        """Open the table of the journal at `path`; raises StoreError, UsageError if there is none.

        Any thread may use it, one at a time.
        """
        if is_gone(path):
            raise UsageError(
                f"there is no journal at {path}: nothing was made that could be judged.",
                action="Check the manifest's name, provider and --out.",
            )
        self._path = path
        self._file = OpenFile.at(path)
        self._connection = connect(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        leave_whole(self._connection)
        self._connection.close()

    def add(
        self,
        entries: Collection[str] | None,
        choose: Callable[[Sequence[Decision]], Sequence[Decision]],
    ) -> list[Decision]:
        """Add decisions in one transaction, and return them with their places.

        `choose` is given the decisions that are there about `entries` (None: about all), and
        returns those to add; nobody can come between. Raises StoreError.
        """
        with self._writing():
            return [self._put(one) for one in choose(_read(self._connection, entries))]

    def note(self, values: Mapping[str, str]) -> None:
        """Keep texts in `meta` by their names, in one transaction; raises StoreError."""
        with self._writing():
            self._connection.executemany(PUT_NOTE, values.items())

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Write what follows in one transaction, if the journal is still there."""
        with clear_errors(self._path):
            if self._file is None or self._file.is_lost():
                raise lost(self._path)
            with transaction(self._connection):
                yield

    def _put(self, decision: Decision) -> Decision:
        values = tuple(getattr(decision, name) for name in _NEW)
        seq = self._connection.execute(_PUT, values).lastrowid
        return replace(decision, seq=seq or 0)


def read_decisions(path: Path) -> list[Decision]:
    """Return all decisions of a journal, in their order; none if there is none. Raises StoreError.

    Nothing is written.
    """
    connection = connect_for_reading(path)
    if connection is None:
        return []
    with contextlib.closing(connection), clear_errors(path):
        return _read(connection, None)


@dataclass(frozen=True, slots=True)
class Decided:
    """All decisions of a journal, and the entries that may have more than a single open take.

    `keys` are what the rows of these are called, by the identities of the entries.
    """

    decisions: Sequence[Decision] = ()
    keys: Mapping[str, str] = field(default_factory=dict)


def read_decided(path: Path) -> Decided:
    """Return what was decided, with the entries that have decisions or several attempts.

    Nothing if there is no journal. Raises StoreError.
    """
    connection = connect_for_reading(path)
    if connection is None:
        return Decided()
    with contextlib.closing(connection), clear_errors(path):
        connection.execute("BEGIN")
        several = connection.execute("SELECT DISTINCT key FROM attempts WHERE number > 1")
        identities = {key for (key,) in several}
        decisions = _read(connection, None)
        names = Identities(connection) if identities or decisions else None
        identities |= {one.entry for one in decisions}
        return Decided(decisions, {one: names.key_of(one) for one in identities} if names else {})


def copy_decisions(source: Path, target: Path) -> int:
    """Copy all decisions that can be read of a journal, perhaps a damaged one, into another.

    Returns how many there were. Raises StoreError where the target cannot be written.
    """
    found: list[Decision] = []
    with (
        contextlib.suppress(sqlite3.Error, OSError),
        contextlib.closing(open_to_read(source)) as connection,
    ):
        found = _read(connection, None)
    if found:
        with DecisionTable(target) as table:
            table.add((), lambda _: found)
    return len(found)


def copy_note(source: Path, target: Path, name: str) -> bool:
    """Copy a text that a journal notes, perhaps a damaged one; return whether it was there.

    Args:
        source: the journal.
        target: the one that is to note it.
        name: the name of the text.

    Raises:
        StoreError: the target cannot be written.

    """
    noted = None
    with (
        contextlib.suppress(sqlite3.Error, OSError),
        contextlib.closing(open_to_read(source)) as connection,
    ):
        noted = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    if noted is not None:
        with DecisionTable(target) as table:
            table.note({name: noted[0]})
    return noted is not None


def _read(connection: sqlite3.Connection, entries: Collection[str] | None) -> list[Decision]:
    if connection.execute(_HAS_TABLE).fetchone() is None:
        return []
    if entries is None:
        return [Decision(*row) for row in connection.execute(_GET.format(where=""))]
    found: list[Decision] = []
    sought = sorted(entries)
    for first in range(0, len(sought), _AT_ONCE):
        some = sought[first : first + _AT_ONCE]
        where = f"WHERE entry IN ({', '.join('?' * len(some))})"
        found += [Decision(*row) for row in connection.execute(_GET.format(where=where), some)]
    return found
