"""How events get into the journal: they and the states that they lead to, in one transaction.

How batches of events are grouped into commits, and why that is safe, is told in
`disk.groupcommit`. What the journal adds:

- A batch is one transaction, of its events and of the states that they lead to. `lifecycle.apply`
  alone decides those, so that the table `attempts` always says what all rows of `events`, applied
  one after the other, add up to. Recovery reads `attempts`; `replay` (reading.py) applies the
  events anew, for tests of this very promise.
- Nobody sends a request before the future of its intent is done. A kill before an intent's COMMIT
  leaves nothing of it, and nothing was sent; a kill between it and the COMMIT of the reply leaves a
  row `submitting`, which the next run looks up. So a row can be in doubt, but is never sent twice.
- A `Follower`, which is the account's book, is told of every commit, and the future of a batch is
  done only when the book has taken it, too: journal first, then book, then the command.
- `_open` holds the entries of unsettled rows as the last transaction left them. Only the writing
  thread touches it, and forgets it where a transaction is rolled back and tried again. So it does
  with `identities`, which change where rows are renamed: all that a run renames are one batch, and
  it waits for its commit before anything else, so that a kill leaves all keys old or all new.

Tested in tests/journal/test_journal.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeAlias

from pipeline.disk.groupcommit import Committed, after, done_with
from pipeline.disk.openfile import OpenFile
from pipeline.disk.sqlitefile import in_pieces, insert
from pipeline.errors import StoreError
from pipeline.events import Event, Intended, Opening, Renamed
from pipeline.journal.database import lost, unusable
from pipeline.journal.identities import Identities
from pipeline.journal.reading import entries_in
from pipeline.journal.records import ENTRY_COLUMNS, entry_values, event_values, request_values
from pipeline.lifecycle import SETTLED, ImpossibleMove, apply
from pipeline.model import Entry, Request, shown_key

_PUT_EVENTS = "INSERT INTO events (at, key, number, kind, data)"
_PUT_REQUESTS = "INSERT OR IGNORE INTO requests"
_PUT_ENTRIES = f"INSERT OR REPLACE INTO attempts ({', '.join(ENTRY_COLUMNS)})"
PUT_NOTE = "INSERT OR REPLACE INTO meta VALUES (?, ?)"


@dataclass(frozen=True, slots=True)
class Happened:
    """Events that happened at Unix second `at`."""

    events: Sequence[Event]
    at: float


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of SQL that is no event, and its values."""

    sql: str
    values: tuple[object, ...]


Item: TypeAlias = Happened | Statement


@dataclass(frozen=True, slots=True)
class Change:
    """What an event of the account's concern made of one attempt, at Unix second `at`.

    Of several in one batch the last one counts: `entry` is the row's as that event left it. A new
    key is a change of its own. `intended` says that the batch holds the attempt's intent.
    """

    entry: Entry
    event: Event
    at: float
    intended: bool = False


class Follower(Protocol):
    """Whoever must have taken each commit before anything is begun that follows from it.

    Both methods are called by the journal's writing thread.
    """

    @property
    def concerned(self) -> Collection[type[Event]]:
        """The kinds of events that it wants to be told of."""

    def notes(self, last_event: int) -> Mapping[str, str]:
        """Return what the journal keeps in `meta` with the next batch that concerns it.

        `last_event` is the place of the batch's last event in the order of all.
        """

    def follow(self, changes: Sequence[Change]) -> Future[Committed]:
        """Take what the journal has committed; told of batches that do not concern it, too."""


class EventWriter:
    """Writes batches into the tables of an open journal; its writing thread's own.

    Other threads only read `identities`.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, file: OpenFile | None) -> None:
        self.identities = Identities(connection)
        self.follower: Follower | None = None
        self._path = path
        self._file = file
        self._connection = connection
        self._open: dict[str, Entry] = {}

    def write(self, items: Sequence[Item]) -> list[Change]:
        """Write a batch inside the open transaction, and return what concerns the follower."""
        changes = self._write_events([one for one in items if isinstance(one, Happened)])
        for one in items:
            if isinstance(one, Statement):
                self._connection.execute(one.sql, one.values)
        if changes and self.follower is not None:
            (last,) = self._connection.execute("SELECT max(seq) FROM events").fetchone()
            for note in self.follower.notes(last).items():
                self._connection.execute(PUT_NOTE, note)
        return changes

    def forget(self) -> None:
        """Forget what was learned from a transaction that was rolled back."""
        self._open.clear()
        self.identities = Identities(self._connection)

    def explain(self, error: OSError | sqlite3.Error) -> StoreError:
        """Say what a failure means and what to do."""
        return unusable(self._path, error)

    def conclude(self, written: list[Change], shortage: StoreError | None) -> Future[Committed]:
        """Let the follower take what is durable, and return the future of both.

        Where nobody else sees this file any more nothing new may begin; what is known of money goes
        on to the follower.
        """
        if shortage is None and (self._file is None or self._file.is_lost()):
            shortage = lost(self._path)
        if self.follower is None:
            return done_with(Committed(shortage))
        followed = self.follower.follow(written)
        if shortage is None:
            return followed
        return after(followed, lambda committed: replace(committed, shortage=shortage))

    def entries_of(
        self, keys: Sequence[str], known: Mapping[str, Request] | None = None
    ) -> dict[str, Entry]:
        """Return the latest entries of at most 999 rows, by key; `known` as for `entries_in`."""
        where = f"WHERE a.key IN ({', '.join('?' * len(keys))})"
        sought = tuple(map(self.identities.of, keys))
        return entries_in(self._connection, where, sought, identities=self.identities, known=known)

    def _write_events(self, happened: Sequence[Happened]) -> list[Change]:
        # Table by table; of several states of one attempt only the last is written.
        changed: dict[tuple[str, int], Entry] = {}
        told: dict[tuple[str, int, bool], Change] = {}
        values = []
        begun = []
        concerned = () if self.follower is None else self.follower.concerned
        self._recall_for(happened)
        for some in happened:
            for event in some.events:
                entry = apply(self._open.get(event.key), event, some.at)
                if isinstance(event, Renamed):
                    self._rename(entry, event)
                elif isinstance(event, Opening):
                    begun.append(request_values(event.attempt.request))
                    self._call(entry)
                attempt = entry.identity, entry.attempt.number
                self._open[entry.key] = changed[attempt] = entry
                values.append(event_values(event, some.at, entry.identity))
                if type(event) in concerned:
                    place = (*attempt, isinstance(event, Renamed))
                    told[place] = _change(told.get(place), entry, event, some.at)
        insert(self._connection, _PUT_EVENTS, values)
        insert(self._connection, _PUT_REQUESTS, begun)
        insert(self._connection, _PUT_ENTRIES, list(map(entry_values, changed.values())))
        # Only now, with the states in the tables: `_recall` reads there what `_open` does not hold.
        for entry in changed.values():
            if entry.state in SETTLED:
                self._open.pop(entry.key, None)
        return list(told.values())

    def _recall_for(self, happened: Sequence[Happened]) -> None:
        """Load the entries that events are about into `_open`, where there are any."""
        events = [event for some in happened for event in some.events]
        keys = {event.key for event in events}
        keys |= {event.new_key for event in events if isinstance(event, Renamed)}
        for piece in in_pieces([key for key in keys if key not in self._open]):
            self._open |= self.entries_of(piece)

    def _rename(self, entry: Entry, event: Renamed) -> None:
        """Take the entry of an earlier key for that of a new one, here and in the table."""
        if entry.key in self._open:
            earlier, now = shown_key(event.key), shown_key(entry.key)
            raise ImpossibleMove(f"{earlier!r} is renamed to {now!r}, which is known")
        del self._open[event.key]
        self._call(entry)

    def _call(self, entry: Entry) -> None:
        """Have the key of an entry mean it: one that comes back from a book is new to us."""
        if self.identities.of(entry.key) != entry.identity:
            self.identities.rename(entry.identity, entry.key)
            self.identities.store(self._connection, entry.identity)


def _change(before: Change | None, entry: Entry, event: Event, at: float) -> Change:
    intended = isinstance(event, Intended) or (before is not None and before.intended)
    return Change(entry, event, at, intended)
