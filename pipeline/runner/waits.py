"""What a run leaves to a person, in figures, beyond the states of the rows. Pure.

Tested in tests/night/test_notice.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pipeline.model import State
from pipeline.planner.heldback import Hold
from pipeline.planner.plan import Action, Step
from pipeline.writer.layout import Result


@dataclass(frozen=True, slots=True)
class Waits:
    """How many rows wait for a person, by why.

    `repeats` wait as their videos were bought before, `pilot` until the pilot is judged. `edited`
    and `rejected` are done and keep their videos, as no new takes were asked for. `ordered_warned`
    were ordered in this run although a warning was given; `warnings` are the commonest, with how
    often each was given. `used_up` are done, too, and asked for new takes, but limits.attempts
    allows none after up to `attempts` of each; `redo` says which of them there are.
    `unjudged` takes came in this run, and nobody has said anything of them: they count for nothing.
    """

    repeats: int = 0
    pilot: int = 0
    edited: int = 0
    rejected: int = 0
    ordered_warned: int = 0
    warnings: tuple[tuple[str, int], ...] = ()
    used_up: int = 0
    attempts: int = 0
    redo: str = ""
    unjudged: int = 0

    @property
    def total(self) -> int:
        """How many rows there are in all of it."""
        done = self.edited + self.rejected + self.used_up
        return self.repeats + self.pilot + done + self.ordered_warned


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
    pairs = zip(steps, results, strict=True)
    used_up = [one for one, result in pairs if one.spent and result.state is State.DONE]
    redo = {"rejected" if step.key in rejected else "changed" for step in used_up}
    left = [step for step in steps if step.action is Action.LEAVE and not step.spent]
    turned_down = {step.key for step in left if step.key in rejected}
    return Waits(
        repeats=sum(step.needs_user for step in steps),
        pilot=sum(step.held and step.hold is Hold.PILOT for step in steps),
        edited=sum(step.waits_for_redo and step.key not in turned_down for step in left),
        rejected=len(turned_down),
        ordered_warned=len(warned),
        warnings=tuple(said.most_common(_COMMONEST)),
        used_up=len(used_up),
        attempts=max((step.spent for step in used_up), default=0),
        redo=",".join(sorted(redo)),
    )
