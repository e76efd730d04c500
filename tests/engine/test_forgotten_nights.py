"""Nights after a journal lost its memory: what may have been sent is looked up first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline import events as ev
from pipeline.engine.commands import Query, RowId, Submit, Upload
from pipeline.engine.engine import Engine
from pipeline.engine.queries import LookUps
from pipeline.engine.rows import Reach, Stop, Tracked
from pipeline.errors import ExitCode, NoSuchTask, ProviderError, Unauthorized, Unreachable
from pipeline.lifecycle import apply
from pipeline.model import Phase, State, TaskView
from tests.engine.night import SETTINGS, Night, Provider, attempt, attempts, night, resume

SMALL = replace(SETTINGS, outstanding=6, submits_in_flight=3, outage_s=120)


def forgotten(
    before: Night, kept: int = 0, *, wants_proof: Callable[[str], bool] = lambda _: False
) -> Night:
    """The same rows, resumed from a journal that kept only so many of its events."""
    before.journal = before.journal[:kept]
    after = resume(before, after_s=60, asks_first=lambda _: True, wants_proof=wants_proof)
    after.keeps_sent = True
    return after


def queries_of(run: Night, key: str) -> list[str]:
    sent = [one for one, _ in run.sent if isinstance(one, Query) and one.row.key == key]
    return [one.reference for one in sent]


def test_a_lost_journal_buys_nothing_again() -> None:
    """Every task is found by its reference, whether it is done, working or failed by now."""
    before = night(40, Provider(), SMALL).run(until=200)
    bought = sum(before.provider.accepted.values())
    assert 10 < bought < 40
    after = forgotten(before).run()
    assert after.states() == {State.DONE: 40}
    assert set(after.provider.accepted.values()) == {1}
    assert set(after.provider.submits.values()) == {1}
    assert after.engine.spend.videos == 40 - bought, "found tasks are no spend of this run"


def test_what_was_never_sent_is_asked_for_once_and_sent() -> None:
    """A clear no is enough, and the row goes out as if nothing had been asked."""
    run = forgotten(night(5, Provider())).run()
    assert run.states() == {State.DONE: 5}
    for one in run.rows:
        first, *_ = queries_of(run, one.key)
        assert first == one.client_business_id
    asked = {one.row.key for one, _ in run.sent[:5] if isinstance(one, Query)}
    assert asked == {one.key for one in run.rows}, "no row is sent before it was asked for"


def test_pictures_are_uploaded_only_for_rows_that_are_sent() -> None:
    """A row whose task is found needs none."""
    rows = [attempt(f"row{n}", images=(f"sha256:p{n}",)) for n in range(2)]
    before = night(rows[:1], Provider(), SMALL).run()
    before.rows, before.journal = rows, []
    before.provider.uploads.clear()
    after = resume(before, asks_first=lambda _: True).run()
    assert after.states() == {State.DONE: 2}
    assert set(after.provider.uploads) == {"p1"}


def test_only_rows_that_may_have_been_sent_are_asked_for() -> None:
    """The others go out at once."""
    before = night(6, Provider())
    after = resume(before, asks_first=lambda key: key.endswith("3"))
    after.keeps_sent = True
    after.run()
    asked_first = [
        row.key for row in after.rows if queries_of(after, row.key)[0] == row.client_business_id
    ]
    assert "row000003" in asked_first
    assert len(asked_first) <= 2, "the second one is the try of a known task's reference"


def test_the_events_say_that_the_task_was_found() -> None:
    """An intent, so that the journal knows the attempt, and a task that no POST of ours gave."""
    before = night(1, Provider()).run(until=0)
    events = [type(event) for event, _ in forgotten(before).run().journal]
    assert events == [ev.Intended, ev.Interrupted, ev.Found, ev.Completed, ev.Downloaded]


def test_an_unclear_answer_is_no_answer() -> None:
    """An outage, an empty answer: the row is asked for again and sent only after a clear one."""
    answers: list[TaskView | ProviderError] = [
        Unreachable("reset"),
        TaskView(None, Phase.UNKNOWN),
        Unreachable("502", status=502),
    ]
    provider = Provider(on_query=lambda *_: answers.pop(0) if answers else None)
    run = forgotten(night(1, provider)).run()
    assert run.states() == {State.DONE: 1}
    kinds = [type(one) for one, _ in run.sent]
    assert kinds[:5] == [Query, Query, Query, Query, Submit]


def test_nothing_is_sent_while_nothing_can_be_looked_up() -> None:
    """The run ends after the time of an outage, with every row as it was."""
    provider = Provider(on_query=lambda *_: Unreachable("reset"))
    run = forgotten(night(8, provider, SMALL)).run()
    assert not provider.submits
    assert run.states() == {State.WAITING: 8}
    assert [stop.exit_code for stop in run.engine.stops] == [ExitCode.UNFINISHED]
    assert "looked up" in run.engine.stops[0].reason
    assert SMALL.outage_s <= run.now <= 3 * SMALL.outage_s


def test_a_refused_key_stops_everything() -> None:
    """As with any call."""
    provider = Provider(on_query=lambda *_: Unauthorized("401", status=401))
    run = forgotten(night(3, provider, SMALL)).run()
    assert not provider.submits
    assert run.engine.stops[0].exit_code is ExitCode.STOPPED


def test_a_stop_of_submitting_still_takes_up_what_is_found() -> None:
    """What is paid for comes home; what the provider does not know stays unsent."""
    before = night(6, Provider(), SMALL).run(until=0)
    bought = sum(before.provider.accepted.values())
    assert 0 < bought < 6
    after = forgotten(before)
    after.run(until=after.now)
    after.engine.stop(Stop(ExitCode.STOPPED, "a cap", Reach.SUBMITTING))
    after.run()
    assert after.states() == {State.DONE: bought, State.WAITING: 6 - bought}
    assert set(after.provider.submits.values()) == {1}


def test_more_than_the_cap_may_be_found_and_then_nothing_new_is_sent() -> None:
    """A found task takes a slot, so the provider never works on more because of us."""
    wide = replace(SMALL, outstanding=20, submits_in_flight=20)
    before = night(30, Provider(task_s=lambda _: 400.0), wide).run(until=10)
    assert before.provider.unfinished(before.now) == 20
    before.settings = SMALL
    after = forgotten(before).run()
    assert after.states() == {State.DONE: 30}
    assert set(after.provider.accepted.values()) == {1}


def test_an_earlier_attempt_is_closed_when_its_forgotten_successor_is_found() -> None:
    """The copy knows a failed first attempt; the second one is found, and no third is made."""
    first = attempt("a")
    failed = [
        ev.Intended("a", 1, first),
        ev.Accepted("a", 1, "video_x"),
        ev.TaskFailed("a", 1, None, "no"),
    ]
    entry = None
    for event in failed:
        entry = apply(entry, event, 0.0)
    second = attempt("a", number=2)
    provider = Provider()
    sent_before = Submit(RowId(0, "a"), second, ())
    provider.answer(sent_before, 0.0)
    engine = Engine(SETTINGS, 0.0)
    engine.enqueue(0, ["a"], lambda _: (second, entry), asks_first=lambda _: True)
    run = Night(engine, provider, [second], journal=[(event, 0.0) for event in failed]).run()
    assert provider.accepted == {"a": 1}
    after = run.entries()["a"]
    assert (after.state, after.attempt.number) == (State.DONE, 2)


@pytest.mark.parametrize(("seed", "lanes"), [(0, 1), (1, 1), (2, 2)])
def test_a_copy_of_any_moment_buys_nothing_again(seed: int, lanes: int) -> None:
    """Whatever number of its last events a journal lost, each row is accepted once."""

    def begin() -> Night:
        rows = [attempt(f"row{n // lanes}", lane=n % lanes) for n in range(10)]
        return night(rows, Provider(seed), SMALL, [1] * lanes).run(until=120)

    for kept in range(len(begin().journal) + 1):
        after = forgotten(begin(), kept).run()
        assert set(after.provider.accepted.values()) == {1}, kept
        assert after.states() == {State.DONE: 10}, kept


def test_uploads_wait_for_the_answers() -> None:
    """While nothing is known, nothing is uploaded either."""
    rows = [attempt(f"row{n}", images=("sha256:p",)) for n in range(3)]
    provider = Provider(on_query=lambda _, turn, __: Unreachable("x") if turn == 1 else None)
    run = forgotten(night(rows, provider, SMALL)).run()
    kinds = [type(one) for one, _ in run.sent]
    assert kinds.index(Upload) > kinds.index(Query)
    assert run.states() == {State.DONE: 3}


def test_a_reference_that_nobody_knows_is_a_clear_answer() -> None:
    """404 and 400 `task_not_exist` alike."""
    provider = Provider(on_query=lambda _, turn, __: NoSuchTask("no") if turn == 1 else None)
    assert forgotten(night(2, provider)).run().states() == {State.DONE: 2}


def test_many_rows_are_asked_for_as_they_come_near() -> None:
    """Not all of them at the start: their attempts would take the memory that is saved."""
    rows = attempts(300)
    run = forgotten(night(rows, Provider(), SMALL))
    first = run.engine.tell([], run.now)
    assert len([one for one in first.commands if isinstance(one, Query)]) <= 64
    run = forgotten(night(rows, Provider(), SMALL)).run()
    assert run.states() == {State.DONE: 300}


# "No such task" of a provider that may not know references at all.


def knows_no_reference(said: Query, *_: object) -> TaskView | ProviderError | None:
    """Answer 404 to every look-up by reference."""
    return NoSuchTask("no", status=404) if said.reference.startswith("rs-") else None


def test_no_such_task_is_not_believed_where_no_reference_is_found() -> None:
    """Nothing is sent: each row is asked for once, left waiting and told of."""
    before = night(40, Provider(), SMALL).run(until=200)
    bought = sum(before.provider.accepted.values())
    before.provider.on_query = knows_no_reference
    after = forgotten(before, wants_proof=lambda _: True).run()
    assert sum(after.provider.submits.values()) == bought
    assert after.states() == {State.WAITING: 40}
    assert after.engine.unproved(0) == {one.key for one in after.rows}
    assert not after.engine.stops
    assert len(after.sent) == 40


def test_known_tasks_do_not_hide_that_references_are_not_known() -> None:
    """The tasks that the journal kept are brought home by their ids, and prove nothing."""
    before = night(40, Provider(task_s=lambda _: 400.0), SMALL).run(until=200)
    bought = sum(before.provider.accepted.values())
    before.provider.on_query = knows_no_reference
    after = forgotten(before, kept=4, wants_proof=lambda _: True).run()
    assert sum(after.provider.submits.values()) == bought
    assert after.states()[State.DONE] > 0


@pytest.mark.parametrize("kept", [0, 4, 9])
def test_a_reference_that_is_found_lets_the_others_go(kept: int) -> None:
    """Wherever it stands in the sheet: rows asked for before it are asked for anew, and sent."""
    before = night(list(reversed(attempts(40))), Provider(task_s=lambda _: 400.0), SMALL)
    before.run(until=200)
    bought = sum(before.provider.accepted.values())
    assert 3 < bought < 40
    before.rows = attempts(40)
    after = forgotten(before, kept, wants_proof=lambda _: True).run()
    assert after.states() == {State.DONE: 40}
    assert set(after.provider.accepted.values()) == {1}
    assert set(after.provider.submits.values()) == {1}
    assert not after.engine.unproved(0)


def test_what_was_seen_before_the_start_counts() -> None:
    """A look-up of a known task, made by whoever begins the run."""
    run = forgotten(night(40, Provider(), SMALL), wants_proof=lambda _: True)
    run.engine.trust_references()
    run.run()
    assert run.states() == {State.DONE: 40}
    assert not run.engine.unproved(0)


def test_a_row_that_a_person_vouches_for_proves_it_for_the_others() -> None:
    """It is sent, and its own reference is found: then the others are asked for anew, and sent."""
    rows = attempts(40)
    run = forgotten(night(rows, Provider(), SMALL), wants_proof=lambda key: key != rows[7].key)
    run.run()
    assert run.states() == {State.DONE: 40}
    assert set(run.provider.submits.values()) == {1}


def test_a_row_that_a_person_vouches_for_is_sent_alone_where_no_reference_is_found() -> None:
    """And nothing else is."""
    rows, provider = attempts(40), Provider(on_query=knows_no_reference)
    run = forgotten(night(rows, provider, SMALL), wants_proof=lambda key: key != rows[7].key).run()
    assert run.provider.submits == {rows[7].key: 1}
    assert run.states() == {State.DONE: 1, State.WAITING: 39}


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_copy_of_any_moment_buys_nothing_again_without_look_ups(lanes: int) -> None:
    """Whatever number of its last events a journal lost: no row is accepted twice."""

    def begin() -> Night:
        rows = [attempt(f"row{n // lanes}", lane=n % lanes) for n in range(10)]
        before = night(rows, Provider(), SMALL, [1] * lanes).run(until=40)
        before.provider.on_query = knows_no_reference
        return before

    for kept in range(len(begin().journal) + 1):
        before = begin()
        bought = sum(before.provider.accepted.values())
        after = forgotten(before, kept, wants_proof=lambda _: True).run()
        assert set(after.provider.accepted.values()) <= {1}, kept
        assert sum(after.provider.submits.values()) == bought, kept


def test_look_ups_without_an_answer_say_what_is_waited_for() -> None:
    """How many rows, which failure and how long; nothing once each has its answer."""
    look_ups = LookUps()
    rows = [Tracked(RowId(0, key), attempt(key), State.WAITING, 0.0) for key in ("a", "b")]
    for row in rows:
        look_ups.note(row, Unreachable("503 for now"), 95.0)
    told = look_ups.describe(10.0) or ""
    assert told.startswith("asking the provider about 2 rows that may have been sent already")
    assert told.endswith("no answer yet (503 for now); trying again for 1:25 more")
    assert look_ups.describe(95.0) is None
    look_ups.note(rows[0], NoSuchTask("no"), 95.0)
    look_ups.note(rows[1], TaskView("t", Phase.IN_PROGRESS), 95.0)
    assert look_ups.describe(10.0) is None
