"""Queries: one queue of all of them instead of a loop per row, and look-ups without an answer.

Tested in tests/engine/test_queries_at_night.py.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from math import ceil, inf

from pipeline.engine.commands import RowId
from pipeline.engine.limits import POLL, Bucket, RunLimits
from pipeline.engine.rows import Tracked, Wait
from pipeline.errors import NoSuchTask, ProviderError
from pipeline.manifest.wording import count as in_words
from pipeline.model import TaskView

_OUTAGE_FAILURES = 2
"""One lost connection among many answers is told to nobody."""

_TRIES = 8
"""This many queries at a time try whether an outage is over."""


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
