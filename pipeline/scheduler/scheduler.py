"""The asyncio shell around the engine: it carries out commands and tells the engine the replies.

One rule holds everything together: no command is carried out before the events of its decision, and
of every earlier one, are durable in the journals of their lanes. So nothing ever leaves this
machine that the journals do not know. What happens to a row, the engine decides. The scheduler
decides only what it no longer carries out: after a halt it turns back submissions that are not out
yet, and on a full disk downloads.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Future
from math import inf
from typing import Any

from pipeline.disk.groupcommit import Committed
from pipeline.engine.commands import (
    Command,
    Decision,
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
from pipeline.engine.limits import day_of
from pipeline.engine.rows import Reach, Stop, stop_by
from pipeline.errors import (
    DownloadError,
    NotSent,
    ProviderError,
    StoreError,
    TransferBroken,
    Unfinished,
    Withheld,
)
from pipeline.events import Event
from pipeline.model import TaskView, Video
from pipeline.scheduler.seams import Clock, Lane, Observer

_LOOK_EVERY_S = 1.0
"""How often the free room on the disks is looked at, beside each time that a video came."""


class Scheduler:
    """Carries out the engine's commands until it is finished."""

    def __init__(
        self,
        engine: Engine,
        lanes: Sequence[Lane],
        *,
        clock: Clock,
        observer: Observer,
        client_reference: bool = True,
        day_of: Callable[[float], int] = day_of,
        look_at_disks: Callable[[], None] = lambda: None,
    ) -> None:
        """Connect the engine with the world.

        Args:
            engine: Decides what to do.
            lanes: The manifests, by the numbers that the engine knows them by.
            clock: Says the time and waits.
            observer: Is shown every decision.
            client_reference: Send our own reference with each submission.
            day_of: Returns the number of the day of a Unix second, for the caps per day.
            look_at_disks: Brings what the engine knows of free room up to date.

        """
        self._engine = engine
        self._lanes = lanes
        self._clock = clock
        self._observer = observer
        self._client_reference = client_reference
        self._day_of = day_of
        self._look_at_disks = look_at_disks
        self._replies: deque[Reply] = deque()
        # The commands that wait for each commit and for all before it. A journal completes its own
        # commits in order; `_early` are those that came before the turn of an earlier one.
        self._uncommitted: dict[Future[Committed], list[Command]] = {}
        self._early: set[Future[Committed]] = set()
        self._withheld: dict[str, Withheld] = {}  # by the references of what must not be sent
        self._under_way: dict[asyncio.Task[None], Command] = {}
        self._look_at = -inf
        self._halted = False
        self._full = self._dropping = False
        self._crash: BaseException | None = None
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Work until nothing is left to do.

        Whatever is raised, nothing is left running, and the paid calls that were under way have
        been awaited and their answers committed, if that was possible.

        Raises:
            StoreError: The journal of a lane cannot be written any more.
            Exception: Anything else is an internal error.

        """
        try:
            await self._work()
        except Exception as crash:
            await self._give_up(crash)
            raise
        finally:
            await self._drop(lambda _: True)

    async def _work(self) -> None:
        while self._crash is None:
            decision = self._turn()
            self._observer.observe(decision, self._engine)
            if decision.give_up:
                self._drop_all()
            if self._engine.finished and not self._uncommitted:
                return
            await self._sleep(decision.wake_at)
        raise self._crash

    def stop(self, stop: Stop) -> None:
        """Stop early; calls under way are awaited, and their answers committed."""
        self._halted = self._halted or stop.reach >= Reach.EVERYTHING
        self._engine.stop(stop)
        self._wake.set()

    def steer(self, change: Callable[[Engine], None]) -> None:
        """Have the engine work otherwise from now on: within other limits, or to its end."""
        change(self._engine)
        self._wake.set()

    def drop_downloads(self) -> None:
        """Give up the downloads under way; the bytes that came are kept for the next run."""
        for effort, command in self._under_way.items():
            if isinstance(command, Download):
                effort.cancel()

    def _drop_all(self) -> None:
        """Give up whatever is under way: each is replied to as unanswered."""
        self._dropping = True
        for effort in self._under_way:
            effort.cancel()

    async def _give_up(self, crash: Exception) -> None:
        # The task ids of paid calls are worth more than the time that their answers take.
        self._crash = crash
        self._engine.halt()
        await self._drop(lambda command: not isinstance(command, Submit))
        if self._under_way:
            await asyncio.wait(self._under_way)
        while self._replies or self._uncommitted:
            try:
                self._turn()
            except Exception as error:  # noqa: BLE001 - the first crash is raised; this one goes along
                crash.add_note(f"Then, while the last replies were taken in: {error!r}")
            if self._uncommitted:
                await self._wake.wait()
                self._wake.clear()

    def _turn(self) -> Decision:
        # The clock is read once: a submission is recorded under the day that it counts for.
        wall, now = self._clock.wall(), self._clock.now()
        if now >= self._look_at or any(isinstance(one, DownloadReply) for one in self._replies):
            self._look_at = now + _LOOK_EVERY_S
            self._look_at_disks()
        self._engine.begin_day(self._day_of(wall))
        self._engine.hours.heed_clock(now, wall)
        decision = self._engine.tell(self._drain_replies(), now)
        self._carry_out(decision, wall)
        return decision

    def _drain_replies(self) -> Iterator[Reply]:
        # One at a time: if the engine fails on a reply, the others are still there.
        while self._replies:
            yield self._replies.popleft()

    async def _sleep(self, wake_at: float | None) -> None:
        wait_s = self._observer.interval_s
        if wake_at is not None:
            wait_s = min(wait_s, max(0.0, wake_at - self._clock.now()))
        timer = asyncio.get_running_loop().call_later(wait_s, self._wake.set)
        await self._wake.wait()
        timer.cancel()
        self._wake.clear()

    def _carry_out(self, decision: Decision, wall: float) -> None:
        for lane, events in _by_lane(decision.events):
            self._await(self._lanes[lane].record.append(events, wall))
        if self._uncommitted:
            next(reversed(self._uncommitted.values())).extend(decision.commands)
        else:
            self._start(decision.commands)

    def _await(self, written: Future[Committed]) -> None:
        # However many decisions share a commit, it calls into the loop once: each call costs 5
        # microseconds and a turn of the loop.
        if written in self._uncommitted:
            return
        self._uncommitted[written] = []
        loop = asyncio.get_running_loop()
        written.add_done_callback(
            lambda done: loop.call_soon_threadsafe(self._go_on_after_commit, done)
        )

    def _go_on_after_commit(self, done: Future[Committed]) -> None:
        self._early.add(done)
        while self._uncommitted and (done := next(iter(self._uncommitted))) in self._early:
            self._early.remove(done)
            commands = self._uncommitted.pop(done)
            if (error := done.exception()) is not None:
                self._fail(error)
            else:
                self._withheld |= done.result().withheld
                self._heed(done.result().shortage)
            self._start(commands)
        # A commit alone changes nothing that the engine decides by, so it is not asked again.
        if not self._uncommitted and (self._crash is not None or self._engine.finished):
            self._wake.set()

    def _heed(self, shortage: StoreError | None) -> None:
        """Stop at the first commit that needed the reserve: the rest of it is for the answers."""
        if shortage is None or self._full:
            return
        self._full = True
        self.stop(stop_by(shortage))
        self.drop_downloads()

    def _start(self, commands: Sequence[Command]) -> None:
        for command in commands:
            if isinstance(command, Submit) and (held := self._held_back(command)) is not None:
                self._tell(SubmitReply(command.row, held))
            elif (self._halted or self._crash) and isinstance(command, Submit):
                # Decided before the stop and not out yet: so it is known to be unsent.
                unsent = NotSent("the run was stopped before this was sent")
                self._tell(SubmitReply(command.row, unsent))
            elif self._full and isinstance(command, Download):
                later = TransferBroken("the disk is full; the next run downloads the video")
                self._tell(DownloadReply(command.row, later))
            elif self._dropping:
                self._tell(unanswered(command))
            elif self._crash is None:
                effort = asyncio.create_task(self._perform(command))
                self._under_way[effort] = command
                effort.add_done_callback(self._end_effort)

    def _held_back(self, command: Submit) -> Withheld | None:
        return self._withheld.pop(command.attempt.client_business_id, None)

    def _end_effort(self, effort: asyncio.Task[None]) -> None:
        command = self._under_way.pop(effort)
        if effort.cancelled():
            if self._dropping or isinstance(command, Download):
                self._tell(unanswered(command))
        elif (error := effort.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._crash = self._crash or error
        self._wake.set()

    async def _drop(self, unwanted: Callable[[Command], bool]) -> None:
        efforts = [effort for effort, command in self._under_way.items() if unwanted(command)]
        for effort in efforts:
            effort.cancel()
        await asyncio.gather(*efforts, return_exceptions=True)

    def _perform(self, command: Command) -> Coroutine[Any, Any, None]:
        match command:
            case Query():
                return self._query(command)
            case Submit():
                return self._submit(command)
            case Download():
                return self._download(command)
            case Upload():
                return self._upload(command)

    def _tell(self, reply: Reply) -> None:
        self._replies.append(reply)
        self._wake.set()

    async def _upload(self, command: Upload) -> None:
        lane = self._lanes[command.lane]
        picture = lane.pictures[command.sha256]
        if picture.unkept is not None:
            raise StoreError(
                f"a picture cannot be sent: {' '.join(picture.warnings)}",
                action="Make room in the output folder, or make it writable, and run again.",
            )
        content: str | ProviderError
        try:
            content = await lane.provider.upload(
                picture.path, picture.mime_type, sha256=picture.sent_sha256, rewrite=lane.rewrite
            )
        except ProviderError as error:
            content = error
        else:
            lane.record.remember_upload(lane.account, command.sha256, content, self._clock.wall())
        self._tell(UploadReply(command.sha256, content, command.lane))

    async def _submit(self, command: Submit) -> None:
        attempt, provider = command.attempt, self._lanes[command.row.lane].provider
        ours = attempt.client_business_id if self._client_reference else None
        content: str | ProviderError
        try:
            content = await provider.submit(attempt.request, command.image_urls, ours, attempt.key)
        except ProviderError as error:
            content = error
        self._tell(SubmitReply(command.row, content))

    async def _query(self, command: Query) -> None:
        content: TaskView | ProviderError
        try:
            content = await self._lanes[command.row.lane].provider.query(command.reference)
        except ProviderError as error:
            content = error
        self._tell(QueryReply(command.row, content))

    async def _download(self, command: Download) -> None:
        request = command.attempt.request
        content: Video | DownloadError | Unfinished
        try:
            content = await self._lanes[command.row.lane].store.fetch(
                command.url,
                name=command.attempt.video_name,
                duration=request.duration,
                aspect_ratio=request.aspect_ratio,
                resolution=request.resolution,
                **({"model": request.model} if request.body else {}),
            )
        except (DownloadError, Unfinished) as error:
            content = error
        self._tell(DownloadReply(command.row, content))


def _by_lane(events: Sequence[Event]) -> Iterable[tuple[int, Sequence[Event]]]:
    """Part the events of a decision by the lanes that they happened in, each part in its order."""
    parted: dict[int, list[Event]] = {}
    for event in events:
        parted.setdefault(event.lane, []).append(event)
    return parted.items()
