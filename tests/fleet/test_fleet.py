"""A fetch that is lost is a broken transfer, however it was lost: nothing else follows from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from dask.utils import key_split

from pipeline.errors import StoreError, TransferBroken
from pipeline.fleet import fleet as fleet_module
from pipeline.fleet.crew import Crew, Hands
from pipeline.fleet.fleet import Fleet, NoWorker
from pipeline.fleet.roster import Worker
from pipeline.fleet.wire import Fetch, Message, Terms, message_of
from pipeline.model import Video

PLACE = "s3://videos/spring/shop"
VIDEO = Video("A1.mp4", 10, "ab" * 32, 4.0, 1280, 720, (), PLACE)
Answer = Callable[[Message], Any]


class Future:
    """A future as Dask gives it."""

    def __init__(self, work: Any) -> None:
        self._task = asyncio.ensure_future(work)
        self.released = False

    def __await__(self) -> Any:
        return self._task.__await__()

    def release(self) -> None:
        self.released = True


class Scheduler:
    """A scheduler with workers that answer as they are told to."""

    status = "running"

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.given: list[dict[str, Any]] = []
        self.futures: list[Future] = []
        self.stopped: list[str] = []
        self.retired: list[str] = []
        self.scheduler = SimpleNamespace(processing=self._processing)

    def submit(self, _function: object, message: Message, **terms: Any) -> Future:
        self.given.append(terms)
        self.futures.append(Future(self.answer(message)))
        return self.futures[-1]

    async def run(self, _function: object, keys: Sequence[str], **_: Any) -> None:
        self.stopped += keys

    async def retire_workers(self, workers: Sequence[str], **_: Any) -> None:
        self.retired += workers

    async def _processing(self, workers: None) -> dict[str, list[str]]:
        assert workers is None
        return {"a": [one["key"] for one in self.given], "b": []}


def fleet_of(
    answer: Answer, *, longest_s: float | None = None, slots: int = 2
) -> tuple[Fleet, Crew, Scheduler, list[str]]:
    told: list[str] = []
    changes: list[Sequence[Worker]] = []
    crew, scheduler = Crew("tls://x:1", Hands(told.append, changes.append), {}), Scheduler(answer)
    crew.client = scheduler  # type: ignore[assignment]
    fleet = Fleet(crew, longest_s=longest_s)
    crew.after_look = fleet._take_in
    crew.roster.see({"a": slots, "b": slots})
    for address in "ab":
        crew.roster.admit(address, 1, "here")
    return fleet, crew, scheduler, told


def asked(fleet: Fleet) -> Fetch:
    terms = Terms(PLACE, "boxes", 0o644)
    return Fetch(fleet.key_for("A1.mp4"), "https://x/y", "A1.mp4", 4, "16:9", "720P", terms)


async def done(_: Message) -> Message:
    return message_of(VIDEO, "a")


async def never(_: Message) -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_video_comes_back() -> None:
    """It is asked for once, of those that are fit, and Dask tries nothing again by itself."""
    fleet, _, scheduler, _ = fleet_of(done)
    assert (await fleet.fetch(asked(fleet), 10)).content == VIDEO
    (given,) = scheduler.given
    assert (given["workers"], given["retries"], given["resources"]) == (
        ["a", "b"],
        0,
        {"reelsheet": 1},
    )
    assert [one.released for one in scheduler.futures] == [True]
    assert fleet.key_for("A1.mp4") != fleet.key_for("A1.mp4")
    assert key_split(fleet.key_for("A1.mp4")) == key_split(fleet.key_for("B-2.mp4"))


@pytest.mark.parametrize("error", [RuntimeError("x"), OSError("x"), KeyError("x")])
async def test_whatever_dask_raises_is_a_broken_transfer(error: Exception) -> None:
    async def fail(_: Message) -> Message:
        raise error

    fleet, *_ = fleet_of(fail)
    with pytest.raises(TransferBroken, match="was lost"):
        await fleet.fetch(asked(fleet), 10)


async def test_what_dask_cancels_is_a_broken_transfer() -> None:
    """It gathers for several at once: what ends one of them must not end the task of another."""

    async def end(_: Message) -> Message:
        raise asyncio.CancelledError

    fleet, crew, scheduler, _ = fleet_of(end)
    with pytest.raises(TransferBroken, match="is gone"):
        await fleet.fetch(asked(fleet), 10)
    await asyncio.gather(*crew._beside)
    assert scheduler.stopped == [scheduler.given[0]["key"]]


async def test_a_fetch_whose_workers_are_gone_is_lost() -> None:
    """It does not wait for workers that come later: those get the next try."""
    fleet, crew, scheduler, _ = fleet_of(never)
    fetching = asyncio.create_task(fleet.fetch(asked(fleet), 10))
    await asyncio.sleep(0)
    crew.roster.see({"c": 2})
    crew.roster.admit("c", 2, "here")
    await asyncio.sleep(0)
    fleet._take_in()
    with pytest.raises(TransferBroken, match="is gone"):
        await fetching
    await asyncio.sleep(0)
    assert scheduler.stopped == [scheduler.given[0]["key"]]


async def test_who_takes_too_long_is_replaced() -> None:
    """A new try alone would go to the same worker."""
    fleet, crew, scheduler, told = fleet_of(never, longest_s=0.01)
    with pytest.raises(TransferBroken):
        await fleet.fetch(asked(fleet), 10)
    await asyncio.gather(*crew._beside)
    assert scheduler.retired == ["a"]
    assert crew.roster.addresses == ["b"]
    assert "gets no more videos" in told[0]


async def test_a_fetch_that_is_given_up_is_stopped_there() -> None:
    fleet, crew, scheduler, _ = fleet_of(never)
    fetching = asyncio.create_task(fleet.fetch(asked(fleet), 10))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    fetching.cancel()
    await asyncio.gather(fetching, return_exceptions=True)
    await asyncio.gather(*crew._beside)
    assert scheduler.stopped == [one["key"] for one in scheduler.given]


async def test_three_faults_of_its_own_retire_a_worker() -> None:
    """Until then each is a broken transfer; of the last worker they are told as they are."""

    async def fail(_: Message) -> Message:
        return message_of(StoreError("No room.", action="Make some."), where[0])

    where = ["a"]
    fleet, crew, scheduler, told = fleet_of(fail)
    for _ in range(3):
        with pytest.raises(TransferBroken, match="No room"):
            await fleet.fetch(asked(fleet), 10)
    await asyncio.gather(*crew._beside)
    assert scheduler.retired == ["a"]
    assert "three times in a row" in told[0]
    where[0] = "b"
    for _ in range(2):
        with pytest.raises(TransferBroken):
            await fleet.fetch(asked(fleet), 10)
    assert isinstance((await fleet.fetch(asked(fleet), 10)).content, StoreError)


async def test_no_more_fetches_than_slots() -> None:
    """Dask has nothing waiting in line, so that nothing waits there for ever."""
    fleet, _, scheduler, _ = fleet_of(never, slots=1)
    fetching = [asyncio.create_task(fleet.fetch(asked(fleet), 10)) for _ in range(5)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(scheduler.given) == 2
    for one in fetching:
        one.cancel()
    await asyncio.gather(*fetching, return_exceptions=True)


@pytest.mark.parametrize("gone", ["scheduler", "workers"])
async def test_nothing_is_asked_of_nobody(monkeypatch: pytest.MonkeyPatch, gone: str) -> None:
    """The engine hears of an outage, which it waits out."""
    monkeypatch.setattr(fleet_module, "_NO_WORKER_S", 0.01)
    monkeypatch.setattr(fleet_module, "_LOOK_S", 0.005)
    fleet, crew, scheduler, _ = fleet_of(done)
    if gone == "scheduler":
        scheduler.status = "connecting"
    else:
        crew.roster.see({})
    with pytest.raises(NoWorker, match="does not answer" if gone == "scheduler" else "No worker"):
        await fleet.fetch(asked(fleet), 10)
    assert not scheduler.given
