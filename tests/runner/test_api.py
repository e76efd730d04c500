"""Reelsheet called by a program: from any thread, inside a loop, interrupted, and refused."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.disk.lock import run_lock
from pipeline.engine.rows import Stop
from pipeline.errors import (
    ConfigError,
    ExitCode,
    InternalError,
    ManifestError,
    ReelsheetError,
    RunLocked,
    StoreError,
    UsageError,
)
from pipeline.model import State
from pipeline.night import outside as seen_from_outside
from pipeline.night.history import read_past
from pipeline.night.switch import SUPPORTED, Answer, ask_all
from pipeline.runner import inthread
from pipeline.runner.api import Reelsheet
from pipeline.runner.lanes import run
from pipeline.runner.order import RowsInvalid, place_order, select
from pipeline.runner.reports import RepeatsWait, RunReport
from pipeline.runner.target import resolve_target
from pipeline.runner.watching import RunProgress
from tests.night.test_metrics import parsed, value
from tests.security.shop import Quiet
from tests.system.harness import invariants, loglines, sheets
from tests.system.harness.api import KEY, Api
from tests.system.harness.product import FAST

FEW = {"limits.outstanding": 6, "limits.submits_in_flight": 3}
COUNTED = ("submissions", "downloads")
KEYS = ("P0001", "P0002", "P0003")
OWN_GROK = """
sheet = 1
models = ["grok-video-1.5"]
source = "https://docs.example.com/grok"
read = 2026-11-22
replaces = true
[[images]]
counts = [1]
put = {{ image = "{{1}}" }}
[fields.duration]
type = "integer"
values = [4, 9]
default = {seconds}
[fields.aspect_ratio]
values = ["16:9"]
default = "16:9"
[fields.resolution]
values = ["480p"]
default = "480p"
"""


@dataclass
class Studio:
    """A working folder with one manifest, tied to the emulator."""

    folder: Path
    api: Api

    @property
    def manifest(self) -> Path:
        return self.folder / "shop.csv"

    @property
    def out(self) -> Path:
        return self.folder / "outputs" / "shop"

    def write(self, count: int = 3, **cells: str) -> Path:
        return sheets.write(self.manifest, sheets.rows(count, duration="4", **cells))

    def sheet(
        self, settings: Mapping[str, object] | None = None, *, out: Path | None = None
    ) -> Reelsheet:
        fast = {**FAST, "api.base_url": self.api.base_url}
        return Reelsheet(self.manifest, out=out, settings={**fast, **(settings or {})})

    def hold(self) -> None:
        """Hold that rows in = rows out and that nothing was paid twice or forgotten."""
        before = self.manifest.read_bytes()
        entries = invariants.journal_holds(self.out)
        invariants.submissions_hold(self.api, self.out, entries)
        assert len(sheets.states(self.out)) == before.count(b"\n") - 1


@pytest.fixture
def studio(tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch) -> Studio:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOAPIS_API_KEY", KEY)
    made = Studio(tmp_path, api)
    made.write()
    return made


@pytest.fixture(autouse=True)
def silence(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing is ever printed."""
    yield
    assert capfd.readouterr() == ("", "")


# What comes back.


def test_others_see_the_run_of_a_program_as_that_of_a_command(studio: Studio) -> None:
    """In metrics and history, also one that was broken off, and one that could not begin."""
    path = studio.folder / "m.prom"
    given = {**FAST, "api.base_url": studio.api.base_url or "", "metrics.textfile": str(path)}

    def seen(**settings: str) -> dict[str, float | None]:
        sheet = seen_from_outside.Reelsheet(studio.manifest, settings={**given, **settings})
        with contextlib.suppress(ReelsheetError, KeyboardInterrupt):
            sheet.run(on_progress=interrupt if settings else None)
        told = parsed(path.read_text("utf-8"))
        at = {"manifest": str(studio.manifest)}
        counts = {f"{one}_total": value(told, f"{one}_total", **at) for one in COUNTED}
        return {**counts, "up": value(told, "up"), "exit_code": value(told, "exit_code")}

    def interrupt(_: RunProgress) -> None:
        raise KeyboardInterrupt

    ended = {"up": 0, "exit_code": 0, "submissions_total": 3, "downloads_total": 3}
    assert seen() == ended
    studio.write(4)
    assert seen(**{"limits.attempts": "2"})["exit_code"] == 130
    studio.manifest.write_text("sku,note\nA,x\n", encoding="utf-8")
    assert seen() == {**ended, "exit_code": 2, "submissions_total": 0, "downloads_total": 0}
    runs = [(one.command, one.exit_code) for one in read_past(studio.out.parent)]
    assert runs == [("run", 0), ("run", 130)]


def test_a_run_comes_back_as_a_frozen_report(studio: Studio) -> None:
    """Figures, the money, each row with the path of its video, and where the results are."""
    told: list[RunProgress] = []
    report = studio.sheet({"budget.price_per_second": 0.02}).run(on_progress=told.append)
    assert (report.exit_code, report.states) == (ExitCode.DONE, {"done": 3})
    assert (report.submitted, report.downloaded) == (3, 3)
    spend = report.spend
    assert (spend.videos, spend.video_seconds, spend.money, spend.currency) == (3, 12, 0.24, "USD")
    assert [(row.key, row.row, row.state) for row in report.results] == [
        (key, number, State.DONE) for number, key in enumerate(KEYS, 2)
    ]
    for row in report.results:
        assert row.video is not None
        assert row.video.is_absolute()
        assert row.video.is_file()
    assert report.results_file is not None
    assert report.results_file.samefile(studio.out / "results.csv")
    assert (report.failed_file, report.failure, report.stops) == (None, None, ())
    assert told[-1] == RunProgress({State.DONE: 3}, 3, 3)
    for record in (report, spend, report.results[0], told[-1]):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(record, dataclasses.fields(record)[0].name, None)
    assert hash(report)
    assert not hasattr(report, "outcomes")
    studio.hold()


def test_an_unknown_option_is_named_with_the_method(studio: Studio) -> None:
    """Not with a function inside, which a program never called."""
    sheet: Any = studio.sheet()
    with pytest.raises(TypeError, match=r"^run\(\) got an unexpected keyword argument 'foo'$"):
        sheet.run(foo=1)
    with pytest.raises(TypeError, match=r"^plan\(\) got an unexpected keyword argument 'strict'$"):
        sheet.plan(strict=True)


def test_check_plan_and_status_send_nothing(studio: Studio) -> None:
    """All three read; the plan has every row with its reason, and the price."""
    sheets.write(studio.manifest, [*sheets.rows(2, duration="4"), sheets.row("bad", "", note="x")])
    sheet = studio.sheet({"budget.price_per_second": 0.02})
    mark = studio.api.mark()
    checked = sheet.check()
    assert (checked.rows, checked.valid, checked.ok) == (3, 2, False)
    assert [(one.row, one.column) for one in checked.problems] == [(4, "prompt")]
    planned = sheet.plan()
    assert (planned.rows, planned.submits, planned.groups["new"]) == (3, 2, 2)
    assert (planned.video_seconds, planned.money, planned.refusal) == (8, 0.16, None)
    assert [step.action for step in planned.steps] == ["submit", "submit", "leave"]
    planned.groups["new"] = 7
    assert planned.groups["new"] == 2
    assert hash(planned)
    assert sheet.plan(limit=1, only=["P0002"]).submits == 1
    status = sheet.status()
    assert status.states == {"waiting": 2, "invalid": 1}
    assert status.rows[2].error is not None
    assert studio.api.calls(since=mark) == []


@pytest.mark.parametrize(
    ("chosen", "done"),
    [
        ({"limit": 1}, {"P0001"}),
        ({"only": "P0002"}, {"P0002"}),
        ({"only": ["P0003", "P0001"]}, {"P0001", "P0003"}),
        ({"limit": 0}, set()),
    ],
)
def test_rows_are_selected_as_on_the_command_line(
    studio: Studio, chosen: dict[str, Any], done: set[str]
) -> None:
    """What is not selected does not count towards the exit code."""
    report = studio.sheet().run(**chosen)
    assert report.exit_code == ExitCode.DONE
    assert {row.key for row in report.results if row.state is State.DONE} == done


def test_another_take_and_another_attempt(studio: Studio) -> None:
    """`redo` and `retry` take a key, a state or several."""
    bad = sheets.row("bad", "a mug [fault:query_failed_error@internal_error]", duration="4")
    sheets.write(studio.manifest, [*sheets.rows(2, duration="4"), bad])
    sheet = studio.sheet()
    report = sheet.run()
    assert (report.exit_code, report.states) == (ExitCode.NEEDS_USER, {"done": 2, "failed": 1})
    assert report.failed_file is not None
    assert (sheet.plan().submits, sheet.plan(retry="failed").submits) == (0, 1)
    assert sheet.run(retry=["failed", "expired"]).submitted == 1
    assert sheet.run(redo="P0002").submitted == 1
    sheets.write(studio.manifest, [*sheets.rows(2, duration="6"), bad])
    assert sheet.run().submitted == 0
    assert sheet.run(redo="changed").submitted == 2
    studio.hold()


def test_settings_are_values_of_python(studio: Studio) -> None:
    """Paths, numbers, nothing, mappings; texts as by `--set`. What is ignored is said."""
    studio.manifest.write_text("code,words\nA,a red mug\n", encoding="utf-8")
    made = studio.folder / "made"
    columns = {"code": "key", "words": "prompt"}
    settings = {"output.dir": made, "manifest.columns": columns, "manifest.key": None}
    report = studio.sheet({**settings, "defaults.duration": 4, "api.in_doubt": "hold"}).run()
    assert [(row.key, row.seconds, row.video) for row in report.results] == [
        ("A", 4, made / "shop" / "videos" / "A.mp4")
    ]
    assert "in_doubt" in report.notes[0]


@pytest.mark.parametrize("yes", [False, True])
def test_a_short_balance_submits_only_with_yes(studio: Studio, yes: bool) -> None:
    """Nobody can be asked: without a yes nothing is submitted, exit code 4."""
    mark = studio.api.mark()
    report = studio.sheet({"budget.price_per_second": 100_000}).run(yes=yes)
    assert report.exit_code == (ExitCode.DONE if yes else ExitCode.STOPPED)
    assert len(studio.api.calls("submit", since=mark)) == (3 if yes else 0)
    assert "this run needs" in report.notes[0]


# Where it works.


def test_it_works_in_a_thread_and_leaves_signals_alone(studio: Studio) -> None:
    """In a worker thread the run ends like in the main one; no handler is touched by either."""
    seen: list[object] = []
    before = [signal.getsignal(number) for number in signal.valid_signals()]

    def look(_: RunProgress) -> None:
        seen.append([signal.getsignal(number) for number in signal.valid_signals()])
        seen.append(threading.current_thread())

    reports: list[RunReport] = []
    sheet = studio.sheet()
    thread = threading.Thread(
        target=lambda: reports.append(sheet.run(limit=1, on_progress=look)), name="mine"
    )
    thread.start()
    thread.join()
    assert [one.submitted for one in reports] == [1]
    assert sheet.run(on_progress=look).submitted == 2
    assert all(one == before for one in seen[::2])
    assert set(seen[1::2]) == {thread, threading.main_thread()}
    studio.hold()


async def test_it_works_inside_a_running_loop(studio: Studio) -> None:
    """`run` is called where asyncio.run may not be; `arun` lets the loop go on meanwhile."""
    sheet = studio.sheet()
    assert sheet.run(limit=1).submitted == 1
    ticks: list[int] = []
    told: list[RunProgress] = []

    async def tick() -> None:
        while True:
            ticks.append(len(told))
            await asyncio.sleep(0.01)

    ticking = asyncio.create_task(tick())
    report = await sheet.arun(on_progress=told.append)
    ticking.cancel()
    assert (report.exit_code, report.submitted) == (ExitCode.DONE, 2)
    assert told[-1].downloaded == 2
    assert len(ticks) > 3
    studio.hold()


async def test_two_at_once_in_one_process(studio: Studio) -> None:
    """Two manifests go side by side; of two runs in one folder the second is refused, 75."""
    other = Studio(studio.folder / "other", studio.api)
    other.write(prompt="film of {}")
    outs = [studio.out, other.folder / "outputs" / "shop"]
    first, second = await asyncio.gather(
        *(one.sheet(out=out).arun() for one, out in zip((studio, other), outs, strict=True))
    )
    assert (first.submitted, second.submitted) == (3, 3)
    with run_lock(studio.out / "cache" / "run.lock"), pytest.raises(RunLocked) as refused:
        await studio.sheet().arun()
    assert refused.value.exit_code == ExitCode.LOCKED
    studio.hold()


def test_sheets_of_ones_own_do_not_meet(studio: Studio) -> None:
    """Two runs at once, each with a sheet of its own for one model: each sends its own defaults."""
    sheets_of, barrier = {}, threading.Barrier(2)
    for name, seconds in (("one", 4), ("two", 9)):
        folder = studio.folder / name
        (folder / "models").mkdir(parents=True)
        (folder / "config.yaml").touch()
        (folder / "models" / "grok.toml").write_text(
            OWN_GROK.format(seconds=seconds), encoding="utf-8"
        )
        row = f"{name},A mug turns,grok-video-1.5,https://shop.example/{name}.jpg\n"
        (folder / "shop.csv").write_text("key,prompt,video_model,image_1\n" + row)
        settings = {**FAST, "api.base_url": studio.api.base_url}
        sheets_of[name] = Reelsheet(
            folder / "shop.csv",
            config=folder / "config.yaml",
            out=folder / "out",
            settings=settings,
        )

    def work(sheet: Reelsheet) -> None:
        try:
            barrier.wait()
            for _ in range(3):
                assert sheet.check().problems == ()
            barrier.wait()
            assert sheet.run().submitted == 1
        except BaseException:
            barrier.abort()  # else the other one waits for it
            raise

    with ThreadPoolExecutor() as executor:
        assert len([*executor.map(work, sheets_of.values())]) == 2
    bodies = [one["body"] for one in studio.api.records()["submissions"] if "image" in one["body"]]
    assert {body["image"]: body["duration"] for body in bodies} == {
        "https://shop.example/one.jpg": 4,
        "https://shop.example/two.jpg": 9,
    }


# How it ends early.


def interrupted_in(studio: Studio) -> Callable[[RunProgress], None]:
    """Return what raises KeyboardInterrupt as Ctrl-C does, once something was submitted."""

    def look(progress: RunProgress) -> None:
        if progress.submitted:
            signal.raise_signal(signal.SIGINT)

    studio.write(40)
    studio.api.faults("submit_slow@0.3")
    return look


def stopped_early(studio: Studio) -> None:
    """Hold that a graceful end left no doubt, and that the next run makes the rest, once."""
    studio.hold()
    states = set(sheets.states(studio.out).values())
    assert "waiting" in states
    assert not states & {"in_doubt", "submitting"}
    assert sheets.summary(studio.out)["stopped_by"] == "interrupted by the calling program"
    studio.api.faults()
    report = studio.sheet().run()
    assert (report.exit_code, report.states) == (ExitCode.DONE, {"done": 40})
    studio.hold()


@pytest.mark.skipif(sys.platform == "win32", reason="raises signals as POSIX does")
def test_ctrl_c_ends_it_gracefully(studio: Studio) -> None:
    """Answers under way are awaited, the results written; then KeyboardInterrupt is raised."""
    look = interrupted_in(studio)
    # Whoever starts the tests in the background of a shell has them ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            studio.sheet(FEW).run(on_progress=look)
    finally:
        signal.signal(signal.SIGINT, before)
    stopped_early(studio)


@pytest.mark.skipif(not SUPPORTED, reason="no sockets of the file system")
def test_others_stop_the_run_of_a_program_as_that_of_a_command(studio: Studio) -> None:
    """`reelsheet stop` asks it over the folder of outputs; it reports what was not sent."""
    studio.write(20)
    studio.api.faults("submit_slow@0.3")
    settings = {**FAST, **FEW, "api.base_url": studio.api.base_url}
    answers: list[Answer] = []

    def look(progress: RunProgress) -> None:
        if progress.submitted and not answers:
            answers.extend(ask_all(studio.folder / "outputs", {"do": "stop"}))

    report = seen_from_outside.Reelsheet(studio.manifest, settings=settings).run(on_progress=look)
    assert [one.does_it for one in answers] == [True]
    assert report.exit_code is ExitCode.UNFINISHED
    assert [one.reason for one in report.stops] == ["stopped by `reelsheet stop`"]
    assert report.states["waiting"] > 0
    studio.hold()


class _EndsTheFlow(BaseException):
    """As Prefect raises it after SIGTERM, and Airflow after its limit of time: no Exception."""


def test_an_orchestrator_ends_it_gracefully(studio: Studio) -> None:
    """Whatever it raises, no thread goes on buying behind its back."""
    raised: list[int] = []

    def look(progress: RunProgress) -> None:
        if progress.submitted:
            raised.append(progress.submitted)
            raise _EndsTheFlow

    studio.write(40)
    studio.api.faults("submit_slow@0.3")
    with pytest.raises(_EndsTheFlow):
        studio.sheet(FEW).run(on_progress=look)
    assert len(raised) == 1
    assert "reelsheet run" not in {one.name for one in threading.enumerate()}
    stopped_early(studio)


@dataclass
class _Interrupted(inthread.RunThread):
    """A run that is interrupted while its thread begins: just before, or just after."""

    after: bool = False
    times: int = 0

    def start(self, pass_on: Callable[[RunProgress | None], None]) -> None:
        self.times += 1
        if self.times == 1 and not self.after:
            raise KeyboardInterrupt
        super().start(pass_on)
        if self.times == 1:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [False, True])
def test_an_interruption_while_it_begins_is_heard(studio: Studio, after: bool) -> None:
    """No thread goes on that nobody waits for, and nothing is submitted."""
    mark = studio.api.mark()
    plain = studio.sheet()._work()
    work = _Interrupted(plain.target, plain.selection, after=after)
    with pytest.raises(KeyboardInterrupt):
        inthread.wait_for(work, None)
    assert work.ended
    assert "reelsheet run" not in {one.name for one in threading.enumerate()}
    assert not studio.api.calls("submit", since=mark)
    assert studio.sheet().run().states == {"done": 3}


def test_a_call_back_that_breaks_ends_it_gracefully(studio: Studio) -> None:
    """Its own error comes out, and it is not called again."""
    calls = []

    def look(progress: RunProgress) -> None:
        if progress.submitted:
            calls.append(progress)
            raise ZeroDivisionError

    interrupted_in(studio)
    with pytest.raises(ZeroDivisionError):
        studio.sheet(FEW).run(on_progress=look)
    assert len(calls) == 1
    stopped_early(studio)


async def test_cancellation_ends_it_gracefully(studio: Studio) -> None:
    """The task is cancelled only when the answers under way are kept and the results written."""
    interrupted_in(studio)
    begun = asyncio.Event()
    running = asyncio.create_task(
        studio.sheet(FEW).arun(on_progress=lambda told: begun.set() if told.submitted else None)
    )
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    stopped_early(studio)


async def test_a_time_limit_ends_it_gracefully(studio: Studio) -> None:
    """asyncio.timeout works as everywhere."""
    interrupted_in(studio)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.5):
            await studio.sheet(FEW).arun()
    studio.hold()


async def test_a_third_interruption_does_not_wait(studio: Studio) -> None:
    """As the third Ctrl-C of the command; what was under way is looked up by the next run."""
    studio.write()
    studio.api.faults("submit_slow@3")
    begun = asyncio.Event()
    running = asyncio.create_task(studio.sheet().arun(on_progress=lambda _: begun.set()))
    await begun.wait()
    for _ in range(3):
        assert not running.done()
        running.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await running
    assert any(one.name == "reelsheet run" for one in threading.enumerate())
    for one in threading.enumerate():
        if one.name == "reelsheet run":
            await asyncio.to_thread(one.join)
    studio.hold()


def test_what_has_begun_is_reported_also_when_it_ends_with_5(studio: Studio) -> None:
    """The results cannot be written: the report says so, and the journal has it all."""
    in_the_way = studio.out / ".results.csv.part" / "in the way"
    in_the_way.mkdir(parents=True)
    report = studio.sheet().run()
    assert (report.exit_code, report.results_file) == (ExitCode.UNFINISHED, None)
    assert isinstance(report.failure, StoreError)
    assert report.states == {"done": 3}
    (past,) = read_past(studio.out.parent)
    assert (past.state, past.exit_code, past.stopped_by) == ("ended", 5, report.failure.message)
    summary = sheets.summary(studio.out)
    assert (summary["exit_code"], summary["stopped_by"]) == (5, report.failure.message)
    assert summary["finished_at"] is not None
    in_the_way.rmdir()
    in_the_way.parent.rmdir()
    assert studio.sheet().run().submitted == 0


def test_an_internal_error_is_raised_with_70(studio: Studio) -> None:
    """Whether the run could still report it or not."""
    with pytest.raises(InternalError) as raised:
        _report_of(studio, exit_code=70)
    assert raised.value.message == "internal error: a bug"
    assert raised.value.exit_code == ExitCode.INTERNAL
    assert isinstance(raised.value, ReelsheetError)


def _report_of(studio: Studio, *, exit_code: int) -> RunReport:
    """Take the report of a run as one with another end."""
    report = studio.sheet().run()
    target = resolve_target(studio.manifest)
    thread = inthread.RunThread(target, select(target))
    thread.report = dataclasses.replace(
        report,
        summary=dataclasses.replace(report.summary, exit_code=exit_code),
        stops=(Stop(ExitCode.INTERNAL, "internal error: a bug"),),
    )
    return thread.result()


# The guards over money: each refuses a program as it refuses the command line.

Refused = Callable[[Studio, pytest.MonkeyPatch], Reelsheet]


def in_another_working_folder(studio: Studio, patch: pytest.MonkeyPatch) -> Reelsheet:
    return _moved_to_another_folder(studio, patch, {"account.book": "none"})


def _moved_to_another_folder(
    studio: Studio, patch: pytest.MonkeyPatch, settings: Mapping[str, object]
) -> Reelsheet:
    assert studio.sheet(settings).run(limit=1).submitted == 1
    elsewhere = studio.folder / "elsewhere"
    elsewhere.mkdir()
    patch.chdir(elsewhere)
    return studio.sheet(settings)


def of_another_manifest(studio: Studio, _: pytest.MonkeyPatch) -> Reelsheet:
    assert studio.sheet().run(limit=1).submitted == 1
    return at(studio, Path(shutil.copy(studio.manifest, studio.folder / "copy.csv")))


def at(studio: Studio, manifest: Path) -> Reelsheet:
    """Return a manifest with the output folder of the first one, named."""
    settings = {**FAST, "api.base_url": studio.api.base_url}
    return Reelsheet(manifest, out=studio.out, settings=settings)


def a_rehearsal_in_a_live_folder(studio: Studio, _: pytest.MonkeyPatch) -> Reelsheet:
    assert studio.sheet().run(limit=1).submitted == 1
    return studio.sheet({"provider": "rehearsal"}, out=studio.out)


def live_in_the_folder_of_a_rehearsal(studio: Studio, _: pytest.MonkeyPatch) -> Reelsheet:
    out = studio.folder / "made.rehearsal"
    assert studio.sheet({"provider": "rehearsal"}, out=out).run(limit=1).submitted == 1
    return studio.sheet(out=out)


def without_a_prompt_column(studio: Studio, _: pytest.MonkeyPatch) -> Reelsheet:
    studio.manifest.write_text("sku,note\nA,x\n", encoding="utf-8")
    return studio.sheet()


def without_a_key(studio: Studio, patch: pytest.MonkeyPatch) -> Reelsheet:
    patch.delenv("TOAPIS_API_KEY")
    return studio.sheet()


def with_a_linked_cache(studio: Studio, _: pytest.MonkeyPatch) -> Reelsheet:
    studio.out.mkdir(parents=True)
    (studio.folder / "target").mkdir()
    (studio.out / "cache").symlink_to(studio.folder / "target")
    return studio.sheet()


def with_an_unknown_setting(studio: Studio, _: pytest.MonkeyPatch) -> Reelsheet:
    return studio.sheet({"limits.outstandin": 2})


@pytest.mark.parametrize(
    ("prepared", "error", "said"),
    [
        (in_another_working_folder, UsageError, "paid for a second time"),
        (of_another_manifest, UsageError, "belongs to another manifest"),
        (a_rehearsal_in_a_live_folder, UsageError, "holds the work of live runs"),
        (live_in_the_folder_of_a_rehearsal, UsageError, "holds a rehearsal"),
        (without_a_prompt_column, ManifestError, "prompt"),
        (without_a_key, ConfigError, "TOAPIS_API_KEY"),
        (with_a_linked_cache, StoreError, "is a link"),
        (with_an_unknown_setting, ConfigError, "limits.outstanding"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_each_guard_refuses_a_program(
    studio: Studio,
    monkeypatch: pytest.MonkeyPatch,
    prepared: Refused,
    error: type[ReelsheetError],
    said: str,
) -> None:
    """Nothing is asked of the provider, and nothing that the folder holds is changed."""
    sheet = prepared(studio, monkeypatch)
    mark = studio.api.mark()
    before = files(studio.folder)
    with pytest.raises(error, match=said) as refused:
        sheet.run()
    with pytest.raises(error, match=said):
        asyncio.run(sheet.arun())
    assert refused.value.exit_code == error.exit_code
    assert studio.api.calls(since=mark) == []
    assert files(studio.folder) - before <= {"outputs/shop/cache/run.lock"}


@pytest.mark.parametrize("asked", [{"only": "P9999"}, {"redo": ["P0001", "P9999"]}])
def test_a_key_that_no_row_has_is_refused(studio: Studio, asked: dict[str, Any]) -> None:
    """A misspelt key would select nothing, or be left out unnoticed."""
    mark = studio.api.mark()
    for call in (studio.sheet().run, studio.sheet().plan):
        with pytest.raises(UsageError, match="no row has the key P9999"):
            call(**asked)
    assert studio.api.calls(since=mark) == []
    assert not studio.out.exists()


def test_a_run_without_a_key_says_so_wherever_its_end_is_told(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once something was paid for; and whoever watches sees the rows as they stand."""
    assert studio.sheet().run(limit=1).submitted == 1
    monkeypatch.delenv("TOAPIS_API_KEY")
    told: list[RunProgress] = []
    with pytest.raises(ConfigError, match="TOAPIS_API_KEY") as refused:
        studio.sheet().run(on_progress=told.append)
    summary = sheets.summary(studio.out)
    assert (summary["exit_code"], summary["stopped_by"]) == (2, refused.value.message)
    assert summary["finished_at"] is not None
    assert summary["states"] == {"done": 1, "waiting": 2}
    assert {State(one): number for one, number in summary["states"].items()} == told[-1].states
    stopped, end = loglines.in_folder(studio.out)[-2:]
    assert (stopped["event"], stopped["reason"]) == ("stopped", refused.value.message)
    assert (end["event"], end["exit_code"], end["states"]) == ("end", 2, summary["states"])
    latest = read_past(studio.out.parent)[-1]
    assert (latest.state, latest.exit_code) == ("ended", 2)


def test_the_summary_begins_with_the_run(studio: Studio) -> None:
    """After a kill it says that it has no end, not how well the run before went."""
    assert studio.sheet().run(limit=1).exit_code == ExitCode.DONE
    seen: list[dict[str, Any]] = []
    studio.api.faults("query_never_finishing")

    def look(progress: RunProgress) -> None:
        if not seen and progress.submitted:
            seen.append(sheets.summary(studio.out))
            studio.api.faults()

    report = studio.sheet().run(on_progress=look)
    (begun,) = seen
    assert (begun["finished_at"], begun["exit_code"], begun["submitted"]) == (None, None, 0)
    assert (begun["states"], begun["rows"]) == ({"done": 1, "waiting": 2}, 3)
    ended = sheets.summary(studio.out)
    assert begun["run_id"] == ended["run_id"] == report.summary.run_id
    assert begun["video_seconds"] * 3 == ended["video_seconds"] == 12


def test_words_that_select_nothing_are_refused(studio: Studio) -> None:
    """A state that cannot be retried, a limit below 0."""
    with pytest.raises(UsageError, match="'done' cannot be retried"):
        studio.sheet().run(retry="done")
    with pytest.raises(UsageError, match="the limit is -1"):
        studio.sheet().plan(limit=-1)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"only": 5}, "5 is neither a text"),
        ({"redo": 3}, "3 is neither a text"),
        ({"retry": [3]}, "state 3 cannot be retried"),
        ({"yes": "no"}, "yes is 'no'; give True or False"),
        ({"strict": 1}, "strict is 1; give True or False"),
    ]
    for options, words in wrong:
        with pytest.raises(UsageError, match=words):
            studio.sheet().run(**options)


def test_strict_refuses_the_whole_manifest(studio: Studio) -> None:
    """With the problems of its rows; without it the good rows are made."""
    sheets.write(studio.manifest, [sheets.row("A", duration="4"), sheets.row("B", "", note="x")])
    with pytest.raises(RowsInvalid, match="1 problem; nothing was sent") as refused:
        studio.sheet().run(strict=True)
    assert [one.row for one in refused.value.problems] == [3]
    assert studio.sheet().run().states == {"done": 1, "invalid": 1}


@pytest.mark.parametrize("edited", [False, True])
def test_a_manifest_that_was_moved_is_adopted(studio: Studio, edited: bool) -> None:
    """Its rows are those that were paid for: by themselves, or as the caller says."""
    assert studio.sheet().run(limit=1).submitted == 1
    moved = studio.manifest.rename(studio.folder / "moved.csv")
    if edited:
        moved.write_text(moved.read_text("utf-8").replace("shot of", "film of"), "utf-8")
        with pytest.raises(UsageError, match="most of its rows are not in"):
            at(studio, moved).run()
    assert at(studio, moved).run(adopt=edited).submitted == 2
    assert at(studio, moved).run().submitted == 0


def test_a_plan_says_that_a_run_would_be_refused(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made all the same."""
    planned = in_another_working_folder(studio, monkeypatch).plan()
    assert "paid for a second time" in (planned.refusal or "")
    assert (planned.submits, planned.repeats) == (3, 0)


def test_with_a_book_another_working_folder_buys_nothing_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was bought is copied, and the rest is made."""
    sheet = _moved_to_another_folder(studio, monkeypatch, {})
    planned = sheet.plan()
    assert (planned.refusal, planned.submits, planned.repeats) == (None, 2, 1)
    report = sheet.run()
    assert (report.submitted, report.states) == (2, {"done": 3})
    assert [row.attempts for row in report.results] == [0, 1, 1]


def test_the_command_line_places_its_orders_in_the_same_way(studio: Studio) -> None:
    """A run by `place_order` and `run`, as the commands do it, goes on where a program left off."""
    assert studio.sheet().run(limit=1).submitted == 1
    settings = [f"{k}={v}" for k, v in {**FAST, "api.base_url": studio.api.base_url}.items()]
    target = resolve_target(studio.manifest, settings=settings)
    with place_order(target, select(target)) as order:
        assert run(order, Quiet()).submitted == 2
    studio.hold()


def files(folder: Path) -> set[str]:
    """Return what lies in the output folders, but for what SQLite needs to read a journal."""
    found = folder.rglob("outputs/**/*")
    return {str(one.relative_to(folder)) for one in found if "journal.db-" not in one.name}


def test_rows_that_wait_as_repeats_are_an_error_if_nothing_else_was_to_do(studio: Studio) -> None:
    """As bad usage is (2): a program must not take them for work that is done."""
    assert studio.sheet().run().submitted == 3
    copy = Path(shutil.copy(studio.manifest, studio.folder / "copy.csv"))
    settings = {**FAST, "api.base_url": studio.api.base_url, "repeats": "hold"}
    sheet = Reelsheet(copy, settings=settings)
    assert sheet.plan().repeats == 3
    with pytest.raises(RepeatsWait, match="3 rows not sent: bought before") as caught:
        sheet.run()
    assert isinstance(caught.value, UsageError)
    assert caught.value.report.states == {"waiting": 3}
    assert all(row.action for row in caught.value.report.results)
    report = sheet.run(pay_again="P0001")
    assert (report.submitted, report.exit_code) == (1, ExitCode.NEEDS_USER)
    assert [row.state.value for row in report.results] == ["done", "waiting", "waiting"]
