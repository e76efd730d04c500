"""What can still be read of a damaged journal.

A page that is damaged hides the attempts on it, and those after it in the order of reading. So the
attempts are read from both ends.

Tested in tests/journal/test_salvage.py.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.disk.sqlitefile import open_damaged
from pipeline.journal.identities import Identities
from pipeline.journal.records import ENTRY_COLUMNS, entry_of, request_of, videos_of
from pipeline.model import Entry, Request, made_for

_GET = f"SELECT {', '.join(ENTRY_COLUMNS)} FROM attempts ORDER BY key {{0}}, number {{0}}"  # noqa: S608
_REQUEST, _VIDEO = ENTRY_COLUMNS.index("request_hash"), ENTRY_COLUMNS.index("video")
_UNREADABLE = (sqlite3.Error, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What a damaged journal still says: its id, None if that is lost, and attempts."""

    journal_id: str | None = None
    attempts: tuple[Entry, ...] = ()


def salvage(path: Path) -> Salvaged:
    """Return what can be read of a damaged journal: perhaps nothing."""
    try:
        connection = open_damaged(path)
    except sqlite3.Error:
        return Salvaged()
    with contextlib.closing(connection):
        journal_id = None
        with contextlib.suppress(*_UNREADABLE):
            found = connection.execute("SELECT value FROM meta WHERE name = 'id'").fetchone()
            journal_id = None if found is None else str(found[0])
        return Salvaged(journal_id, tuple(_attempts(connection)))


def _attempts(connection: sqlite3.Connection) -> Iterator[Entry]:
    requests: dict[str, Request] = {}
    with contextlib.suppress(*_UNREADABLE):
        for request_hash, body in connection.execute("SELECT request_hash, body FROM requests"):
            requests[request_hash] = request_of(request_hash, body)
    identities = None
    with contextlib.suppress(*_UNREADABLE):
        identities = Identities(connection)
    seen = set()
    for order in ("ASC", "DESC"):
        with contextlib.suppress(*_UNREADABLE):
            for values in connection.execute(_GET.format(order)):
                place, request = values[:2], requests.get(values[_REQUEST])
                if request is not None and place not in seen:
                    seen.add(place)
                    key = identities.key_of(values[0]) if identities else made_for(values[0])
                    yield entry_of(values, request, videos_of([values[_VIDEO]])[0], None, key)
