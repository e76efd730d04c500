"""All figures of the product's speed and cost, one command: `python -m benchmarks`.

    python -m benchmarks [FIGURE…] [--long] [--write]

Prints a line as soon as it is measured. `--write` puts the tables into docs/benchmarks.md, each
between its own markers, so that parts can be measured anew.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks import (
    cost,
    downloads,
    figures,
    fleet,
    growth,
    journal,
    limits,
    makespan,
    million,
    page,
    photographs,
    quality,
    reading,
    start,
    writing,
)
from benchmarks.processes import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
Measure = Callable[[], Iterator[figures.Figure]]
ALL: dict[str, Callable[..., Iterator[figures.Figure]]] = {
    "growth": growth.measure,  # first of all, and `cost` after it: what it measures is shared
    "cost": cost.measure,
    "makespan": makespan.measure,
    "eta": makespan.eta,
    "limits": limits.measure,
    "downloads": downloads.measure,
    "journal": journal.measure,
    "start": start.measure,
    "reading": reading.measure,
    "writing": writing.measure,
    "page": page.measure,
    "quality": quality.measure,
    "fleet": fleet.measure,
    "photographs": photographs.measure,
    "million": million.measure,
}


def main() -> int:
    """Measure what is asked for; 1 if a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("figure", nargs="*", choices=[*ALL, []], help="which (all)")
    parser.add_argument(
        "--long",
        action="store_true",
        help="100,000 rows and nights in real time, too: an hour more",
    )
    parser.add_argument("--write", action="store_true", help=f"into docs/{PAGE.name}")
    chosen = parser.parse_args()
    if not hasattr(os, "wait4"):
        parser.error("the benchmarks need a POSIX system: processes are measured with wait4")
    missed = 0
    print(figures.machine(), flush=True)
    for name in chosen.figure or ALL:
        found = _measured(name, partial(ALL[name], long=chosen.long))
        missed += sum(one.reached is False for one in found)
        if chosen.write:
            day = time.strftime("%Y-%m-%d", time.gmtime())
            lines = [*figures.rows(found), "", f"Measured {day}: {figures.machine()}."]
            figures.write(PAGE, name, lines)
            for table, of_table in (quality.tables if name == "quality" else {}).items():
                figures.write(quality.PAGE, table, of_table)
    print(f"{missed} targets missed")
    return 1 if missed else 0


def _measured(name: str, measure: Measure) -> list[figures.Figure]:
    began = time.monotonic()
    print(f"\n{name}", flush=True)
    found = []
    for figure in measure():
        found.append(figure)
        verdict = {None: "", True: "yes", False: "NO"}[figure.reached]
        target = f"  ({figure.target}: {verdict})" if figure.target else ""
        print(f"  {figure.name}: {figure.measured}{target}", flush=True)
    print(f"  {time.monotonic() - began:.0f} s")
    return found


if __name__ == "__main__":
    sys.exit(main())
