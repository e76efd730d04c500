"""Results and exit codes: projections of the journal, for a person and for a script."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import pytest

from pipeline.errors import ExitCode
from pipeline.model import Attempt, Entry, Problem, Request, Severity, State, Video
from pipeline.planner.plan import FILE_LOST, Action, Plan, Step
from pipeline.writer.layout import Result
from pipeline.writer.outcome import (
    code_of,
    code_of_named,
    highest,
    iso,
    remarks,
    result_of,
    state_of,
    word_groups,
)

REQUEST = Request("film", (), 6, "16:9", "720P", "gemini_omni_flash", "hash")
VIDEO = Video("a.mp4", 1000, "00", 6.0, 1280, 720, warnings=("the picture is 0.2 s short",))
OLD = replace(VIDEO, name="a-old.mp4", warnings=())
DESIGN = (70, (130, 143), 75, 2, 4, 3, 5, 1, 0)
"""The exit codes of the design, the highest concern first."""


def entry(state: State, **said: Any) -> Entry:
    attempt = Attempt("a", 2, "rs-a-2", REQUEST, "a.mp4")
    return replace(Entry("a", state, attempt, task_id="t1", submitted_at=0.0), **said)


def step(state: State | str, action: Action = Action.LEAVE, **said: Any) -> Step:
    return Step("a", action, str(state), **{"reason": "a reason", **said})


def result(state: State, known: Entry | None = None, **said: Any) -> Result:
    return result_of(7, step(state, **said), known or entry(state), ())


def ranks() -> list[tuple[ExitCode, int]]:
    return [
        (ExitCode(code), rank)
        for rank, codes in enumerate(DESIGN)
        for code in (codes if isinstance(codes, tuple) else (codes,))
    ]


def test_every_code_has_its_rank() -> None:
    """No exit code is without a place in the order of concerns."""
    assert {code for code, _ in ranks()} == set(ExitCode)


def test_the_highest_concern_wins() -> None:
    """Of any two codes the one that stands first in the design."""
    for (high, first), (low, second) in combinations(ranks(), 2):
        if first != second:
            assert highest([high, low]) == highest([low, high, low]) == high
    assert highest([]) is ExitCode.DONE


def test_lower_and_lower_concerns() -> None:
    """Taking the highest away leaves the next one."""
    codes = [code for code, _ in ranks()]
    for ahead, rest in pairwise(range(len(codes))):
        assert highest(codes[ahead:]) == codes[ahead]
        assert highest(codes[rest:]) == codes[rest]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (State.DONE, 0),
        (State.INVALID, 1),
        (State.REFUSED, 1),
        (State.FAILED, 1),
        (State.EXPIRED, 1),
        (State.IN_DOUBT, 3),
        (State.SUBMITTING, 3),
        (State.MISSING, 3),
        (State.WAITING, 5),
        (State.RUNNING, 5),
        (State.READY, 5),
    ],
)
def test_each_state_calls_for_its_code(state: State, code: int) -> None:
    """Alone and among done rows."""
    assert code_of([state]) == code
    assert code_of([State.DONE, state, State.DONE]) == code


def test_no_rows_are_all_done() -> None:
    """Nothing to do is success."""
    assert code_of([]) is ExitCode.DONE


def test_money_to_reconcile_goes_before_unfinished_rows() -> None:
    """3 before 5 before 1."""
    assert code_of([State.RUNNING, State.MISSING, State.FAILED]) is ExitCode.IN_DOUBT
    assert code_of([State.RUNNING, State.FAILED]) is ExitCode.UNFINISHED


def test_where_a_row_stands_for_a_person() -> None:
    """The journal's state, but the plan tells of rows that break a rule, or whose file is lost."""
    assert state_of(step(State.INVALID), entry(State.WAITING)) is State.INVALID
    assert state_of(step("new"), None) is State.WAITING
    assert state_of(step("changed"), entry(State.FAILED)) is State.FAILED
    assert state_of(step(State.DONE, lost=True), entry(State.DONE, video=VIDEO)) is State.DONE
    assert state_of(step(State.EXPIRED), entry(State.EXPIRED)) is State.EXPIRED
    assert state_of(step(State.EXPIRED), entry(State.EXPIRED, video=VIDEO)) is State.DONE


def test_the_result_of_a_done_row() -> None:
    """The video with its folder, the times in UTC, no error and nothing to do."""
    known = entry(State.DONE, video=VIDEO, take=OLD, finished_at=3600.0, error_message="old news")
    assert result(State.DONE, known) == Result(
        row=7,
        state=State.DONE,
        video="videos/a.mp4",
        task_id="t1",
        attempts=2,
        take=2,
        submitted_at="1970-01-01T00:00:00Z",
        finished_at="1970-01-01T01:00:00Z",
        seconds=6,
        warnings=("the picture is 0.2 s short",),
    )


def test_the_result_of_a_row_never_sent() -> None:
    """Why it waits, unless it is about to go."""
    left = result_of(3, step("new", reason="beyond --limit"), None, ())
    assert (left.state, left.error, left.attempts) == (State.WAITING, "beyond --limit", 0)
    assert left.action == "Run again; nothing is paid for twice."
    sent = result_of(3, step("new", Action.SUBMIT), None, ())
    assert sent.error is None


def test_the_result_of_an_invalid_row() -> None:
    """Every error of the row, its warnings beside them, and what to do."""
    problems = [
        Problem("a", "no prompt"),
        Problem("b", "odd length", Severity.WARNING),
        Problem("c", "no picture"),
    ]
    bad = result_of(3, step(State.INVALID), None, problems)
    assert (bad.state, bad.error, bad.warnings) == (
        State.INVALID,
        "no prompt | no picture",
        ("odd length",),
    )
    assert "run again" in (bad.action or "")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.REFUSED, "change the row"),
        (State.FAILED, "reelsheet retry"),
        (State.EXPIRED, "reelsheet retry"),
        (State.IN_DOUBT, "reelsheet resolve"),
        (State.MISSING, "reelsheet resolve"),
        (State.SUBMITTING, "Run again"),
        (State.RUNNING, "Run again"),
        (State.READY, "Run again"),
        (State.WAITING, "Run again"),
    ],
)
def test_every_state_says_what_to_do(state: State, words: str) -> None:
    """What happened, with the provider's code, and the next step."""
    told = result(state, entry(state, error_code="E7", error_message="it broke"))
    failed = "The provider could not make the video (E7). In its words: it broke"
    assert told.error == (failed if state is State.FAILED else "it broke (E7)")
    assert words in (told.action or "")
    assert told.video is None


def test_an_older_take_stands_until_the_new_one_is_done() -> None:
    """The cell shows the old video and says so."""
    told = result(State.RUNNING, entry(State.RUNNING, take=OLD))
    assert told.video == "videos/a-old.mp4"
    assert told.warnings == ("the video is the earlier take; the new one is not done",)


def test_an_edited_done_row_says_how_to_get_a_new_take() -> None:
    """It stays done."""
    told = result_of(7, step("changed"), entry(State.DONE, video=VIDEO), ())
    assert told.state is State.DONE
    assert "--redo changed" in (told.action or "")


def test_a_row_edited_while_it_is_paid_for_carries_a_warning() -> None:
    """The video will be the one of the row as it was."""
    edited = step(State.RUNNING, Action.TAKE_UP, edited=True)
    told = result_of(7, edited, entry(State.RUNNING), ())
    assert told.warnings[0].startswith("the row was edited after it was submitted")


def test_a_paid_row_that_breaks_a_rule_now_keeps_its_state_with_a_warning() -> None:
    """The state of the attempt stands, and the broken rule is named."""
    problems = [Problem("duration", "duration is 5: 4, 6 or 10 are possible")]
    done = step(State.DONE, edited=True)
    told = result_of(7, done, entry(State.DONE, video=VIDEO), problems)
    assert (told.state, told.video, told.error) == (State.DONE, "videos/a.mp4", None)
    assert any("duration is 5" in warning for warning in told.warnings)


@pytest.mark.parametrize("state", [State.DONE, State.EXPIRED])
def test_a_video_gone_with_its_link_says_how_to_make_it_anew(state: State) -> None:
    """A warning, with no path to a file that is not there; a new one only by name."""
    lost = step(state, lost=state is State.DONE, reason=FILE_LOST)
    told = result_of(7, lost, entry(state, video=VIDEO), ())
    assert (told.state, told.video, told.error) == (State.DONE, None, None)
    assert told.warnings[0] == "the video file is missing, and its link has expired"
    assert "--redo KEY" in (told.action or "")


def test_a_row_that_had_expired_and_was_bought_again_is_done() -> None:
    """Its group is that of the plan, from before the run."""
    asked = step(State.EXPIRED, Action.SUBMIT, reason="expired: a new attempt")
    done = entry(State.DONE, video=VIDEO)
    told = result_of(7, asked, done, ())
    assert (told.state, told.error, told.action) == (State.DONE, None, None)


@pytest.mark.parametrize("state", [State.FAILED, State.DONE])
def test_spent_attempts_are_named(state: State) -> None:
    """Retry would not help: edit, or raise the limit."""
    spent = step("changed", reason="3 attempts made, limits.attempts is 3")
    told = result_of(7, spent, entry(state, video=VIDEO if state is State.DONE else None), ())
    assert (told.action or "").startswith("3 attempts made, limits.attempts is 3: edit the row")


def test_times_are_utc_and_may_be_missing() -> None:
    """ISO 8601 to the second."""
    assert iso(None) is None
    assert iso(1_779_247_407.9) == "2026-05-20T03:23:27Z"
    assert iso(1_779_247_407.999_999) == "2026-05-20T03:23:27Z"
    assert iso(1_779_247_407.999_999_8) == "2026-05-20T03:23:28Z"
    assert iso(-0.5) == "1969-12-31T23:59:59Z"


def test_what_is_left_is_said_at_the_end() -> None:
    """Rows past the deadline, unsent or edited ones and warnings get a line."""
    steps = [
        Step("A", Action.TAKE_UP, "running", "the provider is working on it"),
        Step("B", Action.SUBMIT, "new", "never sent"),
        Step("C", Action.LEAVE, "changed", "edited since", counts=False, edited=True),
        Step("E", Action.LEAVE, "changed", "failed: needs --retry for a new attempt", counts=False),
        Step("D", Action.LEAVE, "new", "beyond --limit", counts=False),
    ]
    results = [
        Result(2, State.RUNNING),
        Result(3, State.WAITING),
        Result(4, State.DONE, warnings=("odd length",)),
        Result(6, State.FAILED),
        Result(5, State.WAITING),
    ]
    told = remarks(steps, results, stopped=False)
    assert [one.partition(";")[0] for one in told] == [
        "1 row still being made after polling.deadline_s",
        "1 row not sent: pictures could not be uploaded",
        "1 row edited since the video was made",
        "1 row with a warning",
    ]
    assert len(remarks(steps, results, stopped=True)) == 2
    assert remarks([], [], stopped=False) == ()


def test_takes_that_were_asked_for_by_key_and_not_made() -> None:
    """Each is said, up to ten of them, and together they need the user."""
    assert code_of_named([step("done")]) is ExitCode.DONE
    unmet = [step("done", unmet=f"{key} gets no new take: done") for key in "abcdefghijkl"]
    assert code_of_named([step("done"), *unmet]) is ExitCode.NEEDS_USER
    told = remarks(unmet, [result(State.DONE, entry(State.DONE))] * 12, stopped=False)
    assert told[:10] == tuple(one.unmet for one in unmet[:10])
    assert told[10:] == ("2 more rows asked for by key: no new take",)


def test_what_was_withheld_was_not_sent() -> None:
    """Its attempt has a number, but was not submitted; the length asked for stays."""
    held = entry(State.WAITING, submitted_at=None, task_id=None)
    told = result_of(7, step("repeat", reason="bought elsewhere"), held, ())
    assert (told.state, told.attempts, told.seconds) == (State.WAITING, 0, 6)
    assert (told.error, told.action) == (
        "bought elsewhere",
        "Run again; nothing is paid for twice.",
    )
    retried = replace(held, earlier=("hash",))
    assert result_of(7, step("repeat"), retried, ()).attempts == 1


def test_a_plan_says_which_done_rows_are_made_again() -> None:
    """The other groups stand as they are in its document."""
    done, again = step(State.DONE), step(State.DONE, Action.SUBMIT)
    new = step("new", Action.SUBMIT)
    assert word_groups(Plan((new, done, done), ())) == [(1, "new"), (2, "done")]
    some = Plan((new, *[done] * 15, again, again), ())
    assert word_groups(some) == [(1, "new"), (17, "done, 2 of them to be made again")]
    assert (some.groups["new"], some.groups["done"]) == (1, 17)
    assert word_groups(Plan((again,), ())) == [(1, "done, to be made again")]
