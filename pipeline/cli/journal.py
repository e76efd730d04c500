"""`reelsheet journal`: copy a journal while a run goes on, check it, and restore it.

Tested in tests/system/test_journal_command.py and tests/system/test_lost_journals.py.
"""

from __future__ import annotations

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
    resolve_options,
)
from pipeline.cli.screen import print_line, say
from pipeline.errors import ExitCode
from pipeline.manifest.wording import count

if TYPE_CHECKING:
    from pipeline.runner.target import Target


def add_to(app: typer.Typer) -> None:
    """Add the command with its parts."""
    journal = typer.Typer(
        help="Back up, check or restore the journal of a manifest.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    journal.command("backup", short_help="Copy the journal, also during a run.")(_backup)
    journal.command("verify", short_help="Check the journal and the videos it knows of.")(_verify)
    journal.command("rebuild", short_help="Restore the journal from all that is remembered.")(
        _rebuild
    )
    app.add_typer(journal, name="journal")


def _backup(
    manifest: ManifestPath,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="The file or the folder to copy to (default: a file with the time in its name, "
            "beside the journal).",
        ),
    ] = None,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    series: Series = None,
    columns: Column = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Copy the journal to one file, whole also while a run is working; sends nothing.

    A file that exists is never written over. To go back to a backup, put it in the place of
    journal.db while no run is working, and move journal.db-wal and journal.db-journal away if they
    are there.
    """
    from pipeline.journal.copies import back_up, backup_name

    _ = verbose
    journal = _resolve_with_journal(manifest, config, out, sets, series, columns).folder.journal
    target = backup_name(journal)
    if file is not None:
        target = file / target.name if file.is_dir() else file
    back_up(journal, target)
    if not quiet:
        print_line(f"backup: {target}")


def _verify(
    manifest: ManifestPath,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    series: Series = None,
    columns: Column = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Check the journal and the videos it knows of; changes nothing and sends nothing.

    The file must be whole, the state of every row must be what its events come to, and the video
    of every done row must be the file that was verified. Each finding is a line that says what to
    do. The exit code is 0 if there is none, otherwise 1.
    """
    from pipeline.journal.audit import audit
    from pipeline.storage.storedfiles import find_gone

    _ = verbose
    target = _resolve_with_journal(manifest, config, out, sets, series, columns)
    folder = target.folder
    found = False
    for one in audit(folder, target.invocation, lambda away: find_gone(away, folder)):
        found = True
        print_line(f"{one.what} {one.action}")
    if found:
        raise typer.Exit(ExitCode.NEEDS_USER)
    if not quiet:
        from pipeline.journal.reading import read_entries

        print_line(f"{folder.journal}: {count(len(read_entries(folder.journal)), 'row')}, in order")


def _rebuild(
    manifest: ManifestPath,
    yes: Annotated[bool, typer.Option("--yes", help="Restore the journal without asking.")] = False,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    series: Series = None,
    columns: Column = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Restore a journal that is gone, damaged, an older copy or another one; submits nothing.

    What was sent is taken from the account's book, from what can be read of the journal, from
    run.log and the results in the output folder, and the provider is asked for it, which is free.
    What would be restored is shown, and done when you agree. The file that was there is kept beside
    as journal.before-TIME.db.
    """
    from pipeline.cli.screen import agreed
    from pipeline.runner.rebuild import rebuild

    _ = verbose

    def agree(lines: Sequence[str]) -> bool:
        for line in lines:
            print_line(line)
        return agreed(yes=yes)

    target = resolve_options(manifest, config, out, sets, series=series, columns=columns)
    said = rebuild(target, agree, say)
    if said is None:
        raise typer.Exit(ExitCode.USAGE)
    if not quiet:
        print_line(said)


def _resolve_with_journal(
    manifest: Path,
    config: Path | None,
    out: Path | None,
    sets: list[str] | None,
    series: str | None,
    columns: list[str] | None,
) -> Target:
    """Resolve the shared options; UsageError if there is no journal to work on."""
    from pipeline.disk.openfile import is_gone
    from pipeline.runner.forgotten import explain_no_journal

    target = resolve_options(manifest, config, out, sets, series=series, columns=columns)
    if is_gone(target.folder.journal):
        raise explain_no_journal(target)
    return target
