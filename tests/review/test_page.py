"""The review page in a real browser: served and as a file, by keyboard, with hostile titles.

Needs Playwright and Chromium (`pip install playwright`, `apt-get install chromium`); skipped where
one of them is missing.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.settings import Config
from pipeline.journal.decisions import DecisionTable, read_decisions
from pipeline.manifest.invocation import Invocation
from pipeline.model import Decision
from pipeline.review.live import LiveReview
from pipeline.review.recording import import_file
from pipeline.review.server import serve
from pipeline.review.static import Facts, write_page
from pipeline.review.takes import rows_with_takes
from pipeline.review.verdicts import latest_of
from tests.review.shop import Shop, make_shop

playwright = pytest.importorskip("playwright.async_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.process,
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

SHOWN = "Größe 38 & Tüll #2"
HOSTILE = "</script><img src=x onerror=alert(1)>"
JOURNAL_ID = "journal"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path, keys=" ".join(f"K{number:03}" for number in range(300)))
    text = shop.manifest.read_text(encoding="utf-8")
    text = text.replace("The K001", HOSTILE).replace("The K002", "名前 100% Wolle")
    shop.manifest.write_text(text, encoding="utf-8")
    for number in range(40):
        shop.make(f"K{number:03}", name=f"{SHOWN}.mp4" if number == 0 else "")
    return shop


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[Any]:
    """A page that has to stay without an error, and asks no other host for anything."""
    faults: list[str] = []
    async with playwright.async_playwright() as tool:
        browser = await tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(f"dialog: {dialog.message}"))
        page.on(
            "request",
            lambda one: (
                None if one.url.startswith((address[:20], "blob:")) else faults.append(one.url)
            ),
        )
        await page.goto(address)
        await page.wait_for_selector("#cards .card")
        try:
            yield page
            await page.wait_for_timeout(100)
        finally:
            await browser.close()
    assert faults == []


@asynccontextmanager
async def served(shop: Shop) -> AsyncIterator[str]:
    checked = shop.check()
    facts = Facts.of(checked, Config(), Invocation(shop.manifest), JOURNAL_ID)
    live = LiveReview(checked, shop.folder, facts, "Ada")
    async with serve(live, shop.folder) as address:
        yield address


async def until(page: Any, condition: str) -> None:
    """Wait for a condition; asked from outside, since the page lets nothing evaluate a text."""
    for _ in range(300):
        if await page.evaluate(condition):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(condition)


async def until_saved(page: Any) -> None:
    await until(page, "document.getElementById('kept').textContent === 'saved'")


async def test_forty_videos_by_keyboard(shop: Shop) -> None:
    """One action or two for each, all of them durable; undo takes back also many."""
    async with served(shop) as address, opened(address) as page:
        for _ in range(18):
            await page.keyboard.press("a")
        await page.keyboard.press("Enter")
        for _ in range(20):
            await page.keyboard.press("r")
            await page.keyboard.press("2")
        await page.keyboard.press("z")
        await page.keyboard.press("Escape")
        await page.keyboard.press("End")
        await page.keyboard.press("x")
        await page.keyboard.press("ArrowLeft")
        await page.keyboard.press("x")
        await page.keyboard.press("a")
        await page.keyboard.press("z")
        await page.wait_for_timeout(300)
        await until_saved(page)
        counts = await page.evaluate("Review.counts()")
    assert counts["approve"] == 18
    assert counts["reject"] == 19
    assert counts["none"] == 260
    latest = latest_of(read_decisions(shop.folder.journal))
    verdicts = [one.verdict for one in latest.values()]
    assert verdicts.count("approve") == 18
    assert verdicts.count("reject") == 19
    assert {one.reason for one in latest.values() if one.verdict == "reject"} == {"wrong colour"}


async def test_titles_are_texts(shop: Shop) -> None:
    """A script in one is shown, and does nothing."""
    async with served(shop) as address, opened(address) as page:
        assert await page.inner_text('[aria-posinset="2"] .title') == HOSTILE
        assert await page.locator("#cards img[src='x']").count() == 0
        await page.keyboard.press("/")
        await page.keyboard.type("wolle")
        await page.wait_for_timeout(200)
        assert await page.locator("#cards .card:visible").count() == 1


async def test_few_elements_whatever_there_is(shop: Shop) -> None:
    """Rows exist only near the window; the wall is one stop of the Tab key."""
    async with served(shop) as address, opened(address) as page:
        await page.click("[data-tab=all]")
        assert await page.evaluate("document.querySelectorAll('*').length") < 700
        assert (
            await page.evaluate("document.querySelectorAll('#cards [tabindex=\"0\"]').length") == 0
        )
        await page.keyboard.press("End")
        await page.wait_for_timeout(100)
        assert "K299" in await page.inner_text("#cards .card.focused")


async def test_two_people(shop: Shop) -> None:
    """Another person's newer verdict is shown, and mine counts only when I say so."""
    sha256 = rows_with_takes(shop.check(), shop.folder)[3].takes[0].video.sha256
    theirs = Decision("K003", 1, sha256, "reject", "other", "the lid", reviewer="Ben", at=1.0)
    async with served(shop) as address, opened(address) as page:
        await page.route("**/api/events*", lambda route: route.abort())
        await page.reload()
        await page.wait_for_selector("#cards .card")
        with DecisionTable(shop.folder.journal) as table:
            table.add(None, lambda _: [theirs])
        for key in ("ArrowRight", "ArrowRight", "ArrowRight", "a"):
            await page.keyboard.press(key)
        await page.wait_for_selector("dialog[open]")
        assert "Ben rejected take 1 (other) meanwhile" in await page.inner_text("dialog")
        await page.click("text=Use mine")
        await page.wait_for_timeout(500)
        await until_saved(page)
    assert latest_of(read_decisions(shop.folder.journal))["K003", 1].verdict == "approve"


async def test_a_run_that_goes_on(shop: Shop) -> None:
    """New videos come in by themselves, and nothing moves under the hand."""
    async with served(shop) as address, opened(address) as page:
        await page.keyboard.press("ArrowRight")
        await asyncio.to_thread(shop.make, "K050")
        await until(page, "Review.counts().none === 259")
        await page.wait_for_timeout(100)
        assert "K001" in await page.inner_text("#cards .card.focused")
        assert await page.inner_text("[data-tab=open] b") == "41"


async def test_the_page_as_a_file(shop: Shop, tmp_path: Path) -> None:
    """It keeps decisions in the browser and gives a file of them, which is taken over."""
    page_file = write_page(shop.check(), shop.folder, Config(), Invocation(shop.manifest))
    assert page_file is not None
    async with opened(page_file.absolute().as_uri()) as page:
        await page.keyboard.press("a")
        await page.keyboard.press("r")
        await page.keyboard.press("6")
        await page.keyboard.press("e")
        await page.keyboard.type(" more")
        await page.keyboard.press("Control+Enter")
        await page.reload()
        await page.wait_for_selector("#cards .card")
        assert await page.evaluate("Review.counts().approve") == 1
        async with page.expect_download() as waiting:
            await page.click("#save")
            await page.keyboard.type("Öle")
            await page.keyboard.press("Enter")
        download = await waiting.value
        assert download.suggested_filename == "decisions-shop-Öle.json"
        await download.save_as(tmp_path / "hers.json")
    rows = rows_with_takes(shop.check(), shop.folder)
    found, unfit = import_file(tmp_path / "hers.json", rows, shop.folder)
    assert (len(found.added), unfit) == (3, ())
    told = json.loads((tmp_path / "hers.json").read_text(encoding="utf-8"))
    assert {one["reviewer"] for one in told["decisions"]} == {"Öle"}


async def test_a_page_without_its_folder_says_so(shop: Shop, tmp_path: Path) -> None:
    """As it is opened inside an archive."""
    page_file = write_page(shop.check(), shop.folder, Config(), Invocation(shop.manifest))
    assert page_file is not None
    alone = tmp_path / "alone.html"
    shutil.copyfile(page_file, alone)
    async with playwright.async_playwright() as tool:
        browser = await tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()
        await page.goto(alone.as_uri())
        assert "unpack all of it first" in await page.inner_text("main")
        await browser.close()
