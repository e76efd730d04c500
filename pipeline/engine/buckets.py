"""A rate limit as a token bucket, told the time instead of reading it."""

from __future__ import annotations


class Bucket:
    """Lets through `per_minute` calls, with at most one second's allowance saved up.

    A saved-up minute would arrive at the provider as one burst and be answered with 429.
    """

    __slots__ = ("_capacity", "_per_s", "_then", "_tokens")

    _WHOLE = 1 - 1e-6
    # A hair below one token is granted: 1 - 1e-12 would mean a wait too short to take.

    def __init__(self, per_minute: float, now: float) -> None:
        self._per_s = per_minute / 60
        self._capacity = max(1.0, self._per_s)
        self._tokens = self._capacity
        self._then = now

    def ready_at(self, now: float) -> float:
        """Return when the next call may go: `now` or later."""
        self._fill(now)
        if self._tokens >= self._WHOLE:
            return now
        return now + (1 - self._tokens) / self._per_s

    def take(self, now: float) -> bool:
        """Take one call's token if there is one."""
        self._fill(now)
        if self._tokens < self._WHOLE:
            return False
        self._tokens -= 1
        return True

    def _fill(self, now: float) -> None:
        if now > self._then:
            gained = (now - self._then) * self._per_s
            self._tokens = min(self._capacity, self._tokens + gained)
            self._then = now
