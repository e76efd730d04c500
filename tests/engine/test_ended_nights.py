"""Nights that are ended from outside, and what is said while calls fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.engine.commands import Query, Submit
from pipeline.engine.rows import Stop
from pipeline.errors import (
    ExitCode,
    NotSent,
    ProviderError,
    Refused,
    Throttled,
    Unclear,
    Unreachable,
)
from pipeline.model import State, TaskView
from tests.engine.night import SETTINGS, Night, Provider, night, resume

TERMINATED = Stop(ExitCode.TERMINATED, "interrupted by SIGTERM", grace_s=25)


def hanging(round_trip_s: float = 400.0, rows: int = 40) -> Night:
    """A night whose answers hang, stopped after ten seconds with 25 s of grace."""
    hung = night(rows, Provider(round_trip_s=round_trip_s)).run(until=10.0)
    hung.engine.stop(TERMINATED)
    return hung


def test_what_hangs_past_the_grace_is_a_doubt_that_the_next_run_looks_up() -> None:
    """Answers are awaited for 25 seconds and not longer; nothing goes out meanwhile."""
    hung = hanging()
    sent = hung.provider.submits.total()
    hung.run()
    assert hung.now == pytest.approx(35.0)
    assert hung.provider.submits.total() == sent == SETTINGS.submits_in_flight
    assert hung.provider.queries.total() == 0
    assert hung.states() == {State.IN_DOUBT: sent, State.WAITING: 40 - sent}
    hung.provider.round_trip_s = 0.05
    later = resume(hung, after_s=60).run()
    assert later.states() == {State.DONE: 40}
    assert set(later.provider.accepted.values()) == {1}


def test_answers_that_come_in_time_leave_no_doubt() -> None:
    """With the last of them the run ends, long before the grace is over."""
    stopped = hanging(round_trip_s=12.0).run()
    assert 12.0 <= stopped.now < 13.0
    assert State.IN_DOUBT not in stopped.states()


def test_without_a_grace_answers_are_awaited_as_long_as_they_take() -> None:
    """A person at a terminal waits, or ends it with a second Ctrl-C."""
    patient = night(40, Provider(round_trip_s=400.0)).run(until=10.0)
    patient.engine.stop(Stop(ExitCode.INTERRUPTED, "interrupted by SIGINT"))
    patient.run(until=100.0)
    assert not patient.engine.finished
    patient.engine.end_within(0)
    patient.run()
    assert patient.now == pytest.approx(100.0)
    assert patient.states()[State.IN_DOUBT] == SETTINGS.submits_in_flight


@pytest.mark.parametrize("at", [1.0, 30.0, 70.0, 200.0])
def test_whatever_is_under_way_can_be_given_up(at: float) -> None:
    """Uploads, queries and downloads are given up as well; the next run makes all rows."""
    begun = night(200, Provider(round_trip_s=20.0)).run(until=at)
    begun.engine.stop(replace(TERMINATED, grace_s=3))
    begun.run()
    assert begun.now <= at + 3
    begun.provider.round_trip_s = 0.05
    later = resume(begun, after_s=60).run()
    assert later.states() == {State.DONE: 200}
    assert set(later.provider.accepted.values()) == {1}


# Outages.


def refused_until(ends: float) -> Provider:
    return Provider(
        on_submit=lambda _, __, now: NotSent("no way", status=None) if now < ends else None
    )


def test_an_outage_is_waited_out_for_the_patience() -> None:
    """Twenty minutes cost a night nothing, with the 25 minutes that are the default."""
    done = night(60, refused_until(1200)).run()
    assert done.states() == {State.DONE: 60}
    assert done.engine.stops == []


@pytest.mark.parametrize("patience_s", [0.0, 60.0, 1500.0])
def test_a_longer_one_ends_the_run(patience_s: float) -> None:
    """After the time that is set, and no sooner."""
    settings = replace(SETTINGS, outage_s=patience_s)
    ended = night(60, refused_until(1e9), settings).run()
    assert [stop.exit_code for stop in ended.engine.stops] == [ExitCode.UNFINISHED]
    assert patience_s <= ended.now <= patience_s + 20


def test_from_the_first_failure_on_it_is_known_what_is_waited_for() -> None:
    """With the reason and the end of the patience; not any more when it is over."""
    begun = night(60, refused_until(200)).run(until=1.0)
    (wait,) = begun.engine.waits(begun.now)
    assert (wait.what, wait.why) == ("the provider to be reached again", "no way")
    assert wait.until == pytest.approx(1500, abs=1)
    begun.run(until=150.0)
    assert begun.engine.waits(begun.now) == [wait]
    begun.run(until=260.0)
    assert begun.engine.waits(begun.now) == []


def test_asking_to_slow_down_is_no_outage() -> None:
    """A 429 is an answer; said only where nothing else comes for a minute."""
    provider = Provider(on_submit=lambda *_: Throttled("slow down", status=429))
    assert night(60, provider).run(until=5.0).engine.waits(5.0) == []
    (wait,) = night(60, provider).run(until=100.0).engine.waits(100.0)
    assert (wait.what, wait.why) == ("the provider to take submissions again", "slow down")


def test_a_full_account_is_waited_for_while_our_own_tasks_run() -> None:
    """They take the places, for as long as they may: no patience ends the run meanwhile."""
    accepted = iter(range(2))
    full = Throttled("too many tasks", status=429)
    provider = Provider(
        task_s=lambda _: 5000.0,
        on_submit=lambda *_: None if next(accepted, None) is not None else full,
    )
    settings = replace(SETTINGS, outage_s=100.0, deadline_s=10_000.0)
    assert night(6, provider, settings=settings).run(until=3000.0).engine.stops == []


@pytest.mark.parametrize(
    "answer", [Throttled("slow down", status=429), Unclear("HTTP 502")], ids=["429", "502"]
)
def test_no_patience_is_without_end(answer: ProviderError) -> None:
    """A run ends when nothing is accepted for as long as outage.patience_s, whatever comes."""
    provider = Provider(on_submit=lambda *_: answer, loses_unclear=True)
    ended = night(60, provider, settings=replace(SETTINGS, outage_s=100.0)).run(until=1500.0)
    assert [stop.exit_code for stop in ended.engine.stops] == [ExitCode.UNFINISHED]


def test_doubts_and_queries_are_waited_for_too() -> None:
    """Five doubts in a row have single ones tried; queries are made again until the deadline."""
    lost = Provider(on_submit=lambda *_: Unclear("HTTP 502", status=502), loses_unclear=True)
    doubtful = night(60, lost).run(until=20.0)
    (wait,) = doubtful.engine.waits(doubtful.now)
    assert wait.what == "clear answers to submissions: a single one tries"
    assert doubtful.now < wait.until < doubtful.now + 40

    def fail(_: Query, __: int, now: float) -> TaskView | ProviderError | None:
        return Unreachable("HTTP 503", status=503) if now > 60 else None

    silent = night(20, Provider(on_query=fail)).run(until=150.0)
    (wait,) = silent.engine.waits(silent.now)
    assert (wait.what, wait.why) == ("answers to queries", "HTTP 503")
    assert wait.until == pytest.approx(SETTINGS.deadline_s, abs=5)


# An address that may be wrong.


def unknown(message: str = "the name of the host cannot be resolved") -> NotSent:
    return NotSent(message, misdirected=True)


def test_a_wrong_address_ends_a_run_at_once_before_any_answer() -> None:
    """Nobody waits for half an hour because of a spelling mistake."""
    ended = night(60, Provider(on_submit=lambda *_: unknown())).run()
    assert ended.now < 1
    assert [stop.exit_code for stop in ended.engine.stops] == [ExitCode.UNFINISHED]
    assert "api.base_url" in (ended.engine.stops[0].action or "")
    assert ended.states() == {State.WAITING: 60}


@pytest.mark.parametrize("first", [None, Refused("no", status=400)])
def test_after_the_first_answer_it_is_an_outage(first: ProviderError | None) -> None:
    """Name servers and certificates fail for an hour, too: that is waited out."""

    def submit(command: Submit, _: int, now: float) -> ProviderError | None:
        if command.attempt.key == "row000000":
            return first
        return unknown() if now < 600 else None

    settings = replace(SETTINGS, submits_in_flight=1)
    done = night(20, Provider(on_submit=submit), settings).run()
    assert done.engine.stops == []
    assert done.states()[State.DONE] >= 19


def test_an_answer_before_the_run_counts() -> None:
    """As that to the question for the balance."""
    begun = night(20, Provider(on_submit=lambda _, __, now: unknown() if now < 600 else None))
    begun.engine.note_answer()
    assert begun.run().states() == {State.DONE: 20}
