"""A working folder of its own for every test, and the command line inside this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli.app import app

Command = Callable[..., Result]


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest of two good rows and one without a prompt, in the working folder."""
    monkeypatch.chdir(tmp_path)
    text = "sku,prompt,duration\nMUG,A mug turns.,4\nBAG,A bag hangs.,10\nTEA,,6\n"
    Path("shop.csv").write_text(text, encoding="utf-8")
    return Path("shop.csv")


@pytest.fixture
def good(manifest: Path) -> Path:
    """The same manifest without its broken row."""
    manifest.write_text(
        manifest.read_text(encoding="utf-8").replace("TEA,,6\n", ""), encoding="utf-8"
    )
    return manifest


@pytest.fixture
def reelsheet() -> Command:
    """Carry out a command line in this process."""
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])
