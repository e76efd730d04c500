"""The engine of a run before it starts: what it must know of plan, journal, money and limits.

The rows to submit are made while the run goes on, each when its turn is near: `Attempts` says under
which number, reference and name.

"No such task" is what a provider says that never got a submission, and also one that does not know
references at all. The difference is a video paid for twice. So tasks whose ids are known are asked
for by their references first.

Tested in tests/runner/test_engine_setup.py and tests/runner/test_known_tasks.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from pipeline.account.guard import Days, Guard
from pipeline.account.opening import OpenAccount
from pipeline.account.reading import latest_tasks
from pipeline.checker import naming, rules
from pipeline.checker.check import CheckedManifest
from pipeline.checker.rules import spellings_of
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.engine.engine import Engine
from pipeline.engine.limits import Pace, RunLimits
from pipeline.engine.room import Sizes
from pipeline.errors import NoSuchTask, ProviderError, Unauthorized
from pipeline.journal.journal import Journal
from pipeline.model import Attempt, Entry
from pipeline.planner.plan import Action, Plan
from pipeline.planner.repeats import Compared
from pipeline.runner.caps import caps_per_day, caps_per_run, spent_since
from pipeline.runner.storage import Storage, seen_videos

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
    whether "no such task" is then believed only once look-ups were seen to work.
    """

    plan: Plan
    entries: Mapping[str, Entry]
    journal: Journal
    checked: CheckedManifest
    uploader: str
    asks_first: Callable[[str], bool] = lambda _: False
    wants_proof: Callable[[str], bool] = lambda _: False


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
    engine = Engine(_settings(config), now, upload_age_s=age_s, shares_uploads=not config.rehearses)
    days = Days(config.budget.timezone)
    journals = [lane.journal for lane in lanes]
    spent = spent_since(days.start_of(wall), journals, config.budget, account)
    engine.begin_day(days.number_of(wall), spent)
    shared = () if account is None else account.book.uploads(account.name, wall - age_s)
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
        _enqueue(engine, number, lane, config)
    return engine


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
    engine.room.keep(shares, Sizes(seen_videos(book, name, (one.journal.path for one in lanes))))
    return storage


def _enqueue(engine: Engine, number: int, lane: PlannedLane, config: Config) -> None:
    submits = lane.plan.of(Action.SUBMIT)
    if not submits:
        return
    entries, journal = lane.entries, lane.journal
    attempts = Attempts(lane.checked, config, journal.id, entries, journal.identity_of)
    engine.enqueue(
        number,
        (step.key for step in submits),
        lambda key: (attempts.new(key), entries.get(key)),
        asks_first=lane.asks_first,
        wants_proof=lane.wants_proof,
    )


def guard_of(config: Config, compared: Compared) -> Guard:
    """Return what the book holds the intents of a run against, by its plan."""
    return Guard(
        known=compared.known,
        spellings=spellings_of,
        exempt=compared.exempt,
        pays=config.repeats == "pay",
        caps=caps_per_day(config.budget),
        price=config.budget.price_per_second,
        day_start=Days(config.budget.timezone).start_of,
    )


def _settings(config: Config) -> RunLimits:
    limits, polling, budget = config.limits, config.polling, config.budget
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
        outage_s=config.patience_within_s(None),
        client_reference=config.api.client_reference,
        caps=caps_per_run(budget),
        caps_per_day=caps_per_day(budget),
    )


class Attempts:
    """Makes the attempts that a plan asks for, each when it is wanted.

    What all of them share, names above all, is made at once: a second for some ten thousand rows.
    `journal_id` goes into the references; `entries` is what the journal says at the start;
    `identity_of` gives the identity of a key's entry, also before there is one.
    """

    def __init__(
        self,
        checked: CheckedManifest,
        config: Config,
        journal_id: str,
        entries: Mapping[str, Entry],
        identity_of: Callable[[str], str],
    ) -> None:
        self._price = config.budget.price_per_second
        self._journal_id = journal_id
        self._entries = entries
        self._identity_of = identity_of
        requests, rows = checked.requests, checked.manifest.rows
        keyed = list(zip(checked.keys, rows, strict=True))
        self._requests = {key: requests[row.number] for key, row in keyed if row.number in requests}
        taken = {name.casefold(): one.key for one in entries.values() for name in _names(one)}
        self._bases = naming.video_names(
            keyed,
            checked.manifest.headers,
            config.output.name,
            taken,
            kept={
                entry.key: naming.base_name(entry.attempt.video_name, entry.attempt.number)
                for entry in entries.values()
                if entry.identity != entry.key
            },
            identities={
                key: identity
                for key, _ in keyed
                if key not in entries and (identity := identity_of(key)) != key
            },
        )

    def new(self, key: str) -> Attempt:
        """Return the attempt of a row that the plan submits."""
        entry, request = self._entries.get(key), self._requests[key]
        number = entry.next_number if entry else 1
        identity = self._identity_of(key)
        return Attempt(
            key=key,
            number=number,
            client_business_id=naming.reference(self._journal_id, identity, number),
            request=request,
            video_name=naming.attempt_name(self._bases[key], number),
            cost=rules.cost(request.duration, self._price),
            identity=identity,
        )


def _names(entry: Entry) -> list[str]:
    names = [entry.attempt.video_name]
    return [*names, entry.take.name] if entry.take else names


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
