"""A whole night in virtual time: the engine against a provider that is a heap of future answers.

The provider keeps its own records, and the invariants of the design are held against them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from pipeline import events as ev
from pipeline.commands import (
    Answer,
    Command,
    Download,
    DownloadAnswer,
    Query,
    QueryAnswer,
    Submit,
    SubmitAnswer,
    Upload,
    UploadAnswer,
)
from pipeline.engine.engine import Engine
from pipeline.engine.settings import Settings
from pipeline.errors import NoSuchTask, ProviderError, Unclear
from pipeline.lifecycle import apply
from pipeline.model import Attempt, Entry, Phase, Request, State, TaskView, Video
from pipeline.polling.schedule import Pace

SETTINGS = Settings(pace=Pace(first_s=5, interval_s=10, floor_s=5))


def attempt(key: str, *, number: int = 1, images: tuple[str, ...] = ()) -> Attempt:
    """An attempt of a plain six-second row."""
    request = Request(
        prompt=f"a film about {key}",
        images=images,
        duration=6,
        aspect_ratio="16:9",
        resolution="720P",
        model="gemini_omni_flash",
        request_hash=f"hash-{key}",
    )
    return Attempt(key, number, f"rs-{key}-{number}", request, f"{key}.mp4", cost=0.6)


VIDEO = Video("x.mp4", 1000, "00", 6.0, 1280, 720)


@dataclass
class Provider:
    """A provider in virtual time. Each hook may answer instead of the usual course."""

    seed: int = 1
    task_s: Callable[[random.Random], float] = lambda dice: dice.lognormvariate(4.1, 0.3)
    round_trip_s: float = 0.05
    on_submit: Callable[[Submit, int, float], ProviderError | None] = lambda *_: None
    on_query: Callable[[Query, int, float], TaskView | ProviderError | None] = lambda *_: None
    on_download: Callable[[Download, int, float], object] = lambda *_: VIDEO
    on_upload: Callable[[Upload, int, float], str | ProviderError] = lambda upload, *_: (
        f"https://files.example/{upload.sha256}.jpg"
    )
    accepts_unclear: bool = True
    accepted: Counter[str] = field(default_factory=Counter)
    submits: Counter[str] = field(default_factory=Counter)
    queries: Counter[str] = field(default_factory=Counter)
    downloads: Counter[str] = field(default_factory=Counter)
    uploads: Counter[str] = field(default_factory=Counter)
    submit_times: list[float] = field(default_factory=list)
    query_times: dict[str, list[float]] = field(default_factory=dict)
    tasks: dict[str, tuple[float, float]] = field(default_factory=dict)
    by_reference: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def answer(self, command: Command, now: float) -> Answer:
        match command:
            case Submit():
                return SubmitAnswer(command.attempt.key, self._submit(command, now))
            case Query():
                return QueryAnswer(command.key, self._query(command, now))
            case Download():
                key = command.attempt.key
                self.downloads[key] += 1
                return DownloadAnswer(key, self.on_download(command, self.downloads[key], now))  # type: ignore[arg-type]
            case Upload():
                self.uploads[command.sha256] += 1
                outcome = self.on_upload(command, self.uploads[command.sha256], now)
                return UploadAnswer(command.sha256, outcome)

    def _submit(self, command: Submit, now: float) -> str | ProviderError:
        key = command.attempt.key
        self.submits[key] += 1
        self.submit_times.append(now)
        error = self.on_submit(command, self.submits[key], now)
        if error is not None and not (isinstance(error, Unclear) and self.accepts_unclear):
            return error
        self.accepted[key] += 1
        task_id = f"video_{len(self.tasks):06}"
        self.tasks[task_id] = (now, now + self.task_s(self.dice))
        self.by_reference[command.attempt.client_business_id] = task_id
        return error or task_id

    def _query(self, command: Query, now: float) -> TaskView | ProviderError:
        self.queries[command.key] += 1
        self.query_times.setdefault(command.key, []).append(now)
        outcome = self.on_query(command, self.queries[command.key], now)
        if outcome is not None:
            return outcome
        task_id = self.by_reference.get(command.reference, command.reference)
        if task_id not in self.tasks:
            return NoSuchTask("task_not_exist", status=404)
        began, ends = self.tasks[task_id]
        if now < ends:
            return TaskView(task_id, Phase.IN_PROGRESS, (now - began) / (ends - began) * 100)
        url = f"https://files.example/{task_id}.mp4"
        return TaskView(task_id, Phase.COMPLETED, 100, url, began, ends, ends + 86400)


@dataclass
class Night:
    """One run in virtual time: carries out the commands, keeps the journal, moves the clock."""

    engine: Engine
    provider: Provider
    now: float = 0.0
    peak_outstanding: int = 0
    journal: list[tuple[ev.Event, float]] = field(default_factory=list)
    peaks: Counter[type] = field(default_factory=Counter)

    def run(self, until: float = 1e9) -> Night:
        """Run until nothing happens by itself any more, or until the given time."""
        coming: list[tuple[float, int, Answer]] = []
        turn, under_way = 0, Counter[type]()
        decision = self.engine.tell((), self.now)
        while True:
            self.journal += [(event, self.now) for event in decision.events]
            for command in decision.commands:
                turn += 1
                under_way[type(command)] += 1
                answer = self.provider.answer(command, self.now)
                latency = self.provider.round_trip_s
                heappush(coming, (self.now + latency, turn, answer))
            for kind in {type(command) for command in decision.commands}:
                self.peaks[kind] = max(self.peaks[kind], under_way[kind])
            self.peak_outstanding = max(self.peak_outstanding, self.engine.outstanding)
            if self.engine.finished or self.now >= until:
                return self
            times = [coming[0][0]] if coming else []
            if decision.wake_at is not None:
                times.append(decision.wake_at)
            assert times, "the engine is not finished and waits for nothing"
            assert min(times) > self.now or coming, "the engine asks to be woken at once, for ever"
            self.now = max(self.now, min(times))
            answers = []
            while coming and coming[0][0] <= self.now:
                answer = heappop(coming)[2]
                under_way[_COMMAND_OF[type(answer)]] -= 1
                answers.append(answer)
            decision = self.engine.tell(answers, self.now)

    def entries(self) -> dict[str, Entry]:
        """Replay the journal."""
        entries: dict[str, Entry] = {}
        for event, at in self.journal:
            entries[event.key] = apply(entries.get(event.key), event, at)
        return entries

    def states(self) -> Counter[State]:
        """How many rows stand where, by replay of the journal."""
        return Counter(entry.state for entry in self.entries().values())


_COMMAND_OF = {
    SubmitAnswer: Submit,
    QueryAnswer: Query,
    DownloadAnswer: Download,
    UploadAnswer: Upload,
}


def night(rows: int, provider: Provider | None = None, settings: Settings = SETTINGS) -> Night:
    """A night over so many new rows, ready to run."""
    engine = Engine(settings, 0.0)
    for number in range(rows):
        engine.enqueue(attempt(f"row{number:06}"), 0.0)
    return Night(engine, provider or Provider())


def resume(before: Night, settings: Settings = SETTINGS) -> Night:
    """A fresh engine that takes up what the journal of an earlier night says."""
    engine = Engine(settings, before.now)
    for entry in before.entries().values():
        if entry.state is State.WAITING:
            engine.enqueue(entry.attempt, before.now)
        elif entry.state in {
            State.SUBMITTING,
            State.IN_DOUBT,
            State.RUNNING,
            State.READY,
            State.MISSING,
        }:
            engine.take_up(entry, before.now)
    return Night(engine, before.provider, before.now, journal=list(before.journal))
