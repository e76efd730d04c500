"""`reelsheet init`: a starter folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Quiet, Verbose


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(_init)


def _init(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where to put it (default: here).")
    ] = Path(),
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Write a starter folder: a template workbook, the configuration, the folders.

    Files that are there already are left alone.
    """
    from pipeline.starter import make_starter

    _ = verbose
    for line in make_starter(folder):
        if not quiet:
            typer.echo(line)
