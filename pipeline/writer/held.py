"""What is said of rows that wait for what was bought before, or for the pilot.

Tested in tests/planner/test_repeats.py and tests/writer/test_outcome.py.
"""

from __future__ import annotations

from pipeline.model import shown_key
from pipeline.planner.plan import Hold, Step
from pipeline.writer.advice import RUN_AGAIN, WAIT_FOR_PILOT

HELD: dict[Hold | None, str] = {
    Hold.SETTING: "not sent: bought before, and repeats is set to hold; see result_action",
    Hold.UNDER_WAY: "not sent: bought before, and still being made there; run again when it is "
    "done: free then",
    Hold.IN_DOUBT: "not sent: bought before, and in doubt there; see result_action",
    Hold.LOST: "not sent: bought before, and missing or expired there; see result_action",
    Hold.FILE_GONE: "not sent: bought before, and its file is gone, was changed or cannot be read; "
    "see result_action",
    Hold.LINK_LIVES: "not sent: bought before, and its file can be downloaded again, free; see "
    "result_action",
    Hold.REJECTED: "not sent: bought before, and rejected there; see result_action",
    Hold.BY_NOW_DONE: "not sent: bought elsewhere while this run went on; run again: free now",
    None: "not sent: the account's book knows more of it; run again",
}
"""The remarks on rows that wait, by the reason."""


def action_of_held(step: Step) -> str:
    """Name the row that the video was bought for, and the way on that fits the reason."""
    bought, hold = step.repeat_of, step.hold
    if hold is Hold.PILOT:
        return WAIT_FOR_PILOT.action
    if bought is None or hold is None:
        return RUN_AGAIN.action
    video = bought.video
    file = f"{bought.folder}/videos/{video.name if video else bought.video_name}"
    if video and video.place:
        file = video.file
    pay = "To pay for another one: reelsheet run MANIFEST --pay-again KEY."
    ways = {
        Hold.SETTING: "To get a copy of its video, free: reelsheet run MANIFEST --set "
        f"repeats=reuse. {pay}",
        Hold.UNDER_WAY: "Run again when it is done: its video is free then. If no run is working "
        "on it: reelsheet fetch THERE.",
        Hold.IN_DOUBT: "Settle it there, then run again: reelsheet resolve THERE --all.",
        Hold.LOST: f"Its video cannot be had there. {pay}",
        Hold.FILE_GONE: f"Its video was {file}: put it back, or make it readable, and run again. "
        f"{pay}",
        Hold.LINK_LIVES: f"Its video was {file}, and can be downloaded again, free: "
        f"reelsheet fetch THERE. Then run again. {pay}",
        Hold.REJECTED: f"Its video was rejected there. {pay}",
        Hold.BY_NOW_DONE: "Run again: its video is free now.",
    }
    whose = f"{shown_key(bought.key)} of {bought.manifest}, in {bought.folder}"
    return f"Bought for {whose}. {ways[hold]}"
