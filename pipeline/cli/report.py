"""`reelsheet report`: the results written again."""

from __future__ import annotations

import typer

from pipeline.cli.options import ConfigPath, ManifestPath, Out, Quiet, Set, Verbose, checked, settle


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report", short_help="Write the results again.")(_report)


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
    from pipeline.journal.reading import read_entries
    from pipeline.planner.plan import Selection
    from pipeline.planner.planner import plan_for
    from pipeline.writer.publish import publish, results_of

    _ = verbose
    setting = settle(manifest, config, out, sets)
    found = checked(setting, show=not quiet)
    with run_lock(setting.folder.lock):
        entries = read_entries(setting.folder.journal)
        plan = plan_for(found, entries, setting.folder, Selection())
        published = publish(
            found, results_of(found, plan, entries, setting.config), setting.folder, None
        )
    for note in published.notes:
        typer.echo(f"note: {note}", err=True)
    if not quiet:
        typer.echo(f"results: {published.results}")
        if published.failed is not None:
            typer.echo(f"rows that need you: {published.failed}")
