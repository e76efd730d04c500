"""Ctrl-C where no answer is awaited: while videos are copied, and while results are written.

A signal is sent at each moment at which a run looks at its clock.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import ExitCode, ReelsheetError, UsageError
from pipeline.runner.lanes import run
from pipeline.runner.order import place_order, select
from pipeline.runner.reports import RunReport
from pipeline.runner.signals import Brake
from pipeline.runner.target import resolve_target
from pipeline.runner.watching import RunProgress
from tests.system.harness import sheets
from tests.system.harness.api import KEY, Api
from tests.system.harness.product import FAST

ROWS = 12


class _Heard:
    """Keeps what is said."""

    interval_s = 5.0

    def __init__(self) -> None:
        self.said: list[str] = []

    def show(self, progress: RunProgress) -> None:
        """Show nothing."""

    def say(self, line: str) -> None:
        """Keep a line."""
        self.said.append(line)

    warn = say


class _Clock:
    """The machine's clocks; Ctrl-C is pressed once, as soon as `at` says so of a question."""

    def __init__(self, at: Callable[[int], bool] = lambda _: False) -> None:
        self._at = at
        self.asked = 0
        self.pressed = False

    def now(self) -> float:
        """Return seconds of the monotonic clock."""
        return time.monotonic()

    def wall(self) -> float:
        """Return Unix seconds."""
        if threading.current_thread() is threading.main_thread():
            self.asked += 1
            if not self.pressed and self._at(self.asked):
                self.pressed = True
                signal.raise_signal(signal.SIGINT)
        return time.time()


class _Shop:
    """Manifests of the same rows, the first of which is bought."""

    def __init__(self, folder: Path, api: Api) -> None:
        self.folder = folder
        self._sets = [f"{k}={v}" for k, v in {**FAST, "api.base_url": api.base_url}.items()]
        self.text = sheets.write(folder / "first.csv", sheets.rows(ROWS)).read_bytes()
        assert self.run("first", _Clock(), _Heard()).submitted == ROWS

    def run(
        self,
        name: str,
        clock: _Clock,
        heard: _Heard,
        go_on_with: Callable[[UsageError], bool] = lambda _: False,
    ) -> RunReport:
        manifest = self.folder / f"{name}.csv"
        manifest.write_bytes(self.text)
        target = resolve_target(manifest, settings=self._sets)
        with place_order(target, select(target), go_on_with=go_on_with) as order:
            return run(order, heard, clock=clock)

    def copies(self, name: str) -> int:
        return len([*(self.folder / "outputs" / name / "videos").glob("*.mp4")])


@pytest.fixture
def shop(tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch) -> _Shop:
    """A shop whose first manifest is done."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOAPIS_API_KEY", KEY)
    return _Shop(tmp_path, api)


def test_ctrl_c_while_videos_are_copied(shop: _Shop) -> None:
    """The copy under way is finished, the others are left for the next run; results are written."""
    heard = _Heard()
    clock = _Clock(lambda _: shop.copies("second") == 2)
    report = shop.run("second", clock, heard)
    assert report.exit_code is ExitCode.INTERRUPTED
    assert report.states == {"done": 2, "waiting": ROWS - 2}
    assert report.results_file is not None
    assert sheets.summary(report.folder)["exit_code"] == 130
    assert sheets.summary(report.folder)["stopped_by"] == "interrupted by SIGINT"
    assert [stop.action for stop in report.stops] == ["Run again to continue."]
    assert any(line.startswith("Stopping: nothing new is sent") for line in heard.said)
    again = shop.run("second", _Clock(), _Heard())
    assert (again.exit_code, again.states, again.submitted) == (0, {"done": ROWS}, 0)


def test_ctrl_c_at_any_moment_leaves_results(shop: _Shop) -> None:
    """Once the run has begun: each row is in them, and the next run does what is left."""
    calm = _Clock()
    shop.run("calm", calm, _Heard())
    began = 3  # the log, the book and the journal look at the clock before there is any plan
    for number in range(began + 1, calm.asked + 1):
        name = f"at{number}"
        report = shop.run(name, _Clock(number.__eq__), _Heard())
        assert report.exit_code in {ExitCode.DONE, ExitCode.INTERRUPTED}
        assert report.results_file is not None
        states = sheets.states(report.folder)
        assert len(states) == ROWS
        assert report.exit_code == ExitCode.DONE or "waiting" in states.values()
        assert shop.run(name, _Clock(), _Heard()).states == {"done": ROWS}


def test_ctrl_c_instead_of_an_answer(shop: _Shop) -> None:
    """Whoever is asked whether to pay for another edition may end the run by it, with 130."""
    other = sheets.write(shop.folder / "other.csv", sheets.rows(ROWS, "other {}"))
    shop.text = other.read_bytes()

    def interrupt(_: UsageError) -> bool:
        signal.raise_signal(signal.SIGINT)
        return False

    with pytest.raises(ReelsheetError) as caught:
        shop.run("first-2026-11-28", _Clock(), _Heard(), interrupt)
    assert caught.value.exit_code is ExitCode.INTERRUPTED
    assert caught.value.message == "interrupted by SIGINT; nothing was sent."


def test_the_signals_are_the_programs_own_again_after_a_run(shop: _Shop) -> None:
    """Whatever it did with them meanwhile."""
    before = signal.getsignal(signal.SIGINT)
    shop.run("other", _Clock(), _Heard())
    assert signal.getsignal(signal.SIGINT) is before


def test_a_press_is_said_once_wherever_it_is_heard() -> None:
    """And a third one has nothing more to say."""
    said: list[str] = []
    brake = Brake(said.append)
    for _ in range(3):
        brake.press(ExitCode.INTERRUPTED, "interrupted")
        brake.take_at_once()
        brake.take_at_once()
    assert len(said) == 2
    assert said[0].startswith("Stopping")
    assert said[1].startswith("Ending")
