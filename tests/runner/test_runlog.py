"""The log of all runs: one JSON document a line, with what to do about each failure."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import events as ev
from pipeline.config.loading import load
from pipeline.journal.logreading import intents, last_begin, last_line, logged
from pipeline.model import IDENTITY_MARK
from pipeline.runner.logevents import DETAILS, FIELDS, KINDS, OF_ROWS, ON_SCREEN, Level, write_line
from pipeline.runner.remains import traces_in_log
from pipeline.runner.runlog import RunLog, key_in
from pipeline.writer import advice
from tests.engine.night import VIDEO, attempt
from tests.system.harness import loglines


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
    assert [line["event"] for line in lines] == ["Intended", "Accepted"]
    assert all(line["run_id"] == "run-1" and line["time"] for line in lines)
    assert lines[0]["client_business_id"] == "rs-A-1"
    assert lines[0]["attempt"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs rights of POSIX")
def test_a_group_may_read_it_and_what_was_put_aside(tmp_path: Path) -> None:
    """With `log.mode` 0640, whatever the umask; without, it is for its owner alone."""
    shared = load(None, environ={}, overrides=["log.mode=0640"]).log.rights
    own = load(None, environ={}, overrides=[]).log.rights
    before = os.umask(0o077)
    try:
        for name, mode in (("a", shared), ("b", own)):
            (tmp_path / name).mkdir()
            path = tmp_path / name / "run.log"
            with RunLog(path, "run-1", lambda: 1.0, mode=mode, rotate_mb=0.0003) as log:
                for _ in range(9):
                    log.write_event(ev.Requeued("A", 1))
                    log.flush()
            files = sorted(path.parent.glob("run.log*"))
            assert len(files) > 1
            assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {mode}
    finally:
        os.umask(before)
    assert (shared, own) == (0o640, 0o600)


EACH = (
    ev.Requeued("A", 1),
    ev.Intended("A", 2, attempt("A", number=2)),
    ev.PictureRefused("A", 1, attempt("A"), None, "no"),
    ev.Reused("A", 1, attempt("A"), "video_1", VIDEO, None),
    ev.Accepted("A", 1, "video_1"),
    ev.NotAccepted("A", 1),
    ev.Declined("A", 1, "400", "no"),
    ev.AnswerLost("A", 1, "?"),
    ev.Interrupted("A", 1),
    ev.Found("A", 1, "video_1"),
    ev.ClosedUnsent("A", 1),
    ev.NotFound("A", 1),
    ev.Completed("A", 1, 2.5),
    ev.TaskFailed("A", 1, "content_policy", "no"),
    ev.TaskLost("A", 1, "gone"),
    ev.TaskBack("A", 1),
    ev.Downloaded("A", 1, VIDEO),
    ev.LinkLost("A", 1, "404", "gone"),
    ev.FileGone("A", 1),
    ev.Renamed(f"A{IDENTITY_MARK}2", 1, f"B{IDENTITY_MARK}aside"),
)
"""An event of every kind."""


def test_every_event_of_a_row_keeps_to_the_schema(tmp_path: Path) -> None:
    """The documented fields come first, and every detail is one that the table has."""
    assert {type(one).__name__ for one in EACH} == set(ev.KINDS) == set(OF_ROWS)
    lines = written(tmp_path, *EACH)
    loglines.in_folder(tmp_path)
    for line in lines:
        assert tuple(line)[:5] == FIELDS == ("time", "level", "run_id", "manifest", "event")
        assert tuple(line)[5:7] == ("key", "attempt")
    assert KINDS.keys() >= OF_ROWS.keys()
    assert {name for kind in KINDS.values() for name in (*kind.has, *kind.may_have)} == set(DETAILS)


@pytest.mark.parametrize("event", sorted(KINDS.keys() - OF_ROWS.keys()))
def test_a_line_without_its_details_is_none(event: str) -> None:
    """The schema tells what belongs to an event from what does not."""
    samples = {"string": "x", "integer": 1, "array": ["x"], "object": {"done": 1}, "number": 1.0}
    kind = KINDS[event]
    types = {name: DETAILS[name][1]["type"] for name in (*kind.has, *kind.may_have)}
    details = {
        name: None if isinstance(one, list) else samples[str(one)] for name, one in types.items()
    }
    run_id = None if event in ON_SCREEN else "r"
    line = write_line(0.0, event, details, run_id=run_id, manifest=run_id, level=Level.ERROR)
    loglines.hold([line.rstrip("\n")])
    for wrong in (
        {**details, "task_id": 5},
        {**details, "prompt": "x"},
        {"key": "A", "video": "x"},
    ):
        with pytest.raises(AssertionError):
            loglines.hold([write_line(0.0, event, wrong, run_id=None, manifest="a.csv").strip()])


@given(key=st.text(min_size=1), told=st.text(), manifest=st.text(), aside=st.booleans())
def test_whatever_is_said_is_one_line_and_comes_back(
    tmp_path_factory: pytest.TempPathFactory, key: str, told: str, manifest: str, *, aside: bool
) -> None:
    """Line breaks of every kind, control characters, halves of characters, and no markup."""
    key = f"{key}{IDENTITY_MARK}2" if aside else key
    folder = tmp_path_factory.mktemp("log")
    with RunLog(folder / "run.log", "r", lambda: 1.0, manifest=Path(manifest)) as log:
        log.write_event(ev.Intended(key, 1, attempt("a")))
        log.write_event(ev.AnswerLost(key, 1, told))
    text = (folder / "run.log").read_text("utf-8")
    assert len(text.splitlines()) == 2
    lines = loglines.in_folder(folder)
    if "://" not in key + told + manifest:
        assert [key_in(line) for line in lines] == [key, key]
        assert (lines[1]["message"], lines[1]["manifest"]) == (told, str(Path(manifest)))
        (trace,) = traces_in_log(lines)
        assert trace.key == key


def test_an_earlier_version_is_understood(tmp_path: Path) -> None:
    """Its fields had other names."""
    path = tmp_path / "run.log"
    path.write_text(
        '{"at": "2026-11-20T01:00:00Z", "run": "r1", "what": "begin", "journal": "5a"}\n'
        '{"at": "2026-11-20T01:00:00Z", "run": "r1", "what": "Intended", "key": "A", "number": 2, '
        '"client_business_id": "rs-A-2"}\n',
        encoding="utf-8",
    )
    assert last_begin(path)["run_id"] == last_line(path)["run_id"] == "r1"
    (trace,) = traces_in_log(logged(path))
    assert (trace.key, trace.number, trace.reference) == ("A", 2, "rs-A-2")
    assert [one["attempt"] for one in intents(path)] == [2]
