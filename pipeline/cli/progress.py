"""Show how a run gets on: a bar on a terminal, elsewhere a plain line now and then.

Everything goes to standard error; standard output carries results only.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Never, Protocol, Self, TextIO

from tqdm import tqdm

from pipeline.cli.screen import bare_stream, is_terminal, write_line
from pipeline.concealment import show_controls
from pipeline.manifest.wording import plural
from pipeline.model import State

if TYPE_CHECKING:
    from pipeline.runner.watching import RunProgress

PLAIN_EVERY_S = 30
"""Without a terminal, seconds between two lines."""

_SHOWN = (
    State.WAITING,
    State.SUBMITTING,
    State.RUNNING,
    State.READY,
    State.FAILED,
    State.REFUSED,
    State.EXPIRED,
    State.IN_DOUBT,
    State.MISSING,
    State.INVALID,
)
_ENDED = (State.DONE, State.FAILED, State.REFUSED, State.EXPIRED, State.INVALID)


def say_counts(states: Mapping[State, int]) -> str:
    """Return the states that have rows, as "12 running, 3 ready"."""
    return ", ".join(f"{states[state]} {state}" for state in _SHOWN if states.get(state))


def shows_bars(stream: TextIO | None) -> bool:
    """Tell whether a stream may show bars and colour (https://no-color.org)."""
    return is_terminal(stream) and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


class Progress:
    """A bar for the whole manifest, or plain lines; use it as a context manager.

    Args:
        total: The number of rows.
        stream: Where to show it.
        quiet: Show warnings only.
        now: A monotonic clock, in seconds.

    """

    def __init__(
        self,
        total: int,
        stream: TextIO,
        *,
        quiet: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._total = total
        self._stream = stream
        self._quiet = quiet
        self._bar: tqdm[Never] | None = None
        self._began = self._told = self._now()
        self._first_ended: int | None = None
        if not quiet and shows_bars(stream):
            self._bar = tqdm(
                total=total,
                file=bare_stream(stream),
                unit="row",
                dynamic_ncols=True,
                smoothing=0.05,
                bar_format="{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}]{postfix}",
            )
        self.interval_s = 0.5 if self._bar is not None else 5.0

    def show(self, progress: RunProgress) -> None:
        """Show how many rows are in which state; cheap enough to be called all the time."""
        every_s = PLAIN_EVERY_S if self._bar is None else self.interval_s
        due = self._now() - self._told >= every_s
        if self._quiet or not (due or self._first_ended is None):
            return
        states = progress.states
        ended = sum(states.get(state, 0) for state in _ENDED)
        if self._first_ended is None:
            self._first_ended = ended
        if not due:
            return
        self._told = self._now()
        if self._bar is not None:
            self._show_bar(self._bar, ended, states, progress.waits_for)
        else:
            rows = plural(self._total, "row")
            told = f"{ended}/{self._total} {rows} ended; {say_counts(states)}{self._rest(ended)}"
            self._say(f"{told}; {progress.waits_for}" if progress.waits_for else told)

    def _show_bar(
        self, bar: tqdm[Never], ended: int, states: Mapping[State, int], waiting: str | None
    ) -> None:
        if self._first_ended:
            # Rows that ended before this run must not make it look faster than it is.
            bar.initial = self._first_ended
        bar.n = ended
        told = "; ".join(filter(None, (waiting, say_counts(states))))
        bar.set_postfix_str(show_controls(told), refresh=True)

    def _rest(self, ended: int) -> str:
        moved, spent_s = ended - (self._first_ended or 0), self._now() - self._began
        if moved <= 0:
            return ""
        rate = moved / spent_s
        return f"; {rate * 60:.0f} rows/min, {_clock((self._total - ended) / rate)} to go"

    def say(self, line: str) -> None:
        """Print a line without breaking the bar."""
        if not self._quiet:
            self._say(line)

    def warn(self, line: str) -> None:
        """Print a line that concerns the user's money, even if quiet."""
        self._say(line)

    def _say(self, line: str) -> None:
        if self._bar is not None:
            with tqdm.external_write_mode(file=bare_stream(self._stream)):
                write_line(self._stream, line)
        else:
            write_line(self._stream, line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.refresh()
            self._bar.close()


class _Tell(Protocol):
    """Is told how many of how many are done, and a line that is to be shown."""

    def __call__(self, done: int, total: int, line: str = "", /) -> None: ...


@contextlib.contextmanager
def picture_progress(*, show: bool) -> Iterator[_Tell | None]:
    """Yield a function that shows how many pictures were checked; None if nobody would see it.

    Without a terminal it is a plain line every so often.
    """
    with _progress("picture", show=show) as tell:
        yield tell


@contextlib.contextmanager
def file_progress(*, show: bool) -> Iterator[_Tell | None]:
    """Yield a function that shows how many rows are dealt with; None if nobody would see it.

    Without a terminal it is a plain line every so often.
    """
    with _progress("row", show=show) as tell:
        yield tell


@contextlib.contextmanager
def _progress(unit: str, *, show: bool) -> Iterator[_Tell | None]:
    """Yield a function that is told how many of how many are done, and a line to be shown."""
    if not show:
        yield None
    elif shows_bars(sys.stderr):
        with _bar(unit) as tell:
            yield tell
    else:
        told = time.monotonic()

        def say_number(done: int, total: int, line: str = "", /) -> None:
            nonlocal told
            if line:
                write_line(sys.stderr, line)
            if time.monotonic() - told >= PLAIN_EVERY_S:
                told = time.monotonic()
                write_line(sys.stderr, f"{done}/{total} {plural(total, unit)}")

        yield say_number


@contextlib.contextmanager
def _bar(unit: str) -> Iterator[_Tell]:
    bar: tqdm[Never] = tqdm(unit=unit, file=bare_stream(sys.stderr), leave=False, delay=0.5)
    with bar:

        def tell(done: int, total: int, line: str = "", /) -> None:
            if line:
                with tqdm.external_write_mode(file=sys.stderr):
                    write_line(sys.stderr, line)
            bar.total = total
            bar.update(done - bar.n)

        yield tell


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
