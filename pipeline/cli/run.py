"""`reelsheet run`, `retry` and `fetch`: the main job, and two parts of it.

Tested in tests/system/test_main_job.py and tests/system/test_commands.py.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.columns import Column
from pipeline.cli.ending import end_idle, say_before, say_end, say_several_ends
from pipeline.cli.jsonlines import TEXT, LogFormat
from pipeline.cli.options import (
    Adopt,
    ConfigPath,
    FetchPictures,
    Limit,
    ManifestPath,
    ManifestPaths,
    MaxRuntime,
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
    Until,
    Verbose,
    read_runtime_s,
    resolve_options,
    select_rows,
)
from pipeline.cli.problemlist import check_to_begin, list_problems
from pipeline.cli.screen import say
from pipeline.cli.several import Targets, resolve_several, say_refused
from pipeline.errors import ExitCode, ReelsheetError
from pipeline.manifest.wording import count

if TYPE_CHECKING:
    from pipeline.planner.selection import Selection
    from pipeline.runner.order import Order
    from pipeline.runner.reports import RunReport
    from pipeline.runner.signals import Brake
    from pipeline.runner.target import Refused
    from pipeline.runner.terms import Terms
    from pipeline.runner.watching import Watcher

Yes = Annotated[
    bool,
    typer.Option(
        "--yes",
        "-y",
        help="Submit without asking, even if the balance is too low for all rows or the key "
        "goes to a host for the first time.",
    ),
]
_DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only show what would be done, like `reelsheet plan`.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run", short_help="Make the videos: the main job.")(_run)
    app.command("retry", short_help="Make new attempts for rows that ended badly.")(_retry)
    app.command("fetch", short_help="Download videos that are already paid for.")(_fetch)


def _run(
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
    dry_run: _DryRun = False,
    until: Until = None,
    max_runtime: MaxRuntime = None,
    yes: Yes = False,
    strict: Strict = False,
    adopt: Adopt = False,
    fetch_pictures: FetchPictures = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
    _log_format: LogFormat = TEXT,
) -> None:
    """Make the videos: submit new rows, fetch what is paid for, write the results.

    You can start it again at any time: no row is submitted twice by accident, and rows in progress
    continue where they were. Rows that break a rule are not sent; all others are. A live run first
    says what it is about to buy and what the account holds, and asks on a terminal whether to
    continue. Without a terminal it continues, unless the account holds too little (see the setting
    budget.when_short).

    Several manifests are worked on together, as fair shares of the same limits and caps. One that
    cannot be used keeps no other from its turn, and counts as 1 in the exit code. Keys belong to
    whichever manifest has them, and --limit is for all manifests, in their order.
    """
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
    if dry_run:
        from pipeline.cli.planning import show_plans

        show_plans(targets, selection, verbose=verbose, strict=strict, adopt=adopt)
        return
    from pipeline.night.hours import read_until, terms_of_run

    terms = terms_of_run(
        targets.first.config,
        time.time(),
        until=read_until(until),
        max_runtime_s=read_runtime_s(max_runtime),
    )
    _carry_out(
        targets,
        selection,
        "run",
        yes=yes,
        strict=strict,
        adopt=adopt,
        fetch_pictures=fetch_pictures,
        quiet=quiet,
        terms=terms,
    )


def _retry(
    manifest: ManifestPath,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    series: Series = None,
    columns: Column = None,
    states: Annotated[
        str,
        typer.Option("--states", metavar="STATE,…", help="The states to make new attempts for."),
    ] = "failed,expired",
    limit: Limit = None,
    only: Only = None,
    pay_again: PayAgain = None,
    dry_run: _DryRun = False,
    yes: Yes = False,
    adopt: Adopt = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
    _log_format: LogFormat = TEXT,
) -> None:
    """Make new attempts for rows that ended badly; submits nothing else.

    Videos that are already paid for are fetched as well. limits.attempts limits the attempts of a
    row over all runs, so that a nightly retry cannot pay for ever. A row whose failure no retry can
    help, as the provider does not allow its content, is left out until it is changed, or named with
    --only. The exit code concerns only the
    rows in these states and the videos that were fetched.
    """
    from pipeline.planner.selection import Mode

    target = resolve_options(
        manifest, config, out, sets, adopt=adopt, series=series, columns=columns
    )
    selection = select_rows(
        target, Mode.RETRY, retry=states, limit=limit, only=only, pay_again=pay_again
    )
    targets = Targets([target], several=False)
    if dry_run:
        from pipeline.cli.planning import show_plans

        show_plans(targets, selection, verbose=verbose, adopt=adopt)
        return
    _carry_out(targets, selection, "retry", yes=yes, adopt=adopt, quiet=quiet)


def _fetch(
    manifest: ManifestPath,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    series: Series = None,
    columns: Column = None,
    only: Only = None,
    adopt: Adopt = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
    _log_format: LogFormat = TEXT,
) -> None:
    """Wait for and download the videos that are already paid for; submits nothing.

    The exit code concerns only these videos: rows that break a rule, were never sent or ended badly
    before do not count, so it may be 0 although such rows need attention.
    """
    from pipeline.planner.selection import Mode

    _ = verbose
    target = resolve_options(
        manifest, config, out, sets, adopt=adopt, series=series, columns=columns
    )
    selection = select_rows(target, Mode.FETCH, only=only)
    _carry_out(Targets([target], several=False), selection, "fetch", adopt=adopt, quiet=quiet)


def _carry_out(
    targets: Targets,
    selection: Selection,
    command: str,
    *,
    yes: bool = False,
    strict: bool = False,
    adopt: bool = False,
    fetch_pictures: bool = False,
    quiet: bool = False,
    terms: Terms | None = None,
) -> None:
    from pipeline.cli.screen import consent_to, go_on_with
    from pipeline.night.outside import Recording, seen_run
    from pipeline.runner.order import place_orders
    from pipeline.runner.terms import AT_ANY_TIME

    when_short = targets.first.config.budget.when_short
    placing = place_orders(
        targets.all,
        selection,
        command=command,
        strict=strict,
        adopt=adopt,
        consent=lambda offer: consent_to(offer, when_short, yes=yes),
        go_on_with=go_on_with,
        trust=lambda refusal: yes or go_on_with(refusal, "Send the key there?"),
        check=lambda target: check_to_begin(target, show=not quiet, strict=strict),
    )
    seen = seen_run(targets.first, targets.all, command, say, several=targets.several)
    with seen as record, placing as placed:
        orders, refused = part(placed)
        for one in refused:
            record.refuse(one.manifest, one.error)
        if refused and not targets.several:
            _raise(refused[0])
        end_idle(targets.first, orders, record, quiet=quiet)
        orders = [
            replace(order, terms=terms or AT_ANY_TIME, fetch_pictures=fetch_pictures)
            for order in orders
        ]
        ended = carry_out(
            orders,
            refused,
            lambda watcher: Recording(record, watcher),
            outputs=Path(targets.first.config.output.dir),
            several=targets.several,
            quiet=quiet,
        )
        outcomes = [(order.checked.manifest.path, outcome) for order, outcome in ended]
        if targets.several:
            code = say_several_ends(ended, [one.error.exit_code for one in refused], quiet=quiet)
            record.end(code, outcomes)
        else:
            record.end(outcomes[0][1].exit_code, outcomes)
            code = say_end(*ended[0], quiet=quiet)
    if selection.pilot is not None and not (yes or quiet):
        from pipeline.cli.serving import show_pilots

        show_pilots(targets.all, ended)
    raise typer.Exit(code)


def part(placed: Sequence[Order | Refused]) -> tuple[list[Order], list[Refused]]:
    """Part the orders from the manifests for which there is none."""
    from pipeline.runner.target import Refused

    refused = [one for one in placed if isinstance(one, Refused)]
    return [one for one in placed if not isinstance(one, Refused)], refused


def carry_out(
    orders: Sequence[Order],
    refused: Sequence[Refused],
    watched: Callable[[Watcher], Watcher],
    *,
    outputs: Path,
    several: bool,
    quiet: bool,
    brake: Brake | None = None,
) -> list[tuple[Order, RunReport | ReelsheetError]]:
    """Say what is about to be run, run it, and return how each manifest ended.

    Args:
        orders: What is run.
        refused: The manifests for which there is no order: it is said why.
        watched: Has the screen watched in turn, or returns it.
        outputs: The folder of outputs, by which others reach the run.
        several: Whether each manifest is named.
        quiet: Whether only warnings are shown.
        brake: Stops it; None for one of its own.

    """
    from pipeline.cli.progress import row_progress
    from pipeline.night.switch import listening
    from pipeline.runner.lanes import run_several
    from pipeline.runner.signals import Brake

    for one in refused:
        say_refused(one)
    if not quiet:
        for order in orders:
            say_before(order, several=several)
    rows = sum(len(order.checked.manifest.rows) for order in orders)
    with row_progress(rows, sys.stderr, quiet=quiet) as progress:
        brake = brake or Brake(progress.say)
        with listening(outputs, brake):
            outcomes = run_several(orders, watched(progress), brake=brake, heeds_signals=True)
        progress.show_end([one for one in outcomes if not isinstance(one, ReelsheetError)])
    return list(zip(orders, outcomes, strict=True))


def _raise(refused: Refused) -> None:
    """Raise why the only manifest is not worked on; broken rows are shown first."""
    from pipeline.runner.order import RowsInvalid

    error = refused.error
    if not isinstance(error, RowsInvalid):
        raise error
    for line in list_problems(refused.manifest, error.problems):
        say(line)
    say(f"{count(len(error.problems), 'problem')}; nothing was sent.")
    raise typer.Exit(ExitCode.USAGE) from error
