"""What the results of a large workbook cost, beside openpyxl reading and writing the same file."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure, at_most, beside
from benchmarks.processes import python, spend, workplace

LONGEST_S = 15
PEAK_MB = 1000


def measure(*, rows: int = 100_000, long: bool = False) -> Iterator[Figure]:
    """Measure the writing of `results.xlsx`, with the reading of the manifest before it."""
    _ = long
    driver = ("-m", "benchmarks.reading_driver")
    with workplace() as folder:
        spend(python(*driver, "make", folder, str(rows))).ok()
        path = folder / "night.xlsx"
        ours = spend(python(*driver, "results", path)).ok()
        usual = spend(python(*driver, "openpyxl", path)).ok()
    yield at_most(
        f"results.xlsx, {rows:,} rows x 12 columns, read and written",
        ours.json["elapsed_s"],
        LONGEST_S,
        " s",
    )
    yield at_most("its peak memory", ours.peak_bytes / 1e6, PEAK_MB, " MB", ".0f")
    yield beside(
        "peer: openpyxl, read and written as it is",
        f"{usual.json['elapsed_s']:.1f} s, {usual.peak_bytes / 1e6:.0f} MB",
    )
