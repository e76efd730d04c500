"""What a run would do with each manifest, and where the rows stand; nothing is sent or written.

Tested in tests/runner/test_api.py and tests/cli/test_plan.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.account.place import account_name, places_of
from pipeline.account.recovery import foresee
from pipeline.account.submission import Submission
from pipeline.checker.check import CheckedManifest
from pipeline.checker.columnreport import column_warnings
from pipeline.config.settings import Budget
from pipeline.disk.reserve import SIZE_BYTES
from pipeline.engine.limits import Reservations
from pipeline.engine.room import Sizes
from pipeline.engine.rows import Stop
from pipeline.errors import ReelsheetError
from pipeline.journal.reading import read_durations, read_runs
from pipeline.model import Entry
from pipeline.planner.editions import Sibling
from pipeline.planner.plan import Action, Plan
from pipeline.planner.planner import estimate, known_rows
from pipeline.planner.selection import Selection
from pipeline.runner.checking import check_target
from pipeline.runner.comparison import Comparison
from pipeline.runner.doubts import list_doubts
from pipeline.runner.foreseen import (
    as_refusal,
    count_caps,
    foresee_stops,
    learned_price,
    say_stop,
    why_broken,
    why_not_begun,
    why_not_sent,
)
from pipeline.runner.forgotten import book_of
from pipeline.runner.need import Need, need_of
from pipeline.runner.neighbours import foresee_unguarded, hold_unguarded
from pipeline.runner.offer import explain_low_price
from pipeline.runner.order import refuse_unknown_keys
from pipeline.runner.piloting import report_pilot
from pipeline.runner.reports import PlanReport, StatusReport
from pipeline.runner.rowresults import row_results
from pipeline.runner.storage import Storage, seen_videos
from pipeline.runner.takes import WithComing, purchases_of
from pipeline.runner.target import Refused, Target, refuse_another, work_on_each
from pipeline.runner.untried import foresee_models
from pipeline.writer.layout import Result
from pipeline.writer.publish import results_of


def plan_report(target: Target, selection: Selection) -> PlanReport:
    """Say what a run would do, and why it would be refused if it would be.

    Args:
        target: The manifest with its configuration and output folder.
        selection: What the run is asked to do.

    Raises:
        UsageError: The manifest cannot be read, or no row has a key that is named.
        StoreError: The journal cannot be read.

    """
    (report,) = plan_reports([target], selection)
    if isinstance(report, Refused):
        raise report.error
    return report


def plan_reports(
    targets: Sequence[Target | Refused],
    selection: Selection,
    check: Callable[[Target], CheckedManifest] = check_target,
    *,
    strict: bool = False,
    adopt: bool = False,
) -> list[PlanReport | Refused]:
    """Say what a run over several manifests would do with each of them.

    Args:
        targets: The manifests with their configuration and output folders.
        selection: What the run is asked to do; its limit is for all of them, in their order.
        check: Checks a manifest, as `check_target` does.
        strict: Whether a run would be refused for a row that breaks a rule.
        adopt: Whether the user says that manifests were moved.

    Raises:
        UsageError: None of the manifests has a row with a key that is named.

    """

    def read_one(target: Target) -> tuple[Target, CheckedManifest, ReelsheetError | None]:
        refusal = why_not_begun(target)
        checked = check(target)
        return target, checked, refusal or why_broken(target, checked, strict=strict)

    found = work_on_each(targets, read_one)
    read = [one for one in found if not isinstance(one, Refused)]
    if read:
        refuse_unknown_keys(selection, [one[1] for one in read], read[0][0].invocation)
    reports: list[PlanReport | Refused] = []
    before = _Before(
        own=tuple(one[0].folder.root.resolve() for one in read),
        counted=count_caps(read[0][0]) if read else None,
        learned_price=learned_price([one[0] for one in read]),
        adopt=adopt,
        several=len(read) > 1,
    )
    before.heed_price(read[0][0].config.budget if read else Budget())
    for one in found:
        if isinstance(one, Refused):
            reports.append(one)
            continue
        try:
            report = _plan_report(*one, selection, before)
        except ReelsheetError as error:
            reports.append(Refused(one[0].manifest, error))
            continue
        reports.append(report)
        if selection.limit is not None and report.refusal is None:
            selection = replace(selection, limit=selection.limit - report.submits)
    return reports


def _entries_of(target: Target) -> dict[str, Entry]:
    """Return what the journal of a manifest knows, or will know once a run has begun, by key.

    Raises StoreError.
    """
    folder = target.folder
    book = None if target.config.rehearses else book_of(target)
    return foresee(folder.journal, book, folder.root)


@dataclass(slots=True)
class _Before:
    """The manifests that a run plans before another, and what it buys for them.

    With one manifest alone, not `several`, what it buys is compared with no other one. `own` holds
    the output folders of all of its manifests, `storage` the disks of those planned,
    `counted` what they take of the caps.
    """

    own: tuple[Path, ...] = ()
    storage: Storage | None = None
    counted: Reservations | None = None
    learned_price: float | None = None
    low_price: str | None = None
    adopt: bool = False
    several: bool = False
    siblings: list[Sibling] = field(default_factory=list)
    coming: list[Submission] = field(default_factory=list)

    def heed_price(self, budget: Budget) -> None:
        """Use a learned price only to doubt the configured one, where there is one."""
        price, learned = budget.price_per_second, self.learned_price
        self.low_price = explain_low_price(price, budget.currency, learned)
        self.learned_price = learned if price is None else None

    def take_low_price(self) -> list[str]:
        """Return the warning of a price that is too low, once for all manifests."""
        said, self.low_price = self.low_price, None
        return [] if said is None else [said]


def _plan_report(
    target: Target,
    checked: CheckedManifest,
    refusal: ReelsheetError | None,
    selection: Selection,
    before: _Before,
) -> PlanReport:
    """Plan a manifest, and add what is bought for it to what is bought before the next one."""
    journal = target.folder.journal
    entries, renamed = known_rows(checked, target.folder, _entries_of(target))
    selection = selection.for_rejected(checked.wanted)
    comparison = _compare(target, checked, entries, renamed, selection, before=before)
    compared = comparison.compare()
    plan = compared.plan
    warnings = [*comparison.warnings(compared)]
    warnings += before.take_low_price() if plan.of(Action.SUBMIT) else []
    unguarded = foresee_unguarded(target, before.own) if plan.of(Action.SUBMIT) else None
    refusal = refusal or why_not_sent(target, comparison, compared, unguarded)
    stops: list[Stop] = []
    if refusal is None:
        plan = hold_unguarded(plan, unguarded, selection, warnings.append)
        submits, counted = bool(plan.of(Action.SUBMIT)), before.counted
        plan, stops = foresee_stops(
            target, plan, checked, entries, selection=selection, counted=counted
        )
        if submits and not plan.of(Action.SUBMIT):
            refusal, stops = as_refusal(stops[-1]), []
        if before.several:
            before.siblings.append(comparison.as_sibling(plan))
    if before.several and refusal is None and _has_book(target):
        before.coming.extend(comparison.coming(plan))  # the book keeps the run from buying it again
    cost = estimate(plan, checked, target.config, read_durations(journal))
    return PlanReport(
        rows=len(checked.manifest.rows),
        steps=plan.steps,
        gone=plan.gone,
        submits=cost.submits,
        video_seconds=cost.video_seconds,
        money=cost.costs.money,
        currency=target.config.budget.currency,
        eta_s=cost.eta_s,
        refusal=None if refusal is None else refusal.message,
        repeats=cost.repeats,
        saved_seconds=cost.saved_seconds,
        saved_money=cost.saved.money,
        warnings=(*column_warnings(checked.problems), *warnings, *map(say_stop, stops)),
        need=_need(target, checked, plan, entries, before),
        costs=cost.costs,
        saved=cost.saved,
        learned_price=before.learned_price,
        refusal_action=None if refusal is None else refusal.action,
        refusal_code=None if refusal is None else refusal.exit_code,
        columns=checked.columns,
        models=foresee_models((checked, plan), entries.values(), _book(target), target.config),
        pilot=report_pilot(compared.pilot, checked, target.config, target.invocation),
    )


def _book(target: Target) -> tuple[Path, str] | None:
    """Return the book that a run would use, and the name of its account."""
    book = None if target.config.rehearses else book_of(target)
    return None if book is None else (book, account_name(target.config))


def _has_book(target: Target) -> bool:
    return not target.config.rehearses and bool(places_of(target.config, os.environ).paths)


def _need(
    target: Target,
    checked: CheckedManifest,
    plan: Plan,
    entries: Mapping[str, Entry],
    before: _Before,
) -> Need | None:
    """Return what a plan needs on the disk, beside the plans before it."""
    book, account = _book(target) or (None, "")
    if before.storage is None:
        before.storage = Storage(target.config, book, account)
    sends, model = bool(plan.of(Action.SUBMIT)), target.config.api.model
    shares = before.storage.add(target.folder, checked, SIZE_BYTES if sends else 0)
    before.storage.leave(target.folder, plan, entries)
    return need_of(
        before.storage,
        shares,
        plan,
        entries=entries,
        drafts=checked.drafts,
        sizes=Sizes(seen_videos(book, account, model, [target.folder.journal])),
    )


def status_report(
    target: Target, check: Callable[[Target], CheckedManifest] = check_target
) -> StatusReport:
    """Say where the rows stand; raises UsageError, ManifestError, ConfigError, StoreError.

    `check` checks the manifest, as `check_target` does.
    """
    refuse_another(target)
    checked = check(target)
    rows = row_results(checked.keys, results_now(target, checked), target.folder.root)
    here = set(checked.keys)
    entries, _ = known_rows(checked, target.folder, _entries_of(target))
    left = (one for key, one in entries.items() if key not in here)
    return StatusReport(rows, tuple(list_doubts(left, read_runs(target.folder.journal), {})))


def results_now(target: Target, checked: CheckedManifest) -> list[Result]:
    """Return where each row stands, in the order of the rows; raises StoreError."""
    entries, renamed = known_rows(checked, target.folder, _entries_of(target))
    plan = _compare(target, checked, entries, renamed, Selection()).compare().plan
    return results_of(checked, plan, entries, target.config, target.invocation)


def _compare(
    target: Target,
    checked: CheckedManifest,
    entries: Mapping[str, Entry],
    renamed: Mapping[str, str],
    selection: Selection,
    *,
    before: _Before | None = None,
) -> Comparison:
    before = before or _Before()
    purchases = purchases_of(target.config, target.folder, target.manifest)
    return Comparison.of(
        checked,
        entries,
        target.folder,
        selection,
        config=target.config,
        purchases=WithComing(purchases, before.coming) if before.coming else purchases,
        renamed=renamed,
        siblings=before.siblings,
        typed=target.invocation,
        adopt=before.adopt or target.moved,
    )
