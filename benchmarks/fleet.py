"""Workers beside the run itself, in turns, on the same files from the same server.

On one machine workers share the cores that one process has alone: what they add is shown here, not
what they gain elsewhere. The ceiling of the scheduler is that of tasks that do nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.figures import Figure, at_least, at_most, beside
from benchmarks.processes import api, python, spend, workplace

VIDEO_BYTES = 10_000_000
WORKERS = (0, 1, 2, 4)
TURNS = 3
_TASKS, _MESSAGES = 3_000, 500
_SECOND_MINUTES = 60


@dataclass(frozen=True)
class _Turn:
    """Seconds, and CPU-seconds of the run's process and of all others, for one of so many."""

    seconds: float
    own: float
    others: float

    @property
    def cpu(self) -> float:
        return self.own + self.others


def _turn(files_url: str, count: int, workers: int) -> _Turn:
    with workplace() as folder:
        line = python("-m", "benchmarks.fleet_driver", files_url, str(count), folder, str(workers))
        told = spend(line).ok().json
        return _Turn(*(told[name] / count for name in ("seconds", "own", "others")))


def measure(*, count: int = 100, long: bool = False) -> Iterator[Figure]:
    """Measure 0 (the run itself), 1, 2 and 4 workers, and the scheduler alone."""
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
    nothing = [_turn("nothing", _TASKS, 2) for _number in range(TURNS)]
    fastest = min(turn.seconds for turn in nothing)
    yield at_least("tasks that do nothing, with 2 workers", 1 / fastest, 550, "/s", form=".0f")
    own = min(turn.own for turn in nothing) * 1000
    yield at_most("CPU of scheduler and run for a task", own, 1.07, " ms", form=".2f")
    with workplace() as folder:
        line = python("-m", "benchmarks.fleet_driver", "messages", str(_MESSAGES), folder, "2")
        told = spend(line).ok().json
    yield at_most("messages of a task", told["bytes"] / 1000, 5, " kB", form=".1f")
    yield at_most("from order to answer, a task alone", told["alone_s"] * 1000, 11, " ms", ".1f")
