"""`reelsheet worker`: what is wrong is said before anything is started."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.errors import ConfigError, ExitCode, Unfinished, UsageError
from pipeline.fleet import choice
from pipeline.fleet.staff import refusal_told


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("tcp://host.example:8786", "is not encrypted; write tls://host.example:8786"),
        ("host:8786", "is not the address of a scheduler"),
    ],
)
def test_an_address_that_cannot_be_joined(address: str, words: str) -> None:
    ended = CliRunner().invoke(app, ["worker", address])
    assert isinstance(ended.exception, UsageError)
    assert words in ended.exception.message


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_LIBRARIES", ("surely_not_there",))
    ended = CliRunner().invoke(app, ["worker", "tls://host:8786"])
    assert isinstance(ended.exception, ConfigError)
    assert 'pip install "reelsheet[fleet]"' in ended.exception.message
    assert "docs/install.md" in str(ended.exception.action)


@pytest.mark.parametrize("error", [ConfigError("a", action="b"), Unfinished("a", action=None)])
def test_what_its_process_refuses_keeps_its_exit_code(error: ConfigError | Unfinished) -> None:
    """What is set wrongly ends with 2, what is not to be had now with 5."""
    said = {"refused": error.message, "action": error.action, "exit_code": int(error.exit_code)}
    told = refusal_told(said)
    assert (type(told), told.message, told.action) == (type(error), error.message, error.action)
    assert told.exit_code in {ExitCode.USAGE, ExitCode.UNFINISHED}
