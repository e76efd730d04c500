"""What `run`, `retry` and `fetch` print before they begin and when they have ended.

Tested in tests/system/test_main_job.py and tests/system/test_several.py.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import typer

from pipeline.cli.columns import say_columns
from pipeline.cli.jsonlines import json_lines, tell_end
from pipeline.cli.screen import print_line, print_results, print_table, say, say_with_action
from pipeline.cli.several import say_error_of
from pipeline.concealment import conceal_secret
from pipeline.errors import ExitCode, ReelsheetError
from pipeline.manifest.wording import agree, count

if TYPE_CHECKING:
    from pipeline.engine.rows import Stop
    from pipeline.night.record import NightRecord
    from pipeline.runner.order import Order
    from pipeline.runner.reports import RunReport
    from pipeline.runner.target import Target


_NOT_NAMED: Mapping[str, str] = MappingProxyType({})
_TO_SETTLE = frozenset({"in_doubt", "missing"})


def say_before(order: Order, *, several: bool) -> None:
    """Say what is about to be run; of `several` manifests, each is named."""
    from pipeline.checker.columnreport import column_warnings
    from pipeline.runner.destination import say_destination

    found, config = order.checked, order.config
    invalid = len(found.manifest.rows) - found.valid
    broken = agree(invalid, "breaks a rule and is", "break a rule and are")
    also = f", {invalid:,} {broken} not sent" if invalid else ""
    kind = (
        "a rehearsal against the built-in emulator: nothing is paid"
        if config.rehearses
        else say_destination(config) or f"live at {conceal_secret(config.api.base_url)}"
    )
    say(f"{found.manifest.path}: {count(len(found.manifest.rows), 'row')}{also}; {kind}")
    say_columns(found.columns, found.manifest.path if several else None)
    for warning in column_warnings(found.problems):
        say(f"warning: {warning}")


def end_idle(target: Target, orders: Sequence[Order], record: NightRecord, *, quiet: bool) -> None:
    """End a command that is for what was ordered before where nothing ever was, and say so.

    Raises UsageError if there was, and it is lost.
    """
    if not any(order.idle for order in orders):
        return
    from pipeline.runner.forgotten import lost_journal

    lost = lost_journal(target)
    if lost is not None:
        raise lost
    record.end(ExitCode.DONE, [])
    if not quiet:
        kind = "rehearsed" if target.config.rehearses else "ordered"
        print_line(
            f"Nothing was ever {kind} from {target.manifest}, so that there is nothing to "
            f"{orders[0].command}. To make its videos: {target.invocation.command('run')}"
        )
    raise typer.Exit(ExitCode.DONE)


def say_end(order: Order, outcome: RunReport | ReelsheetError, *, quiet: bool) -> ExitCode:
    """Say how the run of the only manifest ended, or raise why it did not; return its exit code."""
    if isinstance(outcome, ReelsheetError):
        raise outcome
    if outcome.failure is not None:
        raise outcome.failure
    _say_stops(outcome.stops)
    _say_after(outcome, order, quiet=quiet)
    return outcome.exit_code


def say_several_ends(
    ended: Sequence[tuple[Order, RunReport | ReelsheetError]],
    refused: Sequence[ExitCode],
    *,
    quiet: bool,
) -> ExitCode:
    """Say how the runs of several manifests ended, and all together; return the exit code.

    `refused` are the codes of the manifests that no run was ordered for.
    """
    from pipeline.night.record import named_reasons
    from pipeline.writer.outcome import code_of_several

    reports = [outcome for _, outcome in ended if not isinstance(outcome, ReelsheetError)]
    outcomes = [(order.checked.manifest.path, outcome) for order, outcome in ended]
    stops = [stop for report in reports for stop in report.stops]
    _say_stops(stops, named_reasons(outcomes))
    others = list(refused)
    for order, outcome in ended:
        failure = outcome if isinstance(outcome, ReelsheetError) else outcome.failure
        if failure is not None:
            say_error_of(order.checked.manifest.path, failure)
        if isinstance(outcome, ReelsheetError):
            others.append(outcome.exit_code)
        elif failure is None:
            _say_after(outcome, order, quiet=quiet, heading=True)
    if reports and not quiet:
        _say_total(reports)
    return code_of_several([report.exit_code for report in reports], others)


def _say_stops(stops: Sequence[Stop], named: Mapping[str, str] = _NOT_NAMED) -> None:
    """Say why a run ended early; a reason that several manifests share is said once."""
    for reason in dict.fromkeys(stop.reason for stop in stops):
        alike = [stop for stop in stops if stop.reason == reason]
        actions = [one for one in dict.fromkeys(stop.action for stop in alike) if one]
        said = named.get(reason, reason)
        say_with_action("stopped: ", [said], actions, alike[0].exit_code)


def _say_after(report: RunReport, order: Order, *, quiet: bool, heading: bool = False) -> None:
    """Say how the run of a manifest ended; with a `heading` if it is one of several."""
    from pipeline.checker.rowmodels import say_unchecked

    found = order.checked
    where = f"{found.manifest.path}: " if heading else ""
    lines = json_lines(sys.stderr)
    if lines is not None and not quiet:
        tell_end(report, lines)
    else:
        rehearses = order.config.rehearses
        before = say_unchecked(order.checked.models, rehearses=rehearses) if quiet else ()
        for note in report.notes:
            if note in before:  # the watcher said it before anything was sent
                continue
            say(f"note: {where}{note}")
    if quiet:
        return
    if heading:
        print_line(f"{found.manifest.path}:")
    summary = report.summary
    print_table([(number, state) for state, number in sorted(summary.states)])
    print_line(
        f"{count(summary.submitted, 'submission')}, {count(summary.downloaded, 'download')} "
        f"({summary.bytes / 1e6:.1f} MB) in {summary.elapsed_s:.0f} s"
    )
    _say_money([report], balance=not heading)
    print_results(report.results_file, report.failed_file)
    if report.states.get("done") and not order.folder.wrote(found.manifest.path):
        print_line(f"to judge the videos: {order.invocation.command('review')}")
    invalid = len(found.manifest.rows) - found.valid
    if invalid:
        print_line(f"to see what breaks a rule: {order.invocation.command('check')}")
    if _TO_SETTLE.intersection(state for state, number in summary.states if number):
        print_line(
            "rows in doubt or missing: see result_action, and "
            f"`{order.invocation.command('resolve', '--all')}`"
        )


def _say_total(reports: Sequence[RunReport]) -> None:
    """Say what came of all manifests of a run together."""
    summaries = [report.summary for report in reports]
    states: Counter[str] = Counter()
    for summary in summaries:
        states.update(dict(summary.states))
    stated = ", ".join(f"{number:,} {state}" for state, number in sorted(states.items()))
    submitted = sum(summary.submitted for summary in summaries)
    downloaded = sum(summary.downloaded for summary in summaries)
    megabytes = sum(summary.bytes for summary in summaries) / 1e6
    elapsed_s = max(summary.elapsed_s for summary in summaries)
    print_line(
        f"{count(len(reports), 'manifest')} together: {count(states.total(), 'row')}"
        f"{': ' if stated else ''}{stated}; {count(submitted, 'submission')}, "
        f"{count(downloaded, 'download')} ({megabytes:.1f} MB) in {elapsed_s:.0f} s"
    )
    _say_money(reports, balance=True)


def _say_money(reports: Sequence[RunReport], *, balance: bool) -> None:
    from pipeline.models.pricing import join

    spent = join(report.spend.costs for report in reports)
    if spent.known is not None:
        money = spent.worded(reports[0].spend.currency, before="")
        print_line(f"spent in this run, including rows in doubt: {money}")
    asked = [
        (report.summary.balance_before, report.summary.balance_after)
        for report in reports
        if report.summary.balance_before is not None and report.summary.balance_after is not None
    ]
    if balance and asked:
        print_line(f"balance: {asked[0][0]:,.2f} before, {asked[0][1]:,.2f} after")
