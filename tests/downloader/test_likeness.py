"""How far the beginning of a video is like a picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw

from pipeline.downloader.filmfigures import FilmFigures
from pipeline.downloader.likeness import compare


def drawn(colour: tuple[int, int, int], size: tuple[int, int], shape: str = "mug") -> Image.Image:
    """A thing on a ground, in the middle."""
    picture = Image.new("RGB", size, (205, 200, 190))
    pen = ImageDraw.Draw(picture)
    x, y, side = size[0] // 2, size[1] // 2, min(size) // 4
    if shape == "mug":
        pen.rectangle((x - side, y - side, x + side // 2, y + side), fill=colour)
        pen.ellipse((x, y - side // 2, x + side, y + side // 2), outline=colour, width=side // 6)
    else:
        pen.polygon([(x - side, y + side), (x, y - side), (x + side // 3, y + side)], fill=colour)
    return picture


def start(picture: Image.Image, size: tuple[int, int] = (320, 180), dark: int = 0) -> Any:
    """The beginning of a video that shows this, after some dark film frames."""
    film = FilmFigures(2.0)
    scale = max(size[0] / picture.width, size[1] / picture.height)
    whole = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    left, top = (whole.width - size[0]) // 2, (whole.height - size[1]) // 2
    shown = np.asarray(whole.crop((left, top, left + size[0], top + size[1])))
    for at in range(48):
        pixels = (shown * min(1.0, at / dark if dark else 1.0)).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = at, Fraction(1, 24)
        film.see(frame)
    return film.report()["start"]


def test_a_video_that_begins_with_its_picture(tmp_path: Path) -> None:
    """Cut to the shape of the video, fading in, or with a picture that lies on its side."""
    red = drawn((200, 40, 40), (800, 800))
    red.save(tmp_path / "red.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    red.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "side.jpg", exif=exif)
    for name in ("red.png", "side.jpg"):
        for seen in (start(red), start(red, (180, 320)), start(red, dark=20)):
            found = compare(seen, str(tmp_path / name))
            assert found["alike"] >= 0.9
            assert found["colour"] >= 0.85


def test_another_thing_or_another_colour(tmp_path: Path) -> None:
    """On the same ground, too."""
    seen = start(drawn((200, 40, 40), (800, 600)))
    drawn((40, 60, 200), (800, 600)).save(tmp_path / "blue.png")
    drawn((200, 40, 40), (800, 600), "tent").save(tmp_path / "tent.png")
    blue, tent = (compare(seen, str(tmp_path / name)) for name in ("blue.png", "tent.png"))
    assert blue["alike"] >= 0.8
    assert blue["colour"] < 0.6
    assert tent["alike"] < 0.7


def test_a_picture_that_cannot_be_opened(tmp_path: Path) -> None:
    """It says nothing about the video."""
    (tmp_path / "a.png").write_bytes(b"no picture")
    assert "fault" in compare(start(drawn((1, 2, 3), (80, 60))), str(tmp_path / "a.png"))
