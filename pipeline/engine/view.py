"""What can be asked of an engine: where its rows stand, what is spent, and what it waits for.

Tested in tests/engine/test_plain_nights.py and the other nights beside it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

from pipeline.engine.gate import Gate
from pipeline.engine.hours import OrderingHours
from pipeline.engine.later import Later
from pipeline.engine.limits import Reservations, Spend
from pipeline.engine.outstanding import Outstanding
from pipeline.engine.queries import Sweep
from pipeline.engine.rows import LaneRows, Reach, Tracked, Wait
from pipeline.engine.submissions import Submissions
from pipeline.engine.trials import Trials
from pipeline.engine.uploads import Uploads
from pipeline.engine.videos import Videos
from pipeline.engine.waiting import Waiting
from pipeline.errors import DownloadError
from pipeline.model import State


class View:
    """The side of the engine that decides nothing; all of it is the engine's own."""

    trials: Trials
    _reach: int
    _lanes: defaultdict[int, LaneRows]
    _rows: dict[tuple[int, str], Tracked]
    _budget: Reservations
    hours: OrderingHours
    _gate: Gate
    _later: Later
    _outstanding: Outstanding
    _submissions: Submissions
    _sweep: Sweep
    _uploads: Uploads
    _videos: Videos
    _waiting: Waiting

    @property
    def finished(self) -> bool:
        """Whether nothing is under way and nothing will happen any more by itself."""
        parts = (self._uploads, self._gate, self._sweep, self._videos)
        if any(part.in_flight for part in parts):
            return False
        if self._reach >= Reach.EVERYTHING:
            return True
        to_send = self._waiting.total + len(self._later) + self.trials.to_come
        waiting = 0 if self._reach >= Reach.SUBMITTING else to_send
        return not (waiting or self._sweep.scheduled or self._videos.waiting)

    @property
    def states(self) -> Counter[State]:
        """How many rows of all lanes stand where."""
        states: Counter[State] = Counter()
        for lane in self._lanes.values():
            states.update(lane.states)
        return states

    def states_of(self, lane: int) -> Counter[State]:
        """Return how many rows of a lane stand where; the counter goes on counting."""
        return self._lanes[lane].states

    @property
    def spend(self) -> Spend:
        """What this run has reserved so far, with what is confirmed or in doubt."""
        return self._budget.run

    def spend_of(self, lane: int) -> Spend:
        """Return the share of a lane in `spend`; it goes on counting."""
        return self._budget.of(lane)

    @property
    def _under_way(self) -> bool:
        """Whether a row that is paid for may still move in this run."""
        parts = (self._gate, self._sweep, self._videos)
        moves = any(part.in_flight for part in parts)
        return moves or bool(self._sweep.scheduled or self._videos.waiting)

    @property
    def outstanding(self) -> int:
        """How many slots are taken."""
        return self._outstanding.slots

    def held(self, lane: int) -> dict[str, str]:
        """Return why rows of a lane were left alone, by key: their requests were bought before."""
        return {row.key: why for row, why in self._submissions.held.items() if row.lane == lane}

    @property
    def finds_by_reference(self) -> bool:
        """Whether the provider was seen to find a task by our own reference in this run."""
        return self._outstanding.references.found

    def trust_references(self) -> None:
        """Take it that look-ups by reference find tasks: one was seen before the start."""
        self._outstanding.references.found = True

    def unproved(self, lane: int) -> frozenset[str]:
        """Return the keys of rows of a lane that may have been sent: no look-up proves anything."""
        return frozenset(row.key for row in self._submissions.unproved if row.lane == lane)

    def unknown_statuses(self, lane: int) -> dict[str, str]:
        """Return the status of each running task of a lane, by key, whose last one nobody knows."""
        return {
            row.key: row.unknown_status
            for row in self._rows.values()
            if row.lane == lane and row.state is State.RUNNING and row.unknown_status is not None
        }

    def undelivered(self, lane: int) -> dict[str, DownloadError]:
        """Return why finished videos of a lane are not tried again in this run, by key."""
        left = self._videos.left
        return {row.key: error for row, error in left.items() if row.lane == lane}

    def waits(self, now: float) -> list[Wait]:
        """Return what is waited for at `now` because calls fail."""
        if self._reach >= Reach.EVERYTHING:
            return []
        parts = [self._sweep.wait, self._videos.wait]
        if self._reach < Reach.SUBMITTING:
            parts += [self._gate.wait(now), self._uploads.wait]
        ends = self.hours.closes_at
        return [replace(wait, until=min(wait.until, ends)) for wait in parts if wait is not None]
