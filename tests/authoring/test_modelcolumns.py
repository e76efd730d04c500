"""The template for other models than the default: columns, lists, notes and rules are theirs."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from pipeline.authoring.modelcolumns import Models, count_to_take, counts_of
from pipeline.authoring.newmanifest import choose
from pipeline.authoring.starter import STARTER_CONFIG, STARTER_MANIFEST, make_starter
from pipeline.checker.check import check_manifest
from pipeline.checker.modelrules import ModelRules
from pipeline.cli.app import app
from pipeline.config.loading import load
from pipeline.errors import UsageError
from pipeline.models.shelf import DEFAULT_MODEL, put_up, sheet_of, shipped_sheets

OWN = """
sheet = 1
models = ["clip/2"]
source = "https://docs.example.com/clip-2"
read = 2026-11-22
[[images]]
counts = [4]
put = { images = ["{*}"] }
[fields.sharpness]
type = "integer"
range = [0, 500]
[fields.style]
[image_files]
types = ["jpeg"]
max_bytes = 2_000_000
min_side = 300
"""


def lists_of(folder: Path) -> dict[str, tuple[str, str]]:
    """Return what is offered below each header: the list or the range, and what is said."""
    sheet = openpyxl.load_workbook(folder / STARTER_MANIFEST).worksheets[0]
    return {
        str(sheet[f"{str(one.sqref).split(':', maxsplit=1)[0][0]}1"].value): (
            f"{one.formula1}..{one.formula2}" if one.type == "whole" else str(one.formula1),
            str(one.prompt),
        )
        for one in sheet.data_validations.dataValidation
    }


def texts_of(folder: Path, sheet: str) -> str:
    rows = openpyxl.load_workbook(folder / STARTER_MANIFEST)[sheet].iter_rows(values_only=True)
    return "\n".join(" | ".join(str(cell) for cell in row if cell) for row in rows)


@pytest.mark.parametrize("model", shipped_sheets())
def test_the_template_of_each_model_passes_its_check(tmp_path: Path, model: str) -> None:
    """With the configuration beside it, and with a column for each field of the sheet."""
    make_starter(tmp_path, Models(model))
    config = load(tmp_path / STARTER_CONFIG, environ={}, overrides=())
    assert config.api.model == model
    found = check_manifest(tmp_path / STARTER_MANIFEST, config, cache_dir=None)
    assert (found.problems, found.valid) == ((), 3)
    sheet = sheet_of(model)
    assert set(sheet.fields) <= set(found.manifest.headers)
    offered = lists_of(tmp_path)
    for name, rule in sheet.fields.items():
        if rule.values is not None:
            assert offered[name][0] == '"' + ",".join(map(str, rule.values)) + '"'
    needs_pictures = 0 not in counts_of(ModelRules(model))
    guide = texts_of(tmp_path, "Start here")
    assert ("Every product needs some." in guide) == needs_pictures
    assert ("and the pictures" in guide) == needs_pictures
    assert ("A product needs none" in guide) != needs_pictures
    told = texts_of(tmp_path, "Rules")
    own = [rule for rule in sheet.rules if model in rule.when.get("model", [model])]
    assert all(rule.say[1:] in told for rule in own)


def test_several_models_share_a_table(tmp_path: Path) -> None:
    """Lists hold what any of them takes, and each model has a sheet of rules of its own."""
    make_starter(tmp_path, Models(DEFAULT_MODEL, ("veo3.1-fast", "viduq3-pro")))
    config = load(tmp_path / STARTER_CONFIG, environ={}, overrides=())
    found = check_manifest(tmp_path / STARTER_MANIFEST, config, cache_dir=None)
    assert (found.problems, found.valid) == ((), 3)
    offered = lists_of(tmp_path)
    assert offered["video_model"][0] == '"gemini_omni_flash,veo3.1-fast,viduq3-pro"'
    assert offered["duration"][0] == '"' + ",".join(map(str, range(1, 17))) + '"'
    assert offered["resolution"][0] == '"720P,1080p,720p,4k,540p"'
    assert "veo3.1-fast: 8 seconds." in offered["duration"][1]
    assert offered["audio"] == ('"true,false"', "viduq3-pro: true or false.")
    titles = openpyxl.load_workbook(tmp_path / STARTER_MANIFEST).sheetnames
    assert titles[2:] == [
        "Rules", "Rules gemini_omni_flash", "Rules veo3.1-fast", "Rules viduq3-pro",
    ]  # fmt: skip
    assert "up to 5,000 characters" in texts_of(tmp_path, "Rules viduq3-pro")


def test_a_model_of_a_sheet_of_ones_own(tmp_path: Path) -> None:
    """Fields of any name, a range, more pictures than columns, what its pictures have to be."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "clip.toml").write_text(OWN, encoding="utf-8")
    made = CliRunner().invoke(app, ["init", str(tmp_path), "--set", "api.model=clip/2"])
    assert made.exit_code == 0, made.output
    try:
        assert lists_of(tmp_path)["sharpness"][0] == "0..500"
        assert "style" not in lists_of(tmp_path), "any text may stand there"
        told = texts_of(tmp_path, "Rules")
        assert "JPEG, of at most 2 MB, at least 300 pixels on each side" in told
        table = openpyxl.load_workbook(tmp_path / STARTER_MANIFEST).worksheets[0]
        headers = [cell.value for cell in table[1]]
        assert headers[4:-1] == ["images", "sharpness", "style"]
        assert str(table.cell(2, 5).value).count("https://") == 4
        assert Models(DEFAULT_MODEL, ("clip/2",)).needed == {"key", "prompt"}
        make_starter(tmp_path / "two", Models(DEFAULT_MODEL, ("clip/2",)))
        titles = openpyxl.load_workbook(tmp_path / "two" / STARTER_MANIFEST).sheetnames
        assert titles[-1] == "Rules clip-2"
    finally:
        put_up({})


def test_a_sheet_of_the_working_folder_comes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the new folder would be for another model; a name that nobody has is refused."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "clip.toml").write_text(OWN, encoding="utf-8")
    call = CliRunner().invoke
    try:
        made = call(app, ["init", "shop", "--set", "api.model=clip/2"])
        assert made.exit_code == 0, made.output
        copy = Path("shop", "models", "clip.toml")
        assert f"created   {copy} (a copy of {Path('models', 'clip.toml')})" in made.output
        assert copy.read_text("utf-8") == OWN
        assert load(Path("shop", STARTER_CONFIG), environ={}).api.model == "clip/2"
        table = openpyxl.load_workbook(Path("shop", STARTER_MANIFEST)).worksheets[0]
        assert "sharpness" in [cell.value for cell in table[1]]
        assert "created" not in call(app, ["init", "shop", "--set", "api.model=clip/2"]).output
        made = call(app, ["init", "both", "--models", "clip/2"])
        assert made.exit_code == 0, made.output
        assert Path("both", "models", "clip.toml").is_file()
        assert call(app, ["init", "plain"]).exit_code == 0
        assert not Path("plain", "models").exists()
        Path("taken", "models").mkdir(parents=True)
        Path("taken", "models", "clip.toml").write_text(OWN.replace("clip/2", "clip-3"))
        taken = call(app, ["init", "taken", "--set", "api.model=clip/2"])
        assert "already exists; existing files are never overwritten" in str(taken.exception)
        wrong = call(app, ["init", "wrong", "--set", "api.model=clip"])
        assert 'There is no model "clip". Did you mean clip/2?' in str(wrong.exception)
        again = "reelsheet models new clip --like gemini_omni_flash"
        assert isinstance(wrong.exception, UsageError)
        assert again in str(wrong.exception.action)
        assert not Path("wrong").exists()
    finally:
        put_up({})


def test_how_many_pictures_a_row_takes_is_the_models() -> None:
    """Of views of a product none becomes the last frame of a film unasked."""
    three = ["front.jpg", "side.jpg", "top.jpg"]
    taken = {name: len(choose(three, Models(name)).taken) for name in shipped_sheets()}
    assert taken["gemini_omni_flash"] == taken["veo3.1-fast"] == 3
    assert taken["veo3.1-quality"] == 0, "a rule of the sheet forbids them"
    assert taken["grok-video-1.5"] == taken["viduq3-pro"] == 1
    assert choose(three, Models("grok-video-1.5")).note == (
        "3 pictures found; a video takes one, so only the first is used."
    )
    assert count_to_take(ModelRules("veo3.1-fast"), 2) == 0
    assert counts_of(ModelRules("veo3.1-quality")) == (0, 2)


def test_the_command(tmp_path: Path) -> None:
    """What is named is made, what is there already stays, and a name that is wrong is said."""
    call = CliRunner().invoke
    folder = tmp_path / "a"
    assert call(app, ["init", str(folder), "--models", "grok-video-1.5"]).exit_code == 0
    assert lists_of(folder)["video_model"][0] == '"gemini_omni_flash,grok-video-1.5"'
    (folder / STARTER_MANIFEST).unlink()
    again = call(app, ["init", str(folder), "--set", "api.model=grok-video-1.5"])
    assert "Set api.model: grok-video-1.5 in" in again.output
    wrong = call(app, ["init", str(folder), "--models", "grok-video"])
    assert "Did you mean grok-video-1.5?" in str(wrong.exception)
    other = call(app, ["init", str(folder), "--set", "limits.outstanding=3"])
    assert "takes api.model alone" in str(other.exception)


def test_a_configuration_that_is_there_says_the_model(tmp_path: Path) -> None:
    """Its template is made for that model; a file that cannot be read is left alone, too."""
    (tmp_path / STARTER_CONFIG).write_text("api: {model: grok-video-1.5}\n", encoding="utf-8")
    assert CliRunner().invoke(app, ["init", str(tmp_path)]).exit_code == 0
    assert lists_of(tmp_path)["resolution"][0] == '"480p,720p"'
    (tmp_path / STARTER_MANIFEST).unlink()
    (tmp_path / STARTER_CONFIG).write_text("[1, 2\n", encoding="utf-8")
    assert CliRunner().invoke(app, ["init", str(tmp_path)]).exit_code == 0
    assert lists_of(tmp_path)["resolution"][0] == '"720P,1080p"'


def test_a_manifest_from_pictures_is_for_the_model_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One picture a row where the model takes one, and its columns."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for view in ("front", "side", "top"):
        (tmp_path / "photos" / f"MUG1_{view}.jpg").write_bytes(b"\xff\xd8\xff")
    arguments = ["init", "--from-images", "photos", "--output", "new.csv"]
    made = CliRunner().invoke(app, [*arguments, "--set", "api.model=grok-video-1.5"])
    assert made.exit_code == 0, made.output
    assert "a video of grok-video-1.5 takes one" in made.output
    wrong = CliRunner().invoke(app, [*arguments[:-1], "b.csv", "--set", "api.model=grok-video"])
    assert "Did you mean grok-video-1.5?" in str(wrong.exception)
    header = (tmp_path / "new.csv").read_text("utf-8-sig").splitlines()[0]
    assert header == "key,prompt,video_look,image_1,duration,aspect_ratio,resolution,notes"


def test_what_is_suggested_names_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pasted without it, the rows would be those of another model."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "export.csv").write_text(
        "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Variant SKU,Image Src,Status\n"
        "mug,Moss Mug,,Acme,Mug,,TRUE,MUG1,https://cdn.shopify.com/1.jpg,active\n"
    )
    arguments = ["init", "--from", "shopify", "export.csv", "--output", "new.csv"]
    made = CliRunner().invoke(app, [*arguments, "--set", "api.model=veo3.1-quality"])
    assert made.exit_code == 0, made.output
    assert "reelsheet check new.csv --set api.model=veo3.1-quality" in made.output
    assert "no picture in the export" not in made.output
