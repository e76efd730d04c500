"""The account's book: every live submission, whichever manifest and process it comes from.

It is written after a journal has committed, and before anything is sent (see `recording`). Intents
are taken inside a transaction that no other process can come between, so of two that would buy the
same request, or the last video of a cap, one gets it and the other is told.

Grouped commits, and why a kill at any moment is safe, are told in `disk.groupcommit`.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from pipeline.account.guard import Guard, Totals, repeated, sent_before
from pipeline.account.place import digest_of
from pipeline.account.schema import clear_errors, connect, refuse_lost, unusable
from pipeline.account.submission import KnownJournal
from pipeline.disk.groupcommit import Committed, GroupCommit, done_with
from pipeline.disk.openfile import OpenFile
from pipeline.disk.reserve import Reserve
from pipeline.disk.sqlitefile import id_in, text_of
from pipeline.errors import StoreError, Withheld
from pipeline.events import ClosedUnsent, Declined, NotAccepted, Renamed
from pipeline.journal.records import request_values, video_text
from pipeline.journal.writing import Change
from pipeline.model import Entry, State

Step: TypeAlias = Callable[[sqlite3.Connection], Mapping[str, Withheld]]
"""Part of a transaction; returns the intents that it did not take, by their references."""

PUT_EARLIER = "INSERT OR REPLACE INTO meta VALUES ('earlier', ?)"
_GET_EARLIER = "SELECT value FROM meta WHERE name = 'earlier'"
_FINDS = "finds_by_reference "
"""With the account's name: the note that its tasks are found by reference."""
NONE_WITHHELD: Mapping[str, Withheld] = {}

_UNSENT = (NotAccepted, ClosedUnsent)
_PUT_REQUEST = "INSERT OR IGNORE INTO requests VALUES (?, ?)"
_PUT = (
    "INSERT INTO submissions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (reference) DO UPDATE SET state = excluded.state, key = excluded.key, "
    "task_id = coalesce(excluded.task_id, task_id), video = coalesce(excluded.video, video), "
    "submitted_at = coalesce(excluded.submitted_at, submitted_at), "
    "money = coalesce(excluded.money, money), finished_at = excluded.finished_at"
)
_PUT_ONWARD = (
    "UPDATE submissions SET state = ?, key = ?, task_id = coalesce(?, task_id), "
    "video = coalesce(?, video), finished_at = ? WHERE reference = ?"
)
"""No index holds any of these: each would cost another page with every commit."""
_PUT_UNSENT = "UPDATE submissions SET state = ? WHERE reference = ?"
PUT_KEY = "UPDATE submissions SET key = ? WHERE journal_id = ? AND identity = ?"
_PUT_SEQ = "UPDATE journals SET seq = ?, last_event = max(last_event, ?) WHERE journal_id = ?"
_PUT_JOURNAL = (
    "INSERT INTO journals VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (journal_id) DO UPDATE SET "
    "account = excluded.account, folder = excluded.folder, manifest = excluded.manifest, "
    "opened_at = excluded.opened_at"
)
GET_JOURNAL = (
    "SELECT journal_id, account, folder, manifest, seq, last_event FROM journals "
    "WHERE journal_id = ?"
)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a journal has committed, for the book: `seq` is its number among those with money."""

    account: str
    journal_id: str
    changes: Sequence[Change]
    seq: int
    last_event: int
    guard: Guard = field(default_factory=Guard)


class Book:
    """Open for writing by one process; close it at the end."""

    def __init__(self, path: Path, *, networked: bool | None = None) -> None:
        """Open or make the book at `path`; raises StoreError, UsageError.

        `networked` says whether it lies on a network file system; with None the system is asked.
        """
        self.path = path
        there = OpenFile.at(path)
        self._connection = connect(path, networked=networked)
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(self._connection.close)
            with clear_errors(path):
                self.id = id_in(self._connection)
            on_failure.pop_all()
        self._writer = _Writer(path, self._connection, there or OpenFile.at(path))
        self._commits = GroupCommit(self._connection, self._writer, "book")

    @property
    def earlier(self) -> frozenset[str]:
        """The ids of the damaged books that this one was made from."""
        with clear_errors(self.path):
            row = self._connection.execute(_GET_EARLIER).fetchone()
        return frozenset() if row is None else frozenset(row[0].split())

    def fall_back_on(self, reserve: Reserve) -> None:
        """Free pieces of `reserve`, which lies on the same disk, when that is full."""
        self._commits.fall_back_on(reserve)

    def account_of_key(self, name: str, key: str) -> str:
        """Return the account that a key belongs to: `name` unless the book has seen it under
        another one. Blocks until that is durable; raises StoreError.
        """  # noqa: D205 - one sentence
        digest = digest_of(self.id, key)
        found: list[str] = []

        def look(connection: sqlite3.Connection) -> Mapping[str, Withheld]:
            connection.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", (digest, name))
            row = connection.execute(
                "SELECT account FROM keys WHERE digest = ?", (digest,)
            ).fetchone()
            found.append(row[0])
            return NONE_WITHHELD

        self.carry_out(look).result()
        return found[-1]

    def note_references(self, account: str) -> None:
        """Keep that a look-up by reference has found a task of an account. Raises StoreError."""

        def put(connection: sqlite3.Connection) -> Mapping[str, Withheld]:
            connection.execute("INSERT OR IGNORE INTO meta VALUES (?, '1')", (_FINDS + account,))
            return NONE_WITHHELD

        if not self.finds_by_reference(account):
            self.carry_out(put).result()

    def finds_by_reference(self, account: str) -> bool:
        """Return whether a look-up by reference was ever seen to find a task of an account."""
        with clear_errors(self.path):
            name = (_FINDS + account,)
            found = self._connection.execute("SELECT * FROM meta WHERE name = ?", name)
            return found.fetchone() is not None

    def register(
        self, account: str, journal_id: str, *, folder: Path, manifest: Path, at: float
    ) -> KnownJournal:
        """Note whose journal this is, and return how far the book has followed it.

        Args:
            account: the account that its run spends from.
            journal_id: the journal's own id.
            folder: its output folder.
            manifest: its manifest.
            at: the Unix second of the run's beginning.

        Raises:
            StoreError: the disk does not take it.

        """
        found: list[KnownJournal] = []

        def put(connection: sqlite3.Connection) -> Mapping[str, Withheld]:
            row = (journal_id, account, text_of(folder), text_of(manifest), 0, 0, at)
            connection.execute(_PUT_JOURNAL, row)
            found.append(KnownJournal(*connection.execute(GET_JOURNAL, (journal_id,)).fetchone()))
            return NONE_WITHHELD

        self.carry_out(put).result()
        return found[-1]

    def take(self, batch: Batch) -> Future[Committed]:
        """Take what a journal has committed; the result names the intents that were not taken."""
        return self._commits.put(batch, len(batch.changes))

    def carry_out(self, step: Step) -> Future[Committed]:
        """Carry out a step in a transaction; it may be called again if the disk was full."""
        return self._commits.put(step)

    def remember_upload(self, account: str, sha256: str, url: str, at: float) -> Future[Committed]:
        """Keep the URL of an uploaded picture for all manifests of the account.

        Args:
            account: the account that it was uploaded to.
            sha256: the hash of the uploaded bytes.
            url: the address that the provider gave.
            at: when it was uploaded, in Unix seconds.

        """

        def put(connection: sqlite3.Connection) -> Mapping[str, Withheld]:
            values = (account, sha256, url, at)
            connection.execute("INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?)", values)
            return NONE_WITHHELD

        return self._commits.put(put)

    def uploads(self, account: str, since: float) -> Iterator[tuple[str, str, float]]:
        """Yield content hash, URL and time of the uploads made after `since`, in Unix seconds."""
        with clear_errors(self.path):
            yield from self._connection.execute(
                "SELECT sha256, url, uploaded_at FROM uploads "
                "WHERE account = ? AND uploaded_at > ?",
                (account, since),
            )

    def close(self) -> None:
        """Write what is queued and close the file."""
        self._commits.end()
        self._connection.close()


class _Writer:
    """Writes batches into the tables of the book; its writing thread's own."""

    def __init__(self, path: Path, connection: sqlite3.Connection, file: OpenFile | None) -> None:
        self._path = path
        self._connection = connection
        self._file = file
        self._totals = Totals(connection)

    def write(self, items: Sequence[Batch | Step]) -> dict[str, Withheld]:
        """Write batches and carry out steps inside the open transaction; StoreError if lost."""
        refuse_lost(self._file, self._path)
        self._totals.heed_others()
        withheld: dict[str, Withheld] = {}
        for item in items:
            if isinstance(item, Batch):
                withheld |= self._take(item)
            else:
                withheld |= item(self._connection)
                self._totals.clear()  # whatever it did
        return withheld

    def forget(self) -> None:
        """Forget the totals of a transaction that was rolled back."""
        self._totals.clear()

    def explain(self, error: OSError | sqlite3.Error) -> StoreError:
        """Say what a failure means and what to do."""
        return unusable(self._path, error)

    def conclude(
        self, written: dict[str, Withheld], shortage: StoreError | None
    ) -> Future[Committed]:
        """Return the future of what is durable now: it is done. StoreError if lost meanwhile."""
        refuse_lost(self._file, self._path)
        return done_with(Committed(shortage, written))

    def _take(self, batch: Batch) -> dict[str, Withheld]:
        """Write what a journal has committed, except intents that the guard refuses."""
        withheld: dict[str, Withheld] = {}
        for change in batch.changes:
            reference = change.entry.attempt.client_business_id
            if isinstance(change.event, Renamed):
                entry = change.entry
                self._connection.execute(PUT_KEY, (entry.key, batch.journal_id, entry.identity))
            elif change.intended and change.entry.state is State.SUBMITTING:
                refusal = self._intend(change, batch)
                if refusal is not None:
                    withheld[reference] = refusal
            elif isinstance(change.event, _UNSENT):
                self._totals.give_back(reference, batch.account)
                state = change.entry.state.value
                self._connection.execute(_PUT_UNSENT, (state, reference))
            elif not change.entry.reused:  # the purchase of a reused take is another one's
                if isinstance(change.event, Declined):
                    self._totals.give_back(reference, batch.account)
                if change.intended or not self._move_on(change.entry):
                    put_entry(self._connection, batch.account, batch.journal_id, change.entry)
        self._connection.execute(_PUT_SEQ, (batch.seq, batch.last_event, batch.journal_id))
        return withheld

    def _move_on(self, entry: Entry) -> bool:
        """Write how a submission went on; return whether the book has it."""
        video = _video_text_of(entry)
        reference = entry.attempt.client_business_id
        values = (entry.state.value, entry.key, entry.task_id, video, entry.finished_at, reference)
        return self._connection.execute(_PUT_ONWARD, values).rowcount > 0

    def _intend(self, change: Change, batch: Batch) -> Withheld | None:
        attempt, guard = change.entry.attempt, batch.guard
        known = sent_before(self._connection, attempt)
        if known is not None:
            return known
        if guard.compares(attempt.key):
            repeat = repeated(
                self._connection,
                batch.account,
                batch.journal_id,
                attempt,
                spellings=guard.spellings(attempt.request),
                allowed=guard.known.get(attempt.request.request_hash, 0),
            )
            if repeat is not None:
                return repeat
        refusal = self._totals.take(attempt, batch.account, guard, change.at)
        if refusal is None:
            put_entry(self._connection, batch.account, batch.journal_id, change.entry)
        return refusal


def put_entry(
    connection: sqlite3.Connection,
    account: str,
    journal_id: str,
    entry: Entry,
) -> None:
    """Write the submission of an entry's latest attempt, inside the open transaction.

    Args:
        connection: the book, open for writing.
        account: the account that it was sent from.
        journal_id: that of its journal.
        entry: the entry, in the state in which money last had to do with it.

    """
    attempt = entry.attempt
    request = attempt.request
    connection.execute(_PUT_REQUEST, request_values(request))
    connection.execute(
        _PUT,
        (
            attempt.client_business_id,
            account,
            journal_id,
            attempt.identity,
            attempt.key,
            attempt.number,
            request.request_hash,
            entry.state.value,
            entry.task_id,
            request.duration,
            attempt.cost,
            entry.submitted_at,
            entry.finished_at,
            attempt.video_name,
            _video_text_of(entry),
        ),
    )


def _video_text_of(entry: Entry) -> str | None:
    return None if entry.video is None else video_text(entry.video)
