"""The one table of what to do about a failure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.manifest.invocation import Invocation
from pipeline.model import Attempt, Entry, Request, State
from pipeline.planner.plan import Action, Step
from pipeline.planner.selection import Mode, Selection
from pipeline.writer import advice
from pipeline.writer.advice import (
    advise,
    number_sent,
    rest_of,
    say_left_out,
    say_rest,
    word_again,
)


@pytest.mark.parametrize(
    ("state", "code", "expected"),
    [
        (State.FAILED, None, advice.NEW_ATTEMPT),
        (State.FAILED, "CONTENT_POLICY_VIOLATION", advice.FIX_PROMPT),
        (State.FAILED, "insufficient_user_quota", advice.TOP_UP),
        (State.FAILED, "upstream_timeout", advice.WAIT),
        (State.FAILED, "something new", advice.NEW_ATTEMPT),
        (State.REFUSED, "model_not_found", advice.FIX_SETTING),
        (State.REFUSED, "picture_unreadable", advice.FIX_PICTURE),
        (State.REFUSED, "invalid_request", advice.FIX_REQUEST),
        (State.EXPIRED, "no_video_url", advice.ASK_SUPPORT),
        (State.EXPIRED, "unusable_video_url", advice.ASK_SUPPORT),
        (State.EXPIRED, "link_dead", advice.NEW_ATTEMPT),
        (State.IN_DOUBT, "500", advice.SETTLE),
        (State.MISSING, None, advice.SETTLE),
        (State.WAITING, None, advice.RUN_AGAIN),
        (State.INVALID, None, advice.FIX_ROW),
    ],
)
def test_each_failure_has_one_advice(
    state: State, code: str | None, expected: advice.Advice
) -> None:
    """State and code alone decide, never the words of a message."""
    assert advise(state, code) is expected


def test_nothing_is_to_be_done_about_a_done_row() -> None:
    """A done row needs no action; every other state has one."""
    assert advise(State.DONE) is None
    assert set(advice.ADVICE_OF_STATE) == set(State) - {State.DONE}


def test_every_action_is_a_sentence() -> None:
    """Actions are sentences for a person, and names are unique."""
    every = [
        *advice.ADVICE_OF_STATE.values(),
        *(one for _, one in advice.ADVICE_OF_CODE),
        advice.REDO,
    ]
    assert all(one.action.endswith(".") for one in every)
    assert len({one.name for one in every}) == len(set(every))


REQUEST = Request("film", (), 6, "16:9", "720P", "gemini_omni_flash", "hash")
SENT = Entry("a", State.RUNNING, Attempt("a", 2, "rs-a-2", REQUEST, "a-2.mp4"), task_id="t")
UNSENT = replace(SENT, state=State.WAITING)
DONE = replace(SENT, state=State.DONE, attempt=replace(SENT.attempt, number=1))


@pytest.mark.parametrize("state", sorted(set(State) - {State.WAITING, State.INVALID}))
def test_what_was_sent_is_no_rest(state: State) -> None:
    """Whatever came of it: a row in doubt, above all, is never asked for again."""
    now = {"a": replace(SENT, state=state)}
    for before in (None, DONE, replace(UNSENT, attempt=DONE.attempt), UNSENT):
        assert rest_of({"a": number_sent(before)}, now) == ()


def test_what_was_not_sent_is_the_rest() -> None:
    """A row that is unknown, as it was, or waits to be sent again."""
    assert rest_of({"a": None}, {}) == ("a",)
    for before in (DONE, UNSENT):
        for now in (before, UNSENT):
            assert rest_of({"a": number_sent(before)}, {"a": now}) == ("a",)


def test_the_command_for_the_rest_asks_for_nothing_else() -> None:
    """All that narrows the run stays; keys that no row of the manifest has are left out."""
    typed = Invocation(Path("m.csv"), out=Path("o"))
    selection = Selection(
        redo=frozenset("abc"),
        redo_changed=True,
        pay_again=frozenset("dex"),
        retry=frozenset({State.FAILED}),
        only=frozenset("abcdex"),
        limit=2,
    )
    assert say_rest(("c", "d"), selection, typed, "abcdef") == (
        "2 rows asked for by key were not sent: c, d. For the rest: reelsheet run m.csv --out o "
        "--retry failed --redo changed,c --pay-again d --only a,b,c,d,e --limit 2"
    )
    retry = Selection(
        Mode.RETRY, retry=frozenset({State.FAILED}), pay_again=frozenset("a"), limit=0
    )
    assert say_rest(("a",), retry, typed, "a").endswith(
        "1 row asked for by key was not sent: a. For the rest: reelsheet retry m.csv --out o "
        "--states failed --pay-again a"
    )
    many = [f"K{number}" for number in range(12)]
    assert "K8, K9 and 2 more. For" in say_rest(many, Selection(redo=frozenset(many)), typed, many)


def test_rows_that_wait_by_now_are_not_asked_for_once_more() -> None:
    """Another --redo, given again when they are done, would buy one more take of each."""
    typed = Invocation(Path("m.csv"))
    redo = Selection(redo=frozenset("ab"))
    assert say_rest(("a", "b"), redo, typed, "abc", waiting="ab").endswith(
        "For the rest: reelsheet run m.csv --only a,b"
    )
    assert say_rest(("a", "b"), redo, typed, "abc", waiting="a").endswith(
        "For the rest: reelsheet run m.csv --redo b"
    )
    named = replace(redo, only=frozenset("abc"))
    assert say_rest(("a",), named, typed, "abc", waiting="a").endswith("run m.csv --only a,b,c")
    paid = Selection(pay_again=frozenset("a"))
    assert say_rest(("a",), paid, typed, "abc", waiting="a").endswith("m.csv --pay-again a")


def test_what_the_limit_of_attempts_keeps_back_can_be_had() -> None:
    """The row that was named gets the command that makes it nevertheless."""
    unmet = Step("a", Action.LEAVE, "done", "why", unmet="a gets no new take: why", spent=3)
    typed, selection = Invocation(Path("m.csv")), Selection(redo=frozenset("a"))
    (said,) = say_left_out([unmet], selection, typed)
    assert said == (
        "limits.attempts counts what was sent of a request, over all runs. Change the row, or "
        "raise the limit for one run: reelsheet run m.csv --redo a --set limits.attempts=4"
    )
    assert say_left_out([unmet], Selection(redo_rejected=True), typed) == (said,), "a plan"
    (most,) = say_left_out([unmet._replace(spent=20)], selection, typed)
    assert "reelsheet" not in most
    assert say_left_out([unmet._replace(unmet=None)], selection, typed) == ()


def test_again_is_not_said_of_a_run_that_would_buy_again() -> None:
    """Of any other run it is."""
    text = "Make room, then run again. Run again later."
    redo = Selection(redo=frozenset("a"))
    assert word_again(text, redo, ("a",)) == "Make room, then run the rest. Run the rest later."
    assert word_again(text, Selection(pay_again=frozenset("a")), ()) == text
    assert word_again("run again.", redo, ()) == "run again without --redo."
