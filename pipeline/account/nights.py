"""What nights have in common: when the one that goes on has begun, and how long rows took before.

A night without a window counts its caps from its first start, whatever ended it since.

Tested in tests/account/test_nights.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.account.book import NONE_WITHHELD, Book
from pipeline.account.opening import OpenAccount
from pipeline.account.schema import reading
from pipeline.errors import Withheld
from pipeline.journal.journal import Journal
from pipeline.model import State

_BEGAN = "night_began"
NIGHT_S = 12 * 3600.0
"""How long the caps of a night count that has no window."""

_LATEST = 300
"""So many rows that came home tell how long they take."""


def begin_night(account: OpenAccount | None, journals: Sequence[Journal], now: float) -> float:
    """Return the Unix second at which the night of `now` began first, and keep it.

    Args:
        account: The account; None without a book: then the journals keep it.
        journals: Those of the night.
        now: The Unix second.

    Raises:
        StoreError: It cannot be kept.

    """
    if account is not None:
        return _in_book(account.book, account.name, now)
    kept = [journal.notes().get(_BEGAN) for journal in journals]
    began = min(_began(one, now) for one in (None, *kept))
    for journal in journals:
        journal.note({_BEGAN: repr(began)})
    return began


def _began(kept: str | None, now: float) -> float:
    """Return when a night began by what is kept of it: now, unless that still goes on.

    A clock that is set back ends none, and what is in its future counts for this one.
    """
    return now if kept is None or float(kept) <= now - NIGHT_S else min(now, float(kept))


def _in_book(book: Book, account: str, now: float) -> float:
    found: list[float] = []
    name = f"{_BEGAN} {account}"

    def put(connection: sqlite3.Connection) -> Mapping[str, Withheld]:
        row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        began = _began(None if row is None else row[0], now)
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, repr(began)))
        found.append(began)
        return NONE_WITHHELD

    book.carry_out(put).result()
    return found[-1]


def times_home(book: Path, account: str, most_s: float) -> list[tuple[int, float]]:
    """Return how long the latest rows took: their seconds of video, and the seconds until home.

    Args:
        book: The account's book.
        account: The account.
        most_s: What took longer was interrupted, and says nothing.

    Raises:
        StoreError: The book cannot be read.

    """
    with reading(book) as connection:
        found = connection.execute(
            "SELECT seconds, finished_at - submitted_at FROM submissions WHERE account = ? "
            "AND state = ? AND submitted_at IS NOT NULL AND finished_at IS NOT NULL "
            "ORDER BY submitted_at DESC LIMIT ?",
            (account, State.DONE.value, _LATEST),
        )
        return [(int(video_s), took_s) for video_s, took_s in found if 0 < took_s <= most_s]
