"""Of several files of one picture the best one is taken."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from pipeline.authoring.nearnames import PictureSizes, choose_files
from pipeline.authoring.shots import by_name, group_products


def chosen(folder: Path, pictures: dict[str, tuple[int, int]]) -> tuple[list[str], dict[str, str]]:
    for number, (name, size) in enumerate(pictures.items()):
        Image.new("RGB", size, (90 * number % 256, 0, 0)).save(folder / name)
    sizes = PictureSizes(folder)
    (shots,) = group_products(by_name(list(pictures), sizes.of)).values()
    found = choose_files(shots, sizes)
    return [shot.path for shot in found.shots], found.instead


def test_the_largest_size_wins(tmp_path: Path) -> None:
    """By the pixels of the file, whatever the name says."""
    kept, instead = chosen(
        tmp_path,
        {"a-1600x1200.jpg": (640, 480), "a-scaled.jpg": (900, 700), "a_thumb.jpg": (90, 70)},
    )
    assert kept == ["a-scaled.jpg"]
    assert instead == {"a-1600x1200.jpg": "a-scaled.jpg", "a_thumb.jpg": "a-scaled.jpg"}


def test_the_last_version_wins(tmp_path: Path) -> None:
    """A retouched picture before one as it is, and that before a copy, if it is not tiny."""
    size = (400, 300)
    pictures = {"b.jpg": size, "b_final.jpg": size, "b_final_v2.jpg": size, "b Kopie.jpg": size}
    assert chosen(tmp_path, pictures)[0] == ["b_final_v2.jpg"]
    assert chosen(tmp_path, {"c.jpg": (900, 900), "c_final.jpg": (90, 90)})[0] == ["c.jpg"]
    assert chosen(tmp_path, {"d.png": size, "d.jpg": size})[0] == ["d.jpg"]


def test_copies_that_are_none(tmp_path: Path) -> None:
    """`(1)` is another picture, unless its bytes are the same."""
    kept, _ = chosen(tmp_path, {"e.jpg": (400, 300), "e (1).jpg": (400, 300)})
    assert kept == ["e.jpg", "e (1).jpg"]
    (tmp_path / "e (1).jpg").write_bytes((tmp_path / "e.jpg").read_bytes())
    sizes = PictureSizes(tmp_path)
    (shots,) = group_products(by_name(["e.jpg", "e (1).jpg"], sizes.of)).values()
    assert choose_files(shots, sizes).instead == {"e (1).jpg": "e.jpg"}


def test_files_that_cannot_be_measured(tmp_path: Path) -> None:
    """They count as small, and nothing fails."""
    (tmp_path / "f.jpg").write_bytes(b"no picture")
    sizes = PictureSizes(tmp_path)
    assert sizes.of("f.jpg") is None
    assert sizes.area("gone.jpg") == 0
    assert not sizes.are_equal("f.jpg", "gone.jpg")
