"""Ctrl-C and its like: the first lets answers under way come in, the second drops the downloads."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Protocol, Self

from pipeline.engine.rows import Stop
from pipeline.errors import ExitCode


class Stoppable(Protocol):
    """What can be stopped early."""

    def stop(self, stop: Stop) -> None:
        """Begin nothing new."""

    def drop_downloads(self) -> None:
        """Give up the transfers under way."""


class Interruptions:
    """While it is entered, signals stop the run in three steps; use it inside a running loop.

    A signal that comes before `steer` counts as soon as there is something to stop.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._run: Stoppable | None = None
        self._say = say
        self._times = 0
        self._stop: Stop | None = None
        self._before: dict[signal.Signals, object] = {}

    def steer(self, run: Stoppable) -> None:
        """Stop this from now on."""
        self._run = run
        if self._stop is not None:
            run.stop(self._stop)

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
            one = getattr(signal, name, None)
            # What is ignored stays ignored: nohup and a shell's & ask for that.
            if one is not None and signal.getsignal(one) is not signal.SIG_IGN:
                # signal.signal works on every system; the loop's own handlers only on POSIX.
                self._before[one] = signal.signal(one, self._received)
        return self

    def __exit__(self, *_: object) -> None:
        for one, before in self._before.items():
            signal.signal(one, before)  # type: ignore[arg-type]

    def _received(self, number: int, _frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._step, signal.Signals(number))

    def _step(self, received: signal.Signals) -> None:
        self._times += 1
        interrupted = received is signal.SIGINT
        code = ExitCode.INTERRUPTED if interrupted else ExitCode.TERMINATED
        if self._times == 1:
            self._say(
                "Stopping: nothing new is sent; answers and downloads under way are awaited. "
                "Once more to drop the downloads."
            )
            action = "Run again to go on."
            self._stop = Stop(code, f"interrupted by {received.name}", action=action)
            if self._run is not None:
                self._run.stop(self._stop)
        elif self._times == 2:  # noqa: PLR2004 - the second time
            self._say("Dropping the downloads; what came is kept. Once more to leave at once.")
            if self._run is not None:
                self._run.drop_downloads()
        else:
            os._exit(code)
