"""Typer's commands for people: plain help, plain refusals, and what was meant by other words.

What somebody meant who typed a command or an option that there is not is told by other words
for the same thing, by its first words, by the commands that have such an option, or by the letters.
Nothing is done instead of what was typed: what was meant is named, to be typed.

Tested in tests/cli/test_nearmisses.py and tests/cli/test_app.py.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup

from pipeline.cli.jsonlines import asks_for_json
from pipeline.cli.options import PILOT_WITHOUT_NUMBER, with_numbers
from pipeline.cli.screen import speak_json
from pipeline.errors import UsageError
from pipeline.manifest.wording import quote_name

_ALIKE = 0.66
"""Two letters of three: so alike are short words whose letters were typed in another order."""
_MOST_NAMED = 3
_ALL = "All commands: reelsheet --help"
_LONGEST = 40
"""Longer words are no slip of the fingers."""

_COMMANDS: Mapping[str, str] = MappingProxyType({
    "list": "status", "ls": "status", "show": "status", "state": "status", "rows": "status",
    "info": "status", "progress": "status", "version": "--version", "start": "run",
    "make": "run", "go": "run", "render": "run", "generate": "run", "create": "init",
    "new": "init", "setup": "init", "import": "init", "convert": "init", "resume": "run",
    "continue": "run", "execute": "run", "rehearse": "run", "validate": "check", "verify": "check",
    "test": "check", "lint": "check", "dry-run": "plan", "dryrun": "plan", "price": "plan",
    "prices": "plan", "cost": "plan", "costs": "plan", "estimate": "plan", "preview": "review",
    "approve": "review", "judge": "review", "reject": "review", "open": "review",
    "watch": "status --watch", "download": "fetch", "redo": "run --redo", "again": "retry",
    "cancel": "stop", "abort": "stop", "pause": "stop", "kill": "stop", "end": "stop",
    "limit": "limits", "clean": "prune", "cleanup": "prune", "clear": "prune",
    "delete": "prune", "remove": "prune", "publish": "export", "deliver": "export",
    "upload": "export", "results": "report", "balance": "account", "money": "account",
    "budget": "account", "backup": "journal backup", "restore": "journal rebuild",
    "rebuild": "journal rebuild", "nights": "history", "log": "history", "logs": "history",
    "exit-code": "help exit-codes", "exit-codes": "help exit-codes", "words": "help words",
    "nightly": "night", "settle": "resolve", "man": "help",
})  # fmt: skip
"""Other words for commands, and what they are called here."""

_IN_GROUPS = frozenset({"list", "ls", "show", "all", "status"})
"""Words behind a group of commands for what it says when it stands alone."""
_SAYING = frozenset({"models", "account"})
"""The groups that say something when they stand alone."""

_OPTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "--output": ("--out",), "--output-dir": ("--out",), "--outdir": ("--out",),
    "--dir": ("--out",), "--folder": ("--out",), "-o": ("--out", "--output"),
    "--out": ("--output",), "--dryrun": ("--dry-run",), "-n": ("--limit", "--dry-run"),
    "--rows": ("--only",), "--row": ("--rows", "--only"), "--key": ("--only",),
    "--keys": ("--only",), "--sku": ("--only",), "--max": ("--limit",), "--count": ("--limit",),
    "--silent": ("--quiet",), "-s": ("--set",), "--setting": ("--set",), "-c": ("--config",),
    "-y": ("--yes",), "--assume-yes": ("--yes",), "-f": ("--config",),
    "--configuration": ("--config",), "--debug": ("--verbose",), "--format": ("--json",),
    "-V": ("--version",), "-v": ("--version",), "-?": ("--help",), "-help": ("--help",),
    "--follow": ("--watch",), "--budget": ("--set",), "--price": ("--set",), "--model": ("--set",),
    "--images": ("--from-images",), "--pictures": ("--from-images",),
    "--live": ("--set",), "--provider": ("--set",), "--key-column": ("--column",),
})  # fmt: skip
"""Other words for options; the first that a command has is meant."""

_SETTINGS: Mapping[str, str] = MappingProxyType({
    "--budget": "--set budget.money=50", "--price": "--set budget.price_per_second=0.10",
    "--model": "--set api.model=NAME", "--live": "--set provider=toapis",
    "--provider": "--set provider=toapis",
})  # fmt: skip
"""Options that are settings here, and how they are given."""
_TABLES = frozenset({".csv", ".tsv", ".xlsx", ".xlsm", ".ods"})


def name_command(word: str, group: Sequence[str], commands: Collection[str]) -> str:
    """Return what to type instead of a command that there is not; empty where nothing is like it.

    Args:
        word: what was typed.
        group: the words before it, as in `models list`; begins with the name of the program.
        commands: those that there are.

    """
    before = " ".join(group)
    plain = word.casefold().lstrip("-").replace("_", "-")
    if plain in commands:
        return f"{before} {plain}"
    if len(group) > 1:
        if plain in _IN_GROUPS and group[-1] in _SAYING:
            return before
    elif plain in _COMMANDS:
        return f"{before} {_COMMANDS[plain]}"
    elif os.path.splitext(word)[1].casefold() in _TABLES:  # noqa: PTH122
        return f"{before} check {quote_name(word)}"
    for other in (f"{plain}s", plain.removesuffix("s"), plain.replace("-", "")):
        if other in commands:
            return f"{before} {other}"
    near = _near(plain, commands, 1)
    return f"{before} {near[0]}" if near else ""


def name_option(option: str, own: Collection[str], others: Mapping[str, Collection[str]]) -> str:
    """Return what to type instead of an option that a command has not; empty for nothing.

    Args:
        option: what was typed, without its value.
        own: the options of the command.
        others: those of all commands, by the words that are typed for each.

    """
    plain = "--" + option.casefold().lstrip("-").replace("_", "-")
    words = (*_OPTIONS.get(option, ()), plain, f"{plain}s", plain.removesuffix("s"))
    same = [one for one in words if one in own][:1]
    begun = [one for one in own if one.startswith(f"{plain}-") and one not in same]
    if meant := [_SETTINGS.get(option, one) if one == "--set" else one for one in (*same, *begun)]:
        return ", ".join(meant[:_MOST_NAMED])
    near = _near(plain, [one for one in own if one.startswith("--")], _MOST_NAMED)
    if near:
        return ", ".join(near)
    having = [name for name, options in others.items() if plain in options]
    return ", ".join(f"{name} {plain}" for name in having[:_MOST_NAMED])


def _near(word: str, known: Collection[str], most: int) -> list[str]:
    if len(word) > _LONGEST:
        return []
    return difflib.get_close_matches(word, sorted(known), most, _ALIKE)


def explain_command(
    error: Any,  # noqa: ANN401 - Typer's own, private
    group: str,
    words: Sequence[str],
    commands: Collection[str],
) -> None:
    """Have Typer's error about a command that there is not name the one that was meant."""
    if words and not words[0].startswith("-"):
        meant = name_command(words[0], group.split(), commands)
        said = f"No such command {words[0]!r}."
        error.message = f"{said} Perhaps: {meant}" if meant else f"{said} {_ALL}"


def explain_option(error: Any, command: Any, root: Any) -> None:  # noqa: ANN401 - likewise
    """Have Typer's error about an option that a command has not name what was meant."""
    if not hasattr(error, "possibilities"):  # it is about something else
        return
    meant = name_option(error.option_name, options_of(command), dict(_all_options(root)))
    error.possibilities = None
    error.message += f". Perhaps: {meant}" if meant else ""


def name_help(words: Sequence[str], root: Any) -> str:  # noqa: ANN401 - likewise
    """Return how to ask for the help of a command that there is not."""
    commands = getattr(root, "commands", {})
    meant = name_command(words[0], ("reelsheet",), commands) if words else ""
    name = meant.removeprefix("reelsheet ").split()[0] if meant else ""
    return f"Perhaps: reelsheet help {name}" if name in commands else _ALL


def options_of(command: Any) -> list[str]:  # noqa: ANN401 - likewise
    """Return the names of the options of a command."""
    named = [one.opts for one in command.params if one.param_type_name == "option"]
    return ["--help", *(name for names in named for name in names)]


def _all_options(group: Any, before: str = "reelsheet") -> Iterator[tuple[str, list[str]]]:  # noqa: ANN401
    for name, command in getattr(group, "commands", {}).items():
        yield f"{before} {name}", options_of(command)
        yield from _all_options(command, f"{before} {name}")


_WITHOUT_NUMBER = {"--pilot": PILOT_WITHOUT_NUMBER, "--show-prompts": "5"}
"""What stands behind an option that was given without its number."""


_PLAINER = (
    (re.compile(r"^Value error, "), ""),
    (re.compile(r"Input should be a valid integer.*"), "write a whole number, in digits."),
    (re.compile(r"Input should be a valid number.*"), "write a number, in digits."),
    (re.compile(r"Input should be greater than or equal to (\S+)"), r"write \1 or more."),
    (re.compile(r"Input should be less than or equal to (\S+)"), r"write \1 or less."),
    (re.compile(r"Input should be greater than (\S+)"), r"write more than \1."),
)
"""What Typer says of a value in the words of programmers, and what a person is told."""


_Fault: Any = typer.BadParameter.__base__
"""What Typer raises of words that it does not understand; it has no public name."""


class PlainCommand(TyperCommand):
    """A command whose help names arguments as users call them, without the types of Python."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - likewise
        """Parse the words of a command; some options may stand without their number."""
        own = {name for one in self.params for name in one.opts}
        if "--log-format" in own and asks_for_json(args):
            speak_json()  # what is wrong with the words is told so, too
        _refuse_empty(args, {n for one in self.params if not _is_flag(one) for n in one.opts})
        words = {name: word for name, word in _WITHOUT_NUMBER.items() if name in own}
        try:
            return super().parse_args(ctx, with_numbers(args, words) if words else args)
        except typer.BadParameter as wrong:
            wrong.message = _in_plain_words(wrong.message) or self._say_lacking(wrong)
            raise
        except _Fault as wrong:
            explain_option(wrong, self, ctx.find_root().command)
            raise

    def _say_lacking(self, wrong: Any) -> str:  # noqa: ANN401 - likewise
        """Say what belongs in the place of a word that is missing, where there are examples."""
        if not self.epilog:
            return ""
        example = next(line for line in self.epilog.splitlines() if "reelsheet" in line)
        return f"{wrong.param.help} For example: {example.strip()}"

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401 - Typer's own, private
        """Return the words behind the command's name."""
        _ = ctx
        named = [_name_of(one) for one in self.params if isinstance(one, TyperArgument)]
        return ["[OPTIONS]", *named]

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - likewise
        """Write the arguments, then the options."""
        records = [(one, one.get_help_record(ctx)) for one in self.get_params(ctx)]
        told = [(one, record) for one, record in records if record is not None]
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            lines = [
                (one.metavar or name if kind == "argument" else name, text)
                for one, (name, text) in told
                if one.param_type_name == kind
            ]
            if lines:
                with formatter.section(title):
                    formatter.write_dl(lines)


class PlainGroup(TyperGroup):
    """Commands, or options before them, that there are not: what was meant is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - likewise
        """Parse the options before the command."""
        try:
            return super().parse_args(ctx, args)
        except _Fault as wrong:
            explain_option(wrong, self, ctx.find_root().command)
            raise

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - likewise
        """Find the command that was named."""
        try:
            return super().resolve_command(ctx, args)
        except _Fault as wrong:
            explain_command(wrong, ctx.command_path, args, self.commands)
            raise


def _in_plain_words(message: str) -> str:
    """Return what is wrong with the value of an option, as a person would say it."""
    for pattern, plain in _PLAINER:
        message = pattern.sub(plain, message)
    return message


def _refuse_empty(words: Sequence[str], options: Collection[str]) -> None:
    """Refuse an option without a value, as `--out "$FOLDER"` is where FOLDER is not set.

    Raises UsageError, which names the option.
    """
    own = words[: words.index("--")] if "--" in words else words
    for at, word in enumerate(own):
        name, equals, value = word.partition("=")
        given = [value] if equals else own[at + 1 : at + 2]
        if name in options and given and not given[0].strip():
            raise UsageError(
                f"{name} has no value.", action=f"Write one behind {name}, or leave it out."
            )


def _is_flag(option: Any) -> bool:  # noqa: ANN401 - Typer's own, private
    return bool(getattr(option, "is_flag", False))


def _name_of(argument: TyperArgument) -> str:
    name = argument.metavar or argument.name or ""
    return name if argument.required or name.startswith("[") else f"[{name}]"
