"""A person settles submissions whose answer was lost, one by one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from pipeline.account.opening import OpenAccount, open_account
from pipeline.account.reconcile import Standing, reconcile
from pipeline.account.recovery import asks_first, note_unsent
from pipeline.checker.check import CheckedManifest
from pipeline.disk.lock import run_lock
from pipeline.disk.openfile import is_gone
from pipeline.errors import ManifestError, NoSuchTask, StoreError, UsageError
from pipeline.events import ClosedUnsent, Event, Found, Interrupted, TaskLost
from pipeline.journal.journal import Journal
from pipeline.journal.ownership import find_renamed, read_notes
from pipeline.journal.reading import read_entries, read_first_events, read_runs
from pipeline.manifest.invocation import of_row
from pipeline.model import Entry, State, TaskView, shown_key
from pipeline.planner.plan import ENDED_BADLY
from pipeline.planner.planner import known_rows, renamed_rows
from pipeline.runner.checking import check_target
from pipeline.runner.doubts import UNSETTLED, Doubt, has_task, list_doubts
from pipeline.runner.forgotten import explain_no_journal
from pipeline.runner.memory import remember
from pipeline.runner.rehearsal import open_provider
from pipeline.runner.target import Target

_TASK_MAY_GO = (State.RUNNING, State.MISSING)
"""The states in which a row can part from a task that was found for it."""


def open_doubts(target: Target, checked: CheckedManifest | None) -> list[Doubt]:
    """Return the submissions to settle in an output folder; None: the manifest cannot be read."""
    journal = target.folder.journal
    runs = read_runs(journal)
    if checked is None:
        return list_doubts(read_entries(journal).values(), runs, {})
    rows = zip(checked.keys, checked.manifest.rows, strict=True)
    entries, _ = known_rows(checked, target.folder)
    return list_doubts(entries.values(), runs, {key: row.number for key, row in rows})


def refuse_renamed(target: Target) -> None:
    """Raise UsageError if the rows of a manifest that is gone are kept under another name now."""
    manifest = target.invocation.manifest
    for there in (target.folder, *target.folder.neighbours()):
        now = None
        with contextlib.suppress(StoreError, UsageError):
            now = find_renamed(manifest, there.journal)
        if now is not None:
            command = replace(target.invocation, manifest=now).command("resolve", "--all")
            raise UsageError(
                f"{manifest} was renamed to {now}: its rows are kept under that name, in "
                f"{there.root}.",
                action=f"List those to settle with: {command}.",
            )


def key_in_journal(target: Target, key: str) -> str:
    """Return the key under which the journal knows a row that may have been renamed since.

    The key that the row has in the manifest counts before one that it had earlier. A key that
    neither knows is returned as it is. Raises ConfigError, StoreError.
    """
    entries = read_entries(target.folder.journal)
    renamed: dict[str, str] = {}
    with contextlib.suppress(ManifestError):
        renamed = renamed_rows(
            check_target(target),
            entries,
            target.folder,
            lambda: read_first_events(target.folder.journal),
        )
    typed = {shown_key(now): earlier for now, earlier in renamed.items()}
    if key in typed or key in entries:
        return typed.get(key, key)
    return next((known for known in entries if shown_key(known) == key), key)


def adopt_task(target: Target, key: str, task_id: str, *, adopt: bool) -> str:
    """Tie a row to a task that the provider knows, and return a sentence that says so.

    Args:
        target: The manifest, its output folder, and which provider to ask.
        key: The key of the row.
        task_id: The task at the provider.
        adopt: Take over the journal of a manifest that was moved.

    A task that was found before, by a look-up or a person, gives way to this one.

    Raises:
        UsageError: The row is not in doubt or missing, the provider does not know the task, or the
            task belongs to another row.

    """
    withheld = _is_withheld(target, key)
    with open_journal(target, adopt=adopt, followed=not withheld) as (journal, _):
        entries = journal.entries()
        entry = None if withheld else _open_entry(target, journal, entries, key)
        try:
            view = asyncio.run(_ask(target, task_id))
        except NoSuchTask as error:
            raise UsageError(
                f"the provider does not know the task {task_id}: {error.message}",
                action="Look the id up in your ToAPIs account.",
            ) from error
        if view.says_nothing:
            raise UsageError(
                f"the provider's answer says nothing of the task {task_id}: nothing was changed.",
                action="Try again later, or look the id up in your ToAPIs account.",
            )
        task = view.task_id or task_id
        _refuse_owned(target, entries, key, {task_id, task})
        if entry is None:
            _take_up(target, journal, key, task, view)
        elif entry.task_id != task or entry.state is not State.RUNNING:
            append_event(journal, entry, Found(key, entry.attempt.number, task))
    earlier = entry.task_id if entry is not None and has_task(entry) else None
    instead = f", in place of {earlier}" if earlier not in {None, task} else ""
    return f"{shown_key(key)}: task {task} is {view.phase}{instead}; the next run takes it up."


def take_back(target: Target, key: str, *, adopt: bool) -> str:
    """Part a row from a task that was given to it by mistake, and return a sentence that says so.

    The row is to be settled again, and counts as paid for as before: nothing sends it by itself.
    Until then its own reference stands in the place of its task, so that look-ups go on.

    Args:
        target: The manifest and its output folder.
        key: The key of the row.
        adopt: Take over the journal of a manifest that was moved.

    Raises:
        UsageError: The row has no such task, or its video came.

    """
    with open_journal(target, adopt=adopt) as (journal, _):
        entry = journal.entries().get(key)
        may = entry is not None and entry.state in _TASK_MAY_GO and has_task(entry)
        if entry is None or not may or not journal.was_found(entry):
            raise UsageError(
                f"the row {shown_key(key)!r} is {entry.state if entry else 'not known'}: there is "
                "no task that could be taken back.",
                action="--undo takes back what --task-id or a look-up has found, until the video "
                "is there. What the provider itself gave a row stays with it.",
            )
        number, task = entry.attempt.number, entry.task_id
        why = f"task {task} was taken back by hand"
        events: list[Event] = [
            Found(key, number, entry.attempt.client_business_id),
            TaskLost(key, number, why),
        ]
        if entry.state is State.RUNNING:
            events.insert(0, TaskLost(key, number, why))
        journal.append(events, time.time()).result()
    shown = shown_key(key)
    return (
        f"{shown}: task {task} is free again, and the row is to be settled once more; it is not "
        "sent by itself. To have the provider asked for it, free: "
        f"{target.invocation.command('resolve', '--look-up')}"
    )


def _is_withheld(target: Target, key: str) -> bool:
    """Return whether no run sends a row, as the journal may have forgotten that it was sent."""
    if target.config.rehearses or not asks_first(read_notes(target.folder.journal)):
        return False
    entry = read_entries(target.folder.journal).get(key)
    return entry is None or entry.state is State.WAITING or entry.state in ENDED_BADLY


def _take_up(target: Target, journal: Journal, key: str, task: str, view: TaskView) -> None:
    """Note a submission that the journal has forgotten; the next run tells the book.

    First as one in doubt, so that the task is known as one that was found.
    """
    old, memory, _ = remember(target, check_target(target))
    trace = next((one for one in memory.possible() if one.key == key), None)
    if trace is None:
        raise _no_such_row(target, key)
    now = time.time()
    sent = replace(
        memory.submission_of(trace),
        state=State.IN_DOUBT,
        task_id=None,
        submitted_at=view.created_at or now,
    )
    found = reconcile(old.attempts, [sent], Standing.OTHER_BOOK, cut_off=False, now=now)
    for event, at in (*found.events, (Found(key, sent.number, task), now)):
        journal.append([event], at).result()


def _refuse_unknown_row(target: Target, key: str) -> None:
    if key not in check_target(target).keys:
        raise _no_such_row(target, key)


def _no_such_row(target: Target, key: str) -> UsageError:
    return UsageError(
        f"{target.manifest} has no row {shown_key(key)!r} that can be sent.",
        action="Check the key.",
    )


def _refuse_owned(
    target: Target, entries: Mapping[str, Entry], key: str, task_ids: set[str | None]
) -> None:
    owners = [one for one in entries.values() if one.task_id in task_ids and one.key != key]
    if not owners:
        return
    owner = owners[0]
    if owner.state in _TASK_MAY_GO:
        way = "take it back from there first"
        command = target.invocation.command("resolve", "--undo", key=shown_key(owner.key))
    else:
        way = "that row has its video; a new take, which is paid for, makes the task free"
        command = target.invocation.command("run", *of_row("--redo", shown_key(owner.key)))
    raise UsageError(
        f"this task belongs to the row {shown_key(owner.key)!r}: two products would get its video.",
        action="Look the id up in your ToAPIs account once more. If it is this row's and was given "
        f"to the other by mistake, {way}: {command}.",
    )


def close_unsent(target: Target, key: str, *, adopt: bool) -> str:
    """Close an attempt that was never accepted, and return a sentence that says so.

    Args:
        target: The manifest and its output folder.
        key: The key of the row.
        adopt: Take over the journal of a manifest that was moved.

    Raises:
        UsageError: The row is not in doubt or missing.

    """
    withheld = _is_withheld(target, key)
    with open_journal(target, adopt=adopt, followed=not withheld) as (journal, _):
        if withheld:
            _refuse_unknown_row(target, key)
            note_unsent(journal, key)
            return f"{shown_key(key)}: noted as not sent; the next run submits it."
        entry = _open_entry(target, journal, journal.entries(), key, moves=False)
        append_event(journal, entry, ClosedUnsent(key, entry.attempt.number))
    number = entry.attempt.number
    return (
        f"{shown_key(key)}: attempt {number} is closed; the next run submits it as attempt "
        f"{number + 1}."
    )


@contextlib.contextmanager
def open_journal(
    target: Target, *, adopt: bool, followed: bool = True
) -> Iterator[tuple[Journal, OpenAccount | None]]:
    """Open the journal of a manifest for writing, and the account's book; None if there is none.

    Args:
        target: The manifest and its output folder.
        adopt: Take over the journal of a manifest that was moved.
        followed: Whether the book learns at once of what is written.

    Raises:
        UsageError: There is no journal.
        RunLocked: A run works in the folder.

    """
    folder = target.folder
    refuse_renamed(target)
    if is_gone(folder.journal):
        raise explain_no_journal(target)
    with (
        run_lock(folder.lock, target.manifest),
        open_account(target.config, os.environ, _pass_over) as account,
        contextlib.closing(Journal(folder.journal)) as journal,
    ):
        journal.claim(
            target.manifest,
            adopt=adopt or target.moved,
            series=target.config.manifest.series,
        )
        if account is not None and followed:
            account.follow(journal, folder.root, target.invocation, time.time())
        yield journal, account


def _pass_over(_: str) -> None:
    """Say nothing of the book: every run does."""


def _open_entry(
    target: Target,
    journal: Journal,
    entries: Mapping[str, Entry],
    key: str,
    *,
    moves: bool = True,
) -> Entry:
    """Return the row to settle; with `moves` also one that is to have another task."""
    entry = entries.get(key)
    if entry is not None and entry.state in UNSETTLED:
        return entry
    found = entry is not None and entry.state is State.RUNNING and journal.was_found(entry)
    if entry is not None and found and moves:
        return entry
    task = entry.task_id if entry is not None and found else None
    others = sorted(shown_key(one.key) for one in entries.values() if one.state in UNSETTLED)
    undo = target.invocation.command("resolve", "--undo", key=shown_key(key))
    raise UsageError(
        f"the row {shown_key(key)!r} is {entry.state if entry else 'not known'}: there is nothing "
        "to settle.",
        action=f"Rows to settle: {', '.join(others) or 'none'}."
        + (f" To take its task {task} back first: {undo}." if task else ""),
    )


def append_event(journal: Journal, entry: Entry, event: Event) -> None:
    """Settle a submission by an event of its row.

    Args:
        journal: The journal, open for writing.
        entry: The row.
        event: What settles it.

    """
    events = [event]
    if entry.state is State.SUBMITTING:
        events.insert(0, Interrupted(entry.key, entry.attempt.number))
    elif entry.state is State.RUNNING and isinstance(event, Found):
        events.insert(0, TaskLost(entry.key, entry.attempt.number, "it was given another task"))
    journal.append(events, time.time()).result()


async def _ask(target: Target, task_id: str) -> TaskView:
    async with open_provider(target.config, target.folder.emulator) as api:
        return await api.query(task_id)
