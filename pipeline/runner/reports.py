"""What programs and commands get to see of a plan, a run and a status.

Tested in tests/runner/test_api.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.checker.columnreport import NOTHING_READ, ColumnsRead
from pipeline.checker.rowmodels import unchecked_models
from pipeline.config.settings import Config
from pipeline.engine.limits import Spend
from pipeline.engine.rows import Stop
from pipeline.errors import ExitCode, StoreError, UsageError
from pipeline.manifest.invocation import Invocation
from pipeline.model import State
from pipeline.models.pricing import NOTHING_KNOWN, Costs, is_priced
from pipeline.planner.plan import Plan, Step
from pipeline.runner.doubts import Doubt
from pipeline.runner.need import Need
from pipeline.runner.order import Order
from pipeline.runner.piloting import PilotReport
from pipeline.runner.rowresults import RowResult, row_results
from pipeline.runner.tally import Tally
from pipeline.runner.untried import NOTHING_ON_MODELS, OnModels
from pipeline.runner.waits import NOTHING_WAITS, Waits
from pipeline.runner.watching import ManifestProgress
from pipeline.writer.layout import Result
from pipeline.writer.outcome import iso
from pipeline.writer.publish import (
    Published,
)
from pipeline.writer.summary import Summary


@dataclass(frozen=True, slots=True)
class RunSpend:
    """What a run reserved: videos that are confirmed or in doubt, all together.

    `money` is in `currency`; None in a rehearsal, and where a video has no price, neither by the
    sheet of its model nor by `budget.price_per_second`: it is at least `known` then.
    """

    videos: int
    video_seconds: int
    money: float | None
    currency: str
    known: float | None = None

    @property
    def costs(self) -> Costs:
        """What the videos cost, as it is summed up over several runs."""
        known = self.known if self.money is None else self.money
        return Costs(self.money, known, self.videos if self.money is None else 0)


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run ended.

    `results` says what became of each row; `keys` are those of the rows, in the same order.
    `folder` is the output folder. `results_file` is None if the results could not be written: then
    `failure` says why; the journal has it all. `failed_file` holds the rows that need you, if there
    are any. `notes` are worth reading; `stops` say why the run ended early. `pilot` says how the
    pilot stands, where one was asked for or is a gate. `polls` are the queries that the run made,
    `paid_since` is the Unix second of the oldest submission whose video is paid for, or perhaps,
    and not home; None if there is none. `waits` counts what is left to you.
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
    pilot: PilotReport | None = None
    polls: int = 0
    paid_since: float | None = None
    waits: Waits = NOTHING_WAITS

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


class RowsWait(UsageError):
    """All rows that are left wait, as repeats or for the pilot; `report` is the run's."""

    def __init__(self, report: RunReport) -> None:
        super().__init__("; ".join(report.notes), action="See the action of each row that waits.")
        self.report = report


class RepeatsWait(RowsWait):
    """All rows that are left wait, as their videos were bought before."""


class PilotWaits(RowsWait):
    """Rows wait for the pilot, and nothing else was to be done."""


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What a run would do.

    `groups` counts the manifest's rows; `steps` say for each of them what would be done and why,
    `gone` for rows that left the manifest and are paid for. `submits` rows would be submitted:
    `video_seconds` of video, for `money` in `currency` (None if a row has no price: `costs` says
    what is known), in about `eta_s` seconds. `learned_price` of a second, for the eye only, is by
    an earlier balance. `refusal` says why a run would send nothing, `refusal_action` what to do,
    `refusal_code` how it would end. `repeats` rows are not paid for, because their videos were
    bought before: that saves `saved_seconds` of video and `saved_money`. `warnings` are to be read
    before paying, `columns` says what is read. `need` is what it needs on the disk; None where no
    disk is looked at. `pilot` says how the pilot stands, where one is asked for or is a gate.
    `models` has what is to be known of the models of what would be submitted.
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
    costs: Costs = NOTHING_KNOWN
    saved: Costs = NOTHING_KNOWN
    learned_price: float | None = None
    refusal_action: str | None = None
    refusal_code: ExitCode | None = None
    columns: ColumnsRead = NOTHING_READ
    pilot: PilotReport | None = None
    models: OnModels = NOTHING_ON_MODELS

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


def summarise(
    order: Order,
    tally: Tally,
    states: Mapping[State, int],
    video_seconds: int,
    *,
    run_id: str,
    times: tuple[float, float, float],
    code: ExitCode,
) -> Summary:
    """Return a run in figures.

    Args:
        order: What the run was asked to do.
        tally: What it count_states.
        states: How many rows are in each state.
        video_seconds: The seconds of those that are done.
        run_id: The id of the run.
        times: When it began and ended, in Unix seconds, and how long it took, in seconds.
        code: Its exit code.

    """
    began_at, ended_at, elapsed_s = times
    spend = _spend_of(order, tally)
    return Summary(
        run_id=run_id,
        manifest=str(order.checked.manifest.path),
        provider=order.config.provider,
        rows=sum(states.values()),
        states=tuple((state.value, count) for state, count in states.items()),
        submitted=tally.submitted,
        downloaded=tally.downloaded,
        bytes=tally.bytes,
        video_seconds=video_seconds,
        started_at=iso(began_at) or "",
        finished_at=iso(ended_at) or "",
        elapsed_s=round(elapsed_s, 3),
        exit_code=int(code),
        stopped_by=tally.stops[0].reason if tally.stops else None,
        balance_before=tally.balance_before,
        balance_after=tally.balance_after,
        spend=None if spend.money is None else (spend.money, spend.currency),
        unchecked_models=tuple(unchecked_models(order.checked.models)),
    )


def count_states(results: Sequence[Result]) -> tuple[Counter[State], int]:
    """Return how many rows are in each state, and the seconds of those that are done."""
    seconds = (one.seconds or 0 for one in results if one.state is State.DONE)
    return Counter(one.state for one in results), sum(seconds)


def costs_of(spend: Spend, config: Config) -> Costs:
    """Return what a run has reserved, by the models of its rows; nothing in a rehearsal."""
    if config.rehearses:
        return NOTHING_KNOWN
    money, budget = round(spend.money, 6), config.budget
    if spend.unpriced:
        return Costs(None, money or None, spend.unpriced)
    if spend.videos or is_priced(config.api.model, budget.price_per_second, budget.currency):
        return Costs(money, money)
    return NOTHING_KNOWN


def progress_of(
    order: Order, tally: Tally, run_id: str, states: Mapping[State, int], left: int
) -> ManifestProgress:
    """Return how far a manifest is.

    Args:
        order: What its run was asked to do.
        tally: What it has count_states.
        run_id: The id of the run.
        states: Its rows by state.
        left: How many of those that wait are not meant to be made by this run.

    """
    return ManifestProgress(
        order.checked.manifest.path,
        states,
        tally.submitted,
        tally.downloaded,
        tally.spend,
        left,
        run_id=run_id,
        bytes=tally.bytes,
        polls=tally.polls,
        paid_since=tally.paid_since,
        priced=costs_of(tally.spend, order.config).money is not None,
    )


def _spend_of(order: Order, tally: Tally) -> RunSpend:
    spend = tally.spend
    costs, currency = costs_of(spend, order.config), order.config.budget.currency
    return RunSpend(spend.videos, spend.video_seconds, costs.money, currency, costs.known)


def with_before(report: RunReport, before: RunReport) -> RunReport:
    """Return how a run ended with what one before it, which ordered nothing, brought home."""
    summary, early = report.summary, before.summary
    together = replace(
        summary,
        downloaded=summary.downloaded + early.downloaded,
        bytes=summary.bytes + early.bytes,
    )
    unjudged = report.waits.unjudged + before.waits.unjudged
    waits = replace(report.waits, unjudged=unjudged)
    return replace(report, summary=together, polls=report.polls + before.polls, waits=waits)


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
    pilot: PilotReport | None = None,
    waits: Waits = NOTHING_WAITS,
) -> RunReport:
    """Return how a run ended, for programs and commands.

    Args:
        order: What the run was asked to do.
        tally: What it count_states.
        summary: The run in figures.
        results: What became of each row.
        published: The files that were written, or why they could not be.
        stops: Why the run ended early, if it did.
        pilot: How its pilot stands.
        waits: What is left to a person.

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
        pilot=pilot,
        polls=tally.polls,
        paid_since=tally.paid_since,
        waits=waits,
    )
