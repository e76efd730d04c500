"""`reelsheet check`, `plan`, `status` and `report`: look at a manifest and its journal.

None of them sends anything. Tested in tests/cli/test_check.py, tests/cli/test_plan.py and
tests/cli/test_status.py.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import (
    ConfigPath,
    Json,
    ManifestPath,
    Out,
    Quiet,
    Set,
    Verbose,
    check_and_show,
    resolve_options,
)
from pipeline.cli.screen import print_json, print_results, print_table, problem_line
from pipeline.errors import ExitCode, ManifestError
from pipeline.manifest.wording import count
from pipeline.model import Severity

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.planner.plan import Selection
    from pipeline.runner.reports import CheckReport
    from pipeline.runner.target import Target

_PROBLEM = ("row", "cell", "column", "key", "code", "severity", "message")
_STATUS = ("key", "row", "state", "task_id", "video", "error")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("check", short_help="Show every problem of the manifest.")(_check)
    app.command("plan", short_help="Show what a run would do and cost.")(_plan)


def add_later_to(app: typer.Typer) -> None:
    """Add the commands that are of use after a run."""
    app.command("status", short_help="Show the states of the rows.")(_status)
    app.command("report", short_help="Write the results again.")(_report)


def _check(
    manifest: ManifestPath,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    show_prompts: Annotated[
        int,
        typer.Option(
            "--show-prompts",
            metavar="N",
            min=0,
            help="Also print the first N prompts, exactly as they would be sent.",
        ),
    ] = 0,
    as_json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show every problem of the manifest at once; sends nothing.

    Each problem names the row, the cell, the column, what is wrong and what to do. Local pictures
    are opened and fully decoded. The exit code is 0 if every row can be sent, otherwise 2.
    """
    from pipeline.checker.check import file_problem
    from pipeline.runner.reports import CheckReport

    target = resolve_options(manifest, config, out, sets)
    prompts: list[dict[str, object]] = []
    try:
        found = check_and_show(target, show=not quiet)
        report = CheckReport(len(found.manifest.rows), found.valid, found.problems)
        keys = dict(zip((row.number for row in found.manifest.rows), found.keys, strict=True))
        prompts += (
            {"row": number, "key": keys[number], "prompt": request.prompt}
            for number, request in islice(found.requests.items(), show_prompts)
        )
    except ManifestError as error:
        if not as_json:
            raise
        report = CheckReport(0, 0, (file_problem(error),))
    if as_json:
        document = {
            "manifest": str(manifest),
            "rows": report.rows,
            "valid": report.valid,
            "problems": [_pick(problem, _PROBLEM) for problem in report.problems],
        }
        print_json(document | ({"prompts": prompts} if show_prompts else {}))
    else:
        for prompt in prompts:
            typer.echo(f"row {prompt['row']} (key {prompt['key']}): {prompt['prompt']}")
        _print(manifest, report, quiet=quiet and not verbose)
    if not report.ok:
        raise typer.Exit(ExitCode.USAGE)


def _pick(record: object, names: tuple[str, ...]) -> dict[str, object]:
    return {name: getattr(record, name) for name in names}


def _print(manifest: Path, report: CheckReport, *, quiet: bool) -> None:
    for problem in report.problems:
        typer.echo(problem_line(manifest, problem))
    if not quiet:
        unfit = report.rows - report.valid
        invalid = f", {unfit:,} of them cannot be sent" if unfit else ""
        errors = sum(problem.severity is Severity.ERROR for problem in report.problems)
        warnings = len(report.problems) - errors
        also = f", {count(warnings, 'warning')}" if warnings else ""
        typer.echo(f"{count(report.rows, 'row')}{invalid}, {count(errors, 'problem')}{also}.")


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
    target = resolve_options(manifest, config, out, sets)
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
    from pipeline.runner.target import explain_paid_again, refuse_another
    from pipeline.writer.outcome import EDITED

    refuse_another(target)
    refusal = explain_paid_again(target)
    if refusal is not None:
        typer.echo(f"warning: {refusal.message}", err=True)
        typer.echo(f"         {refusal.action}", err=True)
    plan = plan_report(target, selection, lambda target: check_and_show(target, show=not as_json))
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
    kind = " (a rehearsal: nothing is paid)" if target.config.rehearses else ""
    rows = count(plan.submits, "row")
    typer.echo(f"to submit: {rows}, {plan.video_seconds:,} s of video{money}{eta}{kind}")
    edited = sum(step.waits_for_redo for step in plan.steps)
    if edited:
        typer.echo(f"left alone: {count(edited, 'row')} {EDITED}")


def _status(
    manifest: ManifestPath,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    rows: Annotated[bool, typer.Option("--rows", help="Show each row.")] = False,
    as_json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show how many rows are in which state, from the sheet and the journal; sends nothing."""
    from pipeline.runner.reports import status_report

    target = resolve_options(manifest, config, out, sets)
    show = not (quiet or as_json)
    report = status_report(target, lambda target: check_and_show(target, show=show))
    folder = target.folder.root.absolute()
    videos = [
        None if row.video is None else row.video.relative_to(folder).as_posix()
        for row in report.rows
    ]
    stated = list(zip(report.rows, videos, strict=True))
    if as_json:
        listed = [_pick(row, _STATUS) | {"video": video} for row, video in stated]
        print_json({"manifest": str(manifest), "states": report.states, "rows": listed})
        return
    if rows or verbose:
        print_table(
            [(row.row, row.key, row.state, video or row.error or "") for row, video in stated]
        )
    print_table([(number, state) for state, number in sorted(report.states.items())])
    if not stated:
        typer.echo("no rows")


def _report(
    manifest: ManifestPath,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Write the results again from the sheet and the journal; sends nothing."""
    from pipeline.disk.lock import run_lock
    from pipeline.runner.reports import results_now
    from pipeline.runner.target import refuse_another
    from pipeline.writer.publish import publish

    _ = verbose
    target = resolve_options(manifest, config, out, sets)
    refuse_another(target)
    found = check_and_show(target, show=not quiet)
    with run_lock(target.folder.lock):
        published = publish(found, results_now(target, found), target.folder, None)
    for note in published.notes:
        typer.echo(f"note: {note}", err=True)
    if not quiet:
        print_results(published.results, published.failed)
