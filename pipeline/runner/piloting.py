"""The pilot of a manifest: what its journal remembers, what was decided, and what is told of it.

The journal notes which rows are the pilot, with a check sum: a note that was damaged is no note.
Then the rows are chosen anew, and the gate stays closed until they are decided.

Tested in tests/system/test_pilot.py and tests/runner/test_piloting.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pipeline.checker.check import CheckedManifest
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.journal.decisions import read_decisions
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.wording import agree, count
from pipeline.model import Decision, Entry, Request, State
from pipeline.models.pricing import Costs
from pipeline.planner.pilot import Pilot, PilotTerms, Standing, find_pilot
from pipeline.planner.plan import Action, Plan
from pipeline.planner.planner import price
from pipeline.planner.repeats import Compared
from pipeline.planner.selection import Mode, Selection
from pipeline.planner.spread import Candidate, candidates_of
from pipeline.review.verdicts import APPROVE, REJECT, latest_of
from pipeline.writer.layout import own_columns

PILOT_NOTE = "pilot"
"""The name under which a journal notes which rows are the pilot."""
_AT_ONCE = 500
"""Rows that are read from the journal at a time."""
_MANY_ROWS = 20
"""A first live run over more rows is proposed a pilot."""


class _Ordered(Protocol):
    """What is read of the order of a run."""

    @property
    def checked(self) -> CheckedManifest: ...
    @property
    def config(self) -> Config: ...
    @property
    def folder(self) -> OutputFolder: ...
    @property
    def selection(self) -> Selection: ...
    @property
    def invocation(self) -> Invocation: ...


def with_pilot(
    compared: Compared,
    checked: CheckedManifest,
    requests: Mapping[str, Request],
    entries: Mapping[str, Entry],
    *,
    folder: OutputFolder,
    selection: Selection,
    config: Config,
    notes: Mapping[str, str],
) -> Compared:
    """Return a plan that submits no more than its pilot, where the rest is to wait.

    Args:
        compared: The plan with its repeats, without a limit.
        checked: The manifest.
        requests: Its requests, by key.
        entries: What the journal knows, by key.
        folder: The output folder.
        selection: What the run is asked to do.
        config: The settings.
        notes: What the journal notes.

    Raises:
        StoreError: The journal cannot be read.

    """
    settings, alone = config.pilot, selection.pilot is not None
    if selection.mode is Mode.FETCH or not (alone or settings.gate):
        return compared
    rows = settings.rows if selection.pilot is None else selection.pilot
    remembered = notes.get(PILOT_NOTE)
    noted = None if remembered is None else _read_note(remembered, entries)
    pilot = find_pilot(
        compared.plan,
        lambda: _candidates(checked, requests),
        entries,
        PilotTerms(rows, settings.gate, settings.approve, alone),
        valid=requests.keys(),
        noted=noted,
        verdicts=verdicts_of(entries.values(), read_decisions(folder.journal)),
        lost=remembered is not None and noted is None,
        part=folder.holds_part_of_rows(checked.manifest.path),
    )
    plan = pilot.narrow(compared.plan)
    left = frozenset(step.key for step in plan.of(Action.SUBMIT))
    again = compared.paid_again & left
    return replace(compared, plan=plan, pilot=pilot, paid_again=again)


def _candidates(checked: CheckedManifest, requests: Mapping[str, Request]) -> list[Candidate]:
    headers, used = checked.manifest.headers, set(checked.fields.values())
    own = [column for column in own_columns(headers) if column not in used]
    rows = zip(checked.keys, checked.manifest.rows, strict=True)
    return candidates_of(headers, own, [(key, row.cells, requests.get(key)) for key, row in rows])


def verdicts_of(entries: Iterable[Entry], decisions: Sequence[Decision]) -> dict[str, Standing]:
    """Return by key what counts of the decisions about rows: a take approved, the last rejected.

    A row with a take that was approved stays so, also while another one is made or open.
    """
    said: dict[str, list[Decision]] = {}
    for one in latest_of(decisions).values():
        said.setdefault(one.entry, []).append(one)
    found = {}
    for entry in entries:
        about = said.get(entry.identity, ())
        if any(one.verdict == APPROVE for one in about):
            found[entry.key] = Standing.APPROVED
        elif any(one.verdict == REJECT and _is_about_newest(one, entry) for one in about):
            found[entry.key] = Standing.REJECTED
    return found


def _is_about_newest(decision: Decision, entry: Entry) -> bool:
    """Return whether a decision is about the newest take of a row."""
    if entry.state is State.DONE:
        return decision.number == entry.attempt.number
    return entry.take is not None and decision.sha256 == entry.take.sha256


def note_of(pilot: Pilot | None, entries: Mapping[str, Entry]) -> dict[str, str]:
    """Return what the journal is to note of a pilot before anything of it is submitted."""
    if pilot is None or not pilot.standings:
        return {}
    rows = [entries[key].identity if key in entries else key for key in pilot.standings]
    return {PILOT_NOTE: json.dumps({"rows": rows, "sum": _sum(rows)})}


def _read_note(text: str, entries: Mapping[str, Entry]) -> list[str] | None:
    """Return the keys that the rows of a note have now; None if it is damaged."""
    try:
        noted = json.loads(text)
        rows, check = noted["rows"], noted["sum"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    whole = isinstance(rows, list) and all(isinstance(one, str) for one in rows)
    if not whole or check != _sum(rows):
        return None
    known = {entry.identity: key for key, entry in entries.items()}
    return [known.get(row, row) for row in rows]


def _sum(rows: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def describe_price(seconds: int, costs: Costs, config: Config) -> str:
    """Return seconds of video, and money if there is a price, as a person reads them."""
    return f"{seconds:,} s of video{costs.worded(config.budget.currency)}"


@dataclass(frozen=True, slots=True)
class PilotReport:
    """How a pilot stands, and what is left beside it.

    Of its `rows`, so many are `approved`, `rejected`, `undecided` (made, and nobody has said what
    of them) and `unmade`. `rest` rows would be submitted after it: `rest_seconds` of video, for
    `rest_money` (None without a price). With `waits` they are held by `pilot.gate`; `missing` says
    what the gate waits for. `sentences` say it all, with the commands.
    """

    rows: int
    approved: int
    rejected: int
    undecided: int
    unmade: int
    rest: int
    rest_seconds: int
    rest_money: float | None
    waits: bool
    missing: tuple[str, ...]
    sentences: tuple[str, ...]

    def document(self, currency: str) -> dict[str, object]:
        """Return it as JSON has it; money is in `currency`."""
        stands = ("rows", "approved", "rejected", "undecided", "unmade", "waits", "missing")
        money = None
        if self.rest_money is not None:
            money = {"amount": round(self.rest_money, 6), "currency": currency}
        rest = {"rows": self.rest, "video_seconds": self.rest_seconds, "cost": money}
        return {**{name: getattr(self, name) for name in stands}, "rest": rest}


def report_pilot(
    pilot: Pilot | None, checked: CheckedManifest, config: Config, typed: Invocation
) -> PilotReport | None:
    """Return how a pilot stands, for programs and commands; None without one.

    Args:
        pilot: The pilot of a plan, or at the end of a run.
        checked: The manifest.
        config: The settings, with the price.
        typed: What the user named.

    """
    if pilot is None or not (pilot.standings or pilot.rest):
        return None
    seconds, costs = price(pilot.rest, checked, config)
    return PilotReport(
        rows=len(pilot.standings),
        approved=pilot.number(Standing.APPROVED),
        rejected=pilot.number(Standing.REJECTED),
        undecided=pilot.number(Standing.UNDECIDED),
        unmade=pilot.number(Standing.UNMADE),
        rest=len(pilot.rest),
        rest_seconds=seconds,
        rest_money=costs.money,
        waits=pilot.holds,
        missing=pilot.missing if pilot.terms.gate else (),
        sentences=_say(pilot, describe_price(seconds, costs, config), typed),
    )


def _say(pilot: Pilot, cost: str, typed: Invocation) -> tuple[str, ...]:
    said = []
    if pilot.lost:
        said.append(
            "what the journal notes of the pilot is damaged: its rows are chosen anew, and nothing "
            "else is sent before they are decided"
        )
    counted = ((pilot.number(one), one) for one in reversed(Standing))
    stand = ", ".join(f"{number} {one}" for number, one in counted if number)
    if pilot.standings:
        passes = pilot.terms.gate and not pilot.missing
        gate = "; the rest may be sent" if passes else ""
        said.append(f"pilot: {count(len(pilot.standings), 'row')}, {stand}{gate}")
    rows, run = count(len(pilot.rest), "row"), typed.command("run")
    judged = pilot.number(Standing.UNDECIDED) == 0
    review = typed.command("review")
    if pilot.holds:
        wait = agree(len(pilot.rest), "waits", "wait")
        missing = ", ".join(pilot.missing)
        said.append(
            f"{rows} {wait} for the pilot (pilot.gate), {cost}; missing: {missing}."
            f"{_way_on(pilot, typed) if judged else f' Judge the videos: {review}'}"
        )
    elif pilot.terms.alone and pilot.rest:
        rest = f"the rest would be {rows}, {cost}"
        after = (f"judge the videos: {review}", f"then the rest: {run}")
        said += [f"{rest}: {run}"] if judged else [rest, *after]
    return tuple(said)


def _way_on(pilot: Pilot, typed: Invocation) -> str:
    """Return how a gate opens of which all rows are decided, and too few approved."""
    more = pilot.needed - pilot.number(Standing.APPROVED)
    if more <= 0 or pilot.number(Standing.UNMADE):
        return ""
    redo = typed.command("run", "--redo", "rejected")
    return (
        f" {count(more, 'more row')} {agree(more, 'is', 'are')} to be approved: to make the "
        f"rejected ones again: {redo}"
    )


def pilot_at_end(
    pilot: Pilot | None, entries_of: Callable[[Sequence[str]], Mapping[str, Entry]], order: _Ordered
) -> PilotReport | None:
    """Return how the pilot of a run stands at its end; None without one.

    Args:
        pilot: What the plan made of it.
        entries_of: Reads what the journal knows of some rows.
        order: What the run was asked to do.

    Raises:
        StoreError: The journal cannot be read.

    """
    if pilot is None:
        return None
    keys = tuple(pilot.standings)
    entries: dict[str, Entry] = {}
    for first in range(0, len(keys), _AT_ONCE):
        entries.update(entries_of(keys[first : first + _AT_ONCE]))
    verdicts = verdicts_of(entries.values(), read_decisions(order.folder.journal))
    ended = pilot.at_end(entries, verdicts)
    return report_pilot(ended, order.checked, order.config, order.invocation)


def propose_pilot(order: _Ordered, plan: Plan, entries: Mapping[str, Entry]) -> str | None:
    """Return the proposal to begin with a pilot, where a first run buys many rows; else None.

    Args:
        order: What the run is asked to do.
        plan: What it does with each row.
        entries: What the journal knew before.

    """
    rows, first = len(plan.of(Action.SUBMIT)), order.config.pilot.rows
    begun = any(entry.submissions or entry.video for entry in entries.values())
    asked = order.selection.mode is Mode.RUN and order.selection.pilot is None
    if order.config.rehearses or rows <= max(_MANY_ROWS, first) or begun or not asked:
        return None
    command = order.invocation.command("run", "--pilot", str(first))
    return (
        f"This is the first run over these {count(rows, 'row')}. To make {first} of them first and "
        f"judge those: {command}"
    )
