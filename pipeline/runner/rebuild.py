"""A journal is restored from all that remembers what was sent from its output folder.

What that is, `memory` says. The provider is asked for what is open, and for what may have been sent
without a trace: by the task's id, else by the reference of the attempt, both free.

Nothing is written over: the file that was there is moved aside.

Tested in tests/system/test_lost_journals.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

from pipeline.account.opening import open_account
from pipeline.account.reconcile import Reconciliation, Standing, after, reconcile
from pipeline.account.recovery import ASKS_FIRST
from pipeline.account.submission import Submission
from pipeline.disk.failures import raise_store_errors
from pipeline.disk.folder import OutputFolder
from pipeline.disk.lock import run_lock
from pipeline.disk.openfile import is_gone
from pipeline.errors import NoSuchTask, ProviderError, ReelsheetError, Unauthorized, UsageError
from pipeline.journal.copies import back_up
from pipeline.journal.decisions import copy_decisions, copy_note
from pipeline.journal.handovers import copy_handovers
from pipeline.journal.journal import Journal
from pipeline.lifecycle import PAID
from pipeline.manifest.earlier import NOTE
from pipeline.manifest.wording import count
from pipeline.model import Phase, State, TaskView
from pipeline.reader.content import explain_missing
from pipeline.runner.checking import check_target
from pipeline.runner.forgotten import book_of
from pipeline.runner.memory import Memory, OldJournal, remember
from pipeline.runner.namesakes import OutOfPlace
from pipeline.runner.piloting import PILOT_NOTE
from pipeline.runner.rehearsal import open_provider
from pipeline.runner.remains import explain_ours
from pipeline.runner.target import Target, refuse_another
from pipeline.toapis.client import ToAPIs

_LOOK_UPS_AT_ONCE = 8
_BESIDE = ("", "-wal", "-shm", "-journal")
"""The files of a journal, by what their names end with."""
_PILOT_LOST = (
    ". Nothing tells any more which rows are the pilot: the next run chooses them anew, those that "
    "are made first, and sends nothing else; the gate opens when they are judged"
)


def rebuild(
    target: Target, agree: Callable[[Sequence[str]], bool], tell: Callable[[str], None]
) -> str | None:
    """Restore the journal of a manifest; return what was done, None if it was not agreed to.

    Args:
        target: The manifest with its configuration and its output folder.
        agree: Is shown what would be done, and says whether it is.
        tell: Shows a line that matters to whoever pays.

    Raises:
        UsageError: There is nothing to restore, or it is a rehearsal's.
        StoreError: The folder cannot be used.
        RunLocked: A run works in the folder.

    """
    folder = target.folder
    if not isinstance(target.refusal, OutOfPlace):
        refuse_another(target)
    if is_gone(folder.root) and is_gone(target.manifest):
        raise explain_missing(target.manifest)
    if target.config.rehearses:
        raise UsageError(
            "the journal of a rehearsal is not restored: nothing was paid for.",
            action=f"Delete {folder.root} and rehearse again.",
        )
    if is_gone(folder.root):
        raise _nothing_sent(target)
    refusal = explain_ours(folder, target.invocation, book_of(target))
    if refusal is not None:
        raise refusal
    with run_lock(folder.lock, target.manifest):
        said = _restore(target, agree, tell)
        if said is not None and not is_gone(folder.journal):
            _tell_the_book(target, tell)
        return said


def _restore(
    target: Target, agree: Callable[[Sequence[str]], bool], tell: Callable[[str], None]
) -> str | None:
    folder = target.folder
    checked = check_target(target)
    old, memory, knows_id = remember(target, checked)
    memory.find_videos(tell)
    if knows_id or memory.submissions:
        asyncio.run(_look_up(target, memory, knows_id=knows_id, tell=tell))
    now = time.time()
    found = reconcile(
        old.attempts, memory.submissions.values(), Standing.OTHER_BOOK, cut_off=False, now=now
    )
    settles = old.doubtful and not target.config.api.client_reference
    if old.whole and not found.events and not settles:
        return f"{folder.journal} knows everything that is remembered: nothing to restore"
    if not (memory.submissions or old.whole):
        if not old.damaged:
            raise _nothing_sent(target)
        return _put_aside(folder, agree)
    if not agree(_describe(folder, old, memory, found)):
        return None
    return _write(target, old, memory, found, now)


def _tell_the_book(target: Target, tell: Callable[[str], None]) -> None:
    """Enter what journals near know into the account's book; what fails here the next run does."""
    try:
        with open_account(target.config, os.environ, tell) as account:
            if account is not None:
                outputs = Path(target.config.output.dir)
                account.take_over(outputs, target.folder.root, {target.manifest})
    except ReelsheetError as error:
        tell(f"The account's book does not know of it yet, the next run tells it: {error.message}")


def _nothing_sent(target: Target) -> UsageError:
    action = "Check the manifest's name, provider and --out."
    if not target.config.api.client_reference:
        action += (
            " Without api.client_reference nothing can be looked up: if a run was under way, see "
            "in your ToAPIs account what was made, and submit the other rows by their keys: "
            f"{target.invocation.command('run', '--pay-again')} KEY,…."
        )
    return UsageError(
        f"nothing remembers a row that was sent from {target.folder.root}: there is nothing to "
        "restore.",
        action=action,
    )


# What the provider knows.


async def _look_up(
    target: Target, memory: Memory, *, knows_id: bool, tell: Callable[[str], None]
) -> None:
    """Ask the provider for what is open, and for what may have been sent without a trace."""
    known = [one for one in memory.submissions.values() if one.state in PAID]
    possible = []
    if knows_id and target.config.api.client_reference:
        possible = [memory.submission_of(one) for one in memory.possible()]
    if not target.config.api.client_reference:
        known = [one for one in known if one.task_id is not None]
    places = asyncio.Semaphore(_LOOK_UPS_AT_ONCE)
    failures: list[ProviderError] = []
    async with open_provider(target.config, target.folder.emulator) as api:

        async def ask(one: Submission) -> Submission | None:
            async with places:
                try:
                    return await _asked(api, one)
                except Unauthorized:
                    raise
                except ProviderError as error:
                    failures.append(error)
                    return None

        answers = await asyncio.gather(*map(ask, (*known, *possible)))
    for one in answers[: len(known)]:
        if one is not None:
            memory.submissions[one.reference] = one
    memory.add("the provider", (one for one in answers[len(known) :] if one is not None))
    if failures:
        tell(
            f"{count(len(failures), 'look-up')} had no answer ({failures[0].message}): the next "
            "run asks again before anything is sent."
        )


async def _asked(api: ToAPIs, one: Submission) -> Submission | None:
    try:
        view = await api.query(one.task_id or one.reference)
    except NoSuchTask:
        return None
    if view.says_nothing:
        return None
    return _as_shown(one, view)


def _as_shown(one: Submission, view: TaskView) -> Submission:
    failed = view.phase is Phase.FAILED
    return replace(
        one,
        state=State.FAILED if failed else State.RUNNING,
        task_id=view.task_id or one.task_id or one.reference,
        submitted_at=one.submitted_at or view.created_at,
        finished_at=view.completed_at if failed else None,
    )


# What is done.


def _describe(
    folder: OutputFolder, old: OldJournal, memory: Memory, found: Reconciliation
) -> list[str]:
    states = Counter(entry.state.value for entry in after(old.attempts, found).values())
    rows = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    if is_gone(folder.journal):
        what = (
            f"There is no journal {folder.journal}, which notes what was sent and paid for. "
            "It can be made again:"
        )
    elif old.whole:
        what = f"The journal {folder.journal} does not know all that was sent and paid for:"
    else:
        what = f"The journal {folder.journal} is damaged, or knows nothing of these rows:"
    return [
        what,
        *(
            f"  {count(number, 'submission')} known from {source}"
            for source, number in memory.told_by.items()
        ),
        f"It would hold {count(states.total(), 'row')}: {rows}.",
    ]


def _write(
    target: Target, old: OldJournal, memory: Memory, found: Reconciliation, now: float
) -> str:
    folder = target.folder
    new = folder.root / "journal.rebuilt.db"
    with raise_store_errors(new):
        for end in _BESIDE:
            new.with_name(new.name + end).unlink(missing_ok=True)
    knows_pilot = old.whole
    if old.whole:
        back_up(folder.journal, new)
    with contextlib.closing(Journal(new)) as journal:
        if not old.whole:
            journal.take_over_id(memory.journal_id)
        journal.claim(target.manifest, adopt=True)
        journal.note({NOTE: memory.checked.reading.note()})
        run_id = f"rebuild-{token_hex(6)}"
        journal.begin_run(run_id, "journal rebuild", now)
        for event, at in found.events:
            journal.append([event], at)
        # Without references nothing can be looked up: that was for the one who runs this to do.
        journal.note({ASKS_FIRST: str(now) if target.config.api.client_reference else ""})
        journal.end_run(run_id, now, 0)
    if not old.whole:
        copy_decisions(folder.journal, new)
        copy_handovers(folder.journal, new)
        knows_pilot = copy_note(folder.journal, new, PILOT_NOTE)
    aside = _move_aside(folder.journal)
    with raise_store_errors(folder.journal):
        new.rename(folder.journal)
    kept = f"; the file that was there is {aside}" if aside else ""
    lost = "" if knows_pilot or not target.config.pilot.gate else _PILOT_LOST
    return f"restored {folder.journal}{kept}{lost}"


def _put_aside(folder: OutputFolder, agree: Callable[[Sequence[str]], bool]) -> str | None:
    """Make way for a new journal where one cannot be used and nothing remembers what was sent."""
    what = "cannot be read" if folder.journal.stat().st_size else "is empty"
    lines = (
        f"The journal {folder.journal} {what}.",
        f"Nothing else remembers a row that was sent from {folder.root}.",
        "It would be kept beside under another name, and the next run would begin a new one.",
        "Rows that were sent from there all the same would be paid for again.",
    )
    if not agree(lines):
        return None
    aside = _move_aside(folder.journal)
    return f"nothing to restore: {folder.journal} is {aside} now, and the next run begins anew"


def _move_aside(journal: Path) -> Path | None:
    """Give a journal another name, and the files beside it; None if there is no journal.

    What is left of one that is gone must not lie beside a new one: SQLite would take it for its.
    """
    there = not is_gone(journal)
    aside = journal.with_name(time.strftime("journal.before-%Y%m%d-%H%M%SZ.db", time.gmtime()))
    with raise_store_errors(journal):
        for end in reversed(_BESIDE):  # the log first: it is nothing without its journal
            file = journal.with_name(journal.name + end)
            if not is_gone(file):
                file.rename(aside.with_name(aside.name + end))
    return aside if there else None
