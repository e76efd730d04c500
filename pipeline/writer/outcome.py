"""What came of each row, and the exit code of it all: pure projections of the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from math import floor

from pipeline.errors import ExitCode
from pipeline.manifest.wording import count
from pipeline.model import Entry, Problem, Severity, State
from pipeline.planner.heldback import Hold
from pipeline.planner.plan import CHANGED, FILE_LOST, Action, Plan, Step
from pipeline.refusals import say_failed
from pipeline.writer.advice import HELD, REDO, action_of_held, advise
from pipeline.writer.layout import Result

_BY_URGENCY = (
    ExitCode.INTERNAL,
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
    ExitCode.LOCKED,
    ExitCode.USAGE,
    ExitCode.STOPPED,
    ExitCode.IN_DOUBT,
    ExitCode.UNFINISHED,
    ExitCode.NEEDS_USER,
    ExitCode.DONE,
)

_CODE_OF_STATE = {
    State.INVALID: ExitCode.NEEDS_USER,
    State.REFUSED: ExitCode.NEEDS_USER,
    State.FAILED: ExitCode.NEEDS_USER,
    State.EXPIRED: ExitCode.NEEDS_USER,
    State.IN_DOUBT: ExitCode.IN_DOUBT,
    State.SUBMITTING: ExitCode.IN_DOUBT,
    State.MISSING: ExitCode.IN_DOUBT,
    State.WAITING: ExitCode.UNFINISHED,
    State.RUNNING: ExitCode.UNFINISHED,
    State.READY: ExitCode.UNFINISHED,
    State.DONE: ExitCode.DONE,
}

_HALF_MICROSECOND_S = 5e-7  # times are kept to the microsecond: 7.9999998 is 8
_MOST_S = 62e9  # in Unix seconds, so far the calendar goes both ways

EDITED = "edited since the video was made; --redo changed makes a new take"
"""The remark on rows that keep the video of their earlier cells."""

FRESH_TAKE = "--pay-again KEY for a fresh take"
"""The end of the warning on rows whose video was bought for another one."""

_REUSED = "got a video that was bought before, free; see result_warnings"
"""The remark on rows whose video was bought for another one."""

_DIFFERS = "the row differs from what the video was made of; --redo changed makes a new take"
"""The warning on rows that got the video of other cells, in the run that gave it to them."""

_NAMED_SHOWN = 10
"""The most rows that are named each at the end of a run."""

WARNED = "with a warning; see result_warnings"
"""The remark on rows with a warning."""

_RENAMED = "renamed since the last run; what was paid for is kept"
"""The remark on rows that the journal knew under another key."""


def highest(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the most serious code; DONE if there is none."""
    return min(codes, key=_BY_URGENCY.index, default=ExitCode.DONE)


def code_of_several(worked: Sequence[ExitCode], refused: Iterable[ExitCode]) -> ExitCode:
    """Return the exit code of a command over several manifests: the most serious.

    A manifest for which nothing could be done, as it cannot be used, another run has it, or all its
    rows are held, counts as one that needs the user if something could be done for others.

    Args:
        worked: the codes of the manifests that were worked on.
        refused: those of the others.

    """
    nothing_done = {ExitCode.USAGE, ExitCode.LOCKED}
    if nothing_done.issuperset(worked):
        return highest([*worked, *refused])
    codes = (*worked, *refused)
    return highest(ExitCode.NEEDS_USER if one in nothing_done else one for one in codes)


def code_of(states: Iterable[State]) -> ExitCode:
    """Return the exit code of a run that leaves rows in these states."""
    return highest({_CODE_OF_STATE[state] for state in states})


def code_of_held(steps: Iterable[Step]) -> ExitCode:
    """Return the exit code of the rows that wait as repeats, or for the pilot."""
    acting = [step for step in steps if step.held or step.action is not Action.LEAVE]
    if not any(step.held for step in acting):
        return ExitCode.DONE
    return ExitCode.USAGE if all(step.held for step in acting) else ExitCode.NEEDS_USER


def code_of_named(steps: Iterable[Step], rest: Sequence[str] = ()) -> ExitCode:
    """Return the exit code of what was asked for by key and is not done; `rest` was not sent."""
    unmet = bool(rest) or any(step.unmet is not None for step in steps)
    return ExitCode.NEEDS_USER if unmet else ExitCode.DONE


def code_at_end(plan: Plan, states: Iterable[State], rest: Sequence[str]) -> ExitCode:
    """Return the exit code of a run by what came of its rows.

    Args:
        plan: what the run did with each row.
        states: where the rows of its steps stand, then those of its gone rows, in their order.
        rest: the keys of the rows that were asked for by key and not sent.

    """
    steps = (*plan.steps, *plan.gone)
    counted = {state for step, state in zip(steps, states, strict=True) if step.counts}
    return highest([code_of(counted), code_of_held(plan.steps), code_of_named(plan.steps, rest)])


def say_unmet(steps: Iterable[Step]) -> tuple[str, ...]:
    """Return a line for each of the first rows that were asked for by key and get no take."""
    unmet = [step.unmet for step in steps if step.unmet is not None]
    more = len(unmet) - _NAMED_SHOWN
    rest = () if more <= 0 else (f"{count(more, 'more row')} asked for by key: no new take",)
    return (*unmet[:_NAMED_SHOWN], *rest)


def state_of(step: Step, entry: Entry | None) -> State:
    """Return the state of a row as a person is told it."""
    if step.group == State.INVALID:
        return State.INVALID
    if entry is None:
        return State.WAITING
    return State.DONE if _was_delivered(step, entry) else entry.state


def _was_delivered(step: Step, entry: Entry) -> bool:
    """Return whether a video was delivered whose file is gone, and can be had no more.

    Its row stays done: nothing is left to be done for it, unless a person asks for another take.
    """
    if step.action in {Action.SUBMIT, Action.REUSE}:
        return False
    return step.lost or (entry.state is State.EXPIRED and entry.video is not None)


def word_groups(plan: Plan) -> list[tuple[int, str]]:
    """Return how many rows of a plan are in each group that has any, as a person reads it."""
    done, groups = State.DONE.value, plan.groups
    again = sum(step.action is Action.SUBMIT and step.group == done for step in plan.steps)
    of_them = "" if again == groups[done] else f" {again:,} of them"
    also = f",{of_them} to be made again" if again else ""
    return [
        (number, f"{group}{also}" if group == done else group)
        for group, number in groups.items()
        if number
    ]


def remarks(steps: Sequence[Step], results: Sequence[Result], *, stopped: bool) -> tuple[str, ...]:
    """Return the lines for the end of a run, beyond the counts and the reasons for a stop.

    Args:
        steps: what the run did with each row.
        results: what came of each row, in the same order.
        stopped: whether the run was stopped.

    """
    left = Counter(result.state for step, result in zip(steps, results, strict=True) if step.counts)
    warned = sum(bool(result.warnings) for result in results)
    counted = (result for step, result in zip(steps, results, strict=True) if step.counts)
    told_why = sum(one.state is State.READY and one.error is not None for one in counted)
    held = Counter(step.hold for step in steps if step.held)
    told = []
    if not stopped:
        told += [
            (left[State.RUNNING], "still being made after polling.deadline_s; run again"),
            (left[State.READY] - told_why, "finished, but not downloaded; run again"),
            (told_why, "finished, but not downloaded; see result_error and result_action"),
            (left[State.WAITING], "not sent: pictures could not be uploaded; run again"),
        ]
    told += [
        (sum(step.action is Action.REUSE for step in steps), _REUSED),
        *((held[hold], text) for hold, text in HELD.items()),
        (sum(step.waits_for_redo or _is_of_other_cells(step) for step in steps), EDITED),
        (sum(step.renamed_from is not None for step in steps), _RENAMED),
        (warned, WARNED),
    ]
    lines = (f"{count(number, 'row')} {what}" for number, what in told if number)
    return (*say_unmet(steps), *lines)


def result_of(row: int, step: Step, entry: Entry | None, problems: Sequence[Problem]) -> Result:
    """Return what is written back beside a row.

    Args:
        row: its physical number in the manifest, from 1.
        step: what the plan does with it.
        entry: what the journal knows of it; None if nothing.
        problems: what is wrong with its cells.

    """
    state = state_of(step, entry)
    warnings, errors = _split_messages(problems) if problems else ((), ())
    if state is State.INVALID:
        return Result(
            row,
            state,
            error=" | ".join(errors),
            action=_action(step, state, None),
            warnings=warnings,
            renamed_from=step.renamed_from,
        )
    if entry is None:
        reason = None if step.action is Action.SUBMIT else step.reason
        return Result(
            row,
            state,
            error=reason,
            action=_action(step, state, None),
            warnings=warnings,
            held=step.needs_user,
        )
    if errors:
        warnings += (f"the row was edited and cannot be sent as it is now: {' | '.join(errors)}",)
    # The results show the earlier take until the new one is done.
    video = entry.video if state is State.DONE else entry.take
    if _was_delivered(step, entry):
        video = None
    return Result(
        row=row,
        state=state,
        video=video.file if video else None,
        error=_error(step, state, entry),
        action=_action(step, state, entry),
        task_id=entry.task_id,
        attempts=_attempts(entry),
        submitted_at=iso(entry.submitted_at),
        finished_at=iso(entry.finished_at),
        seconds=entry.attempt.request.duration,
        warnings=warnings + _warnings(step, state, entry),
        renamed_from=step.renamed_from,
        held=step.needs_user,
        take=entry.attempt.number if entry.video and state is State.DONE else None,
    )


def _attempts(entry: Entry) -> int:
    # The number of an attempt that was not sent, or whose video was bought before, counts nothing.
    unsent = entry.reused or entry.state is State.WAITING
    return entry.submissions if unsent else entry.attempt.number


def _is_of_other_cells(step: Step) -> bool:
    return step.edited and step.action is Action.REUSE


def _split_messages(problems: Sequence[Problem]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the messages of warnings, and those of errors."""
    told = {
        severity: tuple(one.message for one in problems if one.severity is severity)
        for severity in (Severity.WARNING, Severity.ERROR)
    }
    return told[Severity.WARNING], told[Severity.ERROR]


def _error(step: Step, state: State, entry: Entry) -> str | None:
    if state is State.DONE:
        return None
    if step.held:
        return step.reason
    if entry.error_message is None:
        return step.reason if state is State.EXPIRED else None
    if state is State.FAILED:
        return say_failed(entry.error_code, entry.error_message)
    shown = entry.error_code and entry.error_code not in entry.error_message
    return f"{entry.error_message}{f' ({entry.error_code})' if shown else ''}"


def _action(step: Step, state: State, entry: Entry | None) -> str | None:
    if step.action is Action.LEAVE and "limits.attempts" in step.reason:
        return f"{step.reason}: edit the row, or raise limits.attempts."
    if step.held or step.hold is Hold.BROKEN:
        return action_of_held(step)
    if entry is not None and entry.video is not None and _was_delivered(step, entry):
        return REDO.action.replace("the file", entry.video.file)
    if state is State.DONE:
        if step.group == CHANGED and step.action is Action.LEAVE:
            return (
                "Edited since it was made. For a new take: reelsheet run MANIFEST --redo changed."
            )
        return None
    advice = advise(state, entry.error_code if entry else None)
    return advice.action if advice else None


def _warnings(step: Step, state: State, entry: Entry) -> tuple[str, ...]:
    warnings = entry.video.warnings if entry.video and state is State.DONE else ()
    if step.edited and step.action is Action.TAKE_UP:
        warnings += (
            "the row was edited after it was submitted: its video is made of the earlier cells",
        )
    if _was_delivered(step, entry):
        warnings = (FILE_LOST, *warnings)
    if _is_of_other_cells(step):
        warnings = (_DIFFERS, *warnings)
    if entry.take is not None and state is not State.DONE:
        warnings += ("the video is the earlier take; the new one is not done",)
    return warnings


def iso(unix_s: float | None) -> str | None:
    """Return a Unix time as UTC in ISO 8601; None for one that no calendar has."""
    if unix_s is None or not abs(unix_s) < _MOST_S:
        return None
    return _second(floor(unix_s + _HALF_MICROSECOND_S))


@lru_cache(maxsize=4096)
def _second(unix_s: int) -> str:
    # Cached, because rows next to each other were often sent, or done, in the same second.
    return f"{datetime.fromtimestamp(unix_s, UTC).replace(tzinfo=None).isoformat()}Z"


def is_unasked(result: Result) -> bool:
    """Return whether no run has looked up or sent a row, so that its task may be forgotten."""
    return result.attempts == 0 and result.state in {State.WAITING, State.INVALID}
