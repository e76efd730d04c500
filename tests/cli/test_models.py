"""`reelsheet models`: what it prints, and what it writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import ConfigError, UsageError
from pipeline.models.shelf import put_up, shipped_sheets
from tests.cli.conftest import Command


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "Sch\u00f6ne Videos"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield
    put_up({})


def test_all_models_with_where_each_comes_from(reelsheet: Command) -> None:
    """And when its page was read; only the default was ever run."""
    heads, *lines, last = reelsheet("models").stdout.splitlines()
    assert heads.split() == ["model", "read", "on", "tried", "sheet"]
    assert len(lines) == len(shipped_sheets())
    default = next(line for line in lines if "(default)" in line)
    assert default.split() == [
        "gemini_omni_flash", "(default)", "2026-11-22", "comes", "with", "Reelsheet",
    ]  # fmt: skip
    assert sum("from the page, never run" in line for line in lines) == len(lines) - 1
    assert last == "What one takes: reelsheet models show NAME"
    told = json.loads(reelsheet("models", "--json").stdout)
    assert told["schema"] == 1
    grok = next(one for one in told["models"] if one["name"] == "grok-video-1.5")
    assert (grok["from"], grok["file"], grok["read"]) == ("shipped", None, "2026-08-20")
    assert (grok["verified"], grok["default"]) == (False, False)


def test_what_a_model_takes(reelsheet: Command) -> None:
    """Columns with their values and places, and the body of an example as JSON."""
    said = reelsheet("models", "show", "veo3.1-quality").stdout
    assert "veo3.1-quality takes no reference pictures" in said
    assert "  resolution    720p, 1080p or 4k  720p           metadata.resolution" in said
    body = json.loads(said.partition("An example of what is sent:\n")[2])
    assert body["metadata"] == {"resolution": "720p"}
    told = json.loads(reelsheet("models", "show", "veo3.1-quality", "--json").stdout)
    assert told["example"] == body
    assert told["columns"][0] == {
        "name": "duration", "type": "integer", "values": [8], "default": 8, "path": "duration",
    }  # fmt: skip


def test_a_name_that_there_is_not(reelsheet: Command) -> None:
    """Near names, or the name that the sheet has for it."""
    error = reelsheet("models", "show", "veo3").exception
    assert isinstance(error, UsageError)
    assert "There is no sheet for a model called veo3. Did you mean veo3.1" in error.message


def test_a_sheet_of_ones_own(reelsheet: Command) -> None:
    """Begun like another, found beside the configuration, checked, never written over."""
    ended = reelsheet("models", "new", "clip-2", "--like", "veo3.1-quality")
    assert ended.exit_code == 0
    path = Path("models", "clip-2.toml")
    assert ended.stdout.splitlines()[0] == f"written: {path}"
    before = path.read_text("utf-8")
    assert "clip-2 takes no reference pictures" in before
    listed = json.loads(reelsheet("models", "--json").stdout)["models"][-1]
    assert (listed["name"], listed["from"], listed["file"]) == ("clip-2", "own", str(path))
    assert json.loads(reelsheet("models", "show", "clip-2", "--json").stdout)["example"]
    assert f"{path} has no fault." in reelsheet("models", "check", str(path)).stdout
    again = reelsheet("models", "new", "clip-2", "--like", "grok-video-1.5")
    assert isinstance(again.exception, UsageError)
    assert path.read_text("utf-8") == before
    Path("sub").mkdir()
    Path("sub", "config.yaml").write_text("provider: rehearsal\n")
    told = reelsheet("models", "--config", str(Path("sub", "config.yaml")), "--json").stdout
    assert "clip-2" not in told


def test_a_sheet_in_the_place_of_a_shipped_one(reelsheet: Command) -> None:
    """The new file says so itself."""
    assert reelsheet("models", "new", "viduq3-pro", "--like", "viduq3-pro").exit_code == 0
    listed = json.loads(reelsheet("models", "--json").stdout)["models"]
    own = next(one for one in listed if one["name"] == "viduq3-pro")
    assert (own["from"], own["replaces"]) == ("own", True)


@pytest.mark.parametrize("name", ["../clip", "a b", "", "x" * 101, "-x"])
def test_a_name_that_no_model_has(reelsheet: Command, name: str) -> None:
    """Nothing is written, inside the folder or outside."""
    ended = reelsheet("models", "new", "--like", "veo3.1-lite", "--", name)
    assert isinstance(ended.exception, UsageError)
    assert "is no name of a model" in ended.exception.message
    assert not Path("models").exists()


def test_a_sheet_like_one_that_there_is_not(reelsheet: Command) -> None:
    """The sheets that there are get named, and nothing is written."""
    error = reelsheet("models", "new", "clip-2", "--like", "nope").exception
    assert isinstance(error, UsageError)
    assert "There is no sheet for a model called nope" in error.message
    assert not Path("models").exists()


def test_every_fault_of_a_sheet(reelsheet: Command) -> None:
    """At once, each with its place, and as JSON for programs."""
    reelsheet("models", "new", "clip-2", "--like", "veo3.1-lite")
    path = Path("models", "clip-2.toml")
    text = path.read_text("utf-8").replace("values = [8]", 'values = [8, "x"]\ncolour = 3')
    path.write_text(text.replace("sheet  = 1", "sheet  = 2"), "utf-8")
    error = reelsheet("models", "check", str(path)).exception
    assert isinstance(error, ConfigError)
    assert error.lines[0] == f"{path} has 3 faults:"
    told = reelsheet("models", "check", str(path), "--json")
    faults = json.loads(told.stdout)["faults"]
    assert told.exit_code == 2
    assert [one.partition(": ")[0] for one in faults] == [
        "sheet", "fields.duration.colour", "fields.duration",
    ]  # fmt: skip
    # No command goes on with a sheet that is not understood.
    assert isinstance(reelsheet("models").exception, ConfigError)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show"], "The model, as `reelsheet models` lists it. For example: reelsheet models show"),
        (["check"], "The sheet, a TOML file. For example: reelsheet models check models/clip-2.t"),
        (["new"], "as the provider spells it. For example: reelsheet models new clip-2 --like veo"),
        (["new", "clip-2"], "Missing option '--like'. The model whose sheet it begins as. For exa"),
        (["clip-2"], "no command reelsheet models clip-2; its parts are show, check and new."),
        (
            ["check", "clip.toml"],
            "clip.toml is not there: FILE is the sheet of a model, as models/",
        ),
    ],
)
def test_a_word_that_is_missing_or_wrong(reelsheet: Command, words: list[str], said: str) -> None:
    """What belongs there, and a command that does it."""
    ended = reelsheet("models", *words)
    assert ended.exit_code in (1, 2)
    assert said in f"{ended.exception} {' '.join(ended.output.split())}"


@pytest.mark.parametrize(
    ("words", "way"),
    [
        (["clip 2"], 'Perhaps: reelsheet models show "clip 2"'),
        (["models/a.toml"], "Perhaps: reelsheet models check models/a.toml"),
        (["check", "veo3.1-fast"], "To see what a model takes: reelsheet models show veo3.1-fast"),
        (["check", "a.toml"], "To begin one: reelsheet models new a --like gemini_omni_flash"),
    ],
)
def test_what_to_write_instead(reelsheet: Command, words: list[str], way: str) -> None:
    """It can be pasted."""
    error = reelsheet("models", *words).exception
    assert isinstance(error, UsageError)
    assert error.action == way


def test_rules_that_no_row_can_keep(reelsheet: Command) -> None:
    """A sheet that allows nothing is a mistake."""
    reelsheet("models", "new", "clip-2", "--like", "veo3.1-quality")
    path = Path("models", "clip-2.toml")
    path.write_text(
        path.read_text("utf-8").replace(
            "forbid = { images = [3] }", "forbid = { images = [0, 2, 3] }"
        ),
        "utf-8",
    )
    error = reelsheet("models", "check", str(path)).exception
    assert isinstance(error, ConfigError)
    assert error.lines[1:] == ("rules: no row of clip-2 can keep all of them",)
