"""Whether a journal may have forgotten what was sent, by the files beside it, and what then.

Where they tell of a later run, no run may begin before the journal is restored. Where they know
more of the very run that the journal takes for its last, it is a copy from the middle of that run:
every row is then looked up before it is sent.

Tested in tests/system/test_lost_journals.py and tests/runner/test_forgotten.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path

from pipeline.account.place import places_of
from pipeline.account.reading import tasks_among
from pipeline.account.reconcile import Reconciliation
from pipeline.account.recovery import known_before
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.engine.rows import Reach, Stop
from pipeline.errors import ExitCode, UsageError
from pipeline.events import Intended, Reused
from pipeline.journal.database import refuse_lack_of_runs
from pipeline.journal.logreading import intents, logged
from pipeline.journal.reading import read_runs
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.wording import agree, count
from pipeline.model import Manifest, State
from pipeline.reader.content import explain_missing
from pipeline.runner.remains import (
    explain_ours,
    last_runs,
    read_results,
    second_of,
    sent_in_log,
    sign_of_submissions,
    summary_of,
    tasks_in,
    traces_in_log,
)
from pipeline.runner.runlog import RunLog
from pipeline.runner.target import Target
from pipeline.writer.advice import ASK_THE_ACCOUNT


def lost_journal(target: Target) -> UsageError | None:
    """Return why a live run would be refused whose journal lost rows; None if it would not be.

    Raises StoreError.
    """
    if target.config.rehearses:
        return None
    return why_forgotten(target.folder, target.invocation, book_of(target))


def explain_no_journal(target: Target) -> UsageError:
    """Return why nothing can be said of a journal that is gone, and what to do.

    Raises StoreError.
    """
    folder = target.folder
    if target.manifest.is_dir():
        return UsageError(f"{target.manifest} is a folder.", action="Name a table in it.")
    book = None if target.config.rehearses else book_of(target)
    known = known_before(folder.journal, book, folder.root)
    if known.references or sign_of_submissions(folder) is not None:
        return UsageError(
            f"there is no journal in {folder.root}, although rows were sent from there.",
            action=f"Restore it with: {target.invocation.rebuild(folder.root)}",
        )
    if is_gone(target.manifest):
        return explain_missing(target.manifest)
    return UsageError(
        f"there is no journal in {folder.root}: no run has ever sent a row from there.",
        action="Check the manifest's name, provider and --out. Or make its videos first: "
        f"{target.invocation.command('run')}",
    )


def book_of(target: Target) -> Path | None:
    """Return the file of the book that a live run of a manifest would use; None if none is."""
    return places_of(target.config, os.environ).found


def why_forgotten(folder: OutputFolder, typed: Invocation, book: Path | None) -> UsageError | None:
    """Return why no run may begin in an output folder; None if nothing sent there is forgotten.

    The files beside the journal are asked for the last run. Only if the journal does not know that
    run are they read whole. Nothing is made or written, so the same is found at every call.

    Args:
        folder: the output folder.
        typed: what the user named for the run.
        book: the file of the account's book; None if there is none.

    Raises:
        StoreError: the journal or the book cannot be read.

    """
    refuse_lack_of_runs(folder.journal)
    refusal = explain_ours(folder, typed, book)
    if refusal is not None:
        return refusal
    runs = read_runs(folder.journal)
    ids, since = {one.run_id for one in runs}, max((one.started_at for one in runs), default=0.0)
    if runs and last_runs(folder) <= ids:
        return None
    known = known_before(folder.journal, book, folder.root)
    if _log_knows_more(folder.log, known.references, ids, since):
        return _forgotten(folder, typed, folder.log, gone=not runs)
    if not runs and not known.references:
        sign = None if _holds_copies(folder, book) else sign_of_submissions(folder)
    else:
        sign = _results_that_know_more(folder, known.tasks, book, since)
    return None if sign is None else _forgotten(folder, typed, sign, gone=not runs)


def refuse_forgotten(folder: OutputFolder, typed: Invocation, book: Path | None) -> None:
    """Raise UsageError, StoreError if no run may begin in an output folder; see `why_forgotten`.

    Args:
        folder: the output folder.
        typed: what the user named for the run.
        book: the file of the account's book; None if there is none.

    """
    refusal = why_forgotten(folder, typed, book)
    if refusal is not None:
        raise refusal


def is_copy_of_a_moment(folder: OutputFolder, book: Path | None) -> bool:
    """Return whether a journal was copied in the middle of its last run and put back later.

    Then the files beside it know more of that run, and of it alone, than journal and book.

    Args:
        folder: the output folder.
        book: the file of the account's book; None if there is none.

    Raises:
        StoreError: the journal or the book cannot be read.

    """
    runs = read_runs(folder.journal)
    if not runs or runs[-1].finished_at is not None:
        return False
    run_id, since = runs[-1].run_id, runs[-1].started_at
    known = known_before(folder.journal, book, folder.root)
    if any(line.get("client_business_id") not in known.references for line in intents(folder.log)):
        lines = (line for line in logged(folder.log) if line.get("run_id") == run_id)
        if sent_in_log(lines) - known.references:
            return True
    told = summary_of(folder)
    if told.get("run_id") == run_id and _whole(told.get("submitted")) > known.sent_since(since):
        return True
    results = read_results(folder, since=since)
    return results is not None and _tell_more(results, known.tasks, book)


def _whole(number: object) -> int:
    return number if isinstance(number, int) else 0


def _log_knows_more(
    log: Path, references: AbstractSet[str], ids: AbstractSet[str], since: float
) -> bool:
    """Return whether a log tells of rows that a run sent later, and that nobody else knows."""
    if not {line.get("client_business_id") for line in intents(log)} - references:
        return False
    later = (
        line
        for line in logged(log)
        if line.get("run_id") not in ids and second_of(line.get("time")) > since
    )
    return any(
        one.reference not in references and one.state is not State.WAITING
        for one in traces_in_log(later)
    )


def _results_that_know_more(
    folder: OutputFolder, tasks: AbstractSet[str | None], book: Path | None, since: float
) -> Path | None:
    """Return the results of a later run, if they tell of a task that nobody else knows."""
    if second_of(summary_of(folder).get("finished_at")) <= since:
        return None
    results = read_results(folder)
    return results.path if results is not None and _tell_more(results, tasks, book) else None


def _holds_copies(folder: OutputFolder, book: Path | None) -> bool:
    """Return whether all that was ever sent here was bought for other folders, as the book knows.

    The log has to be there: it would tell of what was sent after the results were written.
    """
    results = read_results(folder) if folder.logs else None
    made = set() if results is None else tasks_in(results)
    return bool(made) and book is not None and made <= tasks_among(book, made)


def _tell_more(results: Manifest, tasks: AbstractSet[str | None], book: Path | None) -> bool:
    """Return whether results tell of a task that nobody else knows."""
    unknown = tasks_in(results) - tasks
    if unknown and book is not None:
        unknown -= tasks_among(book, unknown)  # videos of other manifests are reused
    return bool(unknown)


def _forgotten(folder: OutputFolder, typed: Invocation, sign: Path, *, gone: bool) -> UsageError:
    what = "is gone" if gone else "is an older copy"
    return UsageError(
        f"the journal of {typed.manifest} in {folder.root} {what}: {sign} tells of rows that were "
        "sent and that neither it nor a book knows. They would be sent and paid for again; "
        "nothing was sent.",
        action=f"Restore it with: {typed.rebuild(folder.root)}. To start over and pay "
        "again, name another output folder with --out.",
    )


def tell_recovery(
    recovery: Reconciliation, manifest: Path, tell: Callable[[str], None], log: RunLog
) -> None:
    """Say what a journal got back.

    Args:
        recovery: what was found before the run began.
        manifest: the manifest of the run.
        tell: shows a line to whoever pays.
        log: the log of the run.

    """
    begun = {
        event.attempt.client_business_id
        for event, _ in recovery.events
        if isinstance(event, (Intended, Reused))
    }
    unknown = sum(one.reference in begun for one in recovery.adopted)
    behind = len(recovery.adopted) - unknown
    if unknown:
        told = (
            f"The journal of {manifest} did not know of {count(unknown, 'submission')} that the "
            f"account's book remembers. {agree(unknown, 'It is', 'They are')} taken over and not "
            "sent again."
        )
        tell(told)
        log.write("recovery", message=told)
    if behind:
        told = (
            f"The account's book knew more of {count(behind, 'submission')} than the journal of "
            f"{manifest}, whose last run was cut off or which is an older copy. That is taken over."
        )
        tell(told)
        log.write("recovery", message=told)


def tell_look_ups(manifest: Path, tell: Callable[[str], None], log: RunLog) -> None:
    """Say that every row is looked up before it is sent.

    Args:
        manifest: the manifest of the run.
        tell: shows a line to whoever pays.
        log: the log of the run.

    """
    told = (
        f"The journal of {manifest} may have forgotten what was sent: every row is looked up by "
        "its reference before it is sent, which is free."
    )
    tell(told)
    log.write("recovery", message=told)


def stop_for_forgotten(typed: Invocation, folder: OutputFolder, *, references: bool) -> Stop:
    """Stop submitting: what may have been sent cannot be looked up.

    Args:
        typed: what the user named for the run.
        folder: its output folder.
        references: whether submissions carry references; then look-ups by them found nothing at
            all, not even tasks that are known.

    """
    forgotten = "the journal has lost a part of what was sent"
    if references:
        return Stop(
            ExitCode.IN_DOUBT,
            f"{forgotten}, and ToAPIs finds none of this account's tasks by its reference. So "
            "nobody can tell whether the other rows were sent already: they were not sent now",
            Reach.SUBMITTING,
            f"{typed.complete(ASK_THE_ACCOUNT.action)} Once ToAPIs finds a row by its reference, "
            "the others go on by themselves.",
        )
    return Stop(
        ExitCode.IN_DOUBT,
        f"{forgotten}, and without api.client_reference nothing can be looked up: rows that may "
        "have been sent already were not sent now",
        Reach.SUBMITTING,
        f"{typed.complete(ASK_THE_ACCOUNT.action)} To have the journal trusted again: "
        f"{typed.rebuild(folder.root)}.",
    )
