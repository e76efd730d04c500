"""Token buckets, and what the answers say about them."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether a call may go on, and the headers that go with either answer."""

    allowed: bool
    headers: dict[str, str]


class TokenBucket:
    """Allows ``per_minute`` calls on average and ``burst`` at once.

    A refused call takes no token, as the provider documents.
    """

    def __init__(self, per_minute: float, burst: int | None, category: str) -> None:
        """Begin full; without a burst ten seconds' worth fit in."""
        self._per_minute = per_minute
        self._per_s = per_minute / 60
        self._size = float(burst if burst is not None else max(1, round(per_minute / 6)))
        self._category = category
        self._tokens = self._size
        self._at: float | None = None

    def take(self, now: float) -> Ruling:
        """Take a token at ``now`` (monotonic seconds) if there is one."""
        if self._at is not None:
            self._tokens = min(self._size, self._tokens + (now - self._at) * self._per_s)
        self._at = now
        allowed = self._tokens >= 1
        if allowed:
            self._tokens -= 1
        return Ruling(allowed, self._headers(allowed))

    def _headers(self, allowed: bool) -> dict[str, str]:
        full_s = (self._size - self._tokens) / self._per_s
        headers = {
            "X-RateLimit-Limit": f"{self._per_minute:g}",
            "X-RateLimit-Remaining": str(int(self._tokens)),
            "X-RateLimit-Reset": str(math.ceil(full_s)),
            "X-RateLimit-Category": self._category,
        }
        if not allowed:
            wait_s = (1 - self._tokens) / self._per_s
            headers["Retry-After"] = str(max(1, math.ceil(wait_s)))
        return headers


def bucket(per_minute: float | None, burst: int | None, category: str) -> TokenBucket | None:
    """Return a bucket, or None where there is no limit."""
    return TokenBucket(per_minute, burst, category) if per_minute else None
