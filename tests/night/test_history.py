"""The nights and runs so far, also those that were killed."""

from __future__ import annotations

import json
import stat
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import events as ev
from pipeline.config.loading import load
from pipeline.disk.folder import OutputFolder
from pipeline.disk.lock import run_lock
from pipeline.errors import ExitCode, UsageError
from pipeline.journal.journal import Journal
from pipeline.journal.sums import sum_up
from pipeline.model import State, Video
from pipeline.night.history import FILE_NAME, Past, note, read_past, settled
from pipeline.night.outside import Outside, home_of
from pipeline.night.record import NightRecord, lock_of
from pipeline.runner.reviewed import count_unjudged
from pipeline.writer.layout import Result
from tests.engine.night import attempt
from tests.night.ended import AT_A_CAP, report

LINE: dict[str, Any] = {
    "id": "n1",
    "command": "night",
    "rehearsal": False,
    "state": "running",
    "started_at": "2026-11-27T01:00:00Z",
    "ended_at": None,
    "manifests": ["/m/a.csv"],
    "states": {},
    "submitted": 0,
    "downloaded": 0,
    "spend": {"money": None, "currency": "USD"},
    "exit_code": None,
    "stopped_by": None,
}


def outside(tmp_path: Path, *sets: str, command: str = "night") -> Outside:
    config = load(None, environ={}, overrides=["provider=toapis", *sets])
    return Outside(config, tmp_path, command, pytest.fail)


def test_a_night_with_what_came_of_it(tmp_path: Path) -> None:
    """Ordered, failed, doubtful, money, what stopped it, and its exit code."""
    states = (State.DONE, State.FAILED, State.MISSING)
    rows = [Result(number, state) for number, state in enumerate(states)]
    path = tmp_path / "night.json"
    with NightRecord(path, outside=outside(tmp_path, "budget.price_per_second=1")) as record:
        record.begin([Path("a.csv"), Path("b.csv")])
        first = report(tmp_path / "a", *rows, money=1.25, stops=(AT_A_CAP,))
        second = UsageError("b.csv is empty.")
        record.end(ExitCode.STOPPED, [(Path("a.csv"), first), (Path("b.csv"), second)])
    (one,) = read_past(tmp_path)
    assert (one.command, one.state, one.exit_code) == ("night", "ended", 4)
    assert (one.submitted, one.downloaded, one.failed, one.doubtful) == (3, 1, 1, 1)
    assert (one.money, one.currency, one.stopped_by) == (1.25, "USD", "a cap is reached")
    assert [Path(manifest).name for manifest in one.manifests] == ["a.csv", "b.csv"]
    assert settled([one], tmp_path, lock_of(tmp_path)) == [one]


@pytest.mark.parametrize(
    ("error", "code", "why"),
    [
        (UsageError("there is no key."), 2, "there is no key."),
        (ZeroDivisionError("a secret"), 70, "internal error: ZeroDivisionError"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_however_it_ends(tmp_path: Path, error: BaseException, code: int, why: str) -> None:
    """Before it began, by a bug, by a signal: it is listed with its end; a bug's words are not."""
    with pytest.raises(type(error)), NightRecord(None, outside=outside(tmp_path)):
        raise error
    (one,) = read_past(tmp_path)
    assert (one.state, one.exit_code, one.stopped_by) == ("ended", code, why)
    assert "a secret" not in (tmp_path / FILE_NAME).read_text("utf-8")


def sent(folder: Path, manifest: Path, at: float, *ends: ev.Event) -> None:
    """Put submissions into a journal, as a run leaves them that is killed."""
    folder.mkdir(parents=True)
    journal = Journal(folder / "journal.db")
    journal.claim(manifest, adopt=False)
    for event in ends:
        intent = ev.Intended(event.key, 1, attempt(event.key))
        journal.append([intent], at).result()
        journal.append([event], at).result()
    journal.close()


def test_of_what_came_in_a_killed_night_the_next_one_tells(tmp_path: Path) -> None:
    """Also after two of them, and a run by day between; not of what an ended night told of."""
    journal = Journal(tmp_path / "journal.db")
    nights = [("night", True), ("night", False), ("run", True), ("night", False), ("night", None)]
    for number, (command, ends) in enumerate(nights):
        at, name, key = 100.0 * number, f"n{number}", f"k{number}"
        journal.begin_run(name, command, at)
        video = Video(f"{key}.mp4", 1, "0" * 64, 6.0, 1280, 720)
        journal.append([ev.Intended(key, 1, attempt(key))], at + 1).result()
        came = [
            ev.Accepted(key, 1, f"v{number}"),
            ev.Completed(key, 1, 1.0),
            ev.Downloaded(key, 1, video),
        ]
        journal.append(came, at + 2).result()
        if ends:
            journal.end_run(name, at + 9, 0)
    assert count_unjudged(journal, [("k4", 1)], "n4") == 4, "k1, k2, k3 and its own"
    journal.end_run("n4", 500.0, 0)
    assert count_unjudged(journal, [], "n5") == 0
    journal.close()


def test_a_journal_in_which_one_video_has_no_price_knows_no_sum(tmp_path: Path) -> None:
    """What is known of it would look as if it were all."""
    path, costs = tmp_path / "journal.db", (0.1, 0.2, None)
    journal = Journal(path)
    sums = []
    for number, cost in enumerate(costs):
        one = replace(attempt(f"k{number}"), cost=cost)
        journal.append([ev.Intended(one.key, 1, one)], 100.0).result()
        journal.append([ev.Accepted(one.key, 1, f"v{number}")], 100.0).result()
        sums.append(sum_up(path, 0.0, 200.0).cost)
    journal.close()
    assert sums == [0.1, pytest.approx(0.3), None]
    assert sum_up(path, 0.0, 50.0).cost is None


def test_what_was_killed_has_no_end_and_the_journals_know_what_it_ordered(tmp_path: Path) -> None:
    """Up to when the next one began over the same manifest; rehearsals are counted apart."""
    manifest = (tmp_path / "a.csv").resolve()
    first = {**LINE, "manifests": [str(manifest)]}
    second = {**first, "id": "n2", "started_at": "2026-11-28T01:00:00Z"}
    note(tmp_path, first)
    note(tmp_path, second)
    began = 1795741200.0  # 2026-11-27T01:00:00Z
    orders = [ev.Accepted("a", 1, "video_1"), ev.AnswerLost("b", 1, "?"), ev.Accepted("c", 1, "v3")]
    sent(tmp_path / "a", manifest, began + 60, *orders)
    sent(tmp_path / "a.rehearsal", manifest, began + 60, *orders)
    told = settled(read_past(tmp_path), tmp_path, lock_of(tmp_path))
    assert [(one.id, one.state, one.submitted, one.doubtful) for one in told] == [
        ("n1", "killed", 3, 1),
        ("n2", "killed", 0, 0),
    ]
    with run_lock(lock_of(tmp_path)):
        told = settled(read_past(tmp_path), tmp_path, lock_of(tmp_path))
    assert [one.state for one in told] == ["killed", "running"], "only the latest can go on"


def test_a_run_is_known_by_its_journal(tmp_path: Path) -> None:
    """With what it has ordered so far; it goes on as long as its folder is locked."""
    manifest = (tmp_path / "a.csv").resolve()
    sent(tmp_path / "a", manifest, 1795741260.0, ev.Accepted("a", 1, "video_1"))
    journal = Journal(tmp_path / "a" / "journal.db")
    journal.begin_run("r0", "run", 1795741100.0)
    journal.end_run("r0", 1795741200.0, 1, "the disk is full")
    journal.begin_run("r1", "retry", 1795741250.0)
    journal.close()
    with run_lock(OutputFolder(tmp_path / "a").lock):
        first, one = settled(read_past(tmp_path), tmp_path, lock_of(tmp_path))
    assert (first.command, first.state, first.submitted, first.exit_code) == ("run", "ended", 0, 1)
    assert (first.stopped_by, one.stopped_by) == ("the disk is full", None)
    assert (one.command, one.state, one.submitted) == ("retry", "running", 1)
    (one,) = settled(read_past(tmp_path), tmp_path, lock_of(tmp_path), 1)
    assert (one.state, one.submitted) == ("killed", 1)


def test_a_video_that_came_home_did_so_whatever_became_of_its_row(tmp_path: Path) -> None:
    """A new take was asked for since: the run that brought the first one home says so still."""
    manifest = (tmp_path / "a.csv").resolve()
    journal = Journal(tmp_path / "journal.db")
    journal.claim(manifest, adopt=False)
    journal.begin_run("r0", "run", 1795741200.0)
    video = Video("a.mp4", 1, "0" * 64, 4.0, 1280, 720)
    for event in (
        ev.Intended("a", 1, attempt("a")),
        ev.Accepted("a", 1, "v1"),
        ev.Completed("a", 1, None),
        ev.Downloaded("a", 1, video),
        ev.Requeued("a", 1),
    ):
        journal.append([event], 1795741210.0).result()
    journal.end_run("r0", 1795741300.0, 0)
    journal.close()
    (one,) = settled(read_past(tmp_path), tmp_path, lock_of(tmp_path))
    assert (one.submitted, one.downloaded, one.done) == (1, 1, 0)


def test_what_a_later_night_brings_home_is_not_told_of_the_one_that_was_killed(
    tmp_path: Path,
) -> None:
    """Its own are its orders, their money, and what came home or failed before the next began.

    That goes for `--nights` as well, where what began next was a run. What was refused is no order.
    """
    manifest, began = (tmp_path / "a.csv").resolve(), 1795741200.0
    first = {**LINE, "manifests": [str(manifest)]}
    note(tmp_path, first)
    note(tmp_path, {**first, "id": "n2", "started_at": "2026-11-28T01:00:00Z"})
    journal = Journal(tmp_path / "journal.db")
    journal.claim(manifest, adopt=False)
    journal.begin_run("r0", "run", began + 3600)
    video = Video("a.mp4", 1, "0" * 64, 4.0, 1280, 720)
    for key in ("a", "b", "c", "d"):
        order = ev.Intended(key, 1, replace(attempt(key), cost=0.5))
        journal.append([order, ev.Accepted(key, 1, key)], began + 10).result()
    refused = ev.Intended("e", 1, replace(attempt("e"), cost=0.5))
    journal.append([refused, ev.Declined("e", 1, None, "no")], began + 10).result()
    for key, after_s in (("a", 20), ("b", 3620), ("c", 86_420)):
        home = [ev.Completed(key, 1, None), ev.Downloaded(key, 1, video)]
        journal.append(home, began + after_s).result()
    journal.append([ev.TaskFailed("d", 1, None, "no")], began + 86_420).result()
    journal.end_run("r0", began + 3700, 0)
    journal.close()
    past = read_past(tmp_path)
    told = settled(past, tmp_path, lock_of(tmp_path))
    found = [(one.submitted, one.downloaded, one.done, one.failed, one.money) for one in told]
    assert found == [(4, 1, 1, 0, 2.0), (0, 1, 1, 0, None), (0, 1, 1, 1, None)]
    nights = settled(past, tmp_path, lock_of(tmp_path), nights=True)
    assert nights == [told[0], told[2]]


@given(st.lists(st.one_of(st.binary(), st.sampled_from([*LINE]).map(str.encode)), max_size=4))
def test_lines_that_nobody_of_us_wrote_are_passed_over(
    tmp_path_factory: pytest.TempPathFactory, others: list[bytes]
) -> None:
    """And one that was torn by a power cut spoils no other."""
    folder = tmp_path_factory.mktemp("past")
    (folder / FILE_NAME).parent.mkdir()
    (folder / FILE_NAME).write_bytes(b"\n".join([*others, b'{"id": "torn", "comm']))
    note(folder, LINE)
    note(folder, {**LINE, "id": "n2", "ended_at": "2026-11-27T02:00:00Z", "exit_code": 0})
    assert [one.id for one in read_past(folder)] == ["n1", "n2"]


@pytest.mark.parametrize("name", sorted(LINE))
def test_a_line_without_one_of_its_fields_is_none(tmp_path: Path, name: str) -> None:
    note(tmp_path, {key: value for key, value in LINE.items() if key != name})
    note(tmp_path, {**LINE, name: [[1]]})
    assert all(isinstance(one, Past) for one in read_past(tmp_path))
    assert len(read_past(tmp_path)) <= 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs rights of POSIX")
def test_it_is_for_its_owner_alone_and_has_a_bound(tmp_path: Path) -> None:
    """Of thousands of nights the latest are kept."""
    large = {**LINE, "stopped_by": "x" * 400_000}
    for number in range(12):
        note(
            tmp_path,
            {**large, "id": f"n{number}", "started_at": f"2026-11-{number + 1:02}T01:00:00Z"},
        )
    files = sorted((tmp_path / FILE_NAME).parent.glob("history*"))
    assert len(files) == 2
    assert sum(one.stat().st_size for one in files) < 2_000_000
    assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
    assert read_past(tmp_path)[-1].id == "n11"


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """A run that is refused leaves nothing behind, and says nothing of it."""
    there = tmp_path / "outputs"
    with pytest.raises(UsageError), NightRecord(None, outside=outside(there, command="run")):
        raise UsageError("no.")
    assert not there.exists()


def test_where_it_is(tmp_path: Path) -> None:
    """Beside the output folders; a run into a folder of its own has it there."""
    outputs = tmp_path / "outputs"
    assert home_of(outputs / "a", outputs, several=False) == outputs
    assert home_of(tmp_path / "own", outputs, several=False) == tmp_path / "own"
    assert home_of(tmp_path / "own" / "a", outputs, several=True) == tmp_path / "own"


def test_a_line_is_ascii(tmp_path: Path) -> None:
    """Whatever a manifest is called."""
    note(tmp_path, {**LINE, "manifests": ["/m/\udce4\u2028.csv"]})
    (line,) = (tmp_path / FILE_NAME).read_text("ascii").splitlines()
    assert json.loads(line)["manifests"] == ["/m/\udce4\u2028.csv"]
