"""`reelsheet emulate`: the local API by itself."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Add the command; its options are the emulator's own."""
    app.command(
        "emulate",
        short_help="Serve a local ToAPIs for rehearsals and tests.",
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )(_emulate)


def _emulate(context: typer.Context) -> None:
    """Serve the local API on this machine, for other clients and for tests (see emulate --help)."""
    from pipeline.emulator.command import main

    raise typer.Exit(main(context.args, program="reelsheet emulate"))
