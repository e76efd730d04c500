"""A rehearsal: no key, no network, real videos; killed and taken up again."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from pipeline.journal.reading import read_entries
from pipeline.model import State
from tests.system.harness import invariants, sheets
from tests.system.harness.api import wait_for
from tests.system.harness.product import Product


@pytest.mark.long
def test_a_killed_rehearsal_is_taken_up(rehearsing: Product) -> None:
    """SIGKILL in the middle takes the emulator along; the next run finishes without new tasks."""
    folder = rehearsing.folder
    lines = sheets.rows(2, duration="4")
    lines[1]["image_1"] = sheets.picture(folder / "mug.jpg").name
    manifest = sheets.write(folder / "shop.xlsx", lines)
    before, out = manifest.read_bytes(), folder / "outputs" / "shop.rehearsal"
    process = rehearsing.start("run", manifest)
    wait_for("two tasks", lambda: len(_running(out)) == 2)
    tasks = _running(out)
    process.send_signal(signal.SIGKILL)
    rehearsing.end(process)

    last = rehearsing("run", manifest)
    assert last.code == 0, last.err
    assert "rehearsal" in last.err
    entries = invariants.journal_holds(out)
    assert {one.task_id for one in entries.values()} == tasks
    assert sheets.summary(out)["submitted"] == 0
    assert sheets.summary(out)["provider"] == "rehearsal"
    assert [*sheets.states(out).values()] == ["done"] * 2
    assert all((out / "videos" / f"P000{n}.mp4").stat().st_size > 20_000 for n in (1, 2))
    assert manifest.read_bytes() == before
    status = json.loads(rehearsing("status", manifest, "--json").out)
    assert status["states"] == {"done": 2}
    assert "to judge the videos: reelsheet review " in last.out
    assert (out / "review.html").is_file()
    stills = {one.parent.name for one in (out / "review").rglob("*.jpg")}
    assert stills == {"posters", "pictures"}


def _running(out: Path) -> set[str]:
    if not invariants.journal_made(out):
        return set()
    entries = read_entries(out / "journal.db").values()
    return {one.task_id for one in entries if one.task_id and one.state is State.RUNNING}
