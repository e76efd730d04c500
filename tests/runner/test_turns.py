"""The order of a night inside a manifest, and which rows that fail are tried again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.engine.commands import RowId
from pipeline.engine.later import REDONE, RETRIED
from pipeline.model import Attempt, Entry, Request, State
from pipeline.planner.heldback import Hold
from pipeline.planner.plan import CHANGED, Action, Plan, Step
from pipeline.runner.terms import Terms
from pipeline.runner.turns import Retrying, take_turns
from pipeline.writer.advice import LOOK_AT_MANIFEST
from pipeline.writer.outcome import result_of

REQUEST = Request("a mug", (), 6, "16:9", "720P", "gemini_omni_flash", "hash")


def attempt(key: str, number: int = 1) -> Attempt:
    return Attempt(key, number, f"rs-{key}-{number}", REQUEST, f"{key}.mp4")


def entry(key: str, state: State, number: int = 1, finished_at: float = 100.0) -> Entry:
    sent_at = None if state is State.WAITING else 1.0
    return Entry(key, state, attempt(key, number), submitted_at=sent_at, finished_at=finished_at)


def submit(key: str, group: str = "any") -> Step:
    return Step(key, Action.SUBMIT, group, "")


class Next:
    """Makes the next attempt."""

    def after(self, failed: Attempt) -> Attempt:
        return replace(failed, number=failed.number + 1)


def test_new_rows_first_then_new_takes_then_retries_after_their_wait() -> None:
    """An edited row that failed is as good as a new one."""
    known = [
        entry("done", State.DONE),
        entry("failed", State.FAILED),
        entry("edited", State.FAILED),
        entry("unsent", State.WAITING),
    ]
    steps = [*map(submit, ("new", "done", "failed", "unsent")), submit("edited", CHANGED)]
    turns = take_turns(steps, {one.key: one for one in known}, 900.0)
    assert turns.first == ["new", "unsent", "edited"]
    assert turns.later == {
        (REDONE, State.DONE): [("done", 0.0)],
        (RETRIED, State.FAILED): [("failed", 1000.0)],
    }


@pytest.mark.parametrize(
    ("known", "failed", "attempts"),
    [
        (None, 1, 2),
        (None, 2, 3),
        (None, 3, None),
        (entry("r", State.FAILED, 1), 2, 3),
        (entry("r", State.FAILED, 2), 3, 4),  # two numbers, but a single submission of them
        (entry("r", State.WAITING, 1), 1, 2),
        (entry("r", State.RUNNING, 1), 1, 2),
    ],
)
def test_attempts_count_over_all_nights(
    known: Entry | None, failed: int, attempts: int | None
) -> None:
    """Of the same request, `limits.attempts` in all."""
    retrying = Retrying(3)
    retrying.add(0, Next(), {"r": known} if known else {}, Plan((submit("r"),)))
    after = retrying.next_attempt(RowId(0, "r"), attempt("r", failed), None, "busy")
    assert (after and after.number) == attempts


def test_what_no_retry_can_help_is_left_to_a_person() -> None:
    """Content, rows that were edited since, rows that have left the manifest."""
    taken_up = Step("same", Action.TAKE_UP, "running", "")
    steps = (submit("r"), taken_up, taken_up._replace(key="edited", edited=True))
    gone = (taken_up._replace(key="gone"),)
    retrying = Retrying(3)
    retrying.add(0, Next(), {}, Plan(steps, gone))

    def tries(key: str, code: str | None = None, lane: int = 0) -> bool:
        return retrying.next_attempt(RowId(lane, key), attempt(key), code, "no") is not None

    assert tries("r")
    assert tries("same")
    assert not tries("r", "content_policy_violation")
    assert not tries("edited")
    assert not tries("gone")
    assert not tries("r", lane=1)
    retrying.add(0, Next(), {}, Plan(steps, gone), lambda key: key != "same")
    assert tries("r")
    assert not tries("same"), "it waits for the pilot"


@pytest.mark.parametrize(
    ("terms", "code", "said"),
    [
        (Terms(), None, None),
        (Terms(min_rows=3), None, None),
        (Terms(min_rows=4), 2, "the manifest has 3 rows, and night.min_rows is 4"),
        (Terms(max_new=2), None, None),
        (Terms(max_new=1), 2, "2 rows would be new, and night.max_new is 1"),
        (Terms(opens_at=None, ends="the window begins at 22:00"), 5, "begins at 22:00"),
    ],
)
def test_terms_hold_what_a_broken_export_or_the_wrong_hour_would_order(
    terms: Terms, code: int | None, said: str | None
) -> None:
    """Nothing of the manifest is ordered, and the run says why."""
    steps = tuple(Step(key, Action.SUBMIT, "new", "") for key in ("a", "b"))
    plan = Plan((*steps, Step("c", Action.LEAVE, "done", "")))
    held, stop = terms.hold(plan, 3)
    assert (stop and int(stop.exit_code)) == code
    assert bool(held.of(Action.SUBMIT)) is (stop is None)
    assert said is None or (stop is not None and said in stop.reason)


def test_what_waits_for_the_pilot_is_new_too() -> None:
    """Not even a pilot of a broken export is ordered."""
    waits = [Step(key, Action.LEAVE, "new", "", hold=Hold.PILOT) for key in ("b", "c")]
    plan = Plan((Step("a", Action.SUBMIT, "new", ""), *waits), ())
    held, stop = Terms(max_new=2).hold(plan, 3)
    assert stop is not None
    assert "3 rows would be new, and night.max_new is 2" in stop.reason
    assert not held.of(Action.SUBMIT)
    assert Terms(max_new=3).hold(plan, 3) == (plan, None)


def test_with_something_else_to_do_a_broken_export_counts_as_one_for_the_user() -> None:
    """What is paid for comes home all the same."""
    plan = Plan((Step("a", Action.SUBMIT, "new", ""), Step("b", Action.TAKE_UP, "running", "")))
    held, stop = Terms(min_rows=9).hold(plan, 2)
    assert stop is not None
    assert int(stop.exit_code) == 1
    assert [step.key for step in held.of(Action.TAKE_UP)] == ["b"]
    # To run again helps nobody: the row says what does.
    assert result_of(2, held.steps[0], None, ()).action == stop.action == LOOK_AT_MANIFEST.action
