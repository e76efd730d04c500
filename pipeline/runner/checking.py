"""The check of a target's manifest, read as it was by the runs before.

Tested in tests/runner/test_api.py and tests/system/test_columns_read.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.checker.columnreport import NOTHING_READ, ColumnsRead
from pipeline.checker.payable import name_rows
from pipeline.checker.rowpictures import PictureProgress
from pipeline.config.settings import Budget
from pipeline.errors import ConfigError
from pipeline.journal.readings import kept_reading
from pipeline.manifest.columns import NO_PROMPT
from pipeline.manifest.earlier import NEW, Reading
from pipeline.manifest.wording import name_all
from pipeline.model import Problem, Severity
from pipeline.models.pricing import cost_of
from pipeline.runner.knownreading import EARLIEST_READING, known_reading, read_as_bought
from pipeline.runner.reviewed import with_review
from pipeline.runner.target import Target


def check_target(target: Target, progress: PictureProgress | None = None) -> CheckedManifest:
    """Check the manifest of a target; raises ManifestError, ConfigError.

    Rows that were ordered before are not held, whatever is thought of their prompts today. What a
    person has typed into the results counts from here on, and new prompts are those of their rows.
    `progress` is told how many pictures of how many were looked at.
    """
    checked = _check(target, progress)
    if target.refusal is None:
        checked = with_review(checked, target.folder, target.config.manifest.allow)
    _demand_prices(checked, target.config.budget)
    return checked


def _demand_prices(checked: CheckedManifest, budget: Budget) -> None:
    """Refuse a cap on money while nobody knows what a row costs: it would pass below the cap."""
    if budget.money is None or budget.price_per_second is not None:
        return
    unpriced: dict[str, list[int]] = {}
    for row, request in checked.requests.items():
        if cost_of(request, None, budget.currency) is None:
            unpriced.setdefault(request.model, []).append(row)
    if unpriced:
        rows = sorted(chain.from_iterable(unpriced.values()))
        raise ConfigError(
            "budget.money is a cap that needs price_per_second: no price in "
            f"{budget.currency} is known of {name_all(list(unpriced))} "
            f"({name_rows(rows)}).",
            action="Set budget.price_per_second to what a second of video costs you, or remove "
            "budget.money.",
        )


def _check(target: Target, progress: PictureProgress | None) -> CheckedManifest:
    known = known_reading(target.folder)

    def check(reading: Reading) -> CheckedManifest:
        checked = check_manifest(
            target.manifest,
            target.config,
            cache_dir=target.folder.cache,
            progress=progress,
            origin=target.origin,
            kept=kept_reading(target.folder.journal, known),
            known=reading,
        )
        if not checked.held:
            return checked
        # Few manifests hold any: the planner is not loaded for the others.
        from pipeline.planner.ordered import let_ordered_through  # noqa: PLC0415

        return let_ordered_through(checked, target.folder)

    checked = check(known or NEW)
    if known is None:
        checked = read_as_bought(
            checked, target.config, target.folder, lambda: check(EARLIEST_READING)
        )
    if any(one.code == NO_PROMPT for one in checked.problems):
        # Only who names an export needs to know the formats of shops.
        from pipeline.authoring.shops.recognition import point_at_conversion  # noqa: PLC0415

        return point_at_conversion(checked, target.invocation)
    return checked


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found: all problems of the whole manifest, those of the file first.

    `valid` of the `rows` could be sent as they are. `columns` says what is read and what is not.
    """

    rows: int
    valid: int
    problems: tuple[Problem, ...]
    columns: ColumnsRead = NOTHING_READ

    @property
    def ok(self) -> bool:
        """Whether every row could be sent."""
        return not any(one.severity is Severity.ERROR for one in self.problems)


def check_report(target: Target) -> CheckReport:
    """Find every problem of a manifest; raises ManifestError, ConfigError."""
    checked = check_target(target)
    return report_of(checked)


def report_of(checked: CheckedManifest) -> CheckReport:
    """Return what a check found."""
    rows = len(checked.manifest.rows)
    return CheckReport(rows, checked.valid, checked.problems, checked.columns)
