"""An estimate of what a plan costs and how long it takes, from the latest tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappush, heapreplace

from pipeline.checker import rules
from pipeline.checker.check import CheckedManifest
from pipeline.config.settings import Config
from pipeline.planner.plan import Action, Plan

TYPICAL_TASK_S = 150.0
"""Assumed until tasks were seen; the provider says 1 to 5 minutes: docs/contract.md, "Queries"."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Rows to submit, their seconds of video, their cost, and the seconds that the run takes.

    `money` is in the currency of the budget; None without a price.
    """

    submits: int
    video_seconds: int
    money: float | None
    eta_s: int


def estimate(
    plan: Plan, checked: CheckedManifest, config: Config, durations_s: Sequence[float] = ()
) -> Estimate:
    """Estimate the submissions, the money and the time that a plan comes to.

    Args:
        plan: what the run does with each row.
        checked: the manifest that the plan is of.
        config: its limits and its price.
        durations_s: how long the latest tasks took; empty: a typical time.

    """
    rows = dict(zip(checked.keys, checked.manifest.rows, strict=True))
    submits = plan.of(Action.SUBMIT)
    seconds = sum(checked.requests[rows[step.key].number].duration for step in submits)
    limits = config.limits
    eta_s = makespan_s(
        len(submits),
        len(plan.of(Action.TAKE_UP)),
        slots=limits.outstanding,
        submits_per_s=limits.submits_per_minute / 60,
        durations_s=durations_s or (TYPICAL_TASK_S,),
    )
    return Estimate(
        submits=len(submits),
        video_seconds=seconds,
        money=rules.cost(seconds, config.budget.price_per_second),
        eta_s=round(eta_s),
    )


def makespan_s(
    submits: int,
    taken_up: int,
    *,
    slots: int,
    submits_per_s: float,
    durations_s: Sequence[float],
) -> float:
    """Return how long so many rows take on so many slots, by playing them through.

    Each task takes as long as one of the latest tasks, in turn. A task that is taken up is assumed
    to be half done.
    """
    ends: list[float] = [durations_s[turn % len(durations_s)] / 2 for turn in range(taken_up)]
    heapify(ends)
    last = max(ends, default=0.0)
    for turn in range(submits):
        allowed = turn / submits_per_s
        free = ends[0] if len(ends) >= slots else 0.0
        end = max(free, allowed) + durations_s[turn % len(durations_s)]
        last = max(last, end)
        if len(ends) >= slots:
            heapreplace(ends, end)
        else:
            heappush(ends, end)
    return last
