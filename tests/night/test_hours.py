"""The hours of nights and runs in words, and from when their caps count."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.config.loading import load
from pipeline.config.settings import Config
from pipeline.errors import UsageError
from pipeline.night.hours import read_until, say_hours, say_span, terms_of_night, terms_of_run
from pipeline.runner.terms import AT_ANY_TIME

NOON = datetime(2027, 1, 12, 12, tzinfo=UTC).timestamp()
HOUR_S = 3600.0


def config(*settings: str) -> Config:
    return load(None, environ={}, overrides=["night.timezone=UTC", *settings])


def test_a_run_without_an_end_has_no_terms() -> None:
    """Also where nights have a window."""
    given = config("night.window=22:00-06:00")
    assert terms_of_run(given, NOON, until=None, max_runtime_s=None) is AT_ANY_TIME
    ended = terms_of_run(given, NOON, until=read_until("13:30"), max_runtime_s=None)
    assert ended.closes_at == NOON + 1.5 * HOUR_S
    assert ended.ends == "--until: the run ends at 13:30"
    assert not ended.is_night


def test_a_night_within_its_window_counts_from_its_beginning() -> None:
    """However late it is started; without a window from its first start."""
    given = config("night.window=10:00-18:00", "night.max_new=7")
    terms = terms_of_night(given, NOON, until=None, max_runtime_s=None)
    assert (terms.opens_at, terms.closes_at) == (NOON - 2 * HOUR_S, NOON + 6 * HOUR_S)
    assert (terms.night_since, terms.max_new) == (NOON - 2 * HOUR_S, 7)
    told = say_hours(given, terms, NOON)
    assert told == "Ordering ends early enough: the window of the night ends at 18:00."
    free = terms_of_night(config(), NOON, until=None, max_runtime_s=None)
    assert (free.night_since, free.closes_at, say_hours(given, free, NOON)) == (None, None, None)


def test_a_night_that_comes_early_waits_and_one_outside_orders_nothing() -> None:
    """Both are said, with the time, and the day where it is another one."""
    early = config("night.window=13:00-18:00")
    terms = terms_of_night(early, NOON, until=None, max_runtime_s=None)
    assert terms.opens_at == NOON + HOUR_S
    assert "before 13:00" in str(say_hours(early, terms, NOON))
    late = config("night.window=09:00-11:00")
    terms = terms_of_night(late, NOON, until=None, max_runtime_s=None)
    assert terms.opens_at is None
    assert not terms.tries_again
    assert "begins at 09:00 on 2027-01-13" in str(say_hours(late, terms, NOON))


@pytest.mark.parametrize("text", ["6", "25:00", "24:00", "soon"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--until"):
        read_until(text)


def test_a_night_that_is_to_end_early_says_by_which_option() -> None:
    """Where that comes before its window ends; without any option nothing is read."""
    given = config("night.window=10:00-18:00")
    assert read_until(None) is None
    terms = terms_of_night(given, NOON, until=read_until("14:15"), max_runtime_s=3 * HOUR_S)
    assert terms.closes_at == NOON + 2.25 * HOUR_S
    assert terms.ends == "--until: the night ends at 14:15"


def test_a_night_is_named_by_its_hours() -> None:
    """In the zone of its window; one that ends in the minute in which it began has no end."""
    given = config("night.timezone=UTC")
    assert say_span(given, NOON, NOON + 20) == "The night of 2027-01-12, 12:00"
    told = say_span(given, NOON, NOON + 13 * HOUR_S)
    assert told == "The night of 2027-01-12, 12:00 to 01:00 on 2027-01-13"
