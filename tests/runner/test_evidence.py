"""What a fall of the balance makes probable: shown before doubts are closed together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.journal.reading import RunRecord
from pipeline.model import Entry, State
from pipeline.runner.doubts import list_doubts
from pipeline.runner.evidence import Evidence, judge, weigh
from tests.engine.night import attempt

RUN = Evidence("first", 2, 0.24, 3, 0.36, 0.36)
ACCEPTED, NOT_ACCEPTED = "they were probably accepted", "they were probably not accepted"


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (RUN, NOT_ACCEPTED),
        (replace(RUN, fell=0.60), ACCEPTED),
        (replace(RUN, fell=0.48), "some of them were probably accepted"),
        (replace(RUN, fell=0.72), "or somebody else paid"),
        (replace(RUN, fell=0.60, unclear=2), "some of what is in doubt was accepted"),
        (replace(RUN, fell=0.24, accepted=0, accepted_cost=0.0), ACCEPTED),
        (replace(RUN, fell=0.0, accepted=0, accepted_cost=0.0), NOT_ACCEPTED),
        (replace(RUN, fell=0.0, accepted=0, accepted_cost=None, cost=None), NOT_ACCEPTED),
        (replace(RUN, fell=1.0, accepted=0, accepted_cost=None, cost=None), "some of them"),
        (replace(RUN, fell=0.12, failed_cost=0.24), NOT_ACCEPTED),
    ],
)
def test_what_a_fall_makes_probable(run: Evidence, said: str) -> None:
    """The price of the doubts beside that of what was accepted."""
    assert said in (judge(run, comparable=True) or "")


@pytest.mark.parametrize(
    "run",
    [
        replace(RUN, fell=None),
        replace(RUN, fell=0.1),  # topped up meanwhile
        replace(RUN, fell=-5.0, accepted=0, accepted_cost=0.0),
        replace(RUN, fell=0.36, failed_cost=0.24),  # given back, and two accepted: the same sum
        replace(RUN, cost=None),
    ],
)
def test_what_proves_nothing_is_not_judged(run: Evidence) -> None:
    """A wrong "probably not accepted" would cost a video."""
    assert judge(run, comparable=True) is None


def test_prices_in_another_currency_are_not_compared() -> None:
    """Two euros are not two dollars."""
    assert judge(replace(RUN, fell=0.60), comparable=False) is None


def test_the_submissions_of_a_run_are_told_apart() -> None:
    """Accepted ones with what is missing, failed ones, and doubts that are not asked about."""
    runs = [RunRecord("first", 100.0, None, 10.0, None)]
    states = {
        "asked": State.IN_DOUBT,
        "other": State.IN_DOUBT,
        "missing": State.MISSING,
        "done": State.DONE,
        "failed": State.FAILED,
    }
    entries = [Entry(key, state, attempt(key), submitted_at=150.0) for key, state in states.items()]
    entries[2] = replace(entries[2], task_id="video_1")
    doubts = list_doubts(entries[:1], runs, {}, held_now=8.2)
    assert weigh(entries, runs, doubts) == [
        Evidence("first", 1, 0.6, 3, 1.8, 1.8, failed_cost=0.6, unclear=1)
    ]
