"""A client without any mercy or memory, and the emulator it talks to."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from PIL import Image

from pipeline.emulator.server import Emulator, EmulatorSettings

ANSWER = tuple[int, Any]
GENERATIONS = "/v1/videos/generations"


class Api:
    """One emulator and plain HTTP calls to it."""

    def __init__(self, emulator: Emulator, session: aiohttp.ClientSession) -> None:
        self.emulator = emulator
        self.session = session

    async def call(self, method: str, path: str, **more: Any) -> ANSWER:
        more.setdefault("headers", {"Authorization": "Bearer secret"})
        url = self.emulator.base_url + path
        async with self.session.request(method, url, allow_redirects=False, **more) as answer:
            text = await answer.text()
            if answer.content_type == "application/json":
                return answer.status, await answer.json()
            return answer.status, text

    async def submit(self, **fields: Any) -> ANSWER:
        body = {"model": "gemini_omni_flash", "prompt": "a red chair", **fields}
        return await self.call("POST", GENERATIONS, json=body)

    async def accepted(self, **fields: Any) -> str:
        status, body = await self.submit(**fields)
        assert status == 200, body
        return str(body["id"])

    async def query(self, name: str) -> ANSWER:
        return await self.call("GET", f"{GENERATIONS}/{name}")

    async def finished(self, name: str) -> dict[str, Any]:
        for _ in range(2000):
            _, body = await self.query(name)
            if body.get("status", "").lower() in ("completed", "succeeded", "failed"):
                return dict(body)
            await asyncio.sleep(0.01)
        raise AssertionError(f"{name} did not end")

    async def video_url(self, **fields: Any) -> str:
        body = await self.finished(await self.accepted(**fields))
        return str(body["video_url"])

    async def upload(self, content: bytes, name: str = "chair.png", **parts: str) -> ANSWER:
        form = aiohttp.FormData()
        form.add_field("file", content, filename=name, content_type="image/png")
        for part, value in parts.items():
            form.add_field(part, value)
        return await self.call("POST", "/v1/uploads/images", data=form)

    async def get(self, url: str, **headers: str) -> tuple[int, bytes, Any]:
        async with self.session.get(url, headers=headers) as answer:
            return answer.status, await answer.read(), answer.headers


Start = Callable[..., Coroutine[Any, Any, Api]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start emulators with tasks of 20 ms, as many as a test wants."""
    async with AsyncExitStack() as stack:

        async def started(clock: Callable[[], float] | None = None, **settings: Any) -> Api:
            chosen = {"quick": True, "median_s": 0.02, "p95_s": 0.02, **settings}
            known = EmulatorSettings(**chosen)
            emulator = Emulator(known, clock) if clock else Emulator(known)
            await stack.enter_async_context(emulator)
            session = await stack.enter_async_context(aiohttp.ClientSession())
            # Left alone aiohttp repeats a GET by itself when the connection is reset.
            session._retry_connection = False
            return Api(emulator, session)

        yield started


@pytest.fixture
async def api(start: Start) -> Api:
    """An emulator without limits, without faults, in quick mode."""
    return await start()


@pytest.fixture
def png() -> bytes:
    """A small picture, red on the left and blue on the right."""
    image = Image.new("RGB", (320, 180), (200, 30, 30))
    image.paste((30, 30, 200), (160, 0, 320, 180))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
