"""`reelsheet status` and `report` before any run: every row stands somewhere."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

import pytest

from pipeline.disk.folder import OutputFolder
from pipeline.disk.lock import run_lock
from pipeline.errors import ExitCode, UsageError
from pipeline.journal.journal import Journal
from pipeline.night.record import NightRecord
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


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("ago_s", "max_age", "case"),
    [
        (None, "10m", (1, "no night has been in outputs: there is no outputs/night.json")),
        (60, "10m", (0, "the night ended at")),
        (3600, "10m", (1, "last heard of 60 min ago, and at most 10 min is well")),
        (3600, None, (0, "the night ended at")),
    ],
)
def test_health_is_an_exit_code_and_a_sentence(
    reelsheet: Command, home: Path, ago_s: float | None, max_age: str | None, case: tuple[int, str]
) -> None:
    """For supervisors: of a night that never was, that is well, and that is too old."""
    code, said = case
    assert home == Path.cwd()
    if ago_s is not None:
        at = time.time() - ago_s
        with NightRecord(Path("outputs/night.json"), wall=lambda: at) as record:
            record.end(ExitCode.DONE, [])
    told = reelsheet("status", "--health", *(["--max-age", max_age] if max_age else []))
    assert (told.exit_code, said in told.output) == (code, True), told.output


def test_health_of_a_night_that_failed(reelsheet: Command, home: Path) -> None:
    """It says with which code, and why."""
    with pytest.raises(UsageError), NightRecord(home / "outputs" / "night.json"):
        raise UsageError("there is no key.")
    told = reelsheet("status", "--health", "--max-age", "10m")
    assert (told.exit_code, "with 2: no rows yet; there is no key." in told.output) == (1, True)


def test_watching_ends_with_its_reader_or_ctrl_c(
    reelsheet: Command, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run that is watched goes on, and its lock is held all the time."""
    folder = OutputFolder(Path("outputs/shop"))
    folder.root.mkdir(parents=True)
    with contextlib.closing(Journal(folder.journal)) as journal:
        journal.claim(manifest, adopt=False)
    looks = []

    def pause(_: float) -> None:
        looks.append(1)
        if len(looks) > 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.cli.status.time.sleep", pause)
    with run_lock(folder.lock, manifest):
        told = reelsheet("status", "--all", "--watch", "--set", "provider=toapis")
        assert (told.exit_code, len(looks)) == (130, 2)
        assert told.output.count("2  waiting") == 2, "it looked twice"
        assert "No longer watching; the run goes on." in told.output
