"""The terms of a night, or of a run that is to end by itself: its hours in words, and its caps.

Tested in tests/night/test_hours.py.
"""

from __future__ import annotations

from datetime import datetime, time, tzinfo

from pipeline.config.nights import read_clock, read_window
from pipeline.config.settings import Config
from pipeline.errors import UsageError
from pipeline.night.window import Outside, find_hours, zone_of
from pipeline.runner.terms import AT_ANY_TIME, Terms


def read_until(text: str | None) -> time | None:
    """Return the time that --until names; raises UsageError."""
    if text is None:
        return None
    try:
        return read_clock(text)
    except ValueError as fault:
        raise UsageError(f"--until {fault}.") from None


def terms_of_run(
    config: Config, now: float, *, until: time | None, max_runtime_s: float | None
) -> Terms:
    """Return the terms of a run that a person starts.

    Args:
        config: The configuration; its window is that of nights alone.
        now: The Unix second.
        until: When to end at the latest, by the clock.
        max_runtime_s: How many seconds to work at most.

    """
    zone = zone_of(config.night.timezone)
    hours = find_hours(None, zone, now, until=until, max_runtime_s=max_runtime_s)
    if isinstance(hours, Outside) or hours.closes_at is None:
        return AT_ANY_TIME
    ends = f"{hours.why}: the run ends at {_clock(hours.closes_at, zone, now)}"
    return Terms(closes_at=hours.closes_at, ends=ends)


def terms_of_night(
    config: Config, now: float, *, until: time | None, max_runtime_s: float | None
) -> Terms:
    """Return the terms of a night.

    Args:
        config: The configuration.
        now: The Unix second.
        until: When to end at the latest, by the clock.
        max_runtime_s: How many seconds to work at most.

    """
    night = config.night
    zone = zone_of(night.timezone)
    window = None if night.window is None else read_window(night.window)
    hours = find_hours(window, zone, now, until=until, max_runtime_s=max_runtime_s)
    terms = Terms(is_night=True, min_rows=night.min_rows, max_new=night.max_new)
    if isinstance(hours, Outside):
        ends = f"the window of the night begins at {_clock(hours.opens_at, zone, now)}"
        return terms.within(None, None, ends, since=hours.opens_at)
    since = None if window is None else hours.opens_at
    ends = ""
    if hours.closes_at is not None:
        ends = f"{hours.why} at {_clock(hours.closes_at, zone, now)}"
        if hours.why.startswith("--"):
            ends = f"{hours.why}: the night ends at {_clock(hours.closes_at, zone, now)}"
    return terms.within(hours.opens_at, hours.closes_at, ends, since=since)


def say_hours(config: Config, terms: Terms, now: float) -> str | None:
    """Return what a person is told of the hours before a night begins; None if there are none.

    Args:
        config: The configuration.
        terms: Those of the night.
        now: The Unix second.

    """
    zone = zone_of(config.night.timezone)
    if terms.opens_at is None:
        return f"Nothing is ordered: {terms.ends}. What is paid for is brought home."
    if terms.opens_at > now:
        opens = _clock(terms.opens_at, zone, now)
        return f"Nothing is ordered before {opens}, when the window of the night begins."
    return f"Ordering ends early enough: {terms.ends}." if terms.ends else None


def say_span(config: Config, began: float, ended: float) -> str:
    """Return when a night was, in the zone of its settings.

    Args:
        config: The configuration.
        began: Its Unix second.
        ended: Likewise.

    """
    zone = zone_of(config.night.timezone)
    start = datetime.fromtimestamp(began, zone)
    from_clock, to_clock = f"{start:%H:%M}", _clock(ended, zone, began)
    until = "" if from_clock == to_clock else f" to {to_clock}"
    return f"The night of {start:%Y-%m-%d}, {from_clock}{until}"


def _clock(at: float, zone: tzinfo | None, now: float) -> str:
    then, today = (datetime.fromtimestamp(moment, zone) for moment in (at, now))
    return then.strftime("%H:%M" if then.date() == today.date() else "%H:%M on %Y-%m-%d")
