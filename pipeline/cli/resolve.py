"""`reelsheet resolve`: list rows in doubt, and let a person settle what happened to one.

Tested in tests/system/test_faults.py and tests/system/test_money.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import (
    Adopt,
    ConfigPath,
    Json,
    ManifestPath,
    Out,
    Quiet,
    Series,
    Set,
    Verbose,
    check_and_show,
    resolve_options,
)
from pipeline.cli.screen import print_json
from pipeline.errors import ManifestError, UsageError
from pipeline.manifest.wording import count

if TYPE_CHECKING:
    from pipeline.checker.check import CheckedManifest
    from pipeline.manifest.invocation import Invocation
    from pipeline.runner.resolve import Doubt
    from pipeline.runner.target import Target


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("resolve", short_help="Settle a row that is in doubt or missing.")(_resolve)


def _resolve(
    manifest: ManifestPath,
    key: Annotated[
        str | None, typer.Argument(metavar="KEY", help="The key of the row to settle.")
    ] = None,
    task_id: Annotated[
        str | None,
        typer.Option("--task-id", metavar="ID", help="The row was accepted: this is its task."),
    ] = None,
    not_sent: Annotated[
        bool,
        typer.Option("--not-sent", help="The row was not accepted: it may be submitted again."),
    ] = False,
    list_all: Annotated[
        bool,
        typer.Option(
            "--all",
            help="List all rows to settle: when each was submitted, its prompt and reference, and "
            "how the balance changed in that run. Changes nothing.",
        ),
    ] = False,
    as_json: Json = False,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    series: Series = None,
    adopt: Adopt = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Settle a row that is in doubt or missing, after you have looked into your ToAPIs account.

    --all lists the rows to settle. --task-id looks the task up at the provider, and the next run
    fetches its video. --not-sent closes the attempt, and the next run submits the row again as a
    new attempt: if the provider had accepted the row after all, it is paid for twice.
    """
    _ = verbose
    if list_all:
        if key is not None or task_id is not None or not_sent:
            raise UsageError("--all lists every row: use it without KEY, --task-id and --not-sent.")
        _list(resolve_options(manifest, config, out, sets, series=series), as_json=as_json)
        return
    if key is None or (task_id is None) == (not not_sent):
        raise UsageError("Give a KEY and either --task-id ID or --not-sent, or only --all.")
    if as_json:
        raise UsageError("--json can only be used with --all.")
    target = resolve_options(manifest, config, out, sets, adopt=adopt, series=series)
    said = _settle(target, key, task_id, adopt=adopt)
    if not quiet:
        typer.echo(said)


def _settle(target: Target, key: str, task_id: str | None, *, adopt: bool) -> str:
    from pipeline.checker.naming import normalise_key
    from pipeline.runner.resolve import adopt_task, close_unsent, key_in_journal

    row = key_in_journal(target, normalise_key(key))
    if task_id is None:
        return close_unsent(target, row, adopt=adopt)
    return adopt_task(target, row, task_id, adopt=adopt)


def _list(target: Target, *, as_json: bool) -> None:
    from dataclasses import asdict

    from pipeline.runner.resolve import open_doubts, refuse_renamed
    from pipeline.runner.target import refuse_another

    refuse_renamed(target)
    refuse_another(target)
    doubts = open_doubts(target, _check_if_readable(target))
    currency = target.config.budget.currency
    if as_json:
        rows = [asdict(one) for one in doubts]
        print_json({"manifest": str(target.manifest), "currency": currency, "rows": rows})
        return
    for one in doubts:
        _show(one, currency, target.invocation)
    if not doubts:
        typer.echo("no row is in doubt or missing")
        return
    typer.echo(
        f"{count(len(doubts), 'row')} to settle. Look each up in your ToAPIs account, then run the "
        "command that fits."
    )


def _check_if_readable(target: Target) -> CheckedManifest | None:
    """Return the manifest; without it, what is paid for is still listed."""
    try:
        return check_and_show(target, show=False)
    except ManifestError as error:
        typer.echo(f"row numbers are not known: {error.message}", err=True)
        return None


def _show(one: Doubt, currency: str, typed: Invocation) -> None:
    place = "no longer in the manifest" if one.row is None else f"row {one.row}"
    cost = "" if one.cost is None else f", {one.cost:,.2f} {currency}"
    typer.echo(f"{one.key} ({place}): {one.state}, submitted {one.submitted_at} (UTC)")
    typer.echo(f"  prompt: {one.prompt}")
    typer.echo(f"  client_business_id: {one.client_business_id}")
    if one.task_id is not None:
        typer.echo(f"  task: {one.task_id}")
    typer.echo(f"  attempt {one.attempt}, {one.video_seconds} s of video{cost}")
    if one.what is not None:
        typer.echo(f"  what happened: {one.what}")
    if one.balance_difference is None:
        typer.echo(f"  balance during run {one.run_id}: not known")
    else:
        typer.echo(
            f"  balance during run {one.run_id}: {one.balance_before:,.2f} before, "
            f"{one.balance_after:,.2f} after, difference {one.balance_difference:,.2f}"
        )
    typer.echo(f"  if it is there: {typed.command('resolve', '--task-id', 'ID', key=one.key)}")
    typer.echo(f"  if it is not:   {typed.command('resolve', '--not-sent', key=one.key)}")
