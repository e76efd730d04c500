"""Finished videos that wait to be brought home, the link that dies first at the front."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from math import inf


class Downloads:
    """A queue of rows and URLs under a cap on transfers in flight."""

    def __init__(self, in_flight: int) -> None:
        self.in_flight = 0
        self._most_in_flight = in_flight
        self._queue: list[tuple[float, int, str, str]] = []
        self._turn = count()

    @property
    def waiting(self) -> int:
        """How many videos wait for a free place."""
        return len(self._queue)

    def add(self, key: str, url: str, expires_at: float | None) -> None:
        """Queue a video; `expires_at` is the provider's Unix time at which its URL dies."""
        heappush(
            self._queue, (inf if expires_at is None else expires_at, next(self._turn), key, url)
        )

    def start(self) -> tuple[str, str] | None:
        """Return the key and the URL of the next video to fetch, if a place is free."""
        if not self._queue or self.in_flight >= self._most_in_flight:
            return None
        self.in_flight += 1
        _, _, key, url = heappop(self._queue)
        return key, url
