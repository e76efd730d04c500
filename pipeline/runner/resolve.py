"""A person settles submissions whose answer was lost, one by one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from pipeline.account.opening import open_account
from pipeline.account.reconcile import Standing, reconcile
from pipeline.account.recovery import asks_first, note_unsent
from pipeline.checker.check import CheckedManifest
from pipeline.disk.lock import run_lock
from pipeline.disk.openfile import is_gone
from pipeline.errors import ManifestError, NoSuchTask, StoreError, UsageError
from pipeline.events import ClosedUnsent, Event, Found, Interrupted
from pipeline.journal.journal import Journal
from pipeline.journal.ownership import find_renamed, read_notes
from pipeline.journal.reading import RunRecord, read_entries, read_first_events, read_runs
from pipeline.model import Entry, State, TaskView, shown_key
from pipeline.planner.plan import ENDED_BADLY
from pipeline.planner.planner import known_rows, renamed_rows
from pipeline.runner.memory import remember
from pipeline.runner.rehearsal import open_provider
from pipeline.runner.target import Target, check_target
from pipeline.writer.outcome import iso

_OPEN = (State.SUBMITTING, State.IN_DOUBT, State.MISSING)
"""The states that a person can settle. Between runs `submitting` means that a run was cut off."""

_PROMPT = 100


@dataclass(frozen=True, slots=True)
class Doubt:
    """A submission to settle. Times are UTC in ISO 8601, money is in the budget's currency.

    `row` is None if the row left the manifest. `balance_difference` is how much the account's
    balance fell during the run that made the submission; compared with the price of the run's other
    videos it tells whether this submission was paid for.
    """

    key: str
    row: int | None
    state: str
    submitted_at: str | None
    attempt: int
    client_business_id: str
    task_id: str | None
    prompt: str
    video_seconds: int
    cost: float | None
    what: str | None
    run_id: str | None
    balance_before: float | None
    balance_after: float | None
    balance_difference: float | None


def list_doubts(
    entries: Iterable[Entry], runs: Sequence[RunRecord], rows: Mapping[str, int]
) -> list[Doubt]:
    """Return the submissions to settle, in the order of their rows.

    Args:
        entries: What the journal knows of the rows.
        runs: The runs of the journal, the earliest first.
        rows: The rows' physical numbers, by key.

    """
    starts = [run.started_at for run in runs]
    found = []
    for entry in entries:
        if entry.state in _OPEN:
            index = bisect_right(starts, entry.submitted_at or -inf)
            found.append(_doubt(entry, runs[max(0, index - 1) :] if index else (), rows))
    return sorted(found, key=lambda one: (inf if one.row is None else one.row, one.key))


def _doubt(entry: Entry, runs: Sequence[RunRecord], rows: Mapping[str, int]) -> Doubt:
    """Describe a submission that the first of `runs` made; later runs follow it."""
    attempt, request = entry.attempt, entry.attempt.request
    before, after = _balances(runs)
    return Doubt(
        key=shown_key(entry.key),
        row=rows.get(entry.key),
        state=(State.IN_DOUBT if entry.state is State.SUBMITTING else entry.state).value,
        submitted_at=iso(entry.submitted_at),
        attempt=attempt.number,
        client_business_id=attempt.client_business_id,
        task_id=entry.task_id,
        prompt=_shorten(request.prompt),
        video_seconds=request.duration,
        cost=attempt.cost,
        what=entry.error_message,
        run_id=runs[0].run_id if runs else None,
        balance_before=before,
        balance_after=after,
        balance_difference=None if before is None or after is None else round(before - after, 6),
    )


def _balances(runs: Sequence[RunRecord]) -> tuple[float | None, float | None]:
    if not runs:
        return None, None
    # A run that was cut off did not ask at its end: the next run found what it left.
    later = (run.balance_before for run in runs[1:] if run.balance_before is not None)
    after = runs[0].balance_after
    return runs[0].balance_before, next(later, None) if after is None else after


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _PROMPT else f"{line[: _PROMPT - 1]}…"


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

    Raises:
        UsageError: The row is not in doubt or missing, the provider does not know the task, or the
            task belongs to another row.

    """
    withheld = _is_withheld(target, key)
    with _open_journal(target, adopt=adopt, followed=not withheld) as journal:
        entries = journal.entries()
        entry = None if withheld else _open_entry(entries, key)
        try:
            view = asyncio.run(_ask(target, task_id))
        except NoSuchTask as error:
            raise UsageError(
                f"the provider does not know the task {task_id}: {error.message}",
                action="Look the id up in your ToAPIs account.",
            ) from error
        task = view.task_id or task_id
        _refuse_owned(entries, key, {task_id, task})
        if entry is None:
            _take_up(target, journal, key, task, view)
        else:
            _append(journal, entry, Found(key, entry.attempt.number, task))
    return f"{shown_key(key)}: task {task} is {view.phase}; the next run takes it up."


def _is_withheld(target: Target, key: str) -> bool:
    """Return whether no run sends a row, as the journal may have forgotten that it was sent."""
    if target.config.rehearses or not asks_first(read_notes(target.folder.journal)):
        return False
    entry = read_entries(target.folder.journal).get(key)
    return entry is None or entry.state is State.WAITING or entry.state in ENDED_BADLY


def _take_up(target: Target, journal: Journal, key: str, task: str, view: TaskView) -> None:
    """Note a submission that the journal has forgotten; the next run tells the book."""
    old, memory, _ = remember(target, check_target(target))
    trace = next((one for one in memory.possible() if one.key == key), None)
    if trace is None:
        raise _no_such_row(target, key)
    now = time.time()
    sent = replace(
        memory.submission_of(trace),
        state=State.RUNNING,
        task_id=task,
        submitted_at=view.created_at or now,
    )
    found = reconcile(old.attempts, [sent], Standing.OTHER_BOOK, cut_off=False, now=now)
    for event, at in found.events:
        journal.append([event], at).result()


def _refuse_unknown_row(target: Target, key: str) -> None:
    if key not in check_target(target).keys:
        raise _no_such_row(target, key)


def _no_such_row(target: Target, key: str) -> UsageError:
    return UsageError(
        f"{target.manifest} has no row {shown_key(key)!r} that can be sent.",
        action="Check the key.",
    )


def _refuse_owned(entries: Mapping[str, Entry], key: str, task_ids: set[str | None]) -> None:
    owners = [one.key for one in entries.values() if one.task_id in task_ids and one.key != key]
    if owners:
        raise UsageError(
            f"this task belongs to the row {shown_key(owners[0])!r}: two products would get its "
            "video.",
            action="Look the id up in your ToAPIs account once more.",
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
    with _open_journal(target, adopt=adopt, followed=not withheld) as journal:
        if withheld:
            _refuse_unknown_row(target, key)
            note_unsent(journal, key)
            return f"{shown_key(key)}: noted as not sent; the next run submits it."
        entry = _open_entry(journal.entries(), key)
        _append(journal, entry, ClosedUnsent(key, entry.attempt.number))
    number = entry.attempt.number
    return (
        f"{shown_key(key)}: attempt {number} is closed; the next run submits it as attempt "
        f"{number + 1}."
    )


@contextlib.contextmanager
def _open_journal(target: Target, *, adopt: bool, followed: bool = True) -> Iterator[Journal]:
    """Open the journal of a manifest for writing; the book learns at once of what is `followed`."""
    folder = target.folder
    refuse_renamed(target)
    if is_gone(folder.journal):
        raise UsageError(
            f"there is no journal in {folder.root}: no run has ever sent a row from there.",
            action="Check the manifest's name, provider and --out.",
        )
    with (
        run_lock(folder.lock),
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
        yield journal


def _pass_over(_: str) -> None:
    """Say nothing of the book: every run does."""


def _open_entry(entries: Mapping[str, Entry], key: str) -> Entry:
    entry = entries.get(key)
    if entry is not None and entry.state in _OPEN:
        return entry
    others = sorted(shown_key(one.key) for one in entries.values() if one.state in _OPEN)
    raise UsageError(
        f"the row {shown_key(key)!r} is {entry.state if entry else 'not known'}: there is nothing "
        "to settle.",
        action=f"Rows to settle: {', '.join(others) or 'none'}.",
    )


def _append(journal: Journal, entry: Entry, event: Event) -> None:
    events = [event]
    if entry.state is State.SUBMITTING:
        events.insert(0, Interrupted(entry.key, entry.attempt.number))
    journal.append(events, time.time()).result()


async def _ask(target: Target, task_id: str) -> TaskView:
    async with open_provider(target.config, target.folder.emulator) as api:
        return await api.query(task_id)
