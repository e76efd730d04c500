"""Item 6: what an event costs in the journal, durable, with 200 rows waiting for their commit."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure, at_most, beside
from benchmarks.processes import python, spend, workplace

TURNS = 5


def measure(*, events: int = 40_000, waiting: int = 200, long: bool = False) -> Iterator[Figure]:
    """Measure item 6."""
    _ = long
    found = [_once(events, waiting) for _ in range(TURNS)]
    cost = min(us for us, _ in found)  # others share the machine
    yield at_most(f"journal, {waiting} rows waiting: CPU per event", cost, 20, " us", ".1f")
    yield beside("journal, events a second", f"{max(rate for _, rate in found):,.0f}")
    alone, _ = _once(2000, 1)
    yield beside("journal, one row at a time: CPU per event", f"{alone:.0f} us")


def _once(events: int, waiting: int) -> tuple[float, float]:
    with workplace() as folder:
        line = python("-m", "benchmarks.journal_driver", folder, str(events), str(waiting))
        document = spend(line).ok().json
    return document["us"], document["per_s"]
