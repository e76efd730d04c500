"""The columns that runs write behind those of the user, and which of a table's columns they are.

All are called `result_…` but those in which a person decides about a video: these have short names,
unless the manifest has a column of that name itself (a shop has legal reviews, and those of
customers). Then ours is `result_review`, and the other one is never read as ours.

Tested in tests/manifest/test_columns.py.
"""

from __future__ import annotations

from collections.abc import Sequence

RESULT_PREFIX = "result_"
"""How the headers of most columns that runs write begin."""
REVIEW, NOTE, NEW_PROMPT = "review", "review_note", "new_prompt"
DECISION_COLUMNS = (REVIEW, NOTE, NEW_PROMPT)
"""The columns in which a person decides about a video."""
_TAKE = "result_take"
RESULT_COLUMNS = (
    "result_state",
    "result_video",
    "result_error",
    "result_action",
    "result_task_id",
    "result_attempts",
    "result_submitted_at",
    "result_finished_at",
    "result_seconds",
    "result_warnings",
    _TAKE,
    *DECISION_COLUMNS,
)
"""The columns that a run writes behind those of the user, in this order."""


def names_beside(headers: Sequence[str]) -> tuple[str, ...]:
    """Return what the columns that runs write are called beside those of a table."""
    folded = [*map(_fold, headers)]
    return tuple(
        name if name not in DECISION_COLUMNS or _is_free(name, folded) else RESULT_PREFIX + name
        for name in RESULT_COLUMNS
    )


def our_columns(headers: Sequence[str]) -> frozenset[int]:
    """Return which columns of a table runs have written, by their places."""
    folded = [*map(_fold, headers)]
    ours = {name for name in DECISION_COLUMNS if name in folded and _is_free(name, folded)}
    return frozenset(
        at for at, name in enumerate(folded) if name.startswith(RESULT_PREFIX) or name in ours
    )


def _is_free(name: str, folded: Sequence[str]) -> bool:
    """Return whether a short name is ours: nobody's yet, or that of a column in our own results."""
    return name not in folded or (_TAKE in folded and RESULT_PREFIX + name not in folded)


def _fold(header: str) -> str:
    return header.strip().casefold()
