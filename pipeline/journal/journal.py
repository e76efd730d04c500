"""The journal of one output folder: one writer, events and states in one transaction.

A thread drains the queue of what is to be written and commits all of it at once, so that the
intents of concurrent submissions share one durable commit. The state that an event leads to is
decided by `lifecycle.apply` alone; the tables hold what it says.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import TypeAlias

from pipeline.errors import StoreError, UsageError
from pipeline.events import Event, Intended, PictureRefused
from pipeline.folder import OutputFolder
from pipeline.journal.database import (
    clear_errors,
    connect,
    no_room,
    store_error,
)
from pipeline.journal.reading import GET_ENTRIES, entries_in
from pipeline.journal.records import (
    ENTRY_COLUMNS,
    attempt_of,
    entry_values,
    event_data,
    request_body,
    request_of,
)
from pipeline.journal.reserve import Reserve
from pipeline.lifecycle import SETTLED, apply
from pipeline.model import Attempt, Entry

_PUT_EVENT = "INSERT INTO events (at, key, number, kind, data) VALUES (?, ?, ?, ?, ?)"
_PUT_REQUEST = "INSERT OR IGNORE INTO requests VALUES (?, ?)"
_PUT_ENTRY = (
    f"INSERT OR REPLACE INTO attempts ({', '.join(ENTRY_COLUMNS)}) "  # noqa: S608 - our own names
    f"VALUES ({', '.join('?' * len(ENTRY_COLUMNS))})"
)
# A row whose submission was declined may have been queued again since: the event tells it for good.
_GET_SUBMITTED = GET_ENTRIES.format(
    where="WHERE a.submitted_at >= ? AND (a.key, a.number) NOT IN "
    "(SELECT key, number FROM events WHERE kind = 'Declined')"
)
_MOST_AT_ONCE = 2000

Shortage: TypeAlias = StoreError | None
"""What an append comes to: None, or why it found room only in what was set aside for the end."""

_Work = tuple[Callable[[sqlite3.Connection], None], "Future[Shortage]"]


class Journal:
    """Open for writing by one run; close it when the run ends."""

    def __init__(self, path: Path) -> None:
        """Open or make the journal at `path`; raises StoreError, UsageError."""
        self.path = path
        self._reserve: Reserve | None = None
        self._shortage: Shortage = None
        self._connection = connect(path)
        self._open: dict[str, Entry] = {}
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._broken: Exception | None = None
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(self._connection.close)
            self.id = self._identity()
            on_failure.pop_all()
        self._thread = threading.Thread(target=self._write_all, name="journal", daemon=True)
        self._thread.start()

    def _identity(self) -> str:
        with clear_errors(self.path):
            self._connection.execute(
                "INSERT OR IGNORE INTO meta VALUES ('id', ?)", (secrets.token_hex(16),)
            )
            row = self._connection.execute("SELECT value FROM meta WHERE name = 'id'").fetchone()
            return str(row[0])

    def claim(self, manifest: Path, *, adopt: bool) -> None:
        """Tie the journal to one manifest's path; raises UsageError if it is another one's.

        A file that a run wrote into this folder changes nothing: it is of the same manifest. Raises
        StoreError too.
        """
        path = str(manifest.resolve())
        ours = OutputFolder(self.path.parent).wrote(manifest)
        with clear_errors(self.path):
            known = self._connection.execute(
                "SELECT value FROM meta WHERE name = 'manifest'"
            ).fetchone()
        if known is not None and ours:
            return
        if known is not None and known[0] != path and not adopt:
            raise UsageError(
                f"the output folder {self.path.parent} belongs to another manifest: {known[0]}",
                action="Choose another folder with --out, or pass --adopt if the file was moved.",
            )
        with clear_errors(self.path):
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('manifest', ?)", (path,))

    def entries(self) -> dict[str, Entry]:
        """Return what is known of every row, by key; raises StoreError."""
        with clear_errors(self.path):
            return entries_in(self._connection)

    def submitted_since(self, since: float) -> list[Attempt]:
        """Return the attempts sent at Unix second `since` or later, but for those provably refused.

        One in doubt is among them, also after it was closed to be sent again. Raises StoreError.
        """
        with clear_errors(self.path):
            found = self._connection.execute(_GET_SUBMITTED, (since,)).fetchall()
        return [
            attempt_of(tuple(columns), request_of(columns[3], body)) for *columns, body in found
        ]

    def fall_back_on(self, reserve: Reserve) -> None:
        """Take the room of `reserve` when the disk has no more, as long as that has any."""
        self._reserve = reserve

    def append(self, events: Sequence[Event], at: float) -> Future[Shortage]:
        """Write events that happened at Unix second `at`; done when they are durable.

        The future's result is None, or an error that says that the disk is full and the reserve
        was needed: nothing new may be begun then. It fails with StoreError when the disk does not
        take them at all; nothing is written after that.
        """
        return self._enqueue(lambda connection: self._write(connection, events, at))

    def remember_upload(self, account: str, sha256: str, url: str, at: float) -> Future[Shortage]:
        """Keep the URL of an uploaded picture for later runs."""
        return self._enqueue(
            lambda connection: _execute(
                connection,
                "INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?)",
                (account, sha256, url, at),
            )
        )

    def uploads(self, account: str, since: float) -> Iterator[tuple[str, str, float]]:
        """Yield content hash, URL and Unix time of the uploads made after `since`."""
        with clear_errors(self.path):
            yield from self._connection.execute(
                "SELECT sha256, url, uploaded_at FROM uploads "
                "WHERE account = ? AND uploaded_at > ?",
                (account, since),
            )

    def begin_run(self, run_id: str, command: str, at: float) -> None:
        """Note that a run begins."""
        self._enqueue(
            lambda connection: _execute(
                connection,
                "INSERT INTO runs (run_id, command, started_at) VALUES (?, ?, ?)",
                (run_id, command, at),
            )
        ).result()

    def note_balance(self, run_id: str, before: float | None, after: float | None) -> None:
        """Note what the account held when a run began to submit, and when it ended; None unknown.

        Raises StoreError.
        """
        self._enqueue(
            lambda connection: _execute(
                connection,
                "UPDATE runs SET balance_before = ?, balance_after = ? WHERE run_id = ?",
                (before, after, run_id),
            )
        ).result()

    def end_run(self, run_id: str, at: float, exit_code: int) -> None:
        """Note how a run ended."""
        self._enqueue(
            lambda connection: _execute(
                connection,
                "UPDATE runs SET finished_at = ?, exit_code = ? WHERE run_id = ?",
                (at, exit_code, run_id),
            )
        ).result()

    def close(self) -> None:
        """Write what is queued and close the file."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()

    # The writer thread.

    def _enqueue(self, write: Callable[[sqlite3.Connection], None]) -> Future[Shortage]:
        done: Future[Shortage] = Future()
        self._queue.put((write, done))
        return done

    def _write_all(self) -> None:
        closing = False
        while not closing:
            work, closing = self._drain()
            self._commit(work)

    def _drain(self) -> tuple[list[_Work], bool]:
        work: list[_Work] = []
        while (item := self._queue.get()) is not None:
            work.append(item)
            if self._queue.empty() or len(work) == _MOST_AT_ONCE:
                return work, False
        return work, True

    def _commit(self, work: Sequence[_Work]) -> None:
        if not work:
            return
        if self._broken is not None:
            self._fail(work, self._broken)
            return
        try:
            self._transact(work)
        except Exception as error:  # noqa: BLE001 - handed to everyone who waits, whatever it is
            self._fail(work, error)
            return
        for _, done in work:
            done.set_result(self._shortage)

    def _transact(self, work: Sequence[_Work]) -> None:
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                for write, _ in work:
                    write(self._connection)
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                if not self._found_room(error):
                    raise
            else:
                return

    def _found_room(self, error: sqlite3.Error) -> bool:
        """Undo what was begun and give up a part of the reserve, if that can help."""
        reserve = self._reserve
        if reserve is None or not no_room(error) or not reserve.give_up_a_piece():
            return False
        self._shortage = self._shortage or store_error(self.path, error)
        with contextlib.suppress(sqlite3.Error):
            self._connection.rollback()
        self._open.clear()  # it holds what was undone; the tables have what is true
        return True

    def _fail(self, work: Sequence[_Work], error: Exception) -> None:
        if isinstance(error, sqlite3.Error | OSError):
            error = store_error(self.path, error)
        self._broken = error
        # A disk that takes nothing may refuse the rollback, too; nothing is committed after this.
        with contextlib.suppress(sqlite3.Error):
            self._connection.rollback()
        for _, done in work:
            done.set_exception(error)

    def _write(self, connection: sqlite3.Connection, events: Sequence[Event], at: float) -> None:
        for event in events:
            before = self._open.get(event.key) or _entry(connection, event.key)
            entry = apply(before, event, at)
            connection.execute(
                _PUT_EVENT, (at, event.key, event.number, type(event).__name__, event_data(event))
            )
            if isinstance(event, Intended | PictureRefused):
                request = event.attempt.request
                connection.execute(_PUT_REQUEST, (request.request_hash, request_body(request)))
            connection.execute(_PUT_ENTRY, entry_values(entry))
            if entry.state in SETTLED:
                self._open.pop(event.key, None)
            else:
                self._open[event.key] = entry


def _execute(connection: sqlite3.Connection, sql: str, values: tuple[object, ...]) -> None:
    connection.execute(sql, values)


def _entry(connection: sqlite3.Connection, key: str) -> Entry | None:
    return entries_in(connection, "WHERE a.key = ?", (key,)).get(key)
