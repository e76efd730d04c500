"""What a run leaves to a person, in figures, beyond the states of the rows. Pure.

Tested in tests/night/test_notice.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pipeline.planner.plan import Action, Hold, Step
from pipeline.writer.layout import Result


@dataclass(frozen=True, slots=True)
class Waits:
    """How many rows wait for a person, by why.

    `repeats` wait as their videos were bought before, `pilot` until the pilot is judged. `edited`
    and `rejected` are done and keep their videos, as no new takes were asked for. `ordered_warned`
    were ordered in this run although a warning was given; `warnings` are the commonest, with how
    often each was given.
    """

    repeats: int = 0
    pilot: int = 0
    edited: int = 0
    rejected: int = 0
    ordered_warned: int = 0
    warnings: tuple[tuple[str, int], ...] = ()

    @property
    def total(self) -> int:
        """How many rows there are in all of it."""
        return self.repeats + self.pilot + self.edited + self.rejected + self.ordered_warned


NOTHING_WAITS = Waits()
_COMMONEST = 3


def count_waits(
    steps: Sequence[Step], results: Sequence[Result], rejected: Collection[str]
) -> Waits:
    """Count what waits for a person.

    Args:
        steps: What the run did with each row.
        results: What came of each row, in the same order.
        rejected: The keys of the rows whose take was rejected, and nothing was made since.

    """
    warned = [
        (step, result)
        for step, result in zip(steps, results, strict=True)
        if step.action is Action.SUBMIT and result.attempts and result.warnings
    ]
    said = Counter(
        one.replace(repr(step.key), "a row")
        for step, result in warned
        for one in dict.fromkeys(result.warnings)
    )
    left = [step for step in steps if step.action is Action.LEAVE and not step.spent]
    turned_down = {step.key for step in left if step.key in rejected}
    return Waits(
        repeats=sum(step.needs_user for step in steps),
        pilot=sum(step.held and step.hold is Hold.PILOT for step in steps),
        edited=sum(step.waits_for_redo and step.key not in turned_down for step in left),
        rejected=len(turned_down),
        ordered_warned=len(warned),
        warnings=tuple(said.most_common(_COMMONEST)),
    )
