"""The caps of a night in the book: over all processes, and never anew after a kill."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.account.guard import Guard
from pipeline.account.nights import NIGHT_S, begin_night, times_home
from pipeline.account.opening import OpenAccount
from pipeline.engine.limits import Caps
from pipeline.journal.journal import Journal
from tests.account.accounts import ACCOUNT, DAY, VIDEO, lane, opened

HOUR_S = 3600.0


def test_a_night_that_is_started_again_has_begun_before(tmp_path: Path) -> None:
    """For twelve hours from the first start, whichever process asks; a clock set back ends none."""
    starts = [0.0, 1.0, 11.9, 12.1, 13.0, 12.0, 30.0]
    begun = [0.0, 0.0, 0.0, 12.1, 12.1, 12.0, 30.0]
    for start, began in zip(starts, begun, strict=True):
        with opened(tmp_path / "book.db") as book:
            account = OpenAccount(ACCOUNT, book, print)
            now = DAY + start * HOUR_S
            assert begin_night(account, [], now) == DAY + began * HOUR_S
            assert begin_night(OpenAccount("another", book, print), [], DAY - NIGHT_S) < DAY


def test_without_a_book_the_journals_keep_when_a_night_began(tmp_path: Path) -> None:
    """A manifest that joins later belongs to the same night."""
    with (
        contextlib.closing(Journal(tmp_path / "a.db")) as first,
        contextlib.closing(Journal(tmp_path / "b.db")) as second,
    ):
        assert begin_night(None, [first], DAY) == DAY
        assert begin_night(None, [second, first], DAY + HOUR_S) == DAY
        assert begin_night(None, [second], DAY + 2 * HOUR_S) == DAY
        assert begin_night(None, [second], DAY + NIGHT_S + 1) == DAY + NIGHT_S + 1


def test_caps_of_a_night_hold_over_all_that_the_account_orders_in_it(tmp_path: Path) -> None:
    """In the transaction that takes the intent, so that no other process comes between."""
    night = Guard(night_caps=Caps(3), night_since=DAY)
    with opened(tmp_path / "book.db") as book:
        with lane(book, tmp_path / "a") as a, lane(book, tmp_path / "b") as b:
            a.intend("before", at=DAY - 1)
            a.recorder.guard = b.recorder.guard = night
            assert not a.intend("one", "two", at=DAY + 1).withheld
            refused = b.intend("three", "four", at=DAY + 20 * HOUR_S).withheld
        assert set(refused) == {"rs-b-four-1"}
        assert "budget.per_night.videos is 3" in refused["rs-b-four-1"].message
        with lane(book, tmp_path / "c") as c:  # another process, later in the same night
            c.recorder.guard = night
            assert c.intend("five", at=DAY + 2).withheld
            c.recorder.guard = Guard(night_caps=Caps(3), night_since=DAY + 30 * HOUR_S)
            assert not c.intend("six", at=DAY + 31 * HOUR_S).withheld


@pytest.mark.parametrize("same", [True, False], ids=["at midnight", "at ten"])
def test_a_night_and_a_day_count_each_video_once(tmp_path: Path, *, same: bool) -> None:
    """Also where both begin at the same moment."""
    since = DAY if same else DAY - 2 * HOUR_S
    guard = Guard(caps=Caps(4), night_caps=Caps(4), night_since=since)
    with opened(tmp_path / "book.db") as book, lane(book, tmp_path / "a") as one:
        one.recorder.guard = guard
        assert not one.intend("1", "2", "3", "4", at=DAY + 1).withheld
        assert one.intend("5", at=DAY + 1).withheld


def test_the_book_tells_how_long_rows_took(tmp_path: Path) -> None:
    """From the submission until the video was home; what was interrupted says nothing."""
    with opened(tmp_path / "book.db") as book, lane(book, tmp_path / "a") as one:
        for key, took_s in (("a", 90.0), ("b", 50_000.0), ("c", 60.0)):
            one.intend(key, at=DAY)
            one.tell([ev.Accepted(key, 1, f"t-{key}")], DAY)
            one.tell([ev.Completed(key, 1, 30.0), ev.Downloaded(key, 1, VIDEO)], DAY + took_s)
        one.intend("d", at=DAY)
        assert sorted(times_home(book.path, ACCOUNT, 1800.0)) == [(6, 60.0), (6, 90.0)]
        assert times_home(book.path, "another", 1800.0) == []
