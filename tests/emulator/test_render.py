"""Rendered videos: decoded and looked at."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from PIL import Image

from pipeline.emulator.render import Picture, Shot, render
from pipeline.review.posters import web_picture_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    import numpy.typing as npt


def frames_of(body: bytes) -> list[npt.NDArray[np.uint8]]:
    """Decode every sixth frame."""
    with av.open(io.BytesIO(body), "r") as container:
        assert container.streams.video[0].average_rate == 24
        decoded = list(container.decode(video=0))
    assert len(decoded) == 96
    return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in decoded[::6]]


async def test_the_three_kinds_of_request(start: Callable[..., Awaitable[Any]], png: bytes) -> None:
    """A card, one picture in motion, three pictures in turn; the mark on every frame."""
    api = await start(quick=False)
    picture = (await api.upload(png))[1]["data"]["url"]
    kinds: list[dict[str, Any]] = [
        {"prompt": "A walnut chair, slowly turning"},
        {"image_urls": [picture]},
        {"image_urls": [picture, "https://example.com/b.jpg", picture], "aspect_ratio": "9:16"},
    ]
    names = [await api.accepted(duration=4, **kind) for kind in kinds]
    urls = [(await api.finished(name))["video_url"] for name in names]
    card, one, three = [frames_of((await api.get(url))[1]) for url in urls]
    assert card[0].shape == one[0].shape == (720, 1280, 3)
    assert three[0].shape == (1280, 720, 3)
    for frame in (*card, *one, *three):
        # White letters on black in the corner.
        corner = frame[26:70, 26:200].mean(axis=2)
        assert corner.max() > 200
        assert corner.min() < 60
    assert card[0][200:520].max() > 200, "the prompt is light on dark"
    first, last = one[0], one[-1]
    assert first[360, 300, 0] > 150 > first[360, 300, 2], "red on the left"
    assert first[360, 1000, 2] > 150 > first[360, 1000, 0], "blue on the right"
    assert np.abs(first.astype(int) - last).mean() > 1, "it moves"
    thirds = [three[index].astype(int)[640] for index in (0, 8, 15)]
    assert np.abs(thirds[0] - thirds[1]).mean() > 20, "another picture in the middle"
    assert np.abs(thirds[0] - thirds[2]).mean() < 20, "the first once more at the end"
    records = api.emulator.summary()
    assert records["kinds"].get("picture", 0) == 0, "nothing is fetched to be rendered"


def first_frame(shot: Shot) -> npt.NDArray[np.uint8]:
    """Render, and return the first picture."""
    render(shot)
    with av.open(str(shot.path)) as container:
        frame = next(container.decode(video=0))
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def test_a_card_names_its_row(tmp_path: Path) -> None:
    """Over the prompt, also where the row's picture lies on the web: whoever judges knows it."""
    plain = Shot(tmp_path / "a.mp4", "A mug turns.", 1, (480, 270), ())
    elsewhere = (Picture(None, "shop.example"),)
    for pictures in ((), elsewhere):
        bare = first_frame(replace(plain, pictures=pictures))
        named = first_frame(replace(plain, pictures=pictures, row="MUG-MOSS " * 30))
        changed = np.abs(bare.astype(int) - named).max(axis=2) > 60
        rows = np.flatnonzero(changed.any(axis=1))
        assert rows.size
        assert 270 * 0.08 < rows.min() < rows.max() < 270 * 0.25
    assert np.ptp(bare[90:200]) > 100, "the prompt is there"


async def test_the_copy_of_a_web_picture_is_shown(
    start: Callable[..., Awaitable[Any]], tmp_path: Path
) -> None:
    """Where somebody has fetched it; the emulator itself asks nobody."""
    address = "https://shop.example/green.jpg"
    name = web_picture_name(address)
    Image.new("RGB", (320, 180), (20, 200, 20)).save(tmp_path / name, "JPEG")
    api = await start(quick=False, pictures=tmp_path)
    url = await api.video_url(image_urls=[address], duration=4)
    middle = frames_of((await api.get(url))[1])[0][300:400, 600:700].mean(axis=(0, 1))
    assert middle[1] > 150 > middle[0]
