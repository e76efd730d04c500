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
from pipeline.disk.reserve import SIZE_BYTES
from pipeline.engine.room import Sizes
from pipeline.errors import ReelsheetError, UsageError
from pipeline.journal.reading import read_durations, read_runs
from pipeline.model import Entry
from pipeline.planner.editions import Sibling
from pipeline.planner.plan import Action, Plan, Selection
from pipeline.planner.planner import estimate, known_rows
from pipeline.runner.comparison import Comparison, requests_by_key
from pipeline.runner.doubts import list_doubts
from pipeline.runner.forgotten import book_of, lost_journal
from pipeline.runner.neighbours import foresee_unguarded
from pipeline.runner.order import refuse_unknown_keys
from pipeline.runner.reports import PlanReport, StatusReport, row_results
from pipeline.runner.storage import Need, Storage, need_of, seen_videos
from pipeline.runner.takes import WithComing, purchases_of
from pipeline.runner.target import (
    Refused,
    Target,
    check_target,
    refuse_another,
    refuse_to_begin,
)
from pipeline.writer.layout import Result
from pipeline.writer.publish import results_of


def plan_report(
    target: Target,
    selection: Selection,
    check: Callable[[Target], CheckedManifest] = check_target,
) -> PlanReport:
    """Say what a run would do, and why it would be refused if it would be.

    Args:
        target: The manifest with its configuration and output folder.
        selection: What the run is asked to do.
        check: Checks the manifest, as `check_target` does.

    Raises:
        UsageError: The manifest cannot be read, or no row has a key that is named.
        StoreError: The journal cannot be read.

    """
    (report,) = plan_reports([target], selection, check)
    if isinstance(report, Refused):
        raise report.error
    return report


def plan_reports(
    targets: Sequence[Target | Refused],
    selection: Selection,
    check: Callable[[Target], CheckedManifest] = check_target,
) -> list[PlanReport | Refused]:
    """Say what a run over several manifests would do with each of them.

    Args:
        targets: The manifests with their configuration and output folders.
        selection: What the run is asked to do; its limit is for all of them, in their order.
        check: Checks a manifest, as `check_target` does.

    Raises:
        UsageError: None of the manifests has a row with a key that is named.

    """
    found: list[tuple[Target, CheckedManifest, str | None] | Refused] = []
    for target in targets:
        if isinstance(target, Refused):
            found.append(target)
            continue
        try:
            refusal = _why_refused(target)
            found.append((target, check(target), refusal))
        except ReelsheetError as error:
            found.append(Refused(target.manifest, error))
    checked = [one[1] for one in found if not isinstance(one, Refused)]
    if checked:
        first = next(one[0] for one in found if not isinstance(one, Refused))
        refuse_unknown_keys(selection, checked, first.invocation)
    reports: list[PlanReport | Refused] = []
    before = _Before(
        own=tuple(one[0].folder.root.resolve() for one in found if not isinstance(one, Refused))
    )
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
        if selection.limit is not None:
            selection = replace(selection, limit=selection.limit - report.submits)
    return reports


def _why_refused(target: Target) -> str | None:
    try:
        refuse_to_begin(target)
    except UsageError as error:
        return error.message
    lost = lost_journal(target)
    return None if lost is None else lost.message


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

    `own` holds the output folders of all of its manifests, `storage` the disks of those planned.
    """

    own: tuple[Path, ...] = ()
    storage: Storage | None = None
    siblings: list[Sibling] = field(default_factory=list)
    coming: list[Submission] = field(default_factory=list)


def _plan_report(
    target: Target,
    checked: CheckedManifest,
    refusal: str | None,
    selection: Selection,
    before: _Before,
) -> PlanReport:
    """Plan a manifest, and add what is bought for it to what is bought before the next one."""
    journal = target.folder.journal
    entries, renamed = known_rows(checked, target.folder, _entries_of(target))
    comparison = _compare(target, checked, entries, renamed, selection, before=before)
    compared = comparison.compare()
    plan = compared.plan
    warnings = comparison.warnings(compared)
    if plan.of(Action.SUBMIT) and not (selection.pay_again or selection.pay_again_all):
        unguarded = foresee_unguarded(target, before.own)
        if unguarded is not None:
            warnings = (f"{unguarded.message} {unguarded.action}", *warnings)
    before.siblings.append(comparison.as_sibling(plan))
    if places_of(target.config, os.environ).paths and not target.config.rehearses:
        before.coming.extend(comparison.coming(plan))  # the book keeps the run from buying it again
    cost = estimate(plan, checked, target.config, read_durations(journal))
    return PlanReport(
        rows=len(checked.manifest.rows),
        steps=plan.steps,
        gone=plan.gone,
        submits=cost.submits,
        video_seconds=cost.video_seconds,
        money=cost.money,
        currency=target.config.budget.currency,
        eta_s=cost.eta_s,
        refusal=refusal,
        repeats=cost.repeats,
        saved_seconds=cost.saved_seconds,
        saved_money=cost.saved_money,
        warnings=warnings,
        need=_need(target, checked, plan, entries, before),
    )


def _need(
    target: Target,
    checked: CheckedManifest,
    plan: Plan,
    entries: Mapping[str, Entry],
    before: _Before,
) -> Need | None:
    """Return what a plan needs on the disk, beside the plans before it."""
    book, account = None if target.config.rehearses else book_of(target), ""
    if book is not None:
        account = account_name(target.config)
    if before.storage is None:
        before.storage = Storage(target.config, book, account)
    sends = bool(plan.of(Action.SUBMIT))
    shares = before.storage.add(target.folder, checked, SIZE_BYTES if sends else 0)
    before.storage.leave(target.folder, plan, entries)
    return need_of(
        before.storage,
        shares,
        plan,
        entries=entries,
        requests=requests_by_key(checked),
        sizes=Sizes(seen_videos(book, account, [target.folder.journal])),
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
    )
