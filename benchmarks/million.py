"""A million rows: their check, their plan, and their night in virtual time."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, at_most, beside
from benchmarks.processes import python, spend, workplace
from benchmarks.product import call
from benchmarks.reading_driver import HEADERS, row

ROWS, TURNS = 1_000_000, 2
MOST_S, MOST_MB = 10.0, 600.0


def measure(*, rows: int = ROWS, long: bool = False) -> Iterator[Figure]:
    """Measure what very large manifests take."""
    _ = long
    with workplace() as folder:
        path = folder / "night.csv"
        _make(path, rows)
        for command in ("check", "plan"):
            turns = [call(command, path, "--quiet").ok() for _ in range(TURNS)]
            cpu_s = min(turn.cpu_s for turn in turns)
            peak = max(turn.peak_bytes for turn in turns) / 1e6
            name = f"`{command}` of a CSV file of {rows:,} rows x {len(HEADERS)} columns"
            yield at_most(f"{name}: processor time, its start included", cpu_s, MOST_S, " s")
            yield at_most("its peak memory", peak, MOST_MB, " MB", ".0f")
    yield from night(rows)


def night(rows: int) -> Iterator[Figure]:
    """Measure a whole night in virtual time through engine, journal and book."""
    with workplace(in_memory=True) as folder:
        found = spend(python("-m", "benchmarks.million_driver", folder, str(rows))).ok().json
    night_h, events = found["night_h"], found["events"]
    yield beside(
        f"a night of {rows:,} rows at 2,000 a minute, in virtual time",
        f"{night_h:.1f} h of it, {events:,} events",
    )
    each_us = found["cpu_s"] / rows * 1e6
    yield beside("engine, journal and book: CPU a row", f"{each_us:.0f} us")
    yield beside("their memory", f"{found['memory_bytes'] / 1e6:.0f} MB")
    for name in ("journal", "book"):
        size = found[f"{name}_bytes"]
        shown = f"{size / 1e6:,.0f} MB, {size / rows:.0f} bytes a row"
        yield beside(f"the {name} on the disk", shown)


def _make(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADERS)
        out.writerows(map(row, range(rows)))
