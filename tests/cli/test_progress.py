"""What a person sees while a run works."""

from __future__ import annotations

import io

import pytest

from pipeline.cli import progress as progress_module
from pipeline.cli.progress import PLAIN_EVERY_S, Progress, picture_progress, say_counts, shows_bars
from pipeline.model import State
from pipeline.runner.watching import RunProgress


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.time_s = 100.0

    def __call__(self) -> float:
        return self.time_s


def test_a_line_says_who_carries_the_videos() -> None:
    """Workers and their slots, where there are any."""
    stream, clock = io.StringIO(), Clock()
    with Progress(100, stream, now=clock) as progress:
        for workers in (None, (1, 8), (3, 24)):
            clock.time_s += PLAIN_EVERY_S
            progress.show(RunProgress({State.WAITING: 100}, workers=workers))
    alone, one, several = stream.getvalue().splitlines()[:3]
    assert "worker" not in alone
    assert "1 worker with 8 slots" in one
    assert "3 workers with 24 slots" in several


def test_without_a_terminal_there_is_a_plain_line_now_and_then() -> None:
    """One line every half minute with counts, rate and the time to go; nothing in between."""
    stream, clock = io.StringIO(), Clock()
    with Progress(100, stream, now=clock) as progress:
        progress.show(RunProgress({State.WAITING: 90, State.DONE: 10}))
        clock.time_s += PLAIN_EVERY_S - 1
        progress.show(RunProgress({State.WAITING: 80, State.DONE: 20}))
        assert stream.getvalue() == ""
        clock.time_s += 1
        progress.show(RunProgress({State.WAITING: 60, State.RUNNING: 20, State.DONE: 20}))
        progress.show(RunProgress({State.WAITING: 60, State.RUNNING: 20, State.DONE: 20}))
    assert stream.getvalue() == (
        "20/100 rows ended; 60 waiting, 20 running; 20 rows/min, 4:00 to go\n"
    )


def test_a_plain_line_says_what_a_run_waits_for() -> None:
    """Else "0/6 rows ended; 6 waiting" would be all that is seen of an outage."""
    stream, clock = io.StringIO(), Clock()
    with Progress(6, stream, now=clock) as progress:
        progress.show(RunProgress({State.WAITING: 6}))
        clock.time_s += PLAIN_EVERY_S
        progress.show(RunProgress({State.WAITING: 6}, waits_for="asking the provider"))
    assert stream.getvalue() == "0/6 rows ended; 6 waiting; asking the provider\n"


def test_pictures_have_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere there is a plain line now and then; if not wanted, nothing. A slow one is named."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    terminal, pipe = Terminal(), io.StringIO()
    monkeypatch.setattr("sys.stderr", terminal)
    with picture_progress(show=True) as seen:
        assert seen is not None
        seen(3, 7, "a\u202e.jpg took 9 s to be opened")
    assert "a\\u202e.jpg took 9 s to be opened\n" in terminal.getvalue()
    with picture_progress(show=False) as seen:
        assert seen is None
    monkeypatch.setattr("sys.stderr", pipe)
    with picture_progress(show=True) as seen:
        assert seen is not None
        seen(1, 7, "a.jpg took 9 s to be opened")
        seen(2, 7)
        monkeypatch.setattr(progress_module, "PLAIN_EVERY_S", 0)
        seen(3, 7)
    assert pipe.getvalue() == "a.jpg took 9 s to be opened\n3/7 pictures\n"


def test_a_terminal_gets_one_bar_with_the_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar counts ended rows and shows how many stand where."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    stream, clock = Terminal(), Clock()
    with Progress(10, stream, now=clock) as progress:
        progress.show(RunProgress({State.WAITING: 10}))
        clock.time_s += 1
        progress.show(RunProgress({State.RUNNING: 6, State.DONE: 3, State.FAILED: 1}))
        progress.say("a line")
    shown = stream.getvalue()
    assert "4/10" in shown
    assert "6 running, 1 failed" in shown
    assert "a line\n" in shown


def test_quiet_shows_nothing() -> None:
    """With -q neither lines nor bars."""
    stream, clock = Terminal(), Clock()
    with Progress(10, stream, quiet=True, now=clock) as progress:
        clock.time_s += 1000
        progress.show(RunProgress({State.RUNNING: 10}))
        progress.say("a line")
    assert stream.getvalue() == ""


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_that_wants_no_bars_gets_lines(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_COLOR and dumb terminals are treated as no terminal."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(variable, value)
    assert not shows_bars(Terminal())


def test_counts_leave_out_states_without_rows() -> None:
    """Only states that have rows are named; done rows are the bar itself."""
    assert say_counts({State.DONE: 5, State.RUNNING: 0, State.IN_DOUBT: 2}) == "2 in_doubt"
