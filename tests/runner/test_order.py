"""What is ordered: the selection in words, and the manifest as it was when it was read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipeline.disk.lock import run_lock
from pipeline.errors import ManifestError, UsageError
from pipeline.model import State
from pipeline.reader.reading import read
from pipeline.runner.order import place_order, select
from pipeline.runner.target import resolve_target
from pipeline.runner.unchanged import snapshot
from pipeline.writer.layout import Result
from pipeline.writer.results import write_results
from pipeline.writer.summary import read_summary, write_summary
from tests.night.ended import report


def workbook(path: Path, *keys: str) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["key", "prompt"])
    for key in keys:
        sheet.append([key, f"a film about {key}"])
    book.save(path)
    return path


def test_results_stand_beside_the_rows_that_were_read(tmp_path: Path) -> None:
    """A workbook that is edited while the run works does not shift the results."""
    path = workbook(tmp_path / "shöp 1.xlsx", "A", "B")
    with snapshot(path, tmp_path / "cache") as source:
        manifest = read(path)
        workbook(path, "new first row", "A", "B")
        results = [Result(2, State.DONE), Result(3, State.FAILED)]
        written = write_results(manifest, results, tmp_path, source=source)
    sheet = openpyxl.load_workbook(written.path).active
    assert sheet is not None
    assert [(row[0], row[2]) for row in sheet.iter_rows(min_row=2, values_only=True)] == [
        ("A", "done"),
        ("B", "failed"),
    ]


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """The copy goes with the run, and the manifest is not touched."""
    path = workbook(tmp_path / "a.xlsx", "A")
    before = path.read_bytes()
    with snapshot(path, tmp_path / "cache") as source:
        assert source.read_bytes() == before
        assert source != path
    assert list((tmp_path / "cache").iterdir()) == []
    assert path.read_bytes() == before


def test_text_and_missing_files_need_no_copy(tmp_path: Path) -> None:
    """A text manifest is written from memory; the reader names a missing file."""
    for name in ("a.csv", "missing.xlsx"):
        with snapshot(tmp_path / name, tmp_path / "cache") as source:
            assert source == tmp_path / name
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("asked", [{"limit": 1.5}, {"limit": True}, {"limit": "2"}, {"limit": -1}])
def test_a_limit_is_a_whole_number(tmp_path: Path, asked: dict[str, Any]) -> None:
    """Half a row, or a text, would submit more than was meant."""
    target = resolve_target(tmp_path / "a.csv", out=tmp_path / "out")
    with pytest.raises(UsageError, match="the limit is"):
        select(target, **asked)


def test_a_key_is_a_text(tmp_path: Path) -> None:
    """A number is no key: `007` and 7 are two rows."""
    target = resolve_target(tmp_path / "a.csv", out=tmp_path / "out")
    keys: Any = ["A0", 3]
    with pytest.raises(UsageError, match="the key 3 is not a text"):
        select(target, only=keys)


def test_a_summary_says_that_the_next_night_could_not_begin(tmp_path: Path) -> None:
    """Its rows stand as they stood. Nothing is made where no run was, or written beside one.

    A run that a person starts leaves it alone.
    """
    manifest, out = tmp_path / "a.csv", tmp_path / "out"
    manifest.write_text("key,note\nA,x\n", encoding="utf-8")
    target = resolve_target(manifest, out=out)

    def refused(command: str = "night") -> str:
        chosen = select(target)
        with (
            pytest.raises(ManifestError) as error,
            place_order(target, chosen, command=command),
        ):
            pass
        return error.value.message

    refused()
    assert not out.exists()
    out.mkdir()
    before = report(out, Result(2, State.DONE)).summary
    write_summary(before, out)
    with run_lock(target.folder.lock):
        refused()
        assert read_summary(out)["exit_code"] == 0
    refused("run")
    assert read_summary(out)["exit_code"] == 0
    why, told = refused(), read_summary(out)
    assert (told["exit_code"], told["stopped_by"], told["submitted"]) == (2, why, 0)
    assert (told["states"], told["rows"], told["run_id"]) == ({"done": 1}, 1, "r")
    assert told["started_at"] == told["finished_at"] != before.finished_at
