"""Nights in which the answer to a paid call is lost: looked up, never sent again."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from pipeline.engine.commands import Query
from pipeline.engine.engine import Engine
from pipeline.errors import ExitCode, NoSuchTask, ProviderError, Refused, Unclear, Unreachable
from pipeline.model import Entry, Phase, State, TaskView
from tests.engine.night import (
    SETTINGS,
    Night,
    Provider,
    attempt,
    attempts,
    enqueue,
    night,
    resume,
)

LOST = Unclear("the connection was closed without an answer")
GONE = NoSuchTask("task_not_exist", status=404)


def in_doubt(rows: int, submitted_at: float | None = 0.0) -> list[Entry]:
    return [
        Entry(one.key, State.IN_DOUBT, one, submitted_at=submitted_at) for one in attempts(rows)
    ]


def taken_up(entries: list[Entry], provider: Provider, *, age_s: float) -> Night:
    engine = Engine(SETTINGS, 0.0)
    for entry in entries:
        engine.take_up(0, entry, 0.0, doubt_age_s=age_s)
    return Night(engine, provider, [entry.attempt for entry in entries])


def test_every_answer_lost_and_every_task_found() -> None:
    """A thousand first answers dropped: a thousand accepted once, all found by our reference."""
    done = night(1000, Provider(on_submit=lambda *_: LOST)).run()
    assert done.states() == {State.DONE: 1000}
    assert done.provider.accepted.total() == done.provider.submits.total() == 1000
    assert done.engine.stops == []


def test_without_look_up_nothing_is_sent_again() -> None:
    """Where the API knows no reference, a lost answer stays in doubt, and the night is paused."""
    settings = replace(SETTINGS, client_reference=False, submits_in_flight=1)
    stopped = night(200, Provider(on_submit=lambda *_: LOST), settings).run()
    states = stopped.states()
    assert set(states) == {State.IN_DOUBT, State.WAITING}
    assert set(stopped.provider.submits.values()) == {1}
    assert states[State.IN_DOUBT] == 10
    assert [stop.exit_code for stop in stopped.engine.stops] == [ExitCode.UNFINISHED]
    assert stopped.provider.queries.total() == 0
    assert stopped.engine.outstanding == 0


def test_single_lost_answers_without_look_up_do_not_stop_the_night() -> None:
    """One lost answer among many good ones is one row in doubt and nothing more."""
    lost = {f"row{i:06}" for i in range(0, 300, 7)}
    provider = Provider(on_submit=lambda said, *_: LOST if said.attempt.key in lost else None)
    settings = replace(SETTINGS, client_reference=False)
    done = night(300, provider, settings).run()
    assert done.states() == {State.IN_DOUBT: len(lost), State.DONE: 300 - len(lost)}
    assert set(done.provider.submits.values()) == {1}


def test_a_look_up_may_find_nothing_at_first() -> None:
    """A task that shows late is still adopted, and nothing is sent twice."""

    def late(said: Query, times: int, _: float) -> TaskView | ProviderError | None:
        return GONE if said.reference.startswith("rs-") and times <= 4 else None

    done = night(200, Provider(on_submit=lambda *_: LOST, on_query=late)).run()
    states = done.states()
    assert states[State.DONE] + states[State.WAITING] == 200
    assert set(done.provider.submits.values()) == {1}
    again = resume(done)
    assert again.run().states()[State.IN_DOUBT] == 0


def test_an_outage_strands_a_handful_of_rows() -> None:
    """5xx on everything: few rows in doubt, single tries with growing gaps, then unfinished."""
    provider = Provider(on_submit=lambda *_: Unclear("502", status=502), loses_unclear=True)
    stopped = night(5000, provider, replace(SETTINGS, submits_per_minute=2000)).run()
    states = stopped.states()
    assert states[State.IN_DOUBT] <= 8 + 5
    assert set(provider.submits.values()) == {1}
    assert [stop.exit_code for stop in stopped.engine.stops] == [ExitCode.UNFINISHED]
    probes = provider.submit_times[-5:]
    gaps = [b - a for a, b in pairwise(probes)]
    assert gaps == sorted(gaps)
    assert gaps[0] > 30


def test_after_an_outage_the_night_goes_on() -> None:
    """A try that comes through opens the gate again; the stranded rows stay in doubt."""

    def hook(_: object, __: int, now: float) -> ProviderError | None:
        return Unclear("502", status=502) if now < 200 else None

    provider = Provider(on_submit=hook, loses_unclear=True)
    done = night(1000, provider).run()
    states = done.states()
    assert states[State.IN_DOUBT] <= 12
    assert states[State.DONE] == 1000 - states[State.IN_DOUBT]
    assert done.engine.stops == []


def test_a_row_in_doubt_frees_its_slot_after_the_look_up() -> None:
    """A row in doubt holds a slot only while it is looked for."""
    provider = Provider(
        on_submit=lambda said, *_: LOST if said.attempt.key < "row000003" else None,
        loses_unclear=True,
    )
    settings = replace(SETTINGS, outstanding=3)
    done = night(30, provider, settings).run()
    assert done.states() == {State.IN_DOUBT: 3, State.DONE: 27}
    assert done.engine.outstanding == 0
    looked = [times[-1] for key, times in provider.query_times.items() if key < "row000003"]
    assert len(looked) == 3
    assert all(SETTINGS.lookup_s - 1 <= at <= SETTINGS.lookup_s + 10 for at in looked)


def test_doubts_of_earlier_runs_are_looked_up_once_more() -> None:
    """A row long in doubt is asked for once in each run; nothing is submitted for it."""
    provider = Provider()
    again = taken_up(in_doubt(30), provider, age_s=10_000).run()
    assert again.states() == {State.WAITING: 30}  # no event: the journal says what it said
    assert again.engine.states[State.IN_DOUBT] == 30
    assert set(provider.queries.values()) == {1}
    assert provider.submits.total() == 0


def test_doubts_of_earlier_runs_are_no_outage() -> None:
    """However many old doubts are not found, new rows are submitted at once."""
    engine = Engine(replace(SETTINGS, outstanding=100), 0.0)
    for entry in in_doubt(40):
        engine.take_up(0, entry, 0.0, doubt_age_s=1_000)
    fresh = [one for one in attempts(140) if one.key >= "row000040"]
    enqueue(engine, *fresh)
    done = Night(engine, Provider(), fresh).run()
    assert done.states() == {State.DONE: 100}
    assert engine.stops == []
    assert done.provider.submit_times[0] == 0.0


def test_a_found_doubt_of_an_earlier_run_is_no_acceptance_now() -> None:
    """What was accepted yesterday does not hide that today's settings are wrong."""
    provider = Provider(on_submit=lambda *_: Refused("no", status=404, code="model_not_found"))
    entries = in_doubt(1)
    provider.tasks["video_old"] = (0.0, 10.0)
    provider.by_reference[entries[0].attempt.client_business_id] = "video_old"
    settings = replace(SETTINGS, submits_in_flight=1, submits_per_minute=10)
    engine = Engine(settings, 0.0)
    engine.take_up(0, entries[0], 0.0, doubt_age_s=1_000)
    fresh = [one for one in attempts(100) if one.key > "row000000"]
    enqueue(engine, *fresh)
    stopped = Night(engine, provider, fresh)
    stopped.run(until=1e6)
    assert provider.submits.total() == 5
    assert [stop.exit_code for stop in engine.stops] == [ExitCode.STOPPED]


@pytest.mark.parametrize("age_s", [0.0, 1_000.0])
def test_a_look_up_that_got_no_answer_is_repeated(age_s: float) -> None:
    """An unreachable provider is no proof: the look-up goes on for a while."""
    provider = Provider(on_query=lambda _, times, __: Unreachable("no") if times <= 3 else None)
    entries = in_doubt(1)
    provider.tasks["video_old"] = (0.0, 1.0)
    provider.by_reference[entries[0].attempt.client_business_id] = "video_old"
    found = taken_up(entries, provider, age_s=age_s).run()
    assert found.engine.states[State.DONE] == 1


def test_an_answer_that_shows_no_task_finds_none() -> None:
    """A body without an id and without a known status does not make a row running."""
    provider = Provider(on_query=lambda *_: TaskView(None, Phase.UNKNOWN))
    left = taken_up(in_doubt(3), provider, age_s=0).run()
    assert left.engine.states[State.IN_DOUBT] == 3


def test_look_ups_that_never_get_an_answer_end() -> None:
    """A run does not wait for ever for a row in doubt."""
    provider = Provider(on_query=lambda *_: Unreachable("no"))
    left = taken_up(in_doubt(3), provider, age_s=0).run()
    assert left.engine.states[State.IN_DOUBT] == 3
    assert left.now < 300


def test_a_crash_between_intent_and_answer_is_a_doubt() -> None:
    """Rows found `submitting` are looked up; those that the provider knows go on, once paid."""
    provider = Provider(round_trip_s=10)
    crashed = night(8, provider).run(until=1.0)
    assert crashed.states()[State.SUBMITTING] > 0
    again = resume(crashed, after_s=3600).run()
    assert again.states() == {State.DONE: 8}
    assert set(provider.references.values()) == {1}
    assert not any(entry.error_message for entry in again.entries().values())


def shows_at(*seconds: float) -> Provider:
    """A provider that loses the first answers and shows their tasks so many seconds later."""
    lost = dict(zip((one.key for one in attempts(len(seconds))), seconds, strict=True))

    def late(said: Query, _: int, now: float) -> TaskView | ProviderError | None:
        asked = said.reference.startswith("rs-")
        return GONE if asked and now < lost.get(said.row.key, 0.0) else None

    return Provider(
        task_s=lambda _: 60.0,
        on_submit=lambda said, *_: LOST if said.attempt.key in lost else None,
        on_query=late,
    )


def asked_again(rows: int, provider: Provider, every_s: float = 900.0) -> Night:
    """A night in which doubts are looked up again, two tasks at a time."""
    one = night(rows, provider, replace(SETTINGS, outstanding=2))
    one.engine.look_up_again(every_s)
    return one


def test_a_doubt_is_looked_up_again_in_the_same_night() -> None:
    """Once every quarter of an hour; what is found is paid for and comes home like any other."""
    provider = shows_at(1500.0)
    done = asked_again(100, provider).run()
    assert done.states() == {State.DONE: 100}
    assert set(provider.submits.values()) == {1}
    looked = [at for at in provider.query_times["row000000"] if at > SETTINGS.lookup_s + 10]
    assert 900 < looked[0] < 1100
    assert 1800 < looked[1] < 2200


def test_a_doubt_is_looked_up_once_more_before_the_night_ends() -> None:
    """And the night waits for no look-up to come: it is over as soon as its rows are."""
    provider = shows_at(400.0, 1e9)
    done = asked_again(20, provider, every_s=10_000.0).run()
    assert done.states() == {State.DONE: 19, State.IN_DOUBT: 1}
    plain = asked_again(20, Provider(task_s=lambda _: 60.0)).run()
    assert 400 < done.now < plain.now + 2 * SETTINGS.lookup_s
    assert done.now - provider.query_times["row000001"][-1] < 120


def test_what_was_just_looked_up_is_not_asked_for_once_more() -> None:
    """A night of doubts alone is over with their last look-ups."""
    left = asked_again(1, shows_at(1e9)).run()
    assert left.states() == {State.IN_DOUBT: 1}
    assert left.now < SETTINGS.lookup_s + 10


def test_a_doubt_that_turns_out_to_have_failed_is_tried_again() -> None:
    """As every row that fails in a night, with a new attempt after its wait."""
    provider = shows_at(1000.0)
    late = provider.on_query

    def failed(said: Query, times: int, now: float) -> TaskView | ProviderError | None:
        if said.reference == "rs-row000000-1" and now >= 1000:
            return TaskView("video_0", Phase.FAILED, error_message="the model was busy")
        return late(said, times, now)

    provider.on_query = failed
    one = asked_again(80, provider)
    one.engine.retry(
        10.0, lambda row, before, *_: attempt(row.key, number=2) if before.number == 1 else None
    )
    done = one.run()
    assert done.states() == {State.DONE: 80}
    assert provider.submits["row000000"] == 2


def test_look_ups_of_old_doubts_keep_no_task_waiting() -> None:
    """A thousand of them take their part of the allowance, and not that of running tasks."""
    old = in_doubt(1000)
    settings = replace(SETTINGS, outstanding=20, polls_per_minute=60)
    engine = Engine(settings, 0.0)
    for entry in old[:300]:
        engine.take_up(0, entry, 0.0, doubt_age_s=10_000)
    engine.look_up_again(60.0)
    fresh = [one for one in attempts(1200) if one.key >= "row001000"]
    enqueue(engine, *fresh)
    provider = Provider(task_s=lambda _: 60.0)
    provider_only = night(200, Provider(task_s=lambda _: 60.0), settings).run()
    done = Night(engine, provider, fresh, settings)
    done.run(until=600 + provider_only.now)
    assert sum(one >= "row001000" for one in provider.downloads) == 200


def test_nothing_is_looked_up_again_once_everything_stops() -> None:
    one = asked_again(100, shows_at(1e9))
    one.run(until=300)
    one.engine.halt()
    before = one.provider.queries["row000000"]
    one.run()
    assert one.provider.queries["row000000"] == before
