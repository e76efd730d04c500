"""Midnight in the middle of a run: a new day has room again, and each day keeps to its cap."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

import pytest

from pipeline.engine.budget import DAY_S, day_of
from pipeline.journal.reading import read_entries
from pipeline.model import State
from tests.security.shop import Quiet, Shop


class Midnight(Quiet):
    """A screen that sees the first video come, and a wall clock that strikes twelve just then."""

    def __init__(self, *, strikes: bool) -> None:
        self._strikes = strikes
        self._struck = False

    def show(self, states: Mapping[State, int]) -> None:
        self._struck = self._struck or states.get(State.DONE, 0) > 0

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return DAY_S * 20_000.0 + (1 if self._strikes and self._struck else -1)


@pytest.mark.parametrize("strikes", [False, True])
def test_a_cap_per_day_over_midnight(shop: Shop, strikes: bool) -> None:
    """Three rows and two videos a day: without a midnight one row waits, with one all are done."""
    shop.sets = {"budget.per_day.videos": "2", "limits.outstanding": "1"}
    clock = Midnight(strikes=strikes)
    outcome = shop.run(screen=clock, clock=clock)
    assert outcome.exit_code == (0 if strikes else 4)
    assert Counter(shop.states().values())["done"] == (3 if strikes else 2)
    sent = [entry.submitted_at for entry in read_entries(shop.out.journal).values()]
    days = Counter(day_of(at) for at in sent if at is not None)
    assert max(days.values()) == 2
    assert len(days) == (2 if strikes else 1)
