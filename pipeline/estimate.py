"""What a plan would cost and how long it would take: a pure estimate."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from pipeline import rules
from pipeline.check import Checked
from pipeline.config.settings import Config
from pipeline.plan import Action, Plan

TYPICAL_TASK_S = 150
"""docs: a task takes one to five minutes."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Rows to submit, their seconds of video, their cost and the time of the whole run."""

    submits: int
    video_seconds: int
    money: float | None
    eta_s: int | None


def estimate(plan: Plan, checked: Checked, config: Config, task_s: float | None = None) -> Estimate:
    """Return what `plan` would come to; `task_s` is what a task takes, if that is known."""
    requests = dict(zip(checked.keys, checked.manifest.rows, strict=True))
    submits = plan.of(Action.SUBMIT)
    seconds = sum(checked.requests[requests[step.key].number].duration for step in submits)
    under_way = len(submits) + len(plan.of(Action.TAKE_UP))
    return Estimate(
        submits=len(submits),
        video_seconds=seconds,
        money=rules.cost(seconds, config.budget.price_per_second),
        eta_s=_eta_s(len(submits), under_way, config, task_s or TYPICAL_TASK_S),
    )


def _eta_s(submits: int, under_way: int, config: Config, task_s: float) -> int | None:
    if not under_way:
        return 0
    by_slots = ceil(under_way / config.limits.outstanding) * task_s
    by_rate = submits / config.limits.submits_per_minute * 60 + task_s
    return round(max(by_slots, by_rate) + config.polling.interval_s / 2)
