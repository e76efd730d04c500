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


@dataclass(slots=True)
class Tally:
    """What a run has done so far at the provider, and why it stopped early if it did.

    `unknown_statuses` are those of tasks still running at its end, by the keys of their rows.
    `undelivered` says of finished videos, by key, why this run did not get them.
    `held` says why rows were left alone, by key: their requests were bought elsewhere meanwhile.
    `unproved` are the keys of rows that may have been sent, while no look-up finds anything.
    """

    submitted: int = 0
    downloaded: int = 0
    bytes: int = 0
    spend: Spend = field(default_factory=Spend)
    stops: list[Stop] = field(default_factory=list)
    balance_before: float | None = None
    balance_after: float | None = None
    unknown_statuses: Mapping[str, str] = field(default_factory=dict)
    undelivered: Mapping[str, DownloadError] = field(default_factory=dict)
    held: Mapping[str, str] = field(default_factory=dict)
    unproved: frozenset[str] = frozenset()

    def count(self, event: Event) -> None:
        """Take in an event of its rows."""
        if isinstance(event, Accepted | AnswerLost):
            self.submitted += 1
        elif isinstance(event, Downloaded):
            self.downloaded += 1
            self.bytes += event.video.size_bytes

    def note_what_is_left(self, engine: Engine, lane: int) -> None:
        """Take in what the engine leaves undone of a lane."""
        self.held = engine.held(lane)
        self.unproved = engine.unproved(lane)
        self.unknown_statuses = engine.unknown_statuses(lane)
        self.undelivered = engine.undelivered(lane)
