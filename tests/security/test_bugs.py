"""A bug of our own: the run fails loudly, and neither money nor rows are lost by it."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, replace

import pytest

from pipeline.errors import ExitCode
from pipeline.model import State
from pipeline.runner.lanes import run
from pipeline.runner.reports import RunReport
from pipeline.runner.terms import Terms
from pipeline.runner.watching import RunProgress
from tests.security.shop import Quiet, Shop
from tests.system.harness import invariants, sheets
from tests.system.harness.product import ROOT
from tests.system.harness.sampling import few_of


@dataclass
class BrittleClock:
    """A clock that breaks when it is looked at for the nth time; 0: never."""

    breaks_at: int = 0
    looks: int = 0

    def now(self) -> float:
        self._look()
        return time.monotonic()

    def wall(self) -> float:
        self._look()
        return time.time()

    def _look(self) -> None:
        self.looks += 1
        if self.looks == self.breaks_at:
            raise ZeroDivisionError("a bug")


class BrittleScreen(Quiet):
    """A screen that breaks as soon as something is done."""

    def show(self, progress: RunProgress) -> None:
        if progress.states[State.RUNNING]:
            raise ZeroDivisionError("a bug at https://files.example/a.mp4?signature=abc")


def holds(shop: Shop, keys: set[str]) -> None:
    """Hold that rows in = rows out, and that nothing was paid that the journal does not know."""
    entries = invariants.journal_holds(shop.out.root)
    invariants.submissions_hold(shop.api, shop.out.root, entries)
    assert set(shop.states()) == keys


def test_it_ends_with_70_and_results(shop: Shop) -> None:
    """The screen breaks in the middle: the answers under way are kept, every row is reported."""
    shop.api.faults("query_never_finishing")  # so that the screen is told of running rows
    outcome = shop.run(screen=BrittleScreen())
    shop.api.faults()
    assert outcome.exit_code == ExitCode.INTERNAL
    holds(shop, {"A", "B", "C"})
    (stop,) = outcome.stops
    assert stop.reason.startswith("internal error: ZeroDivisionError: a bug at https://files.exam")
    assert "run.log" in (stop.action or "")
    assert sheets.summary(shop.out.root)["exit_code"] == 70
    assert not list(shop.out.root.glob("journal.db-*")), "the journal is whole as a file"
    (told,) = [line for line in shop.log() if line["event"] == "internal_error"]
    assert "BrittleScreen" not in told["traceback"], "of the code, never of values"
    assert "in show" in told["traceback"]
    assert "signature=abc" not in shop.out.log.read_text("utf-8") + stop.reason
    assert shop.run().exit_code == 0
    assert not shop.api.repeated()


class BrokenTwice(BrittleClock, Quiet):
    """A clock that breaks twice as soon as rows are running: at work, and at the end of it."""

    def __init__(self) -> None:
        super().__init__()
        self.breaks = 0

    def show(self, progress: RunProgress) -> None:
        if self.breaks == 0 and progress.states[State.RUNNING]:
            self.breaks = 1

    def _look(self) -> None:
        if self.breaks in {1, 2}:
            self.breaks += 1
            raise ZeroDivisionError("a bug that says sk-1")


def test_a_night_that_breaks_at_its_end_says_so(shop: Shop) -> None:
    """summary.json does not go on to say that it has no end; what a bug says is left out."""
    broken = BrokenTwice()
    order = replace(shop.order(), terms=Terms(is_night=True))
    shop.api.faults("query_never_finishing")
    with pytest.raises(ZeroDivisionError):
        run(order, broken, clock=broken)
    shop.api.faults()
    summary = sheets.summary(shop.out.root)
    assert (summary["exit_code"], summary["stopped_by"]) == (
        70,
        "internal error: ZeroDivisionError",
    )
    assert summary["finished_at"]
    assert sum(summary["states"].values()) == 3
    assert 0 < summary["submitted"] <= 3
    assert shop.run().exit_code == 0
    assert set(shop.states().values()) == {"done"}
    assert not shop.api.repeated()


def test_a_picture_that_nobody_knows(shop: Shop) -> None:
    """A bug in the midst of an upload: the rows without a picture come home by the next run."""
    lines = [sheets.row("A", image_1=sheets.picture(shop.folder / "p.png", hue=3).name)]
    sheets.write(shop.folder / "shop.csv", [*lines, sheets.row("B")])
    order = shop.order()
    broken = replace(order, checked=replace(order.checked, pictures={}))
    assert run(broken, Quiet()).exit_code == ExitCode.INTERNAL
    holds(shop, {"A", "B"})
    assert shop.run().exit_code == 0
    holds(shop, {"A", "B"})


@pytest.mark.parametrize(
    "share", few_of([0.02, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97], 0.1, 0.5, 0.9)
)
def test_at_any_moment(shop: Shop, share: float) -> None:
    """Wherever it breaks: a whole journal, and the next run does what is left and nothing twice."""
    looks = _looks_of_a_run(shop)
    mark = shop.api.mark()
    try:
        outcome: RunReport | None = shop.run(clock=BrittleClock(int(looks * share) or 1))
    except ZeroDivisionError:  # before the work or after it: the command line says 70
        outcome = None
    invariants.journal_holds(shop.out.root)
    if outcome is not None:
        assert outcome.exit_code in {ExitCode.INTERNAL, ExitCode.DONE}
        holds(shop, {"A", "B", "C"})
    assert shop.run().exit_code == 0
    holds(shop, {"A", "B", "C"})
    assert set(shop.states().values()) == {"done"}
    assert len(shop.api.calls("submit", since=mark)) == 3


def _looks_of_a_run(shop: Shop) -> int:
    """Count the looks at the clock of a run of the same sheet, with folder and book of its own."""
    clock, folder = BrittleClock(), shop.folder / "rehearsed"
    folder.mkdir()
    counted = Shop(folder, shop.api, sets={"account.book": str(folder / "book.db")})
    assert counted.run(clock=clock).exit_code == 0
    return clock.looks


EXPLODING = """
import sys
from pipeline.cli.app import app, main

@app.command()
def explode() -> None:
    raise RuntimeError("a bug at https://me:pw@files.example/a.mp4?signature=abc")

sys.argv = ["reelsheet", "explode"]
main()
"""


@pytest.mark.process
def test_the_command_line_says_70_in_one_sentence() -> None:
    """No traceback, the kind and the place of the bug, what to do, and no signature."""
    line = [sys.executable, "-c", EXPLODING]
    ended = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 70
    assert ended.stdout == ""
    first, second = ended.stderr.splitlines()
    assert first == (
        "internal error: RuntimeError at <string>:7: a bug at https://files.example/a.mp4?…"
    )
    assert "run again" in second
