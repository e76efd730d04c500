"""Item 10: what `check` costs over a large table, beside pandas alone reading the same file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, at_most, beside
from benchmarks.processes import Spent, python, spend, workplace
from benchmarks.product import call

TURNS = 3
PEAK_MB = 600


@dataclass(frozen=True)
class Cost:
    """The best of some turns: others share the machine. The peak is the worst one."""

    cpu_s: float
    peak_bytes: int


def measure(*, rows: int = 100_000, long: bool = False) -> Iterator[Figure]:
    """Measure item 10."""
    _ = long
    with workplace() as folder:
        spend(_driver("make", folder, str(rows))).ok()
        sheet = f"{rows:,} rows x 12 columns"
        yield from _compared(folder / "night.csv", f"CSV, {sheet}", "read_csv, all text", 4)
        yield from _compared(folder / "night.xlsx", f"XLSX, {sheet}", "calamine", 2)


def _compared(path: Path, table: str, reader: str, limit: float) -> Iterator[Figure]:
    turns: dict[str, list[Cost]] = {"pandas": [], "read": [], "check": []}
    commands = []
    for _turn in range(TURNS):  # in turns, so that all of them meet the same company
        for name, costs in turns.items():
            spent = spend(_driver(name, path)).ok()
            costs.append(Cost(spent.json["cpu_s"], spent.peak_bytes))
        commands.append(call("check", path, "--quiet").ok())
    alone, reading, checking = (min(one.cpu_s for one in costs) for costs in turns.values())
    yield beside(f"{table}: pandas alone ({reader})", f"{alone:.2f} CPU-s")
    yield beside("the reader over it", f"{reading / alone:.2f} ({reading:.2f} CPU-s)")
    yield at_most("`check` over it", checking / alone, limit, form=".2f")
    yield from _command(commands)


def _command(turns: list[Spent]) -> Iterator[Figure]:
    cpu_s = min(turn.cpu_s for turn in turns)
    yield beside("the command as a process, its start included", f"{cpu_s:.2f} CPU-s")
    peak = max(turn.peak_bytes for turn in turns)
    yield at_most("its peak memory", peak / 1e6, PEAK_MB, " MB", ".0f")


def _driver(*arguments: str | Path) -> list[str | Path]:
    return python("-m", "benchmarks.reading_driver", *arguments)
