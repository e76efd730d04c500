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
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue

from pipeline.errors import StoreError, UsageError
from pipeline.events import Event, Intended, PictureRefused
from pipeline.journal.database import clear_errors, connect, connect_for_reading, store_error
from pipeline.journal.records import (
    ENTRY_COLUMNS,
    entry_of,
    entry_values,
    event_data,
    event_of,
    request_body,
    request_of,
)
from pipeline.lifecycle import SETTLED, apply
from pipeline.model import Entry

_PUT_EVENT = "INSERT INTO events (at, key, number, kind, data) VALUES (?, ?, ?, ?, ?)"
_PUT_REQUEST = "INSERT OR IGNORE INTO requests VALUES (?, ?)"
_PUT_ENTRY = (
    f"INSERT OR REPLACE INTO attempts ({', '.join(ENTRY_COLUMNS)}) "  # noqa: S608 - our own names
    f"VALUES ({', '.join('?' * len(ENTRY_COLUMNS))})"
)
_GET_ENTRIES = (
    f"SELECT {', '.join('a.' + name for name in ENTRY_COLUMNS)}, r.body "  # noqa: S608 - likewise
    "FROM attempts a JOIN requests r USING (request_hash) {where} ORDER BY a.key, a.number"
)
_MOST_AT_ONCE = 2000

_Work = tuple[Callable[[sqlite3.Connection], None], "Future[None]"]


class Journal:
    """Open for writing by one run; close it when the run ends."""

    def __init__(self, path: Path) -> None:
        """Open or make the journal at `path`; raises StoreError, UsageError."""
        self.path = path
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

        Raises StoreError too.
        """
        path = str(manifest.resolve())
        with clear_errors(self.path):
            known = self._connection.execute(
                "SELECT value FROM meta WHERE name = 'manifest'"
            ).fetchone()
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
            return _entries(self._connection)

    def append(self, events: Sequence[Event], at: float) -> Future[None]:
        """Write events that happened at Unix second `at`; done when they are durable.

        The future fails with StoreError when the disk does not take them; nothing is written after
        that.
        """
        return self._enqueue(lambda connection: self._write(connection, events, at))

    def remember_upload(self, account: str, sha256: str, url: str, at: float) -> Future[None]:
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

    def _enqueue(self, write: Callable[[sqlite3.Connection], None]) -> Future[None]:
        done: Future[None] = Future()
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
            self._connection.execute("BEGIN IMMEDIATE")
            for write, _ in work:
                write(self._connection)
            self._connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - handed to everyone who waits, whatever it is
            self._fail(work, error)
            return
        for _, done in work:
            done.set_result(None)

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
    return _entries(connection, "WHERE a.key = ?", (key,)).get(key)


def _entries(
    connection: sqlite3.Connection, where: str = "", values: tuple[object, ...] = ()
) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for *columns, body in connection.execute(_GET_ENTRIES.format(where=where), values):
        request = request_of(columns[3], body)
        entries[columns[0]] = entry_of(tuple(columns), request, entries.get(columns[0]))
    return entries


def read_entries(path: Path) -> Mapping[str, Entry]:
    """Return what a journal says of every row, without writing to it; nothing if there is none."""
    connection = connect_for_reading(path)
    if connection is None:
        return {}
    with contextlib.closing(connection), clear_errors(path):
        return _entries(connection)


def replay(path: Path) -> dict[str, Entry]:
    """Fold all events of a journal anew: what `read_entries` must say, too.

    Raises StoreError if the file cannot be read, ImpossibleMove if its events contradict the table.
    """
    connection = connect_for_reading(path)
    if connection is None:
        raise StoreError(f"there is no journal at {path}")
    with contextlib.closing(connection), clear_errors(path):
        requests = {
            row[0]: request_of(row[0], row[1])
            for row in connection.execute("SELECT request_hash, body FROM requests")
        }
        entries: dict[str, Entry] = {}
        for at, key, number, kind, data in connection.execute(
            "SELECT at, key, number, kind, data FROM events ORDER BY seq"
        ):
            event = event_of(key, number, kind, data, requests)
            entries[key] = apply(entries.get(key), event, at)
        return entries
