"""`night.json`: what the last night does, or did, for whoever looks from outside.

It is written when the night begins and kept up to date. After a kill it still says `running`, with
the process that is gone and no end: `reelsheet status --health` tells the two apart by the lock.

Tested in tests/night/test_record.py and tests/system/test_nights.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipeline.disk.lock import is_locked
from pipeline.disk.openfile import open_to_read_bytes
from pipeline.disk.place import place
from pipeline.errors import ExitCode, ReelsheetError, StoreError, code_of, why_ended
from pipeline.model import State
from pipeline.models.pricing import join
from pipeline.night.metrics import Figures, ManifestFigures, Onlooker
from pipeline.night.notice import Hindrance, ended_well, hindrance_of
from pipeline.runner.reports import RunReport
from pipeline.runner.watching import RunProgress
from pipeline.writer.outcome import iso

FILE_NAME = "night.json"
_REHEARSED = "night.rehearsal.json"
EVERY_S = 5.0
"""How often the file is written anew while the night goes on."""


def lock_of(outputs: Path) -> Path:
    """Return the lock that a night over the manifests of an output folder holds."""
    return outputs / ".night" / "night.lock"


def read_record(path: Path) -> dict[str, Any] | None:
    """Return what night.json says; None where there is none, or nobody can read it."""
    try:
        with open_to_read_bytes(path) as file:
            found = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def say_killed(path: Path) -> str | None:
    """Return a sentence about the last night if its record has no end; None if it has one."""
    before = read_record(path)
    if before is None or before.get("state") != "running":
        return None
    return f"The night that began at {before.get('started_at')} did not end: it was killed."


class NightRecord:
    """Keeps `night.json` as long as its context lasts; `wall` and `now` are the clocks.

    Whoever looks `outside` gets the same figures; `killed` says so of the night before, if it was.
    A run has no such file: its `path` is None. What ends the context tells the exit code, unless
    `end` told it before.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        outside: Onlooker | None = None,
        killed: str | None = None,
        wall: Callable[[], float] = time.time,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self.killed = killed
        self._outside = outside
        self._wall, self._now = wall, now
        self._began = wall()
        self._write_at = now()
        self._manifests: dict[str, ManifestFigures] = {}
        self._spend: Mapping[str, float | str | None] = {}
        self._stopped_by: str | None = None
        self._code: int | None = None
        self._hindrances: set[Hindrance] = set()
        self._before: dict[str, tuple[int, int, int]] = {}

    def __enter__(self) -> Self:
        """Write the beginning."""
        try:
            self._write(ended=False)
        except (SystemExit, KeyboardInterrupt) as error:  # it may be there by now
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Write the end, whatever it is."""
        self.fail(error)
        with contextlib.suppress(StoreError):  # the night itself has ended, and says how
            self._write(ended=True)

    def fail(self, error: BaseException | None) -> None:
        """Take note of what ends the night, unless its end is known."""
        if self._code is None:
            self._code = code_of(error)
            self._note_hindrance(error)
        if self._stopped_by is None and error is not None:
            self._stopped_by = why_ended(error)

    def begin(self, manifests: Sequence[Path]) -> None:
        """Take note of the manifests of the night, of which nothing is known yet."""
        self._hindrances.clear()
        self._manifests = {str(path): ManifestFigures(str(path)) for path in manifests}
        self._write(ended=False)

    def take_over(self, before: Mapping[Path, RunReport]) -> None:
        """Have what came home before the window opened count, too."""
        for path, one in before.items():
            self._before[str(path)] = one.downloaded, one.summary.bytes, one.polls

    def _of(self, manifest: Path) -> ManifestFigures:
        return self._manifests.setdefault(str(manifest), ManifestFigures(str(manifest)))

    def refuse(self, manifest: Path, error: ReelsheetError) -> None:
        """Take note of a manifest that is not worked on, and why."""
        one = self._of(manifest)
        one.exit_code, one.error = int(error.exit_code), error.message
        self._note_hindrance(error)

    def _note_hindrance(self, outcome: RunReport | BaseException | None) -> None:
        if (found := hindrance_of(outcome)) is not None:
            self._hindrances.add(found)

    def update(self, progress: RunProgress) -> None:
        """Take note of how far the night is; written every few seconds."""
        for each in (*progress.each, *progress.beside):
            one = self._of(each.manifest)
            one.states = _counted(each.states)
            one.submitted, one.downloaded = each.submitted, each.downloaded
            one.bytes, one.polls, one.paid_since = each.bytes, each.polls, each.paid_since
            one.money = round(each.spend.money, 6) if each.priced else None
            if early := self._before.get(one.name):
                one.downloaded += early[0]
                one.bytes, one.polls = one.bytes + early[1], one.polls + early[2]
        videos = sum(each.spend.videos for each in progress.each)
        seconds = sum(each.spend.video_seconds for each in progress.each)
        money = sum(each.spend.money for each in progress.each)
        paid = [each for each in progress.each if each.spend.videos] or progress.each
        known = round(money, 6) if all(each.priced for each in paid) else None
        self._spend = {"videos": videos, "video_seconds": seconds, "money": known}
        if self._now() >= self._write_at:
            self._write_at = self._now() + EVERY_S
            with contextlib.suppress(StoreError):  # on a full disk the night has other worries
                self._write(ended=False)

    def end(
        self, code: ExitCode, outcomes: Sequence[tuple[Path, RunReport | ReelsheetError]]
    ) -> None:
        """Take note of how each manifest ended, and all together."""
        spends = [one.spend for one in self.note(outcomes)]
        self._code = int(code)
        reasons = _reasons(outcomes)
        if code is ExitCode.USAGE and not reasons:  # no manifest could be worked on
            reasons = [
                *dict.fromkeys(filter(None, (one.error for one in self._manifests.values())))
            ]
        self._stopped_by = "; ".join(reasons) or None
        money = join(one.costs for one in spends).money
        self._spend = {
            "videos": sum(one.videos for one in spends),
            "video_seconds": sum(one.video_seconds for one in spends),
            "money": None if money is None else round(money, 6),
        }

    def note(
        self, outcomes: Sequence[tuple[Path, RunReport | ReelsheetError]], *, through: bool = True
    ) -> list[RunReport]:
        """Take note of how manifests stand, and of their end if they are through with the night.

        Returns the reports among the outcomes.
        """
        reports = []
        for manifest, outcome in outcomes:
            if isinstance(outcome, ReelsheetError):
                self.refuse(manifest, outcome)
                continue
            reports.append(outcome)
            self._note_hindrance(outcome)
            one = self._of(manifest)
            one.states, one.exit_code = outcome.states, int(outcome.exit_code) if through else None
            one.submitted, one.downloaded = outcome.submitted, outcome.downloaded
            one.bytes, one.polls = outcome.summary.bytes, outcome.polls
            one.money, one.paid_since = outcome.spend.money, outcome.paid_since
        return reports

    @property
    def exit_code(self) -> int:
        """The exit code of a night that has ended."""
        return int(ExitCode.INTERNAL) if self._code is None else self._code

    @property
    def hindrance(self) -> Hindrance | None:
        """What kept it from its work that only a person can mend, the worst of it."""
        return max(self._hindrances, default=None)

    @property
    def ended_well(self) -> bool:
        """Whether a night that has ended needs nobody at once."""
        return ended_well(self.exit_code) and not self._hindrances

    @property
    def began(self) -> float:
        """When it began, in Unix seconds."""
        return self._began

    @property
    def submitted(self) -> int:
        """How many videos were ordered."""
        return sum(one.submitted for one in self._manifests.values())

    @property
    def stopped_by(self) -> str | None:
        """Why the night ended early; None if it did not."""
        return self._stopped_by

    def document(self, *, ended: bool) -> dict[str, object]:
        """Return what night.json says."""
        each = list(self._manifests.values())
        states: Counter[str] = Counter()
        for one in each:
            states.update(one.states)
        return {
            "schema": 1,
            "state": "ended" if ended else "running",
            "pid": os.getpid(),
            "started_at": iso(self._began),
            "updated_at": iso(self._wall()),
            "ended_at": iso(self._wall()) if ended else None,
            "manifests": [
                {
                    "manifest": one.name,
                    "states": dict(one.states),
                    "submitted": one.submitted,
                    "downloaded": one.downloaded,
                    "exit_code": one.exit_code,
                    "error": one.error,
                }
                for one in each
            ],
            "states": dict(states),
            "submitted": sum(one.submitted for one in each),
            "spend": dict(self._spend),
            "exit_code": self._code if ended else None,
            "well": self.ended_well if ended else None,
            "stopped_by": self._stopped_by,
        }

    def _write(self, *, ended: bool) -> None:
        try:
            if self.path is not None:
                data = json.dumps(self.document(ended=ended), indent=2).encode("ascii") + b"\n"
                place(self.path, lambda file: file.write(data))
        finally:
            if self._outside is not None:
                self._outside.tell(self._figures(ended=ended))

    def _figures(self, *, ended: bool) -> Figures:
        return Figures(
            began=self._began,
            now=self._wall(),
            ended=ended,
            exit_code=self._code if ended else None,
            well=self.ended_well if ended else None,
            stopped_by=self._stopped_by,
            spend=self._spend,
            manifests=tuple(self._manifests.values()),
        )


def path_of_record(outputs: Path, *, rehearses: bool) -> Path:
    """Return where the record of a night lies: a rehearsal leaves that of the nights alone."""
    return outputs / (_REHEARSED if rehearses else FILE_NAME)


def note_refusal(
    outputs: Path,
    error: BaseException,
    refused: Sequence[tuple[Path, ReelsheetError]] = (),
    *,
    rehearses: bool = False,
    outside: Onlooker | None = None,
) -> NightRecord | None:
    """Have night.json say that a night ended before it began; None if another night goes on.

    Nothing is made where there is no folder of outputs yet.

    Args:
        outputs: The folder of outputs.
        error: What ended it.
        refused: The manifests that cannot be worked on, and why.
        rehearses: Whether it would have been a rehearsal, which has a record of its own.
        outside: Who gets the same figures: the history, the metrics.

    """
    if is_locked(lock_of(outputs)):
        return None
    record = NightRecord(path_of_record(outputs, rehearses=rehearses), outside=outside)
    for manifest, why in refused:
        record.refuse(manifest, why)
    record.fail(error)
    if outputs.is_dir():
        record.__exit__(None, None, None)
    return record


def _reasons(outcomes: Sequence[tuple[Path, RunReport | ReelsheetError]]) -> list[str]:
    """Return why the night ended early; if nothing did, what kept manifests, or their results."""
    failures = (one if isinstance(one, ReelsheetError) else one.failure for _, one in outcomes)
    errors = [one.message for one in failures if one is not None]
    return [*named_reasons(outcomes).values()] or list(dict.fromkeys(errors))


def named_reasons(
    outcomes: Sequence[tuple[Path, RunReport | ReelsheetError]],
) -> dict[str, str]:
    """Return why runs ended early, each with the manifests that it is so of if it is not of all."""
    told = {path: one for path, one in outcomes if isinstance(one, RunReport)}
    by_reason: dict[str, list[Path]] = {}
    for path, report in told.items():
        for reason in dict.fromkeys(stop.reason for stop in report.stops):
            by_reason.setdefault(reason, []).append(path)
    # Those of which all was done before are stopped by nothing.
    worked = {path for path, one in told.items() if one.stops or one.submitted or one.polls}
    of_all = worked if len(worked) > 1 else told.keys()
    return {
        reason: reason if of_all <= {*paths} else f"{', '.join(map(str, paths))}: {reason}"
        for reason, paths in by_reason.items()
    }


def _counted(states: Mapping[State, int]) -> dict[str, int]:
    return {state.value: number for state, number in states.items() if number}
