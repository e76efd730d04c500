"""`reelsheet run`, `retry` and `fetch`: the main job, and two parts of it.

Tested in tests/system/test_main_job.py and tests/system/test_commands.py.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import (
    Adopt,
    ConfigPath,
    ManifestPath,
    Out,
    Quiet,
    Set,
    Strict,
    Verbose,
    check_and_show,
    resolve_options,
)
from pipeline.cli.screen import print_results, print_table, problem_line
from pipeline.errors import ExitCode
from pipeline.manifest.wording import agree, count

if TYPE_CHECKING:
    from pipeline.checker.check import CheckedManifest
    from pipeline.planner.plan import Selection
    from pipeline.runner.reports import RunReport
    from pipeline.runner.target import Target

_Only = Annotated[
    str | None, typer.Option("--only", metavar="KEY,…", help="Only the rows with these keys.")
]
_Yes = Annotated[
    bool,
    typer.Option(
        "--yes", "-y", help="Submit without asking, even if the balance is too low for all rows."
    ),
]
_Limit = Annotated[
    int | None, typer.Option("--limit", metavar="N", min=0, help="Submit at most N rows.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run", short_help="Make the videos: the main job.")(_run)
    app.command("retry", short_help="Make new attempts for rows that ended badly.")(_retry)
    app.command("fetch", short_help="Download videos that are already paid for.")(_fetch)


def _run(
    manifest: ManifestPath,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    retry: Annotated[
        str | None,
        typer.Option(
            "--retry",
            metavar="STATE,…",
            help="Also make new attempts for unchanged rows in these states: failed, refused, "
            "expired.",
        ),
    ] = None,
    redo: Annotated[
        str | None,
        typer.Option(
            "--redo",
            metavar="changed|KEY,…",
            help="Make a new take of done rows that were edited since, or of the rows with these "
            "keys. The old video is kept, and stays in the results until the new one is done.",
        ),
    ] = None,
    limit: _Limit = None,
    only: _Only = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done, like `reelsheet plan`.")
    ] = False,
    yes: _Yes = False,
    strict: Strict = False,
    adopt: Adopt = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Make the videos: submit new rows, fetch what is paid for, write the results.

    You can start it again at any time: no row is submitted twice by accident, and rows in progress
    continue where they were. Rows that break a rule are not sent; all others are. A live run first
    looks at the balance: if the rows to submit cost more, it asks whether to continue; without a
    terminal it says so and continues.
    """
    from pipeline.runner.order import select

    target = resolve_options(manifest, config, out, sets, adopt=adopt)
    selection = select(
        target,
        retry=_split_keys(retry),
        redo=_split_keys(redo),
        limit=limit,
        only=_split_keys(only),
    )
    if dry_run:
        from pipeline.cli.look import show_plan

        show_plan(target, selection, as_json=False, verbose=verbose)
        return
    _carry_out(target, selection, "run", yes=yes, strict=strict, adopt=adopt, quiet=quiet)


def _retry(
    manifest: ManifestPath,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    states: Annotated[
        str,
        typer.Option("--states", metavar="STATE,…", help="The states to make new attempts for."),
    ] = "failed,expired",
    limit: _Limit = None,
    only: _Only = None,
    yes: _Yes = False,
    adopt: Adopt = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Make new attempts for rows that ended badly; submits nothing else.

    Videos that are already paid for are fetched as well. limits.attempts limits the attempts of a
    row over all runs, so that a nightly retry cannot pay for ever. The exit code concerns only the
    rows in these states and the videos that were fetched.
    """
    from pipeline.planner.plan import Mode
    from pipeline.runner.order import select

    _ = verbose
    target = resolve_options(manifest, config, out, sets, adopt=adopt)
    selection = select(
        target, Mode.RETRY, retry=_split_keys(states), limit=limit, only=_split_keys(only)
    )
    _carry_out(target, selection, "retry", yes=yes, adopt=adopt, quiet=quiet)


def _fetch(
    manifest: ManifestPath,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    only: _Only = None,
    adopt: Adopt = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Wait for and download the videos that are already paid for; submits nothing.

    The exit code concerns only these videos: rows that break a rule, were never sent or ended badly
    before do not count, so it may be 0 although such rows need attention.
    """
    from pipeline.planner.plan import Mode
    from pipeline.runner.order import select

    _ = verbose
    target = resolve_options(manifest, config, out, sets, adopt=adopt)
    selection = select(target, Mode.FETCH, only=_split_keys(only))
    _carry_out(target, selection, "fetch", adopt=adopt, quiet=quiet)


def _split_keys(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def _carry_out(
    target: Target,
    selection: Selection,
    command: str,
    *,
    yes: bool = False,
    strict: bool = False,
    adopt: bool = False,
    quiet: bool = False,
) -> None:
    from pipeline.cli.progress import Progress
    from pipeline.cli.screen import go_on
    from pipeline.runner.order import RowsInvalid, place_order
    from pipeline.runner.run import run

    try:
        with place_order(
            target,
            selection,
            command=command,
            strict=strict,
            adopt=adopt,
            go_on=lambda: go_on(yes=yes),
            check=lambda target: check_and_show(target, show=not quiet),
        ) as order:
            found = order.checked
            if not quiet:
                _say_before(target, found)
            with Progress(len(found.manifest.rows), sys.stderr, quiet=quiet) as progress:
                report = run(order, progress)
    except RowsInvalid as error:
        for problem in error.problems:
            typer.echo(problem_line(target.manifest, problem), err=True)
        typer.echo(f"{count(len(error.problems), 'problem')}; nothing was sent.", err=True)
        raise typer.Exit(ExitCode.USAGE) from error
    if report.failure is not None:
        raise report.failure
    _say_after(report, found, quiet=quiet)
    raise typer.Exit(report.exit_code)


def _say_before(target: Target, found: CheckedManifest) -> None:
    invalid = len(found.manifest.rows) - found.valid
    broken = agree(invalid, "breaks a rule and is", "break a rule and are")
    also = f", {invalid:,} {broken} not sent" if invalid else ""
    kind = (
        "a rehearsal against the built-in emulator: nothing is paid"
        if target.config.rehearses
        else f"live at {target.config.api.base_url}"
    )
    typer.echo(
        f"{target.manifest}: {count(len(found.manifest.rows), 'row')}{also}; {kind}", err=True
    )


def _say_money(report: RunReport) -> None:
    summary, spend = report.summary, report.spend
    if spend.money is not None:
        typer.echo(
            f"spent in this run, including rows in doubt: {spend.money:,.2f} {spend.currency}"
        )
    if summary.balance_before is not None and summary.balance_after is not None:
        typer.echo(
            f"balance: {summary.balance_before:,.2f} before, {summary.balance_after:,.2f} after"
        )


def _say_after(report: RunReport, found: CheckedManifest, *, quiet: bool) -> None:
    for stop in report.stops:
        typer.echo(f"stopped: {stop.reason}", err=True)
        if stop.action:
            typer.echo(f"         {stop.action}", err=True)
    for note in report.notes:
        typer.echo(f"note: {note}", err=True)
    if quiet:
        return
    summary = report.summary
    print_table([(number, state) for state, number in sorted(summary.states)])
    typer.echo(
        f"{count(summary.submitted, 'submission')}, {count(summary.downloaded, 'download')} "
        f"({summary.bytes / 1e6:.1f} MB) in {summary.elapsed_s:.0f} s"
    )
    _say_money(report)
    print_results(report.results_file, report.failed_file)
    invalid = len(found.manifest.rows) - found.valid
    if invalid:
        typer.echo(f"to see what is wrong with them: reelsheet check {found.manifest.path}")
    if report.exit_code == ExitCode.IN_DOUBT:
        typer.echo(
            "rows in doubt or missing: see result_action, and "
            f"`reelsheet resolve {found.manifest.path} --all`"
        )
