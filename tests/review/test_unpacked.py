"""An archive of the review in a real browser: unpacked it plays, and gives decisions back."""

from __future__ import annotations

import asyncio
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import Browser

from pipeline.config.settings import Config
from pipeline.review.recording import import_file
from pipeline.review.sharing import share
from pipeline.review.takes import rows_with_takes
from tests.export.goods import draw
from tests.review.browser import film, opened
from tests.review.shop import make_shop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.process,
    pytest.mark.asyncio(loop_scope="module"),
]


async def test_a_colleague_judges_and_her_decisions_come_back(
    browser: Browser, tmp_path: Path
) -> None:
    """On another machine: nothing of the shop's own folder is there any more."""
    shop = make_shop(tmp_path)
    shop.make("MUG", content=film())
    shop.make("BAG", content=film(), name="Größe 38 & Tüll #2.mp4")
    draw(shop)
    packed = share(shop.check(), shop.folder, Config(), tmp_path / "for Eve.zip").path

    def unpack(hers: Path) -> Path:
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(hers)
        return hers / "shop-review" / "review.html"

    page = await asyncio.to_thread(unpack, tmp_path / "Eve's 100%")
    there = shop.folder.root.rename(tmp_path / "away")
    async with opened(browser, page.as_uri(), reduced_motion="no-preference") as tab:
        await tab.press("Enter")
        await tab.until("One.videos().length === 1 && One.videos()[0].currentTime > 0")
        await tab.press("Escape", "a", "r", "3")
        await tab.until("Review.kept === true")
        async with tab.page.expect_download() as waiting:
            await tab.page.click("#save")
            await tab.type("Eve")
            await tab.press("Enter")
        await (await waiting.value).save_as(tmp_path / "hers.json")
    there.rename(shop.folder.root)
    rows = rows_with_takes(shop.check(), shop.folder)
    found, unfit = import_file(tmp_path / "hers.json", rows, shop.folder)
    assert ([one.verdict for one in found.added], unfit) == (["approve", "reject"], ())
    assert {one.reviewer for one in found.added} == {"Eve"}
