"""`reelsheet plan`, and `run --dry-run`: what a run would do and cost.

Tested in tests/cli/test_plan.py and tests/cli/test_several.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING

import typer

from pipeline.cli.columns import Column, say_columns
from pipeline.cli.options import (
    Adopt,
    ConfigPath,
    JsonOfEach,
    Limit,
    ManifestPaths,
    Only,
    Out,
    PayAgain,
    Pilot,
    Quiet,
    Redo,
    Retry,
    Series,
    Set,
    Strict,
    Verbose,
    select_rows,
)
from pipeline.cli.problemlist import check_to_begin
from pipeline.cli.screen import print_line, print_table, say
from pipeline.cli.several import Targets, end_reading, print_documents, resolve_several, show_each
from pipeline.errors import UsageError
from pipeline.manifest.wording import count

if TYPE_CHECKING:
    from pipeline.planner.selection import Selection
    from pipeline.runner.need import Need
    from pipeline.runner.reports import PlanReport
    from pipeline.runner.target import Refused, Target

_GIGABYTE = 1e9
_SHORT_S = 120
"""Seconds below which a time is told in seconds."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plan", short_help="Show what a run would do and cost.")(_plan)


def _plan(
    manifests: ManifestPaths,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    series: Series = None,
    columns: Column = None,
    retry: Retry = None,
    redo: Redo = None,
    limit: Limit = None,
    only: Only = None,
    pay_again: PayAgain = None,
    pilot: Pilot = None,
    strict: Strict = False,
    adopt: Adopt = False,
    as_json: JsonOfEach = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show what `run` would do: rows per group, seconds of video, money, time; sends nothing.

    It takes the options of `run` that choose rows, so that every price can be seen before it is
    paid. With -v it also shows, for each row, what would be done and why.
    """
    _ = quiet
    targets = resolve_several(
        manifests, config, out, sets, adopt=adopt, series=series, columns=columns
    )
    selection = select_rows(
        targets.first,
        retry=retry,
        redo=redo,
        limit=limit,
        only=only,
        pay_again=pay_again,
        pilot=pilot,
    )
    show_plans(targets, selection, as_json=as_json, verbose=verbose, strict=strict, adopt=adopt)


def show_plans(
    targets: Targets,
    selection: Selection,
    *,
    as_json: bool = False,
    verbose: bool = False,
    strict: bool = False,
    adopt: bool = False,
) -> None:
    """Print the plan of a run with this selection.

    Args:
        targets: The manifests with their configuration and output folders.
        selection: The rows that the run would handle, and how.
        as_json: Print a JSON document instead of tables.
        verbose: Also print a line for each row.
        strict: Whether a run would be refused for a row that breaks a rule.
        adopt: Whether the user says that manifests were moved.

    """
    from pipeline.runner.foresight import plan_reports
    from pipeline.runner.target import Refused, work_on_each

    plans: list[_Planned | Refused] = []
    reports = plan_reports(
        work_on_each(targets.all, _own, UsageError),
        selection,
        lambda target: check_to_begin(target, show=not as_json, strict=strict, write=False),
        strict=strict,
        adopt=adopt,
    )
    for target, report in zip(targets.all, reports, strict=True):
        if isinstance(target, Refused):
            plans.append(target)
        elif isinstance(report, Refused):
            plans.append(report)
        else:
            _say_warnings(report)
            plans.append(_Planned(target, report, selection))
    if as_json:
        print_documents(targets, plans, lambda plan: plan.document(columns=verbose))
    else:
        show_each(targets, plans, lambda plan: plan.show(verbose=verbose, several=targets.several))
        planned = [plan for plan in plans if isinstance(plan, _Planned)]
        if targets.several and planned:
            _show_total(planned)
    end_reading(plans)


def _own(target: Target) -> Target:
    """Return a manifest; raises UsageError where nothing can be said of it in another's folder."""
    from pipeline.runner.target import refuse_another

    refuse_another(target)
    return target


def _say_warnings(report: PlanReport) -> None:
    """Say what should be read before a run is paid for, and why it would send nothing."""
    if report.refusal is not None and report.refusal_code is not None:
        say(f"warning: {report.refusal}")
        if report.refusal_action:
            say(f"         {report.refusal_action}")
        say(f"         A run sends nothing and ends with exit code {int(report.refusal_code)}.")
    for warning in report.warnings:
        say(f"warning: {warning}")


@dataclass(frozen=True)
class _Planned:
    """The plan of a manifest."""

    target: Target
    plan: PlanReport
    selection: Selection

    def document(self, *, columns: bool) -> dict[str, object]:
        plan = self.plan
        least = _amount(plan.costs.known, plan.currency) if plan.costs.unpriced else None
        said = {
            "cost_at_least": least,
            "cost_learned": _learned(plan),
            "refusal": _refusal(plan),
            "tried_first": list(plan.models.tried_first) or None,
            "unchecked_models": list(plan.models.unchecked) or None,
        }
        return {
            "manifest": str(self.target.manifest),
            "rows": plan.rows,
            "groups": plan.groups,
            "video_seconds": plan.video_seconds,
            "cost": _amount(plan.money, plan.currency),
            "cost_saved": _amount(plan.saved_money, plan.currency),
            "eta_s": plan.eta_s,
            **{name: value for name, value in said.items() if value is not None},
            **({} if plan.pilot is None else {"pilot": plan.pilot.document(plan.currency)}),
            **(plan.columns.document() if columns else {}),
        }

    def show(self, *, verbose: bool, several: bool) -> None:
        from pipeline.model import shown_key
        from pipeline.planner.plan import Plan
        from pipeline.writer.advice import say_left_out
        from pipeline.writer.outcome import EDITED, word_groups

        plan = self.plan
        say_columns(plan.columns, self.target.manifest if several else None)
        if verbose:
            for steps in (plan.steps, plan.gone):
                print_table(
                    [(shown_key(one.key), one.action, one.group, one.reason) for one in steps]
                )
        print_table(word_groups(Plan(plan.steps, plan.gone)))
        _say_costs([self])
        if not several:
            _say_missing_price([self])
        for line in plan.models.lines:
            print_line(line)
        if plan.groups.get("invalid"):
            print_line(f"why rows are invalid: {self.target.invocation.command('check')}")
        for line in say_left_out(plan.steps, self.selection, self.target.invocation):
            print_line(line)
        for line in plan.pilot.sentences if plan.pilot is not None else ():
            print_line(line)
        edited = sum(step.edited and step.waits_for_redo for step in plan.steps)
        if edited:
            print_line(f"left alone: {count(edited, 'row')} {EDITED}")


def _show_total(planned: Sequence[_Planned]) -> None:
    rows = sum(one.plan.rows for one in planned)
    print_line(f"{count(len(planned), 'manifest')} together: {count(rows, 'row')}")
    _say_costs(planned)
    _say_missing_price(planned)


def _say_missing_price(planned: Sequence[_Planned]) -> None:
    """Say how the plan knows what it costs."""
    from pipeline.models.pricing import join

    plans = [one.plan for one in planned]
    costs = join(one.costs for one in plans)
    learned = costs.known is None and any(one.learned_price is not None for one in plans)
    if not costs.unpriced or learned:
        return
    start = "price: not known."
    if costs.known is not None:
        rows = count(costs.unpriced, "row")
        start = f"the sheets of the models name no price in {plans[0].currency} for {rows}."
    print_line(
        f"{start} Add --set budget.price_per_second=0.10, with your own price for a second of "
        "video, or set it in the configuration."
    )


def _say_costs(planned: Sequence[_Planned]) -> None:
    """Say what a run over these manifests would submit, and what it would not pay again."""
    from pipeline.models.pricing import join
    from pipeline.runner.destination import say_destination

    plans, target = [one.plan for one in planned], planned[0].target
    currency = plans[0].currency
    costs = join(plan.costs for plan in plans)
    money = costs.worded(currency)
    eta_s = sum(plan.eta_s for plan in plans)
    told = f"{eta_s:.0f} s" if eta_s < _SHORT_S else f"{round(eta_s / 60)} min"
    eta = "" if not eta_s else f", about {told}"
    kind = " (a rehearsal: nothing is paid)" if target.config.rehearses else ""
    rows = count(sum(plan.submits for plan in plans), "row")
    seconds = sum(plan.video_seconds for plan in plans)
    if plans[0].learned_price is not None and seconds and costs.known is None:
        from pipeline.runner.offer import say_learned

        money = f", {say_learned(plans[0].learned_price, seconds)}"
    print_line(f"to submit: {rows}, {seconds:,} s of video{money}{eta}{kind}")
    for line in _word_needs([plan.need for plan in plans if plan.need is not None]):
        print_line(line)
    where = say_destination(target.config)
    if where:
        print_line(f"a run is {where}")
    repeats = sum(plan.repeats for plan in plans)
    if repeats:
        saved = join(plan.saved for plan in plans).worded(currency)
        saved_s = sum(plan.saved_seconds for plan in plans)
        print_line(
            f"not paid again: {count(repeats, 'row')} whose videos were bought before, "
            f"{saved_s:,} s of video{saved}"
        )


def _word_needs(needs: Sequence[Need]) -> list[str]:
    """Say of each disk what the plans need there, what is free, and how much of it will fit."""
    lines = []
    for folder in dict.fromkeys(need.folder for need in needs):
        here = [need for need in needs if need.folder == folder]
        first = here[0]
        paid = sum(need.paid_bytes for need in here)
        needed = paid + sum(need.order_bytes for need in here)
        if not needed or first.free_bytes is None:
            continue
        of_them = f" ({_gigabytes(paid)} of it paid for and not yet home)" if paid else ""
        assumed = " (sizes assumed: none has come yet)" if any(one.assumed for one in here) else ""
        kept = max(need.kept_bytes for need in here)
        stays = f"{_gigabytes(kept)} are kept (disk.min_free_mb, answers, results)"
        free = f"{_gigabytes(first.free_bytes, down=True)} free in {folder}"
        rows, fits = sum(need.rows for need in here), sum(need.fits for need in here)
        if fits >= rows and kept:
            free += f", of which {stays}"
        lines.append(f"disk: {_gigabytes(needed)} needed for videos{assumed}{of_them}, {free}")
        if fits < rows:
            others = ""
            if first.other_bytes:
                others = f", {_gigabytes(first.other_bytes)} for other manifests"
            lines.append(
                f"      That is not enough: about {fits:,} of {count(rows, 'row')} will fit, since "
                f"{stays}{others}."
            )
            lines.append(
                f"      Make room on the disk of {folder}, or lower disk.min_free_mb: what does "
                "not fit is not ordered."
            )
    return lines


def _gigabytes(size_bytes: float, *, down: bool = False) -> str:
    """Return a size in gigabytes, the finer the smaller; none as nothing.

    What is free is rounded down, so that a disk that is short never looks as if it were enough.
    """
    digits = 1 if size_bytes >= 10 * _GIGABYTE else 2 if size_bytes >= _GIGABYTE else 3
    size, step = size_bytes / _GIGABYTE, 10**-digits
    shown = floor(size / step) * step if down else max(size, step if size else 0.0)
    return f"{shown:,.{digits}f} GB"


def _amount(money: float | None, currency: str) -> dict[str, object] | None:
    return None if money is None else {"amount": round(money, 6), "currency": currency}


def _learned(plan: PlanReport) -> dict[str, object] | None:
    if plan.learned_price is None:
        return None
    from pipeline.runner.offer import PROVIDER_CURRENCY

    amount = _amount(plan.learned_price * plan.video_seconds, PROVIDER_CURRENCY)
    return {**(amount or {}), "per_second": round(plan.learned_price, 6)}


def _refusal(plan: PlanReport) -> dict[str, object] | None:
    if plan.refusal is None or plan.refusal_code is None:
        return None
    code = int(plan.refusal_code)
    return {"message": plan.refusal, "action": plan.refusal_action, "exit_code": code}
