"""Again? When? Pure decisions about waiting before the next try.

Nothing here reads a clock or rolls dice: the jitter of a wait is a function of what is waited for,
so that a night can be replayed exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from `first_s` up to `longest_s`, spread by a quarter either way."""

    first_s: float
    longest_s: float

    def wait_s(self, failures: int, seed: str = "", asked_s: float | None = None) -> float:
        """Return the wait after so many failures in a row (from 1).

        `asked_s` is the server's own wish (Retry-After): never less than that is waited, and the
        spread goes on top of it, so that not all rows come back in one moment.
        """
        doubled = self.first_s * 2.0 ** min(failures - 1, 30)
        own = min(doubled, self.longest_s) * (0.75 + 0.5 * spread(seed, failures))
        if asked_s is None:
            return own
        return max(asked_s, own) if failures > 1 else asked_s + 0.1 * self.first_s


def spread(seed: str, turn: int) -> float:
    """Return a number in [0, 1) that looks random and depends on nothing but its arguments."""
    return crc32(f"{turn}:{seed}".encode()) / 2**32


SUBMIT = Backoff(first_s=1, longest_s=15)
"""After a submission that was not accepted (429) or never left (connection refused)."""

POLL = Backoff(first_s=1, longest_s=30)
"""After a query that failed on the way; all queries wait together."""

UPLOAD = Backoff(first_s=1, longest_s=30)
"""After a picture that could not be uploaded."""

DOWNLOAD = Backoff(first_s=1, longest_s=30)
"""After a transfer that broke."""

LOOK_UP = Backoff(first_s=1, longest_s=20)
"""Between two look-ups of a submission in doubt."""

PROOF = Backoff(first_s=2, longest_s=60)
"""Between two queries of a known task that try whether it is found by our own reference."""

PROBE = Backoff(first_s=30, longest_s=480)
"""Between two single submissions that try whether the provider answers clearly again."""
