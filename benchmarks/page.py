"""The review page in Chromium: first poster, frames, from a key to the next video, a filter.

Each figure is of a fresh page of its own, without a cache, in a window of 1440 by 900; `served` is
over HTTP on loopback, all others are from a file.
"""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

from PIL import Image, ImageDraw, ImageFilter
from playwright.async_api import Browser

from benchmarks.figures import Figure, at_most, beside
from benchmarks.processes import workplace
from pipeline.review.posters import poster_name
from tests.review.browser import WIDE, as_file, film, launched, opened, served
from tests.review.shop import Shop, make_shop

CARDS = (300, 1_000, 5_000, 10_000)
LARGEST = CARDS[-1]
POSTERS = 40
KEYS = 25
SCROLLED_FRAMES = 240
FIRST_POSTER_MS, FRAME_P95_MS = 1_000, 50
_FIRST_POSTER = """
  document.addEventListener("load", (event) => {
    if (event.target.classList && event.target.classList.contains("poster") && !window.firstPoster)
      window.firstPoster = performance.now();
  }, true);
"""
_POSTER_COMES = """() => new Promise((done) => {
  const look = () => (window.firstPoster ? done(window.firstPoster) : setTimeout(look, 20));
  look();
})"""
_FRAMES = """(number) => new Promise((done) => {
  const gaps = [];
  let last = performance.now();
  const step = (now) => {
    gaps.push(now - last);
    last = now;
    if (gaps.length > number) return done(gaps.slice(1));
    scrollBy(0, 90);
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""
_KEY = """() => new Promise((done) => {
  const began = performance.now();
  const shown = One.videos()[0];
  const look = () => {
    const video = One.videos()[0];
    if (!video || video === shown) return requestAnimationFrame(look);
    video.requestVideoFrameCallback(() => done(performance.now() - began));
  };
  const event = new KeyboardEvent("keydown", { key: "a", bubbles: true, cancelable: true });
  document.activeElement.dispatchEvent(event);
  look();
})"""
_FILTER = """(text) => new Promise((done) => {
  document.getElementById("search").value = text;
  const began = performance.now();
  App.choose({ keep: true });
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
})"""


def measure(*, long: bool = False) -> Iterator[Figure]:
    """Measure the page; figures come as they are known."""
    _ = long
    with workplace() as folder:
        for figures in asyncio.run(_measure(folder)):
            yield from figures


async def _measure(folder: Path) -> list[list[Figure]]:
    found = []
    async with launched() as browser:
        for number in CARDS:
            (folder / str(number)).mkdir()
            found.append(await _of(browser, _shop(folder / str(number), number), number))
    return found


def _shop(folder: Path, number: int) -> Shop:
    """Rows with a video and a poster each."""
    keys = [f"AB-{at:05}" for at in range(number)]
    shop = make_shop(folder, " ".join(keys))
    shop.make_all(keys, content=film(2, 640, 360))
    posters = [_poster(seed) for seed in range(POSTERS)]
    shop.folder.posters.mkdir(parents=True)
    for at, key in enumerate(keys):
        name = poster_name(f"{key}.mp4", 1)
        (shop.folder.posters / name).write_bytes(posters[at % POSTERS])
    return shop


def _poster(seed: int) -> bytes:
    """A picture with as much in it as a still of a product has."""
    dice = random.Random(seed)  # noqa: S311 - for pictures, not for secrets
    picture = Image.new("RGB", (320, 180), tuple(dice.choices(range(120, 240), k=3)))
    draw = ImageDraw.Draw(picture)
    for _ in range(30):
        x, y, size = dice.randrange(320), dice.randrange(180), dice.randrange(10, 80)
        colour = tuple(dice.choices(range(256), k=3))
        draw.ellipse((x, y, x + size, y + size), fill=colour)
    file = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(1)).save(file, "JPEG", quality=78)
    return file.getvalue()


async def _of(browser: Browser, shop: Shop, number: int) -> list[Figure]:
    """Measure a page with so many cards."""
    name = f"{number:,} cards"
    address = as_file(shop)
    figures = []
    first_ms = await _first_poster(browser, address)
    figures.append(_bounded(f"{name}: first poster", first_ms, FIRST_POSTER_MS))
    if number == LARGEST:
        async with served(shop) as under:
            served_ms = await _first_poster(browser, under)
        figures.append(_bounded(f"{name}: first poster, served", served_ms, FIRST_POSTER_MS))
    async with opened(browser, address, viewport=WIDE, reduced_motion="no-preference") as tab:
        gaps = await tab.page.evaluate(_FRAMES, SCROLLED_FRAMES)
        p95 = quantiles(gaps, n=20)[-1]
        figures.append(beside(f"{name}: frames while it scrolls, p50", f"{median(gaps):.0f} ms"))
        figures.append(_bounded(f"{name}: frames while it scrolls, p95", p95, FRAME_P95_MS))
        elements = await tab.get("document.querySelectorAll('*').length")
        figures.append(beside(f"{name}: elements", str(elements)))
        took = [float(await tab.page.evaluate(_FILTER, f"ab-0{at}")) for at in range(5)]
        await tab.page.evaluate(_FILTER, "")
        figures.append(beside(f"{name}: a filter, p50", f"{median(took):.0f} ms"))
        await tab.press("Home", "Enter")
        await tab.until("One.videos().length === 1 && One.videos()[0].currentTime > 0")
        keys = [float(await tab.page.evaluate(_KEY)) for _ in range(KEYS)]
        figures.append(
            beside(f"{name}: from a key to the next video, p50", f"{median(keys):.0f} ms")
        )
    return figures


async def _first_poster(browser: Browser, address: str) -> float:
    """From the start of the navigation, in ms: the median of three pages."""
    took = []
    for _ in range(3):
        context = await browser.new_context(viewport=WIDE)
        await context.add_init_script(_FIRST_POSTER)
        page = await context.new_page()
        await page.goto(address)
        took.append(float(await page.evaluate(_POSTER_COMES)))
        await context.close()
    return median(took)


def _bounded(name: str, value: float, limit: float) -> Figure:
    return at_most(name, value, limit, " ms", ".0f")
