"""A queue loop in the style of public cookbooks: workers take rows and re-queue what failed.

    python benchmarks/peers/queues.py BASE_URL MANIFEST FOLDER CAP SLEEP_S

A tracker counts, each request has its attempts left, results go to a JSON-lines file.
"""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

KEY = {"Authorization": "Bearer sk-benchmark"}


@dataclass
class Tracker:
    """Counts what happened."""

    started: int = 0
    succeeded: int = 0
    failed: int = 0


@dataclass
class Order:
    """What all workers are told."""

    base_url: str
    sleep_s: float
    log: Path


@dataclass
class Item:
    """One row on its way, with the tries it has left."""

    row: dict[str, str]
    attempts_left: int = 5
    errors: list[str] = field(default_factory=list)


async def generate(
    session: aiohttp.ClientSession, base_url: str, item: Item, sleep_s: float
) -> dict[str, Any]:
    """Submit one row and poll it to its end."""
    url = f"{base_url}/v1/videos/generations"
    body = {
        "model": "gemini_omni_flash",
        "prompt": item.row["prompt"],
        "duration": int(item.row["duration"]),
    }
    async with session.post(url, json=body, headers=KEY) as answer:
        answer.raise_for_status()
        task: dict[str, Any] = await answer.json()
    while task["status"] != "completed":
        await asyncio.sleep(sleep_s)
        async with session.get(f"{url}/{task['id']}", headers=KEY) as answer:
            task = await answer.json()
    return task


async def worker(
    queue: asyncio.Queue[Item],
    ready: asyncio.Queue[tuple[str, Path]],
    session: aiohttp.ClientSession,
    tracker: Tracker,
    order: Order,
) -> None:
    """Take rows until there are none."""
    while True:
        item = await queue.get()
        tracker.started += 1
        try:
            task = await generate(session, order.base_url, item, order.sleep_s)
            with order.log.open("a", encoding="utf-8") as log:
                log.write(json.dumps([item.row, task]) + "\n")
            ready.put_nowait((task["video_url"], order.log.parent / f"{item.row['sku']}.mp4"))
            tracker.succeeded += 1
        except aiohttp.ClientError as error:
            item.errors.append(str(error))
            item.attempts_left -= 1
            if item.attempts_left:
                queue.put_nowait(item)
            else:
                tracker.failed += 1
        finally:
            queue.task_done()


async def fetcher(ready: asyncio.Queue[tuple[str, Path]], session: aiohttp.ClientSession) -> None:
    """Bring videos home, one after the other."""
    while True:
        url, path = await ready.get()
        async with session.get(url) as answer:
            with path.open("wb") as file:
                async for piece in answer.content.iter_chunked(64 * 1024):
                    file.write(piece)
        ready.task_done()


async def main(base_url: str, manifest: Path, folder: Path, cap: int, sleep_s: float) -> None:
    """Do all rows with so many workers."""
    queue: asyncio.Queue[Item] = asyncio.Queue()
    ready: asyncio.Queue[tuple[str, Path]] = asyncio.Queue()
    with manifest.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            queue.put_nowait(Item(row))
    order = Order(base_url, sleep_s, folder / "results.jsonl")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        tracker = Tracker()
        work = [
            asyncio.create_task(worker(queue, ready, session, tracker, order)) for _ in range(cap)
        ]
        work += [asyncio.create_task(fetcher(ready, session)) for _ in range(8)]
        await queue.join()
        await ready.join()
        for one in work:
            one.cancel()
        await asyncio.gather(*work, return_exceptions=True)


if __name__ == "__main__":
    _, address, rows, out, slots, wait = sys.argv
    asyncio.run(main(address, Path(rows), Path(out), int(slots), float(wait)))
