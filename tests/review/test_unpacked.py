"""An archive of the review in a real browser: unpacked it plays, and gives decisions back."""

from __future__ import annotations

import asyncio
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser

from pipeline.config.settings import Config
from pipeline.models.shelf import put_up, sheet_of
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
OWN = "<img src=x onerror=alert(1)>"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
COLOURS = """(() => {
  const { color, backgroundColor } = getComputedStyle(document.querySelector("#unchecked .notice"));
  return `${color} on ${backgroundColor}`;
})()"""


async def test_a_colleague_judges_and_her_decisions_come_back(
    browser: Browser, tmp_path: Path
) -> None:
    """On another machine, without the shop's own folder; and told of an unchecked model."""
    shop = make_shop(tmp_path)
    shop.make("MUG", content=film())
    shop.make("BAG", content=film(), name="Größe 38 & Tüll #2.mp4")
    draw(shop)
    put_up({OWN: sheet_of("viduq3-pro")})
    checked = replace(shop.check(), model=OWN)
    packed = share(checked, shop.folder, Config(), tmp_path / "for Eve.zip").path
    put_up({})

    def unpack(hers: Path) -> Path:
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(hers)
        return hers / "shop-review" / "review.html"

    page = await asyncio.to_thread(unpack, tmp_path / "Eve's 100%")
    there = shop.folder.root.rename(tmp_path / "away")
    async with opened(browser, page.as_uri(), reduced_motion="no-preference") as tab:
        said = [await tab.text("#unchecked .notice")]
        colours = []
        for scheme in SCHEMES:
            await tab.page.emulate_media(color_scheme=scheme, reduced_motion="no-preference")
            colours.append(await tab.get(COLOURS))
        await tab.press("Enter")
        await tab.until_drawn()
        beside_one = await tab.page.is_visible("#unchecked")
        await tab.until("One.videos().length === 1 && One.videos()[0].currentTime > 0")
        await tab.press("Escape", "a", "r", "3")
        await tab.until_saved()
        assert await tab.page.is_visible("#unchecked .notice")
        said.append(await tab.text("#unchecked .notice"))
        async with tab.page.expect_download() as waiting:
            await tab.page.click("#save")
            await tab.type("Eve")
            await tab.press("Enter")
        await (await waiting.value).save_as(tmp_path / "hers.json")
    there.rename(shop.folder.root)
    assert said[0].startswith(f"The rules of {OWN} come from a sheet of yours alone: they were not")
    assert (said[1:], beside_one) == (said[:1], False)
    assert len(set(colours)) == len(SCHEMES)
    rows = rows_with_takes(shop.check(), shop.folder)
    found, unfit = import_file(tmp_path / "hers.json", rows, shop.folder)
    assert ([one.verdict for one in found.added], unfit) == (["approve", "reject"], ())
    assert {one.reviewer for one in found.added} == {"Eve"}
