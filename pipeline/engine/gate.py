"""Whether the next paid submission may go out now.

The gate knows nothing of rows. It holds the rate, the cap on submissions in flight, the pauses that
the provider asked for or that failures call for, and the series of bad answers that end submitting.
"""

from __future__ import annotations

from pipeline.buckets import Bucket
from pipeline.engine.rows import Reach, Stop
from pipeline.engine.settings import Settings
from pipeline.engine.window import Window
from pipeline.errors import ExitCode, ProviderError, Throttled
from pipeline.retry import PROBE, SUBMIT

EQUAL_REFUSALS = 5
"""So many equal refusals in a row, with no acceptance in the run, mean a wrong setting."""

DOUBTS_IN_A_ROW = 5
"""So many submissions in a row in doubt and not found pause submitting: an outage."""

PROBES = 5
"""So many single submissions try, with growing gaps, whether the outage is over."""


class Gate:
    """Admits one submission at a time; told of every answer."""

    def __init__(self, settings: Settings, now: float) -> None:
        self.in_flight = 0
        self._most_in_flight = settings.submits_in_flight
        self._outage_s = settings.outage_s
        self._bucket = Bucket(settings.submits_per_minute, now)
        self._window = Window(settings.outstanding)
        self._closed_until = now
        self._failures = 0
        self._failing_since: float | None = None
        self._accepted_any = False
        self._refusals = 0
        self._refusal: tuple[int | None, str | None] | None = None
        self._doubts = 0

    def admits(self, now: float, outstanding: int) -> bool:
        """Take the place of one submission if one may go out now."""
        if (
            now < self._closed_until
            or self.in_flight >= self._room
            or outstanding >= self._window.size(now)
            or not self._bucket.take(now)
        ):
            return False
        self.in_flight += 1
        return True

    def opens_at(self, now: float, outstanding: int) -> float | None:
        """Return when time alone may open the gate; None if only an answer can."""
        if self.in_flight >= self._room:
            return None
        if outstanding >= self._window.size(now):
            # The window grows with time; a second is fine enough for it.
            return now + 1 if outstanding and self._window.size(now + 60) > outstanding else None
        return max(self._closed_until, self._bucket.ready_at(now))

    @property
    def _room(self) -> int:
        return 1 if self._doubts >= DOUBTS_IN_A_ROW else self._most_in_flight

    def accepted(self) -> None:
        """Take note of a submission that the provider took, or that was found there."""
        self._accepted_any = True
        self._failures = self._refusals = self._doubts = 0
        self._failing_since = None

    def refused(self, error: ProviderError) -> Stop | None:
        """Take note of a definite refusal; return a Stop when the series means a wrong setting."""
        self._failures = 0
        self._failing_since = None
        signature = (error.status, error.code)
        self._refusals = self._refusals + 1 if signature == self._refusal else 1
        self._refusal = signature
        if self._accepted_any or self._refusals < EQUAL_REFUSALS:
            return None
        return Stop(
            ExitCode.STOPPED,
            f"{self._refusals} submissions in a row were refused alike: {error.message}",
            Reach.SUBMITTING,
            "Check api.model, api.client_reference and what the key may do.",
        )

    def put_off(self, error: ProviderError, now: float, outstanding: int) -> Stop | None:
        """Close for a while after a submission that was provably not accepted.

        Answers to submissions that went out before the pause began do not make it longer. Returns a
        Stop when nothing has come through for the length of an outage.
        """
        if now >= self._closed_until:
            self._failures += 1
            if isinstance(error, Throttled):
                self._window.refused(now, outstanding)
        wait_s = SUBMIT.wait_s(self._failures, "submit", error.retry_after_s)
        self._closed_until = max(self._closed_until, now + wait_s)
        if isinstance(error, Throttled):
            return None
        if self._failing_since is None:
            self._failing_since = now
        if now - self._failing_since < self._outage_s:
            return None
        return _outage(error.message)

    def doubted(self, message: str, now: float) -> Stop | None:
        """Take note of a submission in doubt that a look-up did not find (yet)."""
        self._doubts += 1
        if self._doubts < DOUBTS_IN_A_ROW:
            return None
        probes = self._doubts - DOUBTS_IN_A_ROW
        if probes >= PROBES:
            return _outage(message)
        self._closed_until = max(self._closed_until, now + PROBE.wait_s(probes + 1, "probe"))
        return None


def _outage(message: str) -> Stop:
    return Stop(
        ExitCode.UNFINISHED,
        f"the provider does not answer submissions: {message}",
        Reach.SUBMITTING,
        "Run again when it is back; nothing is lost.",
    )
