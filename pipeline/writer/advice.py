"""What a person can do about a row that did not end well: a table. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.model import State


@dataclass(frozen=True, slots=True)
class Advice:
    """A class of failures: whether another attempt at the same row can help, and what to do."""

    name: str
    retry_helps: bool
    action: str


FIX_ROW = Advice(
    "fix the row", False, "Correct the cells named here in the manifest, then run again."
)
"""For rows that break a rule."""
FIX_REQUEST = Advice(
    "change the row",
    False,
    "The provider refused this row: read its message, change the row, then run again.",
)
"""For refusals whose error code says no more."""
FIX_PROMPT = Advice(
    "fix the prompt",
    False,
    "The provider refused the content: change the prompt or the pictures, then run again.",
)
"""For contents that the provider does not allow."""
FIX_PICTURE = Advice(
    "fix the picture", False, "Replace the picture (JPEG, PNG, WebP or GIF), then run again."
)
"""For pictures that the provider cannot use."""
FIX_SETTING = Advice(
    "fix the setting",
    False,
    "Check api.model and the rights of your key, then: reelsheet run MANIFEST --retry STATE.",
)
"""For refusals that come from a setting or from the rights of the key."""
TOP_UP = Advice(
    "top up", True, "Top up your ToAPIs account, then: reelsheet retry MANIFEST --states STATE."
)
"""For accounts without credit."""
WAIT = Advice(
    "wait and retry",
    True,
    "Nothing is wrong with the row. Start a new attempt later: reelsheet retry MANIFEST --states "
    "STATE.",
)
"""For troubles of the provider that pass."""
NEW_ATTEMPT = Advice(
    "try again", True, "Start a new attempt with: reelsheet retry MANIFEST. It is paid for again."
)
"""For failed tasks and expired videos whose error code says no more."""
ASK_SUPPORT = Advice(
    "ask support",
    True,
    "The provider completed the task but gave no video that can be fetched: send its support the "
    "task id. For a new, paid attempt: reelsheet retry MANIFEST.",
)
"""For completed tasks without a video."""
RUN_AGAIN = Advice("run again", True, "Run again; nothing is paid for twice.")
"""For rows that are not finished."""
SETTLE = Advice(
    "settle it",
    False,
    "Look for it in your ToAPIs account, then: reelsheet resolve MANIFEST KEY --task-id ID, "
    "or --not-sent if it is not there.",
)
"""For rows that may be paid for without a known task."""
REDO = Advice(
    "remake it",
    True,
    "Put the file back and run again. To pay for another one: reelsheet run MANIFEST --redo KEY.",
)
"""For videos that were delivered and are gone, with their links."""

ADVICE_OF_STATE = {
    State.INVALID: FIX_ROW,
    State.WAITING: RUN_AGAIN,
    State.SUBMITTING: RUN_AGAIN,
    State.RUNNING: RUN_AGAIN,
    State.READY: RUN_AGAIN,
    State.IN_DOUBT: SETTLE,
    State.MISSING: SETTLE,
    State.REFUSED: FIX_REQUEST,
    State.FAILED: NEW_ATTEMPT,
    State.EXPIRED: NEW_ATTEMPT,
}
"""What to do about a row in each state, unless its error code says more."""

ADVICE_OF_CODE: tuple[tuple[tuple[str, ...], Advice], ...] = (
    (("no_video_url", "unusable_video_url", "task_gone"), ASK_SUPPORT),
    (("model_not_found", "permission", "forbidden", "unauthorized", "access"), FIX_SETTING),
    (("quota", "balance", "insufficient", "payment", "credit"), TOP_UP),
    (("moderation", "policy", "safety", "sensitive", "prohibited", "nsfw"), FIX_PROMPT),
    (("picture", "image", "upload"), FIX_PICTURE),
    (("timeout", "overload", "busy", "unavailable", "internal", "server", "upstream"), WAIT),
)
"""What to do about an error code that contains one of these words; the first match counts.

The provider writes its messages in four languages, so only its codes are read.
"""

_BY_CODE = frozenset({State.REFUSED, State.FAILED, State.EXPIRED})


def advise(state: State, code: str | None = None) -> Advice | None:
    """Return what to do about a row in this state; None where nothing is to be done."""
    if state in _BY_CODE and code is not None:
        folded = code.casefold()
        for words, advice in ADVICE_OF_CODE:
            if any(word in folded for word in words):
                return advice
    return ADVICE_OF_STATE.get(state)
