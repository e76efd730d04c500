"""`reelsheet review`: judge finished videos, in a page or from the command line.

Tested in tests/cli/test_review.py and tests/system/test_review.py.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.columns import Column
from pipeline.cli.options import (
    ConfigPath,
    ManifestPath,
    Out,
    Quiet,
    Series,
    Set,
    Verbose,
    check_and_show,
    resolve_options,
    split_list,
)
from pipeline.cli.screen import print_line, say
from pipeline.errors import ExitCode, UsageError
from pipeline.manifest.wording import count

if TYPE_CHECKING:
    from pipeline.checker.check import CheckedManifest
    from pipeline.disk.folder import OutputFolder
    from pipeline.review.recording import Verdict
    from pipeline.review.takes import JudgedRow
    from pipeline.runner.target import Target


_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("review", short_help="Judge the finished videos.")(_review)


def _review(
    manifest: ManifestPath,
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
    take_in: Annotated[
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
            help="The port of the page on this machine (default: any that is free).",
        ),
    ] = 0,
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
    on this machine, can decide. A run that goes on adds its videos.

    Decisions are kept in the journal, also while a run goes on. A decision is about one take: a new
    take is open again. The exit code is 1 if a row that was named has no video, or something in a
    file was not taken over.
    """
    from pipeline.review.recording import export_file
    from pipeline.review.takes import rows_with_takes
    from pipeline.runner.target import refuse_another

    _ = verbose
    verdicts = _verdicts(approve, reject, reopen, reason=reason, note=note, who=_name(reviewer))
    target = resolve_options(manifest, config, out, sets, series=series, columns=columns)
    refuse_another(target)
    checked = check_and_show(target, show=not quiet)
    rows = rows_with_takes(checked, target.folder)
    complete = _decide(rows, target.folder, verdicts, quiet=quiet) if verdicts else True
    for path in take_in or ():
        complete &= _take_in(path, rows, target.folder, prefer=False, force=force)
    for path in prefer or ():
        complete &= _take_in(path, rows, target.folder, prefer=True, force=force)
    if export is not None:
        path, number = export_file(export, target.manifest, rows, target.folder)
        print_line(f"{count(number, 'decision')}: {path}")
    if static:
        page = _write_page(target, checked)
        print_line(f"page: {page}")
    if share is not None:
        complete &= _share(target, checked, share, quiet=quiet)
    if not (verdicts or take_in or prefer or export or static or share):
        _serve(target, checked, _name(reviewer), port=port, browser=not no_browser)
    if not complete:
        raise typer.Exit(ExitCode.NEEDS_USER)


def _name(reviewer: str | None) -> str:
    """Return who decides: the name that was given, or the user's."""
    if reviewer is not None:
        return reviewer
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # nobody of that number is known here
        return ""


def _verdicts(
    approve: str | None,
    reject: str | None,
    reopen: str | None,
    *,
    reason: str,
    note: str,
    who: str,
) -> dict[str, Verdict]:
    from pipeline.review.recording import Verdict
    from pipeline.review.verdicts import APPROVE, REJECT, TAKEN_BACK

    if reason and reject is None:
        raise UsageError("--reason says why videos are rejected: name them with --reject KEY,….")
    named = ((APPROVE, approve), (REJECT, reject), (TAKEN_BACK, reopen))
    found: dict[str, Verdict] = {}
    for verdict, keys in named:
        for key in split_list(keys) or ():
            if key in found:
                raise UsageError(f"{key} is named twice; nothing was recorded.")
            why = reason if verdict == REJECT else ""
            found[key] = Verdict(verdict, why, note, who, time.time())
    return found


def _decide(
    rows: Sequence[JudgedRow], folder: OutputFolder, verdicts: dict[str, Verdict], *, quiet: bool
) -> bool:
    """Record verdicts and say so; return whether each row has a video to judge."""
    from pipeline.review.recording import decide

    decided, untaken = decide(rows, folder, verdicts)
    if not quiet:
        print_line(f"{count(len(decided), 'decision')} recorded in {folder.journal}")
    for key in untaken:
        say(f"{key} has no finished video: nothing was recorded for it.")
    return not untaken


def _take_in(
    path: Path, rows: Sequence[JudgedRow], folder: OutputFolder, *, prefer: bool, force: bool
) -> bool:
    """Take over a file and say what became of it; return whether all of it was."""
    from pipeline.review.recording import import_file, tell_import

    weighed, unfit = import_file(path, rows, folder, prefer=prefer, force=force)
    for line in unfit:
        say(f"skipped: {line}")
    for line in tell_import(weighed, {row.entry: row.key for row in rows}):
        print_line(line)
    return not (unfit or weighed.skipped or (weighed.conflicts and not prefer))


def _write_page(target: Target, checked: CheckedManifest) -> Path:
    from pipeline.review.static import MOST_ROWS, write_page

    _refuse_without_journal(target)
    page = write_page(checked, target.folder, target.config, target.invocation)
    if page is None:
        raise UsageError(
            f"{target.manifest} has more than {MOST_ROWS:,} rows, too many for a page in a file.",
            action=f"Serve it instead: {target.invocation.command('review')}",
        )
    return page


def _share(target: Target, checked: CheckedManifest, path: Path, *, quiet: bool) -> bool:
    """Write the archive and say what is not in it; return whether all is."""
    from pipeline.cli.export import draw_posters
    from pipeline.cli.progress import file_progress
    from pipeline.review.sharing import share

    _refuse_without_journal(target)
    draw_posters(target, checked)
    with file_progress(show=not quiet) as progress:
        done = share(checked, target.folder, target.config, path, progress)
    print_line(f"{count(done.videos, 'video')}: {done.path}")
    for fault in done.faults:
        say(f"not in it: {fault}")
    return not done.faults


def _serve(target: Target, checked: CheckedManifest, who: str, *, port: int, browser: bool) -> None:
    """Show the page until Ctrl-C."""
    import asyncio
    import contextlib

    from pipeline.downloader.verification import MEASURER, Decoders
    from pipeline.journal.reading import read_id
    from pipeline.review.drawing import Drawer, pictures_of, posters_missing
    from pipeline.review.live import LiveReview
    from pipeline.review.looks import Looks
    from pipeline.review.measuring import Measurer, not_measured
    from pipeline.review.server import serve
    from pipeline.review.static import Facts

    _refuse_without_journal(target)
    journal = read_id(target.folder.journal) or ""
    facts = Facts.of(checked, target.config, target.invocation, journal)
    looks = Looks.of(target.folder, target.config)
    live = LiveReview(checked, target.folder, facts, who, looks)

    async def show() -> None:
        # Decoders first: they end last, when nothing is drawn any more.
        async with (
            Decoders() as decoders,
            Decoders(processes=1, program=MEASURER) as yielding,
            Drawer(decoders.draw) as drawer,
            Measurer(yielding) as measurer,
            serve(live, target.folder, port=port) as address,
        ):
            drawer.put(posters_missing(live.rows, target.folder, target.manifest))
            drawer.put(pictures_of(checked, target.folder))
            measurer.put(not_measured(live.rows, checked, target.folder, looks))
            print_line(address)
            say(f"{count(len(live.videos), 'take')} to judge; Ctrl-C ends the page.")
            if browser:
                await asyncio.to_thread(_open_browser, address)
            await asyncio.Event().wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(show())


def _open_browser(address: str) -> None:
    import os
    import sys
    import webbrowser

    # Without a screen a browser of the terminal would take it over.
    screen = not sys.platform.startswith("linux") or any(map(os.environ.get, _SCREENS))
    if not (screen and webbrowser.open(address)):
        say("No browser could be opened: open the address above.")


def _refuse_without_journal(target: Target) -> None:
    from pipeline.disk.openfile import is_gone
    from pipeline.runner.forgotten import explain_no_journal

    if is_gone(target.folder.journal):
        raise explain_no_journal(target)
