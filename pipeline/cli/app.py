"""The `reelsheet` command: its subcommands, and its errors as sentences and exit codes.

Nothing heavy is imported here: each command imports what it needs when it runs, so that `--help`
answers quickly.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Annotated, Any

import typer

from pipeline import __version__
from pipeline.cli import (
    account,
    export,
    history,
    init,
    journal,
    look,
    models,
    night,
    planning,
    prune,
    resolve,
    review,
    run,
    status,
    steer,
    worker,
)
from pipeline.cli.jsonlines import json_lines
from pipeline.cli.nearmisses import PlainCommand, PlainGroup, name_help
from pipeline.cli.screen import guard_streams, print_line, print_table, say, say_error
from pipeline.concealment import conceal
from pipeline.errors import ExitCode, ReelsheetError, UsageError
from pipeline.process.collector import relax_collector

EXIT_CODES = {
    ExitCode.DONE: "all rows done (`retry`, `fetch`: the rows that they handle, see their --help)",
    ExitCode.NEEDS_USER: "finished; some rows need attention (invalid, refused, failed, expired, "
    "repeats that wait), or a take asked for by key was not made, or rows wait for the pilot",
    ExitCode.USAGE: "bad usage, configuration or manifest, or nothing to do but rows that wait for "
    "the pilot, or repeats that wait; nothing was sent",
    ExitCode.IN_DOUBT: "rows in doubt or missing: money to reconcile, see `reelsheet resolve`",
    ExitCode.STOPPED: "stopped by a refused key (401), no credit (402) or a cap",
    ExitCode.UNFINISHED: "unfinished (outage, disk, deadline): start the same command again",
    ExitCode.INTERNAL: "internal error",
    ExitCode.LOCKED: "another run is using the same output folder",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
    ExitCode.TERMINATED: "terminated",
}
"""What each exit code means, as --help says it."""

WORDS = (
    ("table", "manifest", "the CSV, Excel or OpenDocument file with a line for each video"),
    ("line", "row", "one line of it; messages name it by its number, the headers are row 1"),
    ("article number", "key", "the name that a line keeps, in the column key, sku or id"),
    ("text", "prompt", "what the video shows and how it moves, in the column prompt"),
    ("trying out", "rehearsal", "a run without key, network and cost; its videos are previews"),
    ("settle", "resolve", "find out what became of a video that may have been paid for"),
    ("version", "take", "one finished video of a line; a line can have several"),
    ("results", "results", "the table again, with the state and the video of each line"),
)
"""The words of the first screen, those of everything else, and what they mean."""

_HELP = f"""
A spreadsheet of products goes in; one verified video per row comes out.

Begin with `reelsheet init`, then `reelsheet check MANIFEST`, `reelsheet plan MANIFEST` and
`reelsheet run MANIFEST`. Until config.yaml says `provider: toapis`, every run is a rehearsal
against a built-in emulator: no key, no network, no cost.

Exit codes:\n\n\b
{chr(10).join(f"{int(code):>3}  {text}" for code, text in EXIT_CODES.items())}
"""


def _show_plainly(commands: typer.Typer) -> None:
    for command in commands.registered_commands:
        command.cls = PlainCommand
    for group in commands.registered_groups:
        if group.typer_instance is not None:
            own = group.typer_instance.info.cls
            group.cls = own if isinstance(own, type) else PlainGroup
            _show_plainly(group.typer_instance)


app = typer.Typer(
    name="reelsheet",
    cls=PlainGroup,
    help=_HELP,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for add in (
    init.add_to,
    look.add_to,
    planning.add_to,
    run.add_to,
    night.add_to,
    steer.add_to,
    status.add_to,
    history.add_to,
    models.add_to,
    look.add_later_to,
    review.add_to,
    export.add_to,
    resolve.add_to,
    journal.add_to,
    account.add_to,
    prune.add_to,
    worker.add_to,
):
    add(app)
_show_plainly(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        print_line(f"reelsheet {__version__}")
        raise typer.Exit


@app.command(
    "emulate",
    short_help="Serve a local ToAPIs for other clients and tests.",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
def _emulate(context: typer.Context) -> None:
    """Serve the emulator's API on this machine, for other clients and tests; see emulate --help."""
    # The emulator parses its options itself.
    from pipeline.emulator.command import main as emulate
    from pipeline.process.children import forget_secrets

    raise typer.Exit(emulate(context.args, program="reelsheet emulate", forget=forget_secrets))


@app.command("help", cls=PlainCommand, short_help="Explain a command, the exit codes or the words.")
def _help(
    context: typer.Context,
    topic: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND|exit-codes|words]", help="What to explain."),
    ] = None,
) -> None:
    """Explain a command, what exit codes mean, or what the words of the first screen mean."""
    words = topic or []
    if words == ["exit-codes"]:
        for code, text in EXIT_CODES.items():
            print_line(f"{int(code):>3}  {text}")
    elif words == ["words"]:
        print_table(WORDS, ("here", "elsewhere", "means"))
    else:
        command: Any = context.find_root().command
        for word in words:
            command = getattr(command, "commands", {}).get(word)
            if command is None:
                raise UsageError(
                    f"there is no command {' '.join(words)}.",
                    action=name_help(words, context.find_root().command),
                )
        command.main(["--help"], " ".join(("reelsheet", *words)), standalone_mode=False)


@app.callback()
def _root(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Accept the options that come before the command; without one, say where one stands."""
    if context.invoked_subcommand is None:
        from pipeline.cli.firstscreen import first_screen

        for line in first_screen(os.environ, time.time()):
            print_line(line)


def main() -> None:
    """Run the command line; ends the process with an exit code of `EXIT_CODES`."""
    relax_collector()
    guard_streams()
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, _terminated)
    sys.exit(exit_code_of(app))


def exit_code_of(command: Callable[[], object]) -> ExitCode:
    """Carry out a command; return its exit code, and print the error if one ended it."""
    try:
        command()
    except ReelsheetError as error:
        say_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        say("Interrupted; nothing is lost. Run again to continue.")
        return ExitCode.INTERRUPTED
    except UnicodeEncodeError as error:
        if error.encoding.replace("_", "-") not in _system_encodings():
            return _say_internal(error)
        say(f"error: the name {error.object!r} has letters that this locale has not.")
        say("       Use a UTF-8 locale: export LC_ALL=C.UTF-8, and run again.")
        return ExitCode.UNFINISHED
    except Exception as error:  # noqa: BLE001 - the last resort: loud, and without a secret
        return _say_internal(error)
    return ExitCode.DONE


def _say_internal(error: Exception) -> ExitCode:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(frame.filename)}:{frame.lineno}"  # noqa: PTH119
    told = f"internal error: {type(error).__name__} at {where}: {conceal(str(error))}"
    todo = "Please report this line. Everything paid for is in the journal; run again."
    if (lines := json_lines(sys.stderr)) is not None:
        lines.say(told, action=todo, exit_code=int(ExitCode.INTERNAL))
        return ExitCode.INTERNAL
    say(told)
    say(f"       {todo}")
    return ExitCode.INTERNAL


def _system_encodings() -> set[str]:
    """Return how Python calls the encoding of names of files, unless that has all letters."""
    name = sys.getfilesystemencoding().lower()
    names = {name, "latin-1"} if name in {"iso8859-1", "latin-1", "iso-8859-1"} else {name}
    return names - {"utf-8"}


def _terminated(*_: object) -> None:
    say("Terminated; nothing is lost. Run again to continue.")
    sys.exit(ExitCode.TERMINATED)
