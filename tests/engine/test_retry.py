"""Waits before another try: they grow, end, spread, and are the same in every replay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.retry import DOWNLOAD, LOOK_UP, POLL, PROBE, SUBMIT, UPLOAD, Backoff, spread

ALL = (SUBMIT, POLL, UPLOAD, DOWNLOAD, LOOK_UP, PROBE)


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
