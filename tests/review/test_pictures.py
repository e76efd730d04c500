"""Every screen of the review page in light and dark, wide and narrow, for a person to look at.

`REVIEW_PICTURES=FOLDER` keeps the screenshots: `python -m docs.generate.pictures` takes those of
docs/review.md from there.
"""

from __future__ import annotations

import io
import os
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import av
import pytest
from PIL import Image, ImageOps
from playwright.async_api import Browser

from pipeline.config.settings import Config
from pipeline.manifest.invocation import Invocation
from pipeline.review.posters import picture_name, poster_name
from pipeline.review.static import Reviewed, cards_of, page_data, put_page
from pipeline.review.takes import rows_with_takes
from tests.review.browser import NARROW, Tab, opened
from tests.review.shop import Shop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.process,
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
]
PRODUCTS = Path(__file__).parents[2] / "manifests" / "pictures"
TITLES = {
    "mug-moss.jpg": "Stoneware mug, moss",
    "teapot-ash-front.jpg": "Teapot, ash glaze",
    "vase-rust.webp": "Bud vase, rust",
    "handlebar-bag-front.jpg": "Handlebar bag, ochre",
    "saddle-bag-pine.jpg": "Saddle bag, pine",
    "tea-tin-smoke-front.jpg": "Smoked oolong, 100 g tin",
    "tea-tin-jasmine.png": "Jasmine green, 80 g tin",
    "teapot-ash-spout.jpg": "Teapot, ash glaze, large",
}
SHOPS = {"t": "Oyster & Thistle", "m": "Marrowick Pottery", "v": "Marrowick Pottery"}
PROMPT = (
    "{} on a calm set. Slow dolly in from three-quarter view while soft morning window light moves "
    "across the surface; gentle shadows, shallow depth of field. The product keeps its shape, "
    "colour and lettering."
)
CHIPS = {3: ["stands still"], 5: ["colour differs"], 9: ["black"]}
WINDOW = {"width": 1280, "height": 800}


@cache
def film_of(name: str) -> bytes:
    """A film that moves slowly towards a product."""
    with Image.open(PRODUCTS / name) as opened_picture:
        picture = ImageOps.fit(opened_picture.convert("RGB"), (960, 540))
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=12, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number in range(24):
            edge = 60 + number * 3
            box = (edge, edge * 9 // 16, 960 - edge, 540 - edge * 9 // 16)
            container.mux(stream.encode(_frame(picture.resize((640, 360), box=box))))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _frame(picture: Image.Image) -> av.VideoFrame:
    frame: av.VideoFrame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
    return frame


def small_of(name: str, width: int, box: tuple[int, int] | None = None) -> bytes:
    """A small copy of a picture, as the product makes it."""
    with Image.open(PRODUCTS / name) as opened_picture:
        picture = opened_picture.convert("RGB")
        picture = ImageOps.fit(picture, box) if box else picture
        picture.thumbnail((width, width))
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=85)
    return file.getvalue()


def make_products(root: Path) -> tuple[Shop, str]:
    """A shop with pictures, films, decisions of nobody yet, and its page as a file."""
    from pipeline.disk.folder import OutputFolder  # noqa: PLC0415 - for this shop alone

    names = [*TITLES, *TITLES]
    manifest = root / "products.csv"
    shutil.copytree(PRODUCTS, root / "pictures")
    lines = ["sku,title,shop,prompt,image_1"]
    keys = [f"AB-{1001 + at}" for at in range(len(names))]
    for key, name in zip(keys, names, strict=True):
        prompt = PROMPT.format(TITLES[name])
        house = SHOPS.get(name[0], "Tern & Tread")
        lines.append(f'{key},"{TITLES[name]}",{house},"{prompt}",pictures/{name}')
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    shop = Shop(manifest, OutputFolder(root / "outputs" / "products"))
    config = Config(provider="toapis", budget={"price_per_second": 0.1})  # type: ignore[arg-type]
    shop.folder.posters.mkdir(parents=True)
    shop.folder.small_pictures.mkdir(parents=True)
    for number, at in [*((1, at) for at in range(len(keys) - 1)), (2, 1)]:
        key, name = keys[at], names[at]
        video = shop.make(key, number, content=film_of(name))
        poster = small_of(name, 320, (320, 180))
        (shop.folder.posters / poster_name(video.name, number)).write_bytes(poster)
    checked = shop.check()
    for sha256, picture in checked.pictures.items():
        copy = small_of(picture.path.name, 640)
        (shop.folder.small_pictures / picture_name(sha256)).write_bytes(copy)
    typed = Invocation(Path("manifests/products.csv"))
    one = Reviewed.of(checked, shop.folder, config, typed)
    maker, cards = cards_of(one, rows_with_takes(one.checked, one.folder))
    for at, card in enumerate(cards):
        for take in card["takes"]:
            take.pop("prompt", None)
            take["chips"] = CHIPS.get(at, [])
    one = replace(one, facts=replace(one.facts, journal="pictures"))
    page = put_page(shop.folder, page_data([one.facts], maker.groups, cards), (manifest,))
    return shop, page.absolute().as_uri()


async def show_all(tab: Tab, folder: Path, kind: str) -> None:
    """Go through the screens and keep a picture of each."""

    async def keep(name: str) -> None:
        await tab.until_drawn()
        await tab.until("[...document.images].every((one) => one.complete)")
        await tab.page.screenshot(path=folder / f"{name}-{kind}.png")

    await tab.page.select_option("#order", "sheet")
    await tab.press(*"ar2", "a", *"r1", "ArrowRight", *"ar5")
    await tab.press("Home", "ArrowRight", "ArrowRight")
    await keep("wall")
    await tab.press("Enter")
    await tab.until("One.videos().length === 1")
    await keep("one")
    await tab.press("r")
    await keep("reasons")
    await tab.press("Escape", "Home", "ArrowRight")
    await tab.until("One.videos().length === 2")
    await keep("takes")
    await tab.press("e", "End")
    await tab.type(" The camera stays at table height.")
    await tab.press("Control+Enter", "Escape", "x", "ArrowRight", "x")
    await keep("selected")
    await tab.press("Escape")
    await tab.page.select_option("#group", label="By shop")
    await keep("groups")
    await tab.page.click("[data-tab=again]")
    await keep("again")
    await tab.press("?")
    await keep("keys")
    await tab.press("Escape")
    scrolls = "document.documentElement.scrollWidth <= innerWidth"
    assert await tab.get(scrolls)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", ["wide", "narrow"])
async def test_every_screen(browser: Browser, tmp_path: Path, scheme: str, width: str) -> None:
    """Without a fault, and no wider than its window."""
    folder = Path(os.environ.get("REVIEW_PICTURES", tmp_path))
    _, address = make_products(tmp_path)
    size = WINDOW if width == "wide" else NARROW
    async with opened(browser, address, viewport=size, color_scheme=scheme) as tab:
        await show_all(tab, folder, f"{scheme}-{width}")
