"""Nights under caps per day: told the day, never past a cap, and a new day begins anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.engine.commands import SubmitReply
from pipeline.engine.engine import Engine
from pipeline.engine.limits import DAY_S, Caps, Reservations, Spend, day_of
from pipeline.errors import ExitCode, NotSent, ProviderError, Refused, Unclear
from pipeline.model import Entry, State
from tests.engine.night import SETTINGS, Night, Provider, attempt, attempts, enqueue

PER_DAY = replace(SETTINGS, caps_per_day=Caps(videos=10))


def engine_for(rows: int, caps: Caps, spent: Spend | None = None) -> Engine:
    """An engine that is told day 1 with what was spent on it, and so many new rows."""
    engine = Engine(replace(SETTINGS, caps_per_day=caps), 0.0)
    engine.begin_day(1, spent)
    enqueue(engine, *attempts(rows))
    return engine


@pytest.mark.parametrize(
    ("caps", "spent", "left"),
    [
        (Caps(videos=10), Spend(videos=4), 6),
        (Caps(video_seconds=60), Spend(video_seconds=42), 3),
        (Caps(money=6.0), Spend(money=5.5), 0),
        (Caps(money=6.0), Spend(money=4.8), 2),
        (Caps(videos=10), Spend(videos=12), 0),
    ],
)
def test_the_day_began_with_what_was_spent(caps: Caps, spent: Spend, left: int) -> None:
    """Only the rest of the day's cap is submitted; then exit 4, and what is paid for comes."""
    engine = engine_for(30, caps, spent)
    stopped = Night(engine, Provider(), attempts(30)).run()
    assert stopped.provider.accepted.total() == left
    assert stopped.states() == {State.WAITING: 30 - left, **({State.DONE: left} if left else {})}
    [stop] = engine.stops
    assert stop.exit_code is ExitCode.STOPPED
    assert "budget.per_day." in stop.reason
    assert "tomorrow" in (stop.action or "")


def test_the_cap_of_the_run_is_named_when_it_comes_first() -> None:
    """Beside a day's cap the run's own holds as before."""
    settings = replace(SETTINGS, caps=Caps(videos=3), caps_per_day=Caps(videos=5))
    engine = Engine(settings, 0.0)
    enqueue(engine, *attempts(9))
    assert Night(engine, Provider(), attempts(9)).run().provider.accepted.total() == 3
    assert "budget.videos" in engine.stops[0].reason


def test_the_cap_of_a_night_counts_what_the_night_spent_before() -> None:
    """Also past midnight: only the rest of it is submitted, and then the next night has its own."""
    engine = Engine(replace(SETTINGS, caps_per_night=Caps(videos=10)), 0.0)
    engine.begin_night(Spend(videos=4))
    engine.begin_day(1)
    enqueue(engine, *attempts(30))
    run = Night(engine, Provider(), attempts(30))
    run.run(until=0.01)
    engine.begin_day(2)
    assert run.run().provider.accepted.total() == 6
    [stop] = engine.stops
    assert stop.exit_code is ExitCode.STOPPED
    assert "budget.per_night.videos is 10 and the next video would make it 11" in stop.reason
    assert "in the next night" in (stop.action or "")


def test_a_new_day_begins_anew() -> None:
    """Midnight in the middle of a run: what was spent before it does not count any more."""
    settings = replace(PER_DAY, submits_per_minute=30)
    engine = Engine(settings, 0.0)
    engine.begin_day(1, Spend(videos=2))
    enqueue(engine, *attempts(40))
    run = Night(engine, Provider(), attempts(40), settings)
    run.run(until=9.9)
    before = run.provider.accepted.total()
    assert 0 < before < 8
    engine.begin_day(2)
    run.run()
    assert run.provider.accepted.total() == before + 10
    assert len(engine.stops) == 1


def test_a_clock_that_is_set_back_opens_no_day() -> None:
    """Told an earlier day, or the same one again, the counters stay."""
    engine = engine_for(30, Caps(videos=10), Spend(videos=4))
    for day in (0, -5, 1):
        engine.begin_day(day)
    assert Night(engine, Provider(), attempts(30)).run().provider.accepted.total() == 6


def test_what_was_reserved_yesterday_gives_nothing_back_today() -> None:
    """A no that comes after midnight frees no place of the new day."""
    budget = Reservations(Caps(), Caps(videos=2))
    budget.begin_day(1)
    day = budget.reserve(attempt("a"), 0)
    budget.begin_day(2)
    budget.reserve(attempt("b"), 0)
    budget.reserve(attempt("c"), 1)
    budget.release(attempt("a"), 0, day)
    assert budget.refusal(attempt("d")) is not None
    assert budget.run.videos == 2
    budget.release(attempt("b"), 0, 2)
    assert budget.refusal(attempt("d")) is None


def test_a_provable_no_gives_back_and_a_doubt_does_not() -> None:
    """Refused and unsent rows free their place of the day; a row in doubt keeps it."""
    engine = engine_for(5, Caps(videos=4))
    rows = [command.row for command in engine.tell([], 0.0).commands]  # type: ignore[union-attr]
    assert len(rows) == 4
    outcomes: list[str | ProviderError] = [
        Refused("no", status=400),
        NotSent("refused"),
        Unclear("lost"),
        "task",
    ]
    answers = [SubmitReply(row, one) for row, one in zip(rows, outcomes, strict=True)]
    engine.tell(answers, 1.0)
    assert (engine.spend.videos, engine.spend.video_seconds) == (2, 12)
    assert engine.spend.money == pytest.approx(1.2)


def test_rows_taken_up_are_of_the_day_of_their_submission() -> None:
    """Going on with what is paid for reserves nothing."""
    engine = Engine(PER_DAY, 0.0)
    provider = Provider()
    for one in attempts(20):
        provider.tasks[f"t-{one.key}"] = (0.0, 5.0)
        entry = Entry(one.key, State.RUNNING, one, f"t-{one.key}", submitted_at=0.0)
        engine.take_up(0, entry, 0.0)
    Night(engine, provider, attempts(20)).run()
    assert engine.states[State.DONE] == 20
    assert engine.spend == Spend()


def test_days_end_at_midnight_utc() -> None:
    """The number of a day changes at 00:00 UTC."""
    assert day_of(DAY_S - 0.001) == 0
    assert day_of(DAY_S) == 1
