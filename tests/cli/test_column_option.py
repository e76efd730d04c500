"""--column: a column is read as a field, on every command that reads a manifest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from pipeline.cli.app import app
from pipeline.cli.columns import column_settings
from pipeline.config.loading import load
from pipeline.errors import ConfigError, UsageError
from pipeline.manifest.invocation import Invocation
from tests.cli.conftest import Command

SHEET = "sku,Text,Vorn,Season\nMUG,A red mug turns.,,spring\nBAG,A bag hangs.,,\n"
LINE = "read: sku = key, Text = prompt, Vorn = image_1 · not read: Season"
OPTIONS = ("--column", "Text=prompt", "--column", "Vorn = image_1")


@pytest.fixture
def sheet(manifest: Path) -> Path:
    """A manifest without a prompt column."""
    manifest.write_text(SHEET, encoding="utf-8")
    return manifest


def test_every_command_says_what_it_reads(sheet: Path, reelsheet: Command) -> None:
    """In one line beside what it prints; in documents only where details are asked for."""
    assert reelsheet("check", sheet).exit_code == 2
    for command, *more in (["check"], ["plan"], ["run", "--dry-run"]):
        ended = reelsheet(command, sheet, *more, *OPTIONS)
        assert ended.exit_code == 0
        assert ended.stderr.splitlines().count(LINE) == 1
    for command in ("check", "plan"):
        document = json.loads(reelsheet(command, sheet, "--json", "-v", *OPTIONS).stdout)
        assert document["read"] == {"sku": "key", "Text": "prompt", "Vorn": "image_1"}
        assert document["not_read"] == ["Season"]
        plain = json.loads(reelsheet(command, sheet, "--json", *OPTIONS).stdout)
        assert "read" not in plain


def test_several_manifests_have_a_line_each(sheet: Path, reelsheet: Command) -> None:
    """Each begins with the name of its manifest."""
    other = sheet.with_name("other.csv")
    other.write_text("id,Text,Vorn\nA,A bag hangs still.,\n", encoding="utf-8")
    for command, *more in (["check"], ["plan"], ["run", "--dry-run"]):
        lines = reelsheet(command, sheet, other, *more, *OPTIONS).stderr.splitlines()
        assert f"shop.csv: {LINE}" in lines
        assert "other.csv: read: id = key, Text = prompt, Vorn = image_1" in lines


def test_a_plan_warns_of_columns_before_anything_is_paid(sheet: Path, reelsheet: Command) -> None:
    """A column that looks like pictures is said with the plan."""
    sheet.write_text("sku,prompt,Vorn\nMUG,A red mug turns.,mug.jpg\n", encoding="utf-8")
    said = reelsheet("plan", sheet).stderr
    assert 'warning: The column "Vorn" is not read, although its cells look like pictures' in said
    assert "add --column Vorn=image_1;" in said


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["Text"], "write a header and a field"),
        (["=prompt"], "write a header and a field"),
        (["Text=promt"], 'there is no field "promt". Did you mean prompt?'),
        (["Text=prompt", "Vorn=prompt"], "both name the column of prompt"),
        (["Text=prompt", "text=key"], "twice"),
    ],
)
def test_what_cannot_be_meant_is_refused(columns: list[str], said: str) -> None:
    """An unknown field, no field, two columns for a field and two fields for a column."""
    with pytest.raises(UsageError) as caught:
        column_settings(columns)
    assert said in f"{caught.value.message} {caught.value.action}"


def test_a_header_that_is_not_there_is_a_problem(sheet: Path, reelsheet: Command) -> None:
    """It is named with the one that may have been meant."""
    ended = reelsheet("check", sheet, "--column", "Texte=prompt")
    assert ended.exit_code == 2
    assert '--column, names a column "Texte" that the manifest does not have' in ended.stdout
    assert 'Did you mean "Text"?' in ended.stdout


def test_the_option_goes_before_the_configuration(tmp_path: Path) -> None:
    """It replaces what the file says of the column and of the field, and nothing else."""
    file = tmp_path / "config.yaml"
    file.write_text("manifest: {columns: {Alt: prompt, Foto: image_1, vorn: image_2}}\n")
    asked = column_settings(["A=B=prompt", "Vorn=ignore"])
    config = load(file, environ={}, overrides=asked)
    assert config.manifest.columns == {"Foto": "image_1", "A=B": "prompt", "Vorn": "ignore"}
    with pytest.raises(ConfigError, match="both stand for prompt"):
        load(file, environ={}, overrides=["manifest.columns.A=prompt", "manifest.columns.B=prompt"])


def test_suggested_commands_carry_the_option() -> None:
    """They are pasted, and read the same columns."""
    typed = Invocation(Path("m.csv"), sets=tuple(column_settings(["Bild vorn=image_1"])))
    assert typed.command("run") == 'reelsheet run m.csv --column "Bild vorn=image_1"'


def test_every_command_of_a_manifest_has_the_option() -> None:
    """Whoever takes a manifest and settings takes --column, too."""
    group = typer.main.get_command(app)
    seen = []
    commands = list(group.commands.items())  # type: ignore[attr-defined]
    for name, command in commands:
        commands += getattr(command, "commands", {}).items()
        options = {option for one in command.params for option in one.opts}
        if any(one.name in {"manifest", "manifests"} for one in command.params) and (
            "--series" in options
        ):
            assert "--column" in options, name
            seen.append(name)
    assert {"check", "plan", "run", "retry", "fetch", "status", "report", "resolve"} <= {*seen}
