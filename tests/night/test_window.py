"""When a night may order: windows over midnight, days, both clock changes, and other ends."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from pipeline.config.nights import read_window
from pipeline.night.window import Hours, Outside, find_hours, next_time

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    """A moment of UTC, as 03-28 21:00 of 2027."""
    return datetime.strptime(f"2027-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("window", "now", "opens", "closes"),
    [
        # In winter Berlin is an hour ahead of UTC, in summer two.
        pytest.param("22:00-06:00", "01-12 21:00", "01-12 21:00", "01-13 05:00", id="as it opens"),
        pytest.param("22:00-06:00", "01-12 23:30", "01-12 21:00", "01-13 05:00", id="midnight"),
        pytest.param("22:00-06:00", "01-13 04:59", "01-12 21:00", "01-13 05:00", id="last minute"),
        pytest.param("22:00-06:00", "01-12 19:30", "01-12 21:00", "01-13 05:00", id="early"),
        pytest.param("22:00-06:00", "01-13 05:00", "01-13 21:00", None, id="as it ends"),
        pytest.param("22:00-06:00", "01-13 06:10", "01-13 21:00", None, id="after the end"),
        pytest.param("09:00-17:30", "01-12 12:00", "01-12 08:00", "01-12 16:30", id="by day"),
        pytest.param("18:00-24:00", "01-12 22:30", "01-12 17:00", "01-12 23:00", id="to 24:00"),
        pytest.param("00:00-24:00", "01-12 12:00", "01-11 23:00", "01-12 23:00", id="all day"),
        # 2027-01-16 is a Saturday: the window of Friday goes on into it.
        pytest.param("mon-fri 22:00-06:00", "01-16 02:00", "01-15 21:00", "01-16 05:00", id="fri"),
        pytest.param("mon-fri 22:00-06:00", "01-16 21:30", "01-18 21:00", None, id="no saturday"),
        pytest.param("fri-mon 22:00-06:00", "01-17 22:00", "01-17 21:00", "01-18 05:00", id="over"),
        pytest.param("tue, sat 01:00-02:00", "01-16 00:30", "01-16 00:00", "01-16 01:00", id="two"),
        # Clocks are put forward on 2027-03-28 at 02:00, which is 01:00 UTC, to 03:00.
        pytest.param("22:00-06:00", "03-28 00:59", "03-27 21:00", "03-28 04:00", id="spring"),
        pytest.param("22:00-02:30", "03-28 00:59", "03-27 21:00", "03-28 01:00", id="end skipped"),
        pytest.param(
            "02:30-06:00", "03-28 00:00", "03-28 01:00", "03-28 04:00", id="start skipped"
        ),
        # They are put back on 2027-10-31 at 03:00, which is 01:00 UTC, to 02:00.
        pytest.param("22:00-06:00", "10-31 02:00", "10-30 20:00", "10-31 05:00", id="autumn"),
        pytest.param("22:00-02:30", "10-31 00:00", "10-30 20:00", "10-31 00:30", id="end twice"),
        pytest.param("22:00-02:30", "10-31 00:45", "10-31 21:00", None, id="not the second time"),
        pytest.param("02:30-06:00", "10-31 00:40", "10-31 01:30", "10-31 05:00", id="start twice"),
    ],
)
def test_the_window_of_a_night(window: str, now: str, opens: str, closes: str | None) -> None:
    """No clock on a wall in Berlin shows an order outside it."""
    hours = find_hours(read_window(window), BERLIN, at(now))
    if closes is None:
        assert hours == Outside(at(opens))
    else:
        assert hours == Hours(at(opens), at(closes), "the window of the night ends")


@pytest.mark.parametrize(
    ("until", "now", "ends"),
    [
        ("06:30", "01-12 21:00", "01-13 05:30"),
        ("06:30", "01-12 05:29", "01-12 05:30"),
        ("06:30", "01-12 05:30", "01-13 05:30"),
        ("00:00", "01-12 21:00", "01-12 23:00"),
        ("02:30", "03-27 23:00", "03-28 01:00"),
        ("02:30", "10-31 00:10", "10-31 00:30"),
        ("02:30", "10-31 00:40", "10-31 01:30"),
    ],
)
def test_until_is_the_next_time_that_the_clock_shows_it(until: str, now: str, ends: str) -> None:
    """Today's or tomorrow's, on the days of the clock changes as well."""
    clock = time.fromisoformat(until)
    assert next_time(clock, BERLIN, at(now)) == at(ends)
    assert find_hours(None, BERLIN, at(now), until=clock) == Hours(at(now), at(ends), "--until")


def test_the_first_end_counts() -> None:
    """Of the window, --until and --max-runtime; a runtime counts from the start of the command."""
    window, now = read_window("22:00-06:00"), at("01-12 21:00")
    until = find_hours(window, BERLIN, now, until=time(3))
    assert until == Hours(now, at("01-13 02:00"), "--until")
    runtime = find_hours(window, BERLIN, now, until=time(3), max_runtime_s=90)
    assert runtime == Hours(now, now + 90, "--max-runtime")
    longer = find_hours(window, BERLIN, now, max_runtime_s=80_000)
    assert longer == Hours(now, at("01-13 05:00"), "the window of the night ends")
    assert find_hours(None, BERLIN, now) == Hours(now)


def test_an_end_without_a_window_in_the_zone_of_this_machine() -> None:
    """It is as far away as that zone says; nothing else is known of it here."""
    now = at("01-12 21:00")
    shown = datetime.fromtimestamp(next_time(time(6), None, now))  # noqa: DTZ006 - this machine's
    assert (shown.hour, shown.minute) == (6, 0)
    assert 0 < shown.timestamp() - now <= 90_000
