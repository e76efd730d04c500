"""One browser for all tests of a module: to start one takes most of a second."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from tests.review.browser import launched


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, as long as the module has tests."""
    async with launched() as chromium:
        yield chromium
