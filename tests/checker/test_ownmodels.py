"""A sheet of ones own in a check: its fields as columns, its pictures, its rules in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from pipeline.checker.check import check_manifest
from pipeline.checker.checked import CheckedManifest
from pipeline.config.loading import load
from pipeline.config.ownsheets import put_up_own_sheets
from pipeline.errors import ConfigError
from pipeline.manifest.earlier import NEW, Reading
from pipeline.models.body import body_of
from pipeline.models.shelf import put_up

SHEET = """
sheet = 1
models = ["clip-2"]
source = "https://docs.example.com/clip-2"
read = 2026-11-22
[[images]]
counts = [0]
[[images]]
counts = [1, 2]
put = { images = ["{*}"] }
[fields.style]
[fields.aspect_ratio]
values = ["square", "upright"]
[fields.audio]
type = "boolean"
default = true
[[rules]]
when = { images = [2] }
forbid = { audio = [true] }
say = "two pictures and sound exclude each other"
[image_files]
types = ["jpeg"]
max_bytes = 20_000
min_side = 300
shape = [0.5, 2]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with such a sheet, put up."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "clip.toml").write_text(SHEET, encoding="utf-8")
    put_up_own_sheets(tmp_path)
    yield tmp_path
    put_up({})


def check(
    folder: Path, *lines: str, sets: tuple[str, ...] = (), known: Reading = NEW
) -> CheckedManifest:
    path = folder / "m.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = load(None, environ={}, overrides=sets)
    return check_manifest(path, config, cache_dir=None, known=known)


def styles(found: CheckedManifest) -> list[object]:
    return [body_of(one, one.prompt).get("style") for one in found.requests.values()]


def test_a_field_of_a_sheet_can_stand_under_any_header(folder: Path) -> None:
    """It counts for rows of the model alone, and a later run reads it without being told."""
    lines = ("sku,prompt,video_model,Stil", "A,a mug,clip-2,noir", "B,a lamp,,noir")
    asked = ("manifest.columns.Stil=style",)
    found = check(folder, *lines, sets=asked)
    assert found.errors == ()
    assert styles(found) == ["noir", None]
    assert "Stil = style" in "".join(found.columns.lines())
    again = check(folder, *lines, known=found.reading)
    assert styles(again) == ["noir", None]
    assert again.requests == found.requests
    assert styles(check(folder, *lines)) == [None, None]
    with pytest.raises(ConfigError, match="must be prompt, image_1"):
        load(None, environ={}, overrides=["manifest.columns.Stil=styles"])


def test_keys_move_only_where_the_model_has_the_field(folder: Path) -> None:
    """Rows without a key column: those of the first model keep the keys that they always had."""
    lines = ("prompt,video_model,Stil", "a mug,clip-2,noir", "a mug,clip-2,pop", "a mug,,noir")
    named = check(folder, *lines, sets=("manifest.columns.Stil=style",))
    plain = check(folder, "prompt", "a mug")
    assert len(set(named.keys)) == 3
    assert named.keys[2] == plain.keys[0]
    unused = check(folder, "prompt,Stil", "a mug,noir", sets=("manifest.columns.Stil=style",))
    assert unused.keys == plain.keys


def test_a_cell_that_a_rows_model_does_not_take_is_said(folder: Path) -> None:
    """Once for each model; the row goes out without it."""
    lines = ("sku,prompt,video_model,audio", "A,a mug,clip-2,no", "B,a cup,,yes", "C,a jar,,no")
    found = check(folder, *lines)
    assert [one.message for one in found.problems] == [
        "gemini_omni_flash takes no audio: what rows 3 and 4 say in the column audio is not sent."
    ]
    assert found.valid == 3


def test_a_text_is_as_long_as_the_sheet_says(folder: Path) -> None:
    """By characters; without a length 2,000. The row says how long it is, and nothing is cut."""
    lines = ("sku,prompt,video_model,style", "A,a mug,clip-2," + "ä" * 2_000)
    assert check(folder, *lines).errors == ()
    (problem,) = check(folder, *lines[:1], lines[1] + "x").errors
    assert (problem.row, problem.column) == (2, "style")
    assert problem.message == (
        "The style has 2,001 characters; clip-2 takes at most 2,000. Shorten it."
    )
    longer = SHEET.replace("[fields.style]", "[fields.style]\nmax_characters = 2_500")
    (folder / "models" / "clip.toml").write_text(longer, encoding="utf-8")
    put_up_own_sheets(folder)
    assert check(folder, lines[0], lines[1] + "x" * 500).errors == ()
    (problem,) = check(folder, lines[0], lines[1] + "x" * 501).errors
    assert "has 2,501 characters; clip-2 takes at most 2,500." in problem.message


@pytest.mark.parametrize(
    ("name", "size", "quality", "said"),
    [
        ("a.png", (400, 400), 0, "a.png is a PNG picture, and clip-2 takes JPEG only. Save it as"),
        ("a.jpg", (290, 290), 5, "needs at least 300 on each side. Name a larger picture of it."),
        ("a.jpg", (660, 310), 5, "0.5 to 2 times as wide as high. Crop it to such a shape."),
        ("a.jpg", (900, 900), 95, "kB, and clip-2 takes at most 20 kB. Save it smaller"),
    ],
)
def test_pictures_are_held_to_what_the_sheet_says(
    folder: Path, name: str, size: tuple[int, int], quality: int, said: str
) -> None:
    """The cell is named, with the limit and what to do; other models take the picture."""
    noise = Image.effect_noise(size, quality) if quality else Image.new("L", size)
    noise.convert("RGB").save(folder / name, quality=quality)
    lines = ("sku,prompt,video_model,image_1", f"A,a mug,clip-2,{name}", f"B,a mug,,{name}")
    found = check(folder, *lines)
    (problem,) = found.errors
    assert (problem.code, problem.cell) == ("picture_not_for_model", None)
    assert (problem.row, problem.column) == (2, "image_1")
    assert said in problem.message
    assert set(found.drafts) == {3}
    Image.new("RGB", (320, 320)).save(folder / "a.jpg", quality=5)
    assert check(folder, *lines[:1], "A,a mug,clip-2,a.jpg").errors == ()


def test_a_shape_in_words_is_a_shape_of_which_nothing_is_known(folder: Path) -> None:
    """No picture is far from it."""
    Image.new("RGB", (520, 1030)).save(folder / "a.jpg", quality=5)
    lines = ("sku,prompt,video_model,image_1,aspect_ratio", "A,a mug,clip-2,a.jpg,square")
    assert check(folder, *lines).problems == ()


def test_a_default_that_breaks_a_rule_is_said_with_its_remedy(folder: Path) -> None:
    """An empty cell is not told to be empty."""
    pictures = '"https://a.example/1.jpg|https://a.example/2.jpg"'
    (problem,) = check(
        folder, "sku,prompt,images,video_model,audio", f"A,a mug,{pictures},clip-2,"
    ).errors
    assert problem.column == "audio"
    assert problem.message == (
        "Two pictures and sound exclude each other; this row has true, the default of audio. "
        "Write false as the audio."
    )


def test_names_that_differ_in_capitals_are_one(folder: Path) -> None:
    """Cells name models in any case, so two sheets may not."""
    other = SHEET.replace("clip-2", "CLIP-2")
    (folder / "models" / "other.toml").write_text(other, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"has a sheet in clip\.toml, too"):
        put_up_own_sheets(folder)
    (folder / "models" / "other.toml").write_text(
        SHEET.replace("clip-2", "VEO3.1-fast"), encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=r"is veo3\.1-fast but for its capitals"):
        put_up_own_sheets(folder)


@pytest.mark.parametrize("name", ["key", "sku", "title", "image_1", "video_look", "result_state"])
def test_a_field_cannot_be_a_column_of_something_else(folder: Path, name: str) -> None:
    """The key or the title of a product would go to the provider."""
    text = SHEET.replace("[fields.style]", f"[fields.{name}]")
    (folder / "models" / "clip.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=f"fields.{name}: "):
        put_up_own_sheets(folder)
