"""What the journal writes by hand is what the standard library would write."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline import events as ev
from pipeline.journal.records import event_data, event_of
from tests.journal.lives import attempt, intended

TEXTS = ["", "plain", 'a "quote", a \\ and a\nline', "ß \U0001f3a5 \u2028", "\x00\x1f\x7f", "{}"]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_written_as_json(text: str) -> None:
    """Whatever the provider says, in any script, is read back as it was."""
    event = ev.TaskFailed("a", 1, text, text)
    written = event_data(event)
    assert written == json.dumps({"code": text, "message": text}, ensure_ascii=False)
    assert event_of("a", 1, "TaskFailed", written, {}) == event


@pytest.mark.parametrize("value", [None, 0.1, 6.0, 1e300, -0.0, float("inf"), 30, True])
def test_numbers_are_written_as_json(value: Any) -> None:
    """None, whole and broken numbers, and those that JSON has no word for."""
    event = ev.Completed("a", 1, value)
    written = event_data(event)
    assert written == json.dumps({"duration_s": value})
    assert event_of("a", 1, "Completed", written, {}) == event


@pytest.mark.parametrize("number", [1, 2])
def test_an_attempt_is_told_beside_what_else_is_said(number: int) -> None:
    """With a cost and without one; the request stands in a table of its own."""
    opened = attempt("ö", number)
    requests = {opened.request.request_hash: opened.request}
    for event in (
        intended("ö", number),
        ev.PictureRefused("ö", number, opened, None, 'no "picture"'),
    ):
        written = event_data(event)
        assert written == json.dumps(json.loads(written or ""), ensure_ascii=False)
        assert event_of("ö", number, type(event).__name__, written, requests) == event


def test_what_says_nothing_has_no_data() -> None:
    """An event that is told by its kind alone."""
    assert event_data(ev.FileGone("a", 1)) is None
