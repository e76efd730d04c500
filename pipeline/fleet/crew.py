"""Who works for a run: a watch over the scheduler's workers, each asked whether it is fit.

A scheduler that is gone is looked for again; whoever joins is told what the run needs, and asked
before it gets any video.

Tested in tests/fleet/test_fleet.py and tests/system/test_fleet.py.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from pipeline.errors import Unfinished
from pipeline.fleet.dasksettings import NOTICE, RESOURCE, load, security_from
from pipeline.fleet.roster import Roster, Worker
from pipeline.fleet.wire import Message

if TYPE_CHECKING:
    from distributed.client import Client
    from distributed.security import Security

    from pipeline.fleet.staff import Staff

_LOOK_S = 0.5
ANSWER_S = 5.0
"""How long a call to the scheduler may take that moves no video."""
_VET_S = 180.0
_FIRST_WORKER_S = 60.0
"""How long a run waits for its first worker, before anything is paid for."""
_AFTER_REFUSAL_S = 5.0


@dataclass(frozen=True, slots=True)
class Hands:
    """What a fleet tells: a sentence for people, and its workers whenever they change."""

    tell: Callable[[str], None]
    changed: Callable[[Sequence[Worker]], None]


class Crew:
    """The workers of a scheduler; an async context manager, which begins with a fit worker.

    Args:
        address: The scheduler's.
        hands: Are told what happens.
        notice: What whoever joins is told: version, places, probes.
        security: A passing certificate; None for those of Dask's own settings.
        staff: The worker processes of this machine, if they are ours.
        way: How the scheduler is reached from here, if not at its address.

    """

    def __init__(
        self,
        address: str,
        hands: Hands,
        notice: Message,
        *,
        security: Security | None = None,
        staff: Staff | None = None,
        way: str | None = None,
    ) -> None:
        self.address = address
        self.roster = Roster()
        self.client: Client | None = None
        self.after_look: Callable[[], None] = lambda: None
        self._hands = hands
        self._notice = notice
        self._security = security
        self._staff = staff
        self._way = way or address
        self._noticed = False
        self._refusal = ""
        self._pids: dict[str, int] = {}
        self._vetting: set[str] = set()
        self._beside: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Connect, and wait for a worker; raises Unfinished or ConfigError if none is fit."""
        load()
        try:
            await self._look()
            self._watching = asyncio.create_task(self._watch())
            await self._await_first()
            await self._try_scheduler()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self._beside:
            await asyncio.wait(self._beside, timeout=ANSWER_S)
        await self._disconnect()

    @property
    def connected(self) -> bool:
        """Whether the scheduler is there: what is asked of it before waits without a word."""
        return self.client is not None and self.client.status == "running"

    def say_none(self) -> str:
        """Say why nobody can be asked for anything."""
        if not self.connected:
            return f"The scheduler {self.address} does not answer."
        return f"No worker that is fit has joined the scheduler {self.address}."

    def run_beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done that nobody waits for but, for a while, the end."""
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    def retire(self, address: str, why: str, *, for_good: bool = True) -> None:
        """Give a worker nothing any more.

        Args:
            address: Its address.
            why: Why, for people.
            for_good: Whether a process of this machine is not started again.

        """
        self.roster.refuse(address)
        self._hands.tell(f"note: the worker {address} gets no more videos: {why}")
        self._hands.changed(self.roster.fit)
        pid = self._pids.pop(address, None)
        if self._staff is not None and pid is not None:
            self._staff.kill(pid, for_good=for_good)
        else:
            self.run_beside(self._dismiss(address))

    async def _dismiss(self, address: str) -> None:
        with contextlib.suppress(Exception):
            assert self.client is not None  # noqa: S101 - else it is gone anyway
            going = self.client.retire_workers(workers=[address], close_workers=True, remove=True)
            await asyncio.wait_for(going, ANSWER_S)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            await self._look()

    async def _look(self) -> None:
        """See who is there; connect anew where the connection is lost."""
        try:
            if self.client is None or self.client.status not in {"running", "connecting"}:
                await self._connect()
            present = await self._present()
        except Exception:  # noqa: BLE001 - Dask raises many kinds; it is tried again
            present = {}
        self._note(present)
        self.after_look()

    async def _connect(self) -> None:
        from distributed.client import Client  # noqa: PLC0415 - takes a while

        await self._disconnect()
        self._noticed = False
        self.client = await Client(
            self._way,
            asynchronous=True,
            security=self._security or security_from(None),
            set_as_default=False,
            timeout=ANSWER_S,
        )

    async def _disconnect(self) -> None:
        client, self.client = self.client, None
        if client is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(client.close(), ANSWER_S)

    async def _present(self) -> dict[str, int]:
        """Return the slots of the workers that the scheduler knows, by their addresses."""
        if self.client is None or not self.connected:
            self._noticed = False
            return {}
        if not self._noticed:
            await asyncio.wait_for(self.client.set_metadata([NOTICE], self._notice), ANSWER_S)
            self._noticed = True
        scheduler: Any = self.client.scheduler
        asked = scheduler.identity(n_workers=-1)
        known = (await asyncio.wait_for(asked, ANSWER_S))["workers"]
        return {
            address: int(one.get("resources", {}).get(RESOURCE, 0))
            for address, one in known.items()
        }

    def _note(self, present: Mapping[str, int]) -> None:
        new, gone = self.roster.see(present)
        for address in new:
            self._vetting.add(address)
            self.run_beside(self._vet(address))
        if gone:
            self._hands.changed(self.roster.fit)
        for one in gone:
            if self._staff is not None and one.pid:
                self._staff.kill(one.pid)  # it may be frozen, and would hold its post for ever

    async def _vet(self, address: str) -> None:
        """Ask a worker whether it is fit, before it gets any video."""
        from pipeline.fleet import worker  # noqa: PLC0415 - it loads what a worker needs

        try:
            assert self.client is not None  # noqa: S101 - else it is seen again
            asked = self.client.run(worker.vet, self._notice, workers=[address])
            told = (await asyncio.wait_for(asked, _VET_S))[address]
            fault, self._pids[address] = told["fault"], int(told["pid"])
            node = str(told["node"])
        except Exception as error:  # noqa: BLE001 - it cannot even say who it is
            fault, node = f"it does not answer ({type(error).__name__})", ""
        finally:
            self._vetting.discard(address)
        if fault is not None:
            self._refusal = f"The worker {address} is not fit: {fault}"
            self.retire(address, fault)
            return
        self.roster.admit(address, self._pids[address], node)
        self._hands.changed(self.roster.fit)
        self.after_look()

    async def _try_scheduler(self) -> None:
        """Have it hand on a task that does nothing; raises Unfinished where it cannot.

        A scheduler reads each task, so that it needs this package as its workers do. Nothing else
        would tell before videos are paid for.
        """
        from pipeline.fleet import worker  # noqa: PLC0415 - it loads what a worker needs

        assert self.client is not None  # noqa: S101 - a worker is there
        trial: Any = self.client.submit(worker.stop, [], pure=False, resources={RESOURCE: 1})
        try:
            await asyncio.wait_for(trial, _VET_S)
        except RuntimeError as error:  # a lost worker, or connection, is told by the next fetch
            if "deserialization" in str(error):
                raise Unfinished(
                    f"The scheduler {self.address} cannot read what it is to hand on, so nothing "
                    "was sent: Reelsheet is not installed where it runs, or not the version of "
                    "this run.",
                    action="Install it there as for a worker (docs/scale.md), and start the "
                    "scheduler again.",
                ) from error
        except Exception:  # noqa: BLE001, S110 - likewise
            pass
        finally:
            trial.release()

    async def _await_first(self) -> None:
        """Wait for a worker; raises Unfinished where none is fit in time."""
        loop = asyncio.get_running_loop()
        until, refused = loop.time() + _FIRST_WORKER_S, ""
        while not self.roster.slots:
            if self._staff is not None and (reason := self._staff.refusal) is not None:
                raise reason
            if self._refusal != refused:
                until, refused = min(until, loop.time() + _AFTER_REFUSAL_S), self._refusal
            if loop.time() >= until and not self._vetting:
                raise Unfinished(
                    "There is no worker that downloads videos, so nothing was sent. "
                    f"{(refused or self.say_none()).rstrip('.')}.",
                    action=f"Start one: reelsheet worker {self.address}; and run again.",
                )
            await asyncio.sleep(_LOOK_S / 5)
