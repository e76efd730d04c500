"""Rows whose very request was bought before: the account pays for a request once.

A request is what it says, whatever file, folder, key or team it comes from, and however its text is
spelled (see `checker.rules`). So before a run submits
a row, the row's request is held against what was bought before:

- What counts is a submission of another journal of the account, or of an entry of this journal
  whose row left the manifest, that is in doubt, under way, missing, done or expired (see
  `account.submission.COUNTING`). Entries whose row is still in the manifest never count: rows that
  are equal inside a manifest are each made.
- One bought take serves one row of the manifest. Of n equal rows as many are repeats as there are
  takes that serve no row yet, the first ones of the sheet; the others are paid for.
- A repeat gets the video: the finished one that was bought last, those that were approved first, if
  its file can be had, else the one before it. Of rows that are equal in both manifests each gets
  the one that was bought under its key. One that was rejected serves no other row. Where none is
  left or can be had, or with the setting `hold`, the row waits.
- A row that was edited back to what an earlier take of its own was made of gets that take back,
  whatever the setting. If its file is gone and the row would be submitted, it waits. A row whose
  file is gone, with its link, gets it back from a copy that was made for another row.
- A series begins with what was bought for an earlier edition (`planner.editions`): a row that is
  new to its journal gets the video that was bought under its key, and is an edited one after that.
- Rows of `--redo` and `--pay-again` are not compared. Those of `retry` and `--retry` are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from pipeline.account.submission import COUNTING, Submission
from pipeline.checker.rules import content_of, same_content
from pipeline.lifecycle import SETTLED
from pipeline.model import Entry, Request, State
from pipeline.planner.heldback import Hold, describe, hold_for, why_not
from pipeline.planner.pilot import Pilot
from pipeline.planner.plan import REPEAT, Action, Plan, Step
from pipeline.planner.selection import Mode, Selection

_OWN = "it is again as it was for an earlier take"
_COPIED = "its video file is missing, and there is a copy of it for another row"

Bought = Mapping[str, Sequence[Submission]]
"""Submissions by the content of their request, in whatever spelling, the latest first."""


class Repeats(StrEnum):
    """What becomes of a row whose request was bought before: the setting `repeats`."""

    REUSE = "reuse"
    HOLD = "hold"
    PAY = "pay"


@dataclass(frozen=True, slots=True)
class History:
    """What is known of the past when rows are compared.

    `elsewhere` is what other journals of the account bought, `own` the attempts of this journal.
    `earlier` is what was bought by key for the edition that a series begins with. `present` holds
    the keys of the rows that did not leave the manifest, `alike` of those whose prompt was bought
    (None: it may be any). `unusable` holds the references of
    submissions whose video cannot be had, `fetchable` of those that a run of their own manifest
    downloads again, `approved` and `rejected` of those whose video was judged.
    """

    elsewhere: Bought = field(default_factory=dict)
    own: Bought = field(default_factory=dict)
    earlier: Mapping[str, Submission] = field(default_factory=dict)
    present: AbstractSet[str] = frozenset()
    unusable: AbstractSet[str] = frozenset()
    fetchable: AbstractSet[str] = frozenset()
    approved: AbstractSet[str] = frozenset()
    rejected: AbstractSet[str] = frozenset()
    alike: AbstractSet[str] | None = None

    def may_have(self, key: str) -> bool:
        """Return whether the request of a row may have been bought, as far as its prompt tells."""
        return self.alike is None or key in self.alike


@dataclass(frozen=True, slots=True)
class Compared:
    """A plan with its repeats, and what the book compares with when it takes an intent.

    `known` is how many submissions of other journals the plan knew of, by request. Rows with a key
    in `exempt` are not compared: with the setting `pay` all, else those that are `named` by what
    was asked for. Those of `paid_again` were bought before, and `--pay-again` or `--redo` says that
    they are bought nevertheless. `pilot` is what the plan made of the pilot, if there is one.
    """

    plan: Plan
    known: Mapping[str, int]
    exempt: frozenset[str]
    named: frozenset[str] = frozenset()
    paid_again: frozenset[str] = frozenset()
    pilot: Pilot | None = None


def find_repeats(
    plan: Plan,
    requests: Mapping[str, Request],
    entries: Mapping[str, Entry],
    history: History,
    *,
    selection: Selection,
    setting: Repeats,
) -> Compared:
    """Find the rows of a plan whose request was bought before, and say what becomes of each.

    Args:
        plan: the plan, without a limit.
        requests: the requests of the manifest's rows, by key.
        entries: what the journal knows, by key.
        history: what was bought before.
        selection: what the run is asked to do.
        setting: what becomes of repeats.

    """
    submits = plan.of(Action.SUBMIT)
    if not (entries or history.elsewhere or history.own or history.earlier) and not (
        selection.redone or selection.pay_again or selection.pay_again_all
    ):
        pay = setting is Repeats.PAY
        return Compared(plan, {}, frozenset(step.key for step in submits if pay))
    named = frozenset(
        step.key for step in submits if _is_paid_on_purpose(step, entries.get(step.key), selection)
    )
    exempt = frozenset(step.key for step in submits) if setting is Repeats.PAY else named
    comparison = _Comparison(requests, entries, history, selection, setting, exempt, named)
    compared = Plan(tuple(comparison.compare_all(plan.steps)), plan.gone)
    asked = (step.key for step in compared.of(Action.SUBMIT))
    submitted = [requests[key] for key in asked if history.may_have(key)]
    known = {
        one.request_hash: len(
            {other.task_id or other.reference for other in bought if other.state in COUNTING}
        )
        for one in submitted
        if (bought := history.elsewhere.get(content_of(one)))
    }
    left = exempt.intersection(step.key for step in compared.of(Action.SUBMIT))
    again = frozenset(filter(comparison.is_paid_again, left))
    return Compared(compared, known, left, named & left, again)


def _is_paid_on_purpose(step: Step, entry: Entry | None, selection: Selection) -> bool:
    # Nothing but --redo, or --pay-again with its key, submits a row that is done.
    redone = step.key in selection.redone or (entry is not None and entry.state is State.DONE)
    return redone or selection.pay_again_all or step.key in selection.pay_again


@dataclass
class _Comparison:
    """The comparison of the rows of one plan, in the order of the sheet."""

    requests: Mapping[str, Request]
    entries: Mapping[str, Entry]
    history: History
    selection: Selection
    setting: Repeats
    exempt: Collection[str]
    named: Collection[str]
    _pools: dict[str, list[Submission]] = field(default_factory=dict)

    @cached_property
    def _serving(self) -> set[str | None]:
        """The tasks whose take a row has: a task made one video, so it tells which take it is."""
        present = self.history.present
        return {
            entry.task_id for key, entry in self.entries.items() if entry.reused and key in present
        }

    def compare_all(self, steps: Sequence[Step]) -> Iterable[Step]:
        """Return the steps of all rows; as they are where nothing can have been bought."""
        alike, entries, earlier = self.history.alike, self.entries, self.history.earlier
        if alike is None:
            return map(self.compare, steps)
        return (
            self.compare(step)
            if step.key in alike or step.key in entries or step.key in earlier
            else step
            for step in steps
        )

    def compare(self, step: Step) -> Step:
        """Return the step of a row as it is once its request was held against what was bought."""
        request = self.requests.get(step.key)
        if request is None:
            return step
        own = self._own_take(step, request)
        if own is not None and self._is_usable(own):
            reason = _COPIED if step.lost else f"{_OWN} of its own"
            return _repeat(step, own, Action.REUSE, reason)
        if step.past_help is not None:
            return self._serve_free(step, request)
        if step.action is not Action.SUBMIT or step.key in self.named:
            return step
        bought = None if step.key in self.exempt else self._find_bought(step, request, own)
        return bought or self._serve_earlier(step)

    def _find_bought(self, step: Step, request: Request, own: Submission | None) -> Step | None:
        """Return the step of a row whose very request was bought; None if it was not.

        `own` is a take of its own that cannot be had.
        """
        if own is not None:
            reason = f"{_OWN} of its own; {why_not(own)}"
            return _repeat(step, own, Action.LEAVE, reason, Hold.FILE_GONE)
        pool = self._pool(content_of(request))
        if pool:
            taken = self._choose(pool, step.key, content_of(request))
            pool.remove(taken)
            return self._serve(step, taken, f"its request was bought for {describe(taken)}")
        return None

    def _serve_free(self, step: Step, request: Request) -> Step:
        """Give a row that is left out of a retry the video that costs nothing, if there is one."""
        pool = self._pool(content_of(request))
        if self.setting is not Repeats.REUSE or not pool or any(self._rank(pool[0])):
            return step
        return self._find_bought(step, request, None) or step

    def _serve_earlier(self, step: Step) -> Step:
        """Give a row that is new to a series what was bought for it, whatever `repeats` says."""
        earlier = self.history.earlier.get(step.key)
        if earlier is None or step.key in self.entries:
            return step
        return self._serve(step, earlier, f"bought in other words for {describe(earlier)}")

    def is_paid_again(self, key: str) -> bool:
        """Return whether a row is bought on purpose whose request was bought for another row."""
        entry = self.entries.get(key)
        asked = self.selection.pay_again_all or key in self.selection.pay_again
        redone = key in self.selection.redone or (
            self.selection.redo_changed and entry is not None and entry.state is State.DONE
        )
        if not (asked or redone):
            return False
        request = self.requests[key]
        reused = entry is not None and entry.reused and same_content(entry.attempt.request, request)
        return reused or bool(self._pool(content_of(request)))

    def _own_take(self, step: Step, request: Request) -> Submission | None:
        """Return the take that was made of the request that the row has again, if there is one."""
        entry = self.entries.get(step.key)
        named = self.selection.redone | self.selection.pay_again
        if entry is None or step.key in named:
            return None
        if not step.lost and not self._is_edited_back(step, entry, request):
            return None
        takes = [
            one
            for one in self.history.own.get(content_of(request), ())
            if one.identity == entry.identity and one.state is State.DONE
        ]
        return next(filter(self._is_usable, takes), takes[0] if takes else None)

    def _is_edited_back(self, step: Step, entry: Entry, request: Request) -> bool:
        """Return whether the row has another request than its latest attempt, and may change."""
        if same_content(entry.attempt.request, request):
            return False
        left = step.action is Action.LEAVE and step.edited and entry.state in SETTLED
        return step.action is Action.SUBMIT or (left and self.selection.mode is Mode.RUN)

    def _pool(self, content: str) -> list[Submission]:
        """Return what was bought for a request and serves no row yet, the best take first."""
        if content not in self._pools:
            gone = (
                one
                for one in self.history.own.get(content, ())
                if one.key not in self.history.present
            )
            bought = [
                one
                for one in (*self.history.elsewhere.get(content, ()), *gone)
                if one.state in COUNTING and (not one.task_id or one.task_id not in self._serving)
            ]
            approved = self.history.approved
            bought.sort(key=lambda one: (one.reference not in approved, -(one.submitted_at or 0)))
            bought.sort(key=self._rank)
            # A task made one take, however many copies of it there are.
            takes = {one.task_id or one.reference: one for one in reversed(bought)}
            self._pools[content] = [*reversed(takes.values())]
        return self._pools[content]

    def _choose(self, pool: Sequence[Submission], key: str, content: str) -> Submission:
        """Return the take for a row: of several, the one that was bought for a row of its key.

        Those of other rows that are equal here are left for these, as far as there are others.
        """
        if len(pool) == 1:
            return pool[0]
        best = self._rank(pool[0])
        alike = [one for one in pool if self._rank(one) == best]
        others = self._equal_rows[content]
        named = (one for one in alike if one.key == key)
        free = (one for one in alike if one.key not in others)
        return next(named, None) or next(free, alike[0])

    @cached_property
    def _equal_rows(self) -> Mapping[str, AbstractSet[str]]:
        """The keys of the rows that ask for the same."""
        found: dict[str, set[str]] = {}
        some = self.requests if self.history.alike is None else self.history.alike
        for key in some:
            request = self.requests[key]
            found.setdefault(content_of(request), set()).add(key)
        return found

    def _rank(self, one: Submission) -> tuple[bool, bool]:
        return one.reference in self.history.rejected, not self._is_usable(one)

    def _is_usable(self, one: Submission) -> bool:
        unusable = self.history.unusable
        return one.state is State.DONE and one.video is not None and one.reference not in unusable

    def _serve(self, step: Step, taken: Submission, bought: str) -> Step:
        if taken.reference in self.history.rejected:
            reason = f"{bought}; {Hold.REJECTED.value}"
            return _repeat(step, taken, Action.LEAVE, reason, Hold.REJECTED)
        if not self._is_usable(taken):
            fetchable = taken.reference in self.history.fetchable
            hold = Hold.LINK_LIVES if fetchable else hold_for(taken.state)
            return _repeat(step, taken, Action.LEAVE, f"{bought}; {why_not(taken)}", hold)
        if self.setting is Repeats.HOLD:
            reason = f"{bought}; {Hold.SETTING.value}"
            return _repeat(step, taken, Action.LEAVE, reason, Hold.SETTING)
        edited = not same_content(self.requests[step.key], taken.request)
        return _repeat(step, taken, Action.REUSE, bought)._replace(edited=edited)


def _repeat(
    step: Step, taken: Submission, action: Action, reason: str, hold: Hold | None = None
) -> Step:
    renamed = f"renamed from {step.renamed_from}; " if step.renamed_from else ""
    return step._replace(
        action=action,
        group=REPEAT,
        reason=renamed + reason,
        # What a row that waits counts as is told of all of them: see `writer.outcome`.
        counts=action is Action.REUSE,
        edited=False,
        past_help=None,
        repeat_of=taken,
        hold=hold,
    )
