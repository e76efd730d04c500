"""What a run does with each row: a pure decision from the sheet, the journal and what was asked.

run    submits new rows, takes up the rows that are paid for, leaves alone the rows that have ended
retry  makes new attempts for rows that ended badly and submits nothing else
fetch  submits nothing; it takes up the rows that are paid for

What is paid for and not finished is taken up and never submitted, so that nothing is paid twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain
from typing import NamedTuple

from pipeline.account.submission import Submission
from pipeline.checker.rules import is_edited, say_sheet_changed, sheet_changed, spellings_of
from pipeline.lifecycle import PAID
from pipeline.manifest.invocation import quoted_option
from pipeline.manifest.wording import count
from pipeline.model import Entry, Request, State, shown_key
from pipeline.planner.heldback import Hold
from pipeline.planner.selection import Mode, Selection
from pipeline.refusals import past_help


class Action(StrEnum):
    """What a run does with a row."""

    SUBMIT = "submit"
    TAKE_UP = "take up"
    REUSE = "reuse"
    LEAVE = "leave"


ENDED_BADLY = frozenset({State.FAILED, State.EXPIRED, State.REFUSED})
"""The states whose rows `retry` can give a new attempt."""

NEW = "new"
"""The group of rows that were never seen."""
CHANGED = "changed"
"""The group of done rows that were edited since."""
_RENAMED = "renamed"
REPEAT = "repeat"
FILE_LOST = "the video file is missing, and its link has expired"
"""What is said of a done row whose file somebody removed: it stays done."""
GROUPS = (NEW, CHANGED, _RENAMED, REPEAT, *(state.value for state in State))
"""The groups of a plan: of rows never seen, edited, renamed, bought before, and the states."""

# An entry that is `submitting` before a run begins: an earlier run ended before the answer came.
_GROUP_OF = {state: state.value for state in State} | {State.SUBMITTING: State.IN_DOUBT.value}
_PAID_FOR = {
    State.SUBMITTING: "to be looked up: the last run ended before the answer came",
    State.IN_DOUBT: "to be looked up: no clear answer came",
    State.MISSING: "to be asked for again: the provider did not know it",
    State.RUNNING: "the provider is working on it",
    State.READY: "to be downloaded",
}
"""What is said of the rows that are paid for and not finished."""


class Step(NamedTuple):  # a third of what a frozen dataclass costs, for one of each row
    """What a run does with a row, and why.

    `counts` says whether the row counts towards the exit code, `edited` whether its request is not
    the one that was sent last. `renamed_from` is the key that the row had in the journal, if it has
    another one now. `repeat_of` is what was bought before for the same request, `hold` why the row
    waits. `unmet` says what was asked for by key and is not done, `spent` which attempts forbid it.
    """

    key: str
    action: Action
    group: str
    reason: str
    counts: bool = True
    edited: bool = False
    renamed_from: str | None = None
    repeat_of: Submission | None = None
    hold: Hold | None = None
    unmet: str | None = None
    past_help: str | None = None  # the code for which a row was left out of a retry
    spent: int = 0
    lost: bool = False  # it is done, and its video can neither be found nor downloaded again

    @property
    def held(self) -> bool:
        """Whether the row waits for a video that was bought before, or for the pilot."""
        waits = self.group == REPEAT or self.hold is Hold.PILOT
        return waits and self.action is Action.LEAVE

    @property
    def needs_user(self) -> bool:
        """Whether the row waits for somebody to settle it: not if it waits for the pilot alone."""
        return self.held and self.hold is not Hold.PILOT

    @property
    def waits_for_redo(self) -> bool:
        """Whether the row is done and was edited since: it keeps its video unless it is redone."""
        return self.edited and self.action is Action.LEAVE and self.group == CHANGED


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of the manifest's rows, and of the paid rows that are `gone` from it."""

    steps: tuple[Step, ...]
    gone: tuple[Step, ...] = ()
    _found: dict[Action, list[Step]] = field(default_factory=dict, init=False, compare=False)

    def of(self, action: Action) -> Sequence[Step]:
        """Return the steps with this action, in order."""
        if action not in self._found:
            steps = chain(self.steps, self.gone)
            self._found[action] = [step for step in steps if step.action is action]
        return self._found[action]

    def without(self, keys: Collection[str], reason: str) -> Plan:
        """Return the same plan, except that it leaves these rows alone, and says why."""
        steps = (
            step._replace(action=Action.LEAVE, reason=reason) if step.key in keys else step
            for step in self.steps
        )
        return replace(self, steps=tuple(steps))

    @property
    def groups(self) -> dict[str, int]:
        """Count the rows of the manifest in each group; groups without rows count 0."""
        counts = Counter(step.group for step in self.steps)
        return {group: counts[group] for group in GROUPS if group != State.SUBMITTING.value}


def decide(
    rows: Iterable[tuple[str, Request | None]],
    entries: Mapping[str, Entry],
    selection: Selection,
    *,
    files_gone: Collection[str] = (),
    links_live: Collection[str] = (),
    renamed: Mapping[str, str] | None = None,
) -> Plan:
    """Decide what a run does with every row of the manifest and with paid rows that left it.

    Args:
        rows: each row's key and its request (None: the row breaks a rule).
        entries: what the journal knows, by key.
        selection: what the run is asked to do.
        files_gone: the keys of done rows whose video file is missing.
        links_live: those of `files_gone` whose video can still be downloaded.
        renamed: the earlier keys of renamed rows, by their keys now, under which their entries are.

    """
    earlier_keys = renamed or {}
    steps = []
    keys = set()
    for key, request in rows:
        keys.add(key)
        step = _decide(key, request, entries.get(key), selection)
        unmet = _say_unmet(step, entries.get(key), selection)
        if key in files_gone and _is_selected(key, selection):
            step = _fetch_again(step, link_lives=key in links_live)
        if key in earlier_keys:
            step = _say_renamed(step, earlier_keys[key])
        if unmet is not None:
            step = step._replace(unmet=unmet)
        steps.append(step)
    gone = (
        Step(entry.key, Action.TAKE_UP, _group(entry), "paid for, although not in the manifest")
        for entry in entries.values()
        if entry.key not in keys and entry.state in PAID and _is_selected(entry.key, selection)
    )
    return limit_submissions(Plan(tuple(steps), tuple(gone)), selection.limit)


def decide_new(rows: Iterable[tuple[str, bool]], selection: Selection) -> Plan:
    """Decide the same where the journal knows no row; what the rows ask for plays no part then.

    Args:
        rows: each row's key, and whether the row keeps all rules.
        selection: what the run is asked to do.

    """
    named = selection.redone | selection.pay_again
    # What is decided of a row that nobody names is the same for all: only its key differs.
    alike = {valid: _decide_new("", valid, selection)[1:] for valid in (True, False)}
    steps = [
        Step._make((key, *alike[valid]))
        if selection.only is None and key not in named
        else _decide_named(key, valid, selection)
        for key, valid in rows
    ]
    return limit_submissions(Plan(tuple(steps)), selection.limit)


def _decide_named(key: str, valid: bool, selection: Selection) -> Step:
    step = _decide_new(key, valid, selection)
    return step._replace(unmet=_say_unmet(step, None, selection))


def limit_submissions(plan: Plan, limit: int | None) -> Plan:
    """Leave alone the rows that would be submitted beyond the first `limit`; None: no limit."""
    if limit is None:
        return plan
    beyond = {step.key for step in plan.of(Action.SUBMIT)[limit:]}
    steps = (_leave_beyond(step) if step.key in beyond else step for step in plan.steps)
    return Plan(tuple(steps), plan.gone)


def _decide(key: str, request: Request | None, entry: Entry | None, selection: Selection) -> Step:
    if entry is None:
        return _decide_new(key, request is not None, selection)
    if not _is_selected(key, selection):
        return Step(key, Action.LEAVE, _group(entry), "not selected by --only", counts=False)
    if entry.state is State.WAITING and request is None:
        return _leave_broken(key, selection)
    if entry.state is State.WAITING:
        return _submit(key, _group(entry), "not sent yet", selection)
    edited = request is None or is_edited(request, entry)
    by_sheet = request is not None and edited and sheet_changed(request, entry.attempt.request)
    if entry.state in PAID:
        return Step(key, Action.TAKE_UP, _group(entry), _PAID_FOR[entry.state], edited=edited)
    if request is None:
        reason = "has ended; the edited row breaks a rule"
        counts = selection.mode is Mode.RUN or entry.state in selection.retry
        return Step(key, Action.LEAVE, _group(entry), reason, counts, edited=True)
    group = CHANGED if edited else _group(entry)
    if entry.state is State.DONE:
        asked = selection.redo_changed and (selection.redo_sheets or not by_sheet)
        step = _done(request, entry, group, selection, redo_changed=asked)
    else:
        step = _ended_badly(request, entry, group, selection, by_sheet=by_sheet)
    return _say_sheet(step) if by_sheet and step.action is Action.LEAVE else step


def _decide_new(key: str, valid: bool, selection: Selection) -> Step:
    if not _is_selected(key, selection):
        group = NEW if valid else State.INVALID.value
        return Step(key, Action.LEAVE, group, "not selected by --only", counts=False)
    if not valid:
        return _leave_broken(key, selection)
    return _submit(key, NEW, "never sent", selection)


def _leave_broken(key: str, selection: Selection) -> Step:
    counts = selection.mode is Mode.RUN
    return Step(key, Action.LEAVE, State.INVALID.value, "breaks a rule", counts)


def _say_unmet(step: Step, entry: Entry | None, selection: Selection) -> str | None:
    """Say that a row gets no take although one was asked for with its key; None if all is well."""
    redone, paid = step.key in selection.redone, step.key in selection.pay_again
    if selection.mode is not Mode.RUN or step.action is Action.SUBMIT or not (redone or paid):
        return None
    named = step.key in selection.redo
    settled = entry is not None and step.action is Action.LEAVE
    if not (named or (settled and _is_selected(step.key, selection))):
        return None
    if entry is None:
        return f"{step.key} gets no take: {step.reason}"
    if entry.state is State.DONE and not redone and not entry.reused:
        redo = f"{quoted_option('--redo', step.key)} makes another take"
        return f"{step.key} is done and was bought for itself; {redo}"
    return f"{step.key} gets no new take: {step.reason}"


def _leave_beyond(step: Step) -> Step:
    renamed = f"renamed from {step.renamed_from}; " if step.renamed_from else ""
    return step._replace(action=Action.LEAVE, reason=f"{renamed}beyond --limit", counts=False)


def _is_selected(key: str, selection: Selection) -> bool:
    return selection.only is None or key in selection.only


def _group(entry: Entry) -> str:
    return _GROUP_OF[entry.state]


def _submit(key: str, group: str, reason: str, selection: Selection) -> Step:
    if selection.mode is not Mode.RUN:
        return Step(key, Action.LEAVE, group, f"{selection.mode} submits no new rows", counts=False)
    return Step(key, Action.SUBMIT, group, reason)


def _done(
    request: Request, entry: Entry, group: str, selection: Selection, *, redo_changed: bool
) -> Step:
    edited = group == CHANGED
    if selection.mode is Mode.RUN and (entry.key in selection.redone or (edited and redo_changed)):
        return _submit_again(entry, request, group, "another take was asked for", selection)
    if selection.mode is Mode.RUN and entry.reused and entry.key in selection.pay_again:
        return _submit_again(entry, request, group, "a take of its own was asked for", selection)
    reason = "edited since it was done; needs --redo changed" if edited else "done"
    return Step(entry.key, Action.LEAVE, group, reason, counts=not edited, edited=edited)


def _ended_badly(
    request: Request, entry: Entry, group: str, selection: Selection, *, by_sheet: bool
) -> Step:
    edited = group == CHANGED and not by_sheet
    if selection.mode is Mode.RUN and (edited or entry.key in selection.redone):
        why = "edited since it ended" if edited else "another take was asked for"
        return _submit_again(entry, request, group, why, selection)
    # A video that was delivered once and deleted since is paid for again only when it is named.
    asked = entry.state in selection.retry and selection.mode is not Mode.FETCH
    if asked and entry.video is None:
        code = past_help(entry.error_code, entry.error_message)
        if code and group != CHANGED and not selection.names(entry.key):
            reason = f"{entry.state}: a retry cannot help ({code}); change the row, or name it"
            return Step(entry.key, Action.LEAVE, group, reason, past_help=code)
        return _submit_again(entry, request, group, f"{entry.state}: a new attempt", selection)
    reason, counts = f"{entry.state}: needs --retry for a new attempt", selection.mode is Mode.RUN
    return Step(entry.key, Action.LEAVE, group, reason, counts)


def _submit_again(
    entry: Entry, request: Request, group: str, reason: str, selection: Selection
) -> Step:
    used = sum(map(entry.submissions_of, spellings_of(request)))
    if used >= selection.attempts:
        reason = f"{count(used, 'attempt')} made, limits.attempts is {selection.attempts}"
        return Step(entry.key, Action.LEAVE, group, reason, spent=used)
    return Step(entry.key, Action.SUBMIT, group, reason)


def _say_sheet(step: Step) -> Step:
    if step.spent or step.past_help:
        return step
    return step._replace(reason=say_sheet_changed(done=step.edited))


def _fetch_again(step: Step, *, link_lives: bool) -> Step:
    if step.action is not Action.LEAVE:
        return step
    if link_lives:
        reason = "the video file is missing; to be downloaded again"
        return Step(step.key, Action.TAKE_UP, step.group, reason, edited=step.edited)
    reason = FILE_LOST
    return step._replace(reason=f"{step.reason}; {reason}" if step.edited else reason, lost=True)


def _say_renamed(step: Step, earlier: str) -> Step:
    reason = f"renamed from {shown_key(earlier)}; {step.reason}"
    return step._replace(group=_RENAMED, reason=reason, renamed_from=shown_key(earlier))
