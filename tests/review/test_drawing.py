"""Posters and small pictures are drawn beside whatever goes on, and never in its way."""

from __future__ import annotations

import asyncio
from pathlib import Path

from PIL import Image

from pipeline.checker.check import check_manifest
from pipeline.config.settings import Config
from pipeline.errors import BadVideo
from pipeline.model import Video
from pipeline.review.drawing import Drawer, pictures_of, poster_of, posters_missing
from pipeline.review.posters import poster_name
from pipeline.review.takes import rows_with_takes
from tests.review.shop import make_shop


def video(name: str) -> Video:
    return Video(name, 1, "", 4.0, 1280, 720)


async def test_what_is_missing_is_drawn_once(tmp_path: Path) -> None:
    """Each take has its own name, with its number in it; what is there is not drawn again."""
    shop = make_shop(tmp_path)
    shop.make("MUG")
    shop.make("MUG", 2)
    asked: list[str] = []

    async def draw(path: Path, is_picture: bool) -> bytes:
        assert not is_picture
        asked.append(path.name)
        await asyncio.sleep(0)
        return b"jpeg of " + path.name.encode()

    rows = rows_with_takes(shop.check(), shop.folder)
    missing = posters_missing(rows, shop.folder, shop.manifest)
    async with Drawer(draw) as drawer:
        drawer.put(missing)
        await drawer.finish(10)
    assert asked == ["MUG.mp4", "MUG-2.mp4"]
    assert (shop.folder.posters / "MUG.1.jpg").read_bytes() == b"jpeg of MUG.mp4"
    assert (shop.folder.posters / "MUG-2.2.jpg").read_bytes() == b"jpeg of MUG-2.mp4"
    assert posters_missing(rows, shop.folder, shop.manifest) == []


async def test_what_cannot_be_drawn_stops_nothing(tmp_path: Path) -> None:
    """Neither a damaged video nor a disk that takes nothing; the end waits for no long one."""
    shop = make_shop(tmp_path)
    shop.make("MUG")
    blocked = shop.folder.root / "review"

    async def draw(path: Path, is_picture: bool) -> bytes:
        _ = is_picture
        if path.name == "bad.mp4":
            raise BadVideo("it is damaged")
        if path.name == "slow.mp4":
            await asyncio.Event().wait()
        return b"jpeg"

    blocked.write_bytes(b"a file in the place of the folder")
    names = ("bad.mp4", "MUG.mp4")
    async with Drawer(draw) as drawer:
        drawer.put([poster_of(video(name), 1, shop.folder, shop.manifest) for name in names])
        await drawer.finish(10)
        blocked.unlink()
        drawer.put([poster_of(video("MUG.mp4"), 1, shop.folder, shop.manifest)])
        await drawer.finish(10)
        assert (shop.folder.posters / poster_name("MUG.mp4", 1)).read_bytes() == b"jpeg"
        drawer.put([poster_of(video("slow.mp4"), 1, shop.folder, shop.manifest)])
        await drawer.finish(0.05)


def test_local_pictures_get_small_copies(tmp_path: Path) -> None:
    """Web addresses do not: the page shows them as text, and loads nothing from elsewhere."""
    shop = make_shop(tmp_path)
    Image.new("RGB", (400, 400), "green").save(tmp_path / "mug.png")
    shop.manifest.write_text(
        f"sku,prompt,image\nMUG,A mug.,{tmp_path / 'mug.png'}\nBAG,A bag.,https://shop.example/b.jpg\n"
    )
    config = Config.model_validate({"manifest": {"images_outside": True}})
    checked = check_manifest(shop.manifest, config, cache_dir=None)
    (drawing,) = pictures_of(checked, shop.folder)
    assert drawing.is_picture
    assert drawing.source.name == "mug.png"
    drawing.target.parent.mkdir(parents=True)
    drawing.target.write_bytes(b"")
    assert pictures_of(checked, shop.folder) == []
