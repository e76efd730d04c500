"""How long tasks take, learned from those that ended.

With a hazard h(t) - the share of the tasks still running that ends per second at age t - the mean
delay of the detection for a given number of polls is least when polls are as dense as the square
root of h(t). So there are none before the fastest task can end, most where most tasks end, and few
in the tail.

The tasks that end first are the short ones. So those that still run count as well, with the age at
which each was last seen unfinished: the hazard is that of a life table, with whoever leaves within
a part of it counted for half of it (Cutler and Ederer, "Maximum utilization of the life table
method in analyzing survival", 1958). Otherwise a first run would take all tasks for short.

Tested in tests/engine/test_polling.py.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Protocol
from weakref import WeakSet

_REMEMBERED = 2000
"""How many of the latest durations count."""
_BINS = 40
"""Into how many parts, of as many tasks each, the durations are divided."""
_SHORTEST_BIN = 1e-3
"""The least width of such a part, as a share of its later edge."""
_BEFORE_THE_FASTEST = 0.9
"""Polls begin at this share of the shortest duration."""
_GOLDEN = 0.618034
"""The golden ratio: its multiples are spread evenly, however many there are (Knuth, 6.4)."""


@dataclass(frozen=True, slots=True)
class Density:
    """The wanted density of polls over a task's age, as a cumulative, piecewise linear phase.

    Polls at equal steps of `phases` have that density. `mean_phase` is the phase that a task passes
    through in the mean, so that steps of `mean_phase / n` make n polls per task.
    """

    ages_s: tuple[float, ...]
    phases: tuple[float, ...]
    mean_phase: float

    @classmethod
    def of(cls, durations_s: Sequence[float], running_s: Sequence[float] = ()) -> Density:
        """Return the density for durations like these.

        `running_s` are the ages of tasks that have not ended yet; both are in ascending order.
        """
        last, each = len(durations_s) - 1, len(durations_s) / (_BINS + 1)
        edges = [durations_s[round(number * last / _BINS)] for number in range(_BINS + 1)]
        ages, steps, mean_phase = [edges[0] * _BEFORE_THE_FASTEST], [], 0.0
        surviving, still = 1.0, len(running_s) - bisect_left(running_s, ages[0])
        for number, edge in enumerate(edges):
            width = max(edge - ages[-1], _SHORTEST_BIN * edge)
            ages.append(ages[-1] + width)
            before, still = still, len(running_s) - bisect_left(running_s, ages[-1])
            ending = each / (len(durations_s) - number * each + (before + still) / 2)
            steps.append((ending * width) ** 0.5)
            mean_phase += steps[-1] * surviving * (1 - ending / 2)
            surviving *= 1 - ending
        return cls(tuple(ages), tuple(accumulate(steps, initial=0.0)), mean_phase)

    def next_age_s(self, age_s: float, steps: float, polls: float) -> float | None:
        """Return the age `steps` polls later in a schedule with `polls` polls per task.

        None beyond the longest duration.
        """
        phase = _interpolate(age_s, self.ages_s, self.phases) + steps * self.mean_phase / polls
        if phase > self.phases[-1]:
            return None
        return _interpolate(phase, self.phases, self.ages_s)


class Latest:
    """The latest numbers, `most` of them, in ascending order.

    Those that are known from before give way first, one for each that is learned.
    """

    def __init__(self, most: int) -> None:
        self.sorted: list[float] = []
        self._most = most
        self._known: list[float] = []
        self._in_turn: deque[float] = deque()

    def know(self, numbers: Sequence[float]) -> None:
        """Take in numbers from before, as if they were older than all others."""
        self._known += sorted(numbers, key=partial(_scatter, sorted(numbers)))
        self.sorted = sorted([*self.sorted, *numbers])

    def learn(self, number: float) -> float:
        """Remember another number, and forget the oldest if there are too many.

        Returns by how much the sum of all has grown.
        """
        self._in_turn.append(number)
        insort(self.sorted, number)
        if self._known:
            oldest = self._known.pop()
        elif len(self._in_turn) > self._most:
            oldest = self._in_turn.popleft()
        else:
            return number
        del self.sorted[bisect_left(self.sorted, oldest)]
        return number - oldest


def _scatter(numbers: Sequence[float], number: float) -> float:
    """Return a number's turn to be forgotten, so that those that are left are spread as all are."""
    return bisect_left(numbers, number) * _GOLDEN % 1


def thin(numbers: Sequence[float], most: int) -> tuple[float, ...]:
    """Return at most so many numbers that are spread as these are, in ascending order."""
    ordered, count = sorted(numbers), len(numbers)
    if count <= most:
        return tuple(ordered)
    return tuple(ordered[(2 * place + 1) * count // (2 * most)] for place in range(most))


def mix(before: Sequence[float], news: Sequence[float], most: int) -> tuple[float, ...]:
    """Return at most so many numbers: the news, and as many of those before as find room."""
    return thin((*thin(before, max(0, most - len(news))), *news), most)


class Running(Protocol):
    """A task that has not ended; it was last seen unfinished at this age."""

    seen_age_s: float


class Durations:
    """The durations of the latest tasks of one kind, in seconds, and the tasks that still run.

    `are_known` says that there were some from before. Whoever gives up a task need not say so.
    """

    def __init__(self) -> None:
        self._latest = Latest(_REMEMBERED)
        self._total_s = 0.0
        self._density: Density | None = None
        self._fresh = 0
        self.are_known = False
        self.running: WeakSet[Running] = WeakSet()

    def __len__(self) -> int:
        return len(self._sorted)

    @property
    def _sorted(self) -> list[float]:
        return self._latest.sorted

    @property
    def mean_s(self) -> float:
        """The mean of what is remembered."""
        return self._total_s / len(self._sorted)

    @property
    def median_s(self) -> float:
        """The median of what is remembered."""
        return self._sorted[len(self._sorted) // 2]

    @property
    def late_s(self) -> float:
        """What all but one of twenty of what is remembered do not pass."""
        return self._sorted[len(self._sorted) * 19 // 20]

    @property
    def longest_s(self) -> float:
        """The longest of what is remembered."""
        return self._sorted[-1]

    @property
    def density(self) -> Density:
        """The density of polls for these durations, recomputed when an eighth of them is new."""
        if self._density is None or self._fresh * 8 > len(self._sorted):
            running_s = sorted(task.seen_age_s for task in self.running)
            self._density = Density.of(self._sorted, running_s)
            self._fresh = 0
        return self._density

    def learn(self, duration_s: float) -> None:
        """Remember another duration, and forget the oldest if there are too many."""
        self._total_s += self._latest.learn(duration_s)
        self._fresh += 1

    def know(self, durations_s: Sequence[float]) -> None:
        """Take in durations from before."""
        self._latest.know(durations_s)
        self._total_s += sum(durations_s)
        self.are_known = True

    def early_s(self, late_s: float) -> float:
        """Return the age at which a first query tells of ends, in the mean, so many seconds late.

        That is the mean over all tasks; it is not late for those that go on.
        """
        total_s, share_s = 0.0, late_s * len(self._sorted)
        for ended, duration_s in enumerate(self._sorted):
            if ended * duration_s - total_s > share_s:
                return (share_s + total_s) / ended
            total_s += duration_s
        return self.longest_s

    def spread_s(self, age_s: float) -> float | None:
        """Return the 10-90 % range of the durations above `age_s`; None if there are too few."""
        start = bisect_right(self._sorted, age_s)
        longer = len(self._sorted) - start
        if longer < 10:  # noqa: PLR2004 - deciles of fewer are noise
            return None
        return self._sorted[start + longer * 9 // 10] - self._sorted[start + longer // 10]


def _interpolate(x: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    if x <= xs[0]:
        return ys[0]
    if x >= xs[-1]:
        return ys[-1]
    right = bisect_right(xs, x)
    share = (x - xs[right - 1]) / (xs[right] - xs[right - 1])
    return ys[right - 1] + share * (ys[right] - ys[right - 1])
