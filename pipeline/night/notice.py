"""The notice of a night: what came of it, what waits for a person, and what to do.

It is plain text, for a telephone: what matters most comes first, as some services cut it off.

Tested in tests/night/test_notice.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from pipeline.errors import ExitCode, ReelsheetError, StoreError
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.wording import agree, count
from pipeline.model import State
from pipeline.models.pricing import join
from pipeline.runner.reports import RunReport
from pipeline.runner.waits import Waits
from pipeline.writer.advice import HELD
from pipeline.writer.outcome import EDITED, WARNED

_COMMONEST = 5
_MOST_ACTIONS = 3
"""A command is about one manifest: so many of them are told of an error of several."""
_ALONE = re.compile(r" For this row alone, add --only .*\.$")
"""What the action of a row says of no other one."""
_MOST_NOTES = 20
_MOST_MANIFESTS = 20
_WELL = {ExitCode.DONE, ExitCode.NEEDS_USER, ExitCode.UNFINISHED}
"""How a night ends that needs nobody at once: what is unfinished comes with the next one."""
_TITLES = {
    ExitCode.DONE: "the night ended well",
    ExitCode.USAGE: "the night could do nothing",
    ExitCode.STOPPED: "the night was stopped",
    ExitCode.UNFINISHED: "not all is done; the next night goes on",
    ExitCode.INTERNAL: "the night met an internal error",
    ExitCode.LOCKED: "another run had the manifests",
    ExitCode.INTERRUPTED: "the night was interrupted",
    ExitCode.TERMINATED: "the night was interrupted",
}
_NEED_USER = (State.INVALID, State.REFUSED, State.FAILED, State.EXPIRED)
_TO_SETTLE = (State.IN_DOUBT, State.SUBMITTING, State.MISSING)
_SAID_HERE = re.compile(
    "[0-9,]+ rows? (?:" + "|".join(map(re.escape, (EDITED, WARNED, *HELD.values()))) + ")"
)
"""The notes of a run that the notice says in its own words."""


class Hindrance(IntEnum):
    """What keeps a night from its work until a person has mended it; the greatest is the worst.

    A manifest is `UNUSED` where it cannot be worked on (2), as without a key: the night ends with 1
    all the same if others were. By a `DISK`, or a file, less is done than could be.
    """

    UNUSED = 1
    DISK = 2


@dataclass(frozen=True, slots=True)
class Ended:
    """How a manifest ended, by its name; `typed` is what commands about it are called with."""

    name: str
    outcome: RunReport | ReelsheetError
    typed: Invocation


@dataclass(frozen=True, slots=True)
class Notice:
    """A message: its title, and its text."""

    title: str
    text: str


def ended_well(code: int) -> bool:
    """Return whether a night with this exit code needs nobody at once."""
    return code in _WELL


def hindrance_of(outcome: RunReport | BaseException | None) -> Hindrance | None:
    """Return what kept a manifest, or a night, from its work; None if it is nothing of that."""
    if isinstance(outcome, RunReport):
        by_disk = outcome.failure is not None or any(stop.by_disk for stop in outcome.stops)
        return Hindrance.DISK if by_disk else None
    if isinstance(outcome, ReelsheetError) and outcome.exit_code is ExitCode.USAGE:
        return Hindrance.UNUSED
    return Hindrance.DISK if isinstance(outcome, StoreError) else None


def is_due(
    on: str, code: int, submitted: int, waiting: int = 0, *, well: bool | None = None
) -> bool:
    """Return whether anybody is to be told of a night.

    Args:
        on: The setting notify.on.
        code: Its exit code.
        submitted: What it ordered.
        waiting: How many rows wait for a person that the exit code says nothing of.
        well: Whether it needs nobody at once; None: as its code says.

    """
    if on == "always":
        return True
    if on == "money":
        return submitted > 0
    if on == "failure":
        return not (ended_well(code) if well is None else well)
    return code != ExitCode.DONE or waiting > 0


def count_waiting(ended: Sequence[Ended]) -> int:
    """Return how many rows wait for a person, beyond what their states say."""
    return sum(one.waits.total for one in _reports(ended))


def compose(
    code: int,
    ended: Sequence[Ended],
    why: str | None,
    *,
    action: str | None = None,
    at: Sequence[str] = (),
    hindrance: Hindrance | None = None,
) -> Notice:
    """Return the message: what waits, money, manifests, the commonest errors, and where it is.

    Args:
        code: The exit code of the night.
        ended: How each manifest ended.
        why: What ended the night early; None if nothing did.
        action: What to do about that, where no manifest says it.
        at: Lines that come first: when and where the night was.
        hindrance: What kept it from its work that only a person can mend.

    """
    reports = _reports(ended)
    lines = [*at]
    if any(one.summary.provider == "rehearsal" for one in reports):
        lines.append("It was a rehearsal: nothing was paid.")
    if why:
        lines.append(f"Stopped: {why}")
        told = dict.fromkeys(stop.action for one in reports for stop in one.stops)
        lines += [f"  {one}" for one in (action, *told) if one]
    lines += _of_money(reports)
    for one in ended[:_MOST_MANIFESTS]:
        lines += ["", *_of_manifest(one)]
    if len(ended) > _MOST_MANIFESTS:
        lines += ["", f"and {count(len(ended) - _MOST_MANIFESTS, 'more manifest')}"]
    errors = _commonest(reports)
    if errors:
        lines += ["", "What went wrong most:", *errors]
    lines += ["", f"The exit code of the night is {code}."]
    refused = len(ended) - len(reports)
    also = f"; {count(refused, 'manifest')} could not be worked on" if refused and reports else ""
    return Notice(f"Reelsheet: {_title(code, reports, hindrance)}{also}", "\n".join(lines).strip())


def _reports(ended: Sequence[Ended]) -> list[RunReport]:
    return [one.outcome for one in ended if isinstance(one.outcome, RunReport)]


def _title(code: int, reports: Sequence[RunReport], hindrance: Hindrance | None) -> str:
    doubts = sum(_in(one, *_TO_SETTLE) for one in reports)
    rows = sum(_in(one, *_NEED_USER) + one.waits.total for one in reports)
    if code == ExitCode.IN_DOUBT:
        return f"{count(doubts, 'row')} may be paid for and {agree(doubts, 'is', 'are')} in doubt"
    if hindrance is Hindrance.DISK and code in _WELL:
        return "a disk is full, or a file cannot be used: this needs you"
    if rows and code in {ExitCode.DONE, ExitCode.NEEDS_USER}:
        return f"{count(rows, 'row')} {agree(rows, 'needs', 'need')} you"
    titles: dict[int, str] = {int(one): title for one, title in _TITLES.items()}
    return titles.get(code, "something needs you")


def _in(report: RunReport, *states: State) -> int:
    return sum(report.states.get(state.value, 0) for state in states)


def _of_money(reports: Sequence[RunReport]) -> list[str]:
    if not reports:
        return []
    submitted = sum(one.submitted for one in reports)
    costs = join(one.spend.costs for one in reports)
    spent = costs.worded(reports[0].spend.currency, before=", for ")
    lines = [f"Ordered: {count(submitted, 'video')}{spent}."]
    downloaded = sum(one.downloaded for one in reports)
    if downloaded:
        lines.append(f"Brought home: {count(downloaded, 'video')}.")
    known = [one.summary.balance_after for one in reports if one.summary.balance_after is not None]
    return [*lines, f"Left on the account: {known[-1]:,.2f}."] if known else lines


def _of_manifest(one: Ended) -> list[str]:
    outcome = one.outcome
    if isinstance(outcome, ReelsheetError):
        action = [f"  {outcome.action}"] if outcome.action else []
        return [f"{one.name}: {outcome.lines[0]}", *(f"  {i}" for i in outcome.lines[1:]), *action]
    states = ", ".join(f"{number:,} {state}" for state, number in sorted(outcome.states.items()))
    lines = [f"{one.name}: {states or 'no rows'}"]
    lines += [f"  {text}" for text in _waits(outcome, one.typed)]
    notes = [note for note in outcome.notes if not _SAID_HERE.fullmatch(note)]
    lines += [f"  {note}" for note in notes[:_MOST_NOTES]]
    if outcome.failure is not None:
        lines.append(f"  {outcome.failure.message} {outcome.failure.action or ''}".rstrip())
    if outcome.results_file is not None:
        lines.append(f"  results: {outcome.results_file.absolute()}")
    if outcome.failed_file is not None:
        lines.append(f"  rows that need you: {outcome.failed_file.absolute()}")
    lines += _to_judge(outcome, one.typed)
    return lines


def _to_judge(report: RunReport, typed: Invocation) -> list[str]:
    """Return where videos are judged, with how many of this night nobody has judged yet."""
    page = report.folder.absolute() / "review.html"
    there, new = [str(page)] if page.is_file() else [], report.waits.unjudged
    if not new:
        return [f"  to judge the videos: {one}" for one in there]
    said = f"{count(new, 'new video')} {agree(new, 'waits', 'wait')} for your verdict"
    where = ", or with: ".join([*there, typed.command("review")])
    return [f"  {said}: {where}"]


def _waits(report: RunReport, typed: Invocation) -> Iterator[str]:
    """Yield what waits for a person, each with what to do."""
    waits, invalid = report.waits, _in(report, State.INVALID)
    if invalid:
        said = f"{count(invalid, 'row')} {agree(invalid, 'breaks', 'break')} a rule, so nothing was"
        yield f"{said} sent of {agree(invalid, 'it', 'them')}: {typed.command('check')}"
    if doubts := _in(report, *_TO_SETTLE):
        said = f"{count(doubts, 'row')} may be paid for, and no answer says so. To look"
        yield f"{said} {agree(doubts, 'it', 'them')} up, free: {_look_up(typed)}"
    if away := _in(report, State.RUNNING, State.READY):
        said = f"{count(away, 'video')} {agree(away, 'is', 'are')} paid for and not home yet: the"
        fetch = typed.command("fetch")
        yield f"{said} next night brings {agree(away, 'it', 'them')}, or now, free: {fetch}"
    if expired := _in(report, State.EXPIRED):
        said = f"{count(expired, 'row')} {agree(expired, 'was', 'were')} paid for, and"
        said = f"{said} {agree(expired, 'its video is', 'their videos are')} not here and can no"
        again = typed.command("retry", "--states", "expired")
        yield f"{said} longer be downloaded. No night pays for a row again: {again}"
    if waits.repeats:
        said = f"{count(waits.repeats, 'row')} {agree(waits.repeats, 'waits', 'wait')}, as"
        said = f"{said} {agree(waits.repeats, 'its video was', 'their videos were')} bought before"
        yield f"{said} for other rows: see result_action in the results"
    if waits.pilot:
        said = f"{count(waits.pilot, 'row')} {agree(waits.pilot, 'waits', 'wait')} until you have"
        yield f"{said} judged the pilot: {typed.command('review')}"
    yield from _kept(waits, typed)
    if waits.ordered_warned:
        said = f"{count(waits.ordered_warned, 'row')} {agree(waits.ordered_warned, 'was', 'were')}"
        yield f"{said} ordered in spite of a warning; see result_warnings in the results:"
        for warning, number in waits.warnings:
            yield f"  {count(number, 'row')}: {warning}"


def _kept(waits: Waits, typed: Invocation) -> Iterator[str]:
    """Yield which done rows keep their videos although somebody may want new ones."""
    for number, what, word in (
        (waits.edited, "edited", "changed"),
        (waits.rejected, "rejected", "rejected"),
    ):
        if number:
            said = f"{count(number, 'done row')} {agree(number, 'was', 'were')} {what} and"
            said = f"{said} {agree(number, 'keeps its video', 'keep their videos')}, as night.redo"
            redo = typed.command("run", "--redo", word)
            yield f"{said} does not name {word}. For new takes: {redo}"
    if waits.used_up:
        said = f"{count(waits.used_up, 'done row')} {agree(waits.used_up, 'keeps', 'keep')}"
        said = f"{said} {agree(waits.used_up, 'its video', 'their videos')}, as limits.attempts"
        said = f"{said} allows no new {agree(waits.used_up, 'take', 'takes')}. For one more"
        raised = ("--set", f"limits.attempts={waits.attempts + 1}")
        yield f"{said}: {typed.command('run', '--redo', waits.redo, *raised)}"


def _look_up(typed: Invocation) -> str:
    return typed.command("resolve", "--look-up")


def _commonest(reports: Sequence[RunReport]) -> list[str]:
    """Return the commonest errors in plain words, each with what to do about it."""
    seen: Counter[str] = Counter()
    actions: dict[str, dict[str, None]] = {}
    for report in reports:
        first: dict[str, str] = {}
        for row in report.results:
            if row.error:
                said = row.error.replace(repr(row.key), "a row")
                seen[said] += 1
                first.setdefault(said, _ALONE.sub("", row.action or ""))
        for said, action in first.items():
            actions.setdefault(said, {})[action] = None
    lines = []
    for said, number in seen.most_common(_COMMONEST):
        lines.append(f"{count(number, 'row')}: {said}")
        lines += [f"  {action}" for action in [*filter(None, actions[said])][:_MOST_ACTIONS]]
    return lines
