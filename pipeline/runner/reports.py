"""What programs and commands get to see of a plan, a run and a status.

Tested in tests/runner/test_api.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.checker.columnreport import NOTHING_READ, ColumnsRead
from pipeline.engine.rows import Stop
from pipeline.errors import ExitCode, StoreError, UsageError
from pipeline.manifest.invocation import Invocation
from pipeline.model import State
from pipeline.planner.plan import Plan, Step
from pipeline.runner.doubts import Doubt
from pipeline.runner.order import Order
from pipeline.runner.storage import Need
from pipeline.runner.tally import Tally
from pipeline.writer.advice import say_rest, word_again
from pipeline.writer.layout import Result
from pipeline.writer.outcome import iso
from pipeline.writer.publish import (
    EntriesOf,
    Published,
    results_by_part,
    with_undelivered,
    with_unknown_statuses,
    with_ways_on,
)
from pipeline.writer.summary import Summary


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row.

    `row` is its physical number in the manifest, as in messages. `video` is the absolute path of
    its video, `error` says what happened and `action` what to do. Times are UTC in ISO 8601,
    `seconds` is the length asked for. `renamed_from` is its key in the journal, if it was renamed.
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
    `failure` says why; the journal has it all. `failed_file` holds the rows that need you, if there
    are any. `notes` are worth reading; `stops` say why the run ended early.
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


class RepeatsWait(UsageError):
    """All rows that are left wait, as their videos were bought before; `report` is the run's."""

    def __init__(self, report: RunReport) -> None:
        super().__init__("; ".join(report.notes), action="See the action of each row that waits.")
        self.report = report


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What a run would do.

    `groups` counts the manifest's rows; `steps` say for each of them what would be done and why,
    `gone` for rows that left the manifest and are paid for. `submits` rows would be submitted:
    `video_seconds` of video, for `money` in `currency` (None without a price), in about `eta_s`
    seconds. `learned_price` of a second, for the eye only, is by an earlier balance. `refusal` says
    why a run would send nothing, `refusal_action` what to do, `refusal_code` how it would end.
    `repeats` rows are not paid for, because their videos were bought before: that saves
    `saved_seconds` of video and `saved_money`. `warnings` are to be read before paying, `columns`
    says what is read. `need` is what it needs on the disk; None where no disk is looked at.
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
    need: Need | None = None
    learned_price: float | None = None
    refusal_action: str | None = None
    refusal_code: ExitCode | None = None
    columns: ColumnsRead = NOTHING_READ

    @property
    def groups(self) -> dict[str, int]:
        """How many rows of the manifest are in each group."""
        return Plan(self.steps, self.gone).groups


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Where the rows of the manifest stand now.

    `gone` holds what is to be settled of rows that have left the manifest.
    """

    rows: tuple[RowResult, ...]
    gone: tuple[Doubt, ...] = ()

    @property
    def states(self) -> dict[str, int]:
        """How many rows are in each state."""
        return dict(Counter(row.state.value for row in self.rows))


def results_at_end(
    order: Order, plan: Plan, tally: Tally, entries_of: EntriesOf, doubtful: Collection[str]
) -> list[Result]:
    """Return what became of each row of a manifest, in the order of the rows.

    Args:
        order: What the run was asked to do.
        plan: What it did with each row.
        tally: What it met on the way.
        entries_of: Reads what the journal knows of some rows.
        doubtful: The keys of the rows that were left alone because they may have been sent.

    Raises:
        StoreError: The journal cannot be read.

    """
    keys, typed = order.checked.keys, order.invocation
    results = results_by_part(order.checked, plan, entries_of, order.config, typed)
    results = with_unknown_statuses(results, keys, tally.unknown_statuses)
    results = with_undelivered(results, keys, tally.undelivered, typed)
    results = with_ways_on(results, keys, doubtful, typed)
    if not order.selection.redo:
        return results
    return [
        replace(one, action=one.action and word_again(one.action, order.selection, ()))
        for one in results
    ]


def summarise(
    order: Order,
    tally: Tally,
    results: Sequence[Result],
    *,
    run_id: str,
    times: tuple[float, float, float],
    code: ExitCode,
) -> Summary:
    """Return a run in figures.

    Args:
        order: What the run was asked to do.
        tally: What it counted.
        results: What became of each row.
        run_id: The id of the run.
        times: When it began and ended, in Unix seconds, and how long it took, in seconds.
        code: Its exit code.

    """
    began_at, ended_at, elapsed_s = times
    states = Counter(result.state for result in results)
    done = (result for result in results if result.state is State.DONE)
    spend = _spend_of(order, tally)
    return Summary(
        run_id=run_id,
        manifest=str(order.checked.manifest.path),
        provider=order.config.provider,
        rows=len(results),
        states=tuple((state.value, count) for state, count in states.items()),
        submitted=tally.submitted,
        downloaded=tally.downloaded,
        bytes=tally.bytes,
        video_seconds=sum(result.seconds or 0 for result in done),
        started_at=iso(began_at) or "",
        finished_at=iso(ended_at) or "",
        elapsed_s=round(elapsed_s, 3),
        exit_code=int(code),
        stopped_by=tally.stops[0].reason if tally.stops else None,
        balance_before=tally.balance_before,
        balance_after=tally.balance_after,
        spend=None if spend.money is None else (spend.money, spend.currency),
    )


def say_at_end(
    order: Order, told: Sequence[str], rest: Sequence[str], results: Sequence[Result]
) -> tuple[str, ...]:
    """Return what is told at the end, with what to do about the `rest` that was not sent."""
    worded = tuple(word_again(one, order.selection, rest) for one in told)
    if not rest:
        return worded
    keys = order.checked.keys
    rows = zip(keys, results, strict=True)
    waiting = {key for key, result in rows if result.state is State.WAITING and not result.held}
    return (*worded, say_rest(rest, order.selection, order.invocation, keys, waiting))


def _spend_of(order: Order, tally: Tally) -> RunSpend:
    spend, budget = tally.spend, order.config.budget
    paid = not order.config.rehearses and budget.price_per_second is not None
    money = round(spend.money, 6) if paid else None
    return RunSpend(spend.videos, spend.video_seconds, money, budget.currency)


def _complete(stop: Stop, typed: Invocation) -> Stop:
    """Return why a run stopped, with a command in what to do as it is pasted."""
    return replace(stop, action=stop.action and typed.complete(stop.action))


def report_run(
    order: Order,
    tally: Tally,
    summary: Summary,
    results: Sequence[Result],
    published: Published | StoreError,
    *,
    stops: Sequence[Stop],
) -> RunReport:
    """Return how a run ended, for programs and commands.

    Args:
        order: What the run was asked to do.
        tally: What it counted.
        summary: The run in figures.
        results: What became of each row.
        published: The files that were written, or why they could not be.
        stops: Why the run ended early, if it did.

    """
    failure = published if isinstance(published, StoreError) else None
    files = published if isinstance(published, Published) else None
    return RunReport(
        summary=summary,
        spend=_spend_of(order, tally),
        keys=order.checked.keys,
        _outcomes=tuple(results),
        folder=order.folder.root,
        results_file=files.results if files else None,
        failed_file=files.failed if files else None,
        notes=files.notes if files else (),
        stops=tuple(_complete(stop, order.invocation) for stop in stops),
        failure=failure and failure.with_traceback(None),
    )
