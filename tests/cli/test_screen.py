"""What commands print, the question that a run may ask, and streams that fail."""

from __future__ import annotations

import io
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.cli.screen import (
    consent_to,
    guard_streams,
    is_terminal,
    print_table,
    problem_line,
)
from pipeline.errors import StoreError
from pipeline.model import Problem, Severity
from pipeline.runner.offer import Offer


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


class Interrupted(Terminal):
    """A terminal at which somebody presses Ctrl-C instead of answering."""

    def readline(self, _size: int | None = -1, /) -> str:  # type: ignore[override]
        signal.raise_signal(signal.SIGINT)
        raise AssertionError


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Standard streams that the test may replace; they are put back afterwards."""
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    return monkeypatch


def at_a_terminal(streams: pytest.MonkeyPatch, stdin: Terminal) -> Terminal:
    """Sit down at a terminal; returns its screen."""
    screen = Terminal()
    streams.setattr(sys, "stdin", stdin)
    streams.setattr(sys, "stderr", screen)
    return screen


def test_numbers_stand_at_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns are as wide as their widest cell; None is an empty cell."""
    print_table([(5, "done"), (120, None)])
    print_table([])
    assert capsys.readouterr().out == "    5  done\n  120\n"


def test_a_problem_is_a_line_that_editors_can_jump_to() -> None:
    """Only the parts that a problem has are printed."""
    problem = Problem(
        "x", "It is empty.", Severity.ERROR, row=4, cell="B4", column="prompt", key="T"
    )
    assert problem_line(Path("m.csv"), problem) == (
        "m.csv:4: error: B4, column prompt: It is empty. (key T)"
    )
    whole = Problem("x", "It is odd.", Severity.WARNING)
    assert problem_line(Path("m.csv"), whole) == "m.csv: warning: It is odd."


def test_a_closed_stream_is_no_terminal() -> None:
    """Python sets a stream that was closed by the parent to None."""
    assert not is_terminal(None)
    assert not is_terminal(io.StringIO())
    assert is_terminal(Terminal())


OFFER = Offer(20, 120, 2.4, remaining=99.52)
SHORT = replace(OFFER, short="too little")
SHOWN = "20 videos, 120 s, about 2.40 USD; the account holds 99.52 USD.\n"


def test_without_a_terminal_only_too_little_stops(
    streams: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The offer is shown; nobody is asked."""
    streams.setattr(sys, "stdin", io.StringIO("n\n"))
    assert consent_to(OFFER, "ask", yes=False)
    assert capsys.readouterr().err == SHOWN
    assert not consent_to(SHORT, "ask", yes=False)
    assert not consent_to(SHORT, "stop", yes=False)
    assert consent_to(SHORT, "go_on", yes=False)
    assert consent_to(SHORT, "stop", yes=True)


def test_too_little_is_not_asked_about_where_it_stops(streams: pytest.MonkeyPatch) -> None:
    """The setting `when_short: stop` answers for whoever sits at the terminal."""
    screen = at_a_terminal(streams, Terminal("y\n"))
    assert not consent_to(SHORT, "stop", yes=False)
    assert screen.getvalue() == SHOWN


@pytest.mark.parametrize(
    ("answer", "goes_on"),
    [("y\n", True), ("Yes\n", True), ("n\n", False), ("\n", False), ("", False)],
)
def test_only_a_yes_submits(streams: pytest.MonkeyPatch, answer: str, goes_on: bool) -> None:
    """An empty answer, or the end of the input, submits nothing."""
    screen = at_a_terminal(streams, Terminal(answer))
    assert consent_to(OFFER, "ask", yes=False) is goes_on
    assert screen.getvalue() == f"{SHOWN}Continue and submit? [y/N] "


def test_ctrl_c_at_the_question_is_ctrl_c_afterwards(streams: pytest.MonkeyPatch) -> None:
    """The question ends, and the signal reaches the handler that stood before."""
    at_a_terminal(streams, Interrupted())
    # Shells start what runs in the background with Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            consent_to(OFFER, "ask", yes=False)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_output_without_a_reader_is_dropped(streams: pytest.MonkeyPatch) -> None:
    """As with `reelsheet run … | head`: the work goes on."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        streams.setattr(sys, "stdout", pipe)
        streams.setattr(sys, "stderr", None)
        guard_streams()
        for _ in range(3):
            print("results", flush=True)  # noqa: T201
        assert sys.stderr is not None
        sys.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_is_said_once(streams: pytest.MonkeyPatch) -> None:
    """Lost results are an error; what is printed after it is dropped like lost progress."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        streams.setattr(sys, "stdout", full)
        streams.setattr(sys, "stderr", full)
        guard_streams()
        print("progress", file=sys.stderr, flush=True)  # noqa: T201
        with pytest.raises(StoreError, match="standard output"):
            print("results", flush=True)  # noqa: T201
        print("more", flush=True)  # noqa: T201
