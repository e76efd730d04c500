"""Posters and figures lie beside videos in a bucket, and another folder takes them from there."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import obstore
from PIL import Image

from pipeline.disk.folder import OutputFolder
from pipeline.errors import BadVideo
from pipeline.model import Video
from pipeline.review.beside import Besides, figures_name
from pipeline.review.drawing import Draw, Drawer, Drawing, poster_of
from pipeline.review.looks import Looks
from pipeline.review.measuring import Measurer, Measuring, measuring_of
from tests.review.shop import Shop, make_shop
from tests.review.test_measuring import Bench
from tests.system.harness.bucket import Bucket

PLACE = "spring/shop"


def jpeg(colour: str) -> bytes:
    """Return a small picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def put(bucket: Bucket, video: Video) -> Video:
    """Have a video be in the bucket, and nowhere else."""
    film = b"film of a mug"
    obstore.put(bucket.store(), f"{PLACE}/{video.name}", film)
    where, sha256 = f"s3://{bucket.name}/{PLACE}", hashlib.sha256(film).hexdigest()
    return replace(video, place=where, size_bytes=len(film), sha256=sha256)


def of_video(shop: Shop, folder: OutputFolder, video: Video) -> tuple[Drawing, Measuring]:
    """Return what is to be drawn and to be measured of a video, for an output folder."""
    measuring = measuring_of(video, (), shop.check(), folder, Looks(folder.looks))
    return poster_of(video, 1, folder, shop.manifest), measuring


async def make(draw: Draw, bench: Bench, drawing: Drawing, measuring: Measuring) -> None:
    """Have a poster drawn and a video measured, and what comes of it put beside the video."""
    async with (
        Besides() as besides,
        Drawer(draw, besides.put) as drawer,
        Measurer(bench, besides.put) as measurer,
    ):
        drawer.put([drawing])
        measurer.put([measuring])
        for one in (drawer, measurer, besides):
            await one.finish(10)


async def test_another_folder_takes_them_over(tmp_path: Path, bucket: Bucket) -> None:
    """Neither is a video fetched nor decoded for what lies beside it; it is put there once."""
    shop = make_shop(tmp_path)
    video = put(bucket, shop.make("MUG"))
    bench, drawn = Bench(), list[Path]()

    async def draw(path: Path, is_picture: bool) -> bytes:
        assert not is_picture
        drawn.append(path)
        return jpeg("red")

    for name in ("first", "second"):
        folder = OutputFolder(tmp_path / name)
        drawing, measuring = of_video(shop, folder, video)
        await make(draw, bench, drawing, measuring)
        assert (folder.posters / "MUG.1.jpg").read_bytes() == jpeg("red")
        assert measuring.looks.figures(video.sha256) == bench.found
        assert len(drawn) == len(bench.asked) == 1
    names = [f"{PLACE}/{one}" for one in ("MUG.1.jpg", figures_name("MUG.mp4"), "MUG.mp4")]
    assert sorted(bucket.everything()) == names


async def test_what_does_not_fit_is_made_anew(tmp_path: Path, bucket: Bucket) -> None:
    """Somebody else's files stay as they are, and are neither shown nor believed."""
    shop = make_shop(tmp_path)
    video = put(bucket, shop.make("MUG"))
    for name, content in (("MUG.1.jpg", b"<svg onload=x>"), ("MUG.json", b'{"recipe": 0}')):
        obstore.put(bucket.store(), f"{PLACE}/{name}", content)
    bench = Bench()

    async def draw(*_: Any) -> bytes:
        return jpeg("blue")

    drawing, measuring = of_video(shop, shop.folder, video)
    await make(draw, bench, drawing, measuring)
    assert (shop.folder.posters / "MUG.1.jpg").read_bytes() == jpeg("blue")
    assert measuring.looks.figures(video.sha256) == bench.found
    kept = obstore.get(bucket.store(), f"{PLACE}/MUG.1.jpg").bytes().to_bytes()
    assert kept == b"<svg onload=x>"


async def test_a_bucket_that_is_gone_stops_nothing(tmp_path: Path, bucket: Bucket) -> None:
    """The poster is shown from the output folder; a copy less is no failure."""
    shop = make_shop(tmp_path)
    here = shop.folder.videos / shop.make("MUG").name
    video = Video("MUG.mp4", 13, "", 4.0, 1280, 720, place=f"s3://{bucket.name}-gone/{PLACE}")

    async def draw(path: Path, _: bool) -> bytes:
        if path != here:
            raise BadVideo("it is elsewhere")
        return jpeg("red")

    drawing, _ = of_video(shop, shop.folder, video)
    async with Besides() as besides, Drawer(draw, besides.put) as drawer:
        assert await drawer.draw(drawing) is not None
        assert await drawer.draw(drawing.of(here)) is None
        await besides.finish(10)
    assert (shop.folder.posters / "MUG.1.jpg").read_bytes() == jpeg("red")
