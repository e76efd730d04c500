"""The token bucket: no burst, no loss, no wait too short to take."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.buckets import Bucket


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
