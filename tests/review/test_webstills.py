"""Small copies of web pictures: asked for by a person, kept beside those of local ones."""

from __future__ import annotations

import asyncio
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from pipeline.downloader.verification import Decoders
from pipeline.review.cards import Cards, Stills
from pipeline.review.drawing import Drawer
from pipeline.review.static import stills_in
from pipeline.review.takes import rows_with_takes
from pipeline.review.webstills import fetch_stills, web_pictures_missing
from tests.downloader.conftest import Host
from tests.downloader.test_webpictures import serve
from tests.review.shop import Shop, make_shop

pytestmark = pytest.mark.process


def plain_picture() -> bytes:
    file = BytesIO()
    Image.new("RGB", (1200, 900), "teal").save(file, "JPEG")
    return file.getvalue()


def shop_with(tmp_path: Path, *urls: str) -> Shop:
    shop = make_shop(tmp_path, "MUG BAG")
    text = "sku,prompt,image_1,image_2\nMUG,A mug.," + ",".join(urls) + "\nBAG,A bag.,,\n"
    shop.manifest.write_text(text, encoding="utf-8")
    shop.make("MUG")
    return shop


def shown(shop: Shop, stills: Stills) -> object:
    checked = shop.check()
    return Cards(checked).make(rows_with_takes(checked, shop.folder), {}, stills)[0]["pictures"]


async def test_a_copy_takes_the_place_of_the_address(tmp_path: Path) -> None:
    """Only of what could be fetched; what is there is not fetched again."""
    host = Host(b"", behaviours={"mug.jpg": serve(plain_picture())})
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    host.port = server.sockets[0].getsockname()[1]
    at = f"http://127.0.0.1:{host.port}"
    shop = shop_with(tmp_path, f"{at}/mug.jpg", "https://shop.invalid/b.jpg")
    asked = [(shop.check(), shop.folder)]
    assert shown(shop, Stills()) == [
        {"url": f"{at}/mug.jpg"},
        {"url": "https://shop.invalid/b.jpg"},
    ]
    missing = {url: one for url, one in web_pictures_missing(asked).items() if url.startswith(at)}
    async with server, Decoders() as decoders, Drawer(decoders.draw) as drawer:
        told = await fetch_stills(missing, drawer.draw, allow_private=True)
        assert told == "1 web picture fetched."
        told = await fetch_stills(missing, drawer.draw)
        assert told.startswith(f"0 web pictures fetched, 1 not; first {at}/mug.jpg: ")
    (copy,) = shop.folder.small_pictures.iterdir()
    with Image.open(BytesIO(copy.read_bytes())) as small:
        assert (small.format, small.width) == ("JPEG", 640)
    pictures = shown(shop, stills_in(shop.folder))
    assert pictures == [
        {"url": f"{at}/mug.jpg", "file": copy.name},
        {"url": "https://shop.invalid/b.jpg"},
    ]
    assert list(web_pictures_missing(asked)) == ["https://shop.invalid/b.jpg"]
