"""Which take of each row is handed over, and why none is: pure, from takes and decisions.

An approved take goes, the newest of several. A rejected one never does. A take that nobody has
judged goes only where that was asked for. A decision about another file than the one that is known
now counts for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.model import Decision
from pipeline.review.takes import JudgedRow, TakeFile
from pipeline.review.verdicts import APPROVE, REJECT, Take, number_to_hand_over


class Standing(StrEnum):
    """Why nothing of a row is handed over."""

    UNDECIDED = "undecided"
    REJECTED = "rejected"
    NO_VIDEO = "no video"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is handed over of a row: a take with the decision that approved it, or why nothing is.

    `newer` says that a take came after the approved one that nobody has judged, `untouched` that
    nobody ever decided anything about the take that would be handed over.
    """

    row: JudgedRow
    take: TakeFile | None = None
    approval: Decision | None = None
    why_not: Standing | None = None
    newer: bool = False
    untouched: bool = False


def choose(
    rows: Sequence[JudgedRow], latest: Mapping[Take, Decision], *, undecided: bool
) -> list[Chosen]:
    """Return what is handed over of each row, in their order.

    Args:
        rows: the rows with their takes.
        latest: the decisions that count.
        undecided: whether takes that nobody has judged are handed over, too.

    """
    return [_choose(row, latest, undecided=undecided) for row in rows]


def _choose(row: JudgedRow, latest: Mapping[Take, Decision], *, undecided: bool) -> Chosen:
    said = {take.number: _said_of(row, take, latest) for take in row.takes}
    verdicts = {number: one.verdict for number, one in said.items() if one is not None}
    number = number_to_hand_over(said.keys(), verdicts)
    if number is None:
        return Chosen(row, why_not=Standing.NO_VIDEO)
    verdict = verdicts.get(number)
    if verdict == REJECT:
        return Chosen(row, why_not=Standing.REJECTED)
    if verdict != APPROVE and not undecided:
        return Chosen(row, why_not=Standing.UNDECIDED, untouched=said[number] is None)
    take = next(one for one in row.takes if one.number == number)
    newest = max(said)
    newer = newest != number and not verdicts.get(newest)
    return Chosen(row, take, said[number] if verdict == APPROVE else None, newer=newer)


def _said_of(row: JudgedRow, take: TakeFile, latest: Mapping[Take, Decision]) -> Decision | None:
    decision = latest.get((row.entry, take.number))
    if decision is None or decision.sha256 not in {"", take.video.sha256}:
        return None
    return decision
