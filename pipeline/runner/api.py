"""Reelsheet for programs: check, plan, run and status of one manifest, without a command line.

Whatever a program does, the guards over money are those of the command: both place their orders
through `order.place_order`. A run works in a thread of its own, so that it may be started from the
main thread, from any other one, and inside a running event loop. Whoever waits for it is told of
its progress, and stops it by being interrupted.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeAlias, TypedDict, Unpack

from pipeline.concealment import conceal
from pipeline.errors import ExitCode, InternalError, ReelsheetError, UsageError
from pipeline.model import State
from pipeline.planner.selection import Selection
from pipeline.runner import foresight
from pipeline.runner.checking import CheckReport, check_report, check_target
from pipeline.runner.lanes import run
from pipeline.runner.offer import Offer, goes_on_unasked
from pipeline.runner.order import Several, place_order, select
from pipeline.runner.reports import PlanReport, RepeatsWait, RunReport, StatusReport
from pipeline.runner.signals import Brake
from pipeline.runner.target import Target, resolve_target
from pipeline.runner.watching import RunProgress

OnProgress: TypeAlias = Callable[[RunProgress], object]

_WAIT_S = 0.5
"""The longest wait before a thread checks for an interruption: some systems need it."""
_MOST_PRESSES = 3
"""The third interruption does not wait any longer, as the third Ctrl-C of the command."""


class RowChoice(TypedDict, total=False):
    """Which rows, and how.

    `retry`: states whose unchanged rows get a new attempt (failed, refused, expired). `redo`:
    "changed" for done rows that were edited since, or keys: they get a new take. `limit`: submit at
    most so many rows; 0 submits nothing and downloads what is paid for. `only`: the keys of the
    rows to work on; None for all. `pay_again`: keys of rows to buy a video for although it was
    bought before on this account, or "all" for every row that would be submitted.
    """

    retry: Several
    redo: Several
    limit: int | None
    only: Several | None
    pay_again: Several


class RunOptions(RowChoice, total=False):
    """What `run` and `arun` may be told besides.

    `strict`: start only if no row breaks a rule. `adopt`: use the output folder although the
    manifest was moved. `yes`: submit also when the account is known to hold less than the rows
    need, else the exit code is 4; and send the key to a host or from a variable for the first time.
    """

    strict: bool
    adopt: bool
    yes: bool


class Reelsheet:
    """One manifest with its configuration and its output folder."""

    def __init__(
        self,
        manifest: str | os.PathLike[str],
        *,
        config: str | os.PathLike[str] | None = None,
        out: str | os.PathLike[str] | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """Note what to work on; files are read when a method is called.

        Args:
            manifest: The CSV, Excel or OpenDocument file with a row per video.
            config: The configuration file; None for config.yaml in the working folder, if there.
            out: The output folder; None for `outputs/<name of the manifest>`.
            settings: Settings of highest precedence by dotted key: `{"limits.outstanding": 20}`.
                Texts are read as by `--set`.

        """
        self._manifest = Path(manifest)
        self._config = None if config is None else Path(config)
        self._out = None if out is None else Path(out)
        self._settings = [f"{key}={_text(value)}" for key, value in (settings or {}).items()]

    def check(self) -> CheckReport:
        """Find every problem of the whole manifest; sends nothing.

        Raises ReelsheetError if the configuration or the manifest cannot be read at all.
        """
        return check_report(self._target())

    def plan(self, **choice: Unpack[RowChoice]) -> PlanReport:
        """Say what `run` with the same arguments would do; sends nothing.

        Raises ReelsheetError if the configuration or the manifest cannot be read, or if no row has
        a key that is named.
        """
        _refuse_unknown("plan", choice, RowChoice.__optional_keys__)
        target = self._target()
        return foresight.plan_report(target, select(target, **choice))

    def status(self) -> StatusReport:
        """Say where the rows stand, from the manifest and the journal; sends nothing.

        Raises ReelsheetError if the configuration or the manifest cannot be read.
        """
        return foresight.status_report(self._target())

    def run(
        self, *, on_progress: OnProgress | None = None, **options: Unpack[RunOptions]
    ) -> RunReport:
        """Make the videos: submit new rows, download what is paid for, write the results.

        It may be called from any thread, also inside a running event loop, which stands still
        meanwhile: there `arun` is the better choice. KeyboardInterrupt, or whatever `on_progress`
        raises, ends the run gracefully: nothing new is sent, the answers under way are awaited,
        the results are written, and then it is raised. A second one drops the downloads under way,
        a third one is raised at once.

        Args:
            on_progress: Told how far the run is, a few times a second at most, in this thread.
            options: `retry`, `redo`, `limit`, `only`, `pay_again` as for `plan`, and `strict`,
                `adopt`, `yes`: see `RowChoice` and `RunOptions`.

        Raises:
            ReelsheetError: Nothing was begun (its `exit_code` says why: 2 bad usage, configuration
                or manifest; 75 another run works in the output folder; 5 the output folder cannot
                be used), or an internal error (70) ended the run.
            RepeatsWait: All rows that are left wait as repeats (2); its `report` says which.

        """
        _refuse_unknown("run", options, RunOptions.__optional_keys__)
        return _wait(self._work(**options), on_progress)

    async def arun(
        self, *, on_progress: OnProgress | None = None, **options: Unpack[RunOptions]
    ) -> RunReport:
        """Do as `run` does while the running event loop goes on; same arguments, same errors.

        `on_progress` is called in the loop. Cancellation ends the run gracefully, as
        KeyboardInterrupt ends `run`, and is raised when it has ended.
        """
        _refuse_unknown("arun", options, RunOptions.__optional_keys__)
        return await _wait_in_loop(self._work(**options), on_progress)

    def _target(self, *, adopt: bool = False) -> Target:
        return resolve_target(self._manifest, self._config, self._out, self._settings, adopt=adopt)

    def _work(
        self,
        *,
        strict: bool = False,
        adopt: bool = False,
        yes: bool = False,
        **choice: Unpack[RowChoice],
    ) -> _RunThread:
        target = self._target(adopt=adopt)
        return _RunThread(target, select(target, **choice), strict=strict, adopt=adopt, yes=yes)


def _refuse_unknown(method: str, options: Mapping[str, object], known: frozenset[str]) -> None:
    """Name the method that was called: the options are passed on to functions of other names."""
    for name, value in options.items():
        if name not in known:
            raise TypeError(f"{method}() got an unexpected keyword argument {name!r}")
        if name in {"strict", "adopt", "yes"} and not isinstance(value, bool):
            raise UsageError(f"{name} is {value!r}; give True or False.")


def _text(value: object) -> str:
    """Write a setting as `--set` takes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


class _Abandoned(Exception):
    """The run was interrupted before it had anything to stop."""


@dataclass(frozen=True)
class _Heard:
    """The watcher of a run that a program waits for: it passes progress on and keeps warnings."""

    pass_on: Callable[[RunProgress], None]
    warnings: list[str]
    interval_s: float = _WAIT_S

    def show(self, progress: RunProgress) -> None:
        self.pass_on(progress)

    def say(self, line: str) -> None:
        """Print nothing: the program decides what to show."""

    def warn(self, line: str) -> None:
        self.warnings.append(line)


@dataclass
class _RunThread:
    """One run in a thread of its own."""

    target: Target
    selection: Selection
    strict: bool = False
    adopt: bool = False
    yes: bool = False
    report: RunReport | None = None
    _error: BaseException | None = None
    _interruption: BaseException | None = None
    _brake: Brake = field(default_factory=Brake)
    _ended: threading.Event = field(default_factory=threading.Event)
    _once: threading.Lock = field(default_factory=threading.Lock)

    @property
    def ended(self) -> bool:
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
            threading.Thread(target=work, name="reelsheet run", daemon=True).start()

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
            raise RepeatsWait(self.report)
        return self.report

    def _consents(self, offer: Offer) -> bool:
        when_short = self.target.config.budget.when_short
        return goes_on_unasked(offer, when_short=when_short, yes=self.yes)

    def _carry_out(self, pass_on: Callable[[RunProgress], None]) -> RunReport:
        heard = _Heard(pass_on, [])
        try:
            with place_order(
                self.target,
                self.selection,
                strict=self.strict,
                adopt=self.adopt,
                consent=self._consents,
                trust=lambda _: self.yes,
                check=lambda target: check_target(target, self._abandon_if_interrupted),
            ) as order:
                report = run(order, heard, brake=self._brake)
        except (ReelsheetError, _Abandoned):
            raise
        except Exception as error:
            raise InternalError(
                f"internal error: {type(error).__name__}: {conceal(str(error))}",
                action="Please report it. What was paid for is in the journal; run again.",
            ) from error
        states = {State(state): count for state, count in report.states.items()}
        pass_on(RunProgress(states, report.submitted, report.downloaded))
        return replace(report, notes=(*self.target.notes, *heard.warnings, *report.notes))

    def _abandon_if_interrupted(self, *_: int) -> None:
        if self._brake.presses:
            raise _Abandoned


def _wait(work: _RunThread, on_progress: OnProgress | None) -> RunReport:
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
        except (Exception, KeyboardInterrupt, SystemExit) as interruption:
            if work.ended:
                raise
            work.interrupt(interruption)


async def _wait_in_loop(work: _RunThread, on_progress: OnProgress | None) -> RunReport:
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
        except (Exception, KeyboardInterrupt, SystemExit, asyncio.CancelledError) as interruption:
            if work.ended:
                raise
            work.interrupt(interruption)
