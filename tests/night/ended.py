"""Reports of runs as a night is given them when its manifests have ended."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pipeline.engine.rows import Reach, Stop
from pipeline.errors import ExitCode
from pipeline.model import State
from pipeline.runner.reports import RunReport, RunSpend
from pipeline.runner.waits import NOTHING_WAITS, Waits
from pipeline.writer.layout import Result
from pipeline.writer.summary import Summary

AT_A_CAP = Stop(
    ExitCode.STOPPED, "a cap is reached", Reach.SUBMITTING, "Raise the cap, or run again tomorrow."
)


def report(
    folder: Path,
    *results: Result,
    money: float | None = None,
    notes: tuple[str, ...] = (),
    stops: tuple[Stop, ...] = (),
    waits: Waits = NOTHING_WAITS,
) -> RunReport:
    """The report of a run that submitted each of its rows, and downloaded those that are done."""
    states = Counter(one.state for one in results)
    code = ExitCode.STOPPED if stops else ExitCode.DONE
    summary = Summary(
        run_id="r",
        manifest=f"{folder.name}.csv",
        provider="toapis",
        rows=len(results),
        states=tuple((state.value, number) for state, number in states.items()),
        submitted=len(results),
        downloaded=states[State.DONE],
        bytes=0,
        video_seconds=6 * len(results),
        started_at="2027-01-12T01:00:00Z",
        finished_at="2027-01-12T02:00:00Z",
        elapsed_s=3600.0,
        exit_code=int(code),
    )
    return RunReport(
        summary=summary,
        spend=RunSpend(len(results), 6 * len(results), money, "USD"),
        keys=tuple(f"k{number}" for number in range(len(results))),
        _outcomes=results,
        folder=folder,
        results_file=folder / "results.csv",
        failed_file=None,
        notes=notes,
        stops=stops,
        waits=waits,
    )
