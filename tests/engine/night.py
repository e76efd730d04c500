"""A whole night in virtual time: the engine against a provider that is a heap of future answers.

The provider keeps its own records, and the invariants of the design are held against them.

A night may have several lanes. Their rows share keys; the attempt's identity names a row in all of
them, see `name_of`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf
from operator import itemgetter

from pipeline import events as ev
from pipeline.engine.commands import (
    Command,
    Download,
    DownloadReply,
    Query,
    QueryReply,
    Reply,
    Submit,
    SubmitReply,
    Upload,
    UploadReply,
    unanswered,
)
from pipeline.engine.engine import Engine
from pipeline.engine.limits import Pace, RunLimits
from pipeline.errors import (
    DownloadError,
    NoSuchTask,
    NotSent,
    OutOfCredit,
    ProviderError,
    Refused,
    Throttled,
    Unauthorized,
    Unfinished,
    Withheld,
)
from pipeline.lifecycle import PAID, apply
from pipeline.model import Attempt, Entry, Phase, Request, State, TaskView, Video

SETTINGS = RunLimits(pace=Pace(first_s=5, interval_s=10, floor_s=5))
VIDEO = Video("x.mp4", 1000, "00", 6.0, 1280, 720)
_NOT_ACCEPTED = (Refused, Throttled, NotSent, Unauthorized, OutOfCredit, Withheld)


def name_of(lane: int, key: str) -> str:
    """What a row is called among the rows of all lanes: in lane 0 as in its manifest."""
    return f"{lane}/{key}" if lane else key


def lane_of(attempt: Attempt) -> int:
    """The lane of an attempt's row."""
    lane, _, _key = attempt.identity.rpartition("/")
    return int(lane or 0)


def attempt(
    key: str,
    *,
    lane: int = 0,
    number: int = 1,
    images: tuple[str, ...] = (),
    duration: int = 6,
    cost: float | None = 0.6,
    model: str = "gemini_omni_flash",
) -> Attempt:
    """An attempt of a plain row; its request is told by its key."""
    request = Request(
        prompt=f"a film about {key}",
        images=images,
        duration=duration,
        aspect_ratio="16:9",
        resolution="720P",
        model=model,
        request_hash=f"hash-{key}",
    )
    name = name_of(lane, key)
    return Attempt(key, number, f"rs-{name}-{number}", request, f"{key}.mp4", cost, name)


def attempts(rows: int, **said: object) -> list[Attempt]:
    """Attempts of so many plain rows."""
    return [attempt(f"row{number:06}", **said) for number in range(rows)]  # type: ignore[arg-type]


@dataclass
class Provider:
    """A provider in virtual time. Each hook may answer instead of the usual course.

    A hook is told the command, how often the same was asked for, and the time. An error of
    `on_submit` that proves nothing (Unclear) comes after the acceptance, unless `loses_unclear`.
    Rows are counted by their names.
    """

    seed: int = 1
    task_s: Callable[[random.Random], float] = lambda dice: dice.lognormvariate(4.1, 0.3)
    round_trip_s: float = 0.05
    on_submit: Callable[[Submit, int, float], ProviderError | Withheld | None] = lambda *_: None
    on_query: Callable[[Query, int, float], TaskView | ProviderError | None] = lambda *_: None
    on_download: Callable[[Download, int, float], Video | DownloadError | Unfinished] = lambda *_: (
        VIDEO
    )
    on_upload: Callable[[Upload, int, float], str | ProviderError] = lambda upload, *_: (
        f"https://files.example/{upload.sha256}.jpg"
    )
    loses_unclear: bool = False
    accepted: Counter[str] = field(default_factory=Counter)
    references: Counter[str] = field(default_factory=Counter)
    submits: Counter[str] = field(default_factory=Counter)
    queries: Counter[str] = field(default_factory=Counter)
    downloads: Counter[str] = field(default_factory=Counter)
    uploads: Counter[str] = field(default_factory=Counter)
    submit_times: list[float] = field(default_factory=list)
    accept_times: list[float] = field(default_factory=list)
    query_times: dict[str, list[float]] = field(default_factory=dict)
    tasks: dict[str, tuple[float, float]] = field(default_factory=dict)
    by_reference: dict[str, str] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def answer(self, command: Command, now: float) -> Reply:
        """Carry a command out at once; its answer travels for `round_trip_s`."""
        match command:
            case Query():
                return QueryReply(command.row, self._query(command, now))
            case Submit():
                return SubmitReply(command.row, self._submit(command, now))
            case Download():
                name = command.attempt.identity
                self.downloads[name] += 1
                self.order.append(name)
                content = self.on_download(command, self.downloads[name], now)
                return DownloadReply(command.row, content)
            case Upload():
                self.uploads[command.sha256] += 1
                uploaded = self.on_upload(command, self.uploads[command.sha256], now)
                return UploadReply(command.sha256, uploaded, command.lane)

    def unfinished(self, now: float) -> int:
        """How many tasks the provider works on."""
        return sum(ends > now for _, ends in self.tasks.values())

    def _submit(self, command: Submit, now: float) -> str | ProviderError | Withheld:
        name = command.attempt.identity
        self.submits[name] += 1
        self.submit_times.append(now)
        error = self.on_submit(command, self.submits[name], now)
        if error is not None and (self.loses_unclear or isinstance(error, _NOT_ACCEPTED)):
            return error
        self.accepted[name] += 1
        self.references[command.attempt.client_business_id] += 1
        self.accept_times.append(now)
        task_id = f"video_{len(self.tasks):06}"
        self.tasks[task_id] = (now, now + self.task_s(self.dice))
        self.by_reference[command.attempt.client_business_id] = task_id
        return error or task_id

    def _query(self, command: Query, now: float) -> TaskView | ProviderError:
        name = name_of(*command.row)
        self.queries[name] += 1
        self.query_times.setdefault(name, []).append(now)
        content = self.on_query(command, self.queries[name], now)
        return content or self.usual_answer(command, now)

    def usual_answer(self, command: Query, now: float) -> TaskView | ProviderError:
        """What a query is answered with when nothing goes wrong."""
        task_id = self.by_reference.get(command.reference, command.reference)
        times = self.tasks.get(task_id)
        if times is None:
            return NoSuchTask("task_not_exist", status=404)
        began, ends = times
        if now < ends:
            return TaskView(task_id, Phase.IN_PROGRESS, (now - began) / (ends - began) * 100)
        url = f"https://files.example/{task_id}.mp4"
        return TaskView(task_id, Phase.COMPLETED, 100, url, began, ends, ends + 86400)


@dataclass(frozen=True)
class Death:
    """The process dies at its decision number `decision`.

    `carried_out` of its commands went out before; -1: not all of its events were committed, only
    those of the first `lanes` lanes.
    """

    decision: int
    carried_out: int
    lanes: int = 0


@dataclass
class Night:
    """One run in virtual time: carries out the commands, keeps the journal, moves the clock."""

    engine: Engine
    provider: Provider
    rows: list[Attempt]
    settings: RunLimits = SETTINGS
    now: float = 0.0
    weights: Sequence[float] = (1,)
    peak_outstanding: int = 0
    idle_s: float = 0.0
    decisions: int = 0
    died: bool = False
    journal: list[tuple[ev.Event, float]] = field(default_factory=list)
    peaks: Counter[type] = field(default_factory=Counter)
    sent: list[tuple[Command, float]] = field(default_factory=list)
    keeps_sent: bool = False
    _coming: list[tuple[float, int, Reply, Command]] = field(default_factory=list)
    _under_way: Counter[type] = field(default_factory=Counter)
    _turn: int = 0

    def __post_init__(self) -> None:
        """Keep the counters of the lanes at hand."""
        self._states = [self.engine.states_of(lane) for lane in range(len(self.weights))]
        self._waits = itemgetter(State.WAITING)

    def run(self, until: float = inf, death: Death | None = None) -> Night:
        """Run until nothing happens by itself any more, until the given time, or until death.

        `idle_s` adds up the free slots over the time in which rows waited for one;
        `peak_outstanding` is the most slots taken after a submission.
        """
        replies: list[Reply] = []
        while True:
            decision = self.engine.tell(replies, self.now)
            self.decisions += 1
            if death is not None and death.decision == self.decisions:
                self.died = True
                if death.carried_out >= 0:
                    self._commit(decision.events)
                    self._carry_out(decision.commands[: death.carried_out])
                else:
                    self._commit(one for one in decision.events if one.lane < death.lanes)
                return self
            if decision.events:
                self._commit(decision.events)
            if decision.commands:
                self._carry_out(decision.commands)
            if self.engine.finished or self.now >= until:
                return self
            dropped = decision.give_up
            replies = self._give_up() if dropped else self._wait(decision.wake_at, until)

    def _commit(self, events: Iterable[ev.Event]) -> None:
        self.journal += [(event, self.now) for event in events]

    def _carry_out(self, commands: Iterable[Command]) -> None:
        arrival = self.now + self.provider.round_trip_s
        for command in commands:
            kind = type(command)
            self._turn += 1
            under_way = self._under_way[kind] = self._under_way[kind] + 1
            self.peaks[kind] = max(self.peaks[kind], under_way)
            if kind is Submit:
                self.peak_outstanding = max(self.peak_outstanding, self.engine.outstanding)
            if self.keeps_sent:
                self.sent.append((command, self.now))
            reply = self.provider.answer(command, self.now)
            heappush(self._coming, (arrival, self._turn, reply, command))

    def _wait(self, wake_at: float | None, until: float) -> list[Reply]:
        coming, before = self._coming, self.now
        next_at = coming[0][0] if coming else inf
        if wake_at is not None and wake_at < next_at:
            next_at = wake_at
        assert next_at < inf, "the engine is not finished and waits for nothing"
        assert next_at > before or coming, "the engine asks to be woken at once, for ever"
        self.now = now = max(before, min(next_at, until))
        if any(map(self._waits, self._states)):
            free = self.settings.outstanding - self.engine.outstanding
            self.idle_s += (now - before) * max(0, free)
        replies = []
        while coming and coming[0][0] <= now:
            _, _, reply, command = heappop(coming)
            self._under_way[type(command)] -= 1
            replies.append(reply)
        return replies

    def _give_up(self) -> list[Reply]:
        """Drop what is under way: its answers never come."""
        dropped = [command for *_, command in self._coming]
        self._coming.clear()
        self._under_way.clear()
        return [unanswered(command) for command in dropped]

    def entries(self) -> dict[str, Entry]:
        """Replay the journals; by the names of the rows."""
        entries: dict[str, Entry] = {}
        for event, at in self.journal:
            name = name_of(event.lane, event.key)
            entries[name] = apply(entries.get(name), event, at)
        return entries

    def states(self) -> Counter[State]:
        """How many rows stand where, by replay of the journal; a row without events waits."""
        entries = self.entries()
        counted = Counter(entry.state for entry in entries.values())
        counted[State.WAITING] += len(self.rows) - len(entries)
        return +counted


def enqueue(
    engine: Engine,
    *attempts: Attempt,
    weights: Sequence[float] = (1,),
    supersedes: Mapping[str, Entry] | None = None,
    asks_first: Callable[[str], bool] = lambda _: False,
    wants_proof: Callable[[str], bool] = lambda _: False,
) -> None:
    """Have these attempts submitted, each in its lane, in their order.

    `weights` are those of the lanes; `supersedes` are the entries of attempts before, by name.
    """
    for lane, weight in enumerate(weights):
        by_key = {one.key: one for one in attempts if lane_of(one) == lane}

        def new(key: str, by_key: dict[str, Attempt] = by_key) -> tuple[Attempt, Entry | None]:
            return by_key[key], (supersedes or {}).get(by_key[key].identity)

        def model_of(key: str, by_key: dict[str, Attempt] = by_key) -> str:
            return by_key[key].request.model

        engine.enqueue(
            lane,
            by_key,
            new,
            weight=weight,
            asks_first=asks_first,
            wants_proof=wants_proof,
            model_of=model_of,
        )


def night(
    rows: int | list[Attempt],
    provider: Provider | None = None,
    settings: RunLimits = SETTINGS,
    weights: Sequence[float] = (1,),
) -> Night:
    """A night over so many new rows, ready to run."""
    engine = Engine(settings, 0.0)
    new = attempts(rows) if isinstance(rows, int) else rows
    enqueue(engine, *new, weights=weights)
    return Night(engine, provider or Provider(), new, settings, weights=weights)


def resume(
    before: Night,
    *,
    after_s: float = 0.0,
    asks_first: Callable[[str], bool] = lambda _: False,
    wants_proof: Callable[[str], bool] = lambda _: False,
) -> Night:
    """A fresh engine that takes up what the journals of an earlier night say, some time later."""
    now = before.now + after_s
    engine = Engine(before.settings, now)
    entries = before.entries()
    waiting = []
    for one in before.rows:
        entry = entries.get(one.identity)
        if entry is None:
            waiting.append(one)
        elif entry.state is State.WAITING:
            waiting.append(
                attempt(
                    one.key,
                    lane=lane_of(one),
                    number=entry.next_number,
                    images=one.request.images,
                )
            )
        elif entry.state in PAID:
            age_s = now - (entry.submitted_at if entry.submitted_at is not None else now)
            engine.take_up(lane_of(one), entry, now, doubt_age_s=age_s)
    enqueue(
        engine,
        *waiting,
        weights=before.weights,
        supersedes=entries,
        asks_first=asks_first,
        wants_proof=wants_proof,
    )
    return Night(
        engine,
        before.provider,
        before.rows,
        before.settings,
        now,
        before.weights,
        journal=list(before.journal),
    )
