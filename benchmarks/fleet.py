"""Workers beside the run itself, in turns, on the same files from the same server.

On one machine workers share the cores that one process has alone: what they add is shown here, not
what they gain elsewhere. The ceiling of the scheduler is that of tasks that do nothing, beside
Dask's bare loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.figures import Figure, at_least, at_most, beside
from benchmarks.processes import api, python, spend, workplace

VIDEO_BYTES = 10_000_000
WORKERS = (0, 1, 2, 4)
TURNS = 3
_TASKS = 500
_PEER_TASKS = 3_000
_SECOND_MINUTES = 60


@dataclass(frozen=True)
class _Turn:
    """Seconds, and CPU-seconds of the run's process and of all others, for one task of many."""

    seconds: float
    own: float
    others: float

    @property
    def cpu(self) -> float:
        return self.own + self.others


def _turn(files_url: str, count: int, workers: int) -> _Turn:
    with workplace() as folder:
        line = python("-m", "benchmarks.fleet_driver", files_url, str(count), folder, str(workers))
        return _Turn(**spend(line).ok().json)


def measure(*, count: int = 100, long: bool = False) -> Iterator[Figure]:
    """Measure 0 (the run itself), 1, 2 and 4 workers, and tasks that do nothing."""
    _ = long
    turns: dict[int, list[_Turn]] = {workers: [] for workers in WORKERS}
    with api("--video-bytes", VIDEO_BYTES) as running:
        for _number in range(TURNS):
            for workers in WORKERS:
                turns[workers].append(_turn(running.files_url, count, workers))
    best = {workers: min(one, key=lambda turn: turn.cpu) for workers, one in turns.items()}
    for workers in WORKERS:
        fastest = min(turn.seconds for turn in turns[workers])
        name = f"{workers} workers" if workers else "in process"
        shown = (
            f"{_SECOND_MINUTES / fastest:,.0f} videos/min, {best[workers].cpu * 1000:.0f} ms CPU"
        )
        yield beside(f"{name}, videos of 10 MB", shown)
    over = best[1].cpu / best[0].cpu
    yield at_most("CPU of a video in a worker over that in process", over, 55 / 35, form=".2f")
    yield from _nothing()


def _nothing() -> Iterator[Figure]:
    """Measure tasks that do nothing: the product's, and those of the peers."""
    with workplace() as folder:
        line = python("-m", "benchmarks.ceiling_driver", str(_TASKS), folder, "2")
        told: Any = spend(line).ok().json
    turns = {name: [_Turn(**one) for one in some] for name, some in told["turns"].items()}
    ours, bare = turns["fleet"], turns["bare"]
    fastest = min(turn.seconds for turn in ours)
    yield at_least("tasks that do nothing, with 2 workers", 1 / fastest, 550, "/s", form=".0f")
    own = min(turn.own for turn in ours) * 1000
    yield at_most("CPU of scheduler and run for a task", own, 1.07, " ms", form=".2f")
    yield beside("peer: Dask's bare loop in the same cluster", _shown(bare))
    for name, part in (("CPU", "own"), ("time", "seconds")):
        pairs = zip(ours, bare, strict=True)
        over = median(getattr(one, part) / getattr(other, part) for one, other in pairs)
        yield at_most(f"{name} of a task over the peer's", over, 1.15, form=".2f")
    line = python("benchmarks/peers/dask_loop.py", str(_PEER_TASKS), "2", "8")
    yield beside(
        "peer: the same loop in Dask's own LocalCluster",
        _shown([_Turn(**spend(line).ok().json) for _number in range(TURNS)]),
    )
    yield at_most("messages of a task", told["bytes"] / 1000, 5, " kB", form=".1f")
    alone_ms = told["alone_s"]["fleet"] * 1000
    yield at_most("from order to answer, a task alone", alone_ms, 11, " ms", ".1f")


def _shown(turns: list[_Turn]) -> str:
    """Say how many a second there were in the fastest turn, and the least CPU of one."""
    fastest = min(turn.seconds for turn in turns)
    own, others = (min(getattr(turn, part) for turn in turns) for part in ("own", "others"))
    return f"{1 / fastest:.0f}/s, {own * 1000:.2f} ms CPU, and {others * 1000:.2f} of the workers"
