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
    """While it is entered, signals stop the run in three steps; use it inside a running loop."""

    def __init__(self, run: Stoppable, say: Callable[[str], None]) -> None:
        self._run = run
        self._say = say
        self._times = 0
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
            one = getattr(signal, name, None)
            if one is not None:
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
            self._run.stop(Stop(code, f"interrupted by {received.name}", action=action))
        elif self._times == 2:  # noqa: PLR2004 - the second time
            self._say("Dropping the downloads; what came is kept. Once more to leave at once.")
            self._run.drop_downloads()
        else:
            os._exit(code)
