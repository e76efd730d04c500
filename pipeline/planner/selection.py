"""What a run is asked to do: the mode, and which rows.

Tested in tests/planner/test_plan.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from pipeline.model import State


class Mode(StrEnum):
    """What the command is asked to do."""

    RUN = "run"
    RETRY = "retry"
    FETCH = "fetch"


@dataclass(frozen=True, slots=True)
class Selection:
    """What a run is asked to do: the mode, and which rows.

    `retry` holds the states whose unchanged rows get a new attempt. `redo_changed` asks for a new
    take of every edited row that is done, `redo` for one of the rows with these keys. `only` holds
    the keys that count (None: all). `limit` is the most rows to submit, `attempts` the most
    submissions of one request over all runs. `pay_again` holds the keys of rows that are paid for
    although their video was bought before, `pay_again_all` says so of all rows to be submitted.
    With `pilot` a pilot of so many rows is made, and nothing else.
    `redo_rejected` asks for a new take of the rows whose take was rejected; `rejected` are theirs.
    Without `redo_sheets` a row is not edited of which only its model's sheet was changed.
    """

    mode: Mode = Mode.RUN
    retry: frozenset[State] = frozenset()
    redo_changed: bool = False
    redo: frozenset[str] = frozenset()
    only: frozenset[str] | None = None
    limit: int | None = None
    attempts: int = 3
    pay_again: frozenset[str] = frozenset()
    pay_again_all: bool = False
    pilot: int | None = None
    redo_rejected: bool = False
    rejected: frozenset[str] = frozenset()
    redo_sheets: bool = True

    def names(self, key: str) -> bool:
        """Return whether a row is asked for by its key."""
        return key in (self.only or ()) or key in self.redo or key in self.pay_again

    @property
    def redo_words(self) -> tuple[str, ...]:
        """The words for rows of which a new take is asked for, beside keys."""
        words = {"changed": self.redo_changed, "rejected": self.redo_rejected}
        return tuple(word for word, asked in words.items() if asked)

    @property
    def redone(self) -> frozenset[str]:
        """The keys of rows of which a new take is asked for, one by one or as rejected ones."""
        return self.redo | self.rejected

    def for_rejected(self, wanted: Collection[str]) -> Selection:
        """Return the selection for a manifest of whose rows these were rejected, by their keys."""
        if not self.redo_rejected:
            return self
        chosen = (key for key in wanted if self.only is None or key in self.only)
        return replace(self, rejected=frozenset(chosen))


def unknown_keys(selection: Selection, keys: Iterable[str]) -> list[str]:
    """Return the keys that the selection names and that no row of the manifest has, sorted."""
    named = (selection.only or frozenset()) | selection.redo | selection.pay_again
    return sorted(named.difference(keys)) if named else []
