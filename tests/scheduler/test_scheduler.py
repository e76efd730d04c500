"""The shell around the engine: durable first, then carried out; and an orderly end, always."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from pipeline import events as ev
from pipeline.disk.groupcommit import Committed
from pipeline.engine.commands import Decision, Reply
from pipeline.engine.engine import Engine
from pipeline.engine.limits import Pace, RunLimits
from pipeline.engine.rows import Stop
from pipeline.errors import (
    ExitCode,
    LinkDead,
    StoreError,
    Throttled,
    Unclear,
    Unreachable,
    Withheld,
)
from pipeline.lifecycle import apply
from pipeline.model import Attempt, Entry, Phase, Picture, Request, State, TaskView, Video
from pipeline.scheduler.scheduler import Scheduler
from pipeline.scheduler.seams import Lane
from tests.engine.night import VIDEO, attempt, enqueue, lane_of

QUICK = RunLimits(
    pace=Pace(first_s=0.005, interval_s=0.005, floor_s=0),
    submits_per_minute=60_000,
    polls_per_minute=600_000,
)


@dataclass
class Api:
    """A provider that answers at once, unless a gate is shut or a method is replaced."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    under_way: int = 0
    errors: dict[str, Callable[[str], Exception | None]] = field(default_factory=dict)

    async def upload(
        self, path: Path, mime_type: str, *, sha256: str | None = None, **_: object
    ) -> str:
        assert mime_type == "image/png"
        await self._call("upload", path.name)
        return f"https://files.example/{sha256}"

    async def submit(
        self,
        request: Request,
        image_urls: Sequence[str],
        client_business_id: str | None,
        key: str,  # noqa: ARG002
    ) -> str:
        assert all(url.startswith("https://") for url in image_urls)
        await self._call("submit", client_business_id or request.prompt)
        return f"task-{client_business_id}"

    async def query(self, reference: str) -> TaskView:
        await self._call("query", reference)
        task_id = reference if reference.startswith("task-") else f"task-{reference}"
        return TaskView(task_id, Phase.COMPLETED, 100, f"https://files.example/{task_id}.mp4")

    async def _call(self, kind: str, what: str) -> None:
        self.calls.append((kind, what))
        self.under_way += 1
        try:
            if kind in self.gates:
                await self.gates[kind].wait()
            await asyncio.sleep(0)
            choose = self.errors.get(kind)
            error = choose(what) if choose else None
            if error is not None:
                raise error
        finally:
            self.under_way -= 1

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.calls]


@dataclass
class Shelf:
    """A store that has every video at once, unless its gate is shut."""

    gate: asyncio.Event | None = None
    fetched: list[str] = field(default_factory=list)
    outcome: Callable[[str], Exception | None] = lambda _: None

    async def fetch(
        self,
        url: str,
        *,
        name: str,
        duration: int,
        aspect_ratio: str,
        resolution: str,
        model: str = "",
    ) -> Video:
        assert url.startswith("https://")
        assert (duration, aspect_ratio, resolution, model) == (6, "16:9", "720P", "")
        self.fetched.append(name)
        if self.gate is not None:
            await self.gate.wait()
        error = self.outcome(name)
        if error is not None:
            raise error
        return replace(VIDEO, name=name)


@dataclass
class Book:
    """A record whose commits the test completes, or that completes them at once."""

    at_once: bool = True
    shared: bool = False
    breaks_at: int | None = None
    events: list[ev.Event] = field(default_factory=list)
    open: list[tuple[Sequence[ev.Event], Future[Committed]]] = field(default_factory=list)
    uploads: list[tuple[str, str]] = field(default_factory=list)
    appends: int = 0
    broken: bool = False
    withheld: dict[str, Withheld] = field(default_factory=dict)

    def append(self, events: Sequence[ev.Event], at: float) -> Future[Committed]:
        assert at > 0
        self.appends += 1
        self.broken = self.broken or self.appends == self.breaks_at
        written: Future[Committed] = Future()
        if self.broken:
            written.set_exception(StoreError("the disk is full"))
            return written
        if self.shared and self.open:
            written = self.open[0][1]
        self.open.append((events, written))
        if self.at_once:
            self.commit()
        return written

    def commit(self) -> None:
        for events, _ in self.open:
            self.events += events
        for written in dict.fromkeys(written for _, written in self.open):
            written.set_result(Committed(withheld=self.withheld))
        self.open = []

    def remember_upload(self, account: str, sha256: str, url: str, at: float) -> Future[Committed]:
        assert at > 0
        self.uploads.append((f"{account}:{sha256}", url))
        return Future()

    def entries(self) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for event in self.events:
            entries[event.key] = apply(entries.get(event.key), event, 1.0)
        return entries

    def states(self) -> set[State]:
        return {entry.state for entry in self.entries().values()}


class Clock:
    """The machine's own time."""

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()


@dataclass
class Watcher:
    """Counts what it is shown, and may break."""

    interval_s: float = 0.05
    shown: int = 0
    breaks: bool = False

    def observe(self, decision: Decision, engine: Engine) -> None:
        assert isinstance(engine, Engine)
        self.shown += 1
        if self.breaks and any(isinstance(event, ev.Intended) for event in decision.events):
            raise RuntimeError("the screen broke")


class BrittleEngine(Engine):
    """An engine with a bug: one answer is too much for it."""

    def tell(self, answers: Any, now: float) -> Decision:
        def checked() -> Iterator[Reply]:
            for answer in answers:
                if getattr(answer, "row", None) == (0, "row0"):
                    raise ZeroDivisionError("a bug")
                yield answer

        return super().tell(checked(), now)


@dataclass
class Stage:
    """Everything around one scheduler; `shelf` and `book` are those of the first lane."""

    api: Api = field(default_factory=Api)
    shelf: Shelf = field(default_factory=Shelf)
    book: Book = field(default_factory=Book)
    more_lanes: list[tuple[Shelf, Book]] = field(default_factory=list)
    watcher: Watcher = field(default_factory=Watcher)
    settings: RunLimits = QUICK
    engine_class: type[Engine] = Engine

    def scheduler(
        self, rows: int = 3, *others: Attempt, images: tuple[str, ...] = (), **said: Any
    ) -> Scheduler:
        clock = Clock()
        engine = self.engine_class(self.settings, clock.now())
        lanes = [(self.shelf, self.book), *self.more_lanes]
        alike = [
            attempt(f"row{number}", lane=lane, images=images)
            for lane in range(len(lanes))
            for number in range(rows)
        ]
        enqueue(engine, *alike, *others, weights=[1] * len(lanes))
        pictures = {"ab": Picture(Path("p.png"), "ab", 10, "image/png", 720, 720)}
        return Scheduler(
            engine,
            [Lane(self.api, book, shelf, pictures, "shop") for shelf, book in lanes],
            clock=clock,
            observer=self.watcher,
            **said,
        )


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - what is waited for is plain state of the doubles
            await asyncio.sleep(0.001)


@contextmanager
def leaving_nothing(stage: Stage) -> Iterator[None]:
    before = asyncio.all_tasks()
    yield
    assert asyncio.all_tasks() == before, "nothing is left running"
    assert stage.api.under_way == 0


async def test_rows_go_all_the_way() -> None:
    """Pictures, submissions, queries, videos: each row is done and in the record."""
    stage = Stage()
    await stage.scheduler(5, images=("sha256:ab",)).run()
    assert stage.book.states() == {State.DONE}
    assert stage.api.kinds().count("upload") == 1
    assert stage.api.kinds().count("submit") == 5
    assert stage.book.uploads == [("shop:ab", "https://files.example/ab")]
    assert sorted(stage.shelf.fetched) == [f"row{n}.mp4" for n in range(5)]
    assert stage.watcher.shown > 0


async def test_nothing_is_submitted_before_its_intent_is_durable() -> None:
    """The POST waits for the commit, and so does the query for the commit of the task id."""
    stage = Stage(book=Book(at_once=False))
    run = asyncio.create_task(stage.scheduler(1).run())
    await until(lambda: stage.book.open)
    await asyncio.sleep(0.02)
    assert stage.api.calls == []
    stage.book.commit()
    await until(lambda: stage.book.open)
    assert stage.api.kinds() == ["submit"]
    await asyncio.sleep(0.03)
    assert stage.api.kinds() == ["submit"], "the first query follows the commit of the task id"
    stage.book.commit()
    await until(lambda: stage.book.open)
    assert stage.api.kinds() == ["submit", "query"]
    assert stage.shelf.fetched == []
    stage.book.at_once = True
    stage.book.commit()
    await run
    assert stage.book.states() == {State.DONE}


async def test_decisions_that_share_a_commit_are_carried_out_after_it() -> None:
    """One future for two decisions: the commands of both wait for it, and none is forgotten."""
    stage = Stage(book=Book(at_once=False, shared=True))
    scheduler = stage.scheduler(1)
    run = asyncio.create_task(scheduler.run())
    await until(lambda: stage.book.appends == 1)
    enqueue(scheduler._engine, attempt("later"))
    await until(lambda: stage.book.appends == 2)
    await asyncio.sleep(0.02)
    assert stage.api.calls == []
    stage.book.at_once = True
    stage.book.commit()
    await run
    assert stage.api.calls[:2] == [("submit", "rs-row0-1"), ("submit", "rs-later-1")]
    assert stage.book.states() == {State.DONE}


async def test_a_run_ends_only_when_its_last_event_is_durable() -> None:
    """The video in its place is not enough: the record has to have it."""
    stage = Stage(book=Book(at_once=False))
    run = asyncio.create_task(stage.scheduler(1).run())
    for _ in range(3):
        await until(lambda: stage.book.open)
        stage.book.commit()
    await until(lambda: stage.book.open)
    await asyncio.sleep(0.02)
    assert not run.done()
    stage.book.commit()
    await run
    assert stage.book.states() == {State.DONE}


@pytest.mark.parametrize("lanes", [2, 3])
async def test_rows_of_several_lanes_go_all_the_way(lanes: int) -> None:
    """Each into the record and the folder of its lane, though their keys are the same."""
    stage = Stage(more_lanes=[(Shelf(), Book()) for _ in range(lanes - 1)])
    await stage.scheduler(5, images=("sha256:ab",)).run()
    assert stage.api.kinds().count("upload") == 1
    assert stage.api.kinds().count("submit") == 5 * lanes
    assert stage.book.uploads == [("shop:ab", "https://files.example/ab")]
    for lane, (shelf, book) in enumerate([(stage.shelf, stage.book), *stage.more_lanes]):
        assert book.states() == {State.DONE}
        assert {event.lane for event in book.events} == {lane}
        assert {
            lane_of(event.attempt) for event in book.events if isinstance(event, ev.Intended)
        } == {lane}
        assert sorted(shelf.fetched) == [f"row{n}.mp4" for n in range(5)]


@pytest.mark.parametrize("quicker", [0, 1])
async def test_nothing_is_sent_before_the_intents_of_all_lanes_are_durable(quicker: int) -> None:
    """One decision, two journals: whichever commits first, its rows wait for the other, too."""
    books = [Book(at_once=False), Book(at_once=False)]
    stage = Stage(book=books[0], more_lanes=[(Shelf(), books[1])])
    run = asyncio.create_task(stage.scheduler(1).run())
    await until(lambda: books[0].open and books[1].open)
    books[quicker].at_once = True
    books[quicker].commit()
    await asyncio.sleep(0.02)
    assert stage.api.calls == []
    books[1 - quicker].at_once = True
    books[1 - quicker].commit()
    await run
    assert stage.api.kinds().count("submit") == 2
    assert [book.states() for book in books] == [{State.DONE}, {State.DONE}]


async def test_a_later_decision_waits_for_an_earlier_one_of_another_lane() -> None:
    """Its own journal has its intent long since; the earlier decision is not durable yet."""
    stage = Stage(book=Book(at_once=False), more_lanes=[(Shelf(), Book())])
    scheduler = stage.scheduler(0, attempt("first"))
    run = asyncio.create_task(scheduler.run())
    await until(lambda: stage.book.open)
    enqueue(scheduler._engine, attempt("second", lane=1), weights=[1, 1])
    quick = stage.more_lanes[0][1]
    await until(lambda: quick.events)
    await asyncio.sleep(0.02)
    assert stage.api.calls == []
    stage.book.at_once = True
    stage.book.commit()
    await run
    assert stage.api.calls[:2] == [("submit", "rs-first-1"), ("submit", "rs-1/second-1")]
    assert stage.book.states() == quick.states() == {State.DONE}


@pytest.mark.parametrize("broken", [0, 1])
async def test_the_broken_journal_of_a_lane_ends_all_lanes(broken: int) -> None:
    """What the others were answered is committed, and what they did not send is withdrawn."""
    books = [Book(), Book()]
    books[broken].breaks_at = 2
    settings = replace(QUICK, submits_in_flight=2)
    stage = Stage(book=books[0], more_lanes=[(Shelf(), books[1])], settings=settings)
    with leaving_nothing(stage), pytest.raises(StoreError, match="disk is full"):
        await stage.scheduler(10).run()
    assert stage.api.kinds().count("submit") == 2
    states = [[entry.state for entry in book.entries().values()] for book in books]
    assert states[broken] == [State.SUBMITTING]
    assert states[1 - broken].count(State.RUNNING) == 1
    assert set(states[1 - broken]) <= {State.RUNNING, State.WAITING}


async def test_without_a_reference_none_is_sent() -> None:
    """`api.client_reference: false` keeps the field out of the call."""
    stage = Stage()
    await stage.scheduler(1, client_reference=False).run()
    assert stage.api.calls[0] == ("submit", "a film about row0")


async def test_errors_of_the_provider_are_answers() -> None:
    """They reach the engine, which decides: here all of them are passing ones."""
    turns: dict[str, int] = {}

    def twice(error: Exception) -> Callable[[str], Exception | None]:
        def choose(what: str) -> Exception | None:
            turns[what] = turns.get(what, 0) + 1
            return error if turns[what] == 1 else None

        return choose

    stage = Stage()
    stage.api.errors = {
        "upload": twice(Unreachable("502", retry_after_s=0.01)),
        "submit": twice(Throttled("429", retry_after_s=0.01)),
        "query": twice(Unreachable("500", retry_after_s=0.01)),
    }
    stage.shelf.outcome = twice(LinkDead("403", retry_after_s=0.01))
    await stage.scheduler(1, images=("sha256:ab",)).run()
    assert stage.book.states() == {State.DONE}


async def test_a_crash_in_a_coroutine_ends_the_run() -> None:
    """An internal error is raised as it is, and nothing is left running."""
    stage = Stage()
    stage.api.errors = {"query": lambda _: ZeroDivisionError("a bug")}
    with leaving_nothing(stage), pytest.raises(ZeroDivisionError, match="a bug"):
        await stage.scheduler(20).run()
    assert State.SUBMITTING not in stage.book.states()


async def test_paid_calls_under_way_are_awaited_after_a_crash() -> None:
    """Their task ids are committed although something else broke; nothing new goes out."""
    stage = Stage()
    stage.api.gates["submit"] = asyncio.Event()
    stage.watcher.breaks = False
    stage.api.errors = {"upload": lambda _: ZeroDivisionError("a bug")}
    stage.api.gates["upload"] = asyncio.Event()
    scheduler = stage.scheduler(3, attempt("picture", images=("sha256:ab",)))
    with leaving_nothing(stage):
        run = asyncio.create_task(scheduler.run())
        await until(lambda: len(stage.api.calls) == 4)
        stage.api.gates["upload"].set()
        await asyncio.sleep(0.02)
        assert not run.done()
        stage.api.gates["submit"].set()
        with pytest.raises(ZeroDivisionError, match="a bug"):
            await run
        assert [one.state for one in stage.book.entries().values()] == [State.RUNNING] * 3
        assert stage.api.kinds().count("submit") == 3
        assert "query" not in stage.api.kinds()
        del run


async def test_an_intent_that_never_went_out_is_withdrawn_after_a_crash() -> None:
    """Committed, but not sent: the row waits again instead of being in doubt."""
    stage = Stage()
    stage.watcher.breaks = True
    with leaving_nothing(stage), pytest.raises(RuntimeError, match="the screen broke"):
        await stage.scheduler(3).run()
    assert stage.api.calls == []
    assert stage.book.states() == {State.WAITING}


async def test_a_bug_in_the_engine_loses_no_other_answer() -> None:
    """One answer is too much for it: the answers behind it are committed, the bug is raised."""
    stage = Stage(engine_class=BrittleEngine)
    with leaving_nothing(stage), pytest.raises(ZeroDivisionError, match="a bug"):
        await stage.scheduler(4).run()
    states = {key: entry.state for key, entry in stage.book.entries().items()}
    assert states.pop("row0") is State.SUBMITTING
    assert set(states.values()) == {State.RUNNING}


@pytest.mark.parametrize("breaks_at", [1, 2, 3])
async def test_a_broken_journal_ends_the_run(breaks_at: int) -> None:
    """StoreError is raised, nothing is submitted after it, nothing is left running."""
    stage = Stage(book=Book(breaks_at=breaks_at), settings=replace(QUICK, submits_in_flight=1))
    with leaving_nothing(stage), pytest.raises(StoreError, match="disk is full"):
        await stage.scheduler(10).run()
    assert stage.api.kinds().count("submit") < breaks_at


async def test_a_broken_journal_does_not_cut_paid_calls_off() -> None:
    """The POST under way comes to its end before the run gives up."""
    stage = Stage(book=Book(breaks_at=2), settings=replace(QUICK, outstanding=2))
    release: list[asyncio.Event] = [asyncio.Event()]
    cut: list[str] = []

    async def submit(_: Request, __: Sequence[str], reference: str | None, ___: str) -> str:
        try:
            if reference == "rs-row1-1":
                await release[0].wait()
        except asyncio.CancelledError:
            cut.append(reference or "")
            raise
        return f"task-{reference}"

    stage.api.submit = submit  # type: ignore[assignment, method-assign]
    run = asyncio.create_task(stage.scheduler(2).run())
    await until(lambda: stage.book.broken)
    await asyncio.sleep(0.02)
    assert not run.done()
    release[0].set()
    with pytest.raises(StoreError):
        await run
    assert cut == []


async def test_a_stop_awaits_what_is_under_way() -> None:
    """Nothing new begins, the answers under way are committed, no row is in doubt."""
    stage = Stage(settings=replace(QUICK, submits_in_flight=2))
    stage.api.gates["submit"] = asyncio.Event()
    scheduler = stage.scheduler(10)
    with leaving_nothing(stage):
        run = asyncio.create_task(scheduler.run())
        await until(lambda: len(stage.api.calls) == 2)
        scheduler.stop(Stop(ExitCode.INTERRUPTED, "interrupted"))
        await asyncio.sleep(0.02)
        assert not run.done()
        stage.api.gates["submit"].set()
        await run
        del run
    assert stage.api.kinds() == ["submit", "submit"]
    assert [one.state for one in stage.book.entries().values()] == [State.RUNNING] * 2


async def test_a_stop_before_the_commit_sends_nothing() -> None:
    """An intent that becomes durable after the stop is withdrawn, not sent."""
    stage = Stage(book=Book(at_once=False))
    scheduler = stage.scheduler(3)
    run = asyncio.create_task(scheduler.run())
    await until(lambda: stage.book.open)
    scheduler.stop(Stop(ExitCode.INTERRUPTED, "interrupted"))
    stage.book.at_once = True
    stage.book.commit()
    await run
    assert stage.api.calls == []
    assert stage.book.states() == {State.WAITING}


@pytest.mark.parametrize("repeat", [True, False])
async def test_what_the_account_withholds_is_never_sent(repeat: bool) -> None:
    """A repeat waits and the others go on; a cap ends submitting, with its reason."""
    kept_back = Withheld("bought before" if repeat else "a cap is reached", repeat=repeat)
    stage = Stage(settings=replace(QUICK, submits_in_flight=1))
    stage.book.withheld["rs-row1-1"] = kept_back
    scheduler = stage.scheduler(3)
    with leaving_nothing(stage):
        await scheduler.run()
    sent = [name for kind, name in stage.api.calls if kind == "submit"]
    assert sent == ["rs-row0-1", *(["rs-row2-1"] if repeat else [])]
    entry = stage.book.entries()["row1"]
    assert (entry.state, entry.next_number) == (State.WAITING, 1)
    engine = scheduler._engine
    assert engine.held(0) == ({"row1": "bought before"} if repeat else {})
    assert [stop.exit_code for stop in engine.stops] == ([] if repeat else [ExitCode.STOPPED])


async def test_dropped_downloads_leave_their_rows_ready() -> None:
    """The second interruption gives the transfers up; the next run resumes them."""
    stage = Stage(shelf=Shelf(gate=asyncio.Event()))
    scheduler = stage.scheduler(3)
    with leaving_nothing(stage):
        run = asyncio.create_task(scheduler.run())
        await until(lambda: len(stage.shelf.fetched) == 3)
        scheduler.stop(Stop(ExitCode.INTERRUPTED, "interrupted"))
        await asyncio.sleep(0.01)
        assert not run.done()
        scheduler.drop_downloads()
        await asyncio.wait_for(run, 5)
        del run
    assert stage.book.states() == {State.READY}


async def test_a_download_dropped_before_it_began_is_answered_too() -> None:
    """Given up in the very moment of its start: the run still ends."""
    stage = Stage(shelf=Shelf(gate=asyncio.Event()), book=Book(at_once=False))
    scheduler = stage.scheduler(1)
    run = asyncio.create_task(scheduler.run())
    for _ in range(2):
        await until(lambda: stage.book.open)
        stage.book.commit()
    await until(lambda: stage.book.open)
    assert isinstance(stage.book.open[0][0][0], ev.Completed)
    stage.book.commit()
    # The commit's call into the loop starts the download; this one comes right behind it.
    asyncio.get_running_loop().call_soon(scheduler.stop, Stop(ExitCode.INTERRUPTED, "stop"))
    asyncio.get_running_loop().call_soon(scheduler.drop_downloads)
    await asyncio.wait_for(run, 5)
    assert stage.shelf.fetched == []
    assert stage.book.states() == {State.READY}


async def test_a_full_disk_of_the_store_is_a_stop_and_no_crash() -> None:
    """The run ends by itself, with the reason among the engine's stops."""
    stage = Stage()
    stage.shelf.outcome = lambda _: StoreError("no room for videos")
    scheduler = stage.scheduler(3)
    await scheduler.run()
    assert [stop.reason for stop in scheduler._engine.stops] == ["no room for videos"]
    assert State.DONE not in stage.book.states()


async def test_a_lost_answer_is_looked_up_by_our_reference() -> None:
    """Unclear is an answer like others; the look-up goes out under the reference."""
    stage = Stage()
    stage.api.errors = {"submit": lambda _: Unclear("the connection broke")}
    await stage.scheduler(1).run()
    assert stage.api.calls[:2] == [("submit", "rs-row0-1"), ("query", "rs-row0-1")]
    assert stage.book.states() == {State.DONE}


async def test_a_cancelled_run_leaves_nothing_running() -> None:
    """Whoever cancels the run gets it cancelled, with all that it began."""
    stage = Stage()
    stage.api.gates["submit"] = asyncio.Event()
    with leaving_nothing(stage):
        run = asyncio.create_task(stage.scheduler(3).run())
        await until(lambda: stage.api.calls)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        del run
