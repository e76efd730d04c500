"""Make a large table, or read, check or write it once, and print the seconds of that alone.

    python -m benchmarks.reading_driver make FOLDER ROWS
    python -m benchmarks.reading_driver pandas|read|check|results|openpyxl FILE

Libraries are imported before the clock starts, for the product and for its peer alike.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd

import pipeline.reader.workbook.xlsx  # noqa: F401 - the reader imports it when it meets a workbook
from pipeline.checker.check import check_manifest
from pipeline.config.settings import Config
from pipeline.model import State
from pipeline.reader.reading import read
from pipeline.writer.layout import Result
from pipeline.writer.results import write_results

HEADERS = (
    "sku", "prompt", "duration", "aspect_ratio", "resolution", "title", "brand", "colour",
    "price", "shop", "link", "notes",
)  # fmt: skip


def row(number: int) -> list[str | float]:
    """Return the cells of a row."""
    return [
        f"P{number:06}",
        f"Slow dolly towards product {number} on a linen cloth, soft morning light",
        (4, 6, 10)[number % 3],
        ("16:9", "9:16")[number % 2],
        "720P",
        f"Product number {number}",
        ("Acme", "Bolt", "Core")[number % 7 % 3],
        ("red", "green", "blue")[number % 5 % 3],
        number % 9973 / 100,
        "example",
        f"https://shop.example/products/{number}",
        "" if number % 3 else "sale",
    ]


def make(folder: Path, rows: int) -> None:
    """Write the table as night.csv and night.xlsx."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Videos")
    with (folder / "night.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADERS)
        sheet.append(HEADERS)
        for cells in map(row, range(rows)):
            out.writerow(cells)
            sheet.append(cells)
    book.save(folder / "night.xlsx")


def with_pandas(path: Path) -> None:
    """Read the table as one does who needs its texts and nothing else."""
    if path.suffix == ".csv":
        pd.read_csv(path, dtype=str, keep_default_na=False)
    else:
        pd.read_excel(path, engine="calamine")


def with_reader(path: Path) -> None:
    """Read the table with the product's reader."""
    read(path)


def with_check(path: Path) -> None:
    """Check the table; every row must be valid."""
    found = check_manifest(path, Config(), cache_dir=None)
    assert found.valid == len(found.manifest.rows)
    assert not found.problems


def with_results(path: Path) -> None:
    """Write the results of a table whose rows are all done beside its own columns."""
    manifest = read(path)
    results = [
        Result(
            row.number,
            State.DONE,
            video=f"videos/P{row.number:06}.mp4",
            task_id=f"video_{row.number}",
            attempts=1,
            seconds=6,
        )
        for row in manifest.rows
    ]
    write_results(manifest, results, path.parent)


def with_openpyxl(path: Path) -> None:
    """Read a workbook and write it, with nothing added: the usual way."""
    openpyxl.load_workbook(path).save(path.with_name("copy.xlsx"))


def main(name: str, path: Path) -> None:
    """Do it once and print what it cost."""
    acts: dict[str, Callable[[Path], None]] = {
        "pandas": with_pandas,
        "read": with_reader,
        "check": with_check,
        "results": with_results,
        "openpyxl": with_openpyxl,
    }
    began, began_cpu = time.perf_counter(), time.process_time()
    acts[name](path)
    cpu_s, elapsed_s = time.process_time() - began_cpu, time.perf_counter() - began
    print(json.dumps({"cpu_s": cpu_s, "elapsed_s": elapsed_s}))


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main(sys.argv[1], Path(sys.argv[2]))
