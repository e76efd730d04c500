"""What a progress bar is worth, learned from tasks that ended.

A bar promises an end in two ways: if it goes on at its pace since the task was accepted, and if it
goes on at its speed since it was last seen. For every 5 % of the bar it is remembered how much
longer a task took from there, compared with each promise. An honest bar gives nearly one value; one
that runs ahead or behind gives nearly one for its speed; a lying, jumping or stuck one a wide
spread for both, and is not listened to where the durations alone say more.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

_BINS = 20
_REMEMBERED = 100
_ENOUGH = 12
_LEAST_AGE_S = 1e-3

Sighting = tuple[float, float]
"""What a query saw: the task's age in seconds, and its progress from 0 to 100."""


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

    __slots__ = ("_by_pace", "_by_speed")

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

    def rest(self, sightings: Sequence[Sighting]) -> Rest | None:
        """Return what is left for a task that has shown so much, the latest last; None: unknown."""
        age_s, progress = sightings[-1]
        by_pace = self._by_pace.rest(progress, _by_pace_s(age_s, progress))
        by_speed = self._by_speed.rest(progress, _by_speed_s(sightings))
        if by_pace is None or by_speed is None:
            return by_pace or by_speed
        return min(by_pace, by_speed, key=lambda rest: rest.spread_s)


class _Ratios:
    """How much longer tasks took than one kind of promise said, for each part of the bar."""

    __slots__ = ("_ended", "_sorted")

    def __init__(self) -> None:
        self._ended: list[deque[float]] = [deque() for _ in range(_BINS)]
        self._sorted: list[list[float]] = [[] for _ in range(_BINS)]

    def learn(self, progress: float, ratio: float) -> None:
        number = _bin(progress)
        insort(self._sorted[number], ratio)
        self._ended[number].append(ratio)
        if len(self._ended[number]) > _REMEMBERED:
            self._sorted[number].remove(self._ended[number].popleft())

    def rest(self, progress: float, promised_s: float | None) -> Rest | None:
        ratios = self._sorted[_bin(progress)]
        seen = len(ratios)
        if promised_s is None or seen < _ENOUGH:
            return None
        return Rest(
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
    return min(_BINS - 1, int(progress * _BINS / 100))
