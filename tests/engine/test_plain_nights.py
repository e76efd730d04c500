"""Nights in which nothing goes wrong, and the limits that hold in every night."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from itertools import pairwise

import pytest

from pipeline.engine.commands import Query, Submit
from pipeline.engine.engine import Engine
from pipeline.engine.rows import Stop
from pipeline.errors import ExitCode
from pipeline.model import State
from tests.engine.night import SETTINGS, Night, Provider, attempts, enqueue, night, resume


def most_within(times: list[float], span_s: float) -> int:
    """The most times that lie within any span of that length."""
    ordered = sorted(times)
    return max(bisect_left(ordered, at + span_s) - i for i, at in enumerate(ordered))


@pytest.fixture(scope="module")
def plain() -> Night:
    """Three thousand plain rows."""
    return night(3000).run()


def test_every_row_is_done(plain: Night) -> None:
    """A plain night brings every row home."""
    assert plain.states() == {State.DONE: 3000}
    assert plain.engine.stops == []


def test_every_attempt_is_submitted_once(plain: Night) -> None:
    """At most one accepted submission per attempt, and here exactly one."""
    assert set(plain.provider.references.values()) == {1}
    assert plain.provider.submits.total() == 3000


def test_the_cap_on_outstanding_tasks_is_never_passed(plain: Night) -> None:
    """The cap is reached and not passed, by our count and by the provider's."""
    assert plain.peak_outstanding == 50
    spans = sorted(plain.provider.tasks.values())
    starts = [began for began, _ in spans]
    ends = sorted(ended for _, ended in spans)
    busiest = max(i + 1 - bisect_left(ends, began) for i, began in enumerate(starts))
    assert busiest <= 50


def test_a_crash_could_leave_but_a_few_in_doubt(plain: Night) -> None:
    """No more submissions are in flight than `submits_in_flight` allows; nor queries."""
    assert plain.peaks[Submit] <= SETTINGS.submits_in_flight
    assert plain.peaks[Query] <= SETTINGS.polls_in_flight


def test_replay_agrees_with_the_engine(plain: Night) -> None:
    """The journal, folded along the table, says what the engine counts."""
    assert +plain.engine.states == plain.states()


def test_slots_are_kept_full(plain: Night) -> None:
    """While rows wait, nearly no slot is empty: the way there costs 50 slots for ten seconds."""
    busy_s = sum(ended - began for began, ended in plain.provider.tasks.values())
    assert plain.idle_s < 0.01 * busy_s


def test_one_task_is_not_asked_for_too_often(plain: Night) -> None:
    """Two queries of one task are at least `floor_s` apart."""
    floor_s = SETTINGS.pace.floor_s
    gaps = [b - a for times in plain.provider.query_times.values() for a, b in pairwise(times)]
    assert len(gaps) > plain.engine.states[State.DONE]
    assert min(gaps) >= floor_s - 1e-6


def test_submissions_keep_to_the_rate() -> None:
    """The rate holds over a minute, and a second brings no burst."""
    settings = replace(SETTINGS, outstanding=5000, submits_in_flight=500, submits_per_minute=300)
    times = night(2000, settings=settings).run().provider.submit_times
    assert most_within(times, 60) <= 300 + 5
    assert most_within(times, 1) <= 10 + 1
    assert max(times) == pytest.approx(2000 / 5, rel=0.02)


def test_queries_keep_to_the_rate() -> None:
    """All queries together keep to their rate, however many tasks are outstanding."""
    settings = replace(
        SETTINGS, outstanding=2000, submits_per_minute=6000, polls_per_minute=1200, deadline_s=9000
    )
    done = night(2000, settings=settings).run()
    times = [at for row in done.provider.query_times.values() for at in row]
    assert done.states() == {State.DONE: 2000}
    assert most_within(times, 60) <= 1200 + 20
    assert most_within(times, 1) <= 40 + 1


def test_same_night_same_decisions() -> None:
    """The engine rolls no dice: the same answers lead to the same journal."""
    assert night(200).run().journal == night(200).run().journal


def test_no_rows_no_work() -> None:
    """An engine without rows is finished at once and asks for nothing."""
    engine = Engine(SETTINGS, 0.0)
    decision = engine.tell((), 0.0)
    assert engine.finished
    assert (decision.events, decision.commands, decision.wake_at) == ((), (), None)


@pytest.mark.parametrize("at", [0.0, 0.02, 3.33, 30.0, 70.7, 200.0])
def test_an_interruption_begins_nothing_new(at: float) -> None:
    """After a stop nothing new goes out, and what is under way is taken in."""
    stopped = night(400, Provider(round_trip_s=0.4), replace(SETTINGS, uploads=2))
    stopped.keeps_sent = True
    stopped.run(until=at)
    sent = len(stopped.sent)
    stopped.engine.stop(Stop(ExitCode.INTERRUPTED, "interrupted"))
    stopped.run()
    assert len(stopped.sent) == sent
    assert State.SUBMITTING not in stopped.states()
    assert State.IN_DOUBT not in stopped.states()
    again = resume(stopped).run()
    assert again.states() == {State.DONE: 400}
    assert set(again.provider.references.values()) == {1}


def test_a_second_stop_may_reach_further() -> None:
    """Stopped for the budget, then interrupted: both reasons stand, in their order."""
    engine = Engine(SETTINGS, 0.0)
    enqueue(engine, *attempts(3))
    engine.stop(Stop(ExitCode.INTERRUPTED, "first"))
    engine.stop(Stop(ExitCode.TERMINATED, "second"))
    assert [stop.reason for stop in engine.stops] == ["first", "second"]
    assert engine.tell((), 0.0).commands == ()
    assert engine.finished
