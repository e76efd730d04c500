"""Hours of a night: nothing is ordered before they begin, nor too late to be home in time."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from pipeline.engine.commands import Query, Submit
from pipeline.engine.hours import OrderingHours
from pipeline.engine.rows import Reach
from pipeline.errors import ExitCode, ProviderError, Unreachable
from pipeline.model import Phase, State, TaskView
from tests.engine.night import SETTINGS, Night, Provider, attempts, night, resume

SLOTS = replace(SETTINGS, outstanding=20)


def kept(rows: int, closes_at: float, provider: Provider, opens_at: float = 0.0) -> Night:
    """A night of so many rows between two times, ready to run."""
    one = night(rows, provider, SLOTS)
    one.engine.hours.keep(opens_at, closes_at, "the window of the night ends at 06:00", 25.0)
    return one


def test_ordering_stops_early_enough_by_what_was_learned() -> None:
    """All that is paid for is home before the end, the slots are used, and the rest waits."""
    provider = Provider(task_s=lambda dice: dice.uniform(60, 90))
    one = kept(2000, 3600.0, provider).run()
    states = one.states()
    assert set(states) == {State.DONE, State.WAITING}
    assert one.now < 3600
    # Twenty slots of at most 100 s each, until 100 s or so before the end.
    assert states[State.DONE] > 0.9 * 20 * 3450 / 85
    assert 3600 - 150 < max(provider.submit_times) < 3600 - 90
    (stop,) = one.engine.stops
    assert stop.exit_code is ExitCode.UNFINISHED
    assert stop.reach is Reach.SUBMITTING
    assert "the window of the night ends at 06:00" in stop.reason


def test_without_anything_learned_one_fill_measures_the_rest() -> None:
    """As many as there are slots go out, and no other before the first of them is home."""
    provider = Provider(task_s=lambda _: 100.0)
    one = kept(300, 1000.0, provider).run()
    times = sorted(provider.submit_times)
    assert times[19] < 10
    assert times[20] >= 100
    assert one.now < 1000
    assert set(one.states()) == {State.DONE, State.WAITING}


def test_what_earlier_nights_learned_holds_from_the_first_order() -> None:
    """So a night that begins too late orders nothing at all, and one in time does not wait."""
    late = kept(30, 300.0, Provider())
    late.engine.hours.know([(6, 290.0)] * 30)
    assert late.run().states() == {State.WAITING: 30}
    assert late.engine.stops[0].reach is Reach.SUBMITTING
    early = kept(100, 3000.0, Provider(task_s=lambda _: 200.0))
    early.engine.hours.know([(6, 250.0)] * 30)
    early.run()
    assert sorted(early.provider.submit_times)[20] < 250


def test_what_an_outage_held_up_says_nothing_of_how_long_rows_take() -> None:
    """Queries fail for 25 minutes: after them the night goes on ordering, and so does the next."""

    def out(_: Query, __: int, now: float) -> ProviderError | None:
        return Unreachable("no route") if 30 < now < 1530 else None

    provider = Provider(task_s=lambda dice: dice.uniform(60, 90), on_query=out)
    one = kept(300, 3600.0, provider).run()
    assert one.states() == {State.DONE: 300}
    needed_s = one.engine.hours.needed_s(6)
    assert needed_s is not None
    assert needed_s < 200
    later = OrderingHours(20, lambda: 380.0)
    later.know([(6, 1520.0)] * 20)
    assert later.needed_s(6) is None
    later.know([(6, 90.0)] * 20)
    assert later.needed_s(6) == pytest.approx(99)


def test_nothing_is_waited_for_beyond_the_end() -> None:
    """What is said of an outage, until when it is waited out, ends with the hours."""
    provider = Provider(on_query=lambda *_: Unreachable("no route"))
    short = kept(20, 500.0, provider).run(until=100.0)
    assert [one.until for one in short.engine.waits(short.now)] == [500.0]


def test_a_fill_of_which_nothing_comes_is_followed_by_another() -> None:
    """Where all of the first tasks fail, nothing is learned, and nothing stands still."""

    def fail(said: Query, *_: object) -> TaskView | None:
        failed = said.row.key < "row000020"
        return TaskView("x", Phase.FAILED, error_message="no") if failed else None

    one = kept(60, 5000.0, Provider(on_query=fail)).run()
    assert one.states() == {State.FAILED: 20, State.DONE: 40}


def test_nothing_is_ordered_before_the_hours_begin() -> None:
    """What is paid for comes home meanwhile, and the rows go out as soon as they may."""
    before = night(attempts(40), Provider(), SLOTS).run(until=30)
    begun = len(before.provider.submit_times)
    after = resume(before)
    after.engine.hours.keep(500.0, 10_000.0, "the window ends")
    after.run()
    later = before.provider.submit_times[begun:]
    assert later
    assert min(later) >= 500
    assert min(later) < 501
    assert after.states() == {State.DONE: 40}
    assert any(at < 500 for event, at in after.journal if type(event).__name__ == "Downloaded")


def test_at_the_end_nothing_is_awaited_for_long() -> None:
    """Tasks that take longer than any before stay paid for, and the next night gets them."""

    def slow(dice: random.Random) -> float:
        return 50.0 if dice.random() < 0.97 else 100_000.0

    one = kept(400, 1500.0, Provider(task_s=slow))
    one.keeps_sent = True
    one.run()
    assert one.now <= 1525
    assert State.RUNNING in one.states()
    assert one.engine.stops[-1].reach is Reach.EVERYTHING
    assert all(at < 1500 for said, at in one.sent if isinstance(said, Submit))
    assert resume(one, after_s=200_000).run().states()[State.RUNNING] == 0


@pytest.mark.parametrize(("count", "needed_s"), [(1, 150.0), (19, 150.0), (20, 110.0)])
def test_few_are_trusted_less_than_many(count: int, needed_s: float) -> None:
    """Of another length of video as well, as long as nothing is known of it."""
    hours = OrderingHours(5)
    assert hours.needed_s(6) is None
    hours.know([(6, 100.0)] * count)
    assert hours.needed_s(6) == pytest.approx(needed_s)
    assert hours.needed_s(10) == pytest.approx(needed_s)
