"""The takes of the rows of a manifest: which videos there are to judge, in the rows' order.

Tested in tests/review/test_takes.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.checker.check import CheckedManifest
from pipeline.disk.folder import OutputFolder
from pipeline.journal.decisions import read_decisions
from pipeline.journal.reading import read_all
from pipeline.manifest.wording import agree, count
from pipeline.model import Decision, Entry, State, Video
from pipeline.planner.planner import known_rows
from pipeline.review.verdicts import APPROVE, REJECT, TAKEN_BACK, Take, latest_of, standing_of

_NEED_A_PERSON = (
    State.INVALID,
    State.REFUSED,
    State.FAILED,
    State.EXPIRED,
    State.IN_DOUBT,
    State.MISSING,
)


@dataclass(frozen=True, slots=True)
class TakeFile:
    """One finished video of a row; `finished_at` is in Unix seconds, `prompt` what was sent.

    `images` are the pictures that were sent with it.
    """

    number: int
    video: Video
    finished_at: float | None
    prompt: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A row with its takes, the earliest first; `entry` is the identity of its entry.

    A row that was never sent has no entry, and none of its takes.
    """

    row: int
    key: str
    entry: str
    state: State | None
    error: str | None
    takes: tuple[TakeFile, ...]


def rows_with_takes(checked: CheckedManifest, folder: OutputFolder) -> list[JudgedRow]:
    """Return all rows of a manifest with their takes, as the journal knows them now.

    Raises StoreError, UsageError.
    """
    _, attempts = read_all(folder.journal)
    entries, _ = known_rows(checked, folder, {one.key: one for one in attempts})
    return judged_rows(checked, entries, attempts)


def judged_rows(
    checked: CheckedManifest, entries: Mapping[str, Entry], attempts: Iterable[Entry]
) -> list[JudgedRow]:
    """Return all rows of a manifest with their takes.

    Args:
        checked: the manifest.
        entries: what the journal knows, by the keys that the rows have now.
        attempts: all attempts in the journal.

    """
    takes = _takes(attempts)
    return [
        _row(row.number, key, entries.get(key), takes)
        for row, key in zip(checked.manifest.rows, checked.keys, strict=True)
    ]


def _takes(attempts: Iterable[Entry]) -> dict[str, tuple[TakeFile, ...]]:
    found: defaultdict[str, list[TakeFile]] = defaultdict(list)
    for one in attempts:
        if one.video is not None:
            attempt, request = one.attempt, one.attempt.request
            take = TakeFile(
                attempt.number, one.video, one.finished_at, request.prompt, request.images
            )
            found[one.identity].append(take)
    return {identity: tuple(takes) for identity, takes in found.items()}


def _row(
    number: int, key: str, entry: Entry | None, takes: dict[str, tuple[TakeFile, ...]]
) -> JudgedRow:
    if entry is None:
        return JudgedRow(number, key, "", None, None, ())
    return JudgedRow(
        number,
        key,
        entry.identity,
        entry.state,
        entry.error_message,
        takes.get(entry.identity, ()),
    )


def count_verdicts(checked: CheckedManifest, folder: OutputFolder) -> dict[str, int] | None:
    """Return how many rows have a video, and how many of them are approved, rejected and open.

    None as long as nobody has decided anything. Raises StoreError, UsageError.
    """
    latest = latest_of(read_decisions(folder.journal))
    if not latest:
        return None
    counts = {"made": 0, "approved": 0, "rejected": 0, "open": 0}
    names = {APPROVE: "approved", REJECT: "rejected", TAKEN_BACK: "open"}
    for standing in standings_of(rows_with_takes(checked, folder), latest):
        counts["made"] += 1
        counts[names[standing]] += 1
    return counts


def standings_of(rows: Iterable[JudgedRow], latest: Mapping[Take, Decision]) -> Iterator[str]:
    """Yield how each row that has a video stands: approved, rejected or open."""
    for row in rows:
        numbers = [take.number for take in row.takes]
        said = {number: latest.get((row.entry, number)) for number in numbers}
        verdicts = {number: one.verdict for number, one in said.items() if one is not None}
        standing = standing_of(numbers, verdicts)
        if standing is not None:
            yield standing


def say_verdicts(verdicts: Mapping[str, int], states: Mapping[str, int]) -> tuple[str, ...]:
    """Return lines about what was decided, and about the whole job.

    `verdicts` are those of `count_verdicts`, `states` how many rows are in each state.
    """
    approved, rejected, left = (verdicts[name] for name in ("approved", "rejected", "open"))
    yours = sum(states.get(state.value, 0) for state in _NEED_A_PERSON)
    whole = (
        f"the whole job, {count(sum(states.values()), 'row')}: {verdicts['made']:,} made, "
        f"{approved:,} approved, {rejected:,} to make again, {left:,} to look at, "
        f"{yours:,} {agree(yours, 'needs', 'need')} you"
    )
    return f"review: {approved:,} approved, {rejected:,} rejected, {left:,} to review", whole


def videos_of(rows: Sequence[JudgedRow]) -> dict[Take, str]:
    """Return the sha256 of the video of each take."""
    return {(row.entry, take.number): take.video.sha256 for row in rows for take in row.takes}
