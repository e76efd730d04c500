"""The one table of what to do about a failure."""

from __future__ import annotations

import pytest

from pipeline.model import State
from pipeline.writer import advice
from pipeline.writer.advice import advise


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
