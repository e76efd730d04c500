"""`reelsheet review`: judge finished videos, in a page or from the command line.

Tested in tests/cli/test_review.py and tests/system/test_review.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.columns import Column
from pipeline.cli.options import (
    ConfigPath,
    FetchPictures,
    ManifestPaths,
    Out,
    Quiet,
    Series,
    Set,
    Verbose,
    check_and_show,
)
from pipeline.cli.screen import print_line, say
from pipeline.cli.several import Targets, resolve_several, say_refused
from pipeline.errors import ExitCode, ReelsheetError, UsageError
from pipeline.manifest.wording import count

if TYPE_CHECKING:
    from pipeline.cli.decisions import Judged
    from pipeline.runner.target import Refused


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("review", short_help="Judge the finished videos.")(_review)


def _review(
    manifests: ManifestPaths,
    approve: Annotated[
        str | None,
        typer.Option("--approve", metavar="KEY,…", help="Approve the newest takes of these rows."),
    ] = None,
    reject: Annotated[
        str | None,
        typer.Option("--reject", metavar="KEY,…", help="Reject the newest takes of these rows."),
    ] = None,
    reopen: Annotated[
        str | None,
        typer.Option(
            "--reopen", metavar="KEY,…", help="Take back what was said of the newest takes."
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why they are rejected.")
    ] = "",
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="A comment on each of them.")
    ] = "",
    reviewer: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="NAME", help="Who decides (default: the name of the user here)."
        ),
    ] = None,
    imported: Annotated[
        list[Path] | None,
        typer.Option(
            "--import",
            metavar="FILE",
            help="Take over a file of decisions, JSON or CSV. Where it contradicts what was "
            "decided here, the earlier decision stands. Can be given several times.",
        ),
    ] = None,
    prefer: Annotated[
        list[Path] | None,
        typer.Option(
            "--prefer", metavar="FILE", help="As --import, but where they differ the file counts."
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Take over decisions from another output folder on the same videos."
        ),
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export",
            metavar="FILE",
            help="Write the decisions that count to a .json or .csv file, or into a folder.",
        ),
    ] = None,
    static: Annotated[
        bool,
        typer.Option("--static", help="Write review.html into the output folder; serve nothing."),
    ] = False,
    share: Annotated[
        Path | None,
        typer.Option(
            "--share",
            metavar="OUT.zip",
            help="Write the page with its videos into an archive for a colleague: it works once it "
            "is unpacked, and her decisions come back with --import.",
        ),
    ] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(
            "--write-prompts",
            metavar="COPY",
            help="Write a copy of the manifest with the new prompts of its rows, .xlsx or of its "
            "own kind. The manifest itself is never written to.",
        ),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address of the page; open no browser.")
    ] = False,
    port: Annotated[
        int,
        typer.Option(
            "--port",
            metavar="N",
            min=0,
            max=65535,
            show_default=False,
            help="The port of the page on this machine (default: any that is free).",
        ),
    ] = 0,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="Serve the page to your network under this address or name of this machine. Each "
            "browser is asked for a name. The line is plain: use it only where you trust everybody "
            "on it.",
        ),
    ] = None,
    fetch_pictures: FetchPictures = False,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    series: Series = None,
    columns: Column = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Judge the finished videos; sends nothing and pays nothing.

    Without a decision or a file it shows them in a page on this machine, until Ctrl-C, and prints
    the address of the page on standard output. The address holds a secret: whoever has it, and is
    on this machine, can decide. A run that goes on adds its videos. Several manifests are shown on
    one page, and each keeps its own decisions.

    Decisions are kept in the journal, also while a run goes on. A decision is about one take: a new
    take is open again. The exit code is 1 if a row that was named has no video, or something in a
    file was not taken over, or one of several manifests cannot be used.
    """
    from pipeline.cli.decisions import (
        decide,
        name_of_reviewer,
        read_verdicts,
        take_in,
        write_out,
    )
    from pipeline.cli.serving import ServedPage, fetch_alone

    _ = verbose
    who = name_of_reviewer(reviewer)
    verdicts = read_verdicts(approve, reject, reopen, reason=reason, note=note, who=who)
    targets = resolve_several(manifests, config, out, sets, series=series, columns=columns)
    judged = _read(targets, quiet=quiet)
    complete = len(judged) == len(targets.all)
    if verdicts:
        complete &= decide(judged, verdicts, quiet=quiet)
    files = [*((one, False) for one in imported or ()), *((one, True) for one in prefer or ())]
    for path, overrules in files:
        complete &= take_in(judged, path, prefer=overrules, force=force)
    if export is not None:
        write_out(judged, export)
    _write_prompts(judged, prompts)
    serves = not (verdicts or files or export or static or share or prompts)
    if serves or static or share:
        _refuse_without_journal(judged)
    if fetch_pictures and not serves:
        asyncio.run(fetch_alone(judged))
    if static:
        print_line(f"page: {_write_page(judged)}")
    if share is not None:
        complete &= _share(judged, share, quiet=quiet)
    if serves:
        asked = who if host is None else None
        ServedPage(judged, asked, host, port, not no_browser, fetch_pictures).show()
    if not complete:
        raise typer.Exit(ExitCode.NEEDS_USER)


def _read(targets: Targets, *, quiet: bool) -> list[Judged]:
    """Read the manifests that can be used; raises ReelsheetError where none can."""
    from pipeline.cli.decisions import Judged
    from pipeline.review.static import Reviewed
    from pipeline.review.takes import rows_with_takes
    from pipeline.runner.target import Refused, refuse_another

    judged = []
    for target in targets.all:
        if isinstance(target, Refused):
            _pass_over(targets, target)
            continue
        try:
            refuse_another(target)
            checked = check_and_show(target, show=not quiet)
            reviewed = Reviewed.of(checked, target.folder, target.config, target.invocation)
            judged.append(Judged(target, reviewed, rows_with_takes(checked, target.folder)))
        except ReelsheetError as error:
            _pass_over(targets, Refused(target.manifest, error))
    if not judged:
        raise UsageError("none of the manifests can be used.")
    return judged


def _pass_over(targets: Targets, refused: Refused) -> None:
    """Raise why the only manifest cannot be used; of several, say it."""
    if not targets.several:
        raise refused.error
    say_refused(refused)


def _write_page(judged: Sequence[Judged]) -> Path:
    from pipeline.review.static import MOST_ROWS, write_page
    from pipeline.review.together import write_joint_page

    if len(judged) > 1:
        return write_joint_page([one.reviewed for one in judged])
    target, checked = judged[0].target, judged[0].reviewed.checked
    page = write_page(checked, target.folder, target.config, target.invocation)
    if page is None:
        raise UsageError(
            f"{target.manifest} has more than {MOST_ROWS:,} rows, too many for a page in a file.",
            action=f"Serve it instead: {target.invocation.command('review')}",
        )
    return page


def _share(judged: Sequence[Judged], path: Path, *, quiet: bool) -> bool:
    """Write the archive and say what is not in it; return whether all is."""
    from pipeline.cli.export import draw_posters
    from pipeline.cli.progress import file_progress
    from pipeline.review.sharing import share
    from pipeline.storage.storedfiles import wait_once

    if len(judged) > 1:
        raise UsageError(
            f"--share {path}: an archive is of one manifest.",
            action="Name one, and share the others each by itself.",
        )
    target, checked = judged[0].target, judged[0].reviewed.checked
    with wait_once():
        draw_posters(target, checked, judged[0].rows)
        with file_progress(show=not quiet) as progress:
            done = share(checked, target.folder, target.config, path, progress)
    print_line(f"{count(done.videos, 'video')}: {done.path}")
    for fault in done.faults:
        say(f"not in it: {fault}")
    return not done.faults


def _write_prompts(judged: Sequence[Judged], path: Path | None) -> None:
    from pipeline.cli.several import note_copy
    from pipeline.review.promptcopy import write_prompts

    if path is None:
        return
    if len(judged) > 1:
        raise UsageError(f"--write-prompts {path}: name one manifest.")
    number = write_prompts(judged[0].reviewed.checked, path)
    note_copy(judged[0].target.folder.root, path)
    print_line(f"{count(number, 'new prompt')}: {path}")


def _refuse_without_journal(judged: Sequence[Judged]) -> None:
    """Raise UsageError where nothing was made that could be judged."""
    from pipeline.disk.openfile import is_gone
    from pipeline.runner.forgotten import explain_no_journal

    if all(is_gone(one.target.folder.journal) for one in judged):
        raise explain_no_journal(judged[0].target)
