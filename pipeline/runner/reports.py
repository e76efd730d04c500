"""Reports of a plan, a run and a status: what programs and commands get to see.

Tested in tests/runner/test_api.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.engine.rows import Stop
from pipeline.errors import ExitCode, StoreError
from pipeline.model import State
from pipeline.planner.plan import Plan, Step
from pipeline.writer.layout import Result
from pipeline.writer.summary import Summary


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row.

    `row` is its physical number in the manifest, as in messages. `video` is the absolute path of
    its video, `error` says what happened and `action` what to do. Times are UTC in ISO 8601,
    `seconds` is the length of the video that was asked for. `renamed_from` is the key that the row
    had in the journal, None if it was not renamed since.
    """

    key: str
    row: int
    state: State
    video: Path | None
    error: str | None
    action: str | None
    task_id: str | None
    attempts: int
    submitted_at: str | None
    finished_at: str | None
    seconds: int | None
    warnings: tuple[str, ...]
    renamed_from: str | None = None


def row_results(
    keys: Sequence[str], outcomes: Sequence[Result], root: Path
) -> tuple[RowResult, ...]:
    """Return rows as programs see them.

    Args:
        keys: The rows' keys.
        outcomes: What became of each row, in the same order.
        root: The output folder, where the videos' paths begin.

    """
    root = root.absolute()
    return tuple(
        RowResult(
            key=key,
            row=one.row,
            state=one.state,
            video=root / one.video if one.video else None,
            error=one.error,
            action=one.action,
            task_id=one.task_id,
            attempts=one.attempts,
            submitted_at=one.submitted_at,
            finished_at=one.finished_at,
            seconds=one.seconds,
            warnings=one.warnings,
            renamed_from=one.renamed_from,
        )
        for key, one in zip(keys, outcomes, strict=True)
    )


@dataclass(frozen=True, slots=True)
class RunSpend:
    """What a run reserved: videos that are confirmed or in doubt, all together.

    `money` is in `currency`; None in a rehearsal and without `budget.price_per_second`.
    """

    videos: int
    video_seconds: int
    money: float | None
    currency: str


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run ended.

    `results` says what became of each row; `keys` are those of the rows, in the same order.
    `folder` is the output folder. `results_file` is None if the results could not be written: then
    `failure` says why, and nothing is lost, because the journal has it all. `failed_file` holds the
    rows that need you, None if there are none. `notes` are sentences worth reading; `stops` say why
    the run ended early if it did.
    """

    summary: Summary
    spend: RunSpend
    keys: tuple[str, ...]
    _outcomes: tuple[Result, ...]
    folder: Path
    results_file: Path | None
    failed_file: Path | None
    notes: tuple[str, ...]
    stops: tuple[Stop, ...]
    failure: StoreError | None = None

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that the command would end with."""
        return ExitCode(self.summary.exit_code)

    @property
    def states(self) -> dict[str, int]:
        """How many rows are in each state."""
        return dict(self.summary.states)

    @property
    def submitted(self) -> int:
        """How many submissions this run made."""
        return self.summary.submitted

    @property
    def downloaded(self) -> int:
        """How many videos this run downloaded."""
        return self.summary.downloaded

    @property
    def results(self) -> tuple[RowResult, ...]:
        """Every row of the manifest, in its order; made anew at each use."""
        return row_results(self.keys, self._outcomes, self.folder)


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What a run would do.

    `groups` counts the manifest's rows; `steps` say for each of them what would be done and why,
    `gone` for rows that left the manifest and are paid for. `submits` rows would be submitted:
    `video_seconds` of video, for `money` in `currency` (None without a price), in about `eta_s`
    seconds. `refusal` says why a run would be refused before it begins, None if it would not be.
    `repeats` rows are not paid for, because their videos were bought before: that saves
    `saved_seconds` of video and `saved_money`. `warnings` are sentences to read before paying.
    """

    rows: int
    steps: tuple[Step, ...]
    gone: tuple[Step, ...]
    submits: int
    video_seconds: int
    money: float | None
    currency: str
    eta_s: int
    refusal: str | None
    repeats: int = 0
    saved_seconds: int = 0
    saved_money: float | None = None
    warnings: tuple[str, ...] = ()

    @property
    def groups(self) -> dict[str, int]:
        """How many rows of the manifest are in each group."""
        return Plan(self.steps, self.gone).groups


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Where the rows of the manifest stand now."""

    rows: tuple[RowResult, ...]

    @property
    def states(self) -> dict[str, int]:
        """How many rows are in each state."""
        return dict(Counter(row.state.value for row in self.rows))
