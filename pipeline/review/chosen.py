"""The chosen take of each row stands in the results: the newest approved one, else the newest.

Tested in tests/review/test_readback.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.journal.decisions import read_decided
from pipeline.journal.reading import read_attempts
from pipeline.manifest.resultcolumns import NEW_PROMPT, NOTE, REVIEW
from pipeline.model import Decision, State, Video
from pipeline.process.collector import pause_collector
from pipeline.review.sheetcells import Cells, shown
from pipeline.review.verdicts import APPROVE, latest_of, number_in_results
from pipeline.writer.layout import Result


@dataclass(frozen=True, slots=True)
class ChosenTake:
    """The chosen take of a row, what was said of it, and whether it is the latest one."""

    number: int
    video: Video
    decision: Decision | None = None
    is_latest: bool = True


@dataclass(frozen=True, slots=True)
class ChosenTakes:
    """The chosen takes of all rows with decisions or several takes, by key.

    `seen` is the place of the last decision that they take account of.
    """

    takes: Mapping[str, ChosenTake] = field(default_factory=dict)
    seen: int = 0

    def of(self, key: str, result: Result) -> ChosenTake | None:
        """Return the chosen take of a row, which the journal may know by its earlier key."""
        found = self.takes.get(key)
        return self.takes.get(result.renamed_from or "") if found is None else found


@pause_collector()
def chosen_takes(journal: Path) -> ChosenTakes:
    """Return the chosen takes that a journal knows; raises StoreError."""
    decided = read_decided(journal)
    latest = latest_of(decided.decisions)
    takes: defaultdict[str, dict[int, ChosenTake]] = defaultdict(dict)
    for one in read_attempts(journal, decided.keys):
        number = one.attempt.number
        if one.video is not None:
            decision = latest.get((one.identity, number))
            takes[one.key][number] = ChosenTake(number, one.video, decision)
    return ChosenTakes(
        {key: _choose(found) for key, found in takes.items()},
        max((one.seq for one in decided.decisions), default=0),
    )


def _choose(takes: Mapping[int, ChosenTake]) -> ChosenTake:
    verdicts = {number: one.decision.verdict for number, one in takes.items() if one.decision}
    chosen = takes[number_in_results(takes, verdicts)]
    return replace(chosen, is_latest=chosen.number == max(takes))


def with_chosen(
    results: Sequence[Result], keys: Sequence[str], chosen: ChosenTakes
) -> list[Result]:
    """Return the results with the chosen takes, and with what was said of them.

    Args:
        results: what came of each row.
        keys: the keys of the rows, in the same order.
        chosen: the chosen takes.

    """
    if not chosen.takes:
        return [*results]
    return [
        one if (take := chosen.of(key, one)) is None else _with_take(one, take)
        for one, key in zip(results, keys, strict=True)
    ]


def _with_take(result: Result, take: ChosenTake) -> Result:
    said = shown(take.decision)
    warnings = result.warnings
    if not take.is_latest:
        why = "was approved" if said[REVIEW] == APPROVE else "is the newest that was made"
        warnings = (*take.video.warnings, f"the video is take {take.number}, which {why}")
        warnings = result.warnings if result.state is not State.DONE else warnings
    return replace(
        result,
        video=take.video.file,
        take=take.number,
        warnings=warnings,
        review=said[REVIEW] or None,
        review_note=said[NOTE] or None,
        new_prompt=said[NEW_PROMPT] or None,
    )


def with_unread(results: Sequence[Result], unread: Mapping[int, Cells]) -> list[Result]:
    """Return the results with the cells of a person that were not understood, by their rows."""
    if not unread:
        return [*results]
    return [
        replace(
            one,
            review=cells.get(REVIEW, one.review),
            review_note=cells.get(NOTE, one.review_note),
            new_prompt=cells.get(NEW_PROMPT, one.new_prompt),
        )
        if (cells := unread.get(one.row))
        else one
        for one in results
    ]
