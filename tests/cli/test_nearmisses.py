"""Whoever types a command or an option that there is not is told which one was meant."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli import nearmisses
from pipeline.cli.app import app
from pipeline.cli.nearmisses import name_command, name_option, options_of
from pipeline.errors import ExitCode, UsageError
from tests.cli.conftest import Command

PERHAPS = "Perhaps: "


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("model", "reelsheet models"),
        ("account list", "reelsheet account"),
        ("journal verfy a.csv", "reelsheet journal verify"),
        ("plans a.csv", "reelsheet plan"),
        ("Run a.csv", "reelsheet run"),
        ("rnu a.csv", "reelsheet run"),
        ("dry_run a.csv", "reelsheet plan"),
        ("version", "reelsheet --version"),
        ("-V", "--version"),
        ("'a b.csv'", "reelsheet check 'a b.csv'"),
        ("run a.csv --dryrun", "--dry-run"),
        ("run a.csv --dry_run", "--dry-run"),
        ("run a.csv --output x", "--out"),
        ("init --out x", "--output"),
        ("run a.csv --price 0.10", "--set budget.price_per_second=0.10"),
        ("check a.csv --show-prompt 3", "--show-prompts"),
        ("plan a.csv --show-prompts", "reelsheet check --show-prompts"),
        ("status a.csv --row", "--rows"),
        ("prune --older 3d", "--older-than"),
        ("night --max 3", "--max-runtime, --max-new"),
        ("run a.csv --max 3", "--limit, --max-runtime"),
        ("models show x --quiet-please", None),
        ("wobble", None),
    ],
)
def test_what_was_meant_is_named(reelsheet: Command, typed: str, meant: str | None) -> None:
    """At the end of its line, to be copied; where nothing is like it, nothing is guessed."""
    ended = reelsheet(*shlex.split(typed))
    assert ended.exit_code == ExitCode.USAGE
    (line,) = (one for one in ended.stderr.splitlines() if one.startswith("Error: "))
    named = line.partition(PERHAPS)[2]
    assert named.replace('"', "'") == (meant or "")


def test_parts_of_models_are_named_before_models_are(reelsheet: Command) -> None:
    """What is no word for a part may be the name of a model."""
    for typed, meant in (("list", ""), ("chek x", " check"), ("veo3.1-fast", " show veo3.1-fast")):
        error = reelsheet("models", *typed.split()).exception
        assert isinstance(error, UsageError)
        assert error.action == f"{PERHAPS}reelsheet models{meant}"


def test_help_of_a_command_that_there_is_not(reelsheet: Command) -> None:
    """The help of the one that was meant."""
    for typed, meant in (("ru", "run"), ("model", "models"), ("models list", "models")):
        error = reelsheet("help", *typed.split()).exception
        assert isinstance(error, UsageError)
        assert error.action == f"{PERHAPS}reelsheet help {meant}"
    assert "reelsheet --help" in str(getattr(reelsheet("help", "wobble").exception, "action", ""))


def test_every_other_word_leads_to_what_there_is() -> None:
    """Commands with their own commands and options, and options that some command has."""
    root: Any = typer.main.get_command(app)
    for word, meant in nearmisses._COMMANDS.items():
        command: Any = root
        assert word not in root.commands
        for one in meant.split():
            if one in {"exit-codes", "words"}:
                continue
            assert one in (options_of(command) if one.startswith("-") else command.commands)
            command = getattr(command, "commands", {}).get(one, command)
    known = {*options_of(root)}
    for command in root.commands.values():
        known.update(options_of(command))
    assert known.issuperset(one for words in nearmisses._OPTIONS.values() for one in words)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_word_can_be_typed(word: str, option: str) -> None:
    """No name of a file and no option breaks the message."""
    name_command(word, ("reelsheet",), {"run", "plan"})
    name_command(word, ("reelsheet", "models"), {"show"})
    name_option(option, {"--out", "-v"}, {"reelsheet run": ["--limit"]})


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ("budget.money=3", "budget.money cannot change while a run goes on."),
        ("limits.outstanding=3 --set limits.foo=3", "limits.foo cannot change"),
        ("output.dir=x", "no limit is named"),
    ],
)
def test_limits_names_what_can_change_while_a_run_goes_on(
    reelsheet: Command, sets: str, said: str
) -> None:
    """And what was named and cannot; a folder of outputs says which runs are meant."""
    error = reelsheet("limits", "--set", *sets.split()).exception
    assert isinstance(error, UsageError)
    assert said in error.message
    assert "outstanding, submits_in_flight, submits_per_minute" in str(error.action)
