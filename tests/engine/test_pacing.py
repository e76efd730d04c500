"""Buckets let no burst through, and waits grow, end, spread, and are the same in every replay."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.commands import Submit
from pipeline.engine.limits import (
    DOWNLOAD,
    LOOK_UP,
    POLL,
    PROBE,
    SUBMIT,
    UPLOAD,
    Backoff,
    Bucket,
    spread,
)
from pipeline.model import State
from tests.engine.night import SETTINGS, night

ALL = (SUBMIT, POLL, UPLOAD, DOWNLOAD, LOOK_UP, PROBE)


@given(
    per_minute=st.floats(1, 60_000),
    start=st.floats(0, 1e7),
    gaps=st.lists(st.floats(0, 10), min_size=1, max_size=200),
)
def test_the_rate_is_never_passed(per_minute: float, start: float, gaps: list[float]) -> None:
    """In any time: at most its allowance and one second's worth (or one call)."""
    bucket, now, taken = Bucket(per_minute, start), start, 0
    for gap_s in gaps:
        now += gap_s
        while bucket.take(now):
            taken += 1
    allowed = (now - start) * per_minute / 60 + max(1.0, per_minute / 60)
    assert taken <= allowed * (1 + 1e-5) + 1e-5


@given(per_minute=st.floats(1, 60_000), start=st.floats(0, 1e6))
def test_the_promised_time_is_kept(per_minute: float, start: float) -> None:
    """Who waits until `ready_at` gets through then, again and again, without a hot loop."""
    bucket, now = Bucket(per_minute, start), start
    for _ in range(300):
        at = bucket.ready_at(now)
        assert at >= now
        now = at
        assert bucket.take(now)
    assert now - start >= (300 - max(1.0, per_minute / 60)) * 60 / per_minute * 0.999 - 1


def test_a_saved_up_minute_is_no_burst() -> None:
    """After an hour of rest one second's allowance goes out at once, not an hour's."""
    bucket = Bucket(600, 0.0)
    assert sum(bucket.take(3600.0) for _ in range(100)) == 10


def test_a_slow_rate_lets_one_through_at_once() -> None:
    """Less than one call a second still begins with one."""
    bucket = Bucket(6, 0.0)
    assert bucket.take(0.0)
    assert not bucket.take(9.9)
    assert bucket.take(10.0)


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    """An earlier time adds no tokens and takes none."""
    bucket = Bucket(60, 100.0)
    assert bucket.take(100.0)
    assert not bucket.take(50.0)
    assert bucket.ready_at(100.0) == 101.0


@given(st.sampled_from(ALL), st.integers(1, 10_000), st.text())
def test_waits_stay_between_their_bounds(backoff: Backoff, failures: int, seed: str) -> None:
    """At least three quarters of the first, less than five quarters of the longest."""
    wait_s = backoff.wait_s(failures, seed)
    assert 0.75 * backoff.first_s <= wait_s < 1.25 * backoff.longest_s


@given(st.sampled_from(ALL), st.integers(1, 50), st.text(), st.floats(0, 3600))
def test_the_servers_wish_is_always_kept(
    backoff: Backoff, failures: int, seed: str, asked_s: float
) -> None:
    """Retry-After is the least that is waited."""
    assert backoff.wait_s(failures, seed, asked_s) >= asked_s


def test_waits_double() -> None:
    """In the mean each wait is twice the one before, up to the longest."""
    middle = Backoff(1, 8)
    means = [
        sum(middle.wait_s(failures, str(seed)) for seed in range(500)) / 500
        for failures in range(1, 7)
    ]
    assert means == pytest.approx([1, 2, 4, 8, 8, 8], rel=0.05)


def test_a_wait_does_not_hang_on_chance() -> None:
    """The same try of the same row waits equally long in every replay."""
    assert POLL.wait_s(3, "row") == POLL.wait_s(3, "row")
    assert POLL.wait_s(3, "row") != POLL.wait_s(3, "other row")


@given(st.text(), st.integers(0, 100))
def test_the_spread_is_a_share(seed: str, turn: int) -> None:
    """From 0 up to, but not including, 1."""
    assert 0 <= spread(seed, turn) < 1


def test_rows_are_spread_evenly() -> None:
    """A thousand rows are spread over all tenths."""
    tenths = [int(10 * spread(f"row{number}", 1)) for number in range(1000)]
    assert all(60 <= tenths.count(tenth) <= 140 for tenth in range(10))


def test_limits_may_change_while_a_night_goes_on() -> None:
    """Tasks beyond a lower cap end as ever; nothing is submitted until they are fewer."""
    one = night(200, settings=replace(SETTINGS, outstanding=30)).run(until=30)
    assert one.engine.outstanding == 30
    one.engine.limit({"outstanding": 4, "submits_in_flight": 2, "polls_per_minute": 1000})
    one.run(until=400)
    assert one.engine.outstanding <= 4
    one.peak_outstanding = 0
    one.engine.limit({"outstanding": 12, "submits_per_minute": 600})
    one.run()
    assert one.peak_outstanding == 12
    assert one.states() == {State.DONE: 200}


def test_a_limit_that_is_not_named_stays() -> None:
    """Of submissions in flight two are left, and of tasks as many are outstanding as before."""
    one = night(200, settings=replace(SETTINGS, outstanding=30))
    one.engine.limit({"submits_in_flight": 2})
    one.run()
    assert one.peaks[Submit] == 2
    assert one.peak_outstanding == 30
