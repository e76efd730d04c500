"""The review page in a real browser: keys, decisions, two people, a run that goes on, a file."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from pipeline.downloader.filmfigures import RECIPE
from pipeline.journal.decisions import DecisionTable, read_decisions
from pipeline.model import Decision
from pipeline.review.looks import Looks
from pipeline.review.recording import import_file
from pipeline.review.takes import rows_with_takes
from pipeline.review.verdicts import latest_of
from tests.review.browser import NARROW, Tab, as_file, film, opened, served
from tests.review.shop import Shop, make_shop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.process,
    pytest.mark.asyncio(loop_scope="module"),
]
MOVES: dict[str, Any] = {"reduced_motion": "no-preference"}
HOSTILE = "</script><img src=x onerror=alert(1)>"
NAMES = ("Größe 38 & Tüll #2", "100% Wolle", "名前", "a;b=c&d", "50%25", "it's?")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """300 rows, of which 40 have a video."""
    keys = [f"K{number:03}" for number in range(300)]
    shop = make_shop(tmp_path, keys=" ".join(keys))
    shop.make_all(keys[:40], content=film())
    return shop


def change(shop: Shop, before: str, after: str) -> None:
    """Change the text of the manifest."""
    text = shop.manifest.read_text(encoding="utf-8")
    assert before in text
    shop.manifest.write_text(text.replace(before, after), encoding="utf-8")


def said(shop: Shop, key: str, number: int = 1) -> Decision:
    """What counts in the journal of a take."""
    return latest_of(read_decisions(shop.folder.journal))[key, number]


async def test_forty_videos_by_keyboard(browser: Browser, shop: Shop) -> None:
    """An action or two for each, all of them durable; decided cards stay where they are."""
    async with served(shop) as address, opened(browser, address) as tab:
        before = await tab.listed()
        await tab.press(*"a" * 18)
        assert "K018" in await tab.focused()
        await tab.press("Enter", *["r", "2"] * 20)
        await tab.press("Escape")
        assert await tab.listed() == before
        await tab.press("End", *"r6")
        assert (await tab.text("#left")).startswith("1 left, about ")
        await tab.until_saved()
        counts = await tab.counts()
        await tab.page.click("[data-tab=reject]")
        assert len(await tab.listed()) == 21
    assert (counts["approve"], counts["reject"], counts["open"], counts["none"]) == (
        18,
        21,
        1,
        260,
    )
    latest = latest_of(read_decisions(shop.folder.journal))
    verdicts = [(one.verdict, one.reason) for one in latest.values()]
    assert verdicts.count(("approve", "")) == 18
    assert verdicts.count(("reject", "wrong colour")) == 20
    assert verdicts.count(("reject", "other")) == 1
    assert {one.reviewer for one in latest.values()} == {"Ada"}


async def test_undo_takes_back_one_decision_or_one_about_many(browser: Browser, shop: Shop) -> None:
    """Those selected with X, Shift and the mouse are decided, and undone, as one."""
    async with served(shop) as address, opened(browser, address) as tab:
        await tab.press("x", "Shift+ArrowRight", "Shift+ArrowRight")
        await tab.page.click("#cards [aria-posinset='6']", modifiers=["Control"])
        await tab.page.click("#cards [aria-posinset='8']", modifiers=["Shift"])
        assert "6 selected" in await tab.text("#actions")
        await tab.press("r", "1")
        assert (await tab.counts())["reject"] == 6
        await tab.press("a")
        assert (await tab.counts())["approve"] == 1
        await tab.until_saved()
        await tab.press("z")
        assert (await tab.counts())["approve"] == 0
        await tab.press("z")
        assert (await tab.counts())["open"] == 40
        await tab.press("z")
        await tab.until_saved()
    assert {one.verdict for one in latest_of(read_decisions(shop.folder.journal)).values()} == {""}


async def test_every_key_of_the_list(browser: Browser, shop: Shop) -> None:
    """Does what the list says, in the wall and in one video."""
    shop.make("K002", number=2, content=film())
    async with served(shop) as address, opened(browser, address, **MOVES) as tab:
        await tab.press("?")
        assert "approve, and on to the next" in await tab.text("dialog")
        await tab.press("Escape", "End")
        assert "K039" in await tab.focused()
        await tab.press("Home", "ArrowRight", "ArrowDown", "ArrowUp", "ArrowLeft", "PageDown")
        assert int(str(await tab.get("Wall.at"))) > 0
        await tab.press("PageUp")
        assert "K000" in await tab.focused()
        await tab.until("!Wall.video.paused && Wall.video.closest('.focused') !== null")
        await tab.press("Space")
        await tab.until("Wall.video.paused")
        await tab.press("c")
        await tab.type("the lid")
        await tab.press("Control+Enter", "e", "Control+a")
        await tab.type("A mug, turning.")
        await tab.press("Control+Enter")
        await tab.press("ArrowRight", "ArrowRight", "Enter")
        await tab.until("One.videos().length === 2 && One.videos().every((one) => !one.paused)")
        assert await tab.get("One.number") == 2
        await tab.press("t")
        assert await tab.get("One.number") == 1
        await tab.press("Space")
        await tab.until("One.videos().every((one) => one.paused)")
        at = await tab.get("One.videos()[0].currentTime = 0.5")
        await tab.press(".")
        assert float(str(await tab.get("One.videos()[0].currentTime"))) > float(str(at))
        await tab.press(",", "m")
        assert await tab.get("One.videos().map((one) => one.muted)") == [False, True]
        await tab.press("m", "End")
        assert await tab.get("One.card.key") == "K039"
        await tab.press("Home", "ArrowRight", "PageDown", "PageUp", "/")
        await tab.type("k03")
        await tab.until("Wall.list.length === 10")
        await tab.press("Enter", "x")
        assert "1 selected" in await tab.text("#actions")
        await tab.press("Escape")
        await tab.until_saved()
    assert said(shop, "K000").note == "the lid"
    assert (said(shop, "K000").verdict, said(shop, "K000").prompt) == ("reject", "A mug, turning.")


async def test_texts_of_the_sheet_are_texts(browser: Browser, shop: Shop) -> None:
    """Keys, titles, prompts, groups and comments with scripts are shown, and do nothing."""
    change(shop, "K001,A K001.,north,The K001", f"K001,{HOSTILE},{HOSTILE},{HOSTILE}")
    change(shop, "K003,", f"{HOSTILE}2,")
    async with served(shop) as address, opened(browser, address) as tab:
        assert await tab.text('[aria-posinset="2"] .title') == HOSTILE
        await tab.press("ArrowRight", "c")
        await tab.type(HOSTILE)
        await tab.press("Control+Enter", "Enter", "e")
        await tab.type(HOSTILE + " more")
        await tab.press("Control+Enter", "r", "1", "Escape")
        await tab.page.click("[data-tab=again]")
        assert HOSTILE in await tab.text("#again")
        await tab.page.click("[data-tab=all]")
        await tab.page.select_option("#group", label=HOSTILE)
        await tab.until("Wall.list.length === 1")
        assert await tab.page.locator("img[src='x']").count() == 0
        assert await tab.get("document.scripts.length") == 2
        await tab.until_saved()
    async with opened(browser, as_file(shop)) as tab:
        await tab.page.click("[data-tab=all]")
        assert HOSTILE in await tab.listed() or f"{HOSTILE}2" in await tab.listed()


async def test_two_people(browser: Browser, shop: Shop) -> None:
    """Another person's newer verdict is shown, and mine counts only when I say so."""
    sha256 = rows_with_takes(shop.check(), shop.folder)[3].takes[0].video.sha256
    theirs = Decision("K003", 1, sha256, "reject", "other", "the lid", reviewer="Ben", at=1.0)
    async with (
        served(shop) as address,
        opened(browser, address, bears=("409", "ERR_FAILED")) as tab,
    ):
        await tab.page.route("**/api/events*", lambda route: route.abort())
        await tab.loaded_again()
        with DecisionTable(shop.folder.journal) as table:
            table.add(None, lambda _: [theirs])
        await tab.press("ArrowRight", "ArrowRight", "ArrowRight", "a")
        await tab.page.wait_for_selector("dialog[open]")
        assert "Ben rejected take 1 (other) meanwhile" in await tab.text("dialog")
        assert said(shop, "K003").verdict == "reject"
        await tab.page.click("text=Use mine")
        await tab.until_saved()
    assert said(shop, "K003").verdict == "approve"


async def test_two_pages_show_each_other(browser: Browser, shop: Shop) -> None:
    """What is decided in a page is seen in the other, and new videos of a run slide into both."""
    async with (
        served(shop) as address,
        opened(browser, address) as first,
        opened(browser, address) as second,
    ):
        await first.press("a", "r", "3")
        await second.until("Review.counts().approve === 1 && Review.counts().reject === 1")
        await second.press("ArrowRight", "ArrowRight")
        await asyncio.to_thread(shop.make, "K050", 1, film())
        await second.until("Wall.list.length === 41")
        await first.until("Review.counts().none === 259")
        assert "K002" in await second.focused()
        assert await second.text("[data-tab=open] b") == "39"


async def test_the_page_as_a_file(browser: Browser, shop: Shop, tmp_path: Path) -> None:
    """It keeps decisions in the browser and gives a file of them, which is taken over."""
    async with opened(browser, as_file(shop)) as tab:
        await tab.press("a", "r", "6", "e")
        await tab.type("A K002, from above.")
        await tab.press("Control+Enter")
        rewrite = "(Review.put(Review.decisions.values().next().value), Review.unsaved() > 0)"
        assert await tab.get(rewrite), "whoever leaves the page now is asked first"
        await tab.until_saved()
        await tab.loaded_again()
        assert (await tab.counts())["approve"] == 1
        assert await tab.text("#kept") == "kept in this browser"
        async with tab.page.expect_download() as waiting:
            await tab.page.click("#save")
            await tab.type("Öle")
            await tab.press("Enter")
        download = await waiting.value
        assert download.suggested_filename == "decisions-shop-Öle.json"
        await download.save_as(tmp_path / "hers.json")
    rows = rows_with_takes(shop.check(), shop.folder)
    found, unfit = import_file(tmp_path / "hers.json", rows, shop.folder)
    assert (len(found.added), unfit) == (3, ())
    told = json.loads((tmp_path / "hers.json").read_text(encoding="utf-8"))
    assert {one["reviewer"] for one in told["decisions"]} == {"Öle"}
    again, _ = import_file(tmp_path / "hers.json", rows, shop.folder)
    assert again.added == ()


async def test_every_name_plays(browser: Browser, tmp_path: Path) -> None:
    """Whatever is in a file's name, served and as a file in a folder of such a name."""
    root = tmp_path / "100% Größe #2"
    root.mkdir()
    shop = make_shop(root, keys=" ".join(f"K{at}" for at in range(len(NAMES))))
    for at, name in enumerate(NAMES):
        shop.make(f"K{at}", content=film(), name=f"{name}.mp4")

    async def play_all(tab: Tab) -> None:
        await tab.press("Enter")
        for at in range(len(NAMES)):
            await tab.until("One.videos().length === 1 && One.videos()[0].currentTime > 0")
            assert await tab.get("One.card.key") == f"K{at}"
            await tab.press("ArrowRight")

    async with served(shop) as address, opened(browser, address, **MOVES) as tab:
        await play_all(tab)
    async with opened(browser, as_file(shop), **MOVES) as tab:
        await play_all(tab)


async def test_a_page_without_its_folder_says_so(
    browser: Browser, shop: Shop, tmp_path: Path
) -> None:
    """As it is opened inside an archive."""
    as_file(shop)
    alone = tmp_path / "alone.html"
    shutil.copyfile(shop.folder.root / "review.html", alone)
    page = await browser.new_page()
    await page.goto(alone.as_uri())
    assert "unpack all of it first" in await page.inner_text("main")
    await page.context.close()


async def test_who_sees_or_moves_little(browser: Browser, shop: Shop) -> None:
    """A tab stop for the wall, a live region, a ring, contrast, calm, and few elements."""
    async with served(shop) as address, opened(browser, address) as tab:
        await tab.page.click("[data-tab=all]")
        assert int(str(await tab.get("document.querySelectorAll('*').length"))) < 700
        assert await tab.page.locator("#cards [tabindex='0']").count() == 0
        await tab.press("End")
        assert "K299" in await tab.focused()
        assert await tab.get("Wall.canvas.getAttribute('aria-activedescendant')") == await tab.get(
            "document.querySelector('.card.focused').id"
        )
        await tab.press("Home", "ArrowRight", "a")
        assert "K002" in await tab.text("#live")
        await tab.get("new Promise((done) => setTimeout(done, PLAY_AFTER_MS + 1))")
        assert await tab.get("Wall.video.isConnected") is False
        await tab.press("Enter")
        assert await tab.get("One.videos()[0].autoplay") is False
        assert await tab.get("document.activeElement.id") == "one"
        for _ in range(3):
            await tab.press("Tab")
            await tab.get("Review.changed()")
            await tab.until_drawn()
            ring = await tab.get("getComputedStyle(document.activeElement).outlineStyle")
            assert ring == "solid"
        await tab.page.set_viewport_size(NARROW)
        await tab.until(f"document.documentElement.scrollWidth === {NARROW['width']}")


async def test_suspicious_ones_come_first_and_nothing_jumps(browser: Browser, shop: Shop) -> None:
    """What is found odd while the page is open gets its chip where it is, and its place later."""
    looks = Looks(shop.folder.looks)
    rows = rows_with_takes(shop.check(), shop.folder)
    sha256 = {row.key: take.video.sha256 for row in rows for take in row.takes}
    looks.keep(sha256["K030"], {"recipe": RECIPE, "fault": "the decoder refuses it"})
    async with served(shop) as address, opened(browser, address) as tab:
        assert (await tab.listed())[:2] == ["K030", "K000"]
        assert "damaged" in await tab.text("#cards [aria-posinset='1']")
        looks.keep(sha256["K020"], {"recipe": RECIPE, "fault": "the decoder refuses it"})
        await tab.until("Review.counts().suspicious === 2")
        assert (await tab.listed())[:2] == ["K030", "K000"]
        await tab.page.click("[data-tab=suspicious]")
        assert await tab.listed() == ["K020", "K030"]
        await tab.page.click("[data-tab=open]")
        assert (await tab.listed())[:3] == ["K020", "K030", "K000"]


async def test_make_again(browser: Browser, shop: Shop) -> None:
    """Rejected ones by reason, new words marked, a sentence for all, and a command to be pasted."""
    async with served(shop) as address, opened(browser, address) as tab:
        await tab.press("r", "2", "r", "2", "r", "5")
        await tab.page.click("[data-tab=again]")
        assert "18 s of video, free in a rehearsal." in await tab.text(".lead")
        assert (await tab.text(".command")).endswith(f"run {shop.manifest} --redo rejected")
        await tab.page.click("text=Add a sentence to all…")
        await tab.type("Keep its colour.")
        await tab.press("Control+Enter")
        assert "2 from a new prompt" in await tab.text(".lead")
        assert await tab.page.locator("mark").all_inner_texts() == ["Keep its colour."] * 2
        await tab.page.hover("[aria-label='Edit the prompt of K000']")
        await tab.page.mouse.down()
        await tab.get("Review.changed()")
        await tab.until_drawn()
        await tab.page.mouse.up()
        assert "A new prompt for K000" in await tab.text("dialog"), "the click was not lost"
        await tab.press("Control+Enter")
        await tab.page.fill("#search", "K000")
        await tab.until("document.querySelectorAll('#again .line').length === 1")
        assert (await tab.text(".command")).endswith("--redo K000")
        await tab.until_saved()
    assert said(shop, "K000").prompt == "A K000. Keep its colour."
    assert (said(shop, "K002").prompt, said(shop, "K002").reason) == ("", "dull or still")


@pytest.mark.long
async def test_several_manifests_in_one_page(browser: Browser, tmp_path: Path) -> None:
    """Equal keys are told apart; on a network a name is asked for, and goes with decisions."""
    shops = []
    for name in ("north", "south"):
        (tmp_path / name).mkdir()
        shop = make_shop(tmp_path / name, "MUG BAG", folder=f"../outputs/{name}")
        shop.make_all(["MUG", "BAG"], content=film())
        shops.append(shop)
    async with (
        served(*shops, who=None, host="localhost") as address,
        opened(browser, address, **MOVES) as tab,
    ):
        await tab.page.wait_for_selector("dialog[open]")
        await tab.type("Eve")
        await tab.press("Enter")
        await tab.page.select_option("#group", label="By manifest")
        await tab.until("Wall.list.length === 4")
        await tab.page.focus("#cards")
        await tab.press("a", "a", "r", "3", "Enter")
        await tab.until("One.videos().length === 1 && One.videos()[0].currentTime > 0")
        await tab.until_saved()
    for shop, verdicts in zip(shops, (["approve", "approve"], ["reject"]), strict=True):
        made = read_decisions(shop.folder.journal)
        assert [(one.verdict, one.reviewer) for one in made] == [(one, "Eve") for one in verdicts]
