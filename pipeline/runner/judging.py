"""Decisions about takes, for programs: what `review --approve` and `--reject` do, and what counts.

Tested in tests/runner/test_judging.py.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.journal.decisions import read_decisions
from pipeline.review.recording import Verdict, decide
from pipeline.review.takes import rows_with_takes
from pipeline.review.verdicts import APPROVE, REJECT, TAKEN_BACK, latest_of
from pipeline.runner.checking import check_target
from pipeline.runner.order import Several, visible_keys
from pipeline.runner.target import Target, refuse_another
from pipeline.storage.storedfiles import stored_file
from pipeline.writer.outcome import iso


@dataclass(frozen=True, slots=True)
class JudgedTake:
    """A finished take of a row, and what counts of what was said of it.

    `number` is its attempt, `video` the absolute path of its file, None in a bucket, where it is
    known by `video_address`. `verdict` is "approve", "reject", or "" while it is open; `prompt` is
    a new text for the row. `decided_at` is UTC in ISO 8601, None while it is open.
    """

    key: str
    number: int
    video: Path | None
    verdict: str = ""
    reason: str = ""
    note: str = ""
    prompt: str = ""
    reviewer: str = ""
    decided_at: str | None = None
    video_address: str | None = None


def judged_takes(target: Target) -> tuple[JudgedTake, ...]:
    """Return all takes of a manifest's rows, the earliest of a row first; raises ReelsheetError."""
    refuse_another(target)
    counts = latest_of(read_decisions(target.folder.journal))
    folder = target.folder
    found = []
    for row in rows_with_takes(check_target(target), target.folder):
        for take in row.takes:
            said, stored = counts.get((row.entry, take.number)), stored_file(folder, take.video)
            video = None if stored.path is None else stored.path.absolute()
            at = stored.shown if stored.path is None else None
            found.append(
                JudgedTake(row.key, take.number, video, video_address=at)
                if said is None
                else JudgedTake(
                    row.key,
                    take.number,
                    video,
                    said.verdict,
                    said.reason,
                    said.note,
                    said.prompt,
                    said.reviewer,
                    iso(said.at),
                    at,
                )
            )
    return tuple(found)


def judge(
    target: Target,
    *,
    approve: Several | None = None,
    reject: Several | None = None,
    reopen: Several | None = None,
    reason: str = "",
    note: str = "",
    reviewer: str = "",
) -> tuple[str, ...]:
    """Decide about the newest takes of rows; return the keys of those that have none.

    Args:
        target: The manifest with its configuration and output folder.
        approve: The keys of the rows whose newest takes are approved.
        reject: Those whose newest takes are rejected.
        reopen: Those of whose newest takes is taken back what was said.
        reason: Why they are rejected.
        note: A comment on each of them.
        reviewer: Who decides.

    Raises:
        UsageError: A key is named twice or no row has it, or a text is too long.
        StoreError: The journal cannot be written.

    """
    if reason and reject is None:
        raise UsageError("reason says why videos are rejected: name their rows with reject.")
    verdicts: dict[str, Verdict] = {}
    for verdict, keys in ((APPROVE, approve), (REJECT, reject), (TAKEN_BACK, reopen)):
        for key in visible_keys(keys):
            if key in verdicts:
                raise UsageError(f"{key} is named twice; nothing was recorded.")
            why = reason if verdict == REJECT else ""
            verdicts[key] = Verdict(verdict, why, note, reviewer, time.time())
    refuse_another(target)
    rows = rows_with_takes(check_target(target), target.folder)
    _, untaken = decide(rows, target.folder, verdicts)
    return tuple(untaken)
