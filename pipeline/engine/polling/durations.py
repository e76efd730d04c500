"""How long tasks take, learned from those that ended, and how dense polls should be.

With a hazard h(t) - the share of the tasks still running that ends per second at age t - the mean
delay of the detection for a given number of polls is least when polls are as dense as the square
root of h(t). So there are none before the fastest task can end, most where most tasks end, and few
in the tail.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

_REMEMBERED = 2000
_BINS = 40
_SHORTEST_BIN = 1e-3
_BEFORE_THE_FASTEST = 0.9


@dataclass(frozen=True, slots=True)
class Density:
    """The wanted density of polls over a task's age, as a cumulative, piecewise linear phase.

    Polls at equal steps of `phases` have that density; `mean_phase` is the phase that a task runs
    through in the mean, so that steps of `mean_phase / n` come to n polls a task.
    """

    ages_s: tuple[float, ...]
    phases: tuple[float, ...]
    mean_phase: float

    @classmethod
    def of(cls, durations_s: Sequence[float]) -> Density:
        """Return the density for durations like these, given in ascending order."""
        last = len(durations_s) - 1
        edges = [durations_s[round(number * last / _BINS)] for number in range(_BINS + 1)]
        ages, steps, mean_phase = [edges[0] * _BEFORE_THE_FASTEST], [], 0.0
        for number, edge in enumerate(edges):
            width = max(edge - ages[-1], _SHORTEST_BIN * edge)
            surviving = 1 - number / (_BINS + 1)
            ending = 1 / (_BINS + 1) / surviving
            steps.append((ending * width) ** 0.5)
            mean_phase += steps[-1] * (surviving - 0.5 / (_BINS + 1))
            ages.append(ages[-1] + width)
        return cls(tuple(ages), tuple(accumulate(steps, initial=0.0)), mean_phase)

    def next_age_s(self, age_s: float, steps: float, polls: float) -> float | None:
        """Return the age so many steps on, of a schedule with `polls` polls a task.

        None past the longest duration.
        """
        phase = _interpolated(age_s, self.ages_s, self.phases) + steps * self.mean_phase / polls
        if phase > self.phases[-1]:
            return None
        return _interpolated(phase, self.phases, self.ages_s)


class Durations:
    """The durations of the latest tasks of one kind, in seconds."""

    __slots__ = ("_density", "_ended", "_fresh", "_sorted", "_total_s")

    def __init__(self) -> None:
        self._ended: deque[float] = deque()
        self._sorted: list[float] = []
        self._total_s = 0.0
        self._density: Density | None = None
        self._fresh = 0

    def __len__(self) -> int:
        return len(self._sorted)

    @property
    def mean_s(self) -> float:
        """The mean of what is remembered."""
        return self._total_s / len(self._sorted)

    @property
    def median_s(self) -> float:
        """The median of what is remembered."""
        return self._sorted[len(self._sorted) // 2]

    @property
    def density(self) -> Density:
        """The density of polls for these durations, made anew when an eighth of them is new."""
        if self._density is None or self._fresh * 8 > len(self._sorted):
            self._density = Density.of(self._sorted)
            self._fresh = 0
        return self._density

    def learn(self, duration_s: float) -> None:
        """Remember one more end, and forget the oldest of too many."""
        self._ended.append(duration_s)
        insort(self._sorted, duration_s)
        self._total_s += duration_s
        self._fresh += 1
        if len(self._ended) > _REMEMBERED:
            oldest = self._ended.popleft()
            del self._sorted[bisect_left(self._sorted, oldest)]
            self._total_s -= oldest

    def spread_s(self, age_s: float) -> float | None:
        """Return the 10-90 % spread of the durations longer than `age_s`; None if too few are."""
        start = bisect_right(self._sorted, age_s)
        longer = len(self._sorted) - start
        if longer < 10:  # noqa: PLR2004 - deciles of fewer are noise
            return None
        return self._sorted[start + longer * 9 // 10] - self._sorted[start + longer // 10]


def _interpolated(x: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    if x <= xs[0]:
        return ys[0]
    if x >= xs[-1]:
        return ys[-1]
    right = bisect_right(xs, x)
    share = (x - xs[right - 1]) / (xs[right] - xs[right - 1])
    return ys[right - 1] + share * (ys[right] - ys[right - 1])
