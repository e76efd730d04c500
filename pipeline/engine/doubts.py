"""Submissions in doubt that were looked up in vain: asked for again as long as the run goes on.

They hold no slot, keep no query of a running task waiting, and no run from its end. Each is asked
for once in a while, and once more before the run ends, unless that was just done.

Tested in tests/engine/test_doubtful_nights.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from math import inf

from pipeline.engine.commands import RowId

_SHARE = 0.05
"""Of the allowance for queries so much is for them."""
_RECENT_S = 60.0
"""What was asked for so shortly before the end is not asked for once more."""


class Doubts:
    """The rows in doubt that are not being looked up; without `ask_every` they are left alone."""

    def __init__(self, polls_per_minute: float) -> None:
        self._every_s = inf
        self._gap_s = 60 / (_SHARE * polls_per_minute)
        self._free_at = -inf
        self._due: list[tuple[float, float, RowId]] = []

    def ask_every(self, wait_s: float) -> None:
        """Have each asked for again so many seconds after it was asked for last."""
        self._every_s = wait_s

    def put_aside(self, row: RowId, now: float) -> None:
        """Take in a row of which a look-up has just found nothing."""
        if self._every_s < inf:
            heappush(self._due, (now + self._every_s, now, row))

    def wake_at(self) -> float:
        """Return when the next one is to be asked for; infinity if there is none."""
        return max(self._due[0][0], self._free_at) if self._due else inf

    def take_due(self, now: float) -> Iterator[RowId]:
        """Take out those that are to be asked for by now, one after the other."""
        while now >= self.wake_at():
            self._free_at = now + self._gap_s
            yield heappop(self._due)[-1]

    def take_last(self, now: float) -> Iterator[RowId]:
        """Take out all, as the run is about to end; yield those that are worth another look."""
        waiting, self._due = self._due, []
        for _, asked_at, row in sorted(waiting):
            if now >= asked_at + _RECENT_S:
                yield row
