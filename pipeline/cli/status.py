"""`reelsheet status` and `report`: show the state of every row, or write it into the results."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from pipeline.cli.options import (
    ConfigPath,
    Json,
    ManifestPath,
    Out,
    Quiet,
    Set,
    Verbose,
    checked,
    resolve_target,
)
from pipeline.cli.screen import print_json, print_table


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("status", short_help="Show the states of the rows.")(_status)
    app.command("report", short_help="Write the results again.")(_report)


def _status(
    manifest: ManifestPath,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    rows: Annotated[bool, typer.Option("--rows", help="Show each row.")] = False,
    as_json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show how many rows are in which state, from the sheet and the journal; sends nothing."""
    from pipeline.journal.reading import read_entries
    from pipeline.planner.plan import Selection
    from pipeline.planner.planner import plan_manifest
    from pipeline.writer.publish import results_of

    target = resolve_target(manifest, config, out, sets)
    found = checked(target, show=not (quiet or as_json))
    entries = read_entries(target.folder.journal)
    plan = plan_manifest(found, entries, target.folder, Selection())
    results = results_of(found, plan, entries)
    states = Counter(result.state.value for result in results)
    if as_json:
        pairs = zip(found.keys, results, strict=True)
        print_json(
            {
                "manifest": str(manifest),
                "states": dict(states),
                "rows": [
                    {
                        "key": key,
                        "row": result.row,
                        "state": result.state.value,
                        "task_id": result.task_id,
                        "video": result.video,
                        "error": result.error,
                    }
                    for key, result in pairs
                ],
            }
        )
        return
    if rows or verbose:
        print_table(
            [
                (result.row, key, result.state.value, result.video or result.error or "")
                for key, result in zip(found.keys, results, strict=True)
            ]
        )
    print_table([(number, state) for state, number in sorted(states.items())])
    if not found.manifest.rows:
        typer.echo("no rows")


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
    from pipeline.planner.planner import plan_manifest
    from pipeline.writer.publish import publish, results_of

    _ = verbose
    target = resolve_target(manifest, config, out, sets)
    found = checked(target, show=not quiet)
    with run_lock(target.folder.lock):
        entries = read_entries(target.folder.journal)
        plan = plan_manifest(found, entries, target.folder, Selection())
        published = publish(
            found, results_of(found, plan, entries, target.config), target.folder, None
        )
    for note in published.notes:
        typer.echo(f"note: {note}", err=True)
    if not quiet:
        typer.echo(f"results: {published.results}")
        if published.failed is not None:
            typer.echo(f"rows that need attention: {published.failed}")
