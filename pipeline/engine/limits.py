"""What may go out, and when: the limits of a run, spend under caps, rates, waits before a new try.

Nothing here reads a clock or rolls dice: the jitter of a wait is a function of what is waited for,
so that a night can be replayed exactly.

Tested in tests/engine/test_days_of_budget.py and tests/engine/test_pacing.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, inf
from zlib import crc32

from pipeline.engine.rows import Stop, stop_for_budget
from pipeline.model import Attempt

DAY_S = 86_400
"""The seconds of a day, from midnight to midnight UTC."""

_TOMORROW = "tomorrow (days begin at midnight of budget.timezone)"

_GROUPING, _LONGEST_GROUPING_S = 0.075, 0.75
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
        group_s = min(_LONGEST_GROUPING_S, self.interval_s * _GROUPING)
        return max(due, ceil(due / group_s) * group_s)


@dataclass(frozen=True, slots=True)
class Caps:
    """Caps on what one run, or one day, may reserve; None means no cap.

    Money is in the budget's currency.
    """

    videos: int | None = None
    video_seconds: float | None = None
    money: float | None = None


NO_CAPS = Caps()


@dataclass(frozen=True, slots=True)
class RunLimits:
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
    outage_s: float = 1500
    client_reference: bool = True
    caps: Caps = Caps()
    caps_per_day: Caps = Caps()
    caps_per_night: Caps = Caps()


def day_of(unix_s: float) -> int:
    """Return the number of the UTC day of a Unix time."""
    return int(unix_s // DAY_S)


@dataclass(slots=True)
class Spend:
    """What is reserved, confirmed or in doubt, all together. Money is in the budget's currency.

    It lacks what `unpriced` videos cost.
    """

    videos: int = 0
    video_seconds: int = 0
    money: float = 0.0
    unpriced: int = 0

    def add(self, attempt: Attempt, times: int = 1) -> None:
        """Count an attempt, or take it back with -1."""
        self.videos += times
        self.video_seconds += times * attempt.request.duration
        self.money += times * (attempt.cost or 0)
        self.unpriced += times * (attempt.cost is None)

    def excess(self, attempt: Attempt, caps: Caps) -> Iterator[tuple[str, str]]:
        """Yield the name of each cap that one more attempt would pass, and how."""
        for name, cap, after in (
            ("videos", caps.videos, self.videos + 1),
            ("video_seconds", caps.video_seconds, self.video_seconds + attempt.request.duration),
            ("money", caps.money, self.money + (attempt.cost or 0)),
        ):
            # Prices are decimal fractions: the last cent of a cap must not be lost to rounding.
            if cap is not None and after > cap + 1e-9:
                yield name, f"is {cap:g} and the next video would make it {after:g}"


class Reservations:
    """Counts what a run, each of its lanes, and a day have reserved; refuses to pass a cap.

    Caps hold over all lanes together.

    Spend is reserved before the intent, and only a submission that was provably not accepted gives
    its share back.

    A day is known by its number, which only grows: a clock that is set back opens no old day. A
    night is one for the whole run.
    """

    def __init__(self, caps: Caps, caps_per_day: Caps, caps_per_night: Caps = NO_CAPS) -> None:
        self.run = Spend()
        self._night = Spend()
        self._caps_per_night = caps_per_night
        self._lanes: defaultdict[int, Spend] = defaultdict(Spend)
        self._caps = caps
        self._caps_per_day = caps_per_day
        self._day = Spend()
        self._today = -inf

    def of(self, lane: int) -> Spend:
        """Return the share of a lane in what the run has reserved."""
        return self._lanes[lane]

    def begin_day(self, day: float, spent: Spend | None = None) -> None:
        """Count anew if this is a later day than before; `spent` is what it begins with."""
        if day > self._today:
            self._today = day
            self._day = spent or Spend()

    def begin_night(self, spent: Spend) -> None:
        """Begin with what was spent in this night before."""
        self._night = spent

    def refusal(self, attempt: Attempt) -> Stop | None:
        """Return why this attempt may not go out, as a Stop; None if no cap would be passed."""
        for name, excess in self.run.excess(attempt, self._caps):
            return stop_for_budget(f"budget.{name} {excess}")
        for name, excess in self._day.excess(attempt, self._caps_per_day):
            return stop_for_budget(f"budget.per_day.{name} {excess}", _TOMORROW)
        for name, excess in self._night.excess(attempt, self._caps_per_night):
            return stop_for_budget(f"budget.per_night.{name} {excess}", "in the next night")
        return None

    def reserve(self, attempt: Attempt, lane: int) -> float:
        """Count an attempt that is about to be submitted; returns the day it counts for."""
        self.run.add(attempt)
        self._lanes[lane].add(attempt)
        self._day.add(attempt)
        self._night.add(attempt)
        return self._today

    def release(self, attempt: Attempt, lane: int, day: float) -> None:
        """Take back an attempt, reserved on `day`, that was provably not accepted."""
        self.run.add(attempt, -1)
        self._lanes[lane].add(attempt, -1)
        self._night.add(attempt, -1)
        if day == self._today:
            self._day.add(attempt, -1)


class Bucket:
    """Lets through `per_minute` calls, with at most one second's allowance saved up.

    A saved-up minute would arrive at the provider as one burst and be answered with 429.
    """

    _WHOLE = 1 - 1e-6
    # A hair less than one token is enough: for the last 1e-12 the wait would be too short to wait.

    def __init__(self, per_minute: float, now: float) -> None:
        self._then = now
        self._tokens = inf
        self.limit(per_minute)

    def limit(self, per_minute: float) -> None:
        """Let through so many from now on."""
        self._per_s = per_minute / 60
        self._capacity = max(1.0, self._per_s)
        self._tokens = min(self._tokens, self._capacity)

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
