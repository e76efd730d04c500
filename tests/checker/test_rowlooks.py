"""The column video_look, looks in templates, and a team's own ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.checker.check import check_manifest
from pipeline.checker.checked import CheckedManifest
from pipeline.config.loading import load
from pipeline.errors import ConfigError
from pipeline.manifest.earlier import NEW, Reading
from pipeline.manifest.languages import EARLIEST, LATEST
from pipeline.manifest.videolooks import built_in

PAN = built_in().looks["slowpan"]


def checked(
    folder: Path, text: str, *sets: str, known: Reading = NEW, config: Path | None = None
) -> CheckedManifest:
    path = folder / "m.csv"
    path.write_text(text, encoding="utf-8")
    settings = load(config, environ={}, overrides=list(sets))
    return check_manifest(path, settings, cache_dir=None, known=known)


def prompts(found: CheckedManifest) -> list[str]:
    return [draft.prompt for draft in found.drafts.values()]


SHEET = "key,prompt,video_look\na,A mug.,Slow Pan\nb,A cup.,\n"


def test_the_column(tmp_path: Path) -> None:
    """The words of the look come behind the prompt; an empty cell adds nothing."""
    found = checked(tmp_path, SHEET)
    assert prompts(found) == [f"A mug. {PAN.no_picture}", "A cup."]
    assert ("video_look", "video_look") in found.columns.read


def test_an_unknown_look(tmp_path: Path) -> None:
    """It is a problem of its cell that names the known ones, and the likely one."""
    found = checked(tmp_path, SHEET.replace("Slow Pan", "slo pan"))
    (problem,) = found.problems
    assert (problem.code, problem.row, problem.column) == ("look_unknown", 2, "video_look")
    assert 'Did you mean "slow pan"?' in problem.message
    assert "turntable, hero push-in" in problem.message
    assert prompts(found) == ["A cup."]


def test_a_manifest_that_was_run_before(tmp_path: Path) -> None:
    """It keeps its reading: a column of that name that was not read then is none now."""
    before = [
        Reading(EARLIEST),
        Reading(LATEST, {"key": "key", "prompt": "prompt"}, frozenset({"video_look"})),
        Reading(LATEST, {"video_look": "ignore"}),
    ]
    for known in before:
        assert prompts(checked(tmp_path, SHEET, known=known)) == ["A mug.", "A cup."]
    noted = Reading.noted(checked(tmp_path, SHEET).reading.note())
    assert noted.read["video_look"] == "video_look"
    assert prompts(checked(tmp_path, SHEET, known=noted))[0] != "A mug."
    without = Reading.noted(checked(tmp_path, "key,prompt\na,A mug.\n").reading.note())
    assert prompts(checked(tmp_path, SHEET, known=without))[0] != "A mug."


def test_templates(tmp_path: Path) -> None:
    """`{{ look }}` is the row's look, else that of its type; a column called look comes first."""
    sheet = "key,title,type,video_look\na,Moss,Mugs,slow pan\nb,Gold,Rings,\n"
    template = "manifest.prompt_template={{ title }}: {{ look }}"
    sweep = built_in().looks["lightsweep"].no_picture
    assert prompts(checked(tmp_path, sheet, template)) == [
        f"Moss: {PAN.no_picture}",
        f"Gold: {sweep}",
    ]
    own = "key,title,look\na,Moss,my own\n"
    assert prompts(checked(tmp_path, own, template)) == ["Moss: my own"]
    plain = "manifest.prompt_template={{ title }}."
    assert prompts(checked(tmp_path, sheet, plain)) == [f"Moss. {PAN.no_picture}", "Gold."]


def test_what_nobody_means_is_held(tmp_path: Path) -> None:
    """A look makes no prompt of a placeholder, and none of an empty cell."""
    found = checked(tmp_path, "key,prompt,video_look\na,TODO,slow pan\nb,,slow pan\n")
    assert prompts(found) == []
    assert {problem.code for problem in found.problems} == {"prompt_todo", "prompt_empty"}


def test_looks_of_a_team(tmp_path: Path) -> None:
    """The folder looks beside the configuration; a file that cannot be used says why."""
    config = tmp_path / "config.yaml"
    config.write_text("manifest: {}\n")
    looks = tmp_path / "looks"
    looks.mkdir()
    (looks / "ours.toml").write_text('["brick wall"]\nwords = "Before our wall."\n')
    sheet = SHEET.replace("Slow Pan", "Brick wall")
    assert prompts(checked(tmp_path, sheet, config=config))[0] == "A mug. Before our wall."
    (looks / "ours.toml").write_text('["brick wall"]\nword = "Before our wall."\n')
    with pytest.raises(ConfigError, match=r'ours.toml cannot be used.*did you mean "words"'):
        checked(tmp_path, sheet, config=config)
    assert prompts(checked(tmp_path, "key,prompt\na,A mug.\n", config=config)) == ["A mug."]
    (looks / "ours.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        checked(tmp_path, sheet, config=config)
    with pytest.raises(ConfigError, match="folder of looks"):
        checked(tmp_path, sheet, f"manifest.looks={tmp_path / 'gone'}")


def test_a_row_without_a_prompt(tmp_path: Path) -> None:
    """It names a look, and its other columns say of what: that is its prompt, and it is said."""
    sheet = (
        "key,title,brand,type,colour,material,video_look\n"
        "a,NEW Moss Mug by Kiln 300 ml,Kiln,Home > Mugs,green,stoneware,slow pan\n"
    )
    film = f"Product film of Moss Mug, in green, made of stoneware. {PAN.no_picture} Form"
    for text in (sheet, sheet.replace("key,", "prompt,key,").replace("a,NEW", ",a,NEW")):
        found = checked(tmp_path, text)
        assert prompts(found)[0].startswith(film)
        assert {("title", "prompts of looks"), ("colour", "prompts of looks")} <= {
            *found.columns.read
        }
        assert found.problems == ()
    no_key = sheet.replace("key,", "own,")
    assert checked(tmp_path, no_key).keys != checked(tmp_path, no_key.replace("Moss", "Sea")).keys
    written = checked(tmp_path, "prompt,title,video_look\nA mug.,Moss,slow pan\n")
    assert prompts(written) == [f"A mug. {PAN.no_picture}"]
    assert "title" in written.columns.not_read


def test_a_row_that_does_not_say_what_is_filmed(tmp_path: Path) -> None:
    """A look alone is no prompt: the message says what to write and where."""
    found = checked(
        tmp_path, "key,prompt,title,video_look\na,,,slow pan\nb,,Moss,\nc,,TODO,in use\n"
    )
    assert [(one.code, one.row, one.column) for one in found.problems] == [
        ("prompt_empty", 2, "prompt"),
        ("prompt_empty", 3, "prompt"),
        ("prompt_todo", 4, "title"),
    ]
    assert found.problems[0].message == (
        'The prompt is empty, and the look "slow pan" does not say what is filmed. Write the '
        "prompt, or the product's name into a column called title."
    )


def test_a_column_of_another_name(tmp_path: Path) -> None:
    """It is mapped by the settings, and the runs to come know it."""
    sheet = SHEET.replace("video_look", "Stil")
    assert prompts(checked(tmp_path, sheet))[0] == "A mug."
    mapped = checked(tmp_path, sheet, "manifest.columns.Stil=video_look")
    assert prompts(mapped)[0] == f"A mug. {PAN.no_picture}"
    assert ("Stil", "video_look") in mapped.columns.read
    noted = Reading.noted(mapped.reading.note())
    assert prompts(checked(tmp_path, sheet, known=noted))[0] == f"A mug. {PAN.no_picture}"
    ignored = "manifest.columns.Stil=ignore"
    assert prompts(checked(tmp_path, sheet, ignored, known=noted))[0] == "A mug."
    both = "key,prompt,video_look,Stil\na,A mug.,in use,slow pan\n"
    mapped = checked(tmp_path, both, "manifest.columns.Stil=video_look")
    assert prompts(mapped) == [f"A mug. {PAN.no_picture}"]
    assert "video_look" in mapped.columns.not_read
