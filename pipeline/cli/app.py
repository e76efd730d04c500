"""The `reelsheet` command: its subcommands, and errors turned into sentences and exit codes.

Nothing heavy is imported here: each command imports what it needs when it runs, so that `--help`
answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from typing import Annotated

import typer

from pipeline import __version__
from pipeline.cli import check, init, plan, resolve, run, status
from pipeline.cli.screen import outlive_readers
from pipeline.concealment import conceal
from pipeline.errors import ExitCode, ReelsheetError

EXIT_CODES = {
    ExitCode.DONE: "all rows done (`retry`, `fetch`: those that they are for, see their --help)",
    ExitCode.NEEDS_USER: "finished; some rows need you (invalid, refused, failed, expired)",
    ExitCode.USAGE: "bad usage, configuration or manifest; nothing was sent",
    ExitCode.IN_DOUBT: "rows in doubt or missing: money to reconcile, see `reelsheet resolve`",
    ExitCode.STOPPED: "stopped by a refused key (401), no credit (402) or a cap",
    ExitCode.UNFINISHED: "unfinished (outage, disk, deadline): run again as it is",
    ExitCode.INTERNAL: "internal error",
    ExitCode.LOCKED: "another run works in the same output folder",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
    ExitCode.TERMINATED: "terminated",
}

_HELP = f"""
A spreadsheet of products goes in; one verified video per row comes out.

Start with `reelsheet init`, look at `reelsheet check MANIFEST` and `reelsheet plan MANIFEST`, then
`reelsheet run MANIFEST`. Until config.yaml says `provider: toapis`, every run is a rehearsal
against a built-in emulator: no key, no network, no cost.

Exit codes:\n\n\b
{chr(10).join(f"{int(code):>3}  {text}" for code, text in EXIT_CODES.items())}
"""

app = typer.Typer(
    name="reelsheet",
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for module in (check, plan, run, status, resolve, init):
    module.add_to(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reelsheet {__version__}")
        raise typer.Exit


@app.command(
    "emulate",
    short_help="Serve a local ToAPIs for rehearsals and tests.",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
def _emulate(context: typer.Context) -> None:
    """Serve the local API on this machine, for other clients and for tests (see emulate --help)."""
    # The options are the emulator's own.
    from pipeline.emulator.command import main as emulate

    raise typer.Exit(emulate(context.args, program="reelsheet emulate"))


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Take the options that come before the command."""


def main() -> None:
    """Run the command line; ends the process with an exit code of `EXIT_CODES`."""
    outlive_readers()
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, _terminated)
    try:
        app()
    except ReelsheetError as error:
        _say(f"error: {error.message}", error.action)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _say("Interrupted; nothing is lost. Run again to go on.")
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the last resort: loud, and without a secret
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{os.path.basename(frame.filename)}:{frame.lineno}"  # noqa: PTH119
        _say(
            f"internal error: {type(error).__name__} at {where}: {conceal(str(error))}",
            "Please report it with this line. What was paid for is in the journal; run again.",
        )
        sys.exit(ExitCode.INTERNAL)


def _terminated(*_: object) -> None:
    _say("Terminated; nothing is lost. Run again to go on.")
    sys.exit(ExitCode.TERMINATED)


def _say(line: str, action: str | None = None) -> None:
    typer.echo(line, err=True)
    if action:
        typer.echo(f"       {action}", err=True)
