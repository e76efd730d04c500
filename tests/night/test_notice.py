"""The notice of a night, as somebody reads it who was asleep; and when it is sent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import StoreError, UsageError
from pipeline.model import State
from pipeline.night.notice import compose, is_due
from pipeline.writer.layout import Result
from tests.night.ended import AT_A_CAP, report


@pytest.mark.parametrize(
    ("on", "code", "submitted", "due"),
    [
        ("always", 0, 0, True),
        ("attention", 0, 9, False),
        ("attention", 1, 0, True),
        ("attention", 5, 0, True),
        ("failure", 1, 0, False),
        ("failure", 5, 0, False),
        ("failure", 4, 0, True),
        ("failure", 143, 0, True),
        ("money", 4, 0, False),
        ("money", 0, 1, True),
    ],
)
def test_nothing_to_say_nothing_sent(on: str, code: int, submitted: int, *, due: bool) -> None:
    assert is_due(on, code, submitted) is due


def test_a_manifest_that_could_not_be_worked_on_says_what_to_do() -> None:
    """With what ended the night early."""
    gone = UsageError("gone.csv does not exist.", action="Look for it.")
    text = compose(2, [("gone.csv", gone)], "the key was refused")
    assert text.splitlines() == [
        "Reelsheet: the night ended with 2.",
        "Stopped: the key was refused",
        "gone.csv: gone.csv does not exist.",
        "  Look for it.",
    ]


def test_what_came_of_each_manifest_what_it_cost_and_what_went_wrong_most(tmp_path: Path) -> None:
    """Equal errors of several rows are told once, with what to do; so is what ended the run."""
    (tmp_path / "review.html").touch()
    shop = report(
        tmp_path,
        Result(2, State.DONE),
        Result(3, State.FAILED, error="'k1' is too dark", action="Take another picture."),
        Result(4, State.REFUSED, error="no such voice"),
        Result(5, State.FAILED, error="'k3' is too dark", action="Take another picture."),
        money=2.5,
        notes=("one picture was made smaller",),
        stops=(AT_A_CAP, AT_A_CAP),
    )
    other = replace(
        report(tmp_path / "other", Result(2, State.DONE)),
        failure=StoreError("results.csv cannot be written: the disk is full."),
        results_file=None,
    )
    assert compose(4, [("shop.csv", shop), ("other.csv", other)], None).splitlines() == [
        "Reelsheet: the night ended with 4.",
        "shop.csv: 1 done, 2 failed, 1 refused",
        "  one picture was made smaller",
        f"  results: {tmp_path / 'results.csv'}",
        f"  to judge the videos: {tmp_path / 'review.html'}",
        "  Raise the cap, or run again tomorrow.",
        "other.csv: 1 done",
        "  results.csv cannot be written: the disk is full.",
        "Ordered: 5 videos, for 2.50 USD.",
        "2 rows: a row is too dark",
        "  Take another picture.",
        "1 row: no such voice",
    ]
