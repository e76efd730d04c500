"""How long a plan will take: the rows played through on the slots."""

from __future__ import annotations

import random

import pytest

from pipeline.planner.estimate import makespan_s
from tests.engine.night import SETTINGS, Provider, night


def test_nothing_to_do_takes_no_time() -> None:
    """No rows, no time."""
    assert makespan_s(0, 0, slots=50, submits_per_s=5, durations_s=[60]) == 0


def test_the_slots_decide_where_they_are_few() -> None:
    """Ten rows of a minute each on two slots take five minutes."""
    assert makespan_s(10, 0, slots=2, submits_per_s=100, durations_s=[60]) == pytest.approx(300, 1)


def test_the_rate_decides_where_slots_are_many() -> None:
    """With a submission a second the last of a hundred leaves after 99 seconds."""
    assert makespan_s(100, 0, slots=1000, submits_per_s=1, durations_s=[60]) == 99 + 60


def test_rows_under_way_hold_their_slots() -> None:
    """What is taken up, done by half in the mean, goes before what is to be submitted."""
    assert makespan_s(1, 1, slots=1, submits_per_s=100, durations_s=[60]) == 90


@pytest.mark.parametrize("rows", [300, 2000])
def test_it_comes_near_the_night_itself(rows: int) -> None:
    """Within 15 % of a whole simulated night with the same kind of durations."""
    dice = random.Random(5)
    known = [dice.lognormvariate(4.1, 0.3) for _ in range(500)]
    ran = night(rows, Provider(seed=9)).run().now
    planned = makespan_s(
        rows,
        0,
        slots=SETTINGS.outstanding,
        submits_per_s=SETTINGS.submits_per_minute / 60,
        durations_s=known,
    )
    assert planned == pytest.approx(ran, rel=0.15)
