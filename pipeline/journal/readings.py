"""How a manifest was read in its earlier runs, as far as the reader had to find that out.

A better reading would make rows look edited. So what was found out once is kept in the journal.

Tested in tests/journal/test_readings.py and tests/system/test_readings.py.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.disk.folder import OutputFolder
from pipeline.errors import StoreError, UsageError
from pipeline.journal.database import clear_errors, connect_for_reading
from pipeline.manifest.asbefore import Reading, reading_of
from pipeline.model import Manifest

if TYPE_CHECKING:
    from pipeline.journal.journal import Journal

_ENCODING, _SHEET = "reading_encoding", "reading_sheet"


def kept_reading(path: Path) -> Reading | None:
    """Return how the manifest of the journal at `path` was read; None if nothing was ever sent.

    Nothing is found out anew where that cannot be told. Whoever opens the journal says why.
    """
    try:
        with clear_errors(path):
            connection = connect_for_reading(path)
            if connection is None:
                return None
            with contextlib.closing(connection):
                notes = dict(connection.execute("SELECT name, value FROM meta"))
                (sent,) = connection.execute("SELECT EXISTS (SELECT * FROM attempts)").fetchone()
    except (StoreError, UsageError):
        return Reading()
    return Reading(notes.get(_ENCODING), notes.get(_SHEET)) if sent else None


def keep_reading(journal: Journal, manifest: Manifest) -> None:
    """Note in its journal how a manifest was read; raises StoreError.

    Files that a run wrote into the folder are not noted: they are read as the manifest was.
    """
    found = reading_of(manifest)
    if OutputFolder(journal.path.parent).wrote(manifest.path):
        return
    values = {_ENCODING: found.encoding, _SHEET: found.sheet}
    noted = {name: value for name, value in values.items() if value is not None}
    if noted.items() - journal.notes().items():
        journal.note(noted)
