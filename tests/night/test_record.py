"""night.json: written when a night begins, and true however it ends."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pytest

from pipeline.disk.lock import run_lock
from pipeline.disk.place import place
from pipeline.engine.limits import Spend
from pipeline.engine.rows import Reach, stop_by
from pipeline.errors import ConfigError, ExitCode, ReelsheetError, StoreError, UsageError
from pipeline.model import State
from pipeline.night.health import look_at_night
from pipeline.night.notice import Hindrance
from pipeline.night.record import NightRecord, lock_of, note_refusal, read_record, say_killed
from pipeline.runner.reports import RunReport
from pipeline.runner.watching import ManifestProgress, RunProgress
from pipeline.writer.layout import Result
from pipeline.writer.summary import read_summary
from tests.night.ended import AT_A_CAP, report


def told(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def end_by(error: BaseException | None) -> None:
    if error is not None:
        raise error


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (None, 0, None),
        (UsageError("the manifest is empty."), 2, "the manifest is empty."),
        (SystemExit(143), 143, "interrupted"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ZeroDivisionError("a secret"), 70, "ZeroDivisionError"),
    ],
)
def test_it_begins_with_the_night_and_ends_with_it(
    tmp_path: Path, error: BaseException | None, code: int, said: str | None
) -> None:
    """Whatever ends the night; what a bug says is kept out, as it may hold anything."""
    path = tmp_path / "night.json"
    with contextlib.ExitStack() as outside:
        if error is not None:
            outside.enter_context(pytest.raises(type(error)))
        with NightRecord(path) as record:
            begun = told(path)
            assert (begun["state"], begun["exit_code"], begun["ended_at"]) == (
                "running",
                None,
                None,
            )
            record.begin([Path("a.csv")])
            assert told(path)["manifests"][0]["manifest"] == "a.csv"
            end_by(error)
    ended = told(path)
    assert (ended["state"], ended["exit_code"]) == ("ended", code)
    assert said is None or said in ended["stopped_by"]
    assert "a secret" not in path.read_text("utf-8")


def test_it_ends_with_what_came_of_each_manifest_and_of_all(tmp_path: Path) -> None:
    """One that could not be worked on is among them; a reason that two share is told once."""
    done, failed = Result(2, State.DONE), Result(3, State.FAILED)
    first = report(tmp_path / "a", done, failed, money=1.25, stops=(AT_A_CAP,))
    second = report(tmp_path / "b", done, money=0.5, stops=(AT_A_CAP,))
    with NightRecord(tmp_path / "night.json") as record:
        assert record.exit_code == 70, "a night whose end nobody told"
        refusal = UsageError("c.csv is empty.")
        record.end(
            ExitCode.STOPPED,
            [(Path("a.csv"), first), (Path("b.csv"), second), (Path("c.csv"), refusal)],
        )
    ended = told(tmp_path / "night.json")
    manifests = [tuple(one.values()) for one in ended["manifests"]]
    assert manifests == [
        ("a.csv", {"done": 1, "failed": 1}, 2, 1, 4, None),
        ("b.csv", {"done": 1}, 1, 1, 4, None),
        ("c.csv", {}, 0, 0, 2, "c.csv is empty."),
    ]
    assert ended["states"] == {"done": 2, "failed": 1}
    assert ended["spend"] == {"videos": 3, "video_seconds": 18, "money": 1.75}
    assert (ended["exit_code"], ended["submitted"]) == (4, 3)
    assert ended["stopped_by"] == record.stopped_by == "a cap is reached"
    assert (record.exit_code, record.submitted) == (4, 3)


@pytest.mark.parametrize("told_so", ["disk", "key", "results"])
def test_a_night_that_was_hindered_did_not_end_well(tmp_path: Path, told_so: str) -> None:
    """Its code may be 1 or 5: other manifests were worked on, or the next night would go on."""
    done = report(tmp_path / "a", Result(2, State.DONE))
    full = StoreError("outputs/b/videos has no room.")
    outcomes: dict[str, tuple[ExitCode, RunReport | ReelsheetError]] = {
        "disk": (ExitCode.UNFINISHED, replace(done, stops=(stop_by(full, Reach.SUBMITTING),))),
        "key": (ExitCode.NEEDS_USER, ConfigError("TOAPIS_API_KEY is not set.")),
        "results": (ExitCode.UNFINISHED, replace(done, failure=full)),
    }
    code, outcome = outcomes[told_so]
    with NightRecord(tmp_path / "night.json") as record:
        assert told(tmp_path / "night.json")["well"] is None
        record.end(code, [(Path("a.csv"), done), (Path("b.csv"), outcome)])
    assert told(tmp_path / "night.json")["well"] is record.ended_well is False
    assert told(tmp_path / "night.json")["exit_code"] == code
    expected = {
        "key": "TOAPIS_API_KEY is not set.",
        "disk": f"b.csv: {full.message}",
        "results": full.message,
    }
    assert record.stopped_by == expected[told_so]
    assert record.hindrance is (Hindrance.UNUSED if told_so == "key" else Hindrance.DISK)
    well, _ = look_at_night(tmp_path, None, 0.0)
    assert not well


def test_a_night_that_could_work_on_nothing_says_why(tmp_path: Path) -> None:
    with NightRecord(tmp_path / "night.json") as record:
        for name in ("a.csv", "b.csv"):
            record.refuse(tmp_path / name, UsageError("there is no such table."))
        record.end(ExitCode.USAGE, [])
    assert told(tmp_path / "night.json")["stopped_by"] == "there is no such table."


@pytest.mark.parametrize("text", ["", "3", "[]", "{", "[" * 100_000, '{"a":' * 100_000])
def test_what_is_no_record_and_no_summary_is_none(tmp_path: Path, text: str) -> None:
    """However deep its lists are."""
    for name in ("night.json", "summary.json"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_record(tmp_path / "night.json") is None
    assert read_summary(tmp_path) == {}


def test_a_night_that_found_no_room_to_begin_did_not_end_well(tmp_path: Path) -> None:
    """It ends with 5, before there is any manifest to tell of."""
    record = note_refusal(tmp_path, StoreError("the disk is full."))
    assert record is not None
    assert (record.exit_code, record.ended_well) == (5, False)


def test_a_night_that_was_killed_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "night.json"
    assert say_killed(path) is None
    with NightRecord(path, wall=lambda: 0.0):
        killed = "The night that began at 1970-01-01T00:00:00Z did not end: it was killed."
        assert say_killed(path) == killed
    assert say_killed(path) is None


def test_manifests_with_nothing_to_do_are_told_while_others_go_on(tmp_path: Path) -> None:
    """With their rows; without a price nobody knows of money, which is not 0."""
    path, spend = tmp_path / "night.json", Spend(2, 12, 0.0)
    with NightRecord(path) as record:
        record.begin([Path("a.csv"), Path("b.csv")])
        going = ManifestProgress(Path("a.csv"), {State.RUNNING: 2}, 2, 0, spend, priced=False)
        idle = ManifestProgress(Path("b.csv"), {State.DONE: 6}, 0, 0, Spend())
        states = {State.RUNNING: 2, State.DONE: 6}
        record.update(RunProgress(states, 2, 0, each=(going,), beside=(idle,)))
        running = told(path)
    assert running["states"] == {"running": 2, "done": 6}
    assert [one["states"] for one in running["manifests"]] == [{"running": 2}, {"done": 6}]
    assert running["spend"] == {"videos": 2, "video_seconds": 12, "money": None}


def test_what_ended_one_manifest_names_it(tmp_path: Path) -> None:
    """What ended all of those that were worked on stands alone, whatever was done before."""
    done, held = report(tmp_path / "a", Result(2, State.DONE)), report(tmp_path / "b")
    idle = replace(done, summary=replace(done.summary, submitted=0))
    held = replace(held, stops=(AT_A_CAP,))
    for others, said in (
        ([(Path("a.csv"), done)], "b.csv: a cap is reached"),
        ([(Path("a.csv"), idle)], "b.csv: a cap is reached"),
        ([(Path("a.csv"), idle), (Path("c.csv"), held)], "a cap is reached"),
        ([], "a cap is reached"),
    ):
        record = NightRecord(None)
        record.end(ExitCode.NEEDS_USER, [*others, (Path("b.csv"), held)])
        assert record.stopped_by == said


def test_one_video_without_a_price_makes_the_sum_unknown(tmp_path: Path) -> None:
    """Of a manifest, and of a night; one that ordered nothing changes no sum."""
    path, states = tmp_path / "night.json", {State.RUNNING: 2}
    priced = ManifestProgress(Path("a.csv"), states, 2, 0, Spend(2, 12, 0.2))
    idle = ManifestProgress(Path("b.csv"), states, 0, 0, Spend(), priced=False)
    unpriced = ManifestProgress(Path("c.csv"), states, 2, 0, Spend(2, 12, 0.1, 1), priced=False)
    for each, money in (((priced, idle), 0.2), ((priced, unpriced), None)):
        with NightRecord(path) as record:
            record.update(RunProgress(states, 2, 0, each=each))
            assert told(path)["spend"]["money"] == money
    with NightRecord(path) as record:
        done = Result(2, State.DONE)
        both = report(tmp_path / "a", done, money=0.1), report(tmp_path / "b", done)
        record.end(ExitCode.DONE, [(Path(one.summary.manifest), one) for one in both])
    assert told(path)["spend"]["money"] is None


def test_it_is_kept_up_to_date_every_few_seconds(tmp_path: Path) -> None:
    """Not at every step: the disk has other work."""
    path, clock = tmp_path / "night.json", [0.0]
    with NightRecord(path, now=lambda: clock[0], wall=lambda: 1000.0 + clock[0]) as record:
        for number in range(1, 4):
            states = {State.DONE: number, State.WAITING: 3 - number, State.FAILED: 0}
            each = ManifestProgress(Path("a.csv"), states, number, number, Spend(number, 6, 0.5))
            record.update(RunProgress(states, number, number, each=(each,)))
            clock[0] += 2
        running = told(path)
        assert running["states"] == {"done": 1, "waiting": 2}
        assert running["spend"] == {"videos": 1, "video_seconds": 6, "money": 0.5}
        record.update(RunProgress(states, 3, 3, each=(each,)))
        assert told(path)["states"] == {"done": 3}


def test_a_refusal_is_told_unless_another_night_goes_on(tmp_path: Path) -> None:
    """Nothing is made where there was nothing."""
    refusal = UsageError("there is no key.")
    note_refusal(tmp_path / "outputs", refusal)
    assert not (tmp_path / "outputs").exists()
    (tmp_path / "outputs").mkdir()
    with run_lock(lock_of(tmp_path / "outputs")):
        note_refusal(tmp_path / "outputs", refusal)
        assert read_record(tmp_path / "outputs" / "night.json") is None
    note_refusal(tmp_path / "outputs", refusal, rehearses=True)
    assert read_record(tmp_path / "outputs" / "night.json") is None, "a rehearsal is no night"
    assert told(tmp_path / "outputs" / "night.rehearsal.json")["exit_code"] == 2
    note_refusal(tmp_path / "outputs", refusal)
    assert told(tmp_path / "outputs" / "night.json")["exit_code"] == 2


def test_what_nobody_can_read_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "night.json").write_text("[1", encoding="utf-8")
    assert read_record(tmp_path / "night.json") is None


def test_a_signal_just_as_it_begins_leaves_no_night_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is in its place, and its context not yet begun."""
    path = tmp_path / "night.json"
    placed: list[Path] = []

    def place_and_end(target: Path, write: Callable[[IO[bytes]], object]) -> None:
        place(target, write)
        placed.append(target)
        if len(placed) == 1:
            raise SystemExit(143)

    monkeypatch.setattr("pipeline.night.record.place", place_and_end)
    with pytest.raises(SystemExit), NightRecord(path):
        pass
    assert (told(path)["state"], told(path)["exit_code"]) == ("ended", 143)
