"""What a person can do about a failure, in plain words: one table for sheet, log and docs."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.model import State


@dataclass(frozen=True, slots=True)
class Advice:
    """A class of failures: whether another attempt can help, and what to do."""

    name: str
    retry_helps: bool
    action: str


FIX_ROW = Advice(
    "fix the row", False, "Correct the cells named here in the manifest, then run again."
)
FIX_PROMPT = Advice(
    "fix the prompt",
    False,
    "The provider does not film this: change the prompt or the pictures, then run again.",
)
FIX_PICTURE = Advice(
    "fix the picture", False, "Replace the picture (JPEG, PNG, WebP or GIF), then run again."
)
NEW_ATTEMPT = Advice(
    "try again", True, "Start a new attempt with: reelsheet retry. It is paid for again."
)
RUN_AGAIN = Advice("run again", True, "Run again as it is; nothing is paid for twice.")
SETTLE = Advice(
    "settle it",
    False,
    "Look for it in your ToAPIs account, then: reelsheet resolve MANIFEST KEY --task-id ID, "
    "or --not-sent if it is not there.",
)
REDO = Advice("make it anew", True, "If you need it again: reelsheet run MANIFEST --redo KEY.")

_OF_STATE = {
    State.INVALID: FIX_ROW,
    State.WAITING: RUN_AGAIN,
    State.SUBMITTING: RUN_AGAIN,
    State.RUNNING: RUN_AGAIN,
    State.READY: RUN_AGAIN,
    State.IN_DOUBT: SETTLE,
    State.MISSING: SETTLE,
    State.FAILED: NEW_ATTEMPT,
    State.EXPIRED: NEW_ATTEMPT,
    State.REFUSED: FIX_PROMPT,
}

# The provider words its messages in four languages: only its codes are matched.
_OF_CODE = (
    (("picture", "image", "upload"), FIX_PICTURE),
    (("moderation", "policy", "safety", "sensitive", "content"), FIX_PROMPT),
)


def advise(state: State, code: str | None = None) -> Advice | None:
    """Return what to do about a row in this state; None where nothing is to be done."""
    if state in {State.FAILED, State.REFUSED} and code is not None:
        folded = code.casefold()
        for words, advice in _OF_CODE:
            if any(word in folded for word in words):
                return advice
    return _OF_STATE.get(state)
