"""When a night may order, as Unix seconds: its window, --until and --max-runtime.

Pure: the time is given. A time that the clocks skip in spring is the moment in which they are put
forward. Of a time that comes twice in autumn a window begins with the second and ends with the
first, so that no clock on a wall ever shows an order outside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from pipeline.config.nights import Window

WAITS_S = 7200.0
"""So long before its window a night may be started, and waits for it."""

_LOCAL = "local"
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Hours:
    """When something may be ordered: from `opens_at` until `closes_at`, in Unix seconds.

    `closes_at` is None where there is no end, and `why` says what ends it.
    """

    opens_at: float
    closes_at: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Outside:
    """Nothing may be ordered now, nor soon; the next window begins at a Unix second."""

    opens_at: float


def zone_of(name: str) -> tzinfo | None:
    """Return a time zone by the name that the configuration has checked; None: this machine's."""
    return None if name == _LOCAL else ZoneInfo(name)


def find_hours(
    window: Window | None,
    zone: tzinfo | None,
    now: float,
    *,
    until: time | None = None,
    max_runtime_s: float | None = None,
) -> Hours | Outside:
    """Return when may be ordered by whoever begins at `now`.

    Args:
        window: The window; None: at any time.
        zone: The zone of window and `until`; None for this machine's.
        now: The Unix second.
        until: Where to end at the latest, by the clock.
        max_runtime_s: How many seconds to work at most.

    """
    hours = Hours(now)
    if window is not None:
        begins, ends = _next(window, zone, now)
        if begins > now + WAITS_S:
            return Outside(begins)
        hours = Hours(begins, ends, "the window of the night ends")
    ends_too = []
    if until is not None:
        ends_too.append(Hours(hours.opens_at, next_time(until, zone, now), "--until"))
    if max_runtime_s is not None:
        ends_too.append(Hours(hours.opens_at, now + max_runtime_s, "--max-runtime"))
    return min((one for one in (hours, *ends_too)), key=_end_of)


def _end_of(hours: Hours) -> float:
    return float("inf") if hours.closes_at is None else hours.closes_at


def _next(window: Window, zone: tzinfo | None, now: float) -> tuple[float, float]:
    """Return begin and end of the window that is open, or else of the next one."""
    today = _wall(now, zone).date()
    for shift in range(-1, _WEEK + 2):
        begins, ends = _on(window, today + timedelta(days=shift), zone)
        if ends > now and (today + timedelta(days=shift)).weekday() in window.days:
            return begins, ends
    raise AssertionError("a window has a day in every week")


def _on(window: Window, day: date, zone: tzinfo | None) -> tuple[float, float]:
    last = day if window.end > window.start else day + timedelta(days=1)
    begins = _moment(datetime.combine(day, window.start), zone, second=True)
    return begins, _moment(datetime.combine(last, window.end), zone, second=False)


def next_time(clock: time, zone: tzinfo | None, now: float) -> float:
    """Return the Unix second after `now` at which a clock on the wall shows this time next.

    Args:
        clock: The time.
        zone: Its zone; None for this machine's.
        now: The Unix second.

    """
    today = _wall(now, zone).date()
    moments = (
        _moment(datetime.combine(today + timedelta(days=shift), clock), zone, second=second)
        for shift in range(3)
        for second in (False, True)
    )
    return min(moment for moment in moments if moment > now)


def _moment(wall: datetime, zone: tzinfo | None, *, second: bool) -> float:
    """Return the Unix second in which the clock shows `wall`; of two the `second` or the first."""
    first, last = (wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if _wall(first, zone) == wall:
        return max(first, last) if second else first
    # The clocks skip it: the first moment in which they show more.
    low, high = int(min(first, last)), int(max(first, last))
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _wall(middle, zone) >= wall else (middle + 1, high)
    return float(low)


def _wall(at: float, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0)
