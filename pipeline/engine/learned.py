"""How long tasks take, learned from those that ended: by their durations and by their bars.

Durations. With a hazard h(t) - the share of the tasks still running that ends per second at age t -
the mean delay of the detection for a given number of polls is least when polls are as dense as the
square root of h(t). So there are none before the fastest task can end, most where most tasks end,
and few in the tail.

Bars. A progress bar promises an end in two ways: if it goes on at its pace since the task was
accepted, and if it goes on at its speed since it was last seen. For every 5 % of the bar it is
remembered how much longer a task took from there, compared with each promise. An honest bar gives
nearly one value; one that runs ahead or behind gives nearly one for its speed; a lying, jumping or
stuck one a wide spread for both, and is not listened to where the durations alone say more.

Tested in tests/engine/test_polling.py.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

_REMEMBERED = 2000
"""How many of the latest durations count."""
_BINS = 40
"""Into how many parts, of as many tasks each, the durations are divided."""
_SHORTEST_BIN = 1e-3
"""The least width of such a part, as a share of its later edge."""
_BEFORE_THE_FASTEST = 0.9
"""Polls begin at this share of the shortest duration."""
_BAR_BINS = 20
"""Into how many equal parts a bar is divided."""
_BAR_REMEMBERED = 100
"""How many of the latest tasks count for each part of the bar."""
_ENOUGH = 12
"""The least number of tasks from which a part of the bar is believed."""
_LEAST_AGE_S = 1e-3
"""A task counts as at least this old, so that its pace is a number."""


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
        """Return the age `steps` polls later in a schedule with `polls` polls per task.

        None beyond the longest duration.
        """
        phase = _interpolate(age_s, self.ages_s, self.phases) + steps * self.mean_phase / polls
        if phase > self.phases[-1]:
            return None
        return _interpolate(phase, self.phases, self.ages_s)


class _Latest:
    """The latest numbers, `most` of them, in ascending order."""

    def __init__(self, most: int) -> None:
        self.sorted: list[float] = []
        self._most = most
        self._in_turn: deque[float] = deque()

    def learn(self, number: float) -> float:
        """Remember another number, and forget the oldest if there are too many.

        Returns by how much the sum of all has grown.
        """
        self._in_turn.append(number)
        insort(self.sorted, number)
        if len(self._in_turn) <= self._most:
            return number
        oldest = self._in_turn.popleft()
        del self.sorted[bisect_left(self.sorted, oldest)]
        return number - oldest


class Durations:
    """The durations of the latest tasks of one kind, in seconds."""

    def __init__(self) -> None:
        self._latest = _Latest(_REMEMBERED)
        self._sorted = self._latest.sorted
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
            self._density = Density.of(self._sorted)
            self._fresh = 0
        return self._density

    def learn(self, duration_s: float) -> None:
        """Remember another duration, and forget the oldest if there are too many."""
        self._total_s += self._latest.learn(duration_s)
        self._fresh += 1

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


Sighting = tuple[float, float]
"""What a query showed: the task's age in seconds, and its progress from 0 to 100."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """How many seconds a task still takes: the 10th, 50th and 90th percentile of others like it."""

    early_s: float
    median_s: float
    late_s: float

    @property
    def spread_s(self) -> float:
        """The width of that range: how unsure it is."""
        return self.late_s - self.early_s


class Bar:
    """The progress bar of one kind of task."""

    def __init__(self) -> None:
        self._by_pace = _Ratios()
        self._by_speed = _Ratios()

    def learn(self, sightings: Sequence[Sighting], duration_s: float) -> None:
        """Compare what a task showed, as (age in seconds, progress 0-100), with how it ended."""
        for number, (age_s, progress) in enumerate(sightings):
            rest_s = max(0.0, duration_s - age_s)
            self._by_pace.learn(progress, rest_s / _by_pace_s(age_s, progress))
            promised_s = _by_speed_s(sightings[: number + 1])
            if promised_s is not None:
                self._by_speed.learn(progress, rest_s / promised_s)

    def estimate_rest(self, sightings: Sequence[Sighting]) -> _Rest | None:
        """Return how long a task with these sightings, latest last, still takes; None: unknown."""
        age_s, progress = sightings[-1]
        by_pace = self._by_pace.estimate_rest(progress, _by_pace_s(age_s, progress))
        by_speed = self._by_speed.estimate_rest(progress, _by_speed_s(sightings))
        if by_pace is None or by_speed is None:
            return by_pace or by_speed
        return min(by_pace, by_speed, key=lambda rest: rest.spread_s)


class _Ratios:
    """How much longer tasks took than one of the two promises said, for each part of the bar."""

    def __init__(self) -> None:
        self._bins = [_Latest(_BAR_REMEMBERED) for _ in range(_BAR_BINS)]

    def learn(self, progress: float, ratio: float) -> None:
        self._bins[_bin(progress)].learn(ratio)

    def estimate_rest(self, progress: float, promised_s: float | None) -> _Rest | None:
        ratios = self._bins[_bin(progress)].sorted
        seen = len(ratios)
        if promised_s is None or seen < _ENOUGH:
            return None
        return _Rest(
            ratios[seen // 10] * promised_s,
            ratios[seen // 2] * promised_s,
            ratios[seen * 9 // 10] * promised_s,
        )


def _by_pace_s(age_s: float, progress: float) -> float:
    # Half a per cent at either end: 0 and 100 promise something, too.
    done = min(99.5, max(0.5, progress))
    return max(age_s, _LEAST_AGE_S) * (100 - done) / done


def _by_speed_s(sightings: Sequence[Sighting]) -> float | None:
    """Return what the last two sightings promise; None where the bar did not move on."""
    if len(sightings) < 2:  # noqa: PLR2004 - a speed takes two
        return None
    (age_s, progress), (later_s, further) = sightings[-2:]
    if further <= progress or later_s <= age_s:
        return None
    return max(0.5, 100 - further) * (later_s - age_s) / (further - progress)


def _bin(progress: float) -> int:
    return min(_BAR_BINS - 1, int(progress * _BAR_BINS / 100))
