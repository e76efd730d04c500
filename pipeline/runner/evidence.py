"""What the balance of a run says of its submissions in doubt. Pure.

It proves nothing: others may pay from the account, and prices change. It is what a person is shown
before doubts are closed together.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.account.submission import SPENT
from pipeline.journal.reading import RunRecord
from pipeline.model import Entry, State
from pipeline.runner.doubts import UNSETTLED, Doubt, has_task

_TOLERANCE = 0.05
"""By this part of what the doubts cost a balance may be off: it is rounded."""

_ACCEPTED = "they were probably accepted"
_NOT_ACCEPTED = "they were probably not accepted"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a run with doubts. Money is in the budget's currency.

    `doubts` of its submissions are in doubt and `accepted` others were; what they cost is None
    without a price. Of these `failed_cost` was perhaps given back. `unclear` more are in doubt, and
    not asked about. `fell` is how much the balance fell during the run, None if that is not known.
    """

    run_id: str | None
    doubts: int
    cost: float | None
    accepted: int
    accepted_cost: float | None
    fell: float | None
    failed_cost: float = 0.0
    unclear: int = 0


def weigh(
    entries: Iterable[Entry], runs: Sequence[RunRecord], doubts: Sequence[Doubt]
) -> list[Evidence]:
    """Return for each run with doubts what is known of it.

    Args:
        entries: What the journal knows of the rows.
        runs: The runs of the journal, the earliest first.
        doubts: The submissions in doubt that are asked about.

    """
    starts = [run.started_at for run in runs]
    accepted: dict[str | None, list[Entry]] = {}
    in_doubt: dict[str | None, int] = {}
    for entry in entries:
        if entry.state in SPENT and entry.submitted_at:
            index = bisect_right(starts, entry.submitted_at)
            run_id = runs[index - 1].run_id if index else None
            if entry.state in UNSETTLED and not has_task(entry):
                in_doubt[run_id] = in_doubt.get(run_id, 0) + 1
            else:
                accepted.setdefault(run_id, []).append(entry)
    found = []
    for run_id in dict.fromkeys(one.run_id for one in doubts):
        its = [one for one in doubts if one.run_id == run_id]
        others = accepted.get(run_id, [])
        failed = [one for one in others if one.state is State.FAILED]
        found.append(
            Evidence(
                run_id=run_id,
                doubts=len(its),
                cost=_sum(one.cost for one in its),
                accepted=len(others),
                accepted_cost=_sum(one.attempt.cost for one in others),
                fell=its[0].balance_difference,
                failed_cost=_sum(one.attempt.cost for one in failed) or 0.0,
                unclear=max(0, in_doubt.get(run_id, 0) - len(its)),
            )
        )
    return found


def judge(run: Evidence, *, comparable: bool) -> str | None:
    """Say in half a sentence what the fall of a balance makes probable; None if nothing.

    What failed at the provider was perhaps given back: it explains a fall only where that is told
    from what the doubts cost.

    Args:
        run: What is known of the run.
        comparable: Whether prices and balances are in one currency.

    """
    if run.fell is None:
        return None
    if run.cost is None or run.accepted_cost is None or not comparable:
        return None if run.accepted else _judge_alone(run)
    off = _TOLERANCE * run.cost
    least, most = run.accepted_cost - run.failed_cost, run.accepted_cost
    if least - off <= run.fell <= least + off:
        explains = "which is what the accepted ones cost" if run.accepted else "and not at all"
        return f"{explains}: {_NOT_ACCEPTED}"
    if run.fell <= most + off:
        return None
    if run.unclear:
        return "which is more than the accepted ones cost: some of what is in doubt was accepted"
    if run.fell < most + run.cost - off:
        return "which is more than the accepted ones cost: some of them were probably accepted"
    if run.fell <= most + run.cost + off:
        both = "which is what the accepted ones and these cost together"
        return f"{both if run.accepted else 'which is what they cost'}: {_ACCEPTED}"
    more = "which is more than all of them cost"
    return f"{more}: {_ACCEPTED}, or somebody else paid from the account"


def _judge_alone(run: Evidence) -> str | None:
    """Judge a run of which nothing but doubts is known, without a price."""
    if not run.fell:
        return f"and not at all: {_NOT_ACCEPTED}"
    if run.fell < 0:
        return None
    return "and nothing else was accepted: some of them were probably accepted"


def _sum(costs: Iterable[float | None]) -> float | None:
    known = list(costs)
    priced = [cost for cost in known if cost is not None]
    return round(sum(priced), 6) if len(priced) == len(known) else None
