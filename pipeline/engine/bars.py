"""What progress bars promise, and how far they keep it.

A bar promises an end in two ways: if it goes on at its pace since the task was accepted, and if it
goes on at its speed since it was last seen. For every part of the bar it is remembered how much
longer a task took from there, compared with each promise. An honest bar gives nearly one value; one
that runs ahead or behind gives nearly one for its speed; a lying, jumping or stuck one a wide
spread for both, and is not listened to where the durations alone say more.

A bar that was honest and lies now is found out by what it was believed: where ends that it told of
do not come, all that is known of it is forgotten, and it has to prove itself anew.

Tested in tests/engine/test_bars.py and tests/engine/test_polling.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from pipeline.engine.learned import Latest

PARTS = 40
"""Into how many equal parts a bar is divided."""
_REMEMBERED = 100
"""How many of the latest tasks count for each part."""
_ENOUGH = 8
"""The least number of tasks from which a part of the bar is believed."""
_LEAST_AGE_S = 1e-3
"""A task counts as at least this old, so that its pace is a number."""

_POINTS = tuple(0.05 + 0.09 * number for number in range(11))
"""A rest is told by these percentiles of others like it: the 5th, the 14th, … the 95th."""

_POLL = 0.1
"""A query more is worth it where it tells of an end sooner by more than this part of the floor."""
_AFTER, _UNSURE = 0.3, 0.4
"""How late an end is found by a further query: as parts of the floor, and of how unsure it is."""

_LIKELY = 0.5
"""A wait after which the task has more likely ended than not is a bet on the bar."""
_FRESH, _LOST = 0.05, 0.4
"""How much the latest bet counts, and the share of bets won below which a bar is forgotten."""

Sighting = tuple[float, float]
"""What a query showed: the task's age in seconds, and its progress from 0 to 100."""

Ratios = tuple[tuple[float, ...], ...]
"""For each part of a bar, how much longer tasks took than it promised."""


@dataclass(frozen=True, slots=True)
class Rest:
    """How many seconds a task still takes: percentiles of others like it, in ascending order."""

    points_s: tuple[float, ...]

    @property
    def spread_s(self) -> float:
        """The width of the middle four fifths: how unsure it is."""
        return self.points_s[-2] - self.points_s[1]

    @property
    def median_s(self) -> float:
        """The middle one."""
        return self.points_s[len(self.points_s) // 2]

    def chance_by(self, wait_s: float) -> float:
        """Return how likely the task has ended so many seconds from now."""
        return sum(one <= wait_s for one in self.points_s) / len(self.points_s)

    def best_wait_s(self, least_s: float) -> float:
        """Return the wait until the next query with which few queries tell of the end soon.

        Either it comes when the task has ended, or early enough for another one, which knows more,
        to come right after the end. `least_s` is the shortest wait.
        """
        first = self.points_s[0]
        waits = {max(least_s, one) for one in (*self.points_s, first - least_s, 0.85 * first)}
        unsure = _UNSURE * self.spread_s / max(self.median_s, least_s)
        best, least = least_s, inf
        for wait_s in sorted(waits):
            cost = 0.0
            for rest_s in self.points_s:
                left_s = rest_s - wait_s
                if left_s <= 0:
                    cost -= left_s
                else:
                    after_s = max(least_s - left_s, _AFTER * least_s + unsure * left_s)
                    cost += _POLL * least_s + after_s
            if cost < least:
                best, least = wait_s, cost
        return best


class Bar:
    """The progress bar of one kind of task; `heeded` is the share of tasks that it was heeded for.

    That share is of the latest ones.
    """

    def __init__(self) -> None:
        self.heeded = 0.0
        self._by_pace = _Promises()
        self._by_speed = _Promises()
        self._won = 1.0

    def know(self, by_pace: Ratios, by_speed: Ratios, heeded: float) -> None:
        """Take in what was learned before."""
        self._by_pace.know(by_pace)
        self._by_speed.know(by_speed)
        self.heeded = heeded

    def learn(self, sightings: Sequence[Sighting], duration_s: float, *, heeded: bool) -> None:
        """Compare what a task showed with how it ended, and whether the bar was heeded for it."""
        if sightings:
            self.heeded += _FRESH * (heeded - self.heeded)
        for by_speed, part, ratio in ratios_of(sightings, duration_s):
            (self._by_speed if by_speed else self._by_pace).learn(part, ratio)

    def note_bet(self, *, won: bool) -> None:
        """Take note whether a task had ended when its bar said so."""
        self._won += _FRESH * (won - self._won)
        if self._won < _LOST:
            self._by_pace, self._by_speed = _Promises(), _Promises()
            self.heeded, self._won = 0.0, 1.0

    def estimate_rest(self, sightings: Sequence[Sighting]) -> Rest | None:
        """Return how long a task with these sightings, latest last, still takes; None: unknown."""
        age_s, progress = sightings[-1]
        part = _part(progress)
        by_pace = self._by_pace.estimate_rest(part, _by_pace_s(age_s, progress))
        by_speed = self._by_speed.estimate_rest(part, _by_speed_s(sightings))
        if by_pace is None or by_speed is None:
            return by_pace or by_speed
        return min(by_pace, by_speed, key=lambda rest: rest.spread_s)


def is_bet(chance: float) -> bool:
    """Return whether a wait with this chance of an end is a bet on the bar."""
    return chance >= _LIKELY


def ratios_of(sightings: Sequence[Sighting], duration_s: float) -> list[tuple[bool, int, float]]:
    """Return what a task that ended teaches: whether by speed, the part of the bar, the ratio."""
    found = []
    for number, (age_s, progress) in enumerate(sightings):
        rest_s = max(0.0, duration_s - age_s)
        part = _part(progress)
        found.append((False, part, rest_s / _by_pace_s(age_s, progress)))
        promised_s = _by_speed_s(sightings[: number + 1])
        if promised_s is not None:
            found.append((True, part, rest_s / promised_s))
    return found


class _Promises:
    """How much longer tasks took than one of the two promises said, for each part of the bar."""

    def __init__(self) -> None:
        self._parts = [Latest(_REMEMBERED) for _ in range(PARTS)]

    def know(self, ratios: Ratios) -> None:
        for part, known in zip(self._parts, ratios, strict=True):
            part.know(known)

    def learn(self, part: int, ratio: float) -> None:
        self._parts[part].learn(ratio)

    def estimate_rest(self, part: int, promised_s: float | None) -> Rest | None:
        ratios = self._parts[part].sorted
        seen = len(ratios)
        if promised_s is None or seen < _ENOUGH:
            return None
        return Rest(tuple(ratios[int(point * seen)] * promised_s for point in _POINTS))


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


def _part(progress: float) -> int:
    return min(PARTS - 1, int(progress * PARTS / 100))
