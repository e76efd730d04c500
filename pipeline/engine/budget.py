"""Spend under a cap: reserved before the intent, released only on a provable no."""

from __future__ import annotations

from pipeline.engine.settings import Caps
from pipeline.model import Attempt


class Budget:
    """Counts what a run has reserved and says no before a cap would be passed."""

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self.videos = 0
        self.video_seconds = 0
        self.money = 0.0

    def refusal(self, attempt: Attempt) -> str | None:
        """Return the sentence that says which cap this attempt would pass; None if none."""
        seconds = attempt.request.duration
        for name, cap, after in (
            ("videos", self._caps.videos, self.videos + 1),
            ("video_seconds", self._caps.video_seconds, self.video_seconds + seconds),
            ("money", self._caps.money, self.money + (attempt.cost or 0)),
        ):
            # Prices are decimal fractions: the last cent of a cap must not be lost to rounding.
            if cap is not None and after > cap + 1e-9:
                return f"budget.{name} is {cap:g} and the next video would make it {after:g}"
        return None

    def reserve(self, attempt: Attempt) -> None:
        """Count an attempt that is about to be submitted."""
        self._count(attempt, 1)

    def release(self, attempt: Attempt) -> None:
        """Take back an attempt that was provably not accepted."""
        self._count(attempt, -1)

    def _count(self, attempt: Attempt, sign: int) -> None:
        self.videos += sign
        self.video_seconds += sign * attempt.request.duration
        self.money += sign * (attempt.cost or 0)
