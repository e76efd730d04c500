"""What run.log, the summary and the results tell of a journal that is gone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.disk.folder import OutputFolder
from pipeline.journal.logreading import logged
from pipeline.model import Manifest, Row, State, aside_key
from pipeline.runner.remains import (
    Trace,
    journal_id_in,
    sign_of_submissions,
    traces_in_log,
    traces_in_results,
)
from pipeline.runner.runlog import RunLog
from tests.engine.night import VIDEO, attempt


@pytest.fixture
def folder(tmp_path: Path) -> OutputFolder:
    """An empty output folder."""
    return OutputFolder(tmp_path)


def log(folder: OutputFolder, events: Sequence[ev.Event], run: str = "run-1") -> list[Trace]:
    with RunLog(folder.log, run, lambda: 60.0) as file:
        file.write("begin", command="run", journal="5a")
        for event in events:
            file.write_event(event)
    return traces_in_log(logged(folder.log))


def test_an_attempt_with_all_that_happened_to_it(folder: OutputFolder) -> None:
    """Reference, task, name, request and times: what a journal is restored from."""
    one = attempt("a")
    events = [
        ev.Intended("a", 1, one),
        ev.Accepted("a", 1, "video_1"),
        ev.Completed("a", 1, None),
        ev.Downloaded("a", 1, VIDEO),
    ]
    reference, request_hash = one.client_business_id, one.request.request_hash
    assert log(folder, events) == [
        Trace("a", "a", 1, State.DONE, reference, "video_1", request_hash, VIDEO.name, 60.0, 60.0)
    ]
    assert journal_id_in(logged(folder.log)) == "5a"


def test_where_a_video_was_put(folder: OutputFolder) -> None:
    """Noted where it is not `videos/`; in a table a web address is taken for its name alone."""
    put = replace(VIDEO, place="s3://films/shop")
    done = [ev.Accepted("a", 1, "video_1"), ev.Completed("a", 1, None), ev.Downloaded("a", 1, put)]
    (trace,) = log(folder, [ev.Intended("a", 1, attempt("a")), *done])
    assert (trace.video_name, trace.place) == (VIDEO.name, "s3://films/shop")
    cells = ("a", "done", "video_1", "1", "https://films.example/shop/b%C3%A4r%201.mp4")
    (told,) = traces_in_results(table(cells), ["a"])
    assert (told.video_name, told.place) == ("bär 1.mp4", "")


def test_the_last_lines_may_be_missing_or_cut(folder: OutputFolder) -> None:
    """A killed run leaves half a line; an intent alone is in the log without its end."""
    log(folder, [ev.Intended("a", 1, attempt("a"))])
    with folder.log.open("a", encoding="utf-8") as file:
        file.write('not JSON\n[]\n{"what": "Accepted", "key": "a"}\n{"what": "Accep')
    (trace,) = traces_in_log(logged(folder.log))
    assert trace.state is State.SUBMITTING
    assert journal_id_in([]) is None


def test_several_attempts_of_a_row_that_was_renamed(folder: OutputFolder) -> None:
    """Under the key it has now; its references were made from the first one."""
    events = [
        ev.Intended("a", 1, attempt("a")),
        ev.TaskFailed("a", 1, "x", "no"),
        ev.Renamed("a", 1, "b"),
        ev.Requeued("b", 1),
        ev.Intended("b", 2, attempt("b", number=2)),
        ev.Intended("a", 1, attempt("a")),
    ]
    told = [(one.key, one.identity, one.number, one.state) for one in log(folder, events)]
    assert told == [
        ("b", "a", 1, State.FAILED),
        ("b", "a", 2, State.SUBMITTING),
        ("a", "a\x1f2", 1, State.SUBMITTING),
    ]


def test_entries_that_stepped_aside(folder: OutputFolder) -> None:
    """The log shows their keys without a control character, and still tells them apart."""
    aside, other = aside_key("a"), aside_key("a\x1f2")
    events = [
        ev.Intended("a", 1, attempt("a")),
        ev.Renamed("a", 1, aside),
        ev.Intended("a", 1, attempt("a")),
        ev.Renamed("a", 1, other),
        ev.Intended("a aside", 1, attempt("a aside")),
        ev.Accepted(other, 1, "video_2"),
    ]
    told = [(one.key, one.identity, one.task_id) for one in log(folder, events)]
    assert told == [
        (aside, "a", None),
        (other, "a\x1f2", "video_2"),
        ("a aside", "a aside", None),
    ]
    lines = list(logged(folder.log))
    assert lines[2]["new_key"] == "a aside"
    assert lines[6]["key"] == "a 2 aside"
    assert "\\u001f" not in folder.log.read_text(encoding="utf-8")
    # As earlier versions wrote it.
    for line in lines:
        for name in ("key", "new_key"):
            if f"{name}_parts" in line:
                line[name] = "\x1f".join(line.pop(f"{name}_parts"))
    assert [(one.key, one.identity, one.task_id) for one in traces_in_log(lines)] == told


def test_what_was_never_sent_leaves_no_trace(folder: OutputFolder) -> None:
    """A refused picture, and an event of an attempt whose intent is not in the log."""
    one = attempt("a")
    assert log(folder, [ev.PictureRefused("a", 1, one, "x", "no"), ev.TaskLost("b", 1, "?")]) == []
    assert sign_of_submissions(folder) is None


def table(*rows: tuple[str, ...]) -> Manifest:
    headers = ("sku", "result_state", "result_task_id", "result_attempts", "result_video")
    lines = tuple(Row(number, cells) for number, cells in enumerate(rows, 2))
    return Manifest(Path("results.csv"), headers, lines)


def test_results_tell_of_each_rows_last_attempt() -> None:
    """Where they have a task; a cell that somebody filled with words is none of ours."""
    results = table(
        ("a", "done", "video_1", "2", "videos/a-2.mp4"),
        ("b", "waiting", "", "0", ""),
        ("c", "sold", "video_3", "1", ""),
        ("d", "running", "video_4", "many", ""),
    )
    first, second = traces_in_results(results, ["a", "b", "c", "d"])
    assert first == Trace("a", "a", 2, State.DONE, task_id="video_1", video_name="a-2.mp4")
    assert (second.key, second.number, second.video_name) == ("d", 1, None)


@pytest.mark.parametrize(
    ("name", "content", "sign"),
    [
        ("summary.json", json.dumps({"submitted": 1, "states": {}}), True),
        ("summary.json", json.dumps({"submitted": 0, "states": {"done": 1}}), True),
        ("summary.json", json.dumps({"submitted": 0, "states": {"waiting": 1}}), False),
        ("summary.json", "no JSON", False),
        ("results.csv", "sku,result_state,result_task_id\na,done,video_1\n", True),
        ("results.csv", "sku,result_state,result_task_id\na,waiting,\n", False),
        ("results of Anna.csv", "sku,result_state,result_task_id\na,done,video_1\n", False),
    ],
)
def test_signs_that_rows_were_sent(
    folder: OutputFolder, name: str, content: str, *, sign: bool
) -> None:
    """A file of ours that tells of a submission."""
    (folder.root / name).write_text(content, encoding="utf-8")
    assert sign_of_submissions(folder) == (folder.root / name if sign else None)
