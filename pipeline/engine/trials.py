"""Models of which no video was made yet: one row of each goes first, the others of it wait.

What is known of such a model is what somebody understood of a page. A mistake in it costs one row
this way, and not a night. When the first row ends in any other way than done, the next one is
tried; after three of them the rest of that model is left alone, and all other rows go on.

Rows that are kept back have no attempt yet, and stand in no other queue.

Tested in tests/engine/test_trials.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.engine.commands import RowId
from pipeline.engine.rows import Reach, Stop, Tracked
from pipeline.engine.waiting import Waiting
from pipeline.errors import ExitCode
from pipeline.model import State

MOST_TRIES = 3
"""So many rows of a model are tried."""


@dataclass(slots=True)
class _Trial:
    """A model on trial: the row that is tried, how many were in vain, and the rows kept back."""

    first: RowId | None = None
    failed: int = 0
    kept: deque[RowId] = field(default_factory=deque)


class Trials:
    """Which rows are kept back; `waiting` are those that are not."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self._trials: dict[str, _Trial] = {}
        self._models: dict[RowId, str] = {}
        self._stops: list[Stop] = []

    def begin(self, models: Iterable[str]) -> None:
        """Try each of these models with a single row first."""
        self._trials |= {model: _Trial() for model in models}

    @property
    def models(self) -> list[str]:
        """The models on trial."""
        return list(self._trials)

    @property
    def to_come(self) -> int:
        """How many rows are kept back that may still go in this run."""
        return sum(len(one.kept) for one in self._trials.values() if one.failed < MOST_TRIES)

    def keep_back(self, row: RowId, model_of: Callable[[str], str]) -> bool:
        """Keep a row back whose turn is near, if another one of its model is tried before."""
        if not self._trials or (trial := self._trials.get(model := model_of(row.key))) is None:
            return False
        if trial.first in (None, row) and trial.failed < MOST_TRIES:
            trial.first, self._models[row] = row, model
            return False
        trial.kept.append(row)
        self._waiting.drop(row)
        return True

    def note_end(self, row: RowId, state: State) -> None:
        """Take note that a row is settled: if it was tried, the others go, or the next one."""
        if (model := self._models.pop(row, None)) is None:
            return
        if state is State.DONE:
            self._waiting.take_back(self._trials.pop(model).kept)
            return
        self._trials[model].failed += 1
        self._try_next(model)

    def pass_on(self, rows: Mapping[tuple[int, str], Tracked]) -> None:
        """Try the next rows where nothing moves any more: what was tried stays as it is.

        A row that was not sent, because the account has bought the same before, proves nothing.
        """
        for row, model in tuple(self._models.items()):
            if self._trials[model].kept:
                del self._models[row]
                sent = rows[row].state is not State.WAITING
                self._trials[model].failed += sent
                self._try_next(model)

    def take_stops(self) -> list[Stop]:
        """Return why models were given up since this was asked last: only their rows stop."""
        stops, self._stops = self._stops, []
        return stops

    def _try_next(self, model: str) -> None:
        trial = self._trials[model]
        trial.first = None
        if trial.failed >= MOST_TRIES:
            self._stops.append(_stop_for(model))
        elif trial.kept:
            self._waiting.take_back([trial.kept.popleft()])


def _stop_for(model: str) -> Stop:
    return Stop(
        ExitCode.STOPPED,
        f"{MOST_TRIES} rows of the model {model}, whose sheet was never run, were tried and none "
        "came home; its other rows were not sent",
        Reach.SUBMITTING,
        f"See what the results say of them, and hold the sheet against its page (reelsheet models "
        f"show {model}); then run again: it begins with one row.",
    )
