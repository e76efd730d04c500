"""`reelsheet check` and `report`: look at a manifest and its journal; nothing is sent.

Tested in tests/cli/test_check.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.columns import Column, say_columns
from pipeline.cli.options import (
    ConfigPath,
    JsonOfEach,
    ManifestPath,
    ManifestPaths,
    Out,
    Quiet,
    Series,
    Set,
    Verbose,
    check_and_show,
    resolve_options,
)
from pipeline.cli.problemlist import (
    MARKED_IN,
    describe_groups,
    list_problems,
    mark_problems,
    print_ways_on,
)
from pipeline.cli.screen import print_line, print_results, say
from pipeline.cli.several import print_documents, resolve_several, show_each
from pipeline.errors import ExitCode, ManifestError
from pipeline.manifest.wording import agree, count

if TYPE_CHECKING:
    from pipeline.runner.checking import CheckReport
    from pipeline.runner.target import Target
    from pipeline.runner.webcheck import WebLook

_PROBLEM = ("row", "cell", "column", "key", "code", "severity", "message")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("check", short_help="Show every problem of the manifest.")(_check)


def add_later_to(app: typer.Typer) -> None:
    """Add the command that is of use after a run."""
    app.command("report", short_help="Write the results again.")(_report)


def _check(
    manifests: ManifestPaths,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    series: Series = None,
    columns: Column = None,
    show_prompts: Annotated[
        int,
        typer.Option(
            "--show-prompts",
            metavar="N",
            min=0,
            help="Also print the first N prompts as they would be sent, each on one line; without "
            "a number the first 5.",
        ),
    ] = 0,
    fetch: Annotated[
        bool,
        typer.Option(
            "--fetch",
            help="Also look at the pictures on the web: whether they are there, their type, their "
            "size and their shape. Asks their hosts, several at a time, never the provider.",
        ),
    ] = False,
    as_json: JsonOfEach = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show every problem of the manifest at once; sends nothing.

    Each problem names the row, the cell, the column, what is wrong and what to do. Local pictures
    are opened and fully decoded. Of more than 20 problems each kind is one line, with its number
    and first cells; with -v each problem has its own. They are also marked in problems.xlsx in the
    output folder: a copy of the manifest, with a note at each cell. The exit code is 0 if every
    row of every manifest can be sent, otherwise 2.
    """
    from pipeline.runner.target import work_on_each

    targets = resolve_several(manifests, config, out, sets, series=series, columns=columns)
    look_at = partial(_look_at, first=show_prompts, fetch=fetch, as_json=as_json, quiet=quiet)
    looks = work_on_each(targets.all, look_at, ManifestError)
    if as_json:
        document = partial(_Look.document, prompts=show_prompts > 0, columns=verbose)
        print_documents(targets, looks, document)
    else:
        short = quiet and not verbose
        show = partial(_Look.show, quiet=short, singly=verbose, several=targets.several)
        show_each(targets, looks, show, headings=not short)
    if not all(isinstance(look, _Look) and look.report.ok for look in looks):
        raise typer.Exit(ExitCode.USAGE)


@dataclass(frozen=True)
class _Look:
    """What a check found in a manifest, some of its prompts, and where it is marked in a sheet."""

    target: Target
    report: CheckReport
    prompts: Sequence[Mapping[str, object]] = ()
    marked: Path | None = None
    web: WebLook | None = None

    def document(self, *, prompts: bool, columns: bool) -> dict[str, object]:
        document = {
            "manifest": str(self.target.manifest),
            **pick(self.report, ("rows", "valid")),
            "problems": [pick(problem, _PROBLEM) for problem in self.report.problems],
        }
        groups = describe_groups(self.report.problems)
        said: dict[str, object] = {"groups": groups} if groups else {}
        said |= self.report.columns.document() if columns else {}
        said |= {} if self.marked is None else {"problems_file": str(self.marked)}
        said |= {} if self.web is None else {"fetched": pick(self.web, ("addresses", "pictures"))}
        return document | said | ({"prompts": self.prompts} if prompts else {})

    def show(self, *, quiet: bool, singly: bool, several: bool) -> None:
        problems, manifest = self.report.problems, self.target.manifest
        if not quiet:
            say_columns(self.report.columns, manifest if several else None)
        for prompt in self.prompts:
            print_line(f"row {prompt['row']} (key {prompt['key']}): {prompt['prompt']}")
        for line in list_problems(manifest, problems, singly=singly):
            print_line(line)
        if not quiet:
            if not singly:
                print_ways_on(self.target, problems)
            if self.marked is not None:
                print_line(f"{MARKED_IN}{self.marked}")
            if self.web is not None:
                print_line(self.web.sentence)
            _print_total(self.report)


def _look_at(target: Target, first: int, *, fetch: bool, as_json: bool, quiet: bool) -> _Look:
    """Check a manifest; with `as_json` one that cannot be read is a problem, not an error."""
    from pipeline.checker.check import file_problem
    from pipeline.manifest.blank import without_controls
    from pipeline.runner.checking import CheckReport, report_of

    try:
        found = check_and_show(target, show=not quiet)
    except ManifestError as error:
        if not as_json:
            raise
        return _Look(target, CheckReport(0, 0, (file_problem(error),)))
    web = None
    if fetch:
        from pipeline.cli.progress import picture_progress
        from pipeline.runner.webcheck import look_at_web

        with picture_progress(show=not quiet) as progress:
            found, web = look_at_web(target, found, progress)
    report = report_of(found)
    shown = islice(found.drafts.items(), first)
    prompts = tuple(
        {"row": row, "key": one.key, "prompt": without_controls(one.prompt)} for row, one in shown
    )
    return _Look(target, report, prompts, mark_problems(target, found), web)


def pick(record: object, names: tuple[str, ...]) -> dict[str, object]:
    """Return these attributes of a record, by name."""
    return {name: getattr(record, name) for name in names}


def _print_total(report: CheckReport) -> None:
    from pipeline.model import Severity

    unfit = report.rows - report.valid
    them = agree(report.rows, "it", f"{unfit:,} of them")
    invalid = f", {them} cannot be sent" if unfit else ""
    errors = sum(problem.severity is Severity.ERROR for problem in report.problems)
    warnings = len(report.problems) - errors
    also = f", {count(warnings, 'warning')}" if warnings else ""
    print_line(f"{count(report.rows, 'row')}{invalid}, {count(errors, 'problem')}{also}.")


def _report(
    manifest: ManifestPath,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    series: Series = None,
    columns: Column = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Write the results again from the sheet and the journal; sends nothing."""
    from pipeline.checker.rowmodels import say_unchecked
    from pipeline.disk.lock import run_lock
    from pipeline.runner.foresight import results_now
    from pipeline.runner.forgotten import lost_journal
    from pipeline.runner.publishing import publish_results
    from pipeline.runner.target import refuse_another

    _ = verbose
    target = resolve_options(manifest, config, out, sets, series=series, columns=columns)
    refuse_another(target)
    found = check_and_show(target, show=not quiet)
    with run_lock(target.folder.lock, target.manifest):
        lost = lost_journal(target)
        if lost is not None:
            raise lost  # the results may be all that is left of what was sent
        results = results_now(target, found)
        published = publish_results(found, results, target.folder, None, typed=target.invocation)
    unchecked = say_unchecked(found.models, rehearses=target.config.rehearses)
    for note in (*published.notes, *unchecked):
        say(f"note: {note}")
    if not quiet:
        print_results(published.results, published.failed)
