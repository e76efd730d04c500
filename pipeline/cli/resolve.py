"""`reelsheet resolve`: a person settles what happened to a submission."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.options import (
    Adopt,
    ConfigPath,
    ManifestPath,
    Out,
    Quiet,
    Set,
    Verbose,
    settle,
)
from pipeline.errors import UsageError


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("resolve")(_resolve)


def _resolve(
    manifest: ManifestPath,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key of the row.")],
    task_id: Annotated[
        str | None,
        typer.Option("--task-id", metavar="ID", help="It was accepted: this is its task."),
    ] = None,
    not_sent: Annotated[
        bool, typer.Option("--not-sent", help="It was never accepted: it may be submitted anew.")
    ] = False,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    adopt: Adopt = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Settle a row that is in doubt or missing, after looking into your ToAPIs account.

    With --task-id the provider is asked for the task first, and the next run fetches its video.
    With --not-sent the attempt is closed, and the next run submits the row again under a new
    number: if it was accepted after all, it is paid for twice.
    """
    from pipeline.naming import visible
    from pipeline.resolve import adopt_task, close_unsent

    _ = verbose
    if (task_id is None) == (not not_sent):
        raise UsageError("give either --task-id ID or --not-sent.")
    setting = settle(manifest, config, out, sets)
    if task_id is not None:
        said = adopt_task(
            setting.manifest, setting.config, setting.folder, visible(key), task_id, adopt=adopt
        )
    else:
        said = close_unsent(setting.manifest, setting.folder, visible(key), adopt=adopt)
    if not quiet:
        typer.echo(said)
