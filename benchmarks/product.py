"""Reelsheet as a user starts it, over a manifest made for a benchmark."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.processes import Spent, python, spend

SETS: Mapping[str, object] = {
    "provider": "toapis",
    "limits.submits_per_minute": 10_000,
    "limits.polls_per_minute": 100_000,
    "output.verify": "boxes",
}


LIBRARIES = (
    "pipeline.cli.app, pipeline.runner.lanes, pipeline.runner.session, pipeline.cli.progress"
)
"""What a run imports."""


def manifest(folder: Path, rows: int) -> Path:
    """Write a CSV manifest of so many rows with five columns."""
    path = folder / "night.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["sku", "prompt", "duration", "title", "shop"])
        for number in range(rows):
            prompt = f"Slow dolly towards product {number} on a linen cloth, soft morning light"
            out.writerow([f"P{number:06}", prompt, 6, f"Product number {number}", "example"])
    return path


def call(
    command: str, path: Path, *options: str, sets: Mapping[str, object] | None = None
) -> Spent:
    """Run one command of the product over a manifest, in the manifest's folder."""
    settings = {**SETS, **(sets or {})}
    given = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    return spend(python("-m", "pipeline", command, path.name, *options, *given), cwd=path.parent)


def summary(path: Path) -> dict[str, Any]:
    """Return the summary of the last run over a manifest."""
    place = path.parent / "outputs" / path.stem / "summary.json"
    document: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return document


@cache
def libraries_bytes() -> int:
    """Return the memory of a Python that has imported what a run imports, and did nothing else.

    Measured once, before this process has grown: see `spend`.
    """
    return spend(python("-c", f"import {LIBRARIES}")).ok().peak_bytes
