"""Guard against paying again for a manifest whose rows were sent from another output folder.

The output folder is relative to the working folder. A run that is started from another working
folder, by a scheduler for example, would find no journal, begin one, and send every row again.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from pipeline.disk.folder import OutputFolder
from pipeline.errors import StoreError, UsageError
from pipeline.journal.database import clear_errors, connect_for_reading


def paid_elsewhere(manifest: Path, folder: OutputFolder, outputs: str) -> UsageError | None:
    """Return why no live run may begin in `folder` unless the user names it; None where it may.

    It may where rows were sent from there before. Otherwise `outputs` in the manifest's own folder,
    and in each folder above it, is searched for a journal of this manifest with rows that were
    sent. Nothing is made or written.

    Args:
        manifest: the manifest that is to be run.
        folder: the output folder of the run.
        outputs: the setting output.dir.

    Raises:
        StoreError: the journal in `folder` itself cannot be read.
        UsageError: it was written by a newer version.

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
    """Return the manifest that a journal belongs to, if any of its rows was ever sent."""
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
        f"{manifest} was run before: the rows that were sent and paid for are in {there}. A run "
        f"from this working folder would start over in {here}: every row would be sent and paid "
        "for a second time.",
        action=f'To continue there, add --out "{there}" or start in {home}. To start over and pay '
        f'again, add --out "{here}".',
    )


def _unreadable(error: StoreError | UsageError, there: Path, here: Path) -> UsageError:
    return UsageError(
        f"{error.message.rstrip('.')}. If this manifest was run with {there}, a run in {here} "
        "would send and pay for every row a second time.",
        action=f'Look into {there}. To continue there, add --out "{there}"; to start over, add '
        f'--out "{here}".',
    )
