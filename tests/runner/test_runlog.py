"""The log of all runs: one JSON document a line, with what to do about each failure."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline import events as ev
from pipeline.runner.runlog import RunLog
from pipeline.writer import advice
from tests.engine.night import VIDEO, attempt


def written(folder: Path, *events: ev.Event) -> list[dict[str, object]]:
    with RunLog(folder / "run.log", "run-1", lambda: 1.0) as log:
        for event in events:
            log.write_event(event)
        log.flush()
    lines = (folder / "run.log").read_text(encoding="utf-8").rstrip("\n").split("\n")
    return [json.loads(line) for line in lines]


def test_a_failure_says_what_to_do(tmp_path: Path) -> None:
    """The same advice as in the sheet stands beside each failure, and only there."""
    failed, picture, done = written(
        tmp_path,
        ev.TaskFailed("A", 1, "content_policy", "no"),
        ev.PictureRefused("B", 1, attempt("B"), "picture_too_large", "too large"),
        ev.Downloaded("C", 1, VIDEO),
    )
    assert failed["advice"] == advice.FIX_PROMPT.name
    assert picture["advice"] == advice.FIX_PICTURE.name
    assert "advice" not in done
    assert done["video"] == VIDEO.name


def test_every_line_is_a_document_of_its_own(tmp_path: Path) -> None:
    """Each line names time, run and event; runs are appended, not written over."""
    written(tmp_path, ev.Intended("A", 1, attempt("A")))
    lines = written(tmp_path, ev.Accepted("A", 1, "video_1\n\u2028"))
    assert [line["what"] for line in lines] == ["Intended", "Accepted"]
    assert all(line["run"] == "run-1" and line["at"] for line in lines)
    assert lines[0]["client_business_id"] == "rs-A-1"
    assert "attempt" not in lines[0]
