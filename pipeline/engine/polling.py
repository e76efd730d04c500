"""When a task is asked for next.

Until enough tasks of a kind have ended, in this run or in earlier ones, the documented schedule
applies: a first query, then one in every interval. After that it is whichever says more: the
progress bar where it has proved true, otherwise the durations. So a lying, stuck or missing bar
costs nothing.

Tested in tests/engine/test_polling.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from pipeline.engine.bars import Bar, is_bet
from pipeline.engine.experience import Experience, Known
from pipeline.engine.learned import Durations
from pipeline.engine.limits import Pace, spread
from pipeline.engine.rows import Watch

_POLLS, _POLLS_KNOWN = 6.42, 6.72
"""Polls per task, in the mean, where only durations are known: those of this run, or from before.

A first run has spent some of them by then on the documented schedule.
"""

_SPARSER = 2.5
"""Polls are this much sparser once no row waits for a slot: a late detection costs nothing."""

_LAST_ONES = 10
"""Once this few tasks are left, each may end the run: the fewer, the closer they are watched."""

_MOSTLY = 0.5
"""If it was heeded for more of the latest tasks, a bar is expected to tell of the next one, too."""
_EARLY = 0.05
"""The first query that a bar needs may tell of ends, in the mean, this part of the floor late."""
_UNSURE_BAR, _UNSURE_BESIDE = 0.5, 0.2
"""As part of the rest, and of how unsure durations leave it: how unsure a bar may leave it."""
_LONGEST_INTERVALS = 3
"""An unsure bar postpones a query by so many documented intervals, or by the age of its task."""
_INTERRUPTED = 4
"""What takes so many times as long as any task, to be home, was interrupted on its way."""
_BROKEN = 3
"""After so many ends of one task that did not come, its bar is not heeded any more."""


class Schedule:
    """Decides the waits of one run, and learns from every task that ends.

    `polls_per_s` is how many queries per second are allowed for all tasks together.
    """

    def __init__(self, pace: Pace, polls_per_s: float = 50) -> None:
        self._pace = pace
        self._polls_per_s = polls_per_s
        self._experience = Experience()

    def know(self, before: Iterable[Known]) -> None:
        """Begin with what earlier runs have learned."""
        self._experience.know(before)

    def take_news(self) -> list[Known]:
        """Return what was learned since this was called last, for the next run."""
        return self._experience.take_news()

    def plausible_s(self) -> float:
        """Return how long a row takes to be home at most if no outage and no kill came between."""
        longest_s = self._experience.longest_s
        return inf if longest_s is None else _INTERRUPTED * longest_s + 2 * self._pace.interval_s

    def first_wait_s(self, watch: Watch, outstanding: int) -> float:
        """Return the wait between the acceptance of a task and its first query.

        `outstanding` is how many tasks share the queries.
        """
        known = self._experience.find(watch.kind)
        if known is not None and known[1].heeded > _MOSTLY:
            early_s = known[0].early_s(_EARLY * self._pace.least_s)
            # Tasks accepted together are parted by seconds: not all are asked for at once.
            return max(self._pace.least_s, early_s * (0.97 + 0.06 * spread(watch.key, 0)))
        return self._wait_s(watch, 0.0, outstanding, last=False)

    def note_unfinished(self, watch: Watch, age_s: float, progress: float | None) -> None:
        """Take in that a query has shown a task unfinished; `progress` is 0-100 or None."""
        watch.seen_age_s = age_s
        if watch.bets:
            watch.broken += 1
            self._experience.note_bet(watch.kind, won=False)
        if watch.timed:
            self._experience.note_running(watch)
            if progress is not None:
                watch.sightings.append((age_s, progress))

    def next_wait_s(
        self, watch: Watch, age_s: float, outstanding: int, *, last: bool = False
    ) -> float:
        """Return the wait until the next query of a task that was asked for at `age_s`.

        `outstanding` is how many tasks share the queries; `last` says that no row waits for a slot
        any more.
        """
        watch.queries += 1
        return self._wait_s(watch, age_s, outstanding, last=last)

    def learn(self, watch: Watch, age_s: float, duration_s: float | None) -> None:
        """Take in the end of a task, noticed at `age_s`; `duration_s` is what the provider says.

        It ended between the last time it was seen unfinished and now, whatever the provider's clock
        says.
        """
        if not watch.timed:
            return
        if duration_s is None:
            duration_s = (watch.seen_age_s + age_s) / 2
        duration_s = min(max(duration_s, watch.seen_age_s), age_s)
        if watch.bets:
            self._experience.note_bet(watch.kind, won=True)
        self._experience.learn(watch, duration_s, heeded=watch.heeds)

    def _wait_s(self, watch: Watch, age_s: float, outstanding: int, *, last: bool) -> float:
        least_s = self._pace.least_s
        known = self._experience.find(watch.kind)
        watch.heeds = watch.bets = False
        if known is None or not watch.timed:
            return max(least_s, self._by_schedule(watch))
        durations, bar = known
        # A query that told nothing, or of no progress, leaves what was seen before behind.
        is_seen = bool(watch.sightings) and watch.sightings[-1][0] == age_s
        wait_s = self._by_bar(watch, durations, bar) if is_seen else None
        if wait_s is None:
            wait_s = self._by_durations(watch, durations, age_s, outstanding, last=last)
        return max(least_s, wait_s)

    def _polls(self, durations: Durations, outstanding: int) -> tuple[float, float]:
        """Return how many polls a task gets, and by how much fewer they are than wanted."""
        # A fifth of the allowance is left for look-ups, fresh links and failed queries.
        affordable = 0.8 * self._polls_per_s * durations.mean_s / max(1, outstanding)
        wanted = _POLLS_KNOWN if durations.are_known else _POLLS
        polls = max(0.1, min(wanted, affordable))
        return polls, wanted / polls

    def _by_schedule(self, watch: Watch) -> float:
        wait_s = self._pace.interval_s if watch.queries else self._pace.first_s
        return wait_s * (0.9 + 0.2 * spread(watch.key, watch.queries))

    def _by_bar(self, watch: Watch, durations: Durations, bar: Bar) -> float | None:
        rest = bar.estimate_rest(watch.sightings)
        if rest is None or watch.broken >= _BROKEN:
            return None
        least_s, unsure_s = self._pace.least_s, rest.spread_s
        if unsure_s > least_s:
            otherwise_s = durations.spread_s(watch.seen_age_s) or inf
            beside_s = 0.0 if otherwise_s == inf else _UNSURE_BESIDE * otherwise_s
            if unsure_s > max(_UNSURE_BAR * rest.median_s, beside_s) or unsure_s >= otherwise_s:
                return None
        wait_s = rest.best_wait_s(least_s)
        if unsure_s > least_s:
            wait_s = min(wait_s, max(_LONGEST_INTERVALS * self._pace.interval_s, watch.seen_age_s))
        watch.heeds, watch.bets = True, is_bet(rest.chance_by(wait_s))
        return wait_s

    def _by_durations(
        self,
        watch: Watch,
        durations: Durations,
        age_s: float,
        outstanding: int,
        *,
        last: bool,
    ) -> float:
        polls, fewer = self._polls(durations, outstanding)
        rote_s = self._pace.interval_s * fewer
        # A whole step before the first query, too: a random part of one costs half a query a task.
        # Tasks accepted together are parted by seconds: not all of them are asked for at once.
        steps = 1.0 if watch.queries else 0.95 + 0.1 * spread(watch.key, 0)
        if last:
            steps *= _SPARSER
        next_age_s = durations.density.next_age_s(age_s, steps, polls)
        wait_s = rote_s if next_age_s is None else next_age_s - age_s
        if last and age_s > durations.median_s:
            return min(wait_s, rote_s * min(_SPARSER, max(1, outstanding) / _LAST_ONES))
        return wait_s
