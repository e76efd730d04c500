"""Whether the look-up by our own reference was seen to find a task in this run.

Without that, "no such task" proves nothing about a submission in doubt: the provider may not know
our references at all, or not today. It matters only where such a submission is to go again.
"""

from __future__ import annotations

from math import inf

from pipeline.engine.retry import PROOF
from pipeline.engine.rows import Tracked
from pipeline.errors import NoSuchTask, ProviderError
from pipeline.model import State, TaskView

TRIES = 30
"""So often a task whose id is known is asked for by its reference, one at a time."""


class Proof:
    """Asks for known tasks by their reference now and then, until one is found so."""

    def __init__(self, *, wanted: bool) -> None:
        self._wanted = wanted
        self._given = False
        self._tries = 0
        self._next_at = 0.0
        self._in_vain: list[Tracked] = []

    def reference(self, row: Tracked, now: float) -> str:
        """Return what to ask for a row by; a query by reference of a known task is a try."""
        if row.task_id is None:
            return row.attempt.client_business_id
        more = self._wanted and not self._given and self._tries < TRIES
        if not more or now < self._next_at or row.state is not State.RUNNING:
            return row.task_id
        self._tries += 1
        self._next_at = inf
        row.proves = True
        return row.attempt.client_business_id

    def answered(self, row: Tracked, outcome: TaskView | ProviderError, now: float) -> bool:
        """Take in the answer to a query; return whether it says anything about the row's task."""
        if not row.proves:
            return True
        row.proves = False
        self._next_at = now + PROOF.wait_s(self._tries, "proof")
        if isinstance(outcome, TaskView):
            self._given = self._given or outcome.task_id == row.task_id
            return outcome.task_id == row.task_id
        if not isinstance(outcome, NoSuchTask):
            self._tries -= 1  # nobody looked
        return not isinstance(outcome, NoSuchTask)

    def looked_up(self, row: Tracked, outcome: TaskView | ProviderError, now: float) -> bool:
        """Take in a look-up of a submission in doubt; return whether it may go again."""
        if isinstance(outcome, TaskView):
            self._given = self._given or outcome.task_id is not None
            return False
        if not self._wanted or not isinstance(outcome, NoSuchTask) or now < row.lookup_until:
            return False
        if not self._given:
            self._in_vain.append(row)
        return self._given

    def look_again(self) -> list[Tracked]:
        """Return, once the proof is there, the rows that were looked for in vain before it."""
        if not self._given:
            return []
        rows, self._in_vain = self._in_vain, []
        return rows
