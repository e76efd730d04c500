"""All doubts of a manifest settled together: by look-ups, and what these do not find by a person.

A look-up is free. It finds a submission by its task, else by its reference. "No such task" is also
what a provider says that does not know references at all, and a row that is sent again then is paid
for twice. So doubts are closed together only where a look-up by reference has been seen to find a
task of this account; the book keeps that.

Tested in tests/system/test_settling.py.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.account.opening import OpenAccount
from pipeline.errors import NoSuchTask, ProviderError, Unauthorized, UsageError
from pipeline.events import ClosedUnsent, Found
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_runs
from pipeline.manifest.wording import count
from pipeline.model import Entry, State, TaskView, shown_key
from pipeline.runner.doubts import UNSETTLED, Doubt, Evidence, list_doubts, weigh
from pipeline.runner.engine_setup import finds_by_reference, known_tasks
from pipeline.runner.rehearsal import open_provider
from pipeline.runner.resolve import append_event, open_journal
from pipeline.runner.target import Target
from pipeline.toapis.client import ToAPIs

_LOOK_UPS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What the provider says of the submissions to settle.

    `found` holds keys and tasks, which the next run takes up; `not_found` the keys of those that
    it does not know; `unanswered` keys, and why nothing is known of them.
    """

    found: tuple[tuple[str, str], ...] = ()
    not_found: tuple[str, ...] = ()
    unanswered: tuple[tuple[str, str], ...] = ()

    @property
    def left(self) -> int:
        """How many are still to be settled."""
        return len(self.not_found) + len(self.unanswered)


def look_up_doubts(target: Target, *, adopt: bool) -> LookedUp:
    """Ask the provider for every submission to settle, and settle what it finds.

    Args:
        target: The manifest, its output folder, and which provider to ask.
        adopt: Take over the journal of a manifest that was moved.

    Raises:
        UsageError: There is no journal.
        Unauthorized: The key is refused.

    """
    with open_journal(target, adopt=adopt) as (journal, account):
        return _look_up(target, journal, account)


def close_not_found(
    target: Target,
    older_than_s: float,
    agree: Callable[[Sequence[Doubt], Sequence[Evidence]], bool],
    *,
    adopt: bool,
) -> tuple[LookedUp, tuple[str, ...]]:
    """Close the submissions that the provider does not know, once a person has agreed.

    Args:
        target: The manifest, its output folder, and which provider to ask.
        older_than_s: Those sent less than so many seconds ago are left as they are.
        agree: Is shown what would be closed, and what balances say of it.
        adopt: Take over the journal of a manifest that was moved.

    Returns:
        What the provider said, and the keys of the rows whose attempts were closed.

    Raises:
        UsageError: It was never seen that the provider finds tasks of this account by reference.
        Unauthorized: The key is refused.

    """
    with open_journal(target, adopt=adopt) as (journal, account):
        looked = _look_up(target, journal, account)
        entries, runs = journal.entries(), read_runs(target.folder.journal)
        latest = time.time() - older_than_s
        closed = [
            entries[key]
            for key in looked.not_found
            if entries[key].task_id is None and (entries[key].submitted_at or 0) <= latest
        ]
        if not closed:
            return looked, ()
        _refuse_unproved(target, journal, account)
        doubts = list_doubts(closed, runs, {})
        if not agree(doubts, weigh(entries.values(), runs, doubts)):
            return looked, ()
        for entry in closed:
            append_event(journal, entry, ClosedUnsent(entry.key, entry.attempt.number))
        return looked, tuple(entry.key for entry in closed)


def _look_up(target: Target, journal: Journal, account: OpenAccount | None) -> LookedUp:
    entries = [one for one in journal.entries().values() if one.state in UNSETTLED]
    answers = asyncio.run(_ask_all(target, entries)) if entries else []
    owners = {one.task_id: one.key for one in journal.entries().values() if one.task_id}
    found, not_found, unanswered = [], [], []
    for entry, answer in zip(entries, answers, strict=True):
        if answer is None:
            not_found.append(entry.key)
            continue
        if isinstance(answer, ProviderError):
            unanswered.append((entry.key, answer.message))
            continue
        task = answer.task_id or entry.task_id or entry.attempt.client_business_id
        if (owner := owners.get(task, entry.key)) != entry.key:
            unanswered.append((entry.key, f"task {task} belongs to the row {shown_key(owner)}"))
            continue
        append_event(journal, entry, Found(entry.key, entry.attempt.number, task))
        found.append((entry.key, task))
        if entry.task_id is None and answer.task_id is not None and account is not None:
            account.book.note_references(account.name)
    return LookedUp(tuple(found), tuple(not_found), tuple(unanswered))


async def _ask_all(
    target: Target, entries: Sequence[Entry]
) -> list[TaskView | ProviderError | None]:
    places = asyncio.Semaphore(_LOOK_UPS_AT_ONCE)
    async with open_provider(target.config, target.folder.emulator) as api:

        async def ask(entry: Entry) -> TaskView | ProviderError | None:
            async with places:
                return await _ask(api, entry, by_reference=target.config.api.client_reference)

        return await asyncio.gather(*map(ask, entries))


async def _ask(api: ToAPIs, entry: Entry, *, by_reference: bool) -> TaskView | ProviderError | None:
    """Return what the provider says of a submission; None if it does not know it."""
    if entry.task_id is None and not by_reference:
        return ProviderError("without api.client_reference there is nothing to look it up by")
    try:
        view = await api.query(entry.task_id or entry.attempt.client_business_id)
    except Unauthorized:
        raise
    except NoSuchTask:
        return None
    except ProviderError as error:
        return error
    return ProviderError("the answer says nothing of a task") if view.says_nothing else view


def _refuse_unproved(target: Target, journal: Journal, account: OpenAccount | None) -> None:
    """Raise UsageError unless a look-up by reference was seen to find a task of this account."""
    if account is not None:
        if account.book.finds_by_reference(account.name):
            return
        if asyncio.run(_finds_a_known_task(target, journal, account)):
            account.book.note_references(account.name)
            return
        why = "no look-up by reference has found a task of this account yet"
    else:
        why = "without the account's book nobody knows whether look-ups find tasks by reference"
    open_ones = [one for one in journal.entries().values() if one.state is State.IN_DOUBT]
    raise UsageError(
        f"{why}: that the provider does not find {count(len(open_ones), 'submission')} proves "
        "nothing. Nothing was closed.",
        action="Look each up in your ToAPIs account, and close it by its key: "
        f"{target.invocation.command('resolve', 'KEY', '--not-sent')}.",
    )


async def _finds_a_known_task(target: Target, journal: Journal, account: OpenAccount) -> bool:
    async with open_provider(target.config, target.folder.emulator) as api:
        return bool(await finds_by_reference(api, known_tasks([journal], account)))
