"""The terminal: what commands print, the question that a run may ask, and streams that fail.

Results go to standard output, everything else to standard error. All that is printed leaves by the
functions here: each makes one line of its text, and shows what a terminal would obey (see
`concealment`). What libraries print passes the same on the streams themselves.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TextIO, cast

from pipeline.cli.jsonlines import JsonLines, json_lines
from pipeline.concealment import show_controls, show_in_json
from pipeline.errors import StoreError

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from pipeline.errors import ReelsheetError, UsageError
    from pipeline.model import Problem
    from pipeline.runner.offer import Offer


def print_line(text: str = "") -> None:
    """Print a line of the results."""
    write_line(sys.stdout, text)


def say(text: str = "", *, end: str = "\n") -> None:
    """Print a line that is no result: to standard error."""
    write_line(sys.stderr, text, end=end)


def write_line(stream: TextIO, text: str, *, end: str = "\n") -> None:
    """Write a text as one line, at once, whatever characters it holds.

    Args:
        stream: Where to.
        text: What a cell, a file or the API says may stand in it.
        end: What ends the line: nothing behind a question.

    """
    if (lines := json_lines(stream)) is None:
        stream.write(show_controls(text) + end)
        stream.flush()
    elif end:
        lines.say(text)
    else:
        lines.ask(text)


def say_error(error: ReelsheetError, title: str = "error: ") -> None:
    """Say what went wrong and what to do about it, behind its title."""
    actions = [error.action] if error.action else []
    say_with_action(title, error.lines, actions, error.exit_code)


def say_with_action(title: str, told: Sequence[str], actions: Sequence[str], code: int) -> None:
    """Say what happened and what to do about it, behind a title such as "error: ".

    Args:
        title: The title.
        told: What happened, in lines.
        actions: What to do.
        code: The exit code that it leads to.

    """
    if (lines := json_lines(sys.stderr)) is not None:
        details = {"action": " ".join(actions)} if actions else {}
        lines.say(title + "\n".join(told), **details, exit_code=int(code))
        return
    first, *more = told
    say(f"{title}{first}")
    for line in more:
        say(f"  {line}")
    for action in actions:
        say(f"{' ' * (title.index(':') + 2)}{action}")


def print_json(document: Mapping[str, object]) -> None:
    """Print one JSON document, and nothing else."""
    text = json.dumps(document, ensure_ascii=False, indent=2, default=str)
    try:
        text.encode(sys.stdout.encoding or "utf-8", "surrogatepass")
    except UnicodeEncodeError:  # the escapes of a stream are none of JSON
        text = json.dumps(document, indent=2, default=str)
    sys.stdout.write(show_in_json(text) + "\n")
    sys.stdout.flush()


def print_table(rows: Sequence[Sequence[object]], heads: Sequence[str] = ()) -> None:
    """Print rows in columns under their heads, with numbers aligned to the right."""
    if not rows:
        return
    texts = [["" if cell is None else show_controls(str(cell)) for cell in row] for row in rows]
    titles = [show_controls(head) for head in heads]
    lines = [titles, *texts] if heads else texts
    widths = [max(len(line[column]) for line in lines) for column in range(len(texts[0]))]
    if heads:
        numbers = [isinstance(cell, int | float) for cell in rows[0]]
        _print_line(titles, numbers, widths)
    for source, row in zip(rows, texts, strict=True):
        _print_line(row, [isinstance(cell, int | float) for cell in source], widths)


def _print_line(texts: Sequence[str], numbers: Sequence[bool], widths: Sequence[int]) -> None:
    cells = [
        text.rjust(width) if number else text.ljust(width)
        for text, number, width in zip(texts, numbers, widths, strict=True)
    ]
    print_line("  " + "  ".join(cells).rstrip())


def print_results(results: Path | None, failed: Path | None) -> None:
    """Say where the results are, and where the rows that need attention, if there are any."""
    print_line(f"results: {results}")
    if failed is not None:
        print_line(f"rows that need attention: {failed}")


def problem_line(manifest: Path, problem: Problem) -> str:
    """Return a problem as a line that editors can jump to: file, row, cell, column, sentence."""
    place = f"{manifest}" if problem.row is None else f"{manifest}:{problem.row}"
    parts = [problem.cell, problem.column and f"column {problem.column}"]
    where = ", ".join(part for part in parts if part)
    key = f" (key {problem.key})" if problem.key else ""
    return f"{place}: {problem.severity}: {where + ': ' if where else ''}{problem.message}{key}"


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether a stream is a terminal; a stream that was closed is None."""
    return stream is not None and stream.isatty()


class _Lasting(io.FileIO):
    """A stream that drops everything after its first failure.

    A reader that went away is not an error. A full disk raises StoreError once, on the stream that
    carries `results`; on the other one it must not stop a run.
    """

    def __init__(self, number: int, *, results: bool) -> None:
        super().__init__(number, "w", closefd=False)
        self._results = results
        self.lost = False

    def write(self, data: Buffer, /) -> int:
        try:
            if not self.lost:
                return super().write(data)
        except OSError as error:
            self.lost = True
            if self._results and not isinstance(error, BrokenPipeError):
                raise StoreError(
                    f"standard output cannot be written: {error.strerror}",
                    action="The work itself is done and saved; run again to see the output.",
                ) from error
        return memoryview(data).nbytes


class _Showing:
    """A stream that shows what a terminal would obey; only line breaks pass.

    It has no `buffer`, so that nobody writes past it.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> object:
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write a text; return its length, as it was."""
        self.stream.write("\n".join(map(show_controls, text.split("\n"))))
        return len(text)

    def writelines(self, lines: Sequence[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)


def bare_stream(stream: TextIO) -> TextIO:
    """Return the stream below, for a bar: it moves the cursor, and shows its own texts."""
    return stream.stream if isinstance(stream, _Showing) else stream


def guard_streams() -> None:
    """Let both streams show what a terminal would obey, and outlive their readers.

    Their output is dropped once nobody reads it any more. A run continues without its reader
    (`reelsheet run … | head`), and the process ends with the exit code of the work.
    """
    sys.stdout = cast("TextIO", _Showing(_choose_stream(sys.stdout, results=True)))
    sys.stderr = cast("TextIO", _Showing(_choose_stream(sys.stderr, results=False)))


def is_read() -> bool:
    """Tell whether anybody reads the results, as far as writing has shown."""
    raw = getattr(getattr(bare_stream(sys.stdout), "buffer", None), "raw", None)
    return not (isinstance(raw, _Lasting) and raw.lost)


def speak_json() -> None:
    """Have standard error hold documents from now on."""
    if json_lines(sys.stderr) is None:
        sys.stderr = cast("TextIO", JsonLines(bare_stream(sys.stderr)))


def _choose_stream(stream: TextIO | None, *, results: bool) -> TextIO:
    if stream is None:
        # The parent closed it. This also takes its descriptor, so that no file of ours gets it.
        return Path(os.devnull).open("w", encoding="utf-8")
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    # A letter that the terminal's encoding lacks ends no run.
    stream.reconfigure(errors="backslashreplace")
    # A terminal is left alone: a Windows console is not a plain file.
    if is_terminal(stream):
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Lasting(stream.fileno(), results=results)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
    )


class _Interrupted(Exception):
    """A signal arrived instead of an answer."""


def consent_to(offer: Offer, when_short: str, *, yes: bool) -> bool:
    """Show what is about to be bought, and ask on a terminal whether to submit it.

    Args:
        offer: What would be bought.
        when_short: The setting `budget.when_short`: what to do if the account holds too little.
        yes: The answer was given beforehand.

    """
    from pipeline.runner.offer import goes_on_unasked

    say(f"{offer.sentence}.")
    if offer.pilot is not None:
        say(offer.pilot)
    if yes or (offer.short and when_short == "stop"):
        return yes
    if is_terminal(sys.stdin) and is_terminal(sys.stderr):
        return ask("Continue and submit? [y/N] ")
    return goes_on_unasked(offer, when_short=when_short, yes=yes)


def agreed(*, yes: bool) -> bool:
    """Ask whether to go on; without a terminal only `yes` agrees, and this is said."""
    if yes:
        return True
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        say("Nothing was changed. To do this, add --yes.")
        return False
    return ask("Go on? [y/N] ")


def go_on_with(refusal: UsageError, question: str = "Pay for all of them?") -> bool:
    """Ask on a terminal whether to go on in spite of a refusal; elsewhere the answer is no."""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        return False
    say(refusal.message)
    say(refusal.action or "")
    return ask(f"{question} [y/N] ")


def ask(question: str) -> bool:
    """Ask on the terminal; only yes is yes."""
    from pipeline.runner.signals import signals_to

    received: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        raise _Interrupted

    answer = ""
    # A signal ends the question; it is raised again afterwards and does what it always does.
    try:
        with signals_to(interrupt):
            say(question, end="")
            answer = sys.stdin.readline()
    except _Interrupted:
        say()
    for number in received:
        signal.raise_signal(number)
    return not received and answer.strip().casefold() in {"y", "yes"}
