"""A journal, read without ever writing to it.

The tables say what its events add up to (see journal.py), so that recovery reads the attempts, and
`replay` is there for who holds the two against each other.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.disk.openfile import is_gone
from pipeline.errors import StoreError
from pipeline.journal.database import clear_errors, connect_for_reading, refuse_damaged
from pipeline.journal.identities import Identities
from pipeline.journal.records import (
    ENTRY_COLUMNS,
    entry_of,
    event_of,
    request_of,
    requests_of,
    videos_of,
)
from pipeline.lifecycle import apply
from pipeline.model import Entry, Request, State, Video, made_for
from pipeline.process.collector import pause_collector

GET_ENTRIES = (
    f"SELECT {', '.join('a.' + name for name in ENTRY_COLUMNS)}, r.body "  # noqa: S608 - likewise
    "FROM attempts a JOIN requests r USING (request_hash) {where} ORDER BY a.key, a.number"
)
"""Read attempts with their requests; `where` takes the condition, or nothing."""
_GET_ATTEMPTS = (
    f"SELECT {', '.join(ENTRY_COLUMNS)} FROM attempts a {{where}} "  # noqa: S608 - our own names
    "ORDER BY key, number"
)
_GET_REUSED = (
    f"SELECT {', '.join('a.' + name for name in ENTRY_COLUMNS)}, r.body "  # noqa: S608
    "FROM (SELECT DISTINCT key, number FROM events WHERE kind = 'Reused') e "
    "JOIN attempts a USING (key, number) JOIN requests r USING (request_hash)"
)
_REQUEST = ENTRY_COLUMNS.index("request_hash")
_VIDEO = ENTRY_COLUMNS.index("video")
_AT_ONCE = 500
"""Attempts read at a time: every SQLite takes 999 values in a query (sqlite.org/limits.html)."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What the journal keeps of a run. Times are Unix seconds.

    The balances are in the provider's currency, None where they are not known: `balance_before`
    from just before the run's submissions, `balance_after` from its end.
    """

    run_id: str
    started_at: float
    finished_at: float | None = None
    balance_before: float | None = None
    balance_after: float | None = None


def entries_in(
    connection: sqlite3.Connection,
    where: str = "",
    values: tuple[object, ...] = (),
    *,
    identities: Identities,
    known: Mapping[str, Request] | None = None,
) -> dict[str, Entry]:
    """Return the latest entry of each row that `where` selects, by key; see `attempts_in`."""
    found = attempts_in(connection, where, values, identities=identities, known=known)
    return {entry.key: entry for entry in found}


def attempts_in(
    connection: sqlite3.Connection,
    where: str = "",
    values: tuple[object, ...] = (),
    *,
    identities: Identities,
    known: Mapping[str, Request] | None = None,
) -> Iterator[Entry]:
    """Yield each attempt that `where` selects, as the entry that it is or was, in their order.

    Args:
        connection: an open journal.
        identities: those of the journal.
        where: a WHERE clause over the table `attempts a`, of all attempts of a row or of none;
            empty for all rows.
        values: the values of its parameters.
        known: requests by their hash: they are used as they are, and only others are read.

    """
    before: Entry | None = None
    found = connection.execute(_GET_ATTEMPTS.format(where=where), values)
    while attempts := found.fetchmany(_AT_ONCE):
        requests = _requests(connection, {one[_REQUEST] for one in attempts}, known or {})
        videos = videos_of([one[_VIDEO] for one in attempts])
        for one, video in zip(attempts, videos, strict=True):
            if before is not None and before.identity != one[0]:
                before = None
            key = identities.key_of(one[0])
            before = entry_of(one, requests[one[_REQUEST]], video, before, key)
            yield before


def reused_entries(connection: sqlite3.Connection, identities: Identities) -> Iterator[Entry]:
    """Yield every take that was reused, whatever became of its file."""
    found = connection.execute(_GET_REUSED)
    while some := found.fetchmany(_AT_ONCE):
        videos = videos_of([row[_VIDEO] for row in some])
        for row, video in zip(some, videos, strict=True):
            request = request_of(row[_REQUEST], row[-1])
            entry = entry_of(row, request, video, None, identities.key_of(row[0]))
            if entry.reused:
                yield replace(entry, state=State.DONE)


def _requests(
    connection: sqlite3.Connection, hashes: Collection[str], known: Mapping[str, Request]
) -> Mapping[str, Request]:
    """Return the requests with these hashes. They never change, so reading them later is safe."""
    unknown = [one for one in hashes if one not in known]
    if not unknown:
        return known
    marks = ", ".join("?" * len(unknown))
    found = connection.execute(
        f"SELECT request_hash, body FROM requests WHERE request_hash IN ({marks})",  # noqa: S608
        unknown,
    ).fetchall()
    read = {request.request_hash: request for request in requests_of(found)}
    return {one: read[one] if one in read else known[one] for one in hashes}


@pause_collector()
def read_entries(path: Path, known: Mapping[str, Request] | None = None) -> dict[str, Entry]:
    """Return the latest entry of every row of a journal, by key; nothing if there is no journal.

    `known` are requests by their hash, as those of the manifest: they are not read once more.
    Raises StoreError.
    """
    connection = connect_for_reading(path)
    if connection is None:
        return {}
    with contextlib.closing(connection), clear_errors(path):
        refuse_damaged(connection, path)
        # In one transaction, or a run that begins meanwhile might rename a row between the two.
        connection.execute("BEGIN")
        return entries_in(connection, identities=Identities(connection), known=known)


def read_attempts(path: Path, identities: Collection[str]) -> list[Entry]:
    """Return every attempt of these entries, each as what is known of it alone, the latest last.

    Nothing if there is no journal. Raises StoreError.

    Args:
        path: the journal's file.
        identities: those of the entries.

    """
    connection = connect_for_reading(path) if identities else None
    if connection is None:
        return []
    found: list[Entry] = []
    sought = sorted(identities)
    with contextlib.closing(connection), clear_errors(path):
        connection.execute("BEGIN")
        names = Identities(connection)
        for first in range(0, len(sought), _AT_ONCE):
            some = sought[first : first + _AT_ONCE]
            where = f"WHERE key IN ({', '.join('?' * len(some))})"
            rows = connection.execute(_GET_ATTEMPTS.format(where=where), some).fetchall()
            requests = _requests(connection, {one[_REQUEST] for one in rows}, {})
            videos = videos_of([one[_VIDEO] for one in rows])
            found += [
                entry_of(one, requests[one[_REQUEST]], video, None, names.key_of(one[0]))
                for one, video in zip(rows, videos, strict=True)
            ]
    return found


def read_videos(path: Path, tasks: Collection[str]) -> list[tuple[str, Video]]:
    """Return tasks, of these, with each video that was made of one, the latest first.

    Nothing if there is no journal. Raises StoreError.
    """
    connection = connect_for_reading(path)
    if connection is None:
        return []
    with contextlib.closing(connection), clear_errors(path):
        rows = connection.execute(
            "SELECT task_id, video FROM attempts WHERE task_id IS NOT NULL AND video IS NOT NULL "
            "ORDER BY finished_at DESC"
        )
        found = [row for row in rows if row[0] in tasks]
    videos = videos_of([video for _, video in found])
    return [(task, one) for (task, _), one in zip(found, videos, strict=True) if one]


def first_events(connection: sqlite3.Connection) -> dict[str, int]:
    """Return when each entry was first heard of, by its identity: a place in the order of events.

    It reads every event, a second for some hundred thousand rows.
    """
    return dict(connection.execute("SELECT key, min(seq) FROM events GROUP BY key"))


def read_first_events(path: Path) -> dict[str, int]:
    """Return `first_events` of a journal; nothing if there is no journal. Raises StoreError."""
    connection = connect_for_reading(path)
    if connection is None:
        return {}
    with contextlib.closing(connection), clear_errors(path):
        return first_events(connection)


def read_id(path: Path) -> str | None:
    """Return the journal's own id; None if there is no journal. Raises StoreError."""
    connection = connect_for_reading(path)
    if connection is None:
        return None
    with contextlib.closing(connection), clear_errors(path):
        row = connection.execute("SELECT value FROM meta WHERE name = 'id'").fetchone()
        return None if row is None else str(row[0])


@pause_collector()
def read_all(path: Path) -> tuple[dict[str, str], list[Entry]]:
    """Return the notes of a journal, and every attempt as the entry that it is or was.

    Nothing if there is no journal. Raises StoreError.
    """
    connection = connect_for_reading(path)
    if connection is None:
        return {}, []
    with contextlib.closing(connection), clear_errors(path):
        connection.execute("BEGIN")
        refuse_damaged(connection, path)
        notes = dict(connection.execute("SELECT name, value FROM meta"))
        return notes, list(attempts_in(connection, identities=Identities(connection)))


def was_cut_off(connection: sqlite3.Connection) -> bool:
    """Return whether the last run in an open journal did not end cleanly."""
    question = (
        "SELECT EXISTS (SELECT 1 FROM runs WHERE finished_at IS NULL AND started_at = "
        "(SELECT max(started_at) FROM runs))"
    )
    return bool(connection.execute(question).fetchone()[0])


def read_runs(path: Path) -> list[RunRecord]:
    """Return the runs in a journal, the earliest first; nothing if there is no journal."""
    connection = connect_for_reading(path)
    if connection is None:
        return []
    with contextlib.closing(connection), clear_errors(path):
        found = connection.execute(
            "SELECT run_id, started_at, finished_at, balance_before, balance_after FROM runs "
            "ORDER BY started_at"
        )
        return [RunRecord(*row) for row in found]


def read_durations(path: Path, most: int = 1000) -> list[float]:
    """Return how long the latest tasks took at the provider, in seconds, the last one first."""
    connection = connect_for_reading(path)
    if connection is None:
        return []
    with contextlib.closing(connection), clear_errors(path):
        found = connection.execute(
            "SELECT data FROM events WHERE kind = 'Completed' ORDER BY seq DESC LIMIT ?", (most,)
        )
        said = [json.loads(data)["duration_s"] for (data,) in found]
        return [float(one) for one in said if one is not None]


def replay(path: Path) -> dict[str, Entry]:
    """Return the entries that all events of a journal add up to, which `read_entries` must equal.

    For tests: `journal verify` uses `read_twice`. Raises StoreError if the file cannot be read,
    ImpossibleMove if an event cannot follow those before it.
    """
    connection = connect_for_reading(path)
    if connection is None:
        raise StoreError(f"there is no journal at {path}")
    with contextlib.closing(connection), clear_errors(path):
        return _replay_events(connection)


def read_twice(path: Path) -> tuple[dict[str, Entry], dict[str, Entry]]:
    """Return what `read_entries` and `replay` do, as of one moment of a run that goes on.

    Nothing if no run has got so far as to make its tables. Raises StoreError if the file cannot be
    read, ImpossibleMove.
    """
    connection = connect_for_reading(path)
    if connection is None:
        if is_gone(path):
            raise StoreError(f"there is no journal at {path}")
        return {}, {}
    with contextlib.closing(connection), clear_errors(path):
        connection.execute("BEGIN")
        return entries_in(connection, identities=Identities(connection)), _replay_events(connection)


def _replay_events(connection: sqlite3.Connection) -> dict[str, Entry]:
    requests = {
        row[0]: request_of(row[0], row[1])
        for row in connection.execute("SELECT request_hash, body FROM requests")
    }
    entries: dict[str, Entry] = {}
    for at, identity, number, kind, data in connection.execute(
        "SELECT at, key, number, kind, data FROM events ORDER BY seq"
    ):
        entry = entries.get(identity)
        key = made_for(identity) if entry is None else entry.key
        event = event_of(key, number, kind, data, requests, identity=identity)
        entries[identity] = apply(entry, event, at)
    return {entry.key: entry for entry in entries.values()}


def read_latest_videos(path: Path) -> list[Video]:
    """Return the videos of a journal that came last, some hundreds at most; raises StoreError."""
    connection = connect_for_reading(path)
    if connection is None:
        return []
    with contextlib.closing(connection), clear_errors(path):
        found = connection.execute(
            "SELECT video FROM attempts WHERE video IS NOT NULL ORDER BY finished_at DESC LIMIT ?",
            (_AT_ONCE,),
        )
        return [video for video in videos_of([row[0] for row in found]) if video is not None]
