"""A real browser for the tests of the review page, and what a page in it may never do.

Debian's Chromium, or another one on the PATH; on macOS and Windows Google Chrome where it lies.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    ViewportSize,
    async_playwright,
)

from pipeline.config.settings import Config
from pipeline.manifest.invocation import Invocation
from pipeline.review.live import LiveReview
from pipeline.review.server import serve
from pipeline.review.static import Reviewed, write_page
from pipeline.review.together import Together
from tests.review.shop import Shop

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
USUAL: ViewportSize = {"width": 1100, "height": 700}
WIDE: ViewportSize = {"width": 1440, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 844}
WAIT_S = 60
_SEES_VIOLATIONS = """
  window.violations = [];
  document.addEventListener("securitypolicyviolation", (event) =>
    violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """Chromium; without one the test is skipped, or fails where everything has to be tried."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None and sys.platform.startswith("linux"):
        explained = f"no browser: none of {', '.join(NAMES)} is on the PATH"
        if os.environ.get("CI") == "true":
            pytest.fail(explained)
        pytest.skip(f"{explained} (Debian, Ubuntu: apt install chromium)")
    channel = None if path else "chrome"
    async with async_playwright() as tool:
        browser = await tool.chromium.launch(
            executable_path=path, channel=channel, args=list(FLAGS)
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Tab:
    """A page in the browser; `faults` is all that it did and must not do."""

    page: Page
    faults: list[str] = field(default_factory=list)
    bears: tuple[str, ...] = ()
    """Parts of console errors that the test provokes."""

    async def press(self, *names: str) -> None:
        """Press keys, one after the other."""
        for name in names:
            await self.page.keyboard.press(name)

    async def type(self, text: str) -> None:
        """Type a text into what has the focus."""
        await self.page.keyboard.insert_text(text)

    async def get(self, expression: str) -> object:
        """The value of an expression in the page."""
        return await self.page.evaluate(expression)

    async def until(self, condition: str) -> None:
        """Wait until something is so; asked from outside, as the page evaluates no text."""
        for _ in range(WAIT_S * 20):
            if await self.page.evaluate(condition):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(condition)

    async def until_drawn(self) -> None:
        """Wait until what was changed is on the screen."""
        await self.page.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    async def until_saved(self) -> None:
        """Wait until no decision is under way to the server or into the browser's own database."""
        await self.until("Review.unsaved() === 0")

    async def counts(self) -> dict[str, int]:
        """How many cards stand where."""
        found: dict[str, int] = await self.page.evaluate("Review.counts()")
        return found

    async def text(self, selector: str) -> str:
        """The text of an element, once what was changed is on the screen."""
        await self.until_drawn()
        return await self.page.inner_text(selector)

    async def focused(self) -> str:
        """The text of the card that has the focus."""
        return await self.text("#cards .card.focused")

    async def listed(self) -> list[str]:
        """The keys of all cards in the wall, in their order."""
        found: list[str] = await self.page.evaluate("Wall.list.map((card) => card.key)")
        return found

    async def open(self, address: str) -> None:
        """Go to the page and wait for its cards."""
        await self.page.goto(address)
        await self.page.wait_for_selector("#cards .card")

    async def loaded_again(self) -> None:
        """Load the page again and wait for its cards."""
        await self.page.reload()
        await self.page.wait_for_selector("#cards .card")

    async def refuse_violations(self) -> None:
        """Note whatever the page tried and its own policy forbids."""
        self.faults += await self.page.evaluate("window.violations || []")

    def note(self, message: ConsoleMessage) -> None:
        """Note an error of the console, but for those that are provoked."""
        if message.type == "error" and not any(part in message.text for part in self.bears):
            self.faults.append(message.text)


@asynccontextmanager
async def opened(
    browser: Browser, address: str, *, bears: tuple[str, ...] = (), **options: Any
) -> AsyncIterator[Tab]:
    """A page in a context of its own: it stays without an error and asks no other host.

    Args:
        browser: whose page.
        address: of the review page.
        bears: parts of console errors that the test provokes.
        options: of the context, such as `viewport` and `color_scheme`. Nothing plays by itself
            unless `reduced_motion` is `no-preference`: that would take most of the time.

    """
    context: BrowserContext = await browser.new_context(
        **{"viewport": USUAL, "reduced_motion": "reduce", **options}
    )
    await context.add_init_script(_SEES_VIOLATIONS)
    tab = Tab(await context.new_page(), bears=bears)
    ours = ("blob:", address.partition("/review.html")[0].rstrip("/"))
    page = tab.page
    page.on("pageerror", lambda error: tab.faults.append(str(error)))
    page.on("dialog", lambda dialog: tab.faults.append(f"dialog: {dialog.message}"))
    page.on("console", tab.note)
    page.on("request", lambda one: None if one.url.startswith(ours) else tab.faults.append(one.url))
    try:
        await tab.open(address)
        yield tab
        await tab.refuse_violations()
    finally:
        await context.close()
    assert tab.faults == []


def page_of(*shops: Shop, config: Config | None = None) -> Together:
    """The page of one shop or several."""
    reviewed = [
        Reviewed.of(shop.check(), shop.folder, config or Config(), Invocation(shop.manifest))
        for shop in shops
    ]
    return Together([LiveReview(one) for one in reviewed])


@asynccontextmanager
async def served(
    *shops: Shop, who: str | None = "Ada", host: str | None = None
) -> AsyncIterator[str]:
    """The address under which the page of one shop or several is served."""
    async with serve(page_of(*shops), who, host=host) as address:
        yield address


def as_file(shop: Shop) -> str:
    """The address of the page of a shop as a file."""
    page = write_page(shop.check(), shop.folder, Config(), Invocation(shop.manifest))
    assert page is not None
    return page.absolute().as_uri()


@cache
def film(seconds: int = 1, width: int = 160, height: int = 90) -> bytes:
    """A small film that every browser plays: a light bar that wanders over a ground."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "film.mp4")
        with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for number in range(24 * seconds):
                picture = np.full((height, width, 3), (120, 90, 60), np.uint8)
                left = number * (width - 20) // (24 * seconds)
                picture[:, left : left + 20] = 240
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        return path.read_bytes()
