"""The task that comes of an order.

A task's whole life is a function of the wall clock: nothing has to be kept up to date.
"""

from __future__ import annotations

import math
import random
import secrets
from dataclasses import dataclass

from pipeline.emulator.orders import Order

# The statuses of a task, as the answers of the API call them.
QUEUED = "queued"
IN_PROGRESS = "in_progress"
COMPLETED = "completed"
FAILED = "failed"

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_QUEUED_SHARE = 0.08
_P95 = 1.6448536269514722  # the normal distribution's 95th percentile, in standard deviations
_FAILURES = (
    ("content_policy_violation", "The generated video was blocked by the safety filter"),
    ("generation_failed", "Video generation failed, please try again later"),
    ("upstream_timeout", "上游生成超时"),
)


@dataclass(frozen=True, slots=True)
class Fate:
    """What is drawn for a task before it begins.

    Attributes:
        run_s: how long it takes, from creation to its end.
        failure: code and message if it ends as failed.
        curve: the exponent that bends the progress bar.
    """

    run_s: float
    failure: tuple[str, str] | None
    curve: float


@dataclass(frozen=True, slots=True)
class Task:
    """One accepted generation.

    Attributes:
        number: counts accepted submissions, from 1.
        task_id: the opaque name given out.
        order: what was asked for.
        created_at: Unix seconds.
        cost_usd: what it takes from the balance.
        fate: what was drawn for it.
    """

    number: int
    task_id: str
    order: Order
    created_at: float
    cost_usd: float
    fate: Fate

    @property
    def due_at(self) -> float:
        """When it ends, if its video is there by then."""
        return self.created_at + self.fate.run_s


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a task stands at one moment."""

    status: str
    progress: int
    completed_at: float | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to the task."""
        return self.status in (COMPLETED, FAILED)


def new_task_id() -> str:
    """Return an id like the provider's; random, so that no two emulators ever share one."""
    return "video_01" + "".join(secrets.choice(_ALPHABET) for _ in range(24))


def draw_fate(seed: int, number: int, median_s: float, p95_s: float, fail_share: float) -> Fate:
    """Draw the fate of the task with this number; the same seed always draws the same."""
    draw = random.Random(f"{seed}:{number}")  # noqa: S311 - no secret
    sigma = math.log(p95_s / median_s) / _P95
    run_s = median_s * math.exp(sigma * draw.gauss(0, 1))
    curve = math.exp(draw.gauss(0, 0.15))
    failure = None
    if draw.random() < fail_share:
        failure = draw.choice(_FAILURES)
        run_s *= draw.uniform(0.2, 1.0)
    return Fate(run_s, failure, curve)


def stage_of(task: Task, now: float, ready_at: float | None) -> Stage:
    """Return where ``task`` stands.

    Args:
        task: the task.
        now: Unix seconds.
        ready_at: when its video was there; None while it is not.
    """
    run_s = task.fate.run_s
    share = (now - task.created_at) / run_s if run_s > 0 else 1.0
    if share < _QUEUED_SHARE:
        return Stage(QUEUED, 0)
    if share < 1:
        moved = (share - _QUEUED_SHARE) / (1 - _QUEUED_SHARE)
        return Stage(IN_PROGRESS, min(99, int(100 * moved**task.fate.curve)))
    if task.fate.failure is not None:
        return Stage(FAILED, 100, task.due_at)
    if ready_at is None:
        return Stage(IN_PROGRESS, 99)
    return Stage(COMPLETED, 100, max(task.due_at, ready_at))
