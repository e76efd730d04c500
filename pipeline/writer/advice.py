"""What a person can do about a row that did not end well, and about one that was not sent. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.lifecycle import MOST_ATTEMPTS
from pipeline.manifest.invocation import Invocation, of_rows
from pipeline.manifest.wording import agree, count, plural
from pipeline.model import Entry, State, shown_key
from pipeline.planner.heldback import Hold
from pipeline.planner.plan import Step
from pipeline.planner.selection import Mode, Selection
from pipeline.refusals import WORDS, About, about

_AGAIN = re.compile(r"\b([Rr])un again\b")
_KEYS_SHOWN = 10
"""The most keys that a sentence lists."""


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
    "The provider refused this row: read result_error, change the row, then run again. If it "
    "refuses every row, check api.base_url and api.model.",
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
    "Nothing is wrong with the row. For new, paid attempts at all such rows, later: reelsheet "
    "retry MANIFEST --states STATE. For this row alone, add --only KEY.",
)
"""For troubles of the provider that pass."""
NEW_ATTEMPT = Advice(
    "try again",
    True,
    "For new, paid attempts at all such rows: reelsheet retry MANIFEST --states STATE. For this "
    "row alone, add --only KEY.",
)
"""For failed tasks and expired videos whose error code says no more."""
ASK_SUPPORT = Advice(
    "ask support",
    True,
    "The provider completed the task but gave no video that can be fetched: send its support the "
    "task id. For a new, paid attempt: reelsheet retry MANIFEST --states STATE --only KEY.",
)
"""For completed tasks without a video."""
ASK_THE_ACCOUNT = Advice(
    "ask the account",
    False,
    "See in your ToAPIs account whether a video was made for the row. If it was: reelsheet resolve "
    "MANIFEST KEY --task-id ID. If it was not: reelsheet run MANIFEST --pay-again KEY.",
)
"""For rows that may have been sent by a run which the journal has forgotten."""
RUN_AGAIN = Advice("run again", True, "Run again; nothing is paid for twice.")
"""For rows that are not finished."""
LOOK_AT_MANIFEST = Advice(
    "look at the manifest",
    True,
    "Look at the manifest; if it is right, change night.min_rows or night.max_new.",
)
"""For rows of a manifest that looks like a broken export."""
WAIT_FOR_PILOT = Advice(
    "judge the pilot",
    True,
    "Nothing is wrong with the row. Judge the rows of the pilot: reelsheet review MANIFEST. Then "
    "run again.",
)
"""For rows that are not sent before the pilot is decided."""
SETTLE = Advice(
    "settle it",
    False,
    "Look for it in your ToAPIs account. If it is there: reelsheet resolve MANIFEST KEY --task-id "
    "ID. If it is not: reelsheet resolve MANIFEST KEY --not-sent.",
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

_ADVICE_ABOUT = {
    About.VIDEO: ASK_SUPPORT,
    About.SETTING: FIX_SETTING,
    About.CREDIT: TOP_UP,
    About.CONTENT: FIX_PROMPT,
    About.PICTURE: FIX_PICTURE,
    About.PASSING: WAIT,
}

ADVICE_OF_CODE = tuple((words, _ADVICE_ABOUT[subject]) for subject, words in WORDS)
"""What to do about an error code that contains one of these words; the first match counts."""

_BY_CODE = frozenset({State.REFUSED, State.FAILED, State.EXPIRED})


def advise(state: State, code: str | None = None) -> Advice | None:
    """Return what to do about a row in this state; None where nothing is to be done."""
    if state in _BY_CODE and code is not None:
        subject = about(code)
        # A definite refusal is the row's, whatever a gateway calls what it passes on.
        if subject is not None and (state, subject) != (State.REFUSED, About.PASSING):
            return _ADVICE_ABOUT[subject]
    return ADVICE_OF_STATE.get(state)


# Rows that were asked for by key.


def number_sent(entry: Entry | None) -> int | None:
    """Return the number of a row's latest attempt; None if it is not sent yet."""
    return None if entry is None or entry.state is State.WAITING else entry.attempt.number


def rest_of(asked: Mapping[str, int | None], now: Mapping[str, Entry]) -> tuple[str, ...]:
    """Return the keys of rows of which no further attempt was sent.

    `asked` has their `number_sent` from before, `now` their entries.
    """
    return tuple(
        key for key, before in asked.items() if number_sent(now.get(key)) in {None, before}
    )


def say_rest(
    rest: Sequence[str],
    selection: Selection,
    typed: Invocation,
    keys: Collection[str],
    waiting: Collection[str] = (),
) -> str:
    """Say which rows a run was asked for by key and did not send, with the command for them.

    Args:
        rest: the keys of the rows.
        selection: what the run was asked to do.
        typed: what the user named.
        keys: those of all rows, in their order.
        waiting: those of the rows that any run sends, as they wait: another --redo of them would
            be for one more take, once they are done.

    """
    begun = [key for key in rest if key in waiting and key not in selection.pay_again]
    selection = replace(selection, redo=selection.redo.difference(begun))
    if len(begun) == len(rest) and selection.only is None and not selection.redo_changed:
        selection = replace(selection, only=frozenset(rest))
    return (
        f"{count(len(rest), 'row')} asked for by key {agree(len(rest), 'was', 'were')} not sent: "
        f"{list_keys(rest)}. For the rest: {_rest_command(rest, selection, typed, keys)}"
    )


def say_left_out(steps: Iterable[Step], selection: Selection, typed: Invocation) -> tuple[str, ...]:
    """Say which rows get no new attempt, because none can help or too many were made.

    Args:
        steps: what the run does with each row.
        selection: what it is asked to do.
        typed: what the user named.

    """
    steps = tuple(steps)
    by_code: dict[str, list[str]] = {}
    for step in steps:
        if step.past_help is not None:
            by_code.setdefault(step.past_help, []).append(step.key)
    again = "--states" if selection.mode is Mode.RETRY else "--retry"
    said = tuple(
        f"{count(len(keys), 'row')} left out, because the provider would say {code} again: "
        f"{list_keys(keys)}. Change the {plural(len(keys), 'row')} and run again; to pay for a new "
        f"attempt at one as it is: {_attempt_command(keys[0], again, selection, typed)}"
        for code, keys in by_code.items()
    )
    return (*said, *_say_spent(steps, selection, typed))


def _say_spent(steps: Sequence[Step], selection: Selection, typed: Invocation) -> tuple[str, ...]:
    """Say how rows asked for by key get another take although limits.attempts is reached."""
    spent = [step for step in steps if step.spent and step.unmet is not None]
    most = max((step.spent for step in spent), default=0)
    if not most:
        return ()
    rows = plural(len(spent), "row")
    said = f"limits.attempts counts what was sent of a request, over all runs. Change the {rows}"
    if most >= MOST_ATTEMPTS:
        return (f"{said}: the limit cannot be raised further.",)
    # Asked for otherwise than to be paid again: by its key, or as a rejected one.
    paid, redone = selection.pay_again, selection.redone
    again = [step.key for step in spent if step.key in redone or step.key not in paid]
    redo = of_rows("--redo", again)
    pay = of_rows("--pay-again", [step.key for step in spent if step.key in paid])
    words = [word for option in (redo, pay) if option[1] for word in option]
    more = typed.command("run", *words, "--set", f"limits.attempts={most + 1}")
    return (f"{said}, or raise the limit for one run: {more}",)


def _attempt_command(key: str, again: str, selection: Selection, typed: Invocation) -> str:
    states = of_rows(again, sorted(selection.retry))
    return typed.command(selection.mode.value, *states, *of_rows("--only", [key]))


def list_keys(keys: Sequence[str]) -> str:
    """Return keys as a sentence lists them, and how many more there are."""
    more = len(keys) - _KEYS_SHOWN
    shown = ", ".join(map(shown_key, keys[:_KEYS_SHOWN]))
    return shown if more <= 0 else f"{shown} and {more:,} more"


def _rest_command(
    rest: Sequence[str], selection: Selection, typed: Invocation, keys: Collection[str]
) -> str:
    """Return the command of a run without the keys of rows that it has sent."""
    states, only = sorted(selection.retry), selection.only
    redo = [key for key in rest if key in selection.redo]
    pay = [key for key in rest if key in selection.pay_again]
    listed: dict[str, Sequence[str]] = {
        "--states" if selection.mode is Mode.RETRY else "--retry": states,
        "--redo": [*selection.redo_words, *redo],
        "--pay-again": [*(["all"] if selection.pay_again_all else []), *pay],
        "--only": [] if only is None else [key for key in keys if key in only],
    }
    words = [
        word for option, values in listed.items() if values for word in of_rows(option, values)
    ]
    # Nothing would ever be sent with a limit of 0.
    limit = ("--limit", str(selection.limit)) if selection.limit else ()
    return typed.command(selection.mode.value, *words, *limit)


def word_again(text: str, selection: Selection, rest: Collection[str]) -> str:
    """Return a sentence for a run whose own command would buy rows anew that it has sent.

    Where it says to run again, it names the rest or, without one, a run without --redo.

    Args:
        text: the sentence.
        selection: what the run was asked to do.
        rest: the keys of the rows that were asked for by key and not sent.

    """
    if rest:
        return _AGAIN.sub(r"\1un the rest", text)
    return _AGAIN.sub(r"\1un again without --redo", text) if selection.redo else text


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
    if hold is Hold.BROKEN:
        return LOOK_AT_MANIFEST.action
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
