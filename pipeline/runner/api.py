"""Reelsheet for programs: check, plan, run and status of one manifest, without a command line.

Whatever a program does, the guards over money are those of the command: both place their orders
through `order.place_order`. A run works in a thread of its own, so that it may be started from the
main thread, from any other one, and inside a running event loop. Whoever waits for it is told of
its progress, and stops it by being interrupted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypedDict, Unpack

from pipeline.errors import UsageError
from pipeline.runner import foresight
from pipeline.runner.checking import CheckReport, check_report
from pipeline.runner.inthread import (
    OnProgress,
    RunThread,
    Seen,
    unreached,
    unseen,
    wait_for,
    wait_in_loop,
)
from pipeline.runner.judging import JudgedTake, judge, judged_takes
from pipeline.runner.order import Several, select
from pipeline.runner.reports import PlanReport, RunReport, StatusReport
from pipeline.runner.signals import Brake
from pipeline.runner.target import Target, resolve_target


class RowChoice(TypedDict, total=False):
    """Which rows, and how.

    `retry`: states whose unchanged rows get a new attempt (failed, refused, expired). `redo`:
    "changed" for done rows that were edited since, "rejected" for those whose take was rejected, or
    keys: they get a new take. `limit`: submit at most so many rows; 0 submits nothing and downloads
    what is paid for. `only`: the keys of the rows to work on; None for all. `pay_again`: keys of
    rows to buy a video for although it was bought before on this account, or "all" for every row
    that would be submitted. `pilot`: make only so many rows, to be judged before the rest; True
    for as many as `pilot.rows` says.
    """

    retry: Several
    redo: Several
    limit: int | None
    only: Several | None
    pay_again: Several
    pilot: int | None


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

    def takes(self) -> tuple[JudgedTake, ...]:
        """Return all finished takes, and what counts of what people said of them; sends nothing.

        Raises ReelsheetError if the configuration, the manifest or the journal cannot be read.
        """
        return judged_takes(self._target())

    def decide(
        self,
        *,
        approve: Several | None = None,
        reject: Several | None = None,
        reopen: Several | None = None,
        reason: str = "",
        note: str = "",
        reviewer: str = "",
    ) -> tuple[str, ...]:
        """Decide about the newest takes of rows, as `review --approve` does; sends nothing.

        It may be called while a run goes on.

        Args:
            approve: The keys of the rows whose newest takes are approved.
            reject: Those whose newest takes are rejected.
            reopen: Those of whose newest takes is taken back what was said.
            reason: Why they are rejected.
            note: A comment on each of them.
            reviewer: Who decides.

        Returns:
            The keys of the rows that have no take: nothing was recorded of these.

        Raises:
            ReelsheetError: A key is named twice or no row has it, a text is too long, or the
                journal cannot be used; nothing was recorded.

        """
        target = self._target()
        return judge(
            target,
            approve=approve,
            reject=reject,
            reopen=reopen,
            reason=reason,
            note=note,
            reviewer=reviewer,
        )

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
            options: `retry`, `redo`, `limit`, `only`, `pay_again`, `pilot` as for `plan`, and
                `strict`, `adopt`, `yes`: see `RowChoice` and `RunOptions`.

        Raises:
            ReelsheetError: Nothing was begun (its `exit_code` says why: 2 bad usage, configuration
                or manifest; 75 another run works in the output folder; 5 the output folder cannot
                be used), or an internal error (70) ended the run.
            RowsWait: All rows that are left wait (2), as repeats (`RepeatsWait`) or for the pilot
                (`PilotWaits`); its `report` says which.

        """
        _refuse_unknown("run", options, RunOptions.__optional_keys__)
        return wait_for(self._work(**options), on_progress)

    async def arun(
        self, *, on_progress: OnProgress | None = None, **options: Unpack[RunOptions]
    ) -> RunReport:
        """Do as `run` does while the running event loop goes on; same arguments, same errors.

        `on_progress` is called in the loop. Cancellation ends the run gracefully, as
        KeyboardInterrupt ends `run`, and is raised when it has ended.
        """
        _refuse_unknown("arun", options, RunOptions.__optional_keys__)
        return await wait_in_loop(self._work(**options), on_progress)

    def _seen(self, target: Target, warn: Callable[[str], None]) -> AbstractContextManager[Seen]:
        """Return what is told of a run beside the program; see `pipeline/night/outside.py`."""
        return unseen(target, warn)

    def _reached(self, outputs: Path, brake: Brake) -> AbstractContextManager[None]:
        """Let others stop a run; see `pipeline/night/outside.py`."""
        return unreached(outputs, brake)

    def _target(self, *, adopt: bool = False) -> Target:
        return resolve_target(self._manifest, self._config, self._out, self._settings, adopt=adopt)

    def _work(
        self,
        *,
        strict: bool = False,
        adopt: bool = False,
        yes: bool = False,
        **choice: Unpack[RowChoice],
    ) -> RunThread:
        target = self._target(adopt=adopt)
        selection = select(target, **choice)
        return RunThread(target, selection, strict, adopt, yes, self._seen, self._reached)


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
