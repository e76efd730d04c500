"""How fast: the limits and times of a run, rates as token buckets, waits before the next try.

Nothing here reads a clock or rolls dice: the jitter of a wait is a function of what is waited for,
so that a night can be replayed exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from zlib import crc32

_COMPANY, _LONGEST_COMPANY_S = 0.075, 0.75
"""Queries due within this part of the interval, or this time if it is shorter, go together."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The documented schedule, in seconds, and the least wait between two queries of one task."""

    first_s: float = 5
    interval_s: float = 10
    floor_s: float = 5

    @property
    def least_s(self) -> float:
        """The shortest wait: the floor, or a fifth of the interval where there is none."""
        return max(self.floor_s, self.interval_s / 5)

    def together_at(self, due: float) -> float:
        """Return the moment, `due` or later, at which all queries go that are due around `due`."""
        company_s = min(_LONGEST_COMPANY_S, self.interval_s * _COMPANY)
        return max(due, ceil(due / company_s) * company_s)


@dataclass(frozen=True, slots=True)
class Caps:
    """Caps on what one run, or one day, may reserve; None means no cap.

    Money is in the budget's currency.
    """

    videos: int | None = None
    video_seconds: float | None = None
    money: float | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits and times of one run; the meaning of each is in `config`."""

    pace: Pace
    outstanding: int = 50
    submits_in_flight: int = 8
    submits_per_minute: float = 300
    polls_per_minute: float = 3000
    polls_in_flight: int = 64
    uploads: int = 4
    downloads: int = 8
    deadline_s: float = 1800
    lookup_s: float = 120
    missing_grace_s: float = 600
    outage_s: float = 300
    client_reference: bool = True
    caps: Caps = Caps()
    caps_per_day: Caps = Caps()


class Bucket:
    """Lets through `per_minute` calls, with at most one second's allowance saved up.

    A saved-up minute would arrive at the provider as one burst and be answered with 429.
    """

    __slots__ = ("_capacity", "_per_s", "_then", "_tokens")

    _WHOLE = 1 - 1e-6
    # A hair less than one token is enough: for the last 1e-12 the wait would be too short to wait.

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


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from `first_s` up to `longest_s`, spread by a quarter either way."""

    first_s: float
    longest_s: float

    def wait_s(self, failures: int, seed: str = "", asked_s: float | None = None) -> float:
        """Return the wait after `failures` failures in a row, from 1.

        `seed` spreads the waits of different rows. `asked_s` is what the server asked for
        (Retry-After): the wait is never shorter, and the spread is added to it, so that not all
        rows come back at the same moment.
        """
        doubled = self.first_s * 2.0 ** min(failures - 1, 30)
        own = min(doubled, self.longest_s) * (0.75 + 0.5 * spread(seed, failures))
        if asked_s is None:
            return own
        return max(asked_s, own) if failures > 1 else asked_s + 0.1 * self.first_s


def spread(seed: str, turn: int) -> float:
    """Return a number in [0, 1) that looks random and depends on nothing but its arguments."""
    return crc32(f"{turn}:{seed}".encode()) / 2**32


SUBMIT = Backoff(first_s=1, longest_s=15)
"""After a submission that was not accepted (429) or never left (connection refused)."""

POLL = Backoff(first_s=1, longest_s=30)
"""After a query that failed on the way; all queries wait together."""

UPLOAD = Backoff(first_s=1, longest_s=30)
"""After a picture that could not be uploaded."""

DOWNLOAD = Backoff(first_s=1, longest_s=30)
"""After a transfer that broke."""

LOOK_UP = Backoff(first_s=1, longest_s=20)
"""Between two look-ups of a submission in doubt."""

PROOF = Backoff(first_s=2, longest_s=60)
"""Between two queries that try whether a known task is found by our own reference."""

PROBE = Backoff(first_s=30, longest_s=480)
"""Between two single submissions that try whether the provider gives clear answers again."""
