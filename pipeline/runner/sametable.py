"""Which other tables of the account a manifest may be another edition of, and the way on then.

What makes two tables editions of one, `planner.editions` decides. Here is what it needs to know,
from journals and book.

Tested in tests/runner/test_reuse.py and tests/system/test_series.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from pipeline.checker.check import CheckedManifest
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.disk.sqlitefile import path_of, text_of
from pipeline.errors import StoreError, UsageError
from pipeline.journal.ownership import read_notes
from pipeline.manifest.invocation import Invocation
from pipeline.planner.editions import (
    LEAST_ROWS,
    Edition,
    SameTable,
    Sibling,
    WayOn,
    are_called_alike,
    begins_series,
    find_same_table,
    series_of,
)
from pipeline.runner.takes import Purchases


def alike(
    checked: CheckedManifest, config: Config, siblings: Sequence[Sibling]
) -> Sequence[Sibling]:
    """Return the siblings that may be editions of the same table; a rehearsal buys nothing.

    Args:
        checked: The manifest.
        config: The configuration.
        siblings: The manifests of the same run before it.

    """
    path = checked.manifest.path.resolve()
    named = (one for one in siblings if are_called_alike(path, PurePath(one.manifest)))
    return () if config.rehearses else tuple(named)


def followed(
    asked: Sequence[str], editions: Sequence[Edition], called: str | None, *, adopt: bool
) -> list[Edition]:
    """Return the edition of another file whose rows a series takes over, if there is one.

    It is the closest, where it is called as a new series is, or where its file is gone and the user
    says that the manifest follows it.

    Args:
        asked: The keys of the rows to be paid for.
        editions: The tables that have some of them.
        called: The name of the series; None if it is not new.
        adopt: Whether the user says that the manifest follows one that is gone.

    """
    found = find_same_table(asked, editions)
    if found is None:
        return []
    fits = called is not None and begins_series(called, found.edition)
    follows = adopt and is_gone(path_of(found.edition.manifest))
    return [found.edition] if fits or follows else []


def find_way_on(
    typed: Invocation, series: str | None, folder: OutputFolder, edition: Edition
) -> WayOn:
    """Return how a manifest becomes an edition of a series together with another one.

    Args:
        typed: What the user named.
        series: The name of the series that the settings give; None if they do not.
        folder: The output folder of the manifest.
        edition: The other table.

    """
    owner, there = path_of(edition.manifest), OutputFolder(path_of(edition.folder))
    notes = _notes_of(there) or {}
    name = series or notes.get("series") or _free_name(typed.manifest, folder, edition)
    known = notes.get("series") == name
    out = typed.out
    if known and there.root.name != name:
        out = there.root
    elif series is None and out is not None:
        out = folder.root.parent / name
    beside = there.root.parent.resolve() == folder.root.parent.resolve()
    renamed = series is None and typed.out is None and bool(notes) and beside
    return WayOn(typed, name, owner, out, gone=is_gone(owner), known=known, renamed=renamed)


def _free_name(manifest: Path, folder: OutputFolder, edition: Edition) -> str:
    """Return a name for a series whose folder belongs to nobody else."""
    name = series_of(manifest.stem, PurePath(edition.manifest).stem)
    for one in (name, *(f"{name}-{number}" for number in range(2, 100))):
        notes = _notes_of(OutputFolder(folder.root.parent / one))
        if notes is None:
            continue
        its = notes.get("series")
        if its == one or (its is None and notes.get("manifest") in {None, edition.manifest}):
            return one
    return name


def _notes_of(folder: OutputFolder) -> Mapping[str, str] | None:
    """Return what the journal of another folder notes; None if it cannot be read."""
    with contextlib.suppress(StoreError, UsageError):
        return read_notes(folder.journal)
    return None


def find_edition(
    asked: Sequence[str],
    folder: OutputFolder,
    purchases: Purchases,
    siblings: Sequence[Sibling] = (),
    least: int = LEAST_ROWS,
) -> SameTable | None:
    """Return the manifest of another output folder for which rows with these keys were bought.

    Args:
        asked: The keys of the rows to be paid for.
        folder: The output folder of the manifest.
        purchases: What the account bought.
        siblings: The manifests of the same run before it.
        least: With fewer keys it does not look like another edition.

    Raises:
        StoreError: The book cannot be read.

    """
    here = text_of(folder.root.resolve())
    others = [one for one in siblings if one.folder != here]
    keys = frozenset(asked if others else ())
    also = [one.as_edition(keys) for one in others]
    editions = [*editions_elsewhere(asked, folder, purchases, least), *also]
    return find_same_table(asked, editions, least)


def editions_elsewhere(
    asked: Sequence[str], folder: OutputFolder, purchases: Purchases, least: int
) -> list[Edition]:
    """Return the journals of other folders for which rows with these keys were bought.

    Args:
        asked: The keys.
        folder: The output folder of the manifest.
        purchases: What the account bought.
        least: With fewer keys nobody is asked.

    Raises:
        StoreError: The book cannot be read.

    """
    here = text_of(folder.root.resolve())
    return [
        Edition(one.journal_id, one.folder, one.manifest, keys)
        for one, keys in (purchases.keys_elsewhere(asked) if len(asked) >= least else ())
        if one.folder != here
    ]
