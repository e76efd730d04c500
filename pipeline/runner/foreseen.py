"""What keeps a run from sending anything, as a plan says it before; nothing is made or sent.

In the order in which a run meets it, with the sentence and the exit code of the run.

Tested in tests/system/test_foreseen.py.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from itertools import chain

from pipeline.account.guard import Days
from pipeline.account.opening import explain_another
from pipeline.account.purchases import name_in
from pipeline.account.reading import total_since
from pipeline.account.recovery import asks_first, is_unsent
from pipeline.account.submission import SPENT
from pipeline.checker.check import CheckedManifest
from pipeline.config.key import api_key
from pipeline.disk.lock import why_locked
from pipeline.engine.limits import Caps, Reservations, Spend
from pipeline.engine.rows import Stop
from pipeline.errors import ConfigError, ManifestError, ReelsheetError, UsageError
from pipeline.fleet.choice import refuse_unfit_settings
from pipeline.journal.ownership import read_notes
from pipeline.journal.reading import read_all, read_runs
from pipeline.model import Entry
from pipeline.network import read_network
from pipeline.planner.plan import Action, Plan
from pipeline.planner.repeats import Compared
from pipeline.planner.selection import Selection
from pipeline.runner.caps import caps_per_day, caps_per_run, count_in
from pipeline.runner.comparison import Comparison
from pipeline.runner.forgotten import (
    book_of,
    is_copy_of_a_moment,
    lost_journal,
    stop_for_forgotten,
)
from pipeline.runner.offer import learn_price
from pipeline.runner.order import refuse_broken
from pipeline.runner.target import Target, refuse_folder, refuse_to_begin


def why_not_begun(target: Target) -> ReelsheetError | None:
    """Return what a run is refused for whatever its rows are, None if nothing.

    Raises StoreError.
    """
    try:
        refuse_folder(target)
        refuse_to_begin(target)
        refuse_unfit_settings(target.config)
    except UsageError as error:
        return error
    folder, book = target.folder, book_of(target)
    refusal = why_locked(folder.lock) or lost_journal(target)
    if refusal is not None or book is None or target.config.rehearses:
        return refusal
    return explain_another(folder.journal, book, folder.root, target.invocation)


def why_broken(target: Target, checked: CheckedManifest, *, strict: bool) -> ManifestError | None:
    """Return what a run is refused for because the manifest breaks a rule; None if nothing.

    Args:
        target: The manifest with its configuration and output folder.
        checked: What is in it.
        strict: Whether a row that breaks one is enough.

    """
    try:
        refuse_broken(target.invocation, checked, strict=strict)
    except ManifestError as error:
        return error
    return None


def why_not_sent(
    target: Target, comparison: Comparison, compared: Compared, unguarded: UsageError | None
) -> UsageError | None:
    """Return what a run is refused for once it is planned; None if nothing.

    Args:
        target: The manifest with its configuration and output folder.
        comparison: The plan and what it is held against.
        compared: What came of that.
        unguarded: Why nothing may be sent beside the folders near, unless a person says so.

    """
    selection, submits = comparison.selection, bool(compared.plan.of(Action.SUBMIT))
    if unguarded is not None and submits and not (selection.pay_again or selection.pay_again_all):
        return unguarded
    refusal = comparison.refuse_edition(compared)
    acts = submits or compared.plan.of(Action.TAKE_UP)
    if refusal is not None or target.config.rehearses or not acts:
        return refusal
    try:
        api_key(target.config, os.environ)
        read_network(target.config, os.environ)
    except ConfigError as error:
        return error
    return None


def _hold_unproved(
    target: Target, plan: Plan, entries: Mapping[str, Entry], selection: Selection
) -> tuple[Plan, Stop | None]:
    """Leave rows alone that may have been sent and cannot be looked up."""
    config, folder = target.config, target.folder
    submits = plan.of(Action.SUBMIT)
    if config.rehearses or config.api.client_reference or not submits:
        return plan, None
    notes = read_notes(folder.journal)
    if not (asks_first(notes) or is_copy_of_a_moment(folder, book_of(target))):
        return plan, None

    def identity(key: str) -> str:
        return entries[key].identity if key in entries else key

    keys = {step.key for step in submits} - selection.pay_again
    held = {key for key in keys if not is_unsent(notes, identity(key))}
    if not held:
        return plan, None
    stop = stop_for_forgotten(target.invocation, folder, references=False)
    return plan.without(held, stop.reason), stop


def _spent_today(target: Target) -> Spend:
    """Return what counts for the caps of the day already; raises StoreError."""
    config, price = target.config, target.config.budget.price_per_second
    since = Days(config.budget.timezone).start_of(time.time())
    book = None if config.rehearses else book_of(target)
    if book is not None:
        return total_since(book, name_in(book, config, os.environ), since, price)
    spend = Spend()
    for entry in read_all(target.folder.journal)[1]:
        if entry.state in SPENT and (entry.submitted_at or 0.0) >= since:
            spend.add(entry.attempt)
    return spend


def foresee_stops(
    target: Target,
    plan: Plan,
    checked: CheckedManifest,
    entries: Mapping[str, Entry],
    *,
    selection: Selection,
    counted: Reservations | None,
) -> tuple[Plan, list[Stop]]:
    """Return a plan with what a run would really submit, and why it would end before the rest.

    Args:
        target: The manifest with its configuration and output folder.
        plan: The plan.
        checked: The manifest.
        entries: What the journal knows, by key.
        selection: What the run is asked to do.
        counted: What is reserved of the caps already; what the plan takes is added. None: no caps.

    Raises:
        StoreError: The journal or the book cannot be read.

    """
    plan, unproved = _hold_unproved(target, plan, entries, selection)
    stops = [] if unproved is None else [unproved]
    if counted is None:
        return plan, stops
    over, stop = count_in(plan, checked.requests_by_key, target.config.budget, counted)
    if stop is not None:
        stops.append(stop)
        plan = plan.without(over, stop.reason)
    return plan, stops


def as_refusal(stop: Stop) -> ReelsheetError:
    """Return a stop that keeps a run from sending anything at all."""
    error = ReelsheetError(stop.reason, action=stop.action)
    error.exit_code = stop.exit_code
    return error


def say_stop(stop: Stop) -> str:
    """Say that a run would end before its rows are through, as the run does then."""
    return (
        f"A run ends before all rows are sent, with exit code {int(stop.exit_code)}: {stop.reason}."
        f" {stop.action or ''}"
    ).rstrip()


def learned_price(targets: Sequence[Target]) -> float | None:
    """Return what a second of video came to by an earlier balance; raises StoreError."""
    if not targets or (config := targets[0].config).rehearses:
        return None
    book = book_of(targets[0])
    if book is None:
        return None
    runs = chain.from_iterable(read_runs(one.folder.journal) for one in targets)
    return learn_price(runs, book, name_in(book, config, os.environ))


def count_caps(target: Target) -> Reservations | None:
    """Return the caps with what is spent today; None without any; raises StoreError."""
    config = target.config
    per_run, per_day = caps_per_run(config.budget), caps_per_day(config.budget)
    if config.rehearses or per_run == per_day == Caps():
        return None
    counted = Reservations(per_run, per_day)
    counted.begin_day(0.0, _spent_today(target))
    return counted
