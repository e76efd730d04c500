"""What goes to standard error with --log-format json: documents of the schema of run.log."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import jsonlines
from pipeline.cli.jsonlines import JsonLines, JsonProgress, asks_for_json, json_lines
from pipeline.cli.progress import picture_progress, row_progress, shows_bars
from pipeline.cli.screen import ask, say, say_error, speak_json
from pipeline.engine.limits import Spend
from pipeline.errors import ConfigError, UsageError
from pipeline.model import State
from pipeline.runner.watching import ManifestProgress, RunProgress
from tests.cli.conftest import Command
from tests.system.harness import loglines


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def taking_documents(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Sit down at a terminal whose standard error takes documents; returns its screen."""
    below = Terminal()
    monkeypatch.setattr(sys, "stderr", below)
    speak_json()
    speak_json()
    assert json_lines(sys.stderr) is not None
    return below


def told(screen: io.StringIO) -> list[dict[str, Any]]:
    return loglines.hold(screen.getvalue().splitlines())


def test_messages_have_their_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands for what the line would begin with; what is broken stays one line."""
    screen = taking_documents(monkeypatch)
    say("warning: a\nb\u2028c\x1b[31m")
    say("note: it is")
    say("  indented")
    say()
    say_error(UsageError("no.", action="Do it."), "error: a.csv: ")
    say_error(ConfigError("2 faults:", faults=["one", "two"]))
    said = [(one["level"], one["message"], one.get("action")) for one in told(screen)]
    assert said == [
        ("warning", "a\nb\u2028c\x1b[31m", None),
        ("info", "it is", None),
        ("info", "indented", None),
        ("error", "a.csv: no.", "Do it."),
        ("error", "2 faults:\none\ntwo", None),
    ]
    assert told(screen)[3]["exit_code"] == 2


def test_what_libraries_print_is_told_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a line waits for its end."""
    screen = taking_documents(monkeypatch)
    sys.stderr.write("Usage: x\n\nErr")
    sys.stderr.writelines(["or: no such", " option\n"])
    said = [(one["level"], one["message"]) for one in told(screen)]
    assert said == [("info", "Usage: x"), ("error", "no such option")]
    assert not hasattr(sys.stderr, "buffer")


def test_there_are_no_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even on a terminal; what takes long is told now and then."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    screen = taking_documents(monkeypatch)
    assert not shows_bars(sys.stderr)
    assert isinstance(row_progress(3, sys.stderr, quiet=False), JsonProgress)
    with picture_progress(show=True) as seen:
        assert seen is not None
        seen(1, 7, "a.jpg took 9 s to be opened")
    assert [one["message"] for one in told(screen)] == ["a.jpg took 9 s to be opened"]


def test_a_question_is_a_line_and_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sits there is asked all the same: money is spent on a yes alone."""
    screen = taking_documents(monkeypatch)
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    assert not ask("Continue and submit? [y/N] ")
    assert told(screen)[0]["event"] == "question"


def test_how_far_a_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, then every half minute, and at the end: of each manifest, and of all together."""
    screen = taking_documents(monkeypatch)
    lines, clock = json_lines(sys.stderr), [0.0]
    assert lines is not None
    states = {State.DONE: 1, State.WAITING: 2, State.FAILED: 0}
    first = ManifestProgress(Path("a.csv"), states, 2, 1, Spend(), run_id="r1")
    second = ManifestProgress(Path("b.csv"), states, 1, 1, Spend(), run_id="r2")
    alone = RunProgress(states, 2, 1, "an answer", (first,))
    both = RunProgress({State.DONE: 2, State.WAITING: 4}, 3, 2, None, (first, second))
    with JsonProgress(lines, now=lambda: clock[0]) as progress:
        progress.show(alone)
        progress.show(alone)
        clock[0] += jsonlines.EVERY_S
        progress.show(both)
        progress.say("Over.")
        progress.warn("it costs")
        progress.show(both)
    seen = [(one["event"], one["run_id"], one.get("rows")) for one in told(screen)]
    of_both = [("progress", "r1", 3), ("progress", "r2", 3), ("progress", None, 6)]
    messages = [("message", None, None), ("message", None, None)]
    assert seen == [("progress", "r1", 3), *of_both, *messages, *of_both]
    assert told(screen)[0]["states"] == {"done": 1, "waiting": 2}
    assert told(screen)[0]["waits_for"] == "an answer"
    with JsonProgress(lines, quiet=True) as progress:
        before = screen.getvalue()
        progress.show(alone)
        progress.say("nothing")
    assert screen.getvalue() == before


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["--log-format=json"], True),
        (["--log-format=text", "--log-format", "json"], True),
        (["--log-format=json", "--log-format=text"], False),
        (["--log-format"], False),
        (["--", "--log-format=json"], False),
        (["--log-format", "xml"], False),
    ],
)
def test_the_words_that_ask_for_it(words: list[str], *, asked: bool) -> None:
    """The last one counts, as for every option."""
    assert asks_for_json(words) is asked


@pytest.mark.parametrize(
    "words",
    [
        ("run", "no.csv"),
        ("run", "no.csv", "--bogus"),
        ("run",),
        ("retry", "shop.csv", "--states", "sold"),
        ("fetch", "shop.csv", "--set", "log.mode=0666"),
        ("night",),
        ("night", "shop.csv", "--until", "25:00", "--rehearse"),
    ],
)
def test_what_is_wrong_before_a_run_begins_is_told_so_too(
    manifest: Path, reelsheet: Command, words: tuple[str, ...]
) -> None:
    """Usage, configuration, manifest: exit 2, and nothing but documents."""
    assert manifest.exists()
    ended = reelsheet(*words, "--log-format", "json")
    assert ended.exit_code in {1, 2}  # an error is raised to whoever calls the program in a process
    lines = loglines.hold(ended.stderr.splitlines())
    if ended.exit_code == 2:
        assert lines[-1]["level"] == "error"


def test_letters_that_a_stream_lacks() -> None:
    """The document is still one."""
    below = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")
    JsonLines(below).say("Größe 画像")
    below.seek(0)
    assert json.loads(below.read())["message"] == "Größe 画像"
