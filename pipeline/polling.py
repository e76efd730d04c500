"""When to ask for a task: pure functions of what its answers said so far."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.retry import spread


@dataclass(frozen=True, slots=True)
class Schedule:
    """The documented schedule: a first query after `first_s`, then one every `interval_s`.

    Both are spread by a tenth either way, so that tasks submitted together are not asked for
    together, and never fall below `floor_s`.
    """

    first_s: float
    interval_s: float
    floor_s: float

    def first_wait_s(self, key: str) -> float:
        """Return the wait between the acceptance of a task and its first query."""
        return self._spread(self.first_s, key, 0)

    def next_wait_s(self, key: str, queries: int) -> float:
        """Return the wait until the next query, after so many queries of this task."""
        return self._spread(self.interval_s, key, queries)

    def _spread(self, wait_s: float, key: str, turn: int) -> float:
        return max(self.floor_s, wait_s * (0.9 + 0.2 * spread(key, turn)))
