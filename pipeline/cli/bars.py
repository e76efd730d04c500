"""The bars of a run on a terminal: one for each manifest, as far as there is room, and a total.

Manifests that are through make room for those that are not. A single one has the total alone.

Tested in tests/cli/test_bars.py and tests/cli/test_progress.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Never, TextIO

from tqdm import tqdm
from tqdm.utils import disp_len, disp_trim

from pipeline.concealment import show_controls
from pipeline.model import State

ENDED = (State.DONE, State.FAILED, State.REFUSED, State.EXPIRED, State.INVALID)
"""The states of rows that no run moves by itself any more."""

_MOST_BARS = 12
_LINES_LEFT = 2
"""Of the terminal: the total, and room for what is said meanwhile."""
_LONGEST_NAME = 30
_OF_THE_WIDTH = 2
"""A name takes so much of the width at most: half of it."""
_TOTAL = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}]{postfix}"
_ONE = "{l_bar}{bar}| {n_fmt}/{total_fmt}{postfix}"
_SHAPE_UNKNOWN = (80, 24)


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows of a manifest, or of all, there are and have ended; `told` is where they stand.

    `name` tells it from the others.
    """

    name: str
    total: int
    ended: int
    told: str

    @property
    def is_through(self) -> bool:
        """Whether all of its rows have ended."""
        return self.ended >= self.total


def count_ended(states: Mapping[State, int]) -> int:
    """Return how many rows stand where no run moves them by itself any more."""
    return sum(states.get(state, 0) for state in ENDED)


def name_manifests(paths: Sequence[Path]) -> list[str]:
    """Return what manifests are called beside each other: by their file, or where it is shared."""
    files = [path.name for path in paths]
    return [show_controls(str(path) if files.count(path.name) > 1 else path.name) for path in paths]


def fit(name: str, width: int) -> str:
    """Return a name in so many columns, without its middle if it is longer."""
    if disp_len(name) > width:
        tail = name
        while disp_len(tail) > max(0, (width - 1) // 2):
            tail = tail[1:]
        name = f"{disp_trim(name, width - 1 - disp_len(tail))}…{tail}"
    return name + " " * (width - disp_len(name))


class Bars:
    """Bars below each other; the last one is the total.

    Args:
        total: The number of all rows.
        stream: The terminal.

    """

    def __init__(self, total: int, stream: TextIO) -> None:
        self._stream = stream
        self._total = self._bar(total, _TOTAL, 0)
        self._bars: list[tqdm[Never]] = []
        self._shown: list[str] = []
        self._columns = self._shape()[0]

    def _bar(self, total: int, form: str, place: int) -> tqdm[Never]:
        return tqdm(
            total=total,
            file=self._stream,
            unit="row",
            dynamic_ncols=True,
            smoothing=0.05,
            bar_format=form,
            position=place,
            leave=True,
        )

    def show(self, whole: Count, each: Sequence[Count], *, first_ended: int) -> None:
        """Draw the bars anew.

        Args:
            whole: All rows together.
            each: Those of each manifest, if there are several.
            first_ended: How many rows had ended before the run.

        """
        columns, lines = self._shape()
        self._heed_width(columns)
        shown = self._choose(each, max(0, min(_MOST_BARS, lines - _LINES_LEFT)))
        self._have(len(shown))
        labels = [one.name for one in shown]
        total = f"{len(each)} manifests" if each else ""
        widest = min(_LONGEST_NAME, max(1, columns // _OF_THE_WIDTH))
        width = min(widest, max([disp_len(one) for one in (*labels, total)]))
        for bar, one in zip(self._bars, shown, strict=True):
            _set(bar, one, fit(one.name, width))
        if first_ended:
            # Rows that ended before this run must not make it look faster than it is.
            self._total.initial = first_ended
        _set(self._total, whole, fit(total, width) if total else "")

    def _shape(self) -> tuple[int, int]:
        shape = self._total.format_dict
        columns, lines = shape["ncols"], shape["nrows"]
        return columns or _SHAPE_UNKNOWN[0], lines or _SHAPE_UNKNOWN[1]

    def _heed_width(self, columns: int) -> None:
        """Begin below what a terminal of another width has made of the lines."""
        if columns == self._columns:
            return
        self._columns = columns
        self._stream.write("\r\x1b[J")
        for bar in (*self._bars, self._total):
            bar.sp = bar.status_printer(self._stream)  # what was longer is no longer there

    def _choose(self, each: Sequence[Count], most: int) -> list[Count]:
        """Return the manifests that have a bar: those that go on before those that are through."""
        order = sorted(each, key=lambda one: (one.is_through, one.name not in self._shown))
        chosen = {one.name for one in order[:most]}
        self._shown = [one.name for one in each if one.name in chosen]
        return [one for one in each if one.name in chosen]

    def _have(self, number: int) -> None:
        """Have so many bars above the total."""
        if number == len(self._bars):
            return
        for bar in (*self._bars, self._total):
            bar.clear()
        while len(self._bars) > number:
            bar = self._bars.pop()
            bar.leave = False
            bar.close()
        while len(self._bars) < number:
            self._bars.append(self._bar(1, _ONE, len(self._bars)))
        self._total.pos = -number  # a place that is given is a negative number

    def close(self) -> None:
        """Leave the bars as they are, and the cursor below them."""
        for bar in (*self._bars, self._total):
            bar.close()


def _set(bar: tqdm[Never], count: Count, label: str) -> None:
    bar.total, bar.n = count.total, count.ended
    bar.set_description_str(label, refresh=False)
    bar.set_postfix_str(show_controls(count.told), refresh=False)
    bar.refresh()
