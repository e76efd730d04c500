"""What one run hands on to the next: durations and bars of each kind, bounded and mixed."""

from __future__ import annotations

from pipeline.engine.bars import PARTS
from pipeline.engine.experience import Experience, Known
from pipeline.engine.rows import Kind, Watch

SHORT: Kind = ("one model", 6, "720P", 0)
LONG: Kind = ("one model", 10, "720P", 0)
OTHER: Kind = ("another", 6, "720P", 0)


def taught(kind: Kind, count: int, duration_s: float) -> Experience:
    """What is known after so many tasks of one length."""
    one = Experience()
    for number in range(count):
        watch = Watch(str(number), kind, sightings=[(duration_s / 2, 50.0)])
        one.learn(watch, duration_s, heeded=True)
    return one


def test_the_next_run_knows_what_this_one_has_learned() -> None:
    """Of the same kind, and of another one of the same model; nothing of another model."""
    (news,) = taught(SHORT, 50, 60.0).take_news()
    after = Experience()
    after.know([Known(SHORT).with_news(news)])
    for kind in (SHORT, LONG):
        found = after.find(kind)
        assert found is not None
        durations, bar = found
        assert durations.are_known
        assert durations.median_s == 60
        assert bar.heeded > 0.8
        rest = bar.estimate_rest([(20.0, 50.0)])
        assert rest is not None
        assert rest.median_s == 20
    assert after.find(OTHER) is None


def test_what_small_runs_learn_adds_up() -> None:
    """A manifest of ten rows a night has its own durations after three nights."""
    known = Known(SHORT)
    for _ in range(3):
        (news,) = taught(SHORT, 10, 60.0).take_news()
        known = known.with_news(news)
    after = Experience()
    after.know([known])
    assert after.find(SHORT) is not None


def test_news_are_handed_on_once() -> None:
    """A run tells the book several times, and nothing counts twice."""
    one = taught(SHORT, 5, 60.0)
    assert len(one.take_news()[0].durations_s) == 5
    assert one.take_news() == []


def test_the_last_to_end_do_not_pass_for_all() -> None:
    """They are a run's longest; what is handed on is spread as all are, at once or in parts."""
    whole, in_parts = Experience(), Known(SHORT)
    for number in range(1000):
        whole.learn(Watch(str(number), SHORT), float(number), heeded=False)
        if number % 250 == 249:
            (news,) = whole.take_news()
            in_parts = in_parts.with_news(news)
    at_once = Known(SHORT).with_news(Known(SHORT, tuple(map(float, range(1000))), 1000))
    for known in (in_parts, at_once):
        assert known.tasks == 1000
        assert len(known.durations_s) == 200
        assert abs(sorted(known.durations_s)[100] - 500) < 10


def test_what_is_handed_on_is_bounded() -> None:
    """However many tasks there were, and the latest nights count most."""
    known = Known(SHORT)
    for duration_s in (60.0, 90.0):
        (news,) = taught(SHORT, 5000, duration_s).take_news()
        known = known.with_news(news)
    assert known.durations_s == (90.0,) * 200
    assert max(map(len, known.by_pace)) == 16
    assert len(known.by_pace) == len(known.by_speed) == PARTS
