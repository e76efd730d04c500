"""Rows whose turn comes after all others: new takes, and new attempts of rows that failed.

They are released when nothing else waits, those of the lowest rank first, and none before its time.

Tested in tests/engine/test_later_rows.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappush
from itertools import count
from math import inf
from typing import NamedTuple

from pipeline.engine.commands import RowId
from pipeline.model import Attempt, Entry, State

REDONE, RETRIED = 1, 2
"""The ranks: takes that are made again, then attempts of rows that failed."""


class Again(NamedTuple):
    """A new attempt of a row, and the entry of the attempt that it follows."""

    attempt: Attempt
    supersedes: Entry


class Later:
    """The rows that wait until no other row does; each has a rank and a time."""

    def __init__(self) -> None:
        self._queue: list[tuple[int, float, int, RowId, State]] = []
        self._turn = count()
        self._again: dict[RowId, Again] = {}

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, row: RowId, rank: int, due: float, state: State) -> None:
        """Have a row wait.

        Args:
            row: The row.
            rank: Rows of a lower rank go first.
            due: When it may go at the earliest.
            state: Where it stands until then.

        """
        heappush(self._queue, (rank, due, next(self._turn), row, state))

    def add_again(self, row: RowId, due: float, again: Again) -> None:
        """Have a row that failed wait for its new attempt."""
        self._again[row] = again
        self.add(row, RETRIED, due, State.FAILED)

    def take_again(self, row: RowId) -> Again | None:
        """Return the new attempt of a row that failed before; None for any other row."""
        return self._again.pop(row, None)

    @property
    def next_due(self) -> float:
        """When the next row may go; infinity if none waits."""
        return min((due for _, due, *_ in self._queue), default=inf)

    def release(self, now: float) -> list[RowId]:
        """Return the rows of the lowest rank whose time has come, in their order."""
        ranks = {rank for rank, due, *_ in self._queue if due <= now}
        if not ranks:
            return []
        rank = min(ranks)
        going = [one for one in self._queue if one[0] == rank and one[1] <= now]
        self._queue = [one for one in self._queue if one[0] != rank or one[1] > now]
        heapify(self._queue)
        return [row for _, _, _, row, _ in sorted(going, key=lambda one: one[2])]

    def drop_after(self, last: float) -> Iterable[tuple[RowId, State]]:
        """Take out the rows whose time comes after `last`; return them with where they stand."""
        late = [(row, state) for _, due, _, row, state in self._queue if due > last]
        if late:
            self._queue = [one for one in self._queue if one[1] <= last]
            heapify(self._queue)
        for row, _ in late:
            self._again.pop(row, None)
        return late
