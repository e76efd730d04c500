"""Item 7: how soon the product answers: help, a check, a run with nothing left to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure, at_most, beside
from benchmarks.processes import python, spend, workplace
from benchmarks.product import SETS, call, manifest

TURNS = 7
EMPTY = Path(__file__).parent / "peers" / "empty_typer.py"


def measure(*, rows: int = 100_000, long: bool = False) -> Iterator[Figure]:
    """Measure item 7."""
    _ = long
    ours, empty = [], []
    for _turn in range(TURNS):
        ours.append(spend(python("-m", "pipeline", "--help")).ok().elapsed_s)
        empty.append(spend(python(EMPTY, "--help")).ok().elapsed_s)
    ratio = median(ours) / median(empty)
    yield beside("the help of an empty Typer application", f"{median(empty) * 1000:.0f} ms")
    yield at_most("our help over it", ratio, 1.5, form=".2f")
    with workplace() as folder:
        path = manifest(folder, 10)
        took_s = median(call("check", path).ok().elapsed_s for _turn in range(TURNS))
    yield at_most("`check` of 10 rows", took_s, 1.5, " s", ".2f")
    yield from _all_done(rows)


def _all_done(rows: int) -> Iterator[Figure]:
    with workplace() as folder:
        given = {**SETS, "api.base_url": "http://127.0.0.1:9"}
        overrides = [f"{name}={value}" for name, value in given.items()]
        spend(python("-m", "benchmarks.done_driver", folder, str(rows), *overrides)).ok()
        path = folder / "night.csv"
        turns = [call("run", path, "--quiet", sets=given).ok() for _turn in range(3)]
    name = f"`run` over {rows:,} rows that are all done, CSV"
    yield at_most(name, median(turn.elapsed_s for turn in turns), 6, " s", ".2f")
    cpu_s = median(turn.cpu_s for turn in turns)
    yield beside("its processor time, in itself and in the system", f"{cpu_s:.2f} s")
    peak = max(turn.peak_bytes for turn in turns)
    yield beside("its peak memory, interpreter and libraries included", f"{peak / 1e6:.0f} MB")
