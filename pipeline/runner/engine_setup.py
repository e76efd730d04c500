"""The engine of a run before it starts: what it must know of plan, journal, money and limits.

"No such task" is what a provider says that never got a submission, and also one that does not know
references at all. The difference is a video paid for twice. So tasks whose ids are known are asked
for by their references first.

Tested in tests/runner/test_engine_setup.py and tests/runner/test_known_tasks.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import inf
from typing import TYPE_CHECKING

from pipeline.account.guard import Days, Guard
from pipeline.account.learned import learned_tasks
from pipeline.account.nights import times_home
from pipeline.account.opening import OpenAccount
from pipeline.account.reading import latest_tasks
from pipeline.checker.check import CheckedManifest
from pipeline.checker.rules import spellings_of
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.engine.engine import Engine
from pipeline.engine.limits import NO_CAPS, Pace, RunLimits
from pipeline.engine.room import Sizes
from pipeline.errors import NoSuchTask, ProviderError, Unauthorized
from pipeline.journal.journal import Journal
from pipeline.model import Entry
from pipeline.planner.plan import Action, Plan
from pipeline.planner.repeats import Compared
from pipeline.runner.attempts import Attempts
from pipeline.runner.caps import caps_per_day, caps_per_night, caps_per_run, spent_since
from pipeline.runner.storage import Storage, seen_videos
from pipeline.runner.terms import AT_ANY_TIME, Terms
from pipeline.runner.turns import Retrying, take_turns
from pipeline.runner.untried import untried_models

if TYPE_CHECKING:
    from pipeline.toapis.client import ToAPIs

_TRIES = 5
"""Tasks asked for, the newest first: a provider does not keep old ones for ever."""


@dataclass(frozen=True, slots=True)
class PlannedLane:
    """What the engine must know of one manifest.

    `plan` says what the run does with each row; `entries` are what the journal knows of the rows,
    by key, and looked into while the run goes on; `uploader` says whose uploads of this journal may
    be used again; `asks_first` whether a row is looked up before it is sent, and `wants_proof`
    whether "no such task" is then believed only once look-ups were seen to work. `terms` are those
    of its order; `may_order` whether the pilot lets a row through that failed.
    """

    plan: Plan
    entries: Mapping[str, Entry]
    journal: Journal
    checked: CheckedManifest
    uploader: str
    asks_first: Callable[[str], bool] = lambda _: False
    wants_proof: Callable[[str], bool] = lambda _: False
    terms: Terms = AT_ANY_TIME
    may_order: Callable[[str], bool] = lambda _: True


def build_engine(
    lanes: Sequence[PlannedLane],
    config: Config,
    account: OpenAccount | None,
    *,
    now: float,
    wall: float,
) -> Engine:
    """Return the engine that carries out the plans of the lanes.

    Args:
        lanes: The manifests.
        config: Their configuration.
        account: The account with its book, for uploads of other manifests and what was spent
            today; None without a book.
        now: The monotonic second at which the run begins.
        wall: The Unix second at which it begins.

    Raises:
        StoreError: A journal cannot be read.

    """
    age_s = config.api.upload_age_h * 3600
    # Each rehearsal has its own emulator, which knows its own uploads.
    terms = lanes[0].terms
    limits = _settings(config, terms, wall)
    engine = Engine(limits, now, upload_age_s=age_s, shares_uploads=not config.rehearses)
    days, budget = Days(config.budget.timezone), config.budget
    journals = [lane.journal for lane in lanes]
    day = days.start_of(wall)
    spent = spent_since(day, journals, budget, account, caps=limits.caps_per_day)
    engine.begin_day(days.number_of(wall), spent)
    since = terms.night_since or wall
    spent = spent_since(since, journals, budget, account, caps=limits.caps_per_night)
    engine.begin_night(spent)
    if account is not None:
        engine.know_tasks(learned_tasks(account.book.path, account.name))
    _keep_hours(engine, terms, config, account)
    retrying = Retrying(config.limits.attempts)
    if terms.is_night:
        engine.retry(config.retry.wait_s, retrying.next_attempt)
        engine.look_up_again(max(config.retry.wait_s, config.api.lookup_s))
    shared = () if account is None else account.book.uploads(account.name, wall - age_s)
    models = chain.from_iterable(lane.checked.models for lane in lanes)
    known_rows = chain.from_iterable(lane.entries.values() for lane in lanes)
    book = None if account is None else (account.book.path, account.name)
    engine.trials.begin(untried_models(models, known_rows, book))
    for number, lane in enumerate(lanes):
        known = lane.journal.uploads(lane.uploader, wall - age_s)
        for sha256, url, at in chain(shared, known) if number == 0 else known:
            if at <= wall:  # else the clock was set back since, and its age is not known
                valid_until = now + age_s - (wall - at)
                engine.know_upload(sha256, url, valid_until, lane=number)
        for step in lane.plan.of(Action.TAKE_UP):
            entry = lane.entries[step.key]
            age = max(0.0, wall - (entry.submitted_at or wall))
            engine.take_up(number, entry, now, doubt_age_s=age)
        _enqueue(engine, number, lane, config=config, retrying=retrying, shift_s=now - wall)
    return engine


def _keep_hours(engine: Engine, terms: Terms, config: Config, account: OpenAccount | None) -> None:
    """Have the engine order within the hours of the terms, by what the account knows of rows."""
    if not terms.opens_at and terms.closes_at is None:
        return
    closes_at = inf if terms.closes_at is None else terms.closes_at
    engine.hours.keep(terms.opens_at or -inf, closes_at, terms.ends, config.stop.grace_s)
    if account is not None:
        longest_s = config.polling.deadline_s
        engine.hours.know(times_home(account.book.path, account.name, longest_s))


def keep_room(
    engine: Engine,
    lanes: Sequence[PlannedLane],
    folders: Sequence[OutputFolder],
    config: Config,
    account: OpenAccount | None,
) -> Storage:
    """Have the engine order only what the disks have room for, and return the disks.

    Args:
        engine: As `build_engine` made it.
        lanes: The manifests.
        folders: Their output folders.
        config: Their configuration.
        account: The account with its book; None without one.

    Raises:
        StoreError: A folder cannot be looked at.

    """
    book, name = (None, "") if account is None else (account.book.path, account.name)
    storage, shares = Storage(config, book, name), []
    for lane, folder in zip(lanes, folders, strict=True):
        shares.append(storage.add(folder, lane.checked))
        storage.leave(folder, lane.plan, lane.entries)
    paths = (one.journal.path for one in lanes)
    seen = seen_videos(book, name, config.api.model, paths)
    engine.room.keep(shares, Sizes(seen))
    return storage


def _enqueue(
    engine: Engine,
    number: int,
    lane: PlannedLane,
    *,
    config: Config,
    retrying: Retrying,
    shift_s: float,
) -> None:
    submits, terms = lane.plan.of(Action.SUBMIT), lane.terms
    if not submits and not terms.is_night:
        return
    entries, journal = lane.entries, lane.journal
    attempts = Attempts(lane.checked, config, journal.id, entries, journal.identity_of)
    turns = take_turns(submits, entries, config.retry.wait_s) if terms.is_night else None
    engine.enqueue(
        number,
        turns.first if turns else (step.key for step in submits),
        lambda key: (attempts.new(key), entries.get(key)),
        asks_first=lane.asks_first,
        wants_proof=lane.wants_proof,
        model_of=attempts.model_of,
        weight=terms.share,
        priority=terms.priority,
    )
    for (rank, state), rows in turns.later.items() if turns else ():
        engine.enqueue_later(number, ((key, at + shift_s) for key, at in rows), rank, state)
    if terms.tries_again:
        retrying.add(number, attempts, entries, lane.plan, lane.may_order)


def guard_of(config: Config, compared: Compared, night_since: float | None = None) -> Guard:
    """Return what the book holds the intents of a run against, by its plan.

    Caps per night count from a Unix second; None: they do not.
    """
    return Guard(
        known=compared.known,
        spellings=spellings_of,
        exempt=compared.exempt,
        pays=config.repeats == "pay",
        caps=caps_per_day(config.budget),
        night_caps=NO_CAPS if night_since is None else caps_per_night(config.budget),
        night_since=night_since or 0.0,
        price=config.budget.price_per_second,
        day_start=Days(config.budget.timezone).start_of,
    )


def _settings(config: Config, terms: Terms, wall: float) -> RunLimits:
    limits, polling, budget = config.limits, config.polling, config.budget
    left_s = None if terms.closes_at is None else terms.closes_at - wall
    return RunLimits(
        pace=Pace(polling.first_s, polling.interval_s, config.poll_floor_s),
        outstanding=limits.outstanding,
        submits_in_flight=limits.submits_in_flight,
        submits_per_minute=limits.submits_per_minute,
        polls_per_minute=limits.polls_per_minute,
        uploads=limits.uploads,
        downloads=limits.downloads,
        deadline_s=polling.deadline_s,
        lookup_s=config.api.lookup_s,
        missing_grace_s=config.api.missing_grace_s,
        outage_s=config.patience_within_s(left_s),
        client_reference=config.api.client_reference,
        caps=caps_per_run(budget),
        caps_per_day=caps_per_day(budget),
        caps_per_night=NO_CAPS if terms.night_since is None else caps_per_night(budget),
    )


def known_tasks(journals: Iterable[Journal], account: OpenAccount | None) -> list[tuple[str, str]]:
    """Return reference and id of the account's latest tasks, the newest first; raises StoreError.

    Without a book, `account` is None and those of the journals are returned.
    """
    if account is not None:
        return latest_tasks(account.book.path, account.name, _TRIES)
    sent = [
        (one.submitted_at or 0.0, one.attempt.client_business_id, one.task_id)
        for journal in journals
        for one in journal.attempts()
        if one.task_id is not None and not one.reused
    ]
    newest = sorted(sent, reverse=True)[:_TRIES]
    return [(reference, task_id) for _, reference, task_id in newest]


async def sees_references(
    provider: ToAPIs, journals: Sequence[Journal], account: OpenAccount | None
) -> bool:
    """Return whether a look-up by reference finds a task, as far as it was ever seen.

    Args:
        provider: Is asked for known tasks.
        journals: Those with rows to be sent that hang on it; without any nothing is asked.
        account: The account with its book; None without one.

    Raises:
        Unauthorized: The key is refused.
        StoreError: Book or journal cannot be read.

    """
    if not journals:
        return False
    finds = await finds_by_reference(provider, known_tasks(journals, account))
    if finds is None and account is not None:
        return account.book.finds_by_reference(account.name)
    return bool(finds)


async def finds_by_reference(provider: ToAPIs, known: Sequence[tuple[str, str]]) -> bool | None:
    """Return whether the provider finds known tasks by their references; None if nothing says so.

    Nothing does where it does not know them by their ids either, as after a long time. `known` are
    references with the ids of their tasks. Raises Unauthorized.
    """
    finds = None
    for reference, task_id in known:
        try:
            view = await provider.query(reference)
        except Unauthorized:
            raise
        except NoSuchTask:
            if finds is None and await _is_there(provider, task_id):
                finds = False
        except ProviderError:
            continue
        else:
            if view.task_id == task_id:
                return True
    return finds


async def _is_there(provider: ToAPIs, task_id: str) -> bool:
    try:
        await provider.query(task_id)
    except Unauthorized:
        raise
    except ProviderError:
        return False
    return True
