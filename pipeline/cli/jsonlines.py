"""Standard error with `--log-format json`: each line is a document of the schema of run.log.

What a person would be told is a `message` with its level; how far a run is, and how it ended, are
lines of their own, as docs/logs.md has them.

Tested in tests/cli/test_jsonlines.py and tests/system/test_outside.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Self, TextIO

import typer

if TYPE_CHECKING:
    from pipeline.model import State
    from pipeline.runner.logevents import Level
    from pipeline.runner.reports import RunReport
    from pipeline.runner.watching import RunProgress

EVERY_S = 30.0
"""Seconds between two lines that say how far a run is."""

_OPTION = "--log-format"
_LEVELS = {
    "error: ": "error",
    "Error: ": "error",
    "internal error: ": "error",
    "warning: ": "warning",
    "note: ": "info",
}
"""What a line for people begins with, where its level says the same."""


class _Format(StrEnum):
    TEXT = "text"
    JSON = "json"


LogFormat = Annotated[
    _Format,
    typer.Option(
        _OPTION,
        metavar="text|json",
        help="What goes to standard error: lines for people, or JSON lines of the schema of "
        "run.log, without bars. See docs/logs.md.",
    ),
]
TEXT = _Format.TEXT


class JsonLines:
    """A text stream that makes a document of each line that is written to it.

    It has no `buffer`, so that nobody writes past it.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._begun = ""

    def __getattr__(self, name: str) -> object:
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write what a library prints: each whole line is a message."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self.say(line)
        return len(text)

    def writelines(self, lines: Sequence[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def say(self, text: str, **details: object) -> None:
        """Write a message; its level is what it begins with."""
        from pipeline.runner.logevents import Level

        begins = next((one for one in _LEVELS if text.startswith(one)), "")
        level, said = Level(_LEVELS.get(begins, "info")), text.removeprefix(begins).strip()
        if said:
            self.record("message", {"message": said, **details}, level=level)

    def ask(self, text: str) -> None:
        """Write a question that is answered on the terminal."""
        if text.strip():
            self.record("question", {"message": text.strip()})

    def record(
        self,
        event: str,
        details: Mapping[str, object],
        *,
        level: Level | None = None,
        run_id: str | None = None,
        manifest: str | None = None,
    ) -> None:
        """Write a line; the arguments are those of `logevents.write_line`."""
        from pipeline.runner.logevents import write_line

        line = write_line(
            time.time(), event, details, run_id=run_id, manifest=manifest, level=level
        )
        try:
            line.encode(self.stream.encoding or "utf-8")
        except UnicodeEncodeError:  # the escapes of a stream are none of JSON
            line = json.dumps(json.loads(line)) + "\n"
        self.stream.write(line)
        self.stream.flush()


def asks_for_json(words: Sequence[str]) -> bool:
    """Return whether the words of a command ask for documents, before they are understood."""
    asked = ""
    for word, after in pairwise([*words, ""]):
        if word == "--":
            break
        if word == _OPTION:
            asked = after
        elif word.startswith(f"{_OPTION}="):
            asked = word.partition("=")[2]
    return asked == _Format.JSON


def json_lines(stream: object) -> JsonLines | None:
    """Return a stream as one that takes documents; None if it is for people."""
    return stream if isinstance(stream, JsonLines) else None


class JsonProgress:
    """Tells how far a run is, of each manifest and of all; use it as a context.

    Args:
        lines: Where to tell it.
        quiet: Tell warnings only.
        now: A monotonic clock, in seconds.

    """

    interval_s = 5.0

    def __init__(
        self,
        lines: JsonLines,
        *,
        quiet: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lines = lines
        self._quiet = quiet
        self._now = now
        self._tell_at = now()
        self._untold: RunProgress | None = None

    def show(self, progress: RunProgress) -> None:
        """Tell how far the run is, every so often; cheap enough to be called all the time."""
        self._untold = progress
        if self._now() >= self._tell_at:
            self._tell_at = self._now() + EVERY_S
            self._tell()

    def show_end(self, _reports: Sequence[RunReport]) -> None:
        """Tell how far the run came; `tell_end` tells how it ended."""
        self._tell()

    def say(self, line: str) -> None:
        """Tell a line."""
        if not self._quiet:
            self._lines.say(line)

    def warn(self, line: str) -> None:
        """Tell a line that concerns the user's money, even if quiet."""
        self._lines.say(line if line.startswith("warning: ") else f"warning: {line}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tell()

    def _tell(self) -> None:
        progress, self._untold = self._untold, None
        if progress is None or self._quiet:
            return
        rows = sum(progress.states.values())
        for one in progress.each:
            told = {"submitted": one.submitted, "downloaded": one.downloaded}
            alone = sum(one.states.values()) == rows
            told |= _told_of(progress.workers) if alone else {}
            waits_for = progress.waits_for if alone else None
            self._record(one.states, told, waits_for, one.run_id, str(one.manifest))
            if alone:
                return
        told = {
            "submitted": progress.submitted,
            "downloaded": progress.downloaded,
            **_told_of(progress.workers),
        }
        self._record(progress.states, told, progress.waits_for)

    def _record(
        self,
        states: Mapping[State, int],
        told: Mapping[str, object],
        waits_for: str | None,
        run_id: str | None = None,
        manifest: str | None = None,
    ) -> None:
        counted = {state.value: number for state, number in states.items() if number}
        details = {"rows": sum(states.values()), "states": counted, **told}
        if waits_for is not None:
            details["waits_for"] = waits_for
        self._lines.record("progress", details, run_id=run_id, manifest=manifest)


def _told_of(workers: tuple[int, int] | None) -> dict[str, int]:
    """Return what is told of workers, if there are to be any."""
    return {} if workers is None else {"workers": workers[0], "slots": workers[1]}


def tell_end(report: RunReport, lines: JsonLines) -> None:
    """Tell how the run of a manifest ended."""
    summary = report.summary
    details = {
        "exit_code": summary.exit_code,
        "states": dict(summary.states),
        "notes": list(report.notes),
    }
    lines.record("end", details, run_id=summary.run_id, manifest=summary.manifest)
