"""Progress bars: what they promise, when a query comes best, and what is forgotten of a liar."""

from __future__ import annotations

import random

import pytest

from pipeline.engine.bars import PARTS, Bar, Rest, is_bet, ratios_of
from pipeline.engine.learned import Latest, mix, thin


def rest(first_s: float, last_s: float) -> Rest:
    """A task that takes as long as any between two times."""
    step = (last_s - first_s) / 10
    return Rest(tuple(first_s + step * number for number in range(11)))


def test_a_sure_end_gets_one_query_right_after_it() -> None:
    assert rest(40, 40.5).best_wait_s(2) == pytest.approx(40.5, abs=0.2)


def test_an_unsure_end_gets_one_before_it_and_one_after() -> None:
    """The first of them is early enough for the second not to be kept back by the floor."""
    assert rest(40, 60).best_wait_s(2) <= 45


def test_no_wait_is_shorter_than_the_floor() -> None:
    assert rest(0, 0.3).best_wait_s(5) == 5


def test_what_is_more_likely_than_not_is_a_bet() -> None:
    one = rest(10, 20)
    assert is_bet(one.chance_by(16))
    assert not is_bet(one.chance_by(13))


def bar(ratio_to: float = 1.0) -> Bar:
    """A bar that has told the truth of forty tasks, or has lied by a factor."""
    one = Bar()
    for _ in range(40):
        one.learn([(30.0, 50.0)], 30 + 30 * ratio_to, heeded=True)
    return one


def test_what_was_learned_before_counts_until_tonight_says_otherwise() -> None:
    """A provider whose bar begins to run ahead is found out by as many tasks as were kept."""
    taught = ratios_of([(30.0, 50.0)], 60.0)
    part = taught[0][1]
    kept = tuple((1.0,) * 16 if one == part else () for one in range(PARTS))
    begun = Bar()
    begun.know(kept, ((),) * PARTS, 0.9)
    assert begun.heeded == 0.9
    known = begun.estimate_rest([(30.0, 50.0)])
    assert known is not None
    assert known.median_s == pytest.approx(30)
    for _ in range(16):
        begun.learn([(30.0, 50.0)], 90.0, heeded=True)
    anew = begun.estimate_rest([(30.0, 50.0)])
    assert anew is not None
    assert anew.points_s[0] == pytest.approx(60)


def test_a_bar_whose_ends_do_not_come_is_forgotten() -> None:
    """After a handful; and nothing of it is believed before it has proved itself anew."""
    one = bar()
    assert one.heeded > 0.8
    lost = 0
    while one.estimate_rest([(30.0, 50.0)]) is not None:
        one.note_bet(won=False)
        lost += 1
    assert 5 <= lost <= 20
    assert one.heeded == 0
    for _ in range(100):
        one.note_bet(won=True)
    assert one.estimate_rest([(30.0, 50.0)]) is None


def test_a_bar_that_is_right_most_of_the_time_is_kept() -> None:
    one, dice = bar(), random.Random(1)
    for _ in range(1000):
        one.note_bet(won=dice.random() < 0.8)
    assert one.estimate_rest([(30.0, 50.0)]) is not None


def test_numbers_from_before_give_way_evenly() -> None:
    """One for each that is learned, from all over their range; then the oldest of the new ones."""
    latest = Latest(100)
    latest.know([float(one) for one in range(100)])
    grown = sum(latest.learn(1000.0 + one) for one in range(50))
    left = [one for one in latest.sorted if one < 1000]
    assert len(latest.sorted) == 100
    assert len(left) == 50
    assert 40 <= sum(left) / 50 <= 60
    assert grown == sum(latest.sorted) - sum(range(100))
    for one in range(100):
        latest.learn(2000.0 + one)
    assert latest.sorted == [2000.0 + one for one in range(100)]


def test_numbers_are_thinned_to_what_is_spread_like_them() -> None:
    assert thin([3, 1, 2], 3) == (1, 2, 3)
    assert thin(range(100), 4) == (12, 37, 62, 87)


def test_of_before_only_what_the_news_leave_room_for_is_kept() -> None:
    assert mix(range(10), [100], 4) == (1, 5, 8, 100)
    assert mix(range(10), range(100, 110), 5) == (101, 103, 105, 107, 109)
    assert mix((), (), 5) == ()
