"""Copies on their way: a rehearsal from the command line uploads them, once, and says so."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
FAST = (
    *("--set", "polling.first_s=0.2", "--set", "polling.interval_s=0.1"),
    *("--set", "output.verify=boxes"),
)


def reelsheet(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Start the product in a folder, with nothing of this process's settings."""
    ours = ("REELSHEET_", "TOAPIS_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments, *FAST],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def shop(folder: Path) -> None:
    """Make a manifest of one row, with a HEIC photograph."""
    pillow_heif.from_pillow(Image.new("RGB", (640, 480), "red")).save(folder / "a.heic")
    (folder / "shop.csv").write_text("sku,prompt,image\nA,A shoe,a.heic\n", "utf-8")


@pytest.mark.process
def test_a_copy_is_sent_and_the_row_stays_done(tmp_path: Path) -> None:
    """The API takes the JPEG; the results say so; a lost cache makes no done row look edited."""
    shop(tmp_path)
    before = (tmp_path / "a.heic").read_bytes()
    ended = reelsheet(tmp_path, "run", "shop.csv")
    assert ended.returncode == 0, ended.stderr
    output = tmp_path / "outputs" / "shop.rehearsal"
    with (output / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        told = {row["sku"]: row["result_warnings"] for row in csv.DictReader(file)}
    assert "a.heic is sent as a JPEG copy: it is a HEIC picture." in told["A"]
    assert (tmp_path / "a.heic").read_bytes() == before
    shutil.rmtree(output / "cache" / "pictures")
    (output / "cache" / "pictures.db").unlink()
    plan = json.loads(reelsheet(tmp_path, "plan", "shop.csv", "--json").stdout)
    assert {name: count for name, count in plan["groups"].items() if count} == {"done": 1}


@pytest.mark.process
def test_a_run_without_room_for_copies_stops_and_says_so(tmp_path: Path) -> None:
    """The check passes with a warning; the run sends no other file instead, and is unfinished."""
    shop(tmp_path)
    cache = tmp_path / "outputs" / "shop.rehearsal" / "cache"
    cache.mkdir(parents=True)
    (cache / "pictures").write_text("in the way", "utf-8")
    checked = reelsheet(tmp_path, "check", "shop.csv")
    assert checked.returncode == 0, checked.stdout
    assert "a.heic would be sent as a JPEG copy" in checked.stdout
    ended = reelsheet(tmp_path, "run", "shop.csv")
    assert ended.returncode == 5, ended.stderr
    assert "a picture cannot be sent: a.heic" in ended.stderr
    (row,) = json.loads(reelsheet(tmp_path, "status", "shop.csv", "--rows", "--json").stdout)[
        "rows"
    ]
    assert row["task_id"] is None
