"""The command line as a whole: its commands, and the exit code and sentence of every error."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from pipeline import __version__
from pipeline.cli.app import EXIT_CODES, app, exit_code_of
from pipeline.errors import ConfigError, ExitCode, ReelsheetError, RunLocked, StoreError, UsageError
from tests.cli.conftest import Command


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no row has the key X.", action="Look."), ExitCode.USAGE),
        (ConfigError("no row has the key X.", action="Look."), ExitCode.USAGE),
        (StoreError("no row has the key X.", action="Look."), ExitCode.UNFINISHED),
        (RunLocked("no row has the key X.", action="Look."), ExitCode.LOCKED),
    ],
)
def test_an_error_is_a_sentence_an_action_and_a_code(
    error: ReelsheetError, code: ExitCode, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both go to standard error; standard output stays empty for whoever reads it."""
    assert exit_code_of(lambda: _raise(error)) is code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "error: no row has the key X.\n       Look.\n"


def test_an_error_without_an_action_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed where there is nothing to advise."""
    assert exit_code_of(lambda: _raise(UsageError("Choose one."))) is ExitCode.USAGE
    assert capsys.readouterr().err == "error: Choose one.\n"


def test_ctrl_c_between_two_steps_says_that_nothing_is_lost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is no traceback and no internal error."""
    assert exit_code_of(lambda: _raise(KeyboardInterrupt())) is ExitCode.INTERRUPTED
    assert "nothing is lost" in capsys.readouterr().err


def test_a_bug_names_its_place_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """The signature of an address does not get into what people paste into a report."""
    bug = RuntimeError("at https://me:pw@files.example/a.mp4?signature=abc")
    assert exit_code_of(lambda: _raise(bug)) is ExitCode.INTERNAL
    shown = capsys.readouterr().err
    assert "internal error: RuntimeError at test_app.py:" in shown
    assert "abc" not in shown
    assert "pw" not in shown


def test_a_command_that_ends_well_is_code_0() -> None:
    """The code is that of a run with all rows done."""
    assert exit_code_of(lambda: None) is ExitCode.DONE


def test_the_help_shows_every_command_and_exit_code(reelsheet: Command) -> None:
    """Whoever types --help sees the whole of the program."""
    shown = reelsheet("--help").stdout
    for command in ("check", "plan", "run", "retry", "fetch", "status", "report", "resolve"):
        assert f"\n  {command} " in shown
    assert {"init", "emulate"} <= set(shown.split())
    for code in EXIT_CODES:
        assert f"\n{int(code):>5}  " in shown


def test_the_version_is_that_of_the_package(reelsheet: Command) -> None:
    """`--version` needs no command."""
    assert reelsheet("--version").stdout == f"reelsheet {__version__}\n"


def test_a_word_that_is_no_command_is_bad_usage(reelsheet: Command) -> None:
    """It ends with 2 and names the command that may have been meant."""
    ended = reelsheet("chek", "shop.csv")
    assert ended.exit_code == ExitCode.USAGE
    assert "check" in ended.stderr


LOADING = """
import os, signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGTERM)

sys.meta_path.insert(0, Finder())
import pipeline.__main__
"""


@pytest.mark.process
@pytest.mark.skipif(os.name == "nt", reason="has no signals")
def test_sigterm_is_handled_before_anything_is_loaded() -> None:
    """The first process of a container ignores what it does not handle."""
    ended = subprocess.run([sys.executable, "-c", LOADING], check=False, capture_output=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (143, b"", b"")


def _options(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every option that takes a value, with the words of its command."""
    for name, below in getattr(command, "commands", {}).items():
        yield from _options(below, (*words, name))
    for one in () if hasattr(command, "commands") else command.params:
        if one.param_type_name == "option" and not one.is_flag and words != ("emulate",):
            yield words, one


def test_an_option_without_a_value_is_named() -> None:
    """As from `--out "$FOLDER"` in a script: an empty folder would be the working folder."""
    command = typer.main.get_command(app)
    options = [(words, one.opts[0]) for words, one in _options(command)]
    assert len(options) > 100
    for words, option in options:
        for given in ([f"{option}="], [option, " "]):
            with pytest.raises(UsageError, match=f"^{option} has no value.$"):
                command.main([*words, *given], standalone_mode=False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run a.csv --limit some", "'--limit': write a whole number, in digits."),
        ("plan a.csv --limit=-1", "'--limit': write 0 or more."),
        ("export a.csv --to foldr", "'--to': 'foldr' is not one of 'folder', 'matrixify'"),
        ("review a.csv --port 99999", "'--port': write 65535 or less."),
    ],
)
def test_what_is_wrong_with_a_value_is_told_in_plain_words(
    reelsheet: Command, words: str, said: str
) -> None:
    """Nothing of the words in which libraries speak of it."""
    ended = reelsheet(*words.split())
    assert ended.exit_code == 2
    told = " ".join(ended.output.split())
    assert said in told
    assert "Value error" not in told
    assert "Input should" not in told
