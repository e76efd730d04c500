"""What a person can do about a failure, in plain words: one table for sheet, log and docs."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.model import State


@dataclass(frozen=True, slots=True)
class Advice:
    """A class of failures: whether another attempt of the same row can help, and what to do."""

    name: str
    retry_helps: bool
    action: str


FIX_ROW = Advice(
    "fix the row", False, "Correct the cells named here in the manifest, then run again."
)
FIX_REQUEST = Advice(
    "change the row",
    False,
    "The provider refuses this row as it is: read what it says, change the row, then run again.",
)
FIX_PROMPT = Advice(
    "fix the prompt",
    False,
    "The provider does not film this: change the prompt or the pictures, then run again.",
)
FIX_PICTURE = Advice(
    "fix the picture", False, "Replace the picture (JPEG, PNG, WebP or GIF), then run again."
)
FIX_SETTING = Advice(
    "fix the setting",
    False,
    "Check api.model and what your key may do, then: reelsheet run MANIFEST --retry refused.",
)
TOP_UP = Advice(
    "top up", True, "Top up your ToAPIs account, then: reelsheet retry MANIFEST --states STATE."
)
WAIT = Advice(
    "wait and retry",
    True,
    "Nothing is wrong with the row: later, start a new attempt with reelsheet retry MANIFEST.",
)
NEW_ATTEMPT = Advice(
    "try again", True, "Start a new attempt with: reelsheet retry MANIFEST. It is paid for again."
)
ASK_SUPPORT = Advice(
    "ask support",
    True,
    "The provider completed it and gives no video: show its support the task id. For a new, paid "
    "attempt: reelsheet retry MANIFEST.",
)
RUN_AGAIN = Advice("run again", True, "Run again as it is; nothing is paid for twice.")
SETTLE = Advice(
    "settle it",
    False,
    "Look for it in your ToAPIs account, then: reelsheet resolve MANIFEST KEY --task-id ID, "
    "or --not-sent if it is not there.",
)
REDO = Advice("make it anew", True, "If you need it again: reelsheet run MANIFEST --redo KEY.")

OF_STATE = {
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
"""What to do about a row in each state, where its code says nothing more."""

OF_CODE: tuple[tuple[tuple[str, ...], Advice], ...] = (
    (("no_video_url", "task_gone"), ASK_SUPPORT),
    (("model_not_found", "permission", "forbidden", "unauthorized", "access"), FIX_SETTING),
    (("quota", "balance", "insufficient", "payment", "credit"), TOP_UP),
    (("moderation", "policy", "safety", "sensitive", "prohibited", "nsfw"), FIX_PROMPT),
    (("picture", "image", "upload"), FIX_PICTURE),
    (("timeout", "overload", "busy", "unavailable", "internal", "server", "upstream"), WAIT),
)
"""What to do where a code holds one of these words, the first that fits.

The provider words its messages in four languages (docs), so only its codes are looked at.
"""

_BY_CODE = frozenset({State.REFUSED, State.FAILED, State.EXPIRED})


def advise(state: State, code: str | None = None) -> Advice | None:
    """Return what to do about a row in this state; None where nothing is to be done."""
    if state in _BY_CODE and code is not None:
        folded = code.casefold()
        for words, advice in OF_CODE:
            if any(word in folded for word in words):
                return advice
    return OF_STATE.get(state)
