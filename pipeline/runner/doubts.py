"""Submissions that a person may have to settle, with all that helps to do so. Pure.

Tested in tests/runner/test_resolve.py.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from pipeline.journal.reading import RunRecord
from pipeline.manifest.wording import shorten
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


def has_task(entry: Entry) -> bool:
    """Return whether the provider gave the row's submission a task: it was accepted then.

    Where a person took a wrong task back, the row's own reference stands in the place of one.
    """
    return entry.task_id not in {None, entry.attempt.client_business_id}


def list_doubts(
    entries: Iterable[Entry],
    runs: Sequence[RunRecord],
    rows: Mapping[str, int],
    *,
    held_now: float | None = None,
) -> list[Doubt]:
    """Return the submissions to settle, in the order of their rows.

    Args:
        entries: What the journal knows of the rows.
        runs: The runs of the journal, the earliest first.
        rows: The rows' physical numbers, by key.
        held_now: What the account holds now, where no later run has asked.

    """
    starts = [run.started_at for run in runs]
    found = []
    for entry in entries:
        if entry.state in UNSETTLED:
            index = bisect_right(starts, entry.submitted_at or -inf)
            its = runs[max(0, index - 1) :] if index else ()
            found.append(_doubt(entry, its, rows, held_now))
    return sorted(found, key=lambda one: (inf if one.row is None else one.row, one.key))


def _doubt(
    entry: Entry, runs: Sequence[RunRecord], rows: Mapping[str, int], held_now: float | None
) -> Doubt:
    """Describe a submission that the first of `runs` made; later runs follow it."""
    attempt, request = entry.attempt, entry.attempt.request
    before, after = _balances(runs, held_now)
    return Doubt(
        key=shown_key(entry.key),
        row=rows.get(entry.key),
        state=(State.IN_DOUBT if entry.state is State.SUBMITTING else entry.state).value,
        submitted_at=iso(entry.submitted_at),
        attempt=attempt.number,
        client_business_id=attempt.client_business_id,
        task_id=entry.task_id if has_task(entry) else None,
        prompt=_shorten(request.prompt),
        video_seconds=request.duration,
        cost=attempt.cost,
        what=entry.error_message,
        run_id=runs[0].run_id if runs else None,
        balance_before=before,
        balance_after=after,
        balance_difference=None if before is None or after is None else round(before - after, 6),
    )


def _balances(
    runs: Sequence[RunRecord], held_now: float | None
) -> tuple[float | None, float | None]:
    if not runs:
        return None, None
    # A run that was cut off did not ask at its end: the next run found what it left.
    later = (run.balance_before for run in runs[1:] if run.balance_before is not None)
    after = runs[0].balance_after
    return runs[0].balance_before, next(later, held_now) if after is None else after


def _shorten(text: str) -> str:
    return shorten(" ".join(text.split()), _PROMPT)
