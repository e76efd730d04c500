"""When may be ordered: not before the hours begin, and not so late that it stays with the provider.

How long a row takes from its acceptance to its video is learned from those that come home, by its
seconds of video, and from earlier nights. As long as nothing is known, one fill of the slots is
ordered and measures the rest. A row that an outage or a kill has held up says nothing: one bad
night would have all later ones order nothing, and learn nothing better.

Tested in tests/engine/test_night_hours.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf

from pipeline.engine.learned import Durations
from pipeline.engine.rows import Reach, Stop, Tracked
from pipeline.errors import ExitCode

_SURE = 20
"""From so many rows on, the time that all but one of twenty took is trusted."""
_MARGIN, _UNSURE_MARGIN = 1.1, 1.5
"""By how much longer a row may take than those that came: of many, and of few."""


class OrderingHours:
    """Decides whether a row may be ordered at a time, as far as the hours of the work matter.

    Without `keep` there are none: anything goes at any time. `plausible_s` says how long a row
    takes at most that nothing has held up.
    """

    def __init__(self, slots: int, plausible_s: Callable[[], float] = lambda: inf) -> None:
        self._plausible_s = plausible_s
        self.opens_at, self.closes_at = -inf, inf
        self._opens, self._closes = -inf, inf  # by the clock on the wall
        self._ends = ""
        self._grace_s: float | None = None
        self._slots = self._trials = slots
        self._home: dict[int | None, Durations] = {}

    def keep(
        self, opens_at: float, closes_at: float, ends: str, grace_s: float | None = None
    ) -> None:
        """Order between two times only, as the clock on the wall shows them; see `heed_clock`.

        Args:
            opens_at: The first Unix second.
            closes_at: The Unix second at which what was ordered must be home.
            ends: What ends then, for people.
            grace_s: How long answers are awaited after that, in seconds; None: as long as it takes.

        """
        self._opens, self._closes = opens_at, closes_at
        self.heed_clock(0.0, 0.0)
        self._ends, self._grace_s = ends, grace_s

    def heed_clock(self, now: float, wall: float) -> None:
        """Take note of what the clock on the wall shows: it may be set, and goes on in a sleep.

        Args:
            now: The time, in the seconds of the engine.
            wall: The same moment as a Unix time.

        """
        self.opens_at, self.closes_at = self._opens + now - wall, self._closes + now - wall

    def know(self, taken: Iterable[tuple[int, float]]) -> None:
        """Take in how long rows took before: their seconds of video, and the seconds until home."""
        for seconds, home_s in taken:
            self._learn(seconds, home_s)

    def note_sent(self) -> None:
        """Take note of a submission that leaves."""
        self._trials -= 1

    def note_home(self, row: Tracked, now: float) -> None:
        """Take note of a row whose video is home."""
        if row.was_timed:
            self._learn(row.attempt.request.duration, now - row.since)

    def _learn(self, seconds: int, home_s: float) -> None:
        if home_s > self._plausible_s():
            return
        for kind in (seconds, None):
            self._home.setdefault(kind, Durations()).learn(home_s)

    def needed_s(self, seconds: int | None) -> float | None:
        """Return how long a row of so many seconds of video takes; None if nothing is known."""
        known = self._home.get(seconds) or self._home.get(None)
        if known is None:
            return None
        if len(known) >= _SURE:
            return known.late_s * _MARGIN
        return known.longest_s * _UNSURE_MARGIN

    @property
    def last_order_at(self) -> float:
        """The time after which no row can be ordered any more."""
        return self.closes_at - (self.needed_s(None) or 0.0)

    def waits(self, now: float, under_way: Callable[[], bool]) -> bool:
        """Return whether nothing may be ordered yet: too early, or a fill measures the rest.

        `under_way` says whether anything of that fill may still move.
        """
        if now < self.opens_at:
            return True
        if self.closes_at == inf or self._home or self._trials > 0:
            return False
        if under_way():
            return True
        self._trials = self._slots  # nothing came of a whole fill
        return False

    def refusal(self, row: Tracked, now: float) -> Stop | None:
        """Return why nothing more may be ordered, where this row would not be home in time."""
        needed_s = self.needed_s(row.attempt.request.duration) or 0.0
        if now + needed_s < self.closes_at:
            return None
        return self._stop("what is ordered now would not be here before", Reach.SUBMITTING)

    def end(self) -> Stop:
        """Return why the work ends at `closes_at`."""
        return self._stop("what is not here yet comes with the next run", Reach.EVERYTHING)

    def _stop(self, so: str, reach: Reach) -> Stop:
        return Stop(
            ExitCode.UNFINISHED,
            f"{self._ends}: {so}",
            reach,
            "Run again to continue: nothing is lost.",
            grace_s=self._grace_s if reach is Reach.EVERYTHING else None,
        )
