"""Output folders near from which rows were sent that neither their journals nor the book know.

Such rows may be the very ones that the run would send. What the files beside a journal tell is held
against the journal and the book, as `forgotten` does for the run's own folder: mostly the last run
alone, and the whole only where that is not known.

Tested in tests/system/test_lost_neighbours.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.account.opening import Neighbour
from pipeline.account.place import journals_near, places_of, traces_near
from pipeline.account.reading import journals_in, references_among, tasks_among
from pipeline.disk.folder import OutputFolder
from pipeline.disk.lock import is_locked
from pipeline.disk.openfile import is_gone
from pipeline.disk.sqlitefile import lacks_log, path_of
from pipeline.errors import ReelsheetError, UsageError
from pipeline.journal.database import clear_errors, connect_for_reading, refuse_damaged
from pipeline.journal.logreading import logged
from pipeline.journal.ownership import read_notes
from pipeline.journal.reading import read_all, read_runs
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.wording import count
from pipeline.model import State
from pipeline.planner.plan import Action, Plan
from pipeline.planner.selection import Selection
from pipeline.runner.remains import (
    last_runs,
    manifest_in,
    read_results,
    sent_in_log,
    sign_of_submissions,
    tasks_in,
    traces_in_log,
)
from pipeline.runner.target import Target


@dataclass(frozen=True, slots=True)
class _Finding:
    """What is wrong in a folder: what became of its journal, and the file that tells of more."""

    folder: OutputFolder
    what: str
    sign: Path


def why_unguarded(
    neighbours: Iterable[Neighbour],
    book: Path,
    outputs: Path,
    typed: Invocation,
    *,
    held: Collection[Path] = (),
) -> UsageError | None:
    """Return why nothing may be sent beside some output folders; None if all of them are known.

    Args:
        neighbours: the folders near.
        book: the file of the account's book, which has taken over what their journals know.
        outputs: the folder that holds an output folder per manifest.
        typed: what the user named for the run.
        held: the folders, without links, whose locks this process holds.

    Raises:
        StoreError: the book cannot be read.

    """
    found = [one for near in neighbours if (one := _look_twice(near, book, held)) is not None]
    if not found:
        return None
    first, *others = found
    folder = first.folder
    sign = "" if first.sign == folder.journal else f", and {first.sign} tells of rows sent from it"
    also = "".join(f", {one.folder.root}" for one in others)
    more = (
        f" So it is with {count(len(others), 'other output folder')}: {also[2:]}." if also else ""
    )
    return UsageError(
        f"{folder.root} is not guarded: its journal {first.what}{sign} that the account's book "
        f"{book} does not know. This manifest may ask for the same videos, which would be paid for "
        f"again; nothing was sent.{more}",
        action=f"{_how_to_mend(folder, book, outputs, typed)} To submit nevertheless, add "
        "--pay-again all, or --pay-again KEY,… for these rows alone.",
    )


def foresee_unguarded(target: Target, own: Collection[Path]) -> UsageError | None:
    """Return why a live run would be refused beside some output folders; nothing is made.

    Args:
        target: the manifest with its configuration and output folder.
        own: the output folders of the manifests of the same run, without links.

    Raises:
        StoreError: the book cannot be read.

    """
    config = target.config
    places = places_of(config, os.environ)
    if config.rehearses or not places.paths:
        return None
    outputs, manifests = Path(config.output.dir), [target.manifest]
    found = [*map(_as_found, journals_near(outputs, target.folder.root, manifests))]
    found += map(Neighbour, traces_near(outputs, target.folder.root, manifests))
    others = [one for one in found if one.root.resolve() not in own]
    book = places.found or places.paths[0]
    return why_unguarded(others, book, outputs, target.invocation)


def _as_found(journal: Path) -> Neighbour:
    """Return the folder of a journal as it would be once a run had taken it over."""
    failure, rows = None, False
    try:
        with clear_errors(journal), ExitStack() as on_end:
            if (connection := connect_for_reading(journal)) is not None:
                refuse_damaged(on_end.enter_context(closing(connection)), journal)
        rows = bool(read_all(journal)[1])
    except ReelsheetError as error:
        failure = error
    alone = lacks_log(journal) and not rows
    return Neighbour(journal.parent, has_journal=True, failure=failure, lacks_log=alone)


def _look_twice(near: Neighbour, book: Path, held: Collection[Path]) -> _Finding | None:
    """Return what is wrong in a folder, unless it is only that a run works there just now."""
    found = _find(near, book)
    if found is None or near.root.resolve() in held:
        return found
    return None if is_locked(found.folder.lock) else _find(near, book)


def _find(near: Neighbour, book: Path) -> _Finding | None:
    """Return what is wrong in a folder; of a whole one only the ends of its files are read."""
    folder = OutputFolder(near.root)
    references: set[str] = set()
    tasks: set[str] = set()
    failure, cut_off, whole, what = near.failure, False, False, "is gone"
    if failure is None and near.has_journal:
        try:
            runs = read_runs(folder.journal)
            cut_off = not runs or runs[-1].finished_at is None
            whole = last_runs(folder) <= {one.run_id for one in runs}
            if whole and not cut_off:
                return None
            _, attempts = read_all(folder.journal)
        except ReelsheetError as error:
            failure = error
        else:
            references = {one.attempt.client_business_id for one in attempts}
            tasks = {one.task_id for one in attempts if one.task_id}
            what = "is an older copy"
    if failure is not None:
        what = f"cannot be read ({failure.message.rstrip('.')})"
    sign = _sign(folder, book, references, tasks, whole=whole)
    if sign is None and (failure is not None or (near.lacks_log and cut_off)):
        sign = None if _is_known(folder, book) else folder.journal
        if failure is None:
            what = f"was copied during a run, without {folder.journal.name}-wal"
    return None if sign is None else _Finding(folder, what, sign)


def _sign(
    folder: OutputFolder, book: Path, references: set[str], tasks: set[str], *, whole: bool
) -> Path | None:
    """Return the file that tells of more than a journal and the book know; None if none does.

    `whole` says that the journal knows the last run.
    """
    lines = logged(folder.log)
    if whole:
        sent = sent_in_log(lines) - references
    else:
        traces = (one for one in traces_in_log(lines) if one.state is not State.WAITING)
        sent = {one.reference for one in traces if one.reference is not None} - references
    if sent - references_among(book, sent):
        return folder.log
    results = read_results(folder)
    made = set() if results is None else tasks_in(results) - tasks
    if results is not None and made - tasks_among(book, made):
        return results.path
    told = sent or references or tasks or results is not None
    return None if told or _is_known(folder, book) else sign_of_submissions(folder)


def _is_known(folder: OutputFolder, book: Path) -> bool:
    return any(one.last_event for one in journals_in(book, folder.root))


def _how_to_mend(folder: OutputFolder, book: Path, outputs: Path, typed: Invocation) -> str:
    manifest, series = _manifest_of(folder, book)
    manifest = manifest or _namesake_of(folder, typed.manifest)
    if manifest is None:
        restoring = typed.unnamed(folder.root).command("journal rebuild")
        return f"Restore its journal with: {restoring}, with the file that it is of for MANIFEST."
    usual = (outputs / (series or manifest.stem)).resolve() == folder.root.resolve()
    command = replace(
        typed.elsewhere(manifest, folder.root), out=None if usual else folder.root, series=series
    )
    first = f"Put {manifest} back first, which is gone. " if is_gone(manifest) else ""
    return f"{first}Restore it with: {command.command('journal rebuild')}."


def _namesake_of(folder: OutputFolder, beside: Path) -> Path | None:
    """Return the only file beside a manifest that is called like an output folder."""
    try:
        named = [one for one in beside.parent.iterdir() if one.stem == folder.root.name]
    except OSError:
        return None
    files = [one for one in named if one.is_file()]
    return files[0] if len(files) == 1 else None


def _manifest_of(folder: OutputFolder, book: Path) -> tuple[Path | None, str | None]:
    """Return the manifest of a folder and its series, as far as anything tells of them."""
    with suppress(ReelsheetError):
        notes = read_notes(folder.journal)
        if "manifest" in notes:
            return path_of(notes["manifest"]), notes.get("series") or None
    known = next((one for one in journals_in(book, folder.root) if one.manifest), None)
    if known is not None:
        return path_of(known.manifest), None
    return manifest_in(folder), None


def hold_unguarded(
    plan: Plan, refusal: UsageError | None, selection: Selection, tell: Callable[[str], None]
) -> Plan:
    """Return a plan that leaves rows alone unless --pay-again names them: they may be bought near.

    Without any name the run was refused.

    Args:
        plan: The plan.
        refusal: Why nothing may be sent, unless a person says so; None if it may.
        selection: What the run is asked to do.
        tell: Shows a line to whoever pays.

    """
    if refusal is None or not plan.of(Action.SUBMIT):
        return plan
    tell(refusal.message.replace("; nothing was sent.", "; --pay-again says to go on."))
    if selection.pay_again_all:
        return plan
    left = {step.key for step in plan.of(Action.SUBMIT)} - selection.pay_again
    return plan.without(left, "may be bought already: a folder near is unread")
