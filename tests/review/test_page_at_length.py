"""The review page over hundreds and thousands of rows, and what can be read in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser

from pipeline.journal.decisions import read_decisions
from pipeline.review.verdicts import latest_of
from tests.review.browser import WIDE, as_file, film, opened, served
from tests.review.shop import Shop, make_shop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.process,
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
]
LEAST_CONTRAST = 4.9
_COUNTS_ACTIONS = """
  window.actions = 0;
  for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, () => (actions += 1), true);
"""
_CONTRASTS = """() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, under) => ({
    r: top.r * top.a + under.r * (1 - top.a), g: top.g * top.a + under.g * (1 - top.a),
    b: top.b * top.a + under.b * (1 - top.a), a: 1,
  });
  const light = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((one) => one / 255)
      .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      const layer = parse(getComputedStyle(one).backgroundColor);
      layers.push(layer);
      if (layer.a === 1) break;
    }
    const white = { r: 255, g: 255, b: 255, a: 1 };
    return layers.reduceRight((under, layer) => over(layer, under), white);
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    const box = element.getBoundingClientRect();
    if (!own || !box.width || !box.height || element.closest(".unseen, script, option")) continue;
    const under = ground(element);
    const ink = over(parse(getComputedStyle(element).color), under);
    const [a, b] = [light(ink), light(under)].sort((x, y) => y - x);
    const name = element.className || element.tagName;
    found.push([(a + 0.05) / (b + 0.05), name, element.textContent.slice(0, 40)]);
  }
  return found.sort((x, y) => x[0] - y[0]);
}"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """300 rows, all with a video."""
    keys = [f"K{number:03}" for number in range(300)]
    shop = make_shop(tmp_path, keys=" ".join(keys))
    shop.make_all(keys, content=film())
    return shop


async def test_three_hundred_videos_by_keyboard(browser: Browser, shop: Shop) -> None:
    """One action approves, two reject for a reason; 240 and 60 videos are 360 actions."""
    async with served(shop) as address, opened(browser, address, viewport=WIDE) as tab:
        await tab.page.evaluate(_COUNTS_ACTIONS)
        began = float(str(await tab.get("performance.now()")))
        for number in range(300):
            await tab.press(*(("r", str(1 + number % 6)) if number % 5 == 4 else ("a",)))
        took = float(str(await tab.get("performance.now()"))) - began
        assert await tab.get("actions") == 360
        await tab.until_saved()
        assert await tab.text("#left") == "all judged"
    print(f"300 videos, 360 actions: {took / 360:.1f} ms an action")  # noqa: T201 - with `-s`
    latest = latest_of(read_decisions(shop.folder.journal)).values()
    assert [one.verdict for one in latest].count("approve") == 240
    assert sum(bool(one.reason) for one in latest) == 60


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_can_be_read(browser: Browser, shop: Shop, scheme: str) -> None:
    """On its own ground, in every screen."""
    shop.make("K001", number=2, content=film())
    too_faint = []
    async with opened(browser, as_file(shop), color_scheme=scheme) as tab:
        await tab.page.select_option("#order", "sheet")
        steps = (("a", "ArrowRight"), ("r", "1", "x"), ("Escape", "Home", "ArrowRight", "Enter"),
                 ("r",), ("2", "c"), ("Escape", "Escape", "?"))  # fmt: skip
        for keys in steps:
            await tab.press(*keys)
            await tab.until_drawn()
            too_faint += [
                one for one in await tab.page.evaluate(_CONTRASTS) if one[0] < LEAST_CONTRAST
            ]
        await tab.press("Escape", "Escape")
        await tab.page.click("[data-tab=again]")
        await tab.until_drawn()
        too_faint += [one for one in await tab.page.evaluate(_CONTRASTS) if one[0] < LEAST_CONTRAST]
    assert too_faint == []


async def test_ten_thousand_cards(browser: Browser, tmp_path: Path) -> None:
    """Have no more elements than few, and the last one is a key away."""
    keys = [f"K{number:05}" for number in range(10_000)]
    shop = make_shop(tmp_path, keys=" ".join(keys))
    shop.make_all(keys[:500], content=film())
    async with opened(browser, as_file(shop), viewport=WIDE) as tab:
        await tab.page.click("[data-tab=all]")
        await tab.press("End")
        assert "K09999" in await tab.focused()
        assert int(str(await tab.get("document.querySelectorAll('*').length"))) < 800
        await tab.press("/")
        await tab.type("k0123")
        await tab.until("Wall.list.length === 10")
        assert await tab.page.locator("#cards .card:visible").count() == 10
