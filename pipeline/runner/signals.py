"""Stopping a run early, in steps: from a signal handler, or from another thread.

The first press sends and asks nothing new and lets the answers under way come in: from a terminal
or a program as long as they take, else for a time. The second ends the run: what has no answer by
then is looked up by the next run. Press and run may be in different threads: whoever presses only
appends to a list and wakes the loop, and the run looks at the list in its own loop.

Tested in tests/system/test_signals.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from types import FrameType
from typing import Any, TypeVar

from pipeline.engine.rows import Stop
from pipeline.errors import ExitCode, ReelsheetError
from pipeline.scheduler.scheduler import Scheduler

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_ENDING = (
    "Ending the run: what has no answer is looked up by the next run; what has arrived is kept. "
)
_MOST_PRESSES = 2
"""The presses that still let a run write its results."""

_Said = TypeVar("_Said")


class Brake:
    """Stops a run early; `say` tells a person what happens, in the run's own loop."""

    def __init__(self, say: Callable[[str], None] = lambda _: None) -> None:
        self._say = say
        self._stops: list[Stop] = []
        self._taken = 0  # of `_stops`, by the loop
        self._run: Scheduler | None = None
        self._calls: set[asyncio.Future[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False

    @property
    def presses(self) -> int:
        """How often it was pressed."""
        return len(self._stops)

    @property
    def interruption(self) -> ReelsheetError | None:
        """What ends a run that was pressed before it had anything to do; None until then."""
        if not self._stops:
            return None
        stop = self._stops[0]
        error = ReelsheetError(f"{stop.reason}; nothing was sent.", action=stop.action)
        error.exit_code = stop.exit_code
        return error

    def note_stop(self, stops: list[Stop]) -> bool:
        """Return whether it was pressed; if so, the reason is among `stops` from now on."""
        stops += [one for one in self._stops[:1] if one not in stops]
        return bool(self._stops)

    def press(self, code: ExitCode, reason: str, grace_s: float | None = None) -> None:
        """Stop the run, or from the second time on end it; for any thread.

        A press before the run is at work counts as soon as there is something to stop.

        Args:
            code: The exit code of the run from now on.
            reason: Why it is stopped.
            grace_s: How long answers are awaited, in seconds; None: as long as they take.

        """
        action = "Run again to continue."
        self._stops.append(Stop(code, reason, action=action, grace_s=grace_s))
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and with it the run
                loop.call_soon_threadsafe(self._take)

    def limit(self, limits: Mapping[str, int]) -> bool:
        """Have the run keep to other limits from now on; return whether there is one at work.

        For any thread; the names are those of the settings.
        """
        loop, run = self._loop, self._run
        if loop is None or run is None:
            return False
        told = ", ".join(
            f"limits.{name} is {value:,} from now on" for name, value in limits.items()
        )

        def change() -> None:
            run.steer(lambda engine: engine.limit(limits))
            self._say(f"As asked for, {told}.")

        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it the run
            loop.call_soon_threadsafe(change)
            return True
        return False

    def take_at_once(self) -> None:
        """Say what a press does where no loop is there to hear it; in the run's own thread."""
        if self._loop is None:
            with contextlib.suppress(RuntimeError):  # in the middle of another line
                self._take()

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

    async def unless_pressed(self, call: Coroutine[Any, Any, _Said]) -> _Said | None:
        """Return what a free call before or after the run says; None once it was pressed."""
        if self._stops:
            call.close()
            return None
        task = asyncio.ensure_future(call)
        self._calls.add(task)
        try:
            await asyncio.wait([task])
            return None if task.cancelled() else task.result()
        finally:
            self._calls.discard(task)
            task.cancel()

    def _take(self) -> None:
        before, self._taken = self._taken, len(self._stops)
        for number in range(before, min(self._taken, _MOST_PRESSES)):
            self._say(_say_ending() if number else _say_stopping(self._stops[0].grace_s))
        if self._taken > before:
            for call in self._calls:
                call.cancel()
            self._stop()

    def _stop(self) -> None:
        if self._run is None or not self._stops:
            return
        if not self._stopped:
            self._stopped = True
            self._run.stop(self._stops[0])
        if len(self._stops) > 1:
            self._run.steer(lambda engine: engine.end_within(0))


def _say_stopping(grace_s: float | None) -> str:
    limit = "" if grace_s is None else f" for {grace_s:g} s at most"
    return (
        "Stopping: nothing new is sent or asked; answers and downloads under way are awaited"
        f"{limit}. {_again()} to end the run at once."
    )


def _say_ending() -> str:
    return f"{_ENDING}{_again()} to quit without results."


def _again() -> str:
    """Return what is to be done once more: Ctrl-C reaches nobody without a terminal."""
    return "Press Ctrl-C again" if _has_terminal() else "Send another signal"


@contextlib.contextmanager
def heed_signals(brake: Brake, grace_s: float) -> Iterator[None]:
    """Have Ctrl-C and its like press the brake; the third leaves the process at once.

    Only the main thread can do this; in any other one nothing changes. `grace_s` is how long
    answers are awaited, in seconds, when it was no person at a terminal who ended the run.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def received(number: int, _frame: FrameType | None) -> None:
        code = ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED
        if brake.presses >= _MOST_PRESSES:
            os._exit(code)
        by_hand = number == signal.SIGINT and _has_terminal()
        name = signal.Signals(number).name
        brake.press(code, f"interrupted by {name}", None if by_hand else grace_s)
        brake.take_at_once()

    with signals_to(received):
        yield


def _has_terminal() -> bool:
    with contextlib.suppress(OSError):
        return os.isatty(0)
    return False


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
