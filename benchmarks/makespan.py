"""Item 1: how near a night comes to the shortest possible one, and how many queries that takes.

1,000 rows, cap 100, task times log-normal (median 60 s, 95th percentile 180 s), everything, the
bytes of the videos too, scaled down twenty times. What the machine takes for a task is not scaled
down, so that it weighs twenty times as much as in a night. So the nights without a bar, whose
target is the nearest, are measured slower as well; and with --long in real time.

The makespan counts from the first acceptance to the last byte of the last video. The bound: the
same task times, in the order of acceptance, on the same number of slots, each slot taken again in
the moment in which its task ends, plus one round trip.

The folders of product and peers are in memory where that is possible: time scaled down twenty times
would ask twenty times as much of a disk as a night does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from heapq import heapreplace
from pathlib import Path
from typing import Any

from benchmarks.api import draw
from benchmarks.figures import Figure, at_most, beside
from benchmarks.processes import Spent, api, python, spend, workplace
from benchmarks.product import call, manifest

SCALE = 20
SLOWER = 5, 1
"""By how much the nights without a bar are scaled down as well; the last one where long is asked
for."""
CAP = 100
MEDIAN_S, P95_S = 60.0, 180.0
FLOOR_S, DOCUMENTED_FLOOR_S = 2.0, 5.0
VIDEO_BYTES = 4_000_000
ROUND_TRIP_S = 0.002
SEEDS = (1, 2, 3)
"""Draws of the task times, the first for all: another one moves a ratio by some thousandths."""
UNTOLD = 1.045, 7
"""The most of ratio and polls where no bar tells how far a task is."""
PEERS = {
    "loop": "everybody's loop",
    "threads": "threads with requests",
    "queues": "a queue loop",
}


@dataclass(frozen=True)
class Night:
    """What came of one run, with times at full scale."""

    ratio: float
    polls: float
    delay_s: float
    gap_s: float
    cpu_s: float

    def __str__(self) -> str:
        return (
            f"{self.ratio:.3f}, {self.polls:.1f} polls, {self.cpu_s:.1f} CPU-s "
            f"(end noticed after {self.delay_s:.1f} s, least gap {self.gap_s:.1f} s)"
        )


def bound_s(run_s: Sequence[float], cap: int) -> float:
    """Return the list-scheduling bound of task times in their order on so many slots."""
    slots = [0.0] * cap
    for one in run_s:
        heapreplace(slots, slots[0] + one)
    return max(slots)


def by_rote(run_s: Sequence[float], cap: int) -> tuple[float, float]:
    """Return ratio and polls of the documented 5 s then 10 s, computed: no overhead at all."""
    first_s, then_s = 5, 10
    polls = [1 + max(0, math.ceil((one - first_s) / then_s)) for one in run_s]
    seen = [first_s + then_s * (count - 1) for count in polls]
    return bound_s(seen, cap) / bound_s(run_s, cap), sum(polls) / len(polls)


def judged(seen: Mapping[str, Any], spent: Spent, *, cap: int, scale: float) -> Night:
    """Return what the API's records say of a run."""
    tasks = seen["tasks"]
    missed = [task for task in tasks if task["fetched_at"] is None]
    if missed:
        raise RuntimeError(f"{len(missed)} of {len(tasks)} videos were not fetched")
    took_s = max(task["fetched_at"] for task in tasks) - tasks[0]["accepted_at"]
    best_s = bound_s([task["run_s"] for task in tasks], cap) + ROUND_TRIP_S
    delays = [task["seen_at"] - task["accepted_at"] - task["run_s"] for task in tasks]
    return Night(
        ratio=took_s / best_s,
        polls=sum(task["polls"] for task in tasks) / len(tasks),
        delay_s=sum(delays) / len(tasks) * scale,
        gap_s=min(task["shortest_gap_s"] for task in tasks) * scale,
        cpu_s=spent.cpu_s / len(tasks) * 1000,
    )


def _api_options(
    bar: str, video_bytes: int, seed: int = 1, scale: float = SCALE
) -> list[str | float]:
    return [
        *("--median-s", MEDIAN_S / scale, "--p95-s", P95_S / scale, "--tick-s", 1 / scale),
        *("--bar", bar, "--video-bytes", int(video_bytes / scale), "--seed", seed),
    ]


def sets(base_url: str, floor_s: float, cap: int = CAP, scale: float = SCALE) -> dict[str, object]:
    """Return the product's settings of this night."""
    return {
        "api.base_url": base_url,
        "limits.outstanding": cap,
        "polling.first_s": 10 / scale,
        "polling.interval_s": 10 / scale,
        "polling.floor_s": floor_s / scale,
    }


def of_product(
    rows: int,
    bar: str,
    floor_s: float = FLOOR_S,
    video_bytes: int = VIDEO_BYTES,
    *,
    cap: int = CAP,
    seed: int = 1,
    in_memory: bool = True,
    video: Path | None = None,
    further: Mapping[str, object] | None = None,
) -> tuple[Night, Spent, Mapping[str, Any]]:
    """Run the product; return the night, the process, and the API's records.

    `video` is what it downloads, if that matters, and `further` are settings.
    """
    served = () if video is None else ("--video", str(video))
    with workplace(in_memory=in_memory) as folder:
        with api(*_api_options(bar, video_bytes, seed), *served) as running:
            path = manifest(folder, rows)
            given = {**sets(running.base_url, floor_s, cap), **(further or {})}
            spent = call("run", path, "--quiet", sets=given).ok()
        return judged(running.seen, spent, cap=cap, scale=SCALE), spent, running.seen


def of_nights(
    rows: int, bar: str, seed: int = 1, *, nights: int = 2, scale: float = SCALE
) -> list[Night]:
    """Run the product in nights one after the other, with one book.

    Each has a manifest of its own and the same task times.
    """
    found, port = [], 0
    with workplace(in_memory=True) as folder:
        for number in range(nights):
            options = _api_options(bar, VIDEO_BYTES, seed, scale)
            with api(*options, "--port", port) as running:
                port = int(running.base_url.rsplit(":", 1)[1])
                path = manifest(folder, rows).rename(folder / f"night{number + 1}.csv")
                given = {**sets(running.base_url, FLOOR_S, scale=scale), "repeats": "pay"}
                spent = call("run", path, "--quiet", sets=given).ok()
            found.append(judged(running.seen, spent, cap=CAP, scale=scale))
    return found


def of_peer(name: str, rows: int, video_bytes: int = VIDEO_BYTES, *, cap: int = CAP) -> Night:
    """Run a peer."""
    script = Path(__file__).parent / "peers" / f"{name}.py"
    with workplace(in_memory=True) as folder:
        with api(*_api_options("missing", video_bytes)) as running:
            path = manifest(folder, rows)
            line = python(script, running.base_url, path, folder, str(cap), str(10 / SCALE))
            spent = spend(line).ok()
        return judged(running.seen, spent, cap=cap, scale=SCALE)


def mean(nights: Sequence[Night]) -> Night:
    """Return the mean of some nights, with the least gap of all."""
    count = len(nights)
    return Night(
        ratio=sum(one.ratio for one in nights) / count,
        polls=sum(one.polls for one in nights) / count,
        delay_s=sum(one.delay_s for one in nights) / count,
        gap_s=min(one.gap_s for one in nights),
        cpu_s=sum(one.cpu_s for one in nights) / count,
    )


def measure(*, rows: int = 1000, long: bool = False) -> Iterator[Figure]:
    """Measure item 1."""
    run_s = [draw(SEEDS[0], number, MEDIAN_S, P95_S)[0] for number in range(rows)]
    rote = by_rote(run_s, CAP)
    said = "{:.3f}, {:.1f} polls".format(*rote)
    yield beside("5 s then 10 s, computed without overhead", said)
    for bar, limits, seeds, nights in (
        ("exact", (1.02, 4), SEEDS[:1], 2),
        ("bent", (1.03, 5), SEEDS[:1], 2),
        ("missing", UNTOLD, SEEDS, 2),
        ("jumping", rote, SEEDS[:1], 1),
        ("stuck", rote, SEEDS[:1], 1),
    ):
        draws = [of_nights(rows, bar, seed, nights=nights) for seed in seeds]
        yield from _compare(f"makespan, {bar} bar, floor 2 s", draws, limits)
    for scale in SLOWER if long else SLOWER[:-1]:
        with ThreadPoolExecutor(len(SEEDS)) as pool:
            draws = list(pool.map(partial(of_nights, rows, "missing", scale=scale), SEEDS))
        which = f"scaled down by {scale}" if scale > 1 else "in real time"
        yield from _compare(f"makespan, missing bar, floor 2 s, {which}", draws, UNTOLD)
    for bar in ("exact", "missing"):
        night, *_ = of_product(rows, bar, DOCUMENTED_FLOOR_S)
        yield beside(f"makespan, {bar} bar, floor 5 s", str(night))
    for name, shown in PEERS.items():
        try:
            yield beside(f"peer: {shown}", str(of_peer(name, rows)))
        except RuntimeError as error:
            if "No module named 'requests'" not in str(error):
                raise
            yield beside(f"peer: {shown}", "skipped: requests is not installed")


def _compare(
    name: str, draws: Sequence[Sequence[Night]], limits: tuple[float, float]
) -> Iterator[Figure]:
    """Compare the mean of several draws of nights with the most of ratio and polls."""
    target = "at most {:.3f} with {:.1f} polls".format(*limits)
    for which, drawn in zip(("", ", the second night"), zip(*draws, strict=True), strict=False):
        night = mean(drawn)
        reached = night.ratio <= limits[0] and night.polls <= limits[1]
        yield Figure(f"{name}{which}", str(night), target, reached)
        if len(drawn) > 1:
            said = ", ".join(f"{one.ratio:.3f} with {one.polls:.1f}" for one in drawn)
            yield beside("its draws", said)


def eta(*, rows: int = 1000, long: bool = False) -> Iterator[Figure]:
    """Measure how near `plan` comes: after a fifth of the rows, for the rest."""
    _ = long
    with workplace() as folder, api(*_api_options("exact", 0)) as running:
        path = manifest(folder, rows)
        given = sets(running.base_url, FLOOR_S)
        unlearned = call("plan", path, "--json", sets=given).ok().json["eta_s"]
        call("run", path, "--quiet", "--limit", str(rows // 5), sets=given).ok(0, 5)
        planned = call("plan", path, "--json", sets=given).ok().json["eta_s"]
        took_s = call("run", path, "--quiet", sets=given).ok().elapsed_s
    off = abs(planned - took_s) / took_s * 100
    yield at_most(f"ETA of `plan` ({planned} s) off the run's {took_s:.1f} s by", off, 15, " %")
    yield beside("ETA of `plan` before anything is known, all rows", f"{unlearned} s")
