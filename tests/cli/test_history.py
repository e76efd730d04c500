"""`reelsheet history`: what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.night.history import note
from tests.cli.conftest import Command
from tests.night.test_history import LINE


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def ended(folder: str, number: int, **more: object) -> None:
    day = f"2026-11-{number:02}"
    times = {"started_at": f"{day}T01:00:00Z", "ended_at": f"{day}T02:30:00Z"}
    note(Path(folder), {**LINE, "id": f"n{number}", "state": "ended", **times, **more})


def test_a_line_for_each(reelsheet: Command) -> None:
    """The latest at the bottom; what is long is cut, and control characters are shown."""
    Path("outputs").mkdir()
    ended("outputs", 1, exit_code=4, stopped_by="a \x1b[31mcap " * 40, submitted=3)
    spend = {"money": 1234.5, "currency": "EUR"}
    ended("outputs", 2, exit_code=0, spend=spend, manifests=["/m/a.csv", "/m/b.csv", "/m/c.csv"])
    note(Path("outputs"), {**LINE, "started_at": "2026-11-03T01:00:00Z", "id": "n3"})
    heads, first, second, third = reelsheet("history").stdout.splitlines()
    assert heads.split()[:3] == ["began", "(UTC)", "ended"]
    assert first.split()[:6] == ["2026-11-01", "01:00", "2026-11-01", "02:30", "night", "4"]
    assert "\\x1b[31mcap" in first
    assert first.endswith("…")
    assert "1,234.50 EUR  a.csv, b.csv and 1 more" in second
    assert "killed" in third


def test_several_folders_and_bounds(reelsheet: Command) -> None:
    """Together in the order of their times; only nights, and only the latest."""
    for folder in ("outputs", "more"):
        Path(folder).mkdir()
    ended("outputs", 1)
    ended("more", 2)
    ended("outputs", 3)

    def told(*words: str) -> list[tuple[str, str]]:
        found = json.loads(reelsheet("history", *words, "--json").stdout)
        assert found["schema"] == 1
        return [(one["outputs"], one["id"]) for one in found["history"]]

    assert told("outputs", "more") == [("outputs", "n1"), ("more", "n2"), ("outputs", "n3")]
    assert told("outputs", "more", "--limit", "2") == [("more", "n2"), ("outputs", "n3")]
    assert told("more", "--nights") == [("more", "n2")]
    assert told("--out", "more") == [("more", "n2")]
    assert told("--set", "output.dir=more") == [("more", "n2")]


def test_nothing_yet(reelsheet: Command) -> None:
    """Nothing is made by looking."""
    ended_ = reelsheet("history")
    assert (ended_.exit_code, ended_.stdout) == (0, "no night and no run has been in outputs yet\n")
    assert not Path("outputs").exists()
