"""What a progress bar is worth, learned from tasks that ended.

For every 5 % of the bar it is remembered how much longer a task took from there, compared with what
the bar promised if it went on at its pace so far. An honest bar gives nearly one value; a lying,
jumping or stuck one a wide spread, and is not listened to where the durations alone say more.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

_BINS = 20
_REMEMBERED = 100
_ENOUGH = 12
_LEAST_AGE_S = 1e-3


@dataclass(frozen=True, slots=True)
class Rest:
    """How many seconds a task still takes: the tenth, the half and nine tenths of its likes."""

    early_s: float
    median_s: float
    late_s: float

    @property
    def spread_s(self) -> float:
        """How unsure that is."""
        return self.late_s - self.early_s


class Bar:
    """The progress bar of one kind of task."""

    __slots__ = ("_ended", "_sorted")

    def __init__(self) -> None:
        self._ended: list[deque[float]] = [deque() for _ in range(_BINS)]
        self._sorted: list[list[float]] = [[] for _ in range(_BINS)]

    def learn(self, sightings: Iterable[tuple[float, float]], duration_s: float) -> None:
        """Compare what a task showed, as (age in seconds, progress 0-100), with how it ended."""
        for age_s, progress in sightings:
            ratio = max(0.0, duration_s - age_s) / _promised_s(age_s, progress)
            number = _bin(progress)
            insort(self._sorted[number], ratio)
            self._ended[number].append(ratio)
            if len(self._ended[number]) > _REMEMBERED:
                self._sorted[number].remove(self._ended[number].popleft())

    def rest(self, age_s: float, progress: float) -> Rest | None:
        """Return what is left for a task that shows so much at that age; None if unknown."""
        ratios = self._sorted[_bin(progress)]
        seen = len(ratios)
        if seen < _ENOUGH:
            return None
        promised_s = _promised_s(age_s, progress)
        return Rest(
            ratios[seen // 10] * promised_s,
            ratios[seen // 2] * promised_s,
            ratios[seen * 9 // 10] * promised_s,
        )


def _promised_s(age_s: float, progress: float) -> float:
    # Half a per cent at either end: 0 and 100 promise something, too.
    done = min(99.5, max(0.5, progress))
    return max(age_s, _LEAST_AGE_S) * (100 - done) / done


def _bin(progress: float) -> int:
    return min(_BINS - 1, int(progress * _BINS / 100))
