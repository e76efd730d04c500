"""`reelsheet resolve`: list rows in doubt, and let a person settle what happened to one.

Tested in tests/system/test_faults.py and tests/system/test_money.py.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.columns import Column
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
    read_duration_s,
    resolve_options,
)
from pipeline.cli.screen import ask, is_terminal, print_json, print_line, say
from pipeline.disk.openfile import is_gone
from pipeline.errors import ExitCode, ManifestError, UsageError
from pipeline.manifest.wording import agree, count

if TYPE_CHECKING:
    from pipeline.checker.check import CheckedManifest
    from pipeline.manifest.invocation import Invocation
    from pipeline.runner.doubts import Doubt
    from pipeline.runner.evidence import Evidence
    from pipeline.runner.settling import Closed
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
    undo: Annotated[
        bool,
        typer.Option(
            "--undo",
            help="The task that --task-id gave to the row is not its own: take it back. The row is "
            "to be settled again and is not sent.",
        ),
    ] = False,
    list_all: Annotated[
        bool,
        typer.Option(
            "--all",
            help="List all rows to settle: when each was submitted, its prompt and reference, and "
            "how the balance changed in that run. Changes nothing.",
        ),
    ] = False,
    look_up: Annotated[
        bool,
        typer.Option(
            "--look-up",
            help="Ask the provider for every row to settle, which is free, and settle what it "
            "finds.",
        ),
    ] = False,
    all_not_found: Annotated[
        bool,
        typer.Option(
            "--all-not-found",
            help="Look all up, then close what the provider does not know as not sent, once you "
            "have seen the evidence and agreed. On a terminal only, and only where look-ups have "
            "been seen to find tasks of this account.",
        ),
    ] = False,
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than",
            metavar="TIME",
            help="With --all-not-found: leave alone what was sent less than so long ago, as in "
            "90s, 15m, 24h or 2d.",
        ),
    ] = None,
    as_json: Json = False,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    series: Series = None,
    columns: Column = None,
    adopt: Adopt = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Settle a row that is in doubt or missing, after you have looked into your ToAPIs account.

    --all lists the rows to settle, --look-up asks the provider for all of them, --all-not-found
    also closes what it does not know. --task-id looks a task up at the provider, and the next run
    fetches its video. --not-sent closes the attempt, and the next run submits the row again as a
    new attempt: if the provider had accepted the row after all, it is paid for twice. A task that
    was given to the wrong row is moved by another --task-id, or taken back with --undo, as long as
    its video is not there.
    """
    _ = verbose
    if older_than is not None and not all_not_found:
        raise UsageError("--older-than can only be used with --all-not-found.")
    ways = sum((task_id is not None, not_sent, undo))
    if look_up or all_not_found:
        if key is not None or ways or list_all:
            raise UsageError(
                "--look-up and --all-not-found are for every row: use them without KEY and the "
                "other options of resolve."
            )
        limit = (older_than or "0s") if all_not_found else None
        read_duration_s("--older-than", limit or "0s")
        target = resolve_options(
            manifest, config, out, sets, adopt=adopt, series=series, columns=columns
        )
        raise typer.Exit(_settle_all(target, limit, adopt=adopt, as_json=as_json))
    if list_all:
        if key is not None or ways:
            raise UsageError(
                "--all lists every row: use it without KEY, --task-id, --not-sent and --undo."
            )
        _list(
            resolve_options(manifest, config, out, sets, series=series, columns=columns),
            as_json=as_json,
        )
        return
    if key is None or ways != 1:
        raise UsageError(
            "Give a KEY and one of --task-id ID, --not-sent and --undo, or only --all, --look-up "
            "or --all-not-found."
        )
    if as_json:
        raise UsageError(
            "--json can only be used with --all, --look-up and --all-not-found, not with KEY."
        )
    target = resolve_options(
        manifest, config, out, sets, adopt=adopt, series=series, columns=columns
    )
    said = _settle(target, key, task_id, undo=undo, adopt=adopt)
    if not quiet:
        print_line(said)


def _settle(target: Target, key: str, task_id: str | None, *, undo: bool, adopt: bool) -> str:
    from pipeline.checker.naming import normalise_key
    from pipeline.runner.resolve import adopt_task, close_unsent, key_in_journal, take_back

    row = key_in_journal(target, normalise_key(key))
    if undo:
        return take_back(target, row, adopt=adopt)
    if task_id is None:
        return close_unsent(target, row, adopt=adopt)
    return adopt_task(target, row, task_id, adopt=adopt)


def _settle_all(target: Target, older_than: str | None, *, adopt: bool, as_json: bool) -> ExitCode:
    """Look all doubts up; with an age, close what the provider does not know. Return the code."""
    from pipeline.runner.settling import Closed, close_not_found, look_up_doubts

    if older_than is None:
        closed = Closed(look_up_doubts(target, adopt=adopt))
    elif not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise UsageError(
            "--all-not-found asks before it closes anything, and there is no terminal to ask on.",
            action=f"Use it on a terminal, or name each row: "
            f"{target.invocation.command('resolve', 'KEY', '--not-sent')}",
        )
    else:
        currency = target.config.budget.currency
        closed = close_not_found(
            target,
            read_duration_s("--older-than", older_than),
            lambda doubts, evidence: _agree(doubts, evidence, currency),
            adopt=adopt,
        )
    left = closed.looked.left - len(closed.closed)
    if as_json:
        print_json(_document(target, closed))
    else:
        _print_closed(target, closed, older_than)
    return ExitCode.IN_DOUBT if left else ExitCode.DONE


def _print_closed(target: Target, closed: Closed, older_than: str | None) -> None:
    """Say what became of each row, why those that are left were left, and what to do about them."""
    from pipeline.model import shown_key

    looked, typed = closed.looked, target.invocation
    for key, task in looked.found:
        print_line(f"{shown_key(key)}: task {task} was found; the next run takes it up.")
    for key, why in looked.unanswered:
        print_line(f"{shown_key(key)}: not known: {why}.")
    for key in looked.not_found:
        done = "closed as not sent" if key in closed.closed else "the provider does not know it"
        print_line(f"{shown_key(key)}: {done}.")
    sent = len(closed.closed)
    if sent:
        print_line(f"The next run submits {agree(sent, 'this row', 'these rows')} again.")
    left = looked.left - sent
    print_line(f"{count(len(looked.found) + sent, 'row')} settled, {left:,} to settle.")
    if closed.missing:
        rows, were = count(len(closed.missing), "row"), agree(len(closed.missing), "was", "were")
        one = typed.command("resolve", "--not-sent", key=shown_key(closed.missing[0]))
        print_line(
            f"{rows} {were} not closed, being missing: the provider knew the task once, so it may "
            "be paid for. Look in your ToAPIs account; where nothing was paid, close the row by "
            f"its key: {one}"
        )
    if closed.young:
        rows, were = count(len(closed.young), "row"), agree(len(closed.young), "was", "were")
        print_line(f"{rows} {were} left alone, sent less than {older_than} ago (--older-than).")
    if closed.agreed is False:
        print_line("Nothing was closed, as nobody agreed.")
    if looked.unanswered:
        print_line("What is not known can be asked for again, free: run the same command later.")
    if left:
        print_line(f"What each row needs: {typed.command('resolve', '--all')}")


def _document(target: Target, closed: Closed) -> dict[str, object]:
    from pipeline.model import shown_key

    looked = closed.looked
    left = [key for key in looked.not_found if key not in closed.closed]
    return {
        "manifest": str(target.manifest),
        "found": [{"key": shown_key(key), "task_id": task} for key, task in looked.found],
        "closed": [shown_key(key) for key in closed.closed],
        "not_found": [shown_key(key) for key in left],
        "not_known": [{"key": shown_key(key), "why": why} for key, why in looked.unanswered],
        "settled": len(looked.found) + len(closed.closed),
        "left": looked.left - len(closed.closed),
    }


def _agree(doubts: Sequence[Doubt], evidence: Sequence[Evidence], currency: str) -> bool:
    """Show what would be closed and what balances say of it, and ask."""
    for one in doubts:
        cost = "" if one.cost is None else f", {one.cost:,.2f} {currency}"
        say(
            f"{one.key}: {one.client_business_id}, submitted {one.submitted_at} (UTC), "
            f"{one.video_seconds} s of video{cost}",
        )
    for run in evidence:
        say(f"run {run.run_id or '(not known)'}: {_weighed(run, currency)}")
    return ask(
        f"Close {count(len(doubts), 'attempt')} as not sent? The next run submits "
        f"{agree(len(doubts), 'it', 'them')} again, and whatever was accepted after all is paid "
        "for twice. [y/N] "
    )


def _weighed(run: Evidence, currency: str) -> str:
    from pipeline.runner.evidence import judge
    from pipeline.runner.offer import PROVIDER_CURRENCY

    def priced(cost: float | None) -> str:
        return "" if not cost else f" for {cost:,.2f} {currency}"

    in_doubt = f"{count(run.doubts, 'submission')} in doubt{priced(run.cost)}"
    others = f"{run.accepted:,} accepted{priced(run.accepted_cost)}"
    fell = (
        "how much the balance fell is not known"
        if run.fell is None
        else f"the balance fell by {run.fell:,.2f} {PROVIDER_CURRENCY}"
    )
    probably = judge(run, comparable=currency == PROVIDER_CURRENCY)
    return f"{in_doubt}, {others}; {fell}{f', {probably}' if probably else ''}"


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
        print_line("no row is in doubt or missing")
        return
    print_line(
        f"{count(len(doubts), 'row')} to settle. Look each up in your ToAPIs account, then run the "
        "command that fits."
    )


def _check_if_readable(target: Target) -> CheckedManifest | None:
    """Return the manifest; without it, what is paid for is still listed."""
    try:
        return check_and_show(target, show=False)
    except ManifestError as error:
        if is_gone(target.folder.journal):  # a misspelt name: nothing would be said of it
            raise
        say(f"row numbers are not known: {error.message}")
        return None


def _show(one: Doubt, currency: str, typed: Invocation) -> None:
    place = "no longer in the manifest" if one.row is None else f"row {one.row}"
    cost = "" if one.cost is None else f", {one.cost:,.2f} {currency}"
    print_line(f"{one.key} ({place}): {one.state}, submitted {one.submitted_at} (UTC)")
    print_line(f"  prompt: {one.prompt}")
    print_line(f"  client_business_id: {one.client_business_id}")
    if one.task_id is not None:
        print_line(f"  task: {one.task_id}")
    print_line(f"  attempt {one.attempt}, {one.video_seconds} s of video{cost}")
    if one.what is not None:
        print_line(f"  what happened: {one.what}")
    if one.balance_difference is None:
        print_line(f"  balance during run {one.run_id}: not known")
    else:
        print_line(
            f"  balance during run {one.run_id}: {one.balance_before:,.2f} before, "
            f"{one.balance_after:,.2f} after, difference {one.balance_difference:,.2f}"
        )
    print_line(f"  if it is there: {typed.command('resolve', '--task-id', 'ID', key=one.key)}")
    print_line(f"  if it is not:   {typed.command('resolve', '--not-sent', key=one.key)}")
