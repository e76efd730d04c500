"""In which order rows are submitted, and which of those that fail are tried again in a night.

New rows first, then takes that are made again, then attempts of rows that failed before.

Tested in tests/runner/test_turns.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.checker.rules import spellings_of
from pipeline.engine.commands import RowId
from pipeline.engine.later import REDONE, RETRIED
from pipeline.model import Attempt, Entry, State
from pipeline.planner.plan import CHANGED, Action, Plan, Step
from pipeline.refusals import past_help


@dataclass(slots=True)
class Turns:
    """The rows that a plan submits, by key: `first` at once, `later` by rank and state.

    A row that comes later has the Unix second before which it is not sent.
    """

    first: list[str] = field(default_factory=list)
    later: dict[tuple[int, State], list[tuple[str, float]]] = field(default_factory=dict)


def take_turns(submits: Iterable[Step], entries: Mapping[str, Entry], wait_s: float) -> Turns:
    """Return in which order a night submits the rows of a plan.

    Args:
        submits: The steps that submit.
        entries: What the journal knows of the rows, by key.
        wait_s: How long after its failure a row is tried again, in seconds.

    """
    turns = Turns()
    for step in submits:
        entry = entries.get(step.key)
        if entry is not None and entry.state is State.DONE:
            turns.later.setdefault((REDONE, entry.state), []).append((step.key, 0.0))
        elif entry is not None and entry.state is State.FAILED and step.group != CHANGED:
            due = (entry.finished_at or 0.0) + wait_s
            turns.later.setdefault((RETRIED, entry.state), []).append((step.key, due))
        else:
            turns.first.append(step.key)
    return turns


class Follows(Protocol):
    """Makes the attempts of a manifest."""

    def after(self, failed: Attempt) -> Attempt:
        """Return the attempt of a row that follows one that failed."""


class Retrying:
    """Makes the next attempts of rows that fail while the run goes on; `most` bounds them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lanes: dict[int, tuple[Follows, Mapping[str, Entry], frozenset[str]]] = {}

    def add(
        self,
        lane: int,
        attempts: Follows,
        entries: Mapping[str, Entry],
        plan: Plan,
        may_order: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """Try the rows of a lane again, as long as they are what was sent.

        Args:
            lane: Its number.
            attempts: Makes its attempts.
            entries: What the journal knew of its rows at the start, by key.
            plan: What is done with them. Of a row that was edited since it was sent, or has left
                the manifest, a person decides.
            may_order: Says of a row's key whether the pilot lets it through.

        """
        same = frozenset(
            step.key
            for step in plan.steps
            if (step.action is Action.SUBMIT or (step.action is Action.TAKE_UP and not step.edited))
            and may_order(step.key)
        )
        self._lanes[lane] = attempts, entries, same

    def next_attempt(
        self, row: RowId, failed: Attempt, code: str | None, message: str
    ) -> Attempt | None:
        """Return the attempt that follows one that failed; None where none is to follow.

        Args:
            row: The row.
            failed: The attempt.
            code: The code of its failure.
            message: What the provider said.

        """
        if row.lane not in self._lanes or past_help(code, message) is not None:
            return None
        attempts, entries, same = self._lanes[row.lane]
        if row.key not in same:
            return None
        entry = entries.get(row.key)
        before = sum(map(entry.submissions_of, spellings_of(failed.request))) if entry else 0
        here = failed.number + 1 - (entry.next_number if entry else 1)
        return None if before + here >= self._most else attempts.after(failed)
