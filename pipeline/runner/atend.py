"""What a run says when it has ended: of each row, of what stopped it, and of what is left to do.

Tested in tests/system/test_main_job.py and tests/system/test_named_rows.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from pipeline.checker.rowmodels import say_unchecked
from pipeline.engine.rows import Stop
from pipeline.errors import ExitCode, StoreError
from pipeline.model import State
from pipeline.planner.plan import Plan
from pipeline.planner.selection import Selection
from pipeline.runner.order import Order
from pipeline.runner.piloting import PilotReport
from pipeline.runner.tally import Tally
from pipeline.runner.unchanged import say_changed
from pipeline.writer.advice import say_left_out, say_rest, word_again
from pipeline.writer.layout import Result
from pipeline.writer.outcome import highest, remarks
from pipeline.writer.publish import (
    EntriesOf,
    results_by_part,
    with_undelivered,
    with_unknown_statuses,
    with_ways_on,
)
from pipeline.writer.summary import Summary, write_summary


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


def notes_at_end(
    order: Order,
    plan: Plan,
    results: Sequence[Result],
    rest: Sequence[str],
    *,
    stopped: bool,
    pilot: PilotReport | None,
) -> tuple[str, ...]:
    """Return the lines for the end of a run, beyond the counts and the reasons for a stop.

    Args:
        order: What the run was asked to do.
        plan: What it did with each row.
        results: What became of each row.
        rest: The keys of the rows that were asked for by key and not sent.
        stopped: Whether it was stopped.
        pilot: How its pilot stands.

    """
    told = remarks(plan.steps, results, stopped=stopped)
    told += say_left_out(plan.steps, order.selection, order.invocation)
    told += say_unchecked(order.checked.models, rehearses=order.config.rehearses)
    changed = say_changed(order.checked.manifest, order.folder)
    if changed is not None:
        told = (*told, changed)
    if pilot is not None and (pilot.waits or order.selection.pilot is not None):
        told += pilot.sentences
    return _say(order, told, rest, results)


def word_stops(stops: Iterable[Stop], selection: Selection, rest: Collection[str]) -> list[Stop]:
    """Return why a run ended early, in words for a run that has sent some of what it was asked for.

    Args:
        stops: Why.
        selection: What it was asked to do.
        rest: The keys of the rows that were asked for by key and not sent.

    """
    return [
        replace(stop, action=stop.action and word_again(stop.action, selection, rest))
        for stop in stops
    ]


def complete_failure(
    failure: StoreError,
    summary: Summary,
    order: Order,
    rest: Sequence[str],
    results: Sequence[Result],
) -> Summary:
    """Have what kept the results from being written say the end of the run, as do its figures.

    What else happened may concern more than the results that cannot be written. Returns the
    figures, which are written if there is room for them.

    Args:
        failure: Why they could not be written.
        summary: The figures, with the exit code of what else happened.
        order: What the run was asked to do.
        rest: The keys of the rows that were asked for by key and not sent.
        results: What became of each row.

    """
    failure.exit_code = highest([ExitCode(summary.exit_code), failure.exit_code])
    said = _say(order, [failure.action or ""], rest, results)
    failure.action = " ".join(said).strip() or None
    why = "; ".join(filter(None, (summary.stopped_by, failure.message)))
    summary = replace(summary, exit_code=int(failure.exit_code), stopped_by=why)
    with contextlib.suppress(StoreError):  # it lies where the results do
        write_summary(summary, order.folder.root)
    return summary


def _say(
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
