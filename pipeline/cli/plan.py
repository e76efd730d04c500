"""`reelsheet plan`: show what a run would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pipeline.cli.options import (
    ConfigPath,
    Json,
    ManifestPath,
    Out,
    Quiet,
    Set,
    Verbose,
    checked,
    resolve_target,
)
from pipeline.cli.screen import print_json, print_table
from pipeline.manifest.wording import count

if TYPE_CHECKING:
    from pipeline.planner.plan import Selection
    from pipeline.runner.target import Target


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plan", short_help="Show what a run would do and cost.")(_plan)


def _plan(
    manifest: ManifestPath,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    as_json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show what `run` would do: rows per group, seconds of video, money, time; sends nothing.

    With -v it also shows, for each row, what would be done and why.
    """
    from pipeline.planner.plan import Selection

    _ = quiet
    target = resolve_target(manifest, config, out, sets)
    selection = Selection(attempts=target.config.limits.attempts)
    show_plan(target, selection, as_json=as_json, verbose=verbose)


def show_plan(target: Target, selection: Selection, *, as_json: bool, verbose: bool) -> None:
    """Print the plan of a run with this selection.

    Args:
        target: The manifest with its configuration and output folder.
        selection: The rows that the run would handle, and how.
        as_json: Print a JSON document instead of tables.
        verbose: Also print a line for each row.

    """
    from pipeline.runner.reports import plan_report
    from pipeline.runner.target import paid_again
    from pipeline.writer.outcome import EDITED

    refusal = paid_again(target)
    if refusal is not None:
        typer.echo(f"warning: {refusal.message}", err=True)
        typer.echo(f"         {refusal.action}", err=True)
    plan = plan_report(target, selection, lambda target: checked(target, show=not as_json))
    if as_json:
        print_json(
            {
                "manifest": str(target.manifest),
                "rows": plan.rows,
                "groups": plan.groups,
                "video_seconds": plan.video_seconds,
                "cost": None
                if plan.money is None
                else {"amount": round(plan.money, 6), "currency": plan.currency},
                "eta_s": plan.eta_s,
            }
        )
        return
    if verbose:
        print_table([(step.key, step.action, step.group, step.reason) for step in plan.steps])
        print_table([(step.key, step.action, step.group, step.reason) for step in plan.gone])
    print_table([(number, group) for group, number in plan.groups.items() if number])
    money = "" if plan.money is None else f", {plan.money:,.2f} {plan.currency}"
    eta = "" if not plan.eta_s else f", about {max(1, round(plan.eta_s / 60))} min"
    kind = " (a rehearsal: nothing is paid)" if target.rehearses else ""
    rows = count(plan.submits, "row")
    typer.echo(f"to submit: {rows}, {plan.video_seconds:,} s of video{money}{eta}{kind}")
    edited = sum(step.waits_for_redo for step in plan.steps)
    if edited:
        typer.echo(f"left alone: {count(edited, 'row')} {EDITED}")
