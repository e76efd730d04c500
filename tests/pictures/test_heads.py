"""The first bytes of a picture tell its format and its size."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from pipeline.pictures.heads import read_head


def saved(kind: str, **how: bool | int) -> bytes:
    file = BytesIO()
    Image.effect_noise((700, 300), 50).convert("RGB").save(file, kind, **how)
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [saved("JPEG"), saved("PNG"), saved("GIF"), saved("BMP"), saved("WEBP"),
     saved("WEBP", lossless=True)],
    ids=["jpeg", "png", "gif", "bmp", "webp", "webp lossless"],
)  # fmt: skip
def test_a_part_tells_the_size(data: bytes) -> None:
    """A fraction of the file is enough, less is told as no size, and no cut is an error."""
    assert (read_head(data[:1000]).width, read_head(data[:1000]).height) == (700, 300)
    for end in range(12, 200):
        found = read_head(data[:end])
        assert found.format is not None
        assert (found.width, found.height) in {(700, 300), (0, 0)}


def test_a_webp_with_more_than_a_picture() -> None:
    """Its size stands in another place."""
    file = BytesIO()
    Image.new("RGBA", (700, 300), (1, 2, 3, 40)).save(file, "WEBP", exif=b"Exif\0\0")
    found = read_head(file.getvalue()[:64])
    assert (found.width, found.height) == (700, 300)


@pytest.mark.parametrize(
    ("data", "shown"),
    [(b"<!DOCTYPE html><p>", "a web page"), (b"%PDF-1.4", "a PDF"), (b"\0" * 50, "no picture")],
)
def test_what_is_no_picture(data: bytes, shown: str) -> None:
    """It is called by its name."""
    found = read_head(data)
    assert found.format is None
    assert not found.sent
    assert found.shown.startswith(shown)
