"""The rows that a person has to settle, with all that helps to find out what became of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from pipeline.model import Entry, RunRecord, State
from pipeline.writer.outcome import iso

OPEN = (State.SUBMITTING, State.IN_DOUBT, State.MISSING)
"""The states that a person can settle; `submitting` is one between runs: the last was cut off."""

_PROMPT = 100


@dataclass(frozen=True, slots=True)
class Doubt:
    """One submission to settle. Times are UTC in ISO 8601, money as in the budget.

    `row` is None for one that left the manifest. `balance_difference` is what the account lost
    during the run that submitted it, over all its rows: with what its other videos cost, it says
    whether this one was paid for.
    """

    key: str
    row: int | None
    state: str
    submitted_at: str | None
    attempt: int
    client_business_id: str
    task_id: str | None
    prompt: str
    video_seconds: int
    cost: float | None
    what: str | None
    run_id: str | None
    balance_before: float | None
    balance_after: float | None
    balance_difference: float | None


def doubts(
    entries: Iterable[Entry], runs: Sequence[RunRecord], rows: Mapping[str, int]
) -> list[Doubt]:
    """Return what is to be settled, in the order of the rows; `rows` are their numbers by key.

    `runs` stand in the order of their start.
    """
    starts = [run.started_at for run in runs]
    found = []
    for entry in entries:
        if entry.state in OPEN:
            index = bisect_right(starts, entry.submitted_at or -inf)
            found.append(_doubt(entry, runs[max(0, index - 1) :] if index else (), rows))
    return sorted(found, key=lambda one: (inf if one.row is None else one.row, one.key))


def _doubt(entry: Entry, runs: Sequence[RunRecord], rows: Mapping[str, int]) -> Doubt:
    """Return one; its run is the first of `runs`, those after it follow."""
    attempt, request = entry.attempt, entry.attempt.request
    before, after = _balances(runs)
    return Doubt(
        key=entry.key,
        row=rows.get(entry.key),
        state=(State.IN_DOUBT if entry.state is State.SUBMITTING else entry.state).value,
        submitted_at=iso(entry.submitted_at),
        attempt=attempt.number,
        client_business_id=attempt.client_business_id,
        task_id=entry.task_id,
        prompt=_shortened(request.prompt),
        video_seconds=request.duration,
        cost=attempt.cost,
        what=entry.error_message,
        run_id=runs[0].run_id if runs else None,
        balance_before=before,
        balance_after=after,
        balance_difference=None if before is None or after is None else round(before - after, 6),
    )


def _balances(runs: Sequence[RunRecord]) -> tuple[float | None, float | None]:
    if not runs:
        return None, None
    # A run that was cut off never asked again: what the next one found is what it left.
    later = (run.balance_before for run in runs[1:] if run.balance_before is not None)
    after = runs[0].balance_after
    return runs[0].balance_before, next(later, None) if after is None else after


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _PROMPT else f"{line[: _PROMPT - 1]}…"
