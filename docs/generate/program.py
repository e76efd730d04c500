"""The commands and exit codes of the program."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from typer.main import get_command

from pipeline.cli.app import EXIT_CODES, app
from pipeline.emulator.command import build_parser
from pipeline.errors import ExitCode

from .tables import first_line, table

_WIDTH = 96

_DO = {
    ExitCode.DONE: "Nothing.",
    ExitCode.NEEDS_USER: "Open the results; `result_action` says what to do with each such row.",
    ExitCode.USAGE: "Read the message, correct what it names, and start again; of repeats, "
    "`result_action` says what to do.",
    ExitCode.IN_DOUBT: "Run again later; settle rows that stay so with `reelsheet resolve`.",
    ExitCode.STOPPED: "Correct the key, top up, or raise the cap that is named; then run again.",
    ExitCode.UNFINISHED: "Run again. Nothing is paid for twice.",
    ExitCode.INTERNAL: "Report the line that was printed, then run again: the journal is intact.",
    ExitCode.LOCKED: "Wait for the other run, or use another `--out`.",
    ExitCode.INTERRUPTED: "Run again to continue.",
    ExitCode.TERMINATED: "Run again to continue.",
}


def exit_codes() -> str:
    """Return the exit codes with what to do on each."""
    rows = [(str(int(code)), text, _DO[code]) for code, text in EXIT_CODES.items()]
    return table(("code", "means", "do"), rows)


def commands() -> str:
    """Return the commands with the first line of their help."""
    rows = [(f"`{name}`", first_line(one.help)) for name, one in command_tree().commands.items()]
    return table(("command", "does"), rows)


def help_texts() -> str:
    """Return the help of every command, as `--help` prints it at a width of 96 columns."""
    root = command_tree()
    parts = [_section("reelsheet", _help(root, _context(root)))]
    for name, command in root.commands.items():
        context = command.context_class(command, info_name=name, **_child(root))
        text = _emulate_help() if name == "emulate" else _help(command, context)
        parts.append(_section(name, text))
        for part, one in getattr(command, "commands", {}).items():
            inner = one.context_class(one, info_name=part, parent=context, terminal_width=_WIDTH)
            parts.append(_section(f"{name} {part}", _help(one, inner)))
    return "".join(parts) + "\n"


def command_tree() -> Any:  # noqa: ANN401 - the class is an inner one of Typer's
    """Return the program as its command line parser sees it."""
    return get_command(app)


def emulate_parser() -> argparse.ArgumentParser:
    """Return the emulator's parser, which prints alike on every version of Python."""
    parser = build_parser()
    parser.prog = "reelsheet emulate"
    parser.formatter_class = partial(argparse.HelpFormatter, width=_WIDTH)
    vars(parser)["color"] = False  # Python 3.14 would colour it on a terminal
    return parser


def _context(root: Any) -> Any:  # noqa: ANN401
    return root.context_class(
        root, info_name="reelsheet", terminal_width=_WIDTH, help_option_names=["-h", "--help"]
    )


def _child(root: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"parent": _context(root), "terminal_width": _WIDTH}


def _help(command: Any, context: Any) -> str:  # noqa: ANN401
    return str(command.get_help(context))


def _emulate_help() -> str:
    # How usage is wrapped differs between versions of Python; the options below say it all.
    parser = emulate_parser()
    parser.usage = "reelsheet emulate [OPTIONS]"
    return parser.format_help()


def _section(title: str, text: str) -> str:
    lines = (line.rstrip() for line in text.strip().splitlines())
    return f"\n## {title}\n\n```text\n" + "\n".join(lines) + "\n```\n"
