"""Spend under caps, per run and per day: reserved before the intent, released only on proof.

Only a submission that was provably not accepted gives its share back.
Tested in tests/engine/test_days_of_budget.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from pipeline.engine.pacing import Caps
from pipeline.engine.rows import Stop, over_budget
from pipeline.model import Attempt

DAY_S = 86_400


def day_of(unix_s: float) -> int:
    """Return the number of the UTC day of a Unix time."""
    return int(unix_s // DAY_S)


@dataclass(slots=True)
class Spend:
    """What is reserved, confirmed or in doubt, all together. Money is in the budget's currency."""

    videos: int = 0
    video_seconds: int = 0
    money: float = 0.0

    def add(self, attempt: Attempt, times: int = 1) -> None:
        """Count an attempt, or take it back with -1."""
        self.videos += times
        self.video_seconds += times * attempt.request.duration
        self.money += times * (attempt.cost or 0)

    def excess(self, attempt: Attempt, caps: Caps) -> Iterator[tuple[str, str]]:
        """Yield the name of each cap that one more attempt would pass, and how."""
        for name, cap, after in (
            ("videos", caps.videos, self.videos + 1),
            ("video_seconds", caps.video_seconds, self.video_seconds + attempt.request.duration),
            ("money", caps.money, self.money + (attempt.cost or 0)),
        ):
            # Prices are decimal fractions: the last cent of a cap must not be lost to rounding.
            if cap is not None and after > cap + 1e-9:
                yield name, f"is {cap:g} and the next video would make it {after:g}"


class Budget:
    """Counts what a run and a day have reserved, and refuses what would pass a cap.

    A day is known by its number, which only grows: a clock that is set back opens no old day.
    """

    def __init__(self, caps: Caps, caps_per_day: Caps) -> None:
        self.run = Spend()
        self._caps = caps
        self._caps_per_day = caps_per_day
        self._day = Spend()
        self._today = -inf

    def begin_day(self, day: float, spent: Spend | None = None) -> None:
        """Count anew if this is a later day than before; `spent` is what it begins with."""
        if day > self._today:
            self._today = day
            self._day = spent or Spend()

    def refusal(self, attempt: Attempt) -> Stop | None:
        """Return why this attempt may not go out, as a Stop; None if no cap would be passed."""
        for name, excess in self.run.excess(attempt, self._caps):
            return over_budget(f"budget.{name} {excess}")
        for name, excess in self._day.excess(attempt, self._caps_per_day):
            return over_budget(f"budget.per_day.{name} {excess}", daily=True)
        return None

    def reserve(self, attempt: Attempt) -> float:
        """Count an attempt that is about to be submitted; returns the day it counts for."""
        self.run.add(attempt)
        self._day.add(attempt)
        return self._today

    def release(self, attempt: Attempt, day: float) -> None:
        """Take back an attempt, reserved on `day`, that was provably not accepted."""
        self.run.add(attempt, -1)
        if day == self._today:
            self._day.add(attempt, -1)
