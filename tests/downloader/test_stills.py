"""Stills of videos and small copies of pictures, drawn in a decoding process."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from pipeline.downloader.verification import Decoders
from pipeline.errors import BadVideo


def _fading(path: Path, *, bright: range, size: tuple[int, int] = (640, 360)) -> None:
    """Write a video of two seconds that is grey but for a few film frames."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number in range(48):
            pixels = np.full((size[1], size[0], 3), 40, np.uint8)
            if number in bright:
                pixels[:, : size[0] // 2] = 250
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


@pytest.mark.process
async def test_the_still_shows_most(tmp_path: Path) -> None:
    """Of the middle half: neither a black beginning nor an end that is out of it."""
    _fading(tmp_path / "a.mp4", bright=range(22, 27))
    _fading(tmp_path / "late.mp4", bright=range(44, 48))
    _fading(tmp_path / "tall.mp4", bright=range(48), size=(360, 640))
    async with Decoders(processes=1) as decoders:
        still = Image.open(io.BytesIO(await decoders.draw(tmp_path / "a.mp4")))
        assert (still.format, still.size) == ("JPEG", (320, 180))
        grey = np.asarray(still.convert("L"))
        assert grey[90, 40] > 200
        assert grey[90, 280] < 90
        late = Image.open(io.BytesIO(await decoders.draw(tmp_path / "late.mp4")))
        assert np.asarray(late.convert("L")).max() < 90
        tall = Image.open(io.BytesIO(await decoders.draw(tmp_path / "tall.mp4")))
        assert tall.width <= 320
        assert tall.height <= 570


@pytest.mark.process
async def test_what_cannot_be_drawn_is_told(tmp_path: Path, video: bytes) -> None:
    """And the process goes on with the next one."""
    (tmp_path / "a.mp4").write_bytes(b"no video at all")
    (tmp_path / "b.mp4").write_bytes(video)
    (tmp_path / "c.jpg").write_bytes(b"\xff\xd8\xff no picture")
    async with Decoders(processes=1) as decoders:
        with pytest.raises(BadVideo, match="refuses it"):
            await decoders.draw(tmp_path / "a.mp4")
        with pytest.raises(BadVideo, match="picture cannot be opened"):
            await decoders.draw(tmp_path / "c.jpg", is_picture=True)
        assert (await decoders.draw(tmp_path / "b.mp4")).startswith(b"\xff\xd8\xff")


@pytest.mark.process
async def test_small_copies_of_pictures(tmp_path: Path) -> None:
    """Upright, on white where they are transparent, small enough also where all is noise."""
    noise = np.random.default_rng(1).integers(0, 255, (1200, 900, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    Image.fromarray(noise).save(tmp_path / "noise.jpg", quality=95, exif=exif)
    Image.fromarray(noise[:640, :640]).save(tmp_path / "grain.png")  # no mean of it is taken
    Image.new("RGBA", (300, 200), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    async with Decoders(processes=1) as decoders:
        noisy = await decoders.draw(tmp_path / "noise.jpg", is_picture=True)
        small = Image.open(io.BytesIO(noisy))
        assert small.width > small.height
        assert max(small.size) <= 640
        assert len(noisy) <= 40_000
        grain = await decoders.draw(tmp_path / "grain.png", is_picture=True)
        assert 300 < max(Image.open(io.BytesIO(grain)).size) < 640
        assert len(grain) <= 40_000
        clear = await decoders.draw(tmp_path / "clear.png", is_picture=True)
        assert Image.open(io.BytesIO(clear)).getpixel((10, 10)) == (255, 255, 255)
