"""What a journal says, read without ever writing to it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.journal.database import clear_errors, connect_for_reading
from pipeline.journal.records import ENTRY_COLUMNS, entry_of, event_of, request_of
from pipeline.lifecycle import apply
from pipeline.model import Entry, RunRecord

GET_ENTRIES = (
    f"SELECT {', '.join('a.' + name for name in ENTRY_COLUMNS)}, r.body "  # noqa: S608 - likewise
    "FROM attempts a JOIN requests r USING (request_hash) {where} ORDER BY a.key, a.number"
)


def entries_in(
    connection: sqlite3.Connection, where: str = "", values: tuple[object, ...] = ()
) -> dict[str, Entry]:
    """Return the latest entry of each row that `where` takes, by key."""
    entries: dict[str, Entry] = {}
    for *columns, body in connection.execute(GET_ENTRIES.format(where=where), values):
        request = request_of(columns[3], body)
        entries[columns[0]] = entry_of(tuple(columns), request, entries.get(columns[0]))
    return entries


def origin(path: Path) -> Path | None:
    """Return the manifest that the journal at `path` is of; None where there is none yet."""
    connection = connect_for_reading(path)
    if connection is None:
        return None
    with contextlib.closing(connection), clear_errors(path):
        known = connection.execute("SELECT value FROM meta WHERE name = 'manifest'").fetchone()
    return None if known is None else Path(known[0])


def read_entries(path: Path) -> Mapping[str, Entry]:
    """Return what a journal says of every row, without writing to it; nothing if there is none."""
    connection = connect_for_reading(path)
    if connection is None:
        return {}
    with contextlib.closing(connection), clear_errors(path):
        return entries_in(connection)


def read_runs(path: Path) -> list[RunRecord]:
    """Return the runs that a journal knows, the earliest first; nothing if there is no journal."""
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
    """Return what the latest tasks took at the provider, in seconds; nothing if none is known."""
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
