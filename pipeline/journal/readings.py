"""What is kept of how a manifest was read in its earlier runs, as far as that had to be found out.

A better reading would make rows look edited. So what was found out is kept once anything was sent.

Tested in tests/journal/test_readings.py and tests/system/test_readings.py.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pipeline.errors import StoreError, UsageError
from pipeline.journal.database import clear_errors, connect_for_reading
from pipeline.manifest.earlier import FoundOut

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.manifest import earlier


def kept_reading(path: Path, known: earlier.Reading | None) -> FoundOut | None:
    """Return what is kept for the manifest of the journal at `path`; None if nothing was ever sent.

    Nothing is found out anew where that cannot be told. Whoever opens the journal says why.

    Args:
        path: the journal.
        known: how the runs before read the manifest; None if there were none.

    """
    found = FoundOut() if known is None else FoundOut(known.encoding, known.sheet)
    try:
        with clear_errors(path):
            connection = connect_for_reading(path)
            if connection is None:  # run.log may remember what the journal knew
                return found if found != FoundOut() else None
            with contextlib.closing(connection):
                (sent,) = connection.execute("SELECT EXISTS (SELECT * FROM attempts)").fetchone()
    except (StoreError, UsageError):
        return found
    return found if sent else None
