"""Which manifest a journal belongs to, and whether another journal has paid for it already.

An output folder, with its journal, belongs to one manifest. It is relative to the working folder: a
run that is started from another one, by a scheduler for example, would find no journal, begin one,
and send every row again.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.disk.sqlitefile import path_of, text_of
from pipeline.errors import StoreError, UsageError
from pipeline.journal.database import clear_errors, connect_for_reading
from pipeline.journal.logreading import last_begin
from pipeline.journal.reading import read_runs
from pipeline.manifest.invocation import Invocation, noted_invocation

MOVED_FROM = "moved_from"
"""The name under which a journal notes the paths that its manifest had before, the last one first,
a line each."""

_GET_MANIFEST = "SELECT value FROM meta WHERE name = 'manifest' "


def claim(
    connection: sqlite3.Connection,
    path: Path,
    manifest: Path,
    *,
    adopt: bool,
    series: str | None = None,
) -> None:
    """Bind a journal to the path of one manifest, or to a new one with `adopt`.

    A journal of a series is bound to the edition that was run last, and to the name of the series.

    It is never taken from a manifest that still exists: that one would begin another journal, and
    pay for all of its rows again. A file that a run wrote into this folder (failed.csv) changes
    nothing: its rows are those of the same manifest.

    Args:
        connection: the journal, open for writing.
        path: its file.
        manifest: the manifest of the run.
        adopt: whether the user says that the manifest was moved.
        series: the series that the manifest is an edition of; None if of none.

    Raises:
        StoreError: the journal cannot be used.
        UsageError: it belongs to another manifest.

    """
    if series is not None:
        _claim_for_series(connection, path, manifest, series, adopt=adopt)
        return
    wanted = text_of(manifest.resolve())
    with clear_errors(path):
        known = connection.execute(_GET_MANIFEST).fetchone()
        if known is not None and OutputFolder(path.parent).wrote(manifest):
            return
        gone = known is not None and is_gone(path_of(known[0]))
        if known is None or known[0] == wanted or (adopt and gone):
            noted = [("manifest", wanted)]
            if known is not None and known[0] != wanted:
                noted.append((MOVED_FROM, "\n".join((known[0], *_earlier(connection)))))
            connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", noted)
            return
    typed = noted_invocation(path.parent) or Invocation(manifest)
    own = f"an output folder of its own: {typed.run_into(None)}"
    other = f"the output folder {path.parent} belongs to another manifest: {known[0]}"
    if gone:
        raise UsageError(
            f"{other}, which is gone.",
            action=f"If the file was moved: {typed.run_into(typed.out, adopt=True)}. Otherwise "
            f"give this manifest {own}.",
        )
    raise UsageError(
        f"{other}, which still exists.",
        action=f"Give this manifest {own}.",
    )


def _earlier(connection: sqlite3.Connection) -> list[str]:
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (MOVED_FROM,)).fetchone()
    return [] if row is None else row[0].split("\n")


def find_renamed(manifest: Path, journal: Path) -> Path | None:
    """Return what a manifest that is gone is called now, if this is its journal; None if not.

    Raises StoreError, UsageError.
    """
    noted = read_notes(journal)
    now = noted.get("manifest")
    earlier = noted.get(MOVED_FROM, "").split("\n")
    known = now is not None and text_of(manifest.resolve()) in earlier and is_gone(manifest)
    return path_of(now) if known and now is not None else None


def _claim_for_series(
    connection: sqlite3.Connection, path: Path, manifest: Path, series: str, *, adopt: bool
) -> None:
    with clear_errors(path):
        noted = dict(connection.execute("SELECT name, value FROM meta"))
        if noted.get("series") and OutputFolder(path.parent).wrote(manifest):
            return
        typed = noted_invocation(path.parent) or Invocation(manifest)
        refusal = _refuse_edition(noted, path, typed, series, adopt=adopt)
        if refusal is None:
            values = (("manifest", text_of(manifest.resolve())), ("series", series))
            connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values)
            return
    raise refusal


def refuse_edition(
    journal: Path, typed: Invocation, series: str, *, adopt: bool
) -> UsageError | None:
    """Return why a manifest cannot be run as an edition of the series of a journal; None if it can.

    Args:
        journal: the file of the journal in the series' output folder.
        typed: what the user named: the manifest, and what a message is to repeat.
        series: the name of the series.
        adopt: whether the user says that the manifest was moved.

    Raises:
        StoreError: the journal cannot be used.
        UsageError: it was written by a newer version.

    """
    return _refuse_edition(read_notes(journal), journal, typed, series, adopt=adopt)


def _refuse_edition(
    noted: Mapping[str, str], journal: Path, typed: Invocation, series: str, *, adopt: bool
) -> UsageError | None:
    known, owner = noted.get("series"), noted.get("manifest")
    if owner is None or known == series:
        return None
    gone = is_gone(path_of(owner))
    if known is None and (owner == text_of(typed.manifest.resolve()) or (adopt and gone)):
        return None
    joining = replace(typed, series=known or series)
    if known is not None:
        whose, way = f"another series, {known}", joining.command("run")
    elif gone:
        whose = f"a manifest that is of no series and is gone: {owner}"
        way = joining.command("run", "--adopt")
    else:
        whose = f"a manifest that is of no series: {owner}"
        first = replace(joining, manifest=path_of(owner), origin=None).command(
            "run", "--limit", "0"
        )
        way = f"{first}. Then run: {joining.command('run')}"
    return UsageError(
        f"the output folder {journal.parent} belongs to {whose}.",
        action=f"If that is an edition of the same table, run: {way}. Otherwise choose another "
        "name for the series.",
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
    return None if known is None else path_of(known[0])


def read_notes(journal: Path) -> dict[str, str]:
    """Return all texts in a journal's `meta` by their names; nothing if there is no journal.

    Raises StoreError, UsageError.
    """
    with clear_errors(journal):
        connection = connect_for_reading(journal)
        if connection is None:
            return {}
        with contextlib.closing(connection):
            return dict(connection.execute("SELECT name, value FROM meta"))


def explain_paid_elsewhere(
    manifest: Path,
    folder: OutputFolder,
    outputs: str,
    guarded: Callable[[Path], bool] = lambda _: False,
    typed: Invocation | None = None,
) -> UsageError | None:
    """Return why no live run may begin in `folder` unless the user names it; None where it may.

    It may where rows were sent from there before. Otherwise `outputs` in the manifest's own folder,
    and in each folder above it, is searched for a journal of this manifest with rows that were
    sent, also under the numbers of manifests that share its name. Nothing is made or written.

    Args:
        manifest: the manifest that is to be run.
        folder: the output folder of the run.
        outputs: the setting output.dir.
        guarded: whether the account's book knows an output folder: what was bought for it is not
            bought again, so a run may begin elsewhere.
        typed: what the user named.

    Raises:
        StoreError: the journal in `folder` itself cannot be read.
        UsageError: it was written by a newer version.

    """
    if find_manifest(folder.journal, sent=True) is not None:
        return None
    path, typed = manifest.resolve(), typed or Invocation(manifest)
    for home in dict.fromkeys((*path.parents, *manifest.absolute().parents)):
        for there in OutputFolder(home / outputs / manifest.stem).namesakes():
            try:
                known = find_manifest(there.journal, sent=True)
            except (StoreError, UsageError) as error:
                return _unreadable(error, typed, there.root, folder.root.absolute())
            if known == path and not guarded(there.root):
                return _pays_twice(typed, home, there.root, folder.root.absolute())
    return None


def _pays_twice(typed: Invocation, home: Path, there: Path, here: Path) -> UsageError:
    return UsageError(
        f"{typed.manifest} was run before: the rows that were sent and paid for are in {there}. A "
        f"run from this working folder would start over in {here}: every row would be sent and "
        "paid for a second time.",
        action=f"To continue there: {typed.run_into(there)} or start in {home}. To start over and "
        f"pay again: {typed.run_into(here)}.",
    )


def _unreadable(
    error: StoreError | UsageError, typed: Invocation, there: Path, here: Path
) -> UsageError:
    return UsageError(
        f"{error.message.rstrip('.')}. If this manifest was run with {there}, a run in {here} "
        "would send and pay for every row a second time.",
        action=f"Look into {there}. To continue there: {typed.run_into(there)}; to start over: "
        f"{typed.run_into(here)}.",
    )


def was_sent_from(folder: OutputFolder, manifest: Path) -> bool:
    """Return whether the last run told of beside a journal is this manifest's, and not in it."""
    its, run_id = folder.last_manifest(), folder.last_run()
    with contextlib.suppress(KeyError, TypeError):
        begun = last_begin(folder.log)
        its, run_id = (Path(begun["manifest"]), begun["run_id"]) if begun else (its, run_id)
    if its is None or is_gone(folder.journal):
        return False
    # As it was typed then, perhaps in another working folder.
    same = its == manifest.resolve() if its.is_absolute() else its.name == manifest.name
    return same and run_id not in {one.run_id for one in read_runs(folder.journal)}


def last_owner(folder: OutputFolder) -> Path | None:
    """Return whose results lie in a folder without a journal; None if that is not known."""
    last = folder.last_manifest() if is_gone(folder.journal) else None
    return None if last is None or folder.wrote(last) else last.resolve()


def is_unused(path: Path) -> bool:
    """Return whether nothing ever happened in a journal, or there is none; raises StoreError."""
    connection = connect_for_reading(path)
    if connection is None:
        return True
    with contextlib.closing(connection), clear_errors(path):
        return is_new(connection)


def is_new(connection: sqlite3.Connection) -> bool:
    """Return whether nothing ever happened in an open journal."""
    question = "SELECT EXISTS (SELECT 1 FROM events UNION ALL SELECT 1 FROM runs)"
    return not connection.execute(question).fetchone()[0]
