"""A journal backed up while a run may write to it, and what can still be read of a damaged one.

A backup is one file, and never written over another. A page that is damaged hides the attempts on
it, and those after it in the order of reading. So the attempts are read from both ends.

Tested in tests/journal/test_backup.py and tests/journal/test_salvage.py.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.disk.failures import raise_store_errors
from pipeline.disk.openfile import open_private
from pipeline.disk.place import rename_new
from pipeline.disk.sqlitefile import open_damaged
from pipeline.errors import UsageError
from pipeline.journal.database import clear_errors, connect_for_reading, refuse_damaged
from pipeline.journal.identities import Identities
from pipeline.journal.records import ENTRY_COLUMNS, entry_of, request_of, videos_of
from pipeline.model import Entry, Request, made_for

_OWN = 0o600
_ELSEWHERE = "Name another file or folder for the copy, behind the manifest."
_GET = f"SELECT {', '.join(ENTRY_COLUMNS)} FROM attempts ORDER BY key {{0}}, number {{0}}"  # noqa: S608
_REQUEST, _VIDEO = ENTRY_COLUMNS.index("request_hash"), ENTRY_COLUMNS.index("video")
_UNREADABLE = (sqlite3.Error, ValueError, KeyError, TypeError)


def backup_name(journal: Path) -> Path:
    """Return the name, beside a journal, of a backup that is made now."""
    # The time of gmtime() alone may lag behind the clock, and name the second before.
    return journal.with_name(time.strftime("journal-%Y%m%d-%H%M%SZ.db", time.gmtime(time.time())))


def back_up(journal: Path, target: Path) -> None:
    """Copy a journal as it stands at one moment to a new file, which needs no other beside it.

    Raises UsageError if there is no journal, or if something has that name; StoreError.
    """
    source = connect_for_reading(journal)
    if source is None:
        raise UsageError(
            f"there is no journal at {journal}: no run has ever sent a row from there.",
            action="Check the manifest's name, provider and --out.",
        )
    with contextlib.closing(source), _written_beside(target) as part:
        with contextlib.closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
        with contextlib.closing(sqlite3.connect(part)) as copy, clear_errors(journal):
            # The copy says of itself what the journal does: in WAL mode it would need files beside.
            copy.execute("PRAGMA journal_mode=DELETE")
            refuse_damaged(copy, journal)


@contextlib.contextmanager
def _written_beside(target: Path) -> Iterator[Path]:
    """Yield a file of our own beside `target`, which then gets that name if nothing has it."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    with raise_store_errors(target, action=_ELSEWHERE), contextlib.ExitStack() as on_end:
        os.close(open_private(part, os.O_RDWR | os.O_EXCL))
        on_end.callback(part.unlink, missing_ok=True)
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        try:
            rename_new(part, target, _OWN)
        except FileExistsError as error:
            raise UsageError(
                f"{target} exists, and nothing is written over it.", action="Name another file."
            ) from error


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What a damaged journal still says: its id, None if that is lost, and attempts."""

    journal_id: str | None = None
    attempts: tuple[Entry, ...] = ()


def salvage(path: Path) -> Salvaged:
    """Return what can be read of a damaged journal: perhaps nothing."""
    try:
        connection = open_damaged(path)
    except (OSError, sqlite3.Error):
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
