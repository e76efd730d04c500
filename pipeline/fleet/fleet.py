"""The workers of a run, seen from the run: what each fetch comes to.

Whatever happens to workers, scheduler or connection, a fetch that is lost is a broken transfer and
nothing more: the run alone submits, and tries the fetch again. Dask gets no more fetches than there
are slots, and none while it is not connected, as those would wait without a word.

Tested in tests/fleet/test_fleet.py and tests/system/test_fleet.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Sequence
from itertools import count
from typing import Any, Self

from pipeline.errors import HostDown, TransferBroken
from pipeline.fleet.crew import ANSWER_S, Crew
from pipeline.fleet.dasksettings import RESOURCE
from pipeline.fleet.roster import Verdict, deadline_s
from pipeline.fleet.wire import Fetch, Fetched, read_reply

_NO_WORKER_S = 20.0
"""How long a fetch waits for a worker before the engine hears that there is none."""
_LOOK_S = 0.5


class NoWorker(HostDown):
    """No worker is there, or the scheduler is not: an outage to be waited out."""

    what = "a worker"
    serves_all = True


class _Flight:
    """A fetch under way, the workers that may have it, and when it is given up."""

    def __init__(self, allowed: Sequence[str], longest_s: float) -> None:
        self.allowed = list(allowed)
        self.limit = asyncio.timeout(longest_s)
        self.lost = False

    def lose(self) -> None:
        """Give it up now, as none of its workers is there."""
        if not self.limit.expired():
            self.lost = True
            self.limit.reschedule(0)


class Fleet:
    """Carries fetches to workers; an async context manager, which begins with a fit worker.

    `longest_s` is how long a worker may have a video; None: by its size.
    """

    def __init__(self, crew: Crew, *, longest_s: float | None = None) -> None:
        self._crew = crew
        self._longest_s = longest_s
        self._roster = crew.roster
        self._in_flight = 0
        self._woken = asyncio.Event()
        self._flights: dict[str, _Flight] = {}
        self._numbers = count(1)
        self._nonce = secrets.token_hex(4)

    async def __aenter__(self) -> Self:
        """Wait for a worker; raises Unfinished if none is fit."""
        self._crew.after_look = self._take_in
        await self._crew.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._crew.__aexit__()

    def key_for(self, name: str) -> str:
        """Return the key of a new task, which no other ever has.

        Dask makes a group of the tasks whose keys begin with the same word, and looks through all
        groups at each submission: so all of them begin alike, and the name comes last.
        """
        return f"video-{next(self._numbers)}-{self._nonce}-{name}"

    async def fetch(self, asked: Fetch, most_bytes: int) -> Fetched:
        """Have a video fetched by any worker that is fit; `most_bytes` is how large it may be.

        Raises TransferBroken, of which NoWorker is one: try again.
        """
        await self._take_slot()
        try:
            fetched = await self._send(asked, most_bytes)
        finally:
            self._in_flight -= 1
            self._woken.set()
        if not fetched.own:
            self._roster.note_success(fetched.worker)
            return fetched
        error = fetched.content
        verdict = self._roster.note_fault(fetched.worker)
        if verdict is Verdict.PASS_ON:
            return fetched
        if verdict is Verdict.RETIRE:
            self._crew.retire(fetched.worker, f"{error} (three times in a row)")
        raise TransferBroken(f"A worker could not do its work: {error}")

    async def _take_slot(self) -> None:
        """Wait for a free slot; raises NoWorker where there is no worker to have one."""
        now = asyncio.get_running_loop().time
        until = now() + _NO_WORKER_S
        while not self._crew.connected or self._in_flight >= self._roster.slots:
            if self._crew.connected and self._roster.slots:
                until = now() + _NO_WORKER_S
            elif now() >= until:
                raise NoWorker(self._crew.say_none())
            self._woken.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), _LOOK_S)
        self._in_flight += 1

    def _take_in(self) -> None:
        """Take in who is there: whoever waits is woken, and fetches of those gone are lost."""
        self._woken.set()
        for flight in self._flights.values():
            if not self._roster.any_of(flight.allowed):
                flight.lose()

    async def _send(self, asked: Fetch, most_bytes: int) -> Fetched:
        """Have Dask carry out one fetch; raises TransferBroken however it is lost."""
        longest_s = self._longest_s or deadline_s(most_bytes)
        flight = _Flight(self._roster.addresses, longest_s)
        try:
            async with flight.limit:
                self._flights[asked.key] = flight
                try:
                    reply = await self._carry(asked, flight)
                finally:
                    del self._flights[asked.key]
            return read_reply(reply, asked)
        except asyncio.CancelledError as error:
            self._crew.run_beside(self._stop(asked.key))
            if _is_cancelled():
                raise
            raise TransferBroken("The worker that had the video is gone.") from error
        except Exception as error:  # whatever Dask raises, nothing but a fetch is lost
            if not flight.limit.expired():
                raise TransferBroken(f"A worker was lost ({type(error).__name__}).") from error
            try:
                if not flight.lost:
                    await self._replace_holder(asked.key, longest_s)
            finally:
                self._crew.run_beside(self._stop(asked.key))
            raise TransferBroken("The worker that had the video is gone.") from error

    async def _carry(self, asked: Fetch, flight: _Flight) -> object:
        """Hand a fetch to Dask, and wait for what comes back."""
        from pipeline.fleet import worker  # noqa: PLC0415 - it loads what a worker needs

        client = self._crew.client
        assert client is not None  # noqa: S101 - a slot is taken only while connected
        future: Any = client.submit(
            worker.fetch,
            asked.message(),
            key=asked.key,
            workers=flight.allowed,
            resources={RESOURCE: 1},
            retries=0,
            pure=False,
        )
        try:
            return await future
        finally:
            future.release()

    async def _replace_holder(self, key: str, longest_s: float) -> None:
        """Retire who has a fetch beyond its time: it would get the next one as well."""
        with contextlib.suppress(Exception):
            scheduler: Any = getattr(self._crew.client, "scheduler", None)
            held = await asyncio.wait_for(scheduler.processing(workers=None), ANSWER_S)
            for address in [one for one, keys in held.items() if key in keys]:
                why = f"it has had a video for {longest_s:g} s"
                self._crew.retire(address, why, for_good=False)

    async def _stop(self, key: str) -> None:
        """Stop a transfer: that nobody waits for its future stops nothing."""
        from pipeline.fleet import worker  # noqa: PLC0415 - it loads what a worker needs

        with contextlib.suppress(Exception):
            client, there = self._crew.client, self._roster.addresses
            if client is not None and self._crew.connected and there:
                stopping = client.run(worker.stop, [key], workers=there, on_error="ignore")
                await asyncio.wait_for(stopping, ANSWER_S)


def _is_cancelled() -> bool:
    """Return whether this task itself is to end; Dask cancels what others wait for, too."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
