"""Nights that learn whether the provider finds tasks by our own reference; no doubt goes again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.engine.commands import Query, Submit
from pipeline.engine.engine import Engine
from pipeline.engine.outstanding import PROOF_TRIES
from pipeline.errors import NoSuchTask, ProviderError, Unclear, Unreachable
from pipeline.model import Entry, Phase, State, TaskView
from tests.engine.night import SETTINGS, Night, Provider, attempt, attempts, enqueue

LOST = Unclear("the connection was closed without an answer")
GONE = NoSuchTask("task_not_exist", status=404)
Hook = Callable[[Submit, int, float], ProviderError | None]


def night(rows: int, provider: Provider) -> Night:
    """A night over so many new rows that keeps what was sent."""
    engine = Engine(SETTINGS, 0.0)
    enqueue(engine, *attempts(rows))
    return Night(engine, provider, attempts(rows), keeps_sent=True)


def loses(keys: set[str]) -> Hook:
    """Lose the first submissions of these rows."""
    return lambda said, turn, _: LOST if said.attempt.key in keys and turn <= 1 else None


def tries(run: Night, *, but: str = "") -> list[str]:
    """The keys of the known tasks that were asked for by their reference."""
    queries = [command for command, _ in run.sent if isinstance(command, Query)]
    by_reference = [one.row.key for one in queries if one.reference.startswith("rs-")]
    return [key for key in by_reference if key != but]


def unsupported(said: Query, *_: object) -> TaskView | ProviderError | None:
    """An API that does not know our references."""
    return GONE if said.reference.startswith("rs-") else None


def test_one_task_found_is_enough() -> None:
    """The first query of the night asks by reference, and none after it."""
    run = night(60, Provider()).run()
    assert run.states() == {State.DONE: 60}
    assert run.engine.finds_by_reference
    assert len(tries(run)) == 1


def test_nothing_is_known_before_a_task_was_found() -> None:
    """A fresh engine has seen nothing."""
    assert not Engine(SETTINGS, 0.0).finds_by_reference


def test_what_was_never_accepted_stays_in_doubt() -> None:
    """Not found for all of lookup_s, although look-ups work: in doubt, and sent once."""
    lost = {"row000003", "row000007"}
    run = night(60, Provider(on_submit=loses(lost), loses_unclear=True)).run()
    assert run.states() == {State.DONE: 58, State.IN_DOUBT: 2}
    assert set(run.provider.submits.values()) == {1}
    assert run.engine.finds_by_reference
    assert run.engine.spend.videos == 60


def test_where_look_ups_find_nothing_at_all_nothing_goes_again() -> None:
    """Accepted, but look-up is not supported: all of them stay in doubt, each sent once."""
    lost = {"row000003", "row000020"}
    provider = Provider(on_submit=loses(lost), on_query=unsupported)
    run = night(60, provider).run()
    assert run.states() == {State.DONE: 58, State.IN_DOUBT: 2}
    assert set(provider.submits.values()) == {1}
    assert not run.engine.finds_by_reference


def test_it_is_tried_a_few_times_and_once_for_a_row() -> None:
    """What an API that knows no references costs: one query each of a few rows."""
    run = night(2000, Provider(on_query=unsupported)).run()
    assert run.states() == {State.DONE: 2000}
    tried = tries(run)
    assert len(tried) == len(set(tried)) == PROOF_TRIES


def test_without_a_reference_of_our_own_nothing_is_tried() -> None:
    """`client_reference: false`: the provider was never told one."""
    settings = replace(SETTINGS, client_reference=False)
    engine = Engine(settings, 0.0)
    enqueue(engine, *attempts(20))
    run = Night(engine, Provider(), attempts(20), settings, keeps_sent=True).run()
    assert run.states() == {State.DONE: 20}
    assert tries(run) == []
    assert not engine.finds_by_reference


@pytest.mark.parametrize(
    "stranger", [TaskView("video_other", Phase.QUEUED), TaskView(None, Phase.QUEUED)]
)
def test_another_task_is_no_proof(stranger: TaskView) -> None:
    """An API that answers any reference with some task is not believed, and harms no row."""

    def hook(said: Query, *_: object) -> TaskView | ProviderError | None:
        answer = GONE if said.row.key == "row000003" else stranger
        return answer if said.reference.startswith("rs-") else None

    provider = Provider(on_submit=loses({"row000003"}), on_query=hook)
    run = night(30, provider).run()
    assert run.states() == {State.DONE: 29, State.IN_DOUBT: 1}
    assert set(provider.submits.values()) == {1}
    assert not run.engine.finds_by_reference


def test_a_try_that_gets_no_answer_does_not_count() -> None:
    """However long the provider cannot be reached: references are tried when it can be again."""
    unanswered = 2 * PROOF_TRIES

    def hook(said: Query, *_: object) -> TaskView | ProviderError | None:
        nonlocal unanswered
        if not said.reference.startswith("rs-"):
            return None
        unanswered -= 1
        return Unreachable("no answer") if unanswered >= 0 else None

    run = night(400, Provider(on_query=hook)).run()
    assert unanswered < 0, "more often than a look-up that finds nothing is tried"
    assert run.states() == {State.DONE: 400}
    assert run.engine.finds_by_reference


def test_references_that_are_known_late_are_found_late() -> None:
    """An API that finds a task by its reference only after a while is tried until it does."""

    def late(said: Query, _: int, now: float) -> TaskView | ProviderError | None:
        return GONE if said.reference.startswith("rs-") and now < 140 else None

    run = night(300, Provider(on_query=late)).run()
    assert run.states() == {State.DONE: 300}
    assert run.engine.finds_by_reference


def test_a_doubt_that_is_found_is_the_proof() -> None:
    """One lost answer found by its reference shows that look-ups work: nothing else is tried."""
    settings = replace(SETTINGS, pace=replace(SETTINGS.pace, first_s=60))
    engine = Engine(settings, 0.0)
    enqueue(engine, *attempts(2))
    provider = Provider(on_submit=loses({"row000000"}))
    run = Night(engine, provider, attempts(2), settings, keeps_sent=True).run()
    assert run.states() == {State.DONE: 2}
    assert set(provider.submits.values()) == {1}
    assert engine.finds_by_reference
    assert tries(run, but="row000000") == []


def test_look_ups_without_an_answer_prove_nothing() -> None:
    """A provider that cannot be reached has not said that the task is not there."""
    quiet = {"rs-row000003-1"}

    def hook(said: Query, *_: object) -> TaskView | ProviderError | None:
        return Unreachable("no answer") if said.reference in quiet else None

    provider = Provider(on_submit=loses({"row000003"}), on_query=hook)
    run = night(30, provider).run()
    assert run.states() == {State.DONE: 29, State.IN_DOUBT: 1}
    assert provider.submits["row000003"] == 1


def test_a_task_of_an_earlier_run_proves_it_as_well() -> None:
    """A run that submits nothing asks for what it takes up by reference, too."""
    old = attempt("row000100")
    provider = Provider()
    provider.tasks["video_old"] = (0.0, 60.0)
    provider.by_reference[old.client_business_id] = "video_old"
    engine = Engine(SETTINGS, 0.0)
    engine.take_up(0, Entry(old.key, State.RUNNING, old, task_id="video_old"), 0.0)
    Night(engine, provider, [old]).run(until=1.0)
    assert engine.finds_by_reference
