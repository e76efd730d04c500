"""Fair lanes: free slots by weight, small lanes early, and nobody waits for another's pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from pipeline.engine.commands import Submit
from pipeline.engine.waiting import Waiting
from pipeline.errors import Throttled, Unreachable
from pipeline.model import Attempt, State
from tests.engine.night import SETTINGS, Night, Provider, attempt, lane_of, night

SLOTS = replace(SETTINGS, outstanding=20)


def lanes(*rows: int, images: tuple[str, ...] = ()) -> list[Attempt]:
    """So many rows in each lane."""
    return [
        attempt(f"row{n:06}", lane=lane, images=images)
        for lane, count in enumerate(rows)
        for n in range(count)
    ]


def sent(one: Night) -> list[Attempt]:
    return [said.attempt for said, _ in one.sent if isinstance(said, Submit)]


def run(rows: list[Attempt], weights: Sequence[float], provider: Provider | None = None) -> Night:
    one = night(rows, provider, SLOTS, weights)
    one.keeps_sent = True
    return one.run()


def test_a_small_lane_is_through_early() -> None:
    """Three rows beside five thousand: they go out with the first ones, whichever comes first."""
    one = run(lanes(5000, 3), (1, 1))
    assert one.states() == {State.DONE: 5003}
    assert [lane_of(each) for each in sent(one)[:8]] == [0, 1, 0, 1, 0, 1, 0, 0]
    ended = {event.lane: at for event, at in one.journal}
    assert ended[1] < 0.02 * ended[0]


@pytest.mark.parametrize("weights", [(1, 3), (1, 1, 2), (0.5, 0.25), (7,)])
def test_slots_are_shared_by_weight(weights: Sequence[float]) -> None:
    """While all lanes have rows, each gets its share of submissions, within one turn."""
    one = run(lanes(*(round(900 * weight) for weight in weights)), weights)
    first = sent(one)[: len(sent(one)) // 2]
    share = Counter(map(lane_of, first))
    for lane, weight in enumerate(weights):
        assert abs(share[lane] - len(first) * weight / sum(weights)) <= 1.5
    assert set(one.states()) == {State.DONE}


@pytest.mark.parametrize("weight", [0, -1, float("nan")])
def test_a_weight_that_gives_no_share_is_refused(weight: float) -> None:
    """Its rows would wait for ever; nothing of it is queued."""
    one = night(lanes(2), settings=SLOTS)
    with pytest.raises(ValueError, match="the weight of lane 1 is"):
        one.engine.enqueue(1, ["a"], lambda _: (attempt("a", lane=1), None), weight=weight)
    assert one.run().states() == {State.DONE: 2}


def test_each_lane_keeps_the_order_of_its_manifest() -> None:
    """Also where a submission had to go again."""

    def throttle(said: Submit, times: int, _: float) -> Throttled | None:
        return Throttled("429") if times == 1 and said.attempt.key.endswith("7") else None

    one = run(lanes(200, 100, 50), (1, 2, 1), Provider(on_submit=throttle))
    for lane, rows in enumerate((200, 100, 50)):
        keys = dict.fromkeys(each.key for each in sent(one) if lane_of(each) == lane)
        assert list(keys) == [f"row{n:06}" for n in range(rows)]


def test_a_lane_whose_pictures_take_long_keeps_no_other_waiting() -> None:
    """Its rows wait for their pictures, the other's fill the slots."""
    slow = lanes(40, images=("sha256:slow",))
    one = night([*slow, *lanes(0, 100)], Provider(), SLOTS, (100, 1))
    one.provider.on_upload = lambda *_: Unreachable("502")
    one.run(until=600)
    assert one.engine.states_of(0) == {State.WAITING: 40}
    assert +one.engine.states_of(1) == {State.DONE: 100}


def test_states_and_spend_are_counted_by_lane() -> None:
    """Each lane its own; the engine's are their sum."""
    one = run(lanes(30, 12), (1, 1))
    engine = one.engine
    assert [+engine.states_of(lane) for lane in (0, 1)] == [{State.DONE: 30}, {State.DONE: 12}]
    assert +engine.states == {State.DONE: 42}
    assert [engine.spend_of(lane).videos for lane in (0, 1)] == [30, 12]
    assert engine.spend.videos == 42


def test_an_idle_lane_saves_no_turns_up() -> None:
    """It comes back as if it had just begun: the others are not made to wait for it."""
    waiting = Waiting(1000)
    waiting.add(0, map(str, range(300)), 1)
    waiting.add(1, ["a"], 1)
    assert _order(waiting, 100).count(1) == 1
    waiting.add(1, map(str, range(100)), 1)
    assert _order(waiting, 20).count(1) == 10


def _order(waiting: Waiting, turns: int) -> list[int]:
    order = []
    while (new := waiting.next_new()) is not None:
        waiting.prepared(new)
    for _ in range(turns):
        row = waiting.first()
        assert row is not None
        waiting.sent(row)
        order.append(row.lane)
    return order


def test_a_small_manifest_beside_twenty_thousand_rows_has_its_share_at_once() -> None:
    """Of a share of three in four it gets three of four slots, from the first minute on."""
    one = night(lanes(20_000, 40), Provider(), SLOTS, (1, 3))
    one.keeps_sent = True
    one.run(until=240)
    minute = [said.attempt for said, at in one.sent if isinstance(said, Submit) and at < 60]
    assert Counter(map(lane_of, minute[:20])) == {0: 5, 1: 15}
    assert Counter(map(lane_of, minute))[1] == pytest.approx(0.75 * len(minute), abs=1)
    assert +one.engine.states_of(1) == {State.DONE: 40}


def test_a_lane_of_a_higher_priority_goes_first_as_long_as_it_has_rows() -> None:
    """The others share what it leaves, by their weights."""
    one = night(lanes(30, 30), Provider(), SLOTS)
    by_key = {each.key: each for each in lanes(0, 0, 25) if lane_of(each) == 2}
    one.engine.enqueue(2, by_key, lambda key: (by_key[key], None), priority=1)
    one.rows += list(by_key.values())
    by_lane = {each.key: each for each in lanes(0, 30)}
    one.engine.enqueue(1, by_lane, lambda key: (by_lane[key], None))
    one.rows = [*by_key.values(), *by_lane.values(), *lanes(30)]
    one.keeps_sent = True
    one.run()
    order = [lane_of(each) for each in sent(one)]
    assert order[:25] == [2] * 25
    assert Counter(order[25:45]) == {0: 10, 1: 10}
    assert set(one.states()) == {State.DONE}
