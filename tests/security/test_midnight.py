"""Midnight in the middle of a run: a new day has room again, and each day keeps to its cap."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from pipeline.engine.limits import DAY_S, day_of
from pipeline.journal.reading import read_entries
from tests.security.shop import Shop


class Midnight:
    """A wall clock that strikes twelve when the first video lies in its place."""

    def __init__(self, videos: Path, *, strikes: bool) -> None:
        self._videos = videos
        self._strikes = strikes

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        struck = self._strikes and any(self._videos.glob("*.mp4"))
        return DAY_S * 20_000.0 + (1 if struck else -1)


@pytest.mark.parametrize("strikes", [False, True])
def test_a_cap_per_day_over_midnight(shop: Shop, strikes: bool) -> None:
    """Three rows and two videos a day: without a midnight one row waits, with one all are done."""
    shop.sets = {
        "budget.per_day.videos": "2",
        "budget.timezone": "UTC",
        "limits.outstanding": "1",
    }
    outcome = shop.run(clock=Midnight(shop.out.videos, strikes=strikes))
    assert outcome.exit_code == (0 if strikes else 4)
    assert Counter(shop.states().values())["done"] == (3 if strikes else 2)
    sent = [entry.submitted_at for entry in read_entries(shop.out.journal).values()]
    days = Counter(day_of(at) for at in sent if at is not None)
    assert max(days.values()) == 2
    assert len(days) == (2 if strikes else 1)
