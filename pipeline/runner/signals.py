"""Stopping a run early, in steps: from a signal handler, or from another thread.

The first press lets the answers under way come in and sends nothing new; the second drops the
downloads. Press and run may be in different threads: whoever presses only appends to a list and
wakes the loop, and the run looks at the list in its own loop.

Tested in tests/system/test_signals.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from pipeline.engine.rows import Stop
from pipeline.errors import ExitCode
from pipeline.scheduler.scheduler import Scheduler

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_STOPPING = (
    "Stopping: nothing new is sent; answers and downloads under way are awaited. "
    "Press Ctrl-C again to drop the downloads."
)
_DROPPING = (
    "Dropping the downloads; what has arrived is kept. Press Ctrl-C again to quit immediately."
)
_SENTENCES = (_STOPPING, _DROPPING)


class Brake:
    """Stops a run early; `say` tells a person what happens, in the run's own loop."""

    def __init__(self, say: Callable[[str], None] = lambda _: None) -> None:
        self._say = say
        self._stops: list[Stop] = []
        self._taken = 0  # of `_stops`, by the loop
        self._run: Scheduler | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def presses(self) -> int:
        """How often it was pressed."""
        return len(self._stops)

    def press(self, code: ExitCode, reason: str) -> None:
        """Stop the run, or from the second time on drop its downloads; for any thread.

        A press before the run is at work counts as soon as there is something to stop.
        """
        self._stops.append(Stop(code, reason, action="Run again to continue."))
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and with it the run
                loop.call_soon_threadsafe(self._take)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Hear presses in the running loop for as long as the context lasts."""
        self._loop = asyncio.get_running_loop()
        self._take()
        try:
            yield
        finally:
            self._loop = None

    def steer(self, run: Scheduler) -> None:
        """Stop this run from now on, at once if that was asked for before."""
        self._run = run
        self._stop()

    def _take(self) -> None:
        new = self._stops[self._taken :]
        for sentence in _SENTENCES[self._taken : self._taken + len(new)]:
            self._say(sentence)
        self._taken += len(new)
        if new:
            self._stop()

    def _stop(self) -> None:
        if self._run is None or not self._stops:
            return
        self._run.stop(self._stops[0])
        if len(self._stops) > 1:
            self._run.drop_downloads()


@contextlib.contextmanager
def heed_signals(brake: Brake) -> Iterator[None]:
    """Have Ctrl-C and its like press the brake; the third leaves the process at once.

    Only the main thread can do this; in any other one nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def received(number: int, _frame: FrameType | None) -> None:
        code = ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED
        if brake.presses >= len(_SENTENCES):
            os._exit(code)
        brake.press(code, f"interrupted by {signal.Signals(number).name}")

    with signals_to(received):
        yield


@contextlib.contextmanager
def signals_to(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have the signals that end a process call `handler` instead; for the main thread only."""
    # What is ignored stays ignored: nohup and a shell's & ask for that. signal.signal works on
    # every system; the loop's own handlers only on POSIX.
    before = {
        one: signal.signal(one, handler)
        for name in _SIGNALS
        if (one := getattr(signal, name, None)) is not None
        and signal.getsignal(one) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for one, earlier in before.items():
            signal.signal(one, earlier)
