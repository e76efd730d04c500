"""What a plan would cost and how long it would take: an estimate, from what is known so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappush, heapreplace

from pipeline.checker import rules
from pipeline.checker.check import CheckedManifest
from pipeline.config.settings import Config
from pipeline.planner.plan import Action, Plan

TYPICAL_TASK_S = 150.0
"""docs: a task takes one to five minutes."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Rows to submit, their seconds of video, their cost and the time of the whole run."""

    submits: int
    video_seconds: int
    money: float | None
    eta_s: int


def estimate(
    plan: Plan, checked: CheckedManifest, config: Config, durations_s: Sequence[float] = ()
) -> Estimate:
    """Return what `plan` would come to; `durations_s` are what the latest tasks took."""
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

    The tasks take what the latest ones took, in turn. Those that are taken up are done by half, in
    the mean.
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
