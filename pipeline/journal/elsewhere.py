"""The same manifest in another output folder: what was paid for there would be paid for again.

Output folders are seen from the working folder. Started from another one, by a scheduler say, a run
would find no journal, begin one, and send every row a second time.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from pipeline.disk.folder import OutputFolder
from pipeline.errors import StoreError, UsageError
from pipeline.journal.database import clear_errors, connect_for_reading


def paid_elsewhere(manifest: Path, folder: OutputFolder, outputs: str) -> UsageError | None:
    """Return why no live run may begin in `folder` unasked, None where it may.

    It may where rows were sent from there before. Else `outputs` in the manifest's own folder, and
    in each above it, is looked through for a journal of this very manifest that knows of rows sent.
    Nothing is made or written. Raises StoreError and UsageError if the journal in `folder` itself
    cannot be read.
    """
    if _sent(folder.journal) is not None:
        return None
    path = manifest.resolve()
    for home in dict.fromkeys((*path.parents, *manifest.absolute().parents)):
        there = OutputFolder(home / outputs / folder.root.name)
        try:
            known = _sent(there.journal)
        except (StoreError, UsageError) as error:
            return _unreadable(error, there.root, folder.root.absolute())
        if known == path:
            return _twice(manifest, home, there.root, folder.root.absolute())
    return None


def _sent(journal: Path) -> Path | None:
    """Return the manifest that a journal is of, if a row of it was ever sent."""
    with clear_errors(journal):
        connection = connect_for_reading(journal)
        if connection is None:
            return None
        with contextlib.closing(connection):
            known = connection.execute(
                "SELECT value FROM meta WHERE name = 'manifest' AND EXISTS (SELECT * FROM attempts)"
            ).fetchone()
    return None if known is None else Path(known[0])


def _twice(manifest: Path, home: Path, there: Path, here: Path) -> UsageError:
    return UsageError(
        f"{manifest} was run before: what it sent and paid for is in {there}. A run from this "
        f"working folder would begin anew in {here}: every row would be sent and paid for a "
        "second time.",
        action=f'To go on there, add --out "{there}" or start in {home}. To begin anew and pay '
        f'again, add --out "{here}".',
    )


def _unreadable(error: StoreError | UsageError, there: Path, here: Path) -> UsageError:
    return UsageError(
        f"{error.message.rstrip('.')}. If this manifest was run with {there}, a run in {here} "
        "would send and pay for every row a second time.",
        action=f'Look into {there}. To go on there, add --out "{there}"; to begin anew, add --out '
        f'"{here}".',
    )
