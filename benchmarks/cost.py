"""Item 4: what the product itself costs: processor, memory, and rows a second through sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import makespan
from benchmarks.figures import Figure, at_least, at_most, beside
from benchmarks.growth import Grown, grown
from benchmarks.processes import api, python, spend
from benchmarks.product import LIBRARIES, libraries_bytes

BARE = Path(__file__).parent / "peers" / "bare.py"
NIGHTS = Path(__file__).parent / "nights.py"
LARGE_ROWS, LARGE_CAP = 10_000, 500
"""The night from which the 3.5 CPU-seconds per 1,000 rows were taken beforehand."""


def measure(*, rows: int = 1000, long: bool = False) -> Iterator[Figure]:
    """Measure item 4."""
    with api() as running:
        bare_us = float(spend(python(BARE, running.base_url, "20000")).ok().out)
    yield beside("aiohttp alone: CPU per request", f"{bare_us:.0f} us")
    start_s = spend(python("-c", f"import {LIBRARIES}")).ok().cpu_s
    dense = grown(rows)
    requests = rows * (2 + dense.polls)
    name = f"CPU per 1,000 rows as fast as they go, {dense.polls:.1f} polls a task, with the start"
    yield at_most(name, dense.cpu_s / rows * 1000, 3.5, " s", ".2f")
    yield beside("of it, aiohttp alone would take", f"{requests * bare_us / 1e6:.2f} s")
    yield beside("of it, the start", f"{start_s:.2f} s")
    night, spent, _ = makespan.of_product(rows, "exact", video_bytes=0)
    name = f"CPU per 1,000 rows over a whole night, {night.polls:.1f} polls a task, with the start"
    yield at_most(name, night.cpu_s, 3.5, " s", ".2f")
    on_disk, *_ = makespan.of_product(rows, "exact", video_bytes=0, in_memory=False)
    yield beside("the same on this machine's disk", f"{on_disk.cpu_s:.2f} s")
    yield _peer(rows, makespan.CAP)
    large, *_ = makespan.of_product(LARGE_ROWS, "exact", video_bytes=0, cap=LARGE_CAP)
    name = f"CPU per 1,000 of {LARGE_ROWS:,} rows over a whole night, {LARGE_CAP} slots"
    yield at_most(f"{name}, {large.polls:.1f} polls a task", large.cpu_s, 3.5, " s", ".2f")
    yield _peer(LARGE_ROWS, LARGE_CAP)
    libraries = libraries_bytes()
    yield beside("interpreter and libraries", f"{libraries / 1e6:.0f} MB")
    over = (spent.peak_bytes - libraries) / 1e6
    yield at_most(f"memory over them at {rows:,} rows", over, 60, " MB", ".0f")
    if long:
        yield from _long(grown(100_000), libraries)
        said = spend(python(NIGHTS)).ok().out.splitlines()
        deciding = dict(line.rsplit(maxsplit=1) for line in said[:4])
        yield beside("the engine alone, 100,000 rows", f"{deciding['us/row']} us of CPU a row")


def _peer(rows: int, cap: int) -> Figure:
    night = makespan.of_peer("loop", rows, video_bytes=0, cap=cap)
    said = f"{night.cpu_s:.2f} s, {night.polls:.1f} polls"
    return beside("peer: everybody's loop over that night", said)


def _long(night: Grown, libraries: int) -> Iterator[Figure]:
    over = (night.peak_bytes - libraries) / 1e6
    yield at_most(f"memory over them at {night.rows:,} rows", over, 250, " MB", ".0f")
    yield at_least(f"rows a second, {night.rows:,} rows", night.rows_per_s, 300, form=".0f")
