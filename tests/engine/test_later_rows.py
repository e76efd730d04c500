"""Rows whose turn comes after all others: takes made again, then attempts of rows that failed."""

from __future__ import annotations

from dataclasses import replace

from pipeline.engine.commands import Query, RowId, Submit
from pipeline.engine.later import REDONE, RETRIED
from pipeline.engine.rows import Reach, Stop
from pipeline.errors import ExitCode
from pipeline.model import Attempt, Phase, State, TaskView
from tests.engine.night import SETTINGS, Night, Provider, attempt, night

SLOTS = replace(SETTINGS, outstanding=20)


def ordered(one: Night) -> list[tuple[str, float]]:
    """What was submitted, and when."""
    return [(said.attempt.identity, at) for said, at in one.sent if isinstance(said, Submit)]


def test_new_rows_first_then_takes_made_again_then_retries() -> None:
    """Over all lanes: a retry of the small one waits for the new rows of the large one."""
    large = [attempt(f"new{n:03}", lane=1) for n in range(60)]
    small = [attempt(name, lane=3) for name in ("new", "redo", "retry", "fresh")]
    one = night([attempt("other", lane=2), *large], settings=SLOTS, weights=(1, 1, 1))
    by_key = {one.key: one for one in small}
    one.engine.enqueue(3, ["new"], lambda key: (by_key[key], None))
    one.engine.enqueue_later(3, [("retry", 0.0), ("fresh", 900.0)], RETRIED, State.FAILED)
    one.engine.enqueue_later(3, [("redo", 0.0)], REDONE, State.DONE)
    one.rows += small
    one.keeps_sent = True
    one.run()
    names = [name.rpartition("/")[2] for name, _ in ordered(one)]
    assert names.index("redo") == 62
    assert names[63:] == ["retry", "fresh"]
    assert dict(ordered(one))["3/fresh"] >= 900
    assert one.states() == {State.DONE: 65}


def failing(times: int) -> Provider:
    """A provider whose tasks of one row fail so often."""

    def answer(said: Query, _: int, now: float) -> TaskView | None:
        bad = said.row.key == "bad" and provider.accepted["bad"] <= times
        return TaskView("t", Phase.FAILED, error_message="busy") if bad and now > 1 else None

    provider = Provider(on_query=answer)
    return provider


def tried_again(one: Night, most: int) -> None:
    """Have failed rows of a night tried again, so many attempts in all."""

    def again(_: RowId, before: Attempt, __: str | None, message: str) -> Attempt | None:
        assert message == "busy"
        return attempt(before.key, number=before.number + 1) if before.number < most else None

    one.engine.retry(900.0, again)


def test_a_row_that_fails_gets_a_new_attempt_after_the_wait() -> None:
    """In the same night, under a new number, and not before the wait is over."""
    one = night([attempt("bad"), *(attempt(f"r{n}") for n in range(5))], failing(1), SLOTS)
    tried_again(one, 3)
    one.keeps_sent = True
    one.run()
    at = [at for name, at in ordered(one) if name == "bad"]
    assert len(at) == 2
    assert at[1] >= at[0] + 900
    assert one.states() == {State.DONE: 6}
    assert one.provider.references == {
        f"rs-{n}-1": 1 for n in ("bad", *(f"r{i}" for i in range(5)))
    } | {"rs-bad-2": 1}


def test_attempts_are_bounded() -> None:
    """Whoever says that there is no further attempt is heard."""
    one = night([attempt("bad")], failing(100), SLOTS)
    tried_again(one, 3)
    assert one.run().states() == {State.FAILED: 1}
    assert one.provider.accepted["bad"] == 3
    assert one.engine.states_of(0)[State.FAILED] == 1


def test_a_retry_that_would_come_too_late_is_left_to_the_next_night() -> None:
    """The night does not stand idle until its end, and the row is counted as failed."""
    one = night([attempt("bad"), attempt("good")], failing(1), SLOTS)
    tried_again(one, 3)
    one.engine.hours.keep(0.0, 600.0, "the window ends")
    one.run()
    assert one.now < 300
    assert one.states() == {State.FAILED: 1, State.DONE: 1}
    assert +one.engine.states_of(0) == {State.FAILED: 1, State.DONE: 1}
    assert one.engine.stops == []


def test_after_a_stop_nothing_is_tried_again() -> None:
    """Nor does the night wait for it."""
    one = night([attempt("bad")], failing(1), SLOTS)
    tried_again(one, 3)
    one.run(until=500)
    one.engine.stop(Stop(ExitCode.STOPPED, "a cap", Reach.SUBMITTING))
    assert one.run().states() == {State.FAILED: 1}


def test_a_retry_that_comes_in_time_is_made_within_the_hours() -> None:
    """It goes out at its time, well before the last order."""
    one = night([attempt("bad"), attempt("good")], failing(1), SLOTS)
    tried_again(one, 3)
    one.engine.hours.keep(0.0, 3600.0, "the window ends")
    assert one.run().states() == {State.DONE: 2}
    assert one.provider.accepted["bad"] == 2


def test_what_fails_after_a_stop_is_not_tried_again() -> None:
    """Nobody asks for another attempt, and the row is counted as failed at once."""
    one = night([attempt("bad")], failing(1), SLOTS)
    tried_again(one, 3)
    one.run(until=2)
    assert one.states() == {State.RUNNING: 1}
    one.engine.stop(Stop(ExitCode.STOPPED, "a cap", Reach.SUBMITTING))
    assert one.run().states() == {State.FAILED: 1}
    assert +one.engine.states_of(0) == {State.FAILED: 1}
