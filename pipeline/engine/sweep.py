"""All queries in one queue by their due time: one sweep, not one loop per row."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from math import inf

from pipeline.engine.pacing import POLL, Bucket, Settings

_TRIES = 8
"""This many queries at a time try whether an outage is over."""


class Sweep:
    """Decides which row to ask for next, within the rate and a cap on queries in flight."""

    def __init__(self, settings: Settings, now: float) -> None:
        self.in_flight = 0
        self._most_in_flight = settings.polls_in_flight
        self._pace = settings.pace
        self._bucket = Bucket(settings.polls_per_minute, now)
        # The moment and the due time of each query: at one moment, the earliest due goes first.
        self._due: list[tuple[float, float, int, str]] = []
        self._turn = count()
        self._closed_until = now
        self._failures = 0

    @property
    def scheduled(self) -> int:
        """How many rows are to be asked for again."""
        return len(self._due)

    @property
    def _room(self) -> int:
        # While nothing gets through, a few try; the others follow as soon as one is answered.
        return min(_TRIES, self._most_in_flight) if self._failures > 1 else self._most_in_flight

    def schedule(self, key: str, due: float) -> None:
        """Ask for a row at `due` or soon after. A row is scheduled once at a time.

        Queries that are due at about the same time go together: alone, each costs half as much
        again.
        """
        heappush(self._due, (self._pace.together_at(due), due, next(self._turn), key))

    def start(self, now: float) -> str | None:
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

    def wake_at(self, now: float) -> float:
        """Return when the next query may go; infinity if there is none or only an answer helps."""
        if not self._due or self.in_flight >= self._room:
            return inf
        return max(self._due[0][0], self._closed_until, self._bucket.ready_at(now))

    def answered(self) -> None:
        """Take note of a clear answer."""
        self.in_flight -= 1
        self._failures = 0

    def failed(self, now: float, retry_after_s: float | None) -> None:
        """Take note of a query that failed on the way: all queries slow down together."""
        self.in_flight -= 1
        if now >= self._closed_until:
            self._failures += 1
        wait_s = POLL.wait_s(self._failures, "poll", retry_after_s)
        # One lost connection among many answers is no reason to keep all the others waiting.
        if self._failures > 1 or retry_after_s is not None:
            self._closed_until = max(self._closed_until, now + wait_s)
