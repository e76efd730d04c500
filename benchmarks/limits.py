"""Item 3: the provider's rate limits used to the full, and the way back after a storm.

The API keeps a token bucket of ten seconds' worth, as the provider documents it, and answers 429
past it. The share counts in a window of the steady state, the first seconds left out: there the
bucket's store would make any client look faster than the limit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from benchmarks.figures import Figure, at_least, at_most
from benchmarks.processes import api, workplace
from benchmarks.product import call, manifest

RATES = (300, 1000, 2000)
CAP = 1000
SETTLING_S, WINDOW_S = 10.0, 45.0
STORM_AFTER_S, STORM_S = 20.0, 15.0
STORM_RATE = 1000
FULL_SPEED, FULL_SPEED_OVER_S = 0.95, 5.0


def _run(rate: int, seconds: float, *storm: str | float) -> tuple[list[float], list[float]]:
    """Keep the product busy for so long; return the times of acceptances and of refusals."""
    task = ("--median-s", 6, "--p95-s", 9, "--submits-per-minute", rate)
    with workplace() as folder:
        with api(*task, *storm) as running:
            path = manifest(folder, round(rate / 60 * seconds))
            given = {
                "api.base_url": running.base_url,
                "limits.outstanding": CAP,
                "limits.submits_per_minute": rate,
                "polling.first_s": 5,
                "polling.interval_s": 5,
            }
            call("run", path, "--quiet", sets=given).ok()
        accepted = [task["accepted_at"] for task in running.seen["tasks"]]
        return accepted, running.seen["throttled_at"]


def share(accepted: Sequence[float], rate: float) -> float:
    """Return how much of the allowance was used while there was work."""
    begin = accepted[0] + SETTLING_S
    count = bisect_left(accepted, begin + WINDOW_S) - bisect_left(accepted, begin)
    return count / (rate / 60 * WINDOW_S)


def recovery_s(accepted: Sequence[float], rate: float) -> float:
    """Return how long after the storm's end a stretch at full speed begins."""
    end = accepted[0] + STORM_AFTER_S + STORM_S
    wanted = FULL_SPEED * rate / 60 * FULL_SPEED_OVER_S
    for at in (one for one in accepted if one >= end):
        inside = bisect_left(accepted, at + FULL_SPEED_OVER_S) - bisect_left(accepted, at)
        if inside >= wanted:
            return at - end
    return float("inf")


def measure(*, rates: Sequence[int] = RATES, long: bool = False) -> Iterator[Figure]:
    """Measure item 3."""
    _ = long
    for rate in rates:
        accepted, throttled = _run(rate, SETTLING_S + WINDOW_S + 5)
        used = share(accepted, rate) * 100
        refused = len(throttled) / (len(accepted) + len(throttled)) * 100
        yield at_least(f"allowance used at {rate} submissions/min", used, 99, " %", ".1f")
        yield at_most(f"429 answers at {rate} submissions/min", refused, 1, " %", ".2f")
    storm = ("--storm", STORM_AFTER_S, STORM_S)
    seconds = STORM_AFTER_S + 30 + FULL_SPEED_OVER_S
    accepted, throttled = _run(STORM_RATE, seconds, *storm)
    back = recovery_s(accepted, STORM_RATE)
    shown = f"back at full speed after {STORM_S:.0f} s of 429 to all ({len(throttled)} of them)"
    yield at_most(shown, back, 30, " s", ".1f")
