"""What `resolve --all` lists: every row to settle, with the money of its run."""

from __future__ import annotations

from dataclasses import replace

from pipeline.journal.reading import RunRecord
from pipeline.model import Entry, State
from pipeline.runner.doubts import list_doubts
from tests.engine.night import attempt

RUNS = [
    RunRecord("first", 100.0, 200.0, 10.0, 8.8),
    RunRecord("cut off", 300.0, None, 8.8, None),
    RunRecord("fetched", 400.0, 410.0),
    RunRecord("last", 500.0, 600.0, 7.0, 7.0),
]


def entry(key: str, state: State, at: float | None) -> Entry:
    return Entry(key, state, attempt(key), submitted_at=at, error_message="lost")


def test_rows_in_doubt_or_missing_in_the_order_of_the_sheet() -> None:
    """Nothing else is listed; what left the manifest comes last; a run cut off is a doubt."""
    entries = [
        entry("gone", State.IN_DOUBT, 150.0),
        entry("late", State.MISSING, 150.0),
        entry("early", State.SUBMITTING, 150.0),
        entry("fine", State.RUNNING, 150.0),
        entry("done", State.DONE, 150.0),
    ]
    found = list_doubts(entries, RUNS, {"early": 2, "late": 7, "fine": 3, "done": 4})
    assert [(one.key, one.row, one.state) for one in found] == [
        ("early", 2, "in_doubt"),
        ("late", 7, "missing"),
        ("gone", None, "in_doubt"),
    ]
    assert found[0].submitted_at == "1970-01-01T00:02:30Z"
    assert (found[0].client_business_id, found[0].attempt) == ("rs-early-1", 1)
    assert (found[0].video_seconds, found[0].cost, found[0].what) == (6, 0.6, "lost")


def test_the_money_of_the_run_that_submitted_it() -> None:
    """What the account lost in that run; after one that was cut off, by what the next one found."""
    at = {"a": 150.0, "b": 300.0, "c": 550.0, "d": 50.0}
    found = list_doubts([entry(key, State.IN_DOUBT, time) for key, time in at.items()], RUNS, {})
    assert [
        (one.run_id, one.balance_before, one.balance_after, one.balance_difference) for one in found
    ] == [
        ("first", 10.0, 8.8, 1.2),
        ("cut off", 8.8, 7.0, 1.8),
        ("last", 7.0, 7.0, 0.0),
        (None, None, None, None),
    ]


def test_a_long_prompt_is_one_short_line() -> None:
    """Enough to know the row by."""
    one = entry("a", State.IN_DOUBT, 1.0)
    request = replace(one.attempt.request, prompt="A mug.\n" + "word " * 100)
    long = replace(one, attempt=replace(one.attempt, request=request))
    [found] = list_doubts([long], [], {})
    assert found.prompt.startswith("A mug. word")
    assert len(found.prompt) == 100
    assert found.prompt.endswith("…")
