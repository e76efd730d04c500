"""A folder of pictures becomes a manifest: sorted by name, the front first, nothing lost unsaid."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from pipeline.authoring.newmanifest import write
from pipeline.authoring.photographs import assemble, describe_left_out, headers_for
from pipeline.authoring.shots import by_name, by_pattern, group_products, split_numbers
from pipeline.checker.check import check_manifest
from pipeline.cli.app import app
from pipeline.config.loading import load
from pipeline.config.settings import Config
from pipeline.errors import UsageError
from pipeline.pictures.accepted import PICTURE_SUFFIXES


def sorted_out(paths: Iterable[str]) -> dict[str, list[str]]:
    groups = group_products(by_name(list(paths)))
    return {key: [shot.path for shot in shots] for key, shots in groups.items()}


def fill(folder: Path, names: Iterable[str]) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() in {".jpg", ".png"}:
            Image.new("RGB", (640, 360), "green").save(path)
        else:
            path.write_bytes(b"x")
    return folder


def rows_of(folder: Path, manifest: Path, pattern: str | None = None) -> list[dict[str, str]]:
    made = assemble(folder, manifest, pattern=pattern)
    return [dict(zip(headers_for(), row, strict=True)) for row in made.manifest.rows]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["SKU123-2.jpg", "SKU123_front.jpg", "SKU123-10.jpg"],
            {"SKU123": ["SKU123_front.jpg", "SKU123-2.jpg", "SKU123-10.jpg"]},
        ),
        (
            ["SKU123/10.jpg", "SKU123/2.jpg", "SKU123/front.jpg"],
            {"SKU123": ["SKU123/front.jpg", "SKU123/2.jpg", "SKU123/10.jpg"]},
        ),
        (["mug.jpg", "mug (2).jpg"], {"mug": ["mug.jpg", "mug (2).jpg"]}),
        (["mug_back.jpg", "MUG.jpg"], {"MUG": ["MUG.jpg", "mug_back.jpg"]}),
        (["TS-100.jpg", "TS-200.jpg"], {"TS-100": ["TS-100.jpg"], "TS-200": ["TS-200.jpg"]}),
        (["A-20.jpg", "A-30.jpg"], {"A-20": ["A-20.jpg"], "A-30": ["A-30.jpg"]}),
        (["A-01.jpg", "A-02.jpg"], {"A": ["A-01.jpg", "A-02.jpg"]}),
        (["crop-top.jpg"], {"crop-top": ["crop-top.jpg"]}),
        (["bag_top.jpg", "bag_side.jpg"], {"bag": ["bag_side.jpg", "bag_top.jpg"]}),
        (["bag_detail2.jpg", "bag_detail.jpg"], {"bag": ["bag_detail.jpg", "bag_detail2.jpg"]}),
        (["mug.jpg", "mug/1.jpg"], {"mug": ["mug.jpg", "mug/1.jpg"]}),
        (
            ["2025/mug/1.jpg", "2026/mug/1.jpg"],
            {"2025/mug": ["2025/mug/1.jpg"], "2026/mug": ["2026/mug/1.jpg"]},
        ),
        (["p10.jpg", "p9.jpg"], {"p9": ["p9.jpg"], "p10": ["p10.jpg"]}),
        (["b/b_worn.jpg", "b/b_front.jpg"], {"b": ["b/b_front.jpg", "b/b_worn.jpg"]}),
    ],
)  # fmt: skip
def test_names_say_the_product_and_the_view(
    names: list[str], expected: dict[str, list[str]]
) -> None:
    """Views are told from article numbers; the front is first, then as a person counts."""
    found = sorted_out(names)
    assert found == expected
    assert list(found) == list(expected)


@given(st.lists(st.from_regex(r"\A[a-c1 _.()-]{1,8}(/[a-c1_-]{1,4})?\.jpg\Z"), unique=True))
def test_no_picture_is_lost(names: list[str]) -> None:
    """Whatever the names, each picture belongs to exactly one product, and each has a key."""
    groups = group_products(by_name(names))
    assert sorted(shot.path for shots in groups.values() for shot in shots) == sorted(names)
    assert all(groups)


def test_natural_order() -> None:
    """2 before 10, and capitals do not matter."""
    assert sorted(["b10", "B2", "a", "b"], key=split_numbers) == ["a", "b", "B2", "b10"]


def test_a_pattern_of_ones_own() -> None:
    """The group `key` names the product, `view` orders, and what does not match is returned."""
    paths = ["mugs/moss_2.jpg", "mugs/moss_1.jpg", "mugs/ash_1.jpg", "odd.jpg"]
    shots, others = by_pattern(paths, r"/(?P<key>[a-z]+)_(?P<view>\d)")
    found = {key: [shot.path for shot in group] for key, group in group_products(shots).items()}
    assert found == {"ash": ["mugs/ash_1.jpg"], "moss": ["mugs/moss_1.jpg", "mugs/moss_2.jpg"]}
    assert others == ["odd.jpg"]


@pytest.mark.parametrize(
    ("pattern", "said"), [("(", "not a regular expression"), ("x", "named key")]
)
def test_a_bad_pattern(pattern: str, said: str) -> None:
    """It is explained, with one that works."""
    with pytest.raises(UsageError, match=said) as raised:
        by_pattern(["a.jpg"], pattern)
    assert "?P<key>" in str(raised.value.action)


def test_one_or_three_pictures_a_row(tmp_path: Path) -> None:
    """Never two: the second of two, and the fourth, are left out and named."""
    names = ["a-1.jpg", "b-1.jpg", "b-2.jpg", *(f"c-{n}.jpg" for n in (1, 2, 3, 4))]
    made = assemble(fill(tmp_path, names), tmp_path / "m.csv")
    places = [headers_for().index(f"image_{n}") for n in (1, 2, 3)]
    counts = [sum(bool(row[place]) for place in places) for row in made.manifest.rows]
    assert counts == [1, 1, 3]
    assert made.pictures == 5
    told = describe_left_out(made.left_out)
    assert any("b-2.jpg" in line and "two pictures" in line for line in told)
    assert any("c-4.jpg" in line and "at most three" in line for line in told)


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_the_manifest_passes_the_check(tmp_path: Path, suffix: str) -> None:
    """Paths begin at the manifest's folder, and every picture is found and opened."""
    fill(tmp_path / "photos", ["Tea tin_front.jpg", "Tea tin_2.jpg", "mug/1.png", "Grün.jpg"])
    target = tmp_path / f"m{suffix}"
    write(assemble(tmp_path / "photos", target).manifest, target)
    found = check_manifest(target, Config(), cache_dir=None)
    assert [one.code for one in found.problems] == ["picture_small"]
    assert found.keys == ("Grün", "mug", "Tea tin")
    assert len(found.pictures) == 2  # equal green pictures are one JPEG and one PNG


def test_pictures_outside_of_the_manifests_folder(tmp_path: Path) -> None:
    """Paths begin at the picture folder, which becomes the image root to be set."""
    folder = fill(tmp_path / "photos", ["a.jpg"])
    target = tmp_path / "manifests" / "m.csv"
    made = assemble(folder, target)
    write(made.manifest, target)
    assert made.image_root == folder
    config = load(None, environ={}, overrides=[f"manifest.image_root={folder.as_posix()}"])
    found = check_manifest(target, config, cache_dir=None)
    assert [one.code for one in found.problems] == ["picture_small"]


def test_the_manifest_inside_of_the_picture_folder(tmp_path: Path) -> None:
    """The manifest may lie in the folder itself."""
    assert rows_of(fill(tmp_path, ["a.jpg"]), tmp_path / "m.csv")[0]["image_1"] == "a.jpg"


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    """Hidden files, those of the system, drawings and raw formats, each with its reason."""
    names = ["a.jpg", ".DS_Store", "Thumbs.db", "b.psd", "c.svg", "d.nef", "e.mp4", "f.txt",
             ".hidden/g.jpg", "desktop.ini"]  # fmt: skip
    fill(tmp_path, names)
    (tmp_path / "empty.png").write_bytes(b"")
    left_out = assemble(tmp_path, tmp_path / "m.csv").left_out
    reasons = {path: why for why, paths in left_out.items() for path in paths}
    assert set(reasons) == {*names[1:-2], "desktop.ini", ".hidden/", "empty.png"}
    assert "save it as JPEG or PNG" in reasons["b.psd"]
    assert "0 bytes" in reasons["empty.png"]
    assert "hidden" in reasons["Thumbs.db"]


@pytest.mark.skipif(sys.platform == "win32", reason="names that Windows does not allow")
def test_names_that_a_cell_cannot_hold(tmp_path: Path) -> None:
    """A name that would be read as something else is left out, so that the check finds no fault."""
    fill(tmp_path, ["good.jpg", "' quoted '.jpg", "back\\slash.jpg", "line\nbreak.jpg"])
    (tmp_path / "root").symlink_to("/")
    made = assemble(tmp_path, tmp_path / "m.csv")
    assert {path for paths in made.left_out.values() for path in paths} >= {
        "back\\slash.jpg",
        "line\nbreak.jpg",
        "root",
    }
    write(made.manifest, tmp_path / "m.csv")
    found = check_manifest(tmp_path / "m.csv", Config(), cache_dir=None)
    assert [one.code for one in found.problems] == ["picture_small"]


def test_long_lists_are_shortened() -> None:
    """Of many files with one reason ten are named, all with -v."""
    left_out = {"no picture": [f"{n}.txt" for n in range(12)]}
    assert "9.txt and 2 more" in describe_left_out(left_out)[0]
    assert "11.txt" in describe_left_out(left_out, everything=True)[0]


def test_a_folder_that_is_a_category() -> None:
    """A folder whose names show several products is none of them."""
    names = [
        "mugs/moss_front.jpg",
        "mugs/moss_back.jpg",
        "mugs/ash_front.jpg",
        "jars/ash_front.jpg",
    ]
    assert sorted_out(names[:3]) == {"ash": [names[2]], "moss": names[:2]}
    assert sorted_out([*names, "jars/fig_front.jpg"]).keys() == {"ash", "fig", "jars ash", "moss"}
    numbers = ["bowls/4006381333931.jpg", "bowls/4006381333948.jpg"]
    assert len(sorted_out(numbers)) == 2


def test_a_folder_that_may_be_a_category(tmp_path: Path) -> None:
    """A folder of names that say nothing of views is one product, and the advice says so."""
    fill(tmp_path, ["mugs/moss.jpg", "mugs/ash.jpg"])
    made = assemble(tmp_path, tmp_path / "m.csv")
    assert len(made.manifest.rows) == 1
    pattern = made.advice[0].split("'")[1]
    assert [row["key"] for row in rows_of(tmp_path, tmp_path / "m.csv", pattern)] == ["ash", "moss"]


def test_folders_that_are_no_products() -> None:
    """Months, letters of a shop's own folders, sizes and views leave the name to what is above."""
    names = ["2026/05/mug-1.jpg", "2026/06/mug-2.jpg", "l/a/lamp_1.jpg", "l/a/lamp_2.jpg"]
    assert sorted_out(names) == {"lamp": names[2:], "mug": names[:2]}
    inside = ["Krug/Details/1.jpg", "Krug/vorne.jpg", "Krug/web/vorne.jpg", "Fotos/Krug_2.jpg"]
    assert sorted_out(inside).keys() == {"Krug"}
    first, *_ = group_products(by_name(inside))["Krug"]
    assert first.kind == "front"


def test_one_more_view_that_became_a_product(tmp_path: Path) -> None:
    """A name that goes on behind another product's is pointed out."""
    fill(tmp_path, ["bag_front.jpg", "bag_side.jpg", "bag_buckle.jpg"])
    assert (
        "bag_buckle became a separate product" in assemble(tmp_path, tmp_path / "m.csv").advice[0]
    )


def test_the_prompt_says_the_name(tmp_path: Path) -> None:
    """Without what cannot be seen of it; a number says nothing."""
    fill(tmp_path, ["Duvet Fjell 135x200 cm_front.jpg", "4006381333931.jpg"])
    numbered, named = assemble(tmp_path, tmp_path / "m.csv").manifest.rows
    assert named[0] == "Duvet Fjell 135x200 cm"
    assert named[1].startswith("Product film of Duvet Fjell, exactly as in the picture. ")
    assert numbered[1].startswith("Product film, exactly as in the picture. ")


def test_a_prompt_of_ones_own(tmp_path: Path) -> None:
    """The template has the key and the key as words; an empty prompt is refused."""
    fill(tmp_path, ["tea-tin_smoke.jpg"])
    made = assemble(
        tmp_path, tmp_path / "m.csv", template="{{ title }} / {{ key }} / {{ pictures }}"
    )
    assert made.manifest.rows[0][1] == "Tea tin smoke / tea-tin_smoke / 1"
    with pytest.raises(UsageError, match="empty prompt for tea-tin_smoke"):
        assemble(tmp_path, tmp_path / "m.csv", template=" ")


def test_folders_without_pictures(tmp_path: Path) -> None:
    """Missing, a file, empty, or nothing usable: each is said."""
    with pytest.raises(UsageError, match="does not exist"):
        assemble(tmp_path / "none", tmp_path / "m.csv")
    with pytest.raises(UsageError, match="has no picture"):
        assemble(tmp_path, tmp_path / "m.csv")
    fill(tmp_path, ["a.psd"])
    with pytest.raises(UsageError) as raised:
        assemble(tmp_path, tmp_path / "m.csv")
    assert "a.psd" in str(raised.value.action)
    with pytest.raises(UsageError, match="is not a folder"):
        assemble(tmp_path / "a.psd", tmp_path / "m.csv")


def test_thousands_of_pictures() -> None:
    """Ten thousand names are sorted into their products."""
    names = [f"SKU{n // 4:05d}-{n % 4 + 1}.jpg" for n in range(10_000)]
    found = sorted_out(names)
    assert len(found) == 2500
    assert all(len(paths) == 4 for paths in found.values())


def test_the_command(tmp_path: Path) -> None:
    """What was left out goes to standard output with the reason, advice to standard error."""
    folder = fill(tmp_path / "p", ["a-1.jpg", "a-2.jpg", "x.psd", "b_front.jpg", "b_clasp.jpg"])
    target = tmp_path / "other" / "m.xlsx"
    told = CliRunner().invoke(app, ["init", "--from-images", str(folder), "--output", str(target)])
    assert told.exit_code == 0
    assert "x.psd" in told.stdout
    assert "--set" not in told.stdout
    assert check_manifest(target, Config(), cache_dir=None).requests  # found without any option
    assert "with 3 rows" in told.stdout
    assert "b_clasp became" in told.stderr


def test_pictures_that_are_made_fit_are_taken() -> None:
    """Whatever a check accepts is gathered: photographs of telephones and scans, too."""
    assert {".heic", ".tif", ".bmp", ".avif", ".jpg", ".webp"} <= PICTURE_SUFFIXES
