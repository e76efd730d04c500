"""How an engine is steered from outside: what it must know before it starts, stops, and limits.

Tested in tests/engine/test_ended_nights.py, test_night_hours.py and test_later_rows.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import inf

from pipeline.engine.commands import RowId
from pipeline.engine.experience import Known
from pipeline.engine.hours import OrderingHours
from pipeline.engine.later import Again
from pipeline.engine.limits import Spend
from pipeline.engine.rows import Reach, Stop, Tracked
from pipeline.engine.view import View
from pipeline.model import Attempt, Entry, State, TaskView

LIMITS = ("outstanding", "submits_in_flight", "submits_per_minute", "polls_per_minute")
"""The limits that may change while a run goes on."""

NextAttempt = Callable[[RowId, Attempt, str | None, str], Attempt | None]
"""Returns the new attempt of a row whose attempt failed with this code and message; None: none."""


@dataclass(frozen=True, slots=True)
class Retries:
    """Which rows that fail get a new attempt in the same run, and how long after."""

    wait_s: float = 0.0
    next_attempt: NextAttempt = lambda *_: None


class Control(View):
    """The side of the engine that is told what to do; all of it is the engine's own."""

    stops: list[Stop]
    hours: OrderingHours
    _retries: Retries
    _answered: bool
    _grace_s: float | None

    def begin_day(self, day: int, spent: Spend | None = None) -> None:
        """Have the caps per day count anew if `day`, by its number, is later than any before.

        `spent` is what earlier runs reserved on that day.
        """
        self._budget.begin_day(day, spent)

    def begin_night(self, spent: Spend) -> None:
        """Have the caps per night count from what was spent in this night before."""
        self._budget.begin_night(spent)

    def know_tasks(self, before: Iterable[Known]) -> None:
        """Begin with what earlier runs have learned of how tasks go."""
        self._outstanding.schedule.know(before)

    def take_learned(self) -> list[Known]:
        """Return what was learned of how tasks go since this was called last."""
        return self._outstanding.schedule.take_news()

    def know_upload(self, sha256: str, url: str, valid_until: float, *, lane: int = 0) -> None:
        """Use an upload of an earlier run until a time.

        Args:
            sha256: The hash of the picture's content.
            url: The address that the provider gave.
            valid_until: The time, in seconds.
            lane: The number of the lane that had uploaded it, where uploads are not shared.

        """
        self._uploads.know(self._uploads.content(lane, sha256), url, valid_until)

    def enqueue_later(
        self, lane: int, rows: Iterable[tuple[str, float]], rank: int, state: State
    ) -> None:
        """Have rows submitted when no others wait; `enqueue` was called for their lane before.

        Args:
            lane: The number of their lane.
            rows: Their keys, each with the time before which it is not submitted.
            rank: Of those that wait, rows of a lower rank go first.
            state: Where they stand until then.

        """
        for key, due in rows:
            self._later.add(RowId(lane, key), rank, due, state)
            self._lanes[lane].states[State.WAITING] += 1

    def retry(self, wait_s: float, next_attempt: NextAttempt) -> None:
        """Make new attempts of rows that fail from now on, `wait_s` seconds after."""
        self._retries = Retries(wait_s, next_attempt)

    def look_up_again(self, wait_s: float) -> None:
        """Look submissions up again, so long after a look-up that found nothing of them."""
        self._outstanding.doubts.ask_every(wait_s)

    def limit(self, limits: Mapping[str, int]) -> None:
        """Keep to other limits from now on: of `LIMITS`, by the names of their settings.

        Tasks beyond a lower cap end as ever; nothing is submitted until they are fewer.
        """
        self._gate.limit(limits)
        if "polls_per_minute" in limits:
            self._sweep.limit(limits["polls_per_minute"])

    def download_at_once(self, most: int) -> None:
        """Have so many videos downloaded at a time from now on."""
        self._videos.most_in_flight = most

    def stop(self, stop: Stop) -> None:
        """Stop the run from outside, or further than before."""
        self.stops.append(stop)
        self._reach = max(self._reach, stop.reach)
        if stop.grace_s is not None:
            self.end_within(stop.grace_s)

    def end_within(self, grace_s: float) -> None:
        """Await what is under way for so many seconds at most, counted from the next decision."""
        self._grace_s = grace_s

    def note_answer(self) -> None:
        """Take note that the provider has answered a call: its address is right."""
        self._answered = True

    def halt(self) -> None:
        """Decide nothing new any more, without giving a reason; replies are still taken in."""
        self._reach = Reach.EVERYTHING

    def _try_again_later(self, row: Tracked, view: TaskView, now: float) -> None:
        """Have a row that has just failed wait for a new attempt, if it is to get one."""
        if self._reach >= Reach.SUBMITTING:
            return
        attempt = self._retries.next_attempt(
            row.id, row.attempt, view.error_code, view.error_message or ""
        )
        if attempt is not None:
            again = Again(attempt, Entry(row.key, State.FAILED, row.attempt))
            self._later.add_again(row.id, now + self._retries.wait_s, again)
            states = self._lanes[row.lane].states
            states[State.FAILED] -= 1
            states[State.WAITING] += 1

    def _release_later(self, now: float) -> None:
        """Queue the rows whose turn has come, as nothing else waits; forget those that come late.

        A row that is forgotten stays where it stands.
        """
        if self.hours.closes_at < inf:
            for row, state in self._later.drop_after(self.hours.last_order_at):
                states = self._lanes[row.lane].states
                states[State.WAITING] -= 1
                states[state] += 1
        for row in self._later.release(now):
            self._waiting.add(row.lane, [row.key])
