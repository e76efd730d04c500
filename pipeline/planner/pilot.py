"""The pilot: a few rows that are made first, and judged before the rest is paid for.

Rows that are made already, or under way, count towards it; which others are chosen `spread` says.
Its rows are remembered, so the same choice again adds nothing; a row that came to nothing is
replaced. With a gate the rest waits until each row of the pilot is decided and enough are approved.
What cannot be told keeps it closed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pipeline.lifecycle import PAID
from pipeline.manifest.wording import count
from pipeline.model import Entry, State
from pipeline.planner.heldback import Hold
from pipeline.planner.plan import ENDED_BADLY, Action, Plan, Step
from pipeline.planner.spread import Candidate, choose


class Standing(StrEnum):
    """How far a row of the pilot is."""

    UNMADE = "not made yet"
    UNDECIDED = "to be judged"
    REJECTED = "rejected"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class PilotTerms:
    """What is asked of a pilot.

    Of `rows` at least it is made; with a `gate` the rest waits for its rows to be decided, and for
    `approve` of them to be approved. With `alone` nothing but the pilot is submitted.
    """

    rows: int
    gate: bool
    approve: int
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Pilot:
    """The pilot of a manifest, and what of a plan waits for it.

    `standings` has its rows by their keys. `chosen` says that this plan chose any of them, `lost`
    that they were remembered and cannot be read. `rest` are the rows that the plan would submit
    beside it.
    """

    terms: PilotTerms
    standings: Mapping[str, Standing]
    chosen: bool = False
    lost: bool = False
    rest: tuple[str, ...] = ()

    def number(self, standing: Standing) -> int:
        """Return how many of its rows stand so."""
        return sum(one is standing for one in self.standings.values())

    @property
    def needed(self) -> int:
        """How many of its rows are to be approved: of a small pilot all."""
        return min(self.terms.approve, len(self.standings))

    @property
    def missing(self) -> tuple[str, ...]:
        """What the gate waits for; nothing if it is open.

        No plan both chooses a row of the pilot and goes through its gate: somebody sees the choice
        first, whatever was decided about the row before.
        """
        if not self.standings:
            return ("a run over the whole manifest, which chooses its rows",)
        found = [
            f"{count(number, 'row')} {standing}"
            for standing in (Standing.UNMADE, Standing.UNDECIDED)
            if (number := self.number(standing))
        ]
        if (approved := self.number(Standing.APPROVED)) < self.needed:
            found.append(f"{approved} of {self.needed} approved")
        if not found and self.chosen:
            found.append("one more run, since its rows were chosen only now")
        return tuple(found)

    @property
    def holds(self) -> bool:
        """Whether rows wait at its gate."""
        return self._is_closed and bool(self.rest)

    @property
    def _is_closed(self) -> bool:
        return self.terms.gate and not self.terms.alone and bool(self.missing)

    def lets_through(self, key: str) -> bool:
        """Return whether a row may be ordered now: those of the pilot always."""
        return key in self.standings or not self._is_closed

    def narrow(self, plan: Plan) -> Plan:
        """Return a plan without the submissions that are not of the pilot, if they are to wait."""
        left = frozenset(self.rest)
        if self.terms.alone:
            reason, hold = "beyond --pilot", None
        elif self.holds:
            reason, hold = "waits for the pilot", Hold.PILOT
        else:
            return plan
        steps = (_leave(step, reason, hold) if step.key in left else step for step in plan.steps)
        return Plan(tuple(steps), plan.gone)

    def at_end(self, entries: Mapping[str, Entry], verdicts: Mapping[str, Standing]) -> Pilot:
        """Return it as it stands when a run has ended; `verdicts` as for `find_pilot`."""
        standings = {}
        for key, before in self.standings.items():
            entry = entries.get(key)
            done = entry is not None and entry.state is State.DONE
            now = Standing.UNDECIDED if done else Standing.UNMADE
            standings[key] = before if entry is None else verdicts.get(key, now)
        return replace(self, standings=standings)


def _leave(step: Step, reason: str, hold: Hold | None) -> Step:
    renamed = f"renamed from {step.renamed_from}; " if step.renamed_from else ""
    return step._replace(action=Action.LEAVE, reason=renamed + reason, counts=False, hold=hold)


def find_pilot(
    plan: Plan,
    candidates: Callable[[], Sequence[Candidate]],
    entries: Mapping[str, Entry],
    terms: PilotTerms,
    *,
    valid: Collection[str],
    noted: Sequence[str] | None,
    verdicts: Mapping[str, Standing],
    lost: bool = False,
    part: bool = False,
) -> Pilot:
    """Return the pilot of a plan: the rows that were remembered, and others where some are missing.

    Args:
        plan: what a run does with each row, with its repeats and without a limit.
        candidates: gives the rows of the sheet that break no rule.
        entries: what the journal knows, by key.
        terms: what is asked of the pilot.
        valid: the keys of the rows that break no rule.
        noted: the keys of the rows that were remembered; None if there was no pilot yet.
        verdicts: what was decided of rows, by key: approved or rejected.
        lost: whether the pilot was remembered and cannot be read.
        part: whether the sheet has only some rows of the manifest: none of them is chosen then.

    """
    steps = {step.key: step for step in plan.steps}

    def standing_of(key: str) -> Standing | None:
        verdict = verdicts.get(key)
        if key not in steps and not part and verdict is None:
            return None  # it left the manifest before anybody decided
        return _standing(steps.get(key), entries.get(key), verdict, valid=part or key in valid)

    standings = {key: standing_of(key) for key in dict.fromkeys(noted or ())}
    made = [key for key, one in standings.items() if one not in {None, Standing.UNMADE}]
    unmade = [key for key, one in standings.items() if one is Standing.UNMADE]
    begun = [key for key in unmade if _is_begun(entries.get(key))]
    fresh = [key for key in unmade if key not in begun]
    if terms.alone:  # a smaller pilot is asked for: what is made of it stays
        fresh = fresh[: max(0, terms.rows - len(made) - len(begun))]
    members = [*made, *begun, *fresh]
    before = len(members)
    if before < terms.rows and not part:
        rows = {one.key: one for one in candidates()}
        for pool in (_begun_rows(plan, entries), [one.key for one in plan.of(Action.SUBMIT)]):
            some = [rows[key] for key in pool if key in rows and key not in members]
            known = [rows.get(key, Candidate(key, 0)) for key in members]
            members += choose(some, terms.rows, known, length=len(steps))
    found = {key: standing_of(key) or Standing.UNMADE for key in members}
    rest = tuple(step.key for step in plan.of(Action.SUBMIT) if step.key not in found)
    chosen = noted is None or len(members) > before
    return Pilot(terms, found, chosen, lost, rest)


def _standing(
    step: Step | None, entry: Entry | None, verdict: Standing | None, *, valid: bool
) -> Standing | None:
    """Return how far a row of the pilot is; None where it came to nothing and counts no more."""
    if verdict is Standing.APPROVED:
        return verdict
    if step is not None and step.action is Action.SUBMIT:
        return Standing.UNMADE
    if step is not None and step.action is Action.REUSE:
        return Standing.UNDECIDED
    if entry is None or (entry.state is State.WAITING and entry.take is None):
        return Standing.UNMADE if valid else None
    if entry.state is State.DONE or (entry.take is not None and entry.state in ENDED_BADLY):
        return verdict or Standing.UNDECIDED
    return Standing.UNMADE if _is_begun(entry) else None


def _is_begun(entry: Entry | None) -> bool:
    """Return whether a row has a video, or one is under way."""
    return entry is not None and (
        entry.state is State.DONE or entry.state in PAID or entry.take is not None
    )


def _begun_rows(plan: Plan, entries: Mapping[str, Entry]) -> list[str]:
    """Return the keys of the rows that have a video, are under way, or get one that was bought."""
    return [
        step.key
        for step in plan.steps
        if step.action is Action.REUSE or _is_begun(entries.get(step.key))
    ]
