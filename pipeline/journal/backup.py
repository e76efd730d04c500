"""A copy of a journal in one file, also while a run writes to it, and never over another file."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from pipeline.disk.failures import raise_store_errors
from pipeline.disk.openfile import open_private
from pipeline.disk.place import rename_new
from pipeline.errors import UsageError
from pipeline.journal.database import clear_errors, connect_for_reading, refuse_damaged

_OWN = 0o600
_ELSEWHERE = "Name another file or folder for the copy, behind the manifest."


def backup_name(journal: Path) -> Path:
    """Return the name, beside a journal, of a backup that is made now."""
    return journal.with_name(time.strftime("journal-%Y%m%d-%H%M%SZ.db", time.gmtime()))


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
