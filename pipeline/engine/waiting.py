"""The rows that wait to be submitted, in their lanes, and whose turn it is.

Inside a lane rows go in the manifest's order. Between lanes, turns are shared by start-time fair
queueing: a turn costs a lane 1/weight of virtual time, and the lane whose turn would begin first
goes next. So a lane of weight 3 gets three turns for each turn of a lane of weight 1, a small lane
is through early, and a lane that had nothing to send for a while neither saved up turns nor lost
any. Lanes of a higher priority take all turns as long as they want any.

Tested in tests/engine/test_fair_nights.py and tests/engine/test_waiting_rows.py.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush, heapreplace

from pipeline.engine.commands import RowId


class FairQueue:
    """Lanes in fair order; one that turns out to want no turn is taken out when it comes first.

    `queue` is a heap: the rank of a lane, lower for a higher priority; when its next turn would
    begin, in the virtual time of the lanes of its rank; and the lane.
    """

    def __init__(self) -> None:
        self.queue: list[tuple[int, float, int]] = []
        self._now: defaultdict[int, float] = defaultdict(float)
        self._queued: set[int] = set()
        self._costs: dict[int, float] = {}
        self._ranks: dict[int, int] = {}
        self._begins: dict[int, float] = {}  # of lanes that left

    def weigh(self, lane: int, weight: float, priority: int) -> None:
        """Give a lane its weight and its priority, first of all."""
        self._costs[lane] = 1 / weight
        self._ranks[lane] = -priority

    def join(self, lane: int) -> None:
        """Queue a lane that wants turns, unless it is queued already."""
        if lane not in self._queued:
            self._queued.add(lane)
            rank = self._ranks[lane]
            begins = max(self._now[rank], self._begins.get(lane, 0.0))
            heappush(self.queue, (rank, begins, lane))

    def serve(self) -> None:
        """Give the first lane its turn, and queue it for another."""
        rank, begins, lane = self.queue[0]
        self._now[rank] = begins
        heapreplace(self.queue, (rank, begins + self._costs[lane], lane))

    def leave(self) -> None:
        """Take the first lane out: it wants no turn for the time being."""
        _, begins, lane = heappop(self.queue)
        self._queued.discard(lane)
        self._begins[lane] = begins


@dataclass(slots=True)
class _Lane:
    """The rows of a lane: `new` ones, and how many of the others are `ahead` of their submission.

    Of those ahead `prepared` have URLs for all their pictures.
    """

    new: deque[str] = field(default_factory=deque)
    ahead: int = 0
    prepared: deque[RowId] = field(default_factory=deque)


class Waiting:
    """The rows of all lanes that have not been submitted yet.

    In each lane `most_ahead` rows are made and prepared before there are free slots for them: one
    lane whose pictures take long keeps no other waiting. Of the `total` of rows `ready` ones can be
    submitted at once.
    """

    def __init__(self, most_ahead: int) -> None:
        self.total = 0
        self.ready = 0
        self._most_ahead = most_ahead
        self._lanes: dict[int, _Lane] = {}
        self._to_make = FairQueue()
        self._to_send = FairQueue()
        self._aside: list[int] = []

    def new_in(self, lane: int) -> int:
        """Return how many rows of a lane have no attempt yet."""
        return len(self._lanes[lane].new) if lane in self._lanes else 0

    def add(
        self, lane: int, keys: Iterable[str], weight: float | None = None, priority: int = 0
    ) -> int:
        """Queue rows whose attempts are made when `next_new` returns them; return their number.

        Args:
            lane: The number of their lane.
            keys: The rows.
            weight: The lane's share; None for the weight and the priority that it has.
            priority: Lanes of a higher one go first.

        """
        rows = self._lanes.setdefault(lane, _Lane())
        if weight is not None:
            self._to_make.weigh(lane, weight, priority)
            self._to_send.weigh(lane, weight, priority)
        before = len(rows.new)
        rows.new += keys
        added = len(rows.new) - before
        self.total += added
        self._to_make.join(lane)
        return added

    def next_new(self) -> RowId | None:
        """Return the next row to make an attempt for and prepare, if it is time to do so."""
        turns = self._to_make
        while turns.queue:
            lane = turns.queue[0][-1]
            rows = self._lanes[lane]
            if rows.new and rows.ahead < self._most_ahead:
                turns.serve()
                rows.ahead += 1
                return RowId(lane, rows.new.popleft())
            turns.leave()
        return None

    def prepared(self, row: RowId) -> None:
        """Queue a row last in its lane: all its pictures have URLs."""
        self._lanes[row.lane].prepared.append(row)
        self.ready += 1
        self._to_send.join(row.lane)

    def put_back(self, row: RowId) -> None:
        """Queue a row first in its lane, after a submission that was provably not accepted."""
        rows = self._lanes[row.lane]
        rows.prepared.appendleft(row)
        rows.ahead += 1
        self.ready += 1
        self.total += 1
        self._to_send.join(row.lane)

    def first(self) -> RowId | None:
        """Return the row whose turn it is; None if no lane has any ready that does not stand aside.

        There is one as long as any is `ready` and no lane stands aside.
        """
        turns = self._to_send
        while turns.queue:
            if prepared := self._lanes[turns.queue[0][-1]].prepared:
                return prepared[0]
            turns.leave()
        return None

    def stand_aside(self) -> None:
        """Let the lane whose turn it is take none, until all such lanes `rejoin`."""
        self._aside.append(self._to_send.queue[0][-1])
        self._to_send.leave()

    def rejoin(self) -> None:
        """Queue the lanes again that stood aside."""
        while self._aside:
            self._to_send.join(self._aside.pop())

    @property
    def others_come(self) -> bool:
        """Whether rows will be ready of lanes that do not stand aside."""
        aside = (self._lanes[lane] for lane in self._aside)
        return self.total > sum(len(rows.new) + rows.ahead for rows in aside)

    def withdraw(self, row: RowId) -> None:
        """Take out the row whose turn it is, without a turn: its pictures are prepared anew."""
        self._lanes[row.lane].prepared.popleft()
        self.ready -= 1

    def sent(self, row: RowId) -> None:
        """Take out the row whose turn it is: it is submitted."""
        lane = row.lane
        rows = self._lanes[lane]
        rows.prepared.popleft()
        self.ready -= 1
        self._to_send.serve()
        self._leave(lane, rows)

    def drop(self, row: RowId) -> None:
        """Make room for another: this row, which is not prepared, waits no longer in this run."""
        self._leave(row.lane, self._lanes[row.lane])

    def take_back(self, rows: Sequence[RowId]) -> None:
        """Queue rows that were dropped first in their lanes, in this order: they are made anew."""
        for row in reversed(rows):
            self._lanes[row.lane].new.appendleft(row.key)
            self._to_make.join(row.lane)
        self.total += len(rows)

    def _leave(self, lane: int, rows: _Lane) -> None:
        rows.ahead -= 1
        self.total -= 1
        if rows.new:
            self._to_make.join(lane)
