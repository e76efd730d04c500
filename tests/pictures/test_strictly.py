"""What is found in damaged photographs: by the quick way of reading them, and by the strict one."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, JpegImagePlugin

from pipeline.model import Picture, PictureFault
from pipeline.pictures import shelf as shelf_of_pictures
from pipeline.pictures import strictly
from pipeline.pictures.decode import decode_picture
from pipeline.pictures.shelf import PictureShelf
from pipeline.process.children import Died
from tests.pictures.damaged import damaged, photographs


def _verdict(path: Path, *, prepare: bool) -> tuple[str, int, int]:
    found = decode_picture(path, None, prepare=prepare)
    if isinstance(found, PictureFault):
        return found.code, 0, 0
    return "sound", found.width, found.height


def _verdicts(path: Path) -> list[tuple[str, int, int]]:
    found = []
    for name, data in (*photographs(), *damaged()):
        path.write_bytes(data)
        assert name
        found += [_verdict(path, prepare=prepare) for prepare in (True, False)]
    return found


def test_reading_an_eighth_finds_what_reading_in_full_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No verdict differs, and no size: all of the data is read either way."""
    quick = _verdicts(tmp_path / "photo.jpg")
    drafts = []
    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "draft", lambda *asked: drafts.append(asked))
    assert _verdicts(tmp_path / "photo.jpg") == quick
    assert drafts  # it is what made the difference
    assert {code for code, _, _ in quick} >= {"sound", "damaged"}


def test_a_picture_that_becomes_a_copy_is_read_in_full(tmp_path: Path) -> None:
    """A copy is made of all pixels: here of a photograph that was stored sideways."""
    exif = Image.Exif()
    exif[274] = 6
    path = tmp_path / "sideways.jpg"
    Image.effect_noise((640, 480), 80).convert("RGB").save(path, exif=exif)
    found = decode_picture(path, None, prepare=True)
    assert isinstance(found, Picture)
    assert (found.width, found.height) == (480, 640)


@pytest.mark.process
def test_the_strict_reader_finds_gaps_and_says_nothing_of_sound_files(tmp_path: Path) -> None:
    """Pillow takes a photograph with a gap in its middle; the strict reader names it."""
    sound, broken = [], []
    for at, (_, data) in enumerate(photographs()):
        good, gap = tmp_path / f"sound {at} ä.jpg", tmp_path / f"gap{at}.jpg"
        good.write_bytes(data)
        middle = len(data) * 2 // 3
        gap.write_bytes(data[:middle] + data[middle + len(data) // 8 :])
        sound.append(good)
        broken.append(gap)
    cmyk, other = tmp_path / "inks.jpg", tmp_path / "drawing.png"
    Image.new("CMYK", (64, 64)).save(cmyk, quality=30, subsampling=1)
    Image.new("RGB", (64, 64)).save(other)
    found = strictly.find_faults([*sound, cmyk, other, *broken, tmp_path / "gone.jpg"], 2)
    assert set(found) <= set(broken)
    assert len(found) >= 0.9 * len(broken)


def test_what_it_stops_at_is_a_warning_that_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is sent all the same. Without the setting nothing is said, nor recalled."""
    path = tmp_path / "mug.jpg"
    Image.new("RGB", (400, 300)).save(path)
    said, looked = [], []

    def find_faults(paths: list[Path], workers: int) -> dict[Path, str]:
        looked.append((paths, workers > 0))
        return {path: "A strict reader does not get to the end of mug.jpg."}

    monkeypatch.setattr(shelf_of_pictures, "find_faults", find_faults)
    for strict in (False, True, True, False):
        with PictureShelf(tmp_path / "cache", strict=strict) as shelf:
            picture = shelf.inspect([path])[path]
        assert isinstance(picture, Picture)
        said.append(picture.warnings)
    assert said[0] == said[3] == ()
    assert said[1] == said[2] == ("A strict reader does not get to the end of mug.jpg.",)
    assert looked == [([path], True), ([], True)]


def test_a_child_that_dies_over_a_picture_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That picture is named; the next child goes on behind it."""
    paths = [tmp_path / f"{at}.jpg" for at in range(4)]
    asked = []

    def answers(left: list[Path]) -> object:
        asked.append(len(left))
        yield False
        raise Died("killed")

    monkeypatch.setattr(strictly, "_answers", answers)
    assert strictly._look(paths) == [paths[1], paths[3]]
    assert asked == [4, 2]
