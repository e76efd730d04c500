"""`reelsheet status` and `report` before any run: every row stands somewhere."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Command


def test_states_are_counted(manifest: Path, reelsheet: Command) -> None:
    """Rows without a run wait, or break a rule."""
    ended = reelsheet("status", manifest)
    assert ended.exit_code == 0
    counted = {name: number for number, name in map(str.split, ended.stdout.splitlines())}
    assert counted == {"waiting": "2", "invalid": "1"}


def test_each_row_is_shown(manifest: Path, reelsheet: Command) -> None:
    """With --rows: number, key, state and the error."""
    lines = reelsheet("status", manifest, "--rows").stdout.splitlines()
    assert [line.split()[:3] for line in lines[:3]] == [
        ["2", "MUG", "waiting"],
        ["3", "BAG", "waiting"],
        ["4", "TEA", "invalid"],
    ]


def test_json_has_states_and_rows(manifest: Path, reelsheet: Command) -> None:
    """One document for programs, every row once."""
    document = json.loads(reelsheet("status", manifest, "--json").stdout)
    assert document["states"] == {"waiting": 2, "invalid": 1}
    assert [(row["key"], row["row"]) for row in document["rows"]] == [
        ("MUG", 2), ("BAG", 3), ("TEA", 4),
    ]  # fmt: skip
    assert document["rows"][2]["error"]


def test_a_manifest_without_rows_says_so(manifest: Path, reelsheet: Command) -> None:
    """An empty table would look like a failure."""
    manifest.write_text("sku,prompt\n", encoding="utf-8")
    assert reelsheet("status", manifest).stdout == "no rows\n"


def test_a_report_writes_the_results_anew(manifest: Path, reelsheet: Command) -> None:
    """Results with every row, and a file of those that need attention; nothing is sent."""
    ended = reelsheet("report", manifest)
    assert ended.exit_code == 0
    folder = Path("outputs", "shop.rehearsal")
    assert f"results: {folder / 'results.csv'}" in ended.stdout
    assert len((folder / "results.csv").read_text(encoding="utf-8").splitlines()) == 4
    assert len((folder / "failed.csv").read_text(encoding="utf-8").splitlines()) == 2
