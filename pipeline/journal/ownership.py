"""Which manifest a journal belongs to, and whether another journal has paid for it already.

An output folder, with its journal, belongs to one manifest. It is relative to the working folder: a
run that is started from another one, by a scheduler for example, would find no journal, begin one,
and send every row again.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.errors import StoreError, UsageError
from pipeline.journal.database import clear_errors, connect_for_reading

_GET_MANIFEST = "SELECT value FROM meta WHERE name = 'manifest' "


def claim(connection: sqlite3.Connection, path: Path, manifest: Path, *, adopt: bool) -> None:
    """Bind a journal to the path of one manifest, or to a new one with `adopt`.

    It is never taken from a manifest that still exists: that one would begin another journal, and
    pay for all of its rows again. A file that a run wrote into this folder (failed.csv) changes
    nothing: its rows are those of the same manifest.

    Args:
        connection: the journal, open for writing.
        path: its file.
        manifest: the manifest of the run.
        adopt: whether the user says that the manifest was moved.

    Raises:
        StoreError: the journal cannot be used.
        UsageError: it belongs to another manifest.

    """
    wanted = str(manifest.resolve())
    with clear_errors(path):
        known = connection.execute(_GET_MANIFEST).fetchone()
        if known is not None and OutputFolder(path.parent).wrote(manifest):
            return
        gone = known is not None and is_gone(Path(known[0]))
        if known is None or known[0] == wanted or (adopt and gone):
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('manifest', ?)", (wanted,))
            return
    other = f"the output folder {path.parent} belongs to another manifest: {known[0]}"
    if gone:
        raise UsageError(
            f"{other}, which is gone.",
            action="Pass --adopt if the file was moved; otherwise leave --out away.",
        )
    raise UsageError(
        f"{other}, which still exists.",
        action="Leave --out away: this manifest then has an output folder of its own.",
    )


def find_manifest(journal: Path, *, sent: bool = False) -> Path | None:
    """Return the manifest that a journal belongs to; None if there is none yet.

    With `sent` only if any of its rows was ever sent.
    """
    condition = "AND EXISTS (SELECT * FROM attempts)" if sent else ""
    with clear_errors(journal):
        connection = connect_for_reading(journal)
        if connection is None:
            return None
        with contextlib.closing(connection):
            known = connection.execute(_GET_MANIFEST + condition).fetchone()
    return None if known is None else Path(known[0])


def explain_paid_elsewhere(manifest: Path, folder: OutputFolder, outputs: str) -> UsageError | None:
    """Return why no live run may begin in `folder` unless the user names it; None where it may.

    It may where rows were sent from there before. Otherwise `outputs` in the manifest's own folder,
    and in each folder above it, is searched for a journal of this manifest with rows that were
    sent, also under the numbers of manifests that share its name. Nothing is made or written.

    Args:
        manifest: the manifest that is to be run.
        folder: the output folder of the run.
        outputs: the setting output.dir.

    Raises:
        StoreError: the journal in `folder` itself cannot be read.
        UsageError: it was written by a newer version.

    """
    if find_manifest(folder.journal, sent=True) is not None:
        return None
    path = manifest.resolve()
    for home in dict.fromkeys((*path.parents, *manifest.absolute().parents)):
        for there in OutputFolder(home / outputs / manifest.stem).namesakes():
            try:
                known = find_manifest(there.journal, sent=True)
            except (StoreError, UsageError) as error:
                return _unreadable(error, there.root, folder.root.absolute())
            if known == path:
                return _pays_twice(manifest, home, there.root, folder.root.absolute())
    return None


def _pays_twice(manifest: Path, home: Path, there: Path, here: Path) -> UsageError:
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
