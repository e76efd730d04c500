"""What a run has done so far at the provider, counted from its events, and what it leaves undone.

Tested in tests/system/test_main_job.py and tests/system/test_bounds.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.engine.engine import Engine
from pipeline.engine.limits import Spend
from pipeline.engine.rows import Stop
from pipeline.errors import DownloadError
from pipeline.events import Accepted, AnswerLost, Downloaded, Event
from pipeline.lifecycle import MOVES, PAID
from pipeline.model import Entry


@dataclass(slots=True)
class Tally:
    """What a run has done so far at the provider, and why it stopped early if it did.

    `polls` are the queries that it made, `arrived` the takes that came: their rows' keys and
    their numbers. `away` says by key since when, in Unix seconds, a video is
    paid for, or perhaps, that is not home yet: the oldest first.
    `unknown_statuses` are those of tasks still running at its end, by the keys of their rows.
    `undelivered` says of finished videos, by key, why this run did not get them.
    `held` says why rows were left alone, by key: their requests were bought elsewhere meanwhile.
    `unproved` are the keys of rows that may have been sent, while no look-up finds anything.
    """

    submitted: int = 0
    downloaded: int = 0
    bytes: int = 0
    polls: int = 0
    arrived: set[tuple[str, int]] = field(default_factory=set)
    away: dict[str, float] = field(default_factory=dict)
    spend: Spend = field(default_factory=Spend)
    stops: list[Stop] = field(default_factory=list)
    balance_before: float | None = None
    balance_after: float | None = None
    unknown_statuses: Mapping[str, str] = field(default_factory=dict)
    undelivered: Mapping[str, DownloadError] = field(default_factory=dict)
    held: Mapping[str, str] = field(default_factory=dict)
    unproved: frozenset[str] = frozenset()

    def take_up(self, entries: Mapping[str, Entry], now: float) -> None:
        """Take in what earlier runs paid for; what nobody knows the time of counts from `now`."""
        paid = (one for one in entries.values() if one.state in PAID)
        since = {one.key: one.submitted_at or now for one in paid}
        self.away = dict(sorted(since.items(), key=lambda one: one[1]))

    @property
    def paid_since(self) -> float | None:
        """Since when the oldest video is paid for that is not home yet; None if all are."""
        return next(iter(self.away.values()), None)

    def count(self, event: Event, now: float) -> None:
        """Take in an event of its rows, at a Unix second."""
        move = MOVES.get(type(event))
        if move is not None and move.target in PAID:
            self.away.setdefault(event.key, now)
        elif move is not None:
            self.away.pop(event.key, None)
        if isinstance(event, Accepted | AnswerLost):
            self.submitted += 1
        elif isinstance(event, Downloaded):
            self.downloaded += 1
            self.arrived.add((event.key, event.number))
            self.bytes += event.video.size_bytes

    def note_what_is_left(self, engine: Engine, lane: int) -> None:
        """Take in what the engine leaves undone of a lane."""
        self.held = engine.held(lane)
        self.unproved = engine.unproved(lane)
        self.unknown_statuses = engine.unknown_statuses(lane)
        self.undelivered = engine.undelivered(lane)
