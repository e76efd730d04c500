"""All doubts of a manifest settled together: by look-ups, and what these do not find by a person.

A look-up is free. It finds a submission by its task, else by its reference. "No such task" is also
what a provider says that does not know references at all, and a row that is sent again then is paid
for twice. So doubts are closed together only where a look-up by reference has been seen to find a
task of this account; the book keeps that.

Tested in tests/system/test_settling.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from pipeline.account.opening import OpenAccount
from pipeline.errors import NoSuchTask, ProviderError, Unauthorized, UsageError
from pipeline.events import ClosedUnsent, Found
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_runs
from pipeline.manifest.wording import count
from pipeline.model import Entry, TaskView, shown_key
from pipeline.runner.doubts import UNSETTLED, Doubt, has_task, list_doubts
from pipeline.runner.engine_setup import finds_by_reference, known_tasks
from pipeline.runner.evidence import Evidence, weigh
from pipeline.runner.rehearsal import open_provider
from pipeline.runner.resolve import append_event, open_journal
from pipeline.runner.target import Target
from pipeline.toapis.client import ToAPIs

_LOOK_UPS_AT_ONCE = 8
_BALANCE_S = 15
"""How long the balance is waited for, without which a person can decide as well."""


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


@dataclass(frozen=True, slots=True)
class Closed:
    """What came of closing what the provider does not know, by the keys of the rows.

    `closed` rows are sent again by the next run. Left as they are: `missing` ones, which the
    provider knew once, and `young` ones, which were sent too lately. `agreed` is None if nothing
    was left to ask about.
    """

    looked: LookedUp
    closed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    young: tuple[str, ...] = ()
    agreed: bool | None = None


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
) -> Closed:
    """Close the submissions that the provider does not know, once a person has agreed.

    One that the provider knew once was accepted, and is not closed together with others.

    Args:
        target: The manifest, its output folder, and which provider to ask.
        older_than_s: Those sent less than so many seconds ago are left as they are.
        agree: Is shown what would be closed, and what balances say of it.
        adopt: Take over the journal of a manifest that was moved.

    Raises:
        UsageError: It was never seen that the provider finds tasks of this account by reference.
        Unauthorized: The key is refused.

    """
    with open_journal(target, adopt=adopt) as (journal, account):
        looked = _look_up(target, journal, account)
        entries = journal.entries()
        missing = tuple(key for key in looked.not_found if entries[key].task_id is not None)
        latest = time.time() - older_than_s
        asked = [entries[key] for key in looked.not_found if key not in missing]
        closed = [one for one in asked if (one.submitted_at or 0) <= latest]
        young = tuple(one.key for one in asked if (one.submitted_at or 0) > latest)
        if not closed:
            return Closed(looked, missing=missing, young=young)
        _refuse_unproved(target, journal, account, len(closed))
        agreed = agree(*_evidence(target, entries.values(), closed))
        for entry in closed if agreed else ():
            append_event(journal, entry, ClosedUnsent(entry.key, entry.attempt.number))
        keys = tuple(entry.key for entry in closed) if agreed else ()
        return Closed(looked, keys, missing, young, agreed)


def _evidence(
    target: Target, entries: Collection[Entry], closed: Sequence[Entry]
) -> tuple[Sequence[Doubt], Sequence[Evidence]]:
    """Return what is known of submissions; the balance is asked for where it is not known."""
    runs = read_runs(target.folder.journal)
    doubts = list_doubts(closed, runs, {})
    if any(one.balance_difference is None and one.balance_before is not None for one in doubts):
        doubts = list_doubts(closed, runs, {}, held_now=asyncio.run(_held_now(target)))
    return doubts, weigh(entries, runs, doubts)


async def _held_now(target: Target) -> float | None:
    """Return what the key may still spend; None if that is unlimited or nobody says."""
    with contextlib.suppress(ProviderError, TimeoutError):
        async with (
            asyncio.timeout(_BALANCE_S),
            open_provider(target.config, target.folder.emulator) as api,
        ):
            return (await api.balance()).remaining
    return None


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
        if not has_task(entry) and answer.task_id is not None and account is not None:
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
    if not has_task(entry) and not by_reference:
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


def _refuse_unproved(
    target: Target, journal: Journal, account: OpenAccount | None, doubts: int
) -> None:
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
    raise UsageError(
        f"{why}: that the provider does not find {count(doubts, 'submission')} proves "
        "nothing. Nothing was closed.",
        action="Look each up in your ToAPIs account, and close it by its key: "
        f"{target.invocation.command('resolve', 'KEY', '--not-sent')}",
    )


async def _finds_a_known_task(target: Target, journal: Journal, account: OpenAccount) -> bool:
    async with open_provider(target.config, target.folder.emulator) as api:
        return bool(await finds_by_reference(api, known_tasks([journal], account)))
