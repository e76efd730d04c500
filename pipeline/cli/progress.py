"""Show how a run gets on: a bar on a terminal, elsewhere a plain line now and then.

Everything goes to standard error; standard output carries results only.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Never, Protocol, Self, TextIO

from tqdm import tqdm

from pipeline.cli.bars import Bars, Count, count_ended, name_manifests
from pipeline.cli.jsonlines import JsonProgress, json_lines
from pipeline.cli.screen import bare_stream, is_terminal, write_line
from pipeline.manifest.wording import count, plural
from pipeline.model import State

if TYPE_CHECKING:
    from pipeline.runner.reports import RunReport
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
_NAMED = 5
"""The most manifests that a plain line names."""


def say_counts(states: Mapping[State, int]) -> str:
    """Return the states that have rows, as "12 running, 3 ready"."""
    return ", ".join(f"{states[state]} {state}" for state in _SHOWN if states.get(state))


def say_workers(workers: tuple[int, int] | None) -> str:
    """Return how many workers there are with how many slots; nothing where the run downloads."""
    if workers is None:
        return ""
    return f"{count(workers[0], 'worker')} with {count(workers[1], 'slot')}"


def shows_bars(stream: TextIO | None) -> bool:
    """Tell whether a stream may show bars and colour (https://no-color.org)."""
    if json_lines(stream) is not None:
        return False
    return is_terminal(stream) and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


class Progress:
    """Bars for a run, or plain lines; use it as a context manager.

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
        self._bars: Bars | None = None
        self._began = self._told = self._now()
        self._first_ended: int | None = None
        self._last: RunProgress | None = None
        if total and not quiet and shows_bars(stream):
            self._bars = Bars(total, bare_stream(stream))
        self.interval_s = 0.5 if self._bars is not None else 5.0

    def show(self, progress: RunProgress) -> None:
        """Show how many rows are in which state; cheap enough to be called all the time."""
        if self._quiet:
            return
        self._last = progress
        if self._first_ended is None:
            self._first_ended = count_ended(progress.states)
        every_s = PLAIN_EVERY_S if self._bars is None else self.interval_s
        if self._now() - self._told < every_s:
            return
        self._told = self._now()
        if self._bars is not None:
            self._show_bars(self._bars, progress)
        else:
            self._say("; ".join(filter(None, self._line(progress))))

    def show_end(self, reports: Sequence[RunReport]) -> None:
        """Show where the rows stand when all is over."""
        if self._bars is None or not reports:
            return
        known = {} if self._last is None else {one.manifest: one.left for one in self._last.each}
        each, states, left, settled = [], Counter[State](), 0, 0
        for report in reports:
            own = Counter({State(state): number for state, number in report.states.items()})
            waiting = own[State.WAITING]
            # Where nothing was to be asked or sent, nothing was to be done with them either.
            otherwise = 0 if report.stops else waiting
            own_left = min(waiting, known.get(Path(report.summary.manifest), otherwise))
            # No run can do more for them: a person settles them.
            own_settled = 0 if report.stops else own[State.IN_DOUBT] + own[State.MISSING]
            each.append(_count(report.summary.manifest, own, own_left, also=own_settled))
            states, left, settled = states + own, left + own_left, settled + own_settled
        self._draw(self._bars, _count("", states, left, also=settled), each)

    def _show_bars(self, bars: Bars, progress: RunProgress) -> None:
        parts = progress.waits_for, say_counts(progress.states), say_workers(progress.workers)
        told = "; ".join(filter(None, parts))
        each = _count_each(progress)
        self._draw(bars, _count("", progress.states, progress.left, told), each)

    def _draw(self, bars: Bars, whole: Count, each: Sequence[Count]) -> None:
        names = name_manifests([Path(one.name) for one in each]) if len(each) > 1 else ()
        named = [replace(one, name=name) for one, name in zip(each, names, strict=False)]
        bars.show(whole, named, first_ended=self._first_ended or 0)

    def _line(self, progress: RunProgress) -> Iterator[str]:
        whole = _count("", progress.states, progress.left)
        yield f"{whole.ended}/{whole.total} {plural(whole.total, 'row')} ended"
        yield say_counts(progress.states)
        yield self._rest(whole)
        if len(progress.each) > 1:
            yield _say_open(progress)
        yield say_workers(progress.workers)
        yield progress.waits_for or ""

    def _rest(self, whole: Count) -> str:
        moved, spent_s = whole.ended - (self._first_ended or 0), self._now() - self._began
        if moved <= 0:
            return ""
        rate = moved / spent_s
        return f"{rate * 60:.0f} rows/min, {_clock((whole.total - whole.ended) / rate)} to go"

    def say(self, line: str) -> None:
        """Print a line without breaking the bar."""
        if not self._quiet:
            self._say(line)

    def warn(self, line: str) -> None:
        """Print a line that concerns the user's money, even if quiet."""
        self._say(line)

    def _say(self, line: str) -> None:
        if self._bars is not None:
            with tqdm.external_write_mode(file=bare_stream(self._stream)):
                write_line(self._stream, line)
        else:
            write_line(self._stream, line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.close()


def _count(
    name: str, states: Mapping[State, int], left: int, told: str | None = None, also: int = 0
) -> Count:
    """Count the rows of a manifest, or of all, without those `left` that are not to be made.

    So many `also` have ended of those that a later run may move.
    """
    ended = count_ended(states) + also
    total = max(ended, sum(states.values()) - left)
    return Count(name, total, ended, say_counts(states) if told is None else told)


def _count_each(progress: RunProgress) -> list[Count]:
    return [_count(str(one.manifest), one.states, one.left) for one in progress.each]


def _say_open(progress: RunProgress) -> str:
    """Return the manifests that are not through, with their counts."""
    names = name_manifests([one.manifest for one in progress.each])
    named = zip(names, _count_each(progress), strict=True)
    told = [f"{name} {one.ended}/{one.total}" for name, one in named if not one.is_through]
    more = len(told) - _NAMED
    return ", ".join(told[:_NAMED]) + (f" and {count(more, 'more manifest')}" if more > 0 else "")


def row_progress(total: int, stream: TextIO, *, quiet: bool) -> Progress | JsonProgress:
    """Return what shows how far a run is, in the form that the stream is for.

    Args:
        total: The number of rows.
        stream: Where to show it.
        quiet: Show warnings only.

    """
    lines = json_lines(stream)
    if lines is not None:
        return JsonProgress(lines, quiet=quiet)
    return Progress(total, stream, quiet=quiet)


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
