"""A run in a thread of its own, for a program that waits for it, is told of it, or interrupts it.

Tested in tests/runner/test_api.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Protocol, TypeAlias

from pipeline.concealment import conceal
from pipeline.errors import ExitCode, InternalError, ReelsheetError
from pipeline.model import State
from pipeline.planner.selection import Selection
from pipeline.runner.checking import check_target
from pipeline.runner.lanes import run
from pipeline.runner.offer import Offer, goes_on_unasked
from pipeline.runner.order import place_order
from pipeline.runner.reports import PilotWaits, RepeatsWait, RunReport
from pipeline.runner.signals import Brake
from pipeline.runner.target import Target
from pipeline.runner.watching import RunProgress

OnProgress: TypeAlias = Callable[[RunProgress], object]

_WAIT_S = 0.5
"""The longest wait before a thread checks for an interruption: some systems need it."""
_MOST_PRESSES = 3
"""The third interruption does not wait any longer, as the third Ctrl-C of the command."""


class _Abandoned(Exception):
    """The run was interrupted before it had anything to stop."""


class Seen(Protocol):
    """Is told how a run goes for whoever looks from outside, beside the program."""

    def update(self, progress: RunProgress) -> None:
        """Take in how far it is."""

    def end(self, code: ExitCode, outcomes: Sequence[tuple[Path, RunReport]]) -> None:
        """Take in how it ended."""

    def fail(self, error: BaseException | None) -> None:
        """Take in what ended it, unless its end is known."""


class _Unseen:
    """Nobody looks."""

    def update(self, progress: RunProgress) -> None: ...

    def end(self, code: ExitCode, outcomes: Sequence[tuple[Path, RunReport]]) -> None: ...

    def fail(self, error: BaseException | None) -> None: ...


SeenBy: TypeAlias = Callable[[Target, Callable[[str], None]], AbstractContextManager[Seen]]
"""Given a manifest, and what shows a line, it yields what is told as long as its run lasts."""


def unseen(_target: Target, _warn: Callable[[str], None]) -> AbstractContextManager[Seen]:
    """Return what tells nobody of a run but the program."""
    return contextlib.nullcontext(_Unseen())


ReachedBy: TypeAlias = Callable[[Path, Brake], AbstractContextManager[None]]
"""Given a folder of outputs, it lets others stop a run by its brake as long as that lasts."""


def unreached(_outputs: Path, _brake: Brake) -> AbstractContextManager[None]:
    """Let nobody but the program stop a run."""
    return contextlib.nullcontext()


@dataclass(frozen=True)
class _Heard:
    """The watcher of a run that a program waits for: it passes progress on and keeps warnings."""

    pass_on: Callable[[RunProgress], None]
    warnings: list[str]
    seen: Seen
    interval_s: float = _WAIT_S

    def show(self, progress: RunProgress) -> None:
        self.seen.update(progress)
        self.pass_on(progress)

    def say(self, line: str) -> None:
        """Print nothing: the program decides what to show."""

    def warn(self, line: str) -> None:
        self.warnings.append(line)


@dataclass
class RunThread:
    """One run in a thread of its own."""

    target: Target
    selection: Selection
    strict: bool = False
    adopt: bool = False
    yes: bool = False
    seen: SeenBy = unseen
    reached: ReachedBy = unreached
    report: RunReport | None = None
    _error: BaseException | None = None
    _interruption: BaseException | None = None
    _brake: Brake = field(default_factory=Brake)
    _ended: threading.Event = field(default_factory=threading.Event)
    _once: threading.Lock = field(default_factory=threading.Lock)

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    def start(self, pass_on: Callable[[RunProgress | None], None]) -> None:
        """Begin; `pass_on` is called in the thread of the run, with None when it has ended.

        An interruption in the middle does not tell whether the thread has begun: to call it again
        begins the run once all the same.
        """

        def work() -> None:
            if not self._once.acquire(blocking=False):
                return
            try:
                self.report = self._carry_out(pass_on)
            except BaseException as error:  # noqa: BLE001 - raised where the run is waited for
                self._error = error
            finally:
                self._ended.set()
                pass_on(None)

        # A daemon: after the third interruption nobody waits, and the process may end.
        if not self._once.locked():
            # In a copy of the context, which has the options and the sheets of this call.
            run_in_context, name = copy_context().run, "reelsheet run"
            threading.Thread(target=run_in_context, args=(work,), name=name, daemon=True).start()

    def tell(self, progress: RunProgress | None, on_progress: OnProgress | None) -> None:
        """Pass progress on to the program; not any more once it was interrupted."""
        if progress is not None and on_progress is not None and self._interruption is None:
            on_progress(progress)

    def interrupt(self, interruption: BaseException) -> None:
        """Stop the run gracefully; raises the interruption at once if it is the third."""
        self._interruption = self._interruption or interruption
        self._brake.press(ExitCode.INTERRUPTED, "interrupted by the calling program")
        if self._brake.presses >= _MOST_PRESSES:
            raise interruption

    def result(self) -> RunReport:
        """Return how it ended, or raise what kept it from that."""
        if self._interruption is not None:
            raise self._interruption
        if self._error is not None:
            raise self._error
        assert self.report is not None  # noqa: S101 - it has ended without an error
        if self.report.exit_code is ExitCode.INTERNAL:
            stop = next(one for one in self.report.stops if one.exit_code is ExitCode.INTERNAL)
            raise InternalError(stop.reason, action=stop.action)
        if self.report.exit_code is ExitCode.USAGE:
            pilot = self.report.pilot
            waits = PilotWaits if pilot is not None and pilot.waits else RepeatsWait
            raise waits(self.report)
        return self.report

    def _consents(self, offer: Offer) -> bool:
        when_short = self.target.config.budget.when_short
        return goes_on_unasked(offer, when_short=when_short, yes=self.yes)

    def _carry_out(self, pass_on: Callable[[RunProgress], None]) -> RunReport:
        warnings: list[str] = []
        with self.seen(self.target, warnings.append) as seen:
            try:
                return self._work(_Heard(pass_on, warnings, seen))
            except _Abandoned:
                seen.fail(KeyboardInterrupt())
                raise

    def _work(self, heard: _Heard) -> RunReport:
        try:
            with (
                place_order(
                    self.target,
                    self.selection,
                    strict=self.strict,
                    adopt=self.adopt,
                    consent=self._consents,
                    trust=lambda _: self.yes,
                    check=lambda target: check_target(target, self._abandon_if_interrupted),
                ) as order,
                self.reached(Path(order.config.output.dir), self._brake),
            ):
                report = run(order, heard, brake=self._brake)
        except (ReelsheetError, _Abandoned):
            raise
        except Exception as error:
            raise InternalError(
                f"internal error: {type(error).__name__}: {conceal(str(error))}",
                action="Please report it. What was paid for is in the journal; run again.",
            ) from error
        states = {State(state): count for state, count in report.states.items()}
        heard.pass_on(RunProgress(states, report.submitted, report.downloaded))
        heard.seen.end(report.exit_code, [(self.target.manifest, report)])
        return replace(report, notes=(*self.target.notes, *heard.warnings, *report.notes))

    def _abandon_if_interrupted(self, *_: object) -> None:
        if self._brake.presses:
            raise _Abandoned


def wait_for(work: RunThread, on_progress: OnProgress | None) -> RunReport:
    """Wait for the end in this thread."""
    told: SimpleQueue[RunProgress | None] = SimpleQueue()
    # An interruption may come between any two lines, and then the run must hear of it, too.
    while True:
        try:
            work.start(told.put)
            # Only `ended` says so: an interruption may lose what was taken from the queue.
            while not (work.ended and told.empty()):
                with contextlib.suppress(Empty):
                    work.tell(told.get(timeout=_WAIT_S), on_progress)
            return work.result()
        # Others end what they started by an exception of their own kind: Prefect, Airflow.
        except BaseException as interruption:
            if work.ended:
                raise
            work.interrupt(interruption)


async def wait_in_loop(work: RunThread, on_progress: OnProgress | None) -> RunReport:
    """Wait for the end while the running loop goes on."""
    told: asyncio.Queue[RunProgress | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def pass_on(progress: RunProgress | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(told.put_nowait, progress)

    while True:
        try:
            work.start(pass_on)
            while not (work.ended and told.empty()):
                work.tell(await told.get(), on_progress)
            return work.result()
        except BaseException as interruption:
            if work.ended:
                raise
            work.interrupt(interruption)
