"""Queries that fail, lie or never end: no row fails by them, none is submitted again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.engine.commands import Query, RowId, Submit
from pipeline.engine.engine import Engine
from pipeline.engine.experience import Known
from pipeline.engine.queries import Sweep
from pipeline.errors import NoSuchTask, ProviderError, Throttled, Unreachable
from pipeline.model import Entry, Phase, State, TaskView
from tests.engine.night import SETTINGS, Night, Provider, attempt, night, resume

Answer = TaskView | ProviderError | None
GONE = NoSuchTask("task_not_exist", status=400)


def taken_up(state: State, provider: Provider, rows: int = 1) -> Night:
    """Rows of an earlier run in this state, their tasks at the provider under `video_KEY`."""
    engine = Engine(SETTINGS, 0.0)
    for number in range(rows):
        one = attempt(f"row{number:06}")
        entry = Entry(one.key, state, one, task_id=f"video_{one.key}", submitted_at=0.0)
        engine.take_up(0, entry, 0.0)
    return Night(engine, provider, [])


def assert_done_once(through: Night, rows: int) -> None:
    assert through.states() == {State.DONE: rows}
    assert set(through.provider.submits.values()) == {1}


def unlucky(error: Callable[[random.Random], Answer], share: float = 0.4) -> Provider:
    dice = random.Random(5)
    return Provider(on_query=lambda *_: error(dice) if dice.random() < share else None)


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("500", status=500),
        Unreachable("the connection was reset"),
        Unreachable("a page instead of JSON", status=200),
        Throttled("slow down", status=429),
        Throttled("slow down", status=429, retry_after_s=3),
    ],
    ids=["500", "reset", "HTML", "429", "429 with a wait"],
)
def test_failed_queries_fail_no_row(error: ProviderError) -> None:
    """Two of five queries fail on the way: every row is done, submitted once."""
    assert_done_once(night(500, unlucky(lambda _: error)).run(), 500)


def test_an_answer_that_says_nothing_of_a_task_is_told_at_the_end() -> None:
    """An empty list, for one: the task goes on, and its row says at the deadline why it waits."""
    begun = night(1, Provider(on_query=lambda *_: TaskView(None, Phase.UNKNOWN)))
    assert begun.run().states() == {State.RUNNING: 1}
    assert begun.engine.unknown_statuses(0) == {begun.rows[0].key: ""}


def test_unknown_statuses_and_missing_progress_fail_no_row() -> None:
    """A status that nobody knows, without progress, means that the task goes on."""
    through = night(300, unlucky(lambda _: TaskView(None, Phase.UNKNOWN))).run()
    assert_done_once(through, 300)


def test_a_bar_that_lies_fails_no_row() -> None:
    """A progress that jumps about costs queries at most."""
    lying = unlucky(lambda dice: TaskView(None, Phase.IN_PROGRESS, dice.uniform(-10, 300)), 0.5)
    assert_done_once(night(500, lying).run(), 500)


def test_a_task_may_not_be_known_yet() -> None:
    """404 right after the submission is too early, not lost."""
    early = Provider(on_query=lambda _, times, __: GONE if times <= 3 else None)
    assert_done_once(night(200, early).run(), 200)


def test_a_task_that_is_gone_for_good_is_missing_after_the_grace_time() -> None:
    """Not before the grace time; then it is missing, frees its slot, and is not sent again."""
    gone = night(60, Provider(on_query=lambda *_: GONE))
    gone.run(until=SETTINGS.missing_grace_s)
    assert State.MISSING not in gone.states()
    gone.run()
    assert gone.states() == {State.MISSING: 60}
    assert set(gone.provider.submits.values()) == {1}
    asked = [times[-1] - times[0] for times in gone.provider.query_times.values()]
    assert min(asked) >= SETTINGS.missing_grace_s
    assert max(asked) <= SETTINGS.missing_grace_s + 15


def test_the_grace_time_begins_anew_when_the_task_shows_up() -> None:
    """A task that is known now and then is never missing."""

    def flicker(said: Query, _: int, now: float) -> Answer:
        view = TaskView(said.reference, Phase.IN_PROGRESS)
        return None if now > 1500 else (GONE if now % 100 < 80 else view)

    assert_done_once(night(20, Provider(on_query=flicker)).run(), 20)


def test_a_missing_row_is_asked_for_once_per_run() -> None:
    """It stays missing until somebody settles it."""
    provider = Provider()
    still = taken_up(State.MISSING, provider, rows=5).run()
    assert still.engine.states[State.MISSING] == 5
    assert set(provider.queries.values()) == {1}
    assert still.journal == []


def test_a_missing_row_that_answers_again_is_done() -> None:
    """The provider knows the task again: it goes on as if nothing had been."""
    provider = Provider()
    provider.tasks["video_row000000"] = (0.0, 40.0)
    assert taken_up(State.MISSING, provider).run().engine.states[State.DONE] == 1


@pytest.mark.parametrize("state", [State.MISSING, State.READY, State.RUNNING])
def test_a_run_ends_though_queries_never_get_an_answer(state: State) -> None:
    """Rows of an earlier run stay as they are when the provider does not answer for long."""
    left = taken_up(state, Provider(on_query=lambda *_: Unreachable("no")), rows=3).run()
    assert left.engine.states[state] == 3
    assert left.now <= SETTINGS.deadline_s + 60
    assert left.engine.outstanding == 0


def test_a_task_past_the_deadline_stays_running_and_frees_its_slot() -> None:
    """A task that never ends costs its slot until the deadline, and is taken up by the next run."""
    slow = {f"row{i:06}" for i in range(5)}

    def never(said: Query, _: int, now: float) -> Answer:
        stuck = said.row.key in slow and now < 5000
        return TaskView(said.reference, Phase.IN_PROGRESS, 99.0) if stuck else None

    settings = replace(SETTINGS, outstanding=5)
    first = night(50, Provider(on_query=never), settings).run()
    assert first.states() == {State.RUNNING: 5, State.DONE: 45}
    assert first.engine.outstanding == 0
    asked = [first.provider.query_times[key] for key in slow]
    assert all(SETTINGS.deadline_s - 1 <= times[-1] <= SETTINGS.deadline_s + 20 for times in asked)
    assert_done_once(resume(first, after_s=4000).run(), 50)


def test_a_failed_task_is_failed_with_its_reason() -> None:
    """What the provider says of a failed task stands in the journal."""
    bad = TaskView("t", Phase.FAILED, error_code="moderation", error_message="not this one")
    done = night(10, Provider(on_query=lambda *_: bad)).run()
    assert done.states() == {State.FAILED: 10}
    assert {(one.error_code, one.error_message) for one in done.entries().values()} == {
        ("moderation", "not this one")
    }


def test_a_failed_task_without_a_reason_says_so() -> None:
    """A person reads a sentence, not an empty cell."""
    done = night(1, Provider(on_query=lambda *_: TaskView("t", Phase.FAILED))).run()
    assert done.entries()["row000000"].error_message == "the provider gives no reason"


def test_completed_without_a_url_for_ever_is_expired_by_name() -> None:
    """It is asked for a few times more; then the row says what is missing."""
    provider = Provider()
    provider.on_query = lambda query, *_: TaskView(
        provider.by_reference.get(query.reference, query.reference), Phase.COMPLETED
    )
    done = night(20, provider).run()
    assert done.states() == {State.EXPIRED: 20}
    assert {one.error_code for one in done.entries().values()} == {"no_video_url"}
    assert set(provider.queries.values()) == {6}
    assert set(provider.submits.values()) == {1}


def test_an_address_that_cannot_be_used_is_named() -> None:
    """Nobody says that there is none."""
    fault = "'ftp://a.b/1.mp4' does not begin with http:// or https://"
    view = TaskView("t", Phase.COMPLETED, url_fault=fault)
    (entry,) = night(1, Provider(on_query=lambda *_: view)).run().entries().values()
    assert (entry.state, entry.error_code) == (State.EXPIRED, "unusable_video_url")
    assert (entry.error_message or "").endswith(f"an address for it that cannot be used: {fault}")


def test_an_unknown_status_is_kept_until_another_comes() -> None:
    """Only the last answer counts, and only while the row is running."""
    odd = TaskView("t", Phase.UNKNOWN, unknown_status="Odd")
    left = night(2, Provider(on_query=lambda *_: odd)).run()
    assert left.states() == {State.RUNNING: 2}
    assert left.engine.unknown_statuses(0) == {"row000000": "Odd", "row000001": "Odd"}
    known = TaskView("t", Phase.IN_PROGRESS)
    later = Provider(on_query=lambda _, times, __: odd if times < 4 else known)
    assert night(1, later).run().engine.unknown_statuses(0) == {}
    once = Provider(on_query=lambda _, times, __: odd if times < 4 else None)
    through = night(3, once).run()
    assert (through.states(), through.engine.unknown_statuses(0)) == ({State.DONE: 3}, {})


def test_completed_without_a_url_for_a_while_is_done() -> None:
    """A URL that comes late is taken."""
    late: Callable[[Query, int, float], Answer] = lambda said, times, _: (  # noqa: E731
        TaskView(said.reference, Phase.COMPLETED) if times <= 4 else None
    )
    provider = Provider(on_query=late, task_s=lambda _: 5.0)
    assert_done_once(night(20, provider).run(), 20)


def test_a_ready_row_whose_task_is_gone_is_expired_after_the_grace_time() -> None:
    """Without the task there is no fresh URL, and no download."""
    provider = Provider(on_query=lambda *_: GONE)
    left = taken_up(State.READY, provider).run()
    assert left.engine.states[State.EXPIRED] == 1
    assert left.now >= SETTINGS.missing_grace_s


def test_queries_back_off_together_in_an_outage() -> None:
    """While no query gets through, all wait together instead of each failing on its own."""
    provider = Provider(on_query=lambda _, __, now: Unreachable("no") if now < 900 else None)
    through = night(50, provider).run()
    assert_done_once(through, 50)
    asked = [at for times in provider.query_times.values() for at in times if at < 900]
    assert len(asked) < 500


def test_the_providers_own_durations_stand_in_the_journal() -> None:
    """`Completed` keeps what the task took at the provider, by the provider's clock."""
    done = night(5, Provider(task_s=lambda _: 33.0)).run()
    took = [event.duration_s for event, _ in done.journal if hasattr(event, "duration_s")]
    assert took == pytest.approx([33.0] * 5)


def test_queries_that_fall_due_about_then_go_together() -> None:
    """The sweep wakes once for all that fall due within a moment, and for none too early."""
    sweep = Sweep(SETTINGS, 0.0)
    for number, due in enumerate([10.55, 10.6, 11.0, 11.25, 11.3]):
        sweep.schedule(RowId(0, f"row{number}"), due)
    assert sweep.wake_at(0.0) == 11.25
    assert sweep.start(11.2) is None
    together = []
    while (row := sweep.start(11.25)) is not None:
        together.append(row.key)
    assert together == ["row0", "row1", "row2", "row3"]
    assert sweep.wake_at(11.25) == 12.0


@pytest.mark.parametrize("interval_s", [0.001, 0.1, 0.3, 7, 10, 3600])
def test_the_sweep_never_wakes_before_a_query_is_due(interval_s: float) -> None:
    """Whatever the interval: a wake finds something to ask for, less than a second late."""
    dice = random.Random(3)
    settings = replace(SETTINGS, pace=replace(SETTINGS.pace, interval_s=interval_s))
    for _ in range(2000):
        sweep, due = Sweep(settings, 0.0), dice.uniform(0, 1e6)
        sweep.schedule(RowId(0, "row"), due)
        wake_at = sweep.wake_at(0.0)
        assert due <= wake_at <= due + min(0.75, interval_s * 0.075) + 1e-6
        assert sweep.start(wake_at) == RowId(0, "row")


def test_where_few_may_go_the_earliest_due_goes_first() -> None:
    """Of the queries of one moment, too: with a short budget the others wait for it."""
    sweep = Sweep(replace(SETTINGS, polls_per_minute=60), 0.0)
    for key, due in (("late", 11.2), ("early", 10.6), ("between", 11.0)):
        sweep.schedule(RowId(0, key), due)
    asked = [sweep.start(now) for now in (11.25, 11.25, 12.25, 13.25)]
    assert [row and row.key for row in asked] == ["early", None, "between", "late"]


def _night_of_two_models(
    known: list[Known], since: int = 100
) -> tuple[Night, dict[str, list[float]]]:
    """A night of tasks of 40 s and of 400 s, and at which ages each model's tasks were asked for.

    The ages are those of the first queries, from that row of each model on.
    """
    lasts, asked = {"quick": 40.0, "slow": 400.0}, [""]
    rows = [attempt(f"{model}{number:03}", model=model) for number in range(120) for model in lasts]

    def remember(submit: Submit, *_: object) -> None:
        asked[0] = submit.attempt.request.model

    provider = Provider(
        on_submit=remember, task_s=lambda dice: lasts[asked[0]] * dice.uniform(0.95, 1.05)
    )
    begun = night(rows, provider)
    begun.engine.know_tasks(known)
    begun.run()
    references = {one.client_business_id: one.key for one in rows}
    began = {
        references[reference]: provider.tasks[task][0]
        for reference, task in provider.by_reference.items()
    }
    ages = {
        model: [
            times[0] - began[key]
            for key, times in sorted(provider.query_times.items())
            if key.startswith(model) and int(key[-3:]) >= since
        ]
        for model in lasts
    }
    return begun, ages


def test_each_model_is_asked_for_when_its_own_tasks_end() -> None:
    """In one run of both, from the thirtieth end of each on, and from the first row of the next."""
    first, ages = _night_of_two_models([])
    assert first.states() == {State.DONE: 240}
    assert min(ages["slow"]) > 300
    assert max(ages["quick"]) < 60
    learned = [Known(one.kind).with_news(one) for one in first.engine.take_learned()]
    second, ages = _night_of_two_models(learned, since=0)
    assert min(ages["slow"]) > 300
    assert max(ages["quick"]) < 60
    queries = (sum(one.provider.queries.values()) for one in (first, second))
    assert next(queries) > 4 * next(queries)
