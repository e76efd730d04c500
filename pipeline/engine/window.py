"""How many tasks may be outstanding, learned from the provider's refusals.

The cap of the configuration is never passed. A refusal (429) takes the window down to seven tenths;
it grows back along the cubic curve of RFC 9438: quickly to just below the size that was refused,
slowly past it, then quickly again, so that a passing storm costs seconds and a real cap of the
provider is not run into all the time.
"""

from __future__ import annotations

_DECREASE = 0.7
_RECOVERY_S = 16.0


class Window:
    """The number of tasks that may be outstanding now, between 1 and the cap."""

    __slots__ = ("_cap", "_pace", "_plateau_s", "_refused_at", "_since")

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._pace = cap / _RECOVERY_S**3
        self._refused_at: float = cap
        self._plateau_s = 0.0
        self._since: float | None = None

    def size(self, now: float) -> int:
        """Return how many tasks may be outstanding at `now`, which may be a time to come."""
        if self._since is None:
            return self._cap
        distance = now - self._since - self._plateau_s
        grown = self._refused_at + self._pace * distance**3
        return max(1, int(min(grown, self._cap)))

    def refused(self, now: float, outstanding: int) -> None:
        """Take note of a refusal that came while so many tasks were outstanding."""
        self._refused_at = max(1.0, min(self.size(now), outstanding))
        drop = self._refused_at * (1 - _DECREASE)
        self._plateau_s = (drop / self._pace) ** (1 / 3)
        self._since = now
