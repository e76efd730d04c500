"""Manifests and pictures made for a test, and results read back without the product's own code."""

from __future__ import annotations

import contextlib
import csv
import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from PIL import Image

COLUMNS = (
    "sku",
    "note",
    "prompt",
    "image_1",
    "image_2",
    "image_3",
    "duration",
    "aspect_ratio",
    "resolution",
)
RESULTS = (
    "result_state",
    "result_video",
    "result_error",
    "result_action",
    "result_task_id",
    "result_attempts",
    "result_submitted_at",
    "result_finished_at",
    "result_seconds",
    "result_warnings",
    "result_take",
    "review",
    "review_note",
    "new_prompt",
)

Cells = Mapping[str, str]


def row(sku: str, prompt: str | None = None, **cells: str) -> dict[str, str]:
    """Return a row; without a prompt it gets one of its own."""
    return {"sku": sku, "prompt": f"shot of {sku}" if prompt is None else prompt, **cells}


def rows(count: int, prompt: str = "shot of {}", **cells: str) -> list[dict[str, str]]:
    """Return so many rows that differ."""
    return [row(f"P{n:04}", prompt.format(f"P{n:04}"), **cells) for n in range(1, count + 1)]


def write(path: Path, lines: Iterable[Cells]) -> Path:
    """Write a manifest, as CSV or as a workbook by its suffix."""
    table = [list(COLUMNS), *([one.get(name, "") for name in COLUMNS] for one in lines)]
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(table)
        return path
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for line in table:
        sheet.append(line)
    book.save(path)
    return path


def read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Return headers and rows of a manifest or of its results, every cell as text."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            table: list[Sequence[Any]] = [list(line) for line in csv.reader(file)]
    else:
        book = load_workbook(path)
        table = [line for line in book.worksheets[0].iter_rows(values_only=True) if any(line)]
    head = [str(cell) for cell in table[0] if cell is not None]
    return head, [
        {name: "" if cell is None else str(cell) for name, cell in zip(head, line, strict=False)}
        for line in table[1:]
    ]


def linked_text(cell: str) -> str:
    """Return the text that a cell shows, which may be a link in a workbook."""
    linked = re.fullmatch(r'=HYPERLINK\("[^"]+","([^"]+)"\)', cell)
    return linked[1] if linked else cell


def results(out: Path) -> list[dict[str, str]]:
    """Return the rows of the results file in an output folder."""
    found = [path for path in out.iterdir() if path.stem == "results"]
    assert len(found) == 1, found
    lines = read(found[0])[1]
    if found[0].suffix == ".csv":
        return [{name: _unguarded(cell) for name, cell in one.items()} for one in lines]
    return lines


def _unguarded(cell: str) -> str:
    # In a CSV a text that a spreadsheet would run as a formula is written with an apostrophe.
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("=+-@'") else cell


def states(out: Path) -> dict[str, str]:
    """Return the state of each row in the results, by key, in order."""
    return {one["sku"]: one["result_state"] for one in results(out)}


def summary(out: Path) -> dict[str, Any]:
    """Return summary.json."""
    document: dict[str, Any] = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return document


def picture(path: Path, *, size: tuple[int, int] = (320, 240), hue: int = 0) -> Path:
    """Write a real picture in the format of its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("HSV", size, (hue % 256, 160, 200)).convert("RGB")
    image.paste((255, 255, 255), (size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2))
    image.save(path)
    return path


def long_ago(out: Path) -> None:
    """Let all that an output folder knows have happened three days earlier."""
    with contextlib.closing(sqlite3.connect(out / "journal.db")) as journal, journal:
        for column in ("submitted_at", "finished_at"):
            journal.execute(f"UPDATE attempts SET {column} = {column} - 259200")  # noqa: S608
        journal.execute("UPDATE events SET at = at - 259200")
