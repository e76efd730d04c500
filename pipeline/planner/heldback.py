"""Why a row waits for what was bought before, in words.

Tested in tests/planner/test_repeats.py.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath

from pipeline.account.submission import Submission
from pipeline.model import State, shown_key


class Hold(StrEnum):
    """Why a row waits: what keeps a repeat from the video that was bought, or the pilot."""

    SETTING = "repeats is set to hold"
    UNDER_WAY = "the original is being made"
    IN_DOUBT = "the original is in doubt"
    LOST = "the original is missing or has expired"
    FILE_GONE = "the file of the original is gone, was changed or cannot be read"
    LINK_LIVES = "the file of the original is gone, and can be downloaded again"
    REJECTED = "the video of the original was rejected"
    BY_NOW_DONE = "the original was bought while the run went on, and is done by now"
    PILOT = "the pilot is not decided"
    BROKEN = "the manifest looks like a broken export"


def describe(bought: Submission) -> str:
    """Name the row that something was bought for, and its manifest."""
    return f"{shown_key(bought.key)} of {PurePath(bought.manifest).name}"


_WHY_NOT = {
    State.SUBMITTING: "it is being submitted",
    State.IN_DOUBT: "whether it was accepted is in doubt",
    State.RUNNING: "its video is being made",
    State.READY: "its video is not downloaded yet",
    State.MISSING: "the provider does not know its task any more",
    State.EXPIRED: "its video was never downloaded, and its link has expired",
    State.DONE: "its video file is gone, was changed or cannot be read",
}


def hold_for(state: State) -> Hold:
    """Return why a row waits for a video that was bought and is in this state.

    That of a done one cannot be had.
    """
    return _HOLDS.get(state, Hold.FILE_GONE)


_HOLDS = {
    State.SUBMITTING: Hold.UNDER_WAY,
    State.RUNNING: Hold.UNDER_WAY,
    State.READY: Hold.UNDER_WAY,
    State.IN_DOUBT: Hold.IN_DOUBT,
    State.MISSING: Hold.LOST,
    State.EXPIRED: Hold.LOST,
}


def why_not(bought: Submission) -> str:
    """Say what keeps a row from a video that was bought."""
    return _WHY_NOT[bought.state]
