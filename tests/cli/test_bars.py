"""What stands on a terminal while a run over several manifests goes on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest
from tqdm.utils import disp_len

from pipeline.cli.bars import Bars, Count, fit, name_manifests
from pipeline.cli.progress import PLAIN_EVERY_S, Progress
from pipeline.engine.limits import Spend
from pipeline.model import State
from pipeline.runner.watching import ManifestProgress, RunProgress
from pipeline.writer.layout import Result
from tests.night.ended import AT_A_CAP, report
from tests.system.harness.terminal import Screen, resize, terminal


class Desk:
    """A terminal, and what is to be seen on it."""

    def __init__(self, person: int, program: int, stream: TextIO) -> None:
        os.set_blocking(person, False)
        self._person, self._program, self.stream = person, program, stream
        self.resize(80, 24)

    def resize(self, columns: int, lines: int) -> None:
        """Give it another size; it begins empty."""
        resize(self._program, columns, lines)
        self._screen = Screen(columns)

    def lines(self) -> list[str]:
        """What it shows."""
        self.stream.flush()
        written = b""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self._person, 65536):
                written += piece
        self._screen.write(written.decode())
        return [line for line in self._screen.lines if line]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A terminal of 80 columns that shows bars."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with terminal() as (person, program), os.fdopen(os.dup(program), "w", encoding="utf-8") as file:
        yield Desk(person, program, file)


def progress(**done: int) -> RunProgress:
    """So many of ten rows each are done."""
    each = tuple(
        ManifestProgress(
            Path(f"{name}.csv"), {State.DONE: n, State.WAITING: 10 - n}, 10, n, Spend()
        )
        for name, n in done.items()
    )
    states = {State.DONE: sum(done.values()), State.WAITING: sum(10 - n for n in done.values())}
    return RunProgress(states, each=each)


def test_each_manifest_has_a_bar_and_all_together_have_one(desk: Desk) -> None:
    """Lines that are said stand above them, and the last state stays."""
    times = iter(range(100))
    with Progress(20, desk.stream, now=lambda: next(times)) as shown:
        shown.show(progress(small=2, large=1))
        shown.say("a line")
        assert [line.split("|")[0] for line in desk.lines()] == [
            "a line",
            "small.csv  :  20%",
            "large.csv  :  10%",
            "2 manifests:  15%",
        ]
        shown.show(progress(small=10, large=10))
    after = desk.lines()
    assert [line.split("|")[0] for line in after] == [
        "a line",
        "small.csv  : 100%",
        "large.csv  : 100%",
        "2 manifests: 100%",
    ]
    assert "10/10" in after[1]
    assert "20/20" in after[3]


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (24, 8), (7, 3), (200, 60)])
def test_fifty_manifests_on_a_terminal_of_any_size(desk: Desk, columns: int, lines: int) -> None:
    """No more lines than it has, none longer than it is wide; the total is always there."""
    desk.resize(columns, lines)
    bars = Bars(500, desk.stream)
    for turn in range(12):
        each = [
            Count(
                f"products-2026-11-{n:02}.csv", 10, 10 if n < 5 * turn else turn % 10, "1 running"
            )
            for n in range(50)
        ]
        whole = Count("", 500, sum(one.ended for one in each), "50 running")
        bars.show(whole, each, first_ended=0)
        seen = desk.lines()
        assert len(seen) <= max(1, lines)
        assert all(disp_len(line) <= columns for line in seen)
        if lines > 3:
            assert len(seen) == 1 + min(12, lines - 3)
            through = sum(one.is_through for one in each)
            full = sum("100%" in line for line in seen[:-1])
            assert full == max(0, len(seen) - 1 - (50 - through)), "those that go on come first"
    bars.close()
    if columns > 20:
        assert desk.lines()[-1].startswith("50 ma")


def test_a_terminal_that_is_resized(desk: Desk) -> None:
    """It is narrower, then lower, then as before: nothing of the longer lines is left over."""
    each = [Count(f"m{n}.csv", 10, n % 10, "4 waiting, 3 running") for n in range(9)]
    whole = Count("", 90, 40, "40 waiting, 30 running")
    bars = Bars(90, desk.stream)
    for columns, lines in ((120, 24), (40, 24), (40, 6), (120, 24)):
        desk.resize(columns, lines)
        bars.show(whole, each, first_ended=0)
        bars.show(whole, each, first_ended=0)
        seen = desk.lines()
        assert len(seen) == 1 + min(9, lines - 3)
        assert all(disp_len(line) <= columns for line in seen)
    bars.close()


@pytest.mark.parametrize(
    "name",
    [
        "a\x1b[2J\r\n.csv",
        "l" * 250 + ".csv",
        "商品" * 60 + ".csv",
        "{bar}%s\u202e.csv",
        "\udcff.csv",
    ],
)
def test_names_do_nothing_to_a_terminal(desk: Desk, name: str) -> None:
    """Characters that it would obey are shown; long names lose their middle."""
    shown, other = name_manifests([Path(name), Path("b.csv")])
    bars = Bars(20, desk.stream)
    bars.show(
        Count("", 20, 2, ""), [Count(shown, 10, 1, ""), Count(other, 10, 1, "")], first_ended=0
    )
    bars.close()
    seen = desk.lines()
    assert len(seen) == 3
    assert all(disp_len(line) <= 80 for line in seen)
    assert "csv" in seen[0]


def test_manifests_of_one_name_are_told_apart() -> None:
    """By the folders they are in."""
    paths = [Path("a", "p.csv"), Path("b", "p.csv"), Path("b", "q.csv")]
    assert name_manifests(paths) == [str(paths[0]), str(paths[1]), "q.csv"]


def test_names_fit_any_width() -> None:
    """Beginning and end are what tells them apart."""
    assert fit("products-2026-11-27.csv", 12) == "produc…7.csv"
    assert fit("a.csv", 8) == "a.csv   "
    for width in range(1, 30):
        for name in ("商品商品商品.csv", "products-2026-11-27.csv", ""):
            assert disp_len(fit(name, width)) == width


def test_rows_that_are_not_to_be_made_are_not_counted(desk: Desk) -> None:
    """With --limit 3 of ten rows it ends at 100 %."""
    times = iter(range(100))
    states = {State.DONE: 3, State.WAITING: 7}
    with Progress(10, desk.stream, now=lambda: next(times)) as shown:
        shown.show(RunProgress(states, left=7))
    assert desk.lines()[-1].startswith("100%")
    assert "3/3" in desk.lines()[-1]


def test_a_run_that_leaves_rows_in_doubt_ends_at_100_percent(desk: Desk, tmp_path: Path) -> None:
    """It can do no more for them; one that was stopped shows what it left."""
    states = [State.DONE, State.FAILED, State.IN_DOUBT, State.MISSING, State.INVALID]
    rows = [Result(number, state) for number, state in enumerate(states, start=2)]
    for stops, ended in (((), "100%"), ((AT_A_CAP,), " 60%")):
        with Progress(5, desk.stream) as shown:
            shown.show_end([report(tmp_path, *rows, stops=stops)])
        assert desk.lines()[-1].startswith(ended)
        assert "1 failed, 1 in_doubt, 1 missing, 1 invalid" in desk.lines()[-1]


def test_a_plain_line_has_the_counts_of_manifests_that_go_on(tmp_path: Path) -> None:
    """Of the first five; those that are through are left out."""
    times = iter([0, 0, PLAIN_EVERY_S])
    with (tmp_path / "said").open("w+") as file:
        with Progress(80, file, now=lambda: next(times, PLAIN_EVERY_S)) as shown:
            shown.show(progress(a=10, b=1, c=2))
            shown.show(progress(a=10, b=1, c=2))
            more = {f"m{n}": 0 for n in range(7)}
            times = iter([2 * PLAIN_EVERY_S] * 9)
            shown.show(progress(a=10, **more))
        file.seek(0)
        first, second = file.read().splitlines()
    assert first == "13/30 rows ended; 17 waiting; b.csv 1/10, c.csv 2/10"
    assert second.endswith(
        "m0.csv 0/10, m1.csv 0/10, m2.csv 0/10, m3.csv 0/10, m4.csv 0/10 and 2 more manifests"
    )
