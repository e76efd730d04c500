"""Whether the next paid submission may go out now.

The gate knows nothing of rows. It holds the rate, the cap on submissions in flight, how many tasks
may be outstanding, the pauses that the provider asked for or that failures call for, and the series
of bad answers that end submitting.

Tested in tests/engine/test_refused_nights.py and tests/engine/test_doubtful_nights.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from pipeline.engine.limits import PROBE, SUBMIT, Bucket, RunLimits
from pipeline.engine.rows import Stop, Wait, stop_for_equal_refusals, stop_for_outage
from pipeline.errors import ProviderError, Throttled
from pipeline.refusals import concerns_setting

_EQUAL_REFUSALS = 5
"""After this many equal refusals in a row and no acceptance in the run a setting is wrong."""

_DOUBTS_IN_A_ROW = 5
"""After this many doubts in a row that no look-up settled, submitting pauses: an outage."""

_DECREASE, _RECOVERY_S = 0.7, 16.0
"""What is left of the cap after a refusal, and the time in which it has grown back."""

_SLOWED_LONG_S = 60
"""Being asked to slow down is usual; so long without any acceptance it is worth a word."""
_PROBES = 5
"""At most this many single submissions, with growing gaps, try whether the outage is over."""


class LearnedCap:
    """How many tasks may be outstanding now, learned from the provider's refusals.

    It lies between 1 and the cap of the configuration. A refusal (429) takes it down to seven
    tenths; it grows back along the cubic curve of RFC 9438: quickly to just below the size that was
    refused, slowly past it, then quickly again, so that a passing storm costs seconds and a real
    cap of the provider is not run into all the time.
    """

    def __init__(self, cap: int) -> None:
        self._plateau_s = 0.0
        self._since: float | None = None
        self.limit(cap)

    def limit(self, cap: int) -> None:
        """Keep to another cap; what was learned from refusals below it is learned anew."""
        self._cap = cap
        self._pace = cap / _RECOVERY_S**3
        self._refused_at: float = cap
        self._since = None

    def size(self, now: float) -> int:
        """Return how many tasks may be outstanding at `now`, which may be a time to come."""
        if self._since is None:
            return self._cap
        distance = now - self._since - self._plateau_s
        grown = self._refused_at + self._pace * distance**3
        return max(1, int(min(grown, self._cap)))

    def note_refusal(self, now: float, outstanding: int) -> None:
        """Take note of a refusal that came while `outstanding` tasks were outstanding."""
        self._refused_at = max(1.0, min(self.size(now), outstanding))
        drop = self._refused_at * (1 - _DECREASE)
        self._plateau_s = (drop / self._pace) ** (1 / 3)
        self._since = now


class Gate:
    """Admits one submission at a time; it is told of every reply to one."""

    def __init__(self, settings: RunLimits, now: float) -> None:
        self.in_flight = 0
        self._most_in_flight = settings.submits_in_flight
        self._outage_s = settings.outage_s
        self._bucket = Bucket(settings.submits_per_minute, now)
        self._learned_cap = LearnedCap(settings.outstanding)
        self._closed_until = now
        self._failures = 0
        self._failing_since: float | None = None
        self._failing_why = ""
        self._is_slowed = False
        self._accepted_any = False
        self._refusals = 0
        self._refusal: tuple[int | None, str | None] | None = None
        self._doubts = 0
        self._doubtful_since = 0.0
        self._not_looked_up = 0
        self._probes = 0

    def limit(self, limits: Mapping[str, int]) -> None:
        """Keep to other limits from now on, by the names of their settings."""
        if "outstanding" in limits:
            self._learned_cap.limit(limits["outstanding"])
        if "submits_in_flight" in limits:
            self._most_in_flight = limits["submits_in_flight"]
        if "submits_per_minute" in limits:
            self._bucket.limit(limits["submits_per_minute"])

    def is_open(self, now: float, outstanding: int) -> bool:
        """Tell whether one submission may go out now."""
        return (
            self.in_flight < self._room
            and outstanding < self._learned_cap.size(now)
            and now >= self._closed_until
            and self._bucket.ready_at(now) <= now
        )

    def enter(self, now: float) -> None:
        """Take the place of one submission while the gate is open."""
        self._bucket.take(now)
        self.in_flight += 1

    def opens_at(self, now: float, outstanding: int) -> float:
        """Return when time alone may open the gate; infinity if only an answer can."""
        if self.in_flight >= self._room:
            return inf
        if outstanding >= self._learned_cap.size(now):
            # The learned cap grows with time; a second is fine enough for it.
            return (
                now + 1 if outstanding and self._learned_cap.size(now + 60) > outstanding else inf
            )
        return max(self._closed_until, self._bucket.ready_at(now))

    @property
    def _room(self) -> int:
        if self._failures:
            # After a pause a single submission tries; the others follow when it comes through.
            return 1
        if self._doubts + self._not_looked_up < _DOUBTS_IN_A_ROW:
            return self._most_in_flight
        # Whether this is an outage is known as soon as they are looked up; then one at a time.
        return 0 if self._not_looked_up else 1

    def note_acceptance(self) -> None:
        """Take note of a submission that the provider took, or that was found there."""
        self._accepted_any = True
        self._failures = self._refusals = self._doubts = self._probes = 0
        self._failing_since = None

    def note_refusal(self, error: ProviderError) -> Stop | None:
        """Take note of a definite refusal; return a Stop when the series means a wrong setting."""
        self._failures = self._doubts = self._probes = 0
        self._failing_since = None
        if not concerns_setting(error.status, error.code):
            # A refusal of a row's own content, however many there are of them.
            self._refusals, self._refusal = 0, None
            return None
        signature = (error.status, error.code)
        self._refusals = self._refusals + 1 if signature == self._refusal else 1
        self._refusal = signature
        if self._accepted_any or self._refusals < _EQUAL_REFUSALS:
            return None
        return stop_for_equal_refusals(self._refusals, error.message)

    def put_off(self, error: ProviderError, now: float, outstanding: int) -> Stop | None:
        """Close for a while after a submission that was provably not accepted.

        Answers to submissions that went out before the pause began do not make it longer. Returns a
        Stop when nothing has come through for the length of an outage. To be slowed down while
        tasks of our own are running is no outage: they take the places.
        """
        if now >= self._closed_until:
            self._failures += 1
            if isinstance(error, Throttled):
                self._learned_cap.note_refusal(now, outstanding)
        wait_s = SUBMIT.wait_s(self._failures, "submit", error.retry_after_s)
        self._closed_until = max(self._closed_until, now + wait_s)
        running = outstanding - self.in_flight - 1  # this submission holds its slot yet
        if isinstance(error, Throttled) and running > 0:
            self._failing_since = None
            return None
        if self._failing_since is None:
            self._failing_since = now
        self._failing_why = error.message
        self._is_slowed = isinstance(error, Throttled)
        if now - self._failing_since < self._outage_s:
            return None
        return stop_for_outage(error.message)

    def wait(self, now: float) -> Wait | None:
        """Return what submitting waits for at `now`, if calls have failed."""
        if self._failing_since is not None:
            until = self._failing_since + self._outage_s
            if not self._is_slowed:
                return Wait("the provider to be reached again", self._failing_why, until)
            if now - self._failing_since >= _SLOWED_LONG_S:
                return Wait("the provider to take submissions again", self._failing_why, until)
        if self._probes and now < self._closed_until:
            what = "clear answers to submissions: a single one tries"
            return Wait(what, self._failing_why, self._closed_until)
        return None

    def note_loss(self) -> None:
        """Take note of a submission in doubt that is going to be looked up."""
        self._not_looked_up += 1

    def note_look_up(self) -> None:
        """Take note of the first look-up of a submission that `note_loss` counted."""
        self._not_looked_up -= 1

    def note_doubt(self, message: str, now: float) -> Stop | None:
        """Take note of a submission in doubt that a look-up did not find (yet).

        Enough of them in a row pause submitting; then single ones try. Submissions that went out
        before the pause began do not count as tries.
        """
        self._doubts += 1
        if self._doubts == 1:
            self._doubtful_since = now
        if self._doubts < _DOUBTS_IN_A_ROW or (self._probes and now < self._closed_until):
            return None
        patient_until = self._doubtful_since + self._outage_s
        # Each try may put one more row in doubt, so there are few, however long the patience.
        if self._probes >= _PROBES or now >= patient_until:
            return stop_for_outage(message)
        self._probes += 1
        self._failing_why = message
        wait_s = min(PROBE.wait_s(self._probes, "probe"), patient_until - now)
        self._closed_until = max(self._closed_until, now + wait_s)
        return None
