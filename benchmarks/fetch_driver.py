"""Fetch so many videos with the product's own downloader, and nothing else around it.

    python -m benchmarks.fetch_driver FILES_URL COUNT FOLDER [bytes]

With `bytes` only the transfers into part files are made: the same session, judgement and intake,
no verification, no flush, no final name. Prints seconds; COUNT 0 shows what the start costs.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from pipeline.downloader.allowance import most_bytes
from pipeline.downloader.connection import judge, open_session, request_answer
from pipeline.downloader.fetching import Downloader
from pipeline.downloader.transfer import PartFile, receive
from pipeline.downloader.way import Way

AT_A_TIME = 8
Fetch = Callable[[str, str], Awaitable[object]]


async def transfer(session: aiohttp.ClientSession, folder: Path, url: str, name: str) -> None:
    """Bring the bytes of one video into its part file."""
    part = PartFile(folder, name)
    async with request_answer(
        session, url, have_bytes=0, mark=None, allow_private=True, headers_s=60, way=Way()
    ) as response:
        verdict = judge(response.status, response.headers, 0, None)
        await receive(response, part, verdict, max_bytes=most_bytes(6, "720P"), stall_s=60)


async def all_of(files_url: str, count: int, fetch: Fetch) -> None:
    """Fetch so many, eight at a time, and print the seconds that it took."""
    todo = iter(range(count))

    async def some() -> None:
        for number in todo:
            await fetch(f"{files_url}/v{number}.mp4", f"v{number}.mp4")

    began = time.monotonic()
    await asyncio.gather(*(some() for _ in range(AT_A_TIME)))
    print(time.monotonic() - began)


async def only_bytes(files_url: str, count: int, folder: Path) -> None:
    """Transfer and no more."""
    async with open_session(
        concurrency=AT_A_TIME, allow_private=True, stall_s=60, connect_s=30
    ) as session:
        await all_of(files_url, count, lambda url, name: transfer(session, folder, url, name))


async def whole(files_url: str, count: int, folder: Path) -> None:
    """Fetch as a run does."""
    async with Downloader(
        folder, concurrency=AT_A_TIME, verify="boxes", allow_private=True
    ) as downloader:

        def fetch(url: str, name: str) -> Awaitable[object]:
            return downloader.fetch(
                url, name=name, duration=6, aspect_ratio="16:9", resolution="720P"
            )

        await all_of(files_url, count, fetch)


if __name__ == "__main__":
    _, address, number, place, *rest = sys.argv
    asyncio.run((only_bytes if rest else whole)(address, int(number), Path(place)))
