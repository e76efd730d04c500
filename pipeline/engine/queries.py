"""Queries: when a task is asked for next, and one queue of all queries instead of a loop per row.

Until enough tasks of a kind have ended, the documented schedule applies: a first query, then one in
every interval. After that it is whichever says more: the progress bar where it has proved true,
otherwise the durations. So a lying, stuck or missing bar costs nothing.

Tested in tests/engine/test_polling.py and tests/engine/test_queries_at_night.py.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from math import ceil, inf

from pipeline.engine.commands import RowId
from pipeline.engine.learned import Bar, Durations
from pipeline.engine.limits import POLL, Bucket, Pace, RunLimits, spread
from pipeline.engine.rows import Kind, Tracked, Wait, Watch
from pipeline.errors import NoSuchTask, ProviderError
from pipeline.manifest.wording import count as in_words
from pipeline.model import TaskView

_ENOUGH = 30
"""The durations of a kind are used once this many of its tasks have ended."""

_POLLS = 5.2
"""Polls per task, in the mean, where only the durations are known."""

_SPARSER = 2.0
"""Polls are this much sparser once no row waits for a slot: a late detection costs nothing."""

_LONGEST_INTERVALS = 3
"""An unsure bar postpones a query by at most this many documented intervals."""

_LAST_ONES = 10
"""Once this few tasks are left, each may end the run: the fewer, the closer they are watched."""

_OUTAGE_FAILURES = 2
"""One lost connection among many answers is told to nobody."""

_TRIES = 8
"""This many queries at a time try whether an outage is over."""


class Schedule:
    """Decides the waits of one run, and learns from every task that ends.

    `polls_per_s` is how many queries per second are allowed for all tasks together.
    """

    def __init__(self, pace: Pace, polls_per_s: float = 50) -> None:
        self._pace = pace
        self._polls_per_s = polls_per_s
        self._learned: dict[Kind | None, tuple[Durations, Bar]] = {}

    def first_wait_s(self, watch: Watch, outstanding: int) -> float:
        """Return the wait between the acceptance of a task and its first query.

        `outstanding` is how many tasks share the queries.
        """
        return self._wait_s(watch, 0.0, None, outstanding, last=False)

    def next_wait_s(
        self,
        watch: Watch,
        age_s: float,
        progress: float | None,
        outstanding: int,
        *,
        last: bool = False,
    ) -> float:
        """Return the wait until the next query of a task seen unfinished at `age_s`.

        `progress` is 0-100 or None; `outstanding` is how many tasks share the queries; `last` says
        that no row waits for a slot any more.
        """
        watch.queries += 1
        watch.seen_age_s = age_s
        if progress is not None and watch.timed:
            watch.sightings.append((age_s, progress))
        return self._wait_s(watch, age_s, progress, outstanding, last=last)

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
        for kind in (watch.kind, None):
            if kind not in self._learned:
                self._learned[kind] = Durations(), Bar()
            durations, bar = self._learned[kind]
            durations.learn(duration_s)
            bar.learn(watch.sightings, duration_s)

    def _wait_s(
        self, watch: Watch, age_s: float, progress: float | None, outstanding: int, *, last: bool
    ) -> float:
        least_s = self._pace.least_s
        known = self._find_learned(watch.kind)
        if known is None or not watch.timed:
            return max(least_s, self._by_schedule(watch))
        durations, bar = known
        wait_s = None if progress is None else self._by_bar(watch, durations, bar)
        if wait_s is None:
            wait_s = self._by_durations(watch, durations, age_s, outstanding, last=last)
        return max(least_s, wait_s)

    def _find_learned(self, kind: Kind) -> tuple[Durations, Bar] | None:
        """Return what enough tasks of this kind, or of all kinds together, have taught."""
        for one in (kind, None):
            learned = self._learned.get(one)
            if learned is not None and len(learned[0]) >= _ENOUGH:
                return learned
        return None

    def _polls(self, durations: Durations, outstanding: int) -> float:
        # A fifth of the allowance is left for look-ups, fresh links and failed queries.
        affordable = 0.8 * self._polls_per_s * durations.mean_s / max(1, outstanding)
        return max(0.1, min(_POLLS, affordable))

    def _by_schedule(self, watch: Watch) -> float:
        wait_s = self._pace.interval_s if watch.queries else self._pace.first_s
        return wait_s * (0.9 + 0.2 * spread(watch.key, watch.queries))

    def _by_bar(self, watch: Watch, durations: Durations, bar: Bar) -> float | None:
        if (rest := bar.estimate_rest(watch.sightings)) is None:
            return None
        if rest.spread_s <= self._pace.least_s:
            return rest.late_s
        otherwise_s = durations.spread_s(watch.seen_age_s)
        if rest.spread_s > 0.5 * rest.median_s or rest.spread_s >= (otherwise_s or inf):
            return None
        return min(rest.early_s, _LONGEST_INTERVALS * self._pace.interval_s)

    def _by_durations(
        self,
        watch: Watch,
        durations: Durations,
        age_s: float,
        outstanding: int,
        *,
        last: bool,
    ) -> float:
        polls = self._polls(durations, outstanding)
        rote_s = self._pace.interval_s * _POLLS / polls
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


class Sweep:
    """Decides which row to ask for next, within the rate and a cap on queries in flight."""

    def __init__(self, settings: RunLimits, now: float) -> None:
        self.in_flight = 0
        self._most_in_flight = settings.polls_in_flight
        self._pace = settings.pace
        self._bucket = Bucket(settings.polls_per_minute, now)
        # The moment and the due time of each query: at one moment, the earliest due goes first.
        self._due: list[tuple[float, float, int, RowId]] = []
        self._turn = count()
        self._closed_until = now
        self._failures = 0
        self._failing_why = ""
        self._failing_until = now
        self._given_up = False

    @property
    def wait(self) -> Wait | None:
        """What queries wait for, once no two of them in a row came through."""
        if self._failures < _OUTAGE_FAILURES:
            return None
        return Wait("answers to queries", self._failing_why, self._failing_until)

    @property
    def scheduled(self) -> int:
        """How many rows are to be asked for again."""
        return len(self._due)

    @property
    def _room(self) -> int:
        # While nothing gets through, a few try; the others follow as soon as one is answered.
        return min(_TRIES, self._most_in_flight) if self._failures > 1 else self._most_in_flight

    def schedule(self, row: RowId, due: float) -> None:
        """Ask for a row at `due` or soon after. A row is scheduled once at a time.

        Queries that are due at about the same time go together: alone, each costs half as much
        again.
        """
        if self._given_up:
            return
        heappush(self._due, (self._pace.together_at(due), due, next(self._turn), row))

    def start(self, now: float) -> RowId | None:
        """Return the next row to ask for now, if any may be asked for."""
        if (
            not self._due
            or self._due[0][0] > now
            or now < self._closed_until
            or self.in_flight >= self._room
            or not self._bucket.take(now)
        ):
            return None
        self.in_flight += 1
        return heappop(self._due)[-1]

    def limit(self, per_minute: float) -> None:
        """Keep to another rate from now on."""
        self._bucket.limit(per_minute)

    def give_up(self) -> None:
        """Ask for nothing more in this run; what is left is asked for by the next one."""
        self._given_up = True
        self._due.clear()

    def wake_at(self, now: float) -> float:
        """Return when the next query may go; infinity if there is none or only an answer helps."""
        if not self._due or self.in_flight >= self._room:
            return inf
        return max(self._due[0][0], self._closed_until, self._bucket.ready_at(now))

    def note_answer(self) -> None:
        """Take note of a clear answer."""
        self.in_flight -= 1
        self._failures = 0

    def note_failure(
        self, now: float, retry_after_s: float | None, why: str = "", until: float = 0.0
    ) -> None:
        """Take note of a query that failed on the way: all queries slow down together.

        Args:
            now: The time, in seconds.
            retry_after_s: The wait that the provider asked for, in seconds.
            why: What failed.
            until: When its row is given up for this run.

        """
        self.in_flight -= 1
        self._failing_why = why
        self._failing_until = max(self._failing_until, until)
        if now >= self._closed_until:
            self._failures += 1
        wait_s = POLL.wait_s(self._failures, "poll", retry_after_s)
        # One lost connection among many answers is no reason to keep all the others waiting.
        if self._failures > 1 or retry_after_s is not None:
            self._closed_until = max(self._closed_until, now + wait_s)


class LookUps:
    """Look-ups of rows that may have been sent already, while the provider does not answer them.

    Nothing of such a row is sent before it is known, so whoever waits is told for what.
    """

    def __init__(self) -> None:
        self._until: dict[RowId, float] = {}
        self._failure = ""

    def note(self, row: Tracked, content: TaskView | ProviderError, until: float) -> None:
        """Take in the reply to a look-up.

        Args:
            row: the row that was looked up.
            content: the reply.
            until: when the row is given up if no answer comes, in the seconds of the engine.

        """
        if isinstance(content, ProviderError) and not isinstance(content, NoSuchTask):
            self._until[row.id] = until
            self._failure = content.message
        else:
            self._until.pop(row.id, None)

    def describe(self, now: float) -> str | None:
        """Say what is being waited for; None if each look-up has its answer."""
        waiting = [until for until in self._until.values() if until > now]
        if not waiting:
            return None
        minutes, seconds = divmod(ceil(max(waiting) - now), 60)
        return (
            f"asking the provider about {in_words(len(waiting), 'row')} that may have been sent "
            f"already, which is free; no answer yet ({self._failure}); trying again for "
            f"{minutes}:{seconds:02} more"
        )
