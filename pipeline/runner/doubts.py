"""Submissions that a person may have to settle, with all that helps to do so. Pure.

Tested in tests/runner/test_resolve.py.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from pipeline.account.submission import SPENT
from pipeline.journal.reading import RunRecord
from pipeline.model import Entry, State, shown_key
from pipeline.writer.outcome import iso

UNSETTLED = (State.SUBMITTING, State.IN_DOUBT, State.MISSING)
"""The states that a person can settle. Between runs `submitting` means that a run was cut off."""

_PROMPT = 100


@dataclass(frozen=True, slots=True)
class Doubt:
    """A submission to settle. Times are UTC in ISO 8601, money is in the budget's currency.

    `row` is None if the row left the manifest. `balance_difference` is how much the account's
    balance fell during the run that made the submission; compared with the price of the run's other
    videos it tells whether this submission was paid for.
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


def list_doubts(
    entries: Iterable[Entry], runs: Sequence[RunRecord], rows: Mapping[str, int]
) -> list[Doubt]:
    """Return the submissions to settle, in the order of their rows.

    Args:
        entries: What the journal knows of the rows.
        runs: The runs of the journal, the earliest first.
        rows: The rows' physical numbers, by key.

    """
    starts = [run.started_at for run in runs]
    found = []
    for entry in entries:
        if entry.state in UNSETTLED:
            index = bisect_right(starts, entry.submitted_at or -inf)
            found.append(_doubt(entry, runs[max(0, index - 1) :] if index else (), rows))
    return sorted(found, key=lambda one: (inf if one.row is None else one.row, one.key))


def _doubt(entry: Entry, runs: Sequence[RunRecord], rows: Mapping[str, int]) -> Doubt:
    """Describe a submission that the first of `runs` made; later runs follow it."""
    attempt, request = entry.attempt, entry.attempt.request
    before, after = _balances(runs)
    return Doubt(
        key=shown_key(entry.key),
        row=rows.get(entry.key),
        state=(State.IN_DOUBT if entry.state is State.SUBMITTING else entry.state).value,
        submitted_at=iso(entry.submitted_at),
        attempt=attempt.number,
        client_business_id=attempt.client_business_id,
        task_id=entry.task_id,
        prompt=_shorten(request.prompt),
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
    # A run that was cut off did not ask at its end: the next run found what it left.
    later = (run.balance_before for run in runs[1:] if run.balance_before is not None)
    after = runs[0].balance_after
    return runs[0].balance_before, next(later, None) if after is None else after


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _PROMPT else f"{line[: _PROMPT - 1]}…"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a run's balance says of its doubts. Money is in the budget's currency.

    `doubts` of its submissions are in doubt and `accepted` others were; what they cost is None
    without a price. `fell` is how much the balance fell during the run, None if that is not known.
    """

    run_id: str | None
    doubts: int
    cost: float | None
    accepted: int
    accepted_cost: float | None
    fell: float | None


def weigh(
    entries: Iterable[Entry], runs: Sequence[RunRecord], doubts: Sequence[Doubt]
) -> list[Evidence]:
    """Return for each run with doubts what its balance says of them.

    Args:
        entries: What the journal knows of the rows.
        runs: The runs of the journal, the earliest first.
        doubts: The submissions in doubt.

    """
    starts = [run.started_at for run in runs]
    accepted: dict[str | None, list[float | None]] = {}
    for entry in entries:
        if entry.state in SPENT and entry.state not in UNSETTLED and entry.submitted_at:
            index = bisect_right(starts, entry.submitted_at)
            run_id = runs[index - 1].run_id if index else None
            accepted.setdefault(run_id, []).append(entry.attempt.cost)
    found = []
    for run_id in dict.fromkeys(one.run_id for one in doubts):
        its = [one for one in doubts if one.run_id == run_id]
        others = accepted.get(run_id, [])
        found.append(
            Evidence(
                run_id=run_id,
                doubts=len(its),
                cost=_sum(one.cost for one in its),
                accepted=len(others),
                accepted_cost=_sum(others),
                fell=its[0].balance_difference,
            )
        )
    return found


def _sum(costs: Iterable[float | None]) -> float | None:
    known = list(costs)
    priced = [cost for cost in known if cost is not None]
    return round(sum(priced), 6) if len(priced) == len(known) else None
