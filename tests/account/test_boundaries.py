"""Nights over journals and book as files: killed at every boundary between their commits.

The engine works in virtual time, as in `tests/engine`; its events are committed to a journal for
each lane and to the account's book, and the next life opens both as a run does. The first row of
every lane asks for the same: it may be bought for one of them.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from heapq import heappush
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import events as ev
from pipeline.account.guard import NO_CAPS, Guard
from pipeline.account.opening import OpenAccount
from pipeline.account.reading import submissions_of
from pipeline.account.recording import Recorder
from pipeline.account.submission import COUNTING, Submission
from pipeline.checker.naming import attempt_name, reference
from pipeline.engine.commands import Command, Submit, SubmitReply
from pipeline.engine.engine import Engine
from pipeline.engine.limits import Caps
from pipeline.errors import Withheld
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_all
from pipeline.lifecycle import PAID
from pipeline.manifest.invocation import Invocation
from pipeline.model import Attempt, Entry, State
from tests.account.accounts import ACCOUNT, DAY, Mortal, opened, request
from tests.conftest import share_of_examples
from tests.engine.night import Night, Provider
from tests.engine.test_kills import SMALL, Weather

ROWS = 3
"""In each lane."""
TWIN = "twin"


@dataclass(frozen=True)
class Boundary:
    """The process dies at its decision number `decision`.

    Of the lanes with events in it, in their order, `journals` have committed them, and for `booked`
    of these the book as well. Where all have, so many commands are `begun` before the end.
    """

    decision: int
    journals: int
    booked: int
    begun: int = 0


class Killed(Exception):
    """The process is gone."""


@dataclass
class Lane:
    """A manifest with its journal, while a process works on it."""

    journal: Journal
    follower: Mortal


@dataclass
class Life(Night):
    """The night of one process."""

    lanes: list[Lane] = field(default_factory=list)
    boundary: Boundary | None = None
    withheld: dict[str, Withheld] = field(default_factory=dict)
    committed: Counter[int] = field(default_factory=Counter)

    @property
    def _dies(self) -> bool:
        return self.boundary is not None and self.boundary.decision == self.decisions

    def _commit(self, events: Iterable[ev.Event]) -> None:
        by_lane = groupby(sorted(events, key=lambda one: one.lane), key=lambda one: one.lane)
        for turn, (lane, some) in enumerate(by_lane):
            where = self.lanes[lane]
            self.committed[self.decisions] += 1
            if self.boundary is not None and self._dies:
                if turn >= self.boundary.journals:
                    raise Killed
                where.follower.dead = turn >= self.boundary.booked
            committed = where.journal.append(list(some), DAY + self.now).result(20)
            self.withheld |= committed.withheld
        if any(one.follower.dead for one in self.lanes):
            raise Killed

    def _carry_out(self, commands: Iterable[Command]) -> None:
        if self.boundary is not None and self._dies:
            super()._carry_out([*commands][: self.boundary.begun])
            raise Killed
        for command in commands:
            if isinstance(command, Submit) and (held := self._held_back(command)) is not None:
                self._turn += 1
                self._under_way[Submit] += 1
                reply = SubmitReply(command.row, held)
                heappush(self._coming, (self.now, self._turn, reply, command))
            else:
                super()._carry_out([command])

    def _held_back(self, command: Submit) -> Withheld | None:
        return self.withheld.pop(command.attempt.client_business_id, None)


@dataclass
class World:
    """Journals, book and provider, which outlive every process."""

    root: Path
    provider: Provider
    count: int
    caps: Caps = NO_CAPS
    now: float = 0.0
    lives: int = 0

    @property
    def book(self) -> Path:
        return self.root / "book.db"

    def folder(self, lane: int) -> Path:
        return self.root / f"lane{lane}"

    def live(self, boundary: Boundary | None = None) -> Life:
        """Run until all is done, or until the process dies; hold what always holds."""
        self.lives += 1
        with self._process() as life:
            life.boundary = boundary
            with contextlib.suppress(Killed):
                life.run()
                for one in life.lanes:
                    one.journal.end_run(f"run {self.lives}", DAY + life.now, 0)
        self.now = life.now + 1
        self.hold()
        return life

    @contextlib.contextmanager
    def _process(self) -> Iterator[Life]:
        engine = Engine(SMALL, self.now)
        life = Life(engine, self.provider, [], SMALL, self.now, (1,) * self.count)
        with contextlib.ExitStack() as stack:
            book = stack.enter_context(opened(self.book))
            account = OpenAccount(ACCOUNT, book, lambda _: None)
            for lane in range(self.count):
                folder = self.folder(lane)
                folder.mkdir(exist_ok=True)
                path = folder / "journal.db"
                journal = stack.enter_context(contextlib.closing(Journal(path)))
                manifest = folder / "m.csv"
                recorder = account.follow(journal, folder, Invocation(manifest), DAY + self.now)
                recorder.guard = Guard(caps=self.caps)
                follower = Mortal(recorder)
                journal.be_followed_by(follower)
                journal.begin_run(f"run {self.lives}", "run", DAY + self.now)
                life.lanes.append(Lane(journal, follower))
                self._begin(engine, lane, account, journal, recorder)
            yield life

    def _begin(
        self, engine: Engine, lane: int, account: OpenAccount, journal: Journal, recorder: Recorder
    ) -> None:
        """Take up and enqueue what the journal and the book say, as a plan does."""
        entries = journal.entries()
        bought = account.purchases(journal).bought_elsewhere({f"hash-{TWIN}"})
        fresh: dict[str, tuple[Attempt, Entry | None]] = {}
        for turn in range(ROWS):
            key = f"r{lane}-{turn}"
            entry = entries.get(key)
            if entry is None or entry.state is State.WAITING:
                if turn or not bought:
                    fresh[key] = (self._attempt(journal, key, turn, entry), entry)
            elif entry.state in PAID:
                age_s = max(0.0, DAY + self.now - (entry.submitted_at or DAY + self.now))
                engine.take_up(lane, entry, self.now, doubt_age_s=age_s)
        asks = recorder.recovery.asks_first
        engine.enqueue(
            lane, fresh, fresh.__getitem__, asks_first=lambda key: asks(entries.get(key))
        )

    def _attempt(self, journal: Journal, key: str, turn: int, entry: Entry | None) -> Attempt:
        number = 1 if entry is None else entry.next_number
        wanted = request(key if turn else TWIN)
        images = ("sha256:p",) if turn == 2 else ()
        own = reference(journal.id, key, number)
        return Attempt(key, number, own, replace(wanted, images=images), attempt_name(key, number))

    def attempts(self) -> dict[str, Entry]:
        """What the journals know of every attempt, by its reference."""
        found = {}
        for lane in range(self.count):
            for entry in read_all(self.folder(lane) / "journal.db")[1]:
                found[entry.attempt.client_business_id] = entry
        return found

    def booked(self) -> dict[str, Submission]:
        """What the book knows of every attempt, by its reference."""
        found = {}
        for lane in range(self.count):
            own = read_all(self.folder(lane) / "journal.db")[0].get("id", "")
            found.update({one.reference: one for one in submissions_of(self.book, own)})
        return found

    def hold(self) -> None:
        """Nothing was accepted twice, nothing is lost, and what the book lacks was never sent."""
        accepted, journals, book = self.provider.references, self.attempts(), self.booked()
        assert set(accepted.values()) <= {1}
        per_request = Counter(journals[one].attempt.request.request_hash for one in accepted)
        assert set(per_request.values()) <= {1}, "each request is bought once, over all lanes"
        for one in accepted:
            assert book[one].state in COUNTING
            assert journals[one].state in COUNTING
            task = self.provider.by_reference[one]
            told = {journals[one].task_id, book[one].task_id} - {None}
            assert told <= {task}
            assert journals[one].task_id or journals[one].state in _OPEN, "no task is lost"
        if self.caps.videos is not None:
            assert len(accepted) <= self.caps.videos


_OPEN = {State.SUBMITTING, State.IN_DOUBT}


def world(
    root: Path, seed: int, share: float, lanes: int, caps: Caps = NO_CAPS
) -> tuple[World, Weather]:
    root.mkdir(parents=True, exist_ok=True)
    weather = Weather(seed, share)
    return World(root, weather.provider(seed), lanes, caps), weather


def end(one: World, weather: Weather) -> dict[str, Entry]:
    """Run until every row is through, and return the rows; both stores agree."""
    weather.calm()
    for _ in range(2):
        one.now += 4000
        one.live()
    journals, book = one.attempts(), one.booked()
    latest = {entry.key: entry for entry in journals.values()}
    twins = {key for key in latest if key.endswith("-0")}
    ended = {State.DONE, State.REFUSED, State.EXPIRED}
    for entry in (latest[key] for key in latest.keys() - twins):
        unsent = not one.provider.accepted[entry.key]
        assert entry.state in ended or (unsent and entry.state in _OPEN | {State.MISSING}), entry
    assert any(latest[key].state in ended | _OPEN for key in twins)
    for name, entry in journals.items():
        if entry.state in COUNTING:
            assert (book[name].state, book[name].task_id) == (entry.state, entry.task_id)
    return latest


KILLS = st.builds(
    Boundary, st.integers(1, 40), st.integers(0, 3), st.integers(0, 3), st.integers(0, 2)
)


@settings(max_examples=share_of_examples(0.3))
@given(
    seed=st.integers(0, 10_000),
    share=st.sampled_from([0.0, 0.1, 0.4]),
    lanes=st.integers(1, 3),
    kills=st.lists(KILLS, min_size=1, max_size=4),
)
def test_kills_between_any_two_commits(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    share: float,
    lanes: int,
    kills: list[Boundary],
) -> None:
    """Whenever a process dies, and the next, and the one after that."""
    one, weather = world(tmp_path_factory.mktemp("night"), seed, share, lanes)
    for boundary in kills:
        one.live(boundary)
    end(one, weather)


def boundaries(committed: Mapping[int, int]) -> Iterator[Boundary]:
    """Every moment around the commits of decisions, of which so many lanes had events."""
    for decision, lanes in committed.items():
        for journals in range(lanes + 1):
            for booked in range(journals + 1):
                yield Boundary(decision, journals, booked)
        yield Boundary(decision, lanes, lanes, 1)


@pytest.mark.long
def test_every_boundary_of_a_short_night(tmp_path: Path) -> None:
    """Before, between and after the commits of every decision, in each of two lanes.

    What only a journal knows was never sent: it is sent later, and is no doubt.
    """
    whole = world(tmp_path / "whole", 1, 0.1, 2)[0].live()
    assert set(whole.committed.values()) == {1, 2}
    for turn, boundary in enumerate(boundaries(whole.committed)):
        one, weather = world(tmp_path / str(turn), 1, 0.1, 2)
        one.live(boundary)
        booked = one.booked()
        unsent = {entry.key for name, entry in one.attempts().items() if name not in booked}
        latest = end(one, weather)
        assert not [key for key in unsent if latest[key].state in _OPEN]
