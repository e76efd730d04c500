"""The journal of one output folder: one run writes it, events and states in one transaction.

How batches work, and why a kill at any moment is safe:

- Events are appended to the batch that is open. The first of them puts the batch into the queue of
  the writing thread; when the thread takes it, it is closed, and the next event opens another. So
  a batch gathers whatever comes while the one before it is committed: the intents of concurrent
  submissions share one flush of the disk. Batches keep the order in which they were opened.
- A batch is one transaction, of its events and of the states that they lead to. `lifecycle.apply`
  alone decides those, so that the table `attempts` always says what all rows of `events`, applied
  one after the other, add up to. Recovery reads `attempts`; `replay` (reading.py) applies the
  events anew, for tests of this very promise.
- A batch's future is done only after its COMMIT with synchronous=FULL. Nobody sends a request
  before the future of its intent is done. A kill before an intent's COMMIT leaves nothing of it,
  and nothing was sent; a kill between it and the COMMIT of the reply leaves a row `submitting`,
  which the next run looks up. So a row can be in doubt, but is never sent twice.
- After the first failure nothing is written any more: every later batch fails with the same error.
  No event is durable without those before it.
- Only a full disk is answered: the transaction is rolled back, a piece of the reserve is freed and
  the same batch tried again. Its future then says so, and the run begins nothing new.
- Every few seconds, when no batch waits, SQLite's log beside the file is folded into it, as at the
  end of the run: a copy of the file alone is then whole.
- `_open` holds the entries of unsettled rows as the last transaction left them. Only the writing
  thread touches it, and forgets it where a transaction is rolled back and tried again. So it does
  with `_identities`, which change where rows are renamed: all that a run renames are one batch, and
  it waits for its commit before anything else, so that a kill leaves all keys old or all new.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeAlias

from pipeline.collector import pause_collector
from pipeline.disk.failures import no_room
from pipeline.errors import StoreError
from pipeline.events import Event, Intended, PictureRefused, Renamed
from pipeline.journal.database import (
    Reserve,
    clear_errors,
    connect,
    fold_in,
    in_pieces,
    insert,
    leave_whole,
    unusable,
)
from pipeline.journal.identities import Identities, made_for
from pipeline.journal.ownership import claim
from pipeline.journal.reading import GET_ENTRIES, entries_in, first_events
from pipeline.journal.records import (
    ENTRY_COLUMNS,
    attempt_of,
    entry_values,
    event_values,
    request_of,
    request_values,
)
from pipeline.lifecycle import SETTLED, ImpossibleMove, apply
from pipeline.model import Attempt, Entry, Request

_PUT_EVENTS = "INSERT INTO events (at, key, number, kind, data)"
_PUT_REQUESTS = "INSERT OR IGNORE INTO requests"
_PUT_ENTRIES = f"INSERT OR REPLACE INTO attempts ({', '.join(ENTRY_COLUMNS)})"
# A row whose submission was declined may be waiting again by now: only the event tells for good.
_GET_SUBMITTED = GET_ENTRIES.format(
    where="WHERE a.submitted_at >= ? AND (a.key, a.number) NOT IN "
    "(SELECT key, number FROM events WHERE kind = 'Declined')"
)
_FOLD_EVERY_S = 2.0
"""It takes half a millisecond of CPU, and a few flushes of the disk."""
_MOST_EVENTS = 2000
"""A batch with more events than this takes no others: its transaction would hold up the next."""

_Shortage: TypeAlias = StoreError | None
"""The result of a commit: None, or why it needed the room of the reserve."""


class _Batch:
    """The writes of one transaction, and the future of all who wait for it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.times: list[float] = []
        self.statements: list[tuple[str, tuple[object, ...]]] = []
        self.done: Future[_Shortage] = Future()
        self.done.set_running_or_notify_cancel()  # nobody may cancel a future that others wait for


class Journal:
    """Open for writing by one run; close it when the run ends."""

    def __init__(self, path: Path) -> None:
        """Open or make the journal at `path`; raises StoreError, UsageError."""
        self.path = path
        self._reserve: Reserve | None = None
        self._shortage: _Shortage = None
        self._connection = connect(path)
        self._open: dict[str, Entry] = {}
        self._lock = threading.Lock()
        self._batch: _Batch | None = None
        self._queue: SimpleQueue[_Batch | None] = SimpleQueue()
        self._broken: Exception | None = None
        self._folded_at = time.monotonic()
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(self._connection.close)
            self.id = self._own_id()
            with clear_errors(path):
                self._identities = Identities(self._connection)
            on_failure.pop_all()
        self._thread = threading.Thread(target=self._write_all, name="journal", daemon=True)
        self._thread.start()

    def _own_id(self) -> str:
        with clear_errors(self.path):
            self._connection.execute(
                "INSERT OR IGNORE INTO meta VALUES ('id', ?)", (secrets.token_hex(16),)
            )
            row = self._connection.execute("SELECT value FROM meta WHERE name = 'id'").fetchone()
            return str(row[0])

    def claim(self, manifest: Path, *, adopt: bool) -> None:
        """Bind the journal to the path of one manifest, or to a new one with `adopt`.

        Raises UsageError if the journal belongs to another manifest, StoreError.
        """
        claim(self._connection, self.path, manifest, adopt=adopt)

    @pause_collector()
    def entries(self, known: Mapping[str, Request] | None = None) -> dict[str, Entry]:
        """Return the latest entry of every row, by key; raises StoreError.

        `known` are requests by their hash, as those of the manifest: they are not read once more.
        """
        with clear_errors(self.path):
            return entries_in(self._connection, identities=self._identities, known=known)

    def entries_of(
        self, keys: Sequence[str], known: Mapping[str, Request] | None = None
    ) -> dict[str, Entry]:
        """Return the latest entries of at most 999 rows, by key; raises StoreError.

        `known` as for `entries`.
        """
        with clear_errors(self.path):
            return self._entries_of(keys, known)

    def _entries_of(
        self, keys: Sequence[str], known: Mapping[str, Request] | None = None
    ) -> dict[str, Entry]:
        where = f"WHERE a.key IN ({', '.join('?' * len(keys))})"
        sought = tuple(map(self._identities.of, keys))
        return entries_in(self._connection, where, sought, identities=self._identities, known=known)

    def identity_of(self, key: str) -> str:
        """Return the identity of the entry with a key; if there is none, that of a new one."""
        return self._identities.of(key)

    def first_events(self) -> dict[str, int]:
        """Return when each entry was first heard of, by identity; raises StoreError."""
        with clear_errors(self.path):
            return first_events(self._connection)

    def submitted_since(self, since: float) -> list[Attempt]:
        """Return the attempts sent at Unix second `since` or later, except declined ones.

        Attempts in doubt are among them, also those closed since and sent again. Raises StoreError.
        """
        with clear_errors(self.path):
            found = self._connection.execute(_GET_SUBMITTED, (since,)).fetchall()
        return [
            attempt_of(tuple(columns), request_of(columns[3], body), made_for(columns[0]))
            for *columns, body in found
        ]

    def fall_back_on(self, reserve: Reserve) -> None:
        """Free pieces of `reserve` when the disk is full, as long as there are any."""
        self._reserve = reserve

    def append(self, events: Sequence[Event], at: float) -> Future[_Shortage]:
        """Write events that happened at Unix second `at`; the future is done when they are durable.

        Everything that shares a commit has the same future, which cannot be cancelled. Its result
        is None, or a StoreError that says that the disk is full and the reserve was needed: the
        caller must begin nothing new then. The future fails with StoreError when the disk does not
        take the events at all; nothing is written after that.
        """
        with self._lock:
            batch = self._open_batch()
            batch.events += events
            batch.times += [at] * len(events)
        return batch.done

    def remember_upload(self, account: str, sha256: str, url: str, at: float) -> Future[_Shortage]:
        """Keep the URL of an uploaded picture for later runs; the future is `append`'s.

        Args:
            account: the account that the picture was uploaded to.
            sha256: the hash of the uploaded bytes.
            url: the address that the provider gave.
            at: when it was uploaded, in Unix seconds.

        """
        return self._append_statement(
            "INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?)", (account, sha256, url, at)
        )

    def uploads(self, account: str, since: float) -> Iterator[tuple[str, str, float]]:
        """Yield content hash, URL and time of the uploads made after `since`, in Unix seconds."""
        with clear_errors(self.path):
            yield from self._connection.execute(
                "SELECT sha256, url, uploaded_at FROM uploads "
                "WHERE account = ? AND uploaded_at > ?",
                (account, since),
            )

    def begin_run(self, run_id: str, command: str, at: float) -> None:
        """Record that a run begins, at Unix second `at`; blocks until it is durable.

        Args:
            run_id: the run's id.
            command: the command that the user gave.
            at: when it began, in Unix seconds.

        Raises:
            StoreError: the disk does not take it.

        """
        self._append_statement(
            "INSERT INTO runs (run_id, command, started_at) VALUES (?, ?, ?)",
            (run_id, command, at),
        ).result()

    def note_balance(self, run_id: str, before: float | None, after: float | None) -> None:
        """Record the account's balance when the run began to submit, and when it ended.

        Args:
            run_id: the run's id.
            before: the balance in the account's currency; None if it is not known.
            after: likewise.

        Raises:
            StoreError: the disk does not take it.

        """
        self._append_statement(
            "UPDATE runs SET balance_before = ?, balance_after = ? WHERE run_id = ?",
            (before, after, run_id),
        ).result()

    def end_run(self, run_id: str, at: float, exit_code: int) -> None:
        """Record that a run ended; blocks until it is durable.

        Args:
            run_id: the run's id.
            at: when it ended, in Unix seconds.
            exit_code: the exit code of the run.

        Raises:
            StoreError: the disk does not take it.

        """
        self._append_statement(
            "UPDATE runs SET finished_at = ?, exit_code = ? WHERE run_id = ?",
            (at, exit_code, run_id),
        ).result()

    def close(self) -> None:
        """Write what is queued and close the file, whole and with nothing left beside it."""
        self._queue.put(None)
        self._thread.join()
        leave_whole(self._connection)
        self._connection.close()

    def _append_statement(self, sql: str, values: tuple[object, ...]) -> Future[_Shortage]:
        with self._lock:
            batch = self._open_batch()
            batch.statements.append((sql, values))
        return batch.done

    def _open_batch(self) -> _Batch:
        """Return the open batch; a new one is put into the queue at once and stays open."""
        batch = self._batch
        if batch is None or len(batch.events) >= _MOST_EVENTS:
            batch = self._batch = _Batch()
            self._queue.put(batch)
        return batch

    # The writer thread.

    def _write_all(self) -> None:
        while (batch := self._next()) is not None:
            with self._lock:
                if self._batch is batch:
                    self._batch = None
            self._commit(batch)

    def _next(self) -> _Batch | None:
        """Wait for a batch; fold in what was written before it when there is time for that."""
        wait_s = max(0.0, self._folded_at + _FOLD_EVERY_S - time.monotonic())
        try:
            return self._queue.get(timeout=wait_s)
        except Empty:
            # A full disk may have no room for it, and would lose that of the log for the answers.
            if self._broken is None and self._shortage is None:
                fold_in(self._connection)
        self._folded_at = time.monotonic()
        return self._queue.get()

    def _commit(self, batch: _Batch) -> None:
        if self._broken is not None:
            batch.done.set_exception(self._broken)
            return
        try:
            self._transact(batch)
        except Exception as error:  # noqa: BLE001 - handed to everyone who waits
            self._fail(batch, error)
            return
        batch.done.set_result(self._shortage)

    def _transact(self, batch: _Batch) -> None:
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._write(batch.events, batch.times)
                for sql, values in batch.statements:
                    self._connection.execute(sql, values)
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                if not self._make_room(error):
                    raise
            else:
                return

    def _make_room(self, error: sqlite3.Error) -> bool:
        """Roll back and free a piece of the reserve, if that can help; return whether it did."""
        reserve = self._reserve
        if reserve is None or not no_room(error) or not reserve.give_up_a_piece():
            return False
        self._shortage = self._shortage or unusable(self.path, error)
        with contextlib.suppress(sqlite3.Error):
            self._connection.rollback()
        # Both hold what was rolled back.
        self._open.clear()
        self._identities = Identities(self._connection)
        return True

    def _fail(self, batch: _Batch, error: Exception) -> None:
        if isinstance(error, sqlite3.Error | OSError):
            error = unusable(self.path, error)
        self._broken = error
        # A disk that takes no writes may refuse the rollback too; nothing is committed after this.
        with contextlib.suppress(sqlite3.Error):
            self._connection.rollback()
        batch.done.set_exception(error)

    def _write(self, events: Sequence[Event], times: Sequence[float]) -> None:
        # Table by table; of several states of one attempt only the last is written.
        changed: dict[tuple[str, int], Entry] = {}
        values = []
        keys = {event.key for event in events}
        keys |= {event.new_key for event in events if isinstance(event, Renamed)}
        self._recall([key for key in keys if key not in self._open])
        for event, at in zip(events, times, strict=True):
            entry = apply(self._open.get(event.key), event, at)
            if isinstance(event, Renamed):
                self._rename(entry, event)
            self._open[entry.key] = changed[entry.identity, entry.attempt.number] = entry
            values.append(event_values(event, at, entry.identity))
        insert(self._connection, _PUT_EVENTS, values)
        insert(
            self._connection,
            _PUT_REQUESTS,
            [request_values(one) for one in events if isinstance(one, Intended | PictureRefused)],
        )
        insert(self._connection, _PUT_ENTRIES, list(map(entry_values, changed.values())))
        # Only now, with the states in the tables: `_recall` reads there what `_open` does not hold.
        for entry in changed.values():
            if entry.state in SETTLED:
                self._open.pop(entry.key, None)

    def _rename(self, entry: Entry, event: Renamed) -> None:
        """Take the entry of an earlier key for that of a new one, here and in the table."""
        if entry.key in self._open:
            raise ImpossibleMove(f"{event.key!r} is renamed to {entry.key!r}, which is known")
        del self._open[event.key]
        self._identities.rename(entry.identity, entry.key)
        self._identities.store(self._connection, entry.identity)

    def _recall(self, keys: Sequence[str]) -> None:
        """Load the entries with these keys from the tables into `_open`, where there are any."""
        for some in in_pieces(keys):
            self._open |= self._entries_of(some)
