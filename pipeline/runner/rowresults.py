"""What became of each row, as programs see it.

Tested in tests/runner/test_api.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.model import State
from pipeline.writer.layout import Result


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row.

    `row` is its physical number in the manifest, as in messages. `video` is the absolute path of
    its video, or `video_address` the address of it in a bucket or on the web. `error` says what
    happened and `action` what to do. Times are UTC in ISO 8601, `seconds` is the length asked for.
    `renamed_from` is its key in the journal, if it was renamed.
    """

    key: str
    row: int
    state: State
    video: Path | None
    error: str | None
    action: str | None
    task_id: str | None
    attempts: int
    submitted_at: str | None
    finished_at: str | None
    seconds: int | None
    warnings: tuple[str, ...]
    renamed_from: str | None = None
    video_address: str | None = None


def row_results(
    keys: Sequence[str], outcomes: Sequence[Result], root: Path
) -> tuple[RowResult, ...]:
    """Return rows as programs see them.

    Args:
        keys: The rows' keys.
        outcomes: What became of each row, in the same order.
        root: The output folder, where the videos' paths begin.

    """
    root = root.absolute()
    return tuple(
        RowResult(
            key=key,
            row=one.row,
            state=one.state,
            video=root / one.video if one.video and not one.is_away else None,
            error=one.error,
            action=one.action,
            task_id=one.task_id,
            attempts=one.attempts,
            submitted_at=one.submitted_at,
            finished_at=one.finished_at,
            seconds=one.seconds,
            warnings=one.warnings,
            renamed_from=one.renamed_from,
            video_address=one.video if one.is_away else None,
        )
        for key, one in zip(keys, outcomes, strict=True)
    )
