"""The loop that everyone writes: a semaphore around submit, sleep, poll, download. With aiohttp.

    python benchmarks/peers/loop.py BASE_URL MANIFEST FOLDER CAP SLEEP_S

No journal, no retry, no verification, nothing that survives its end.
"""

from __future__ import annotations

import asyncio
import csv
import sys
from pathlib import Path

import aiohttp

KEY = {"Authorization": "Bearer sk-benchmark"}


async def make(
    session: aiohttp.ClientSession, base_url: str, row: dict[str, str], folder: Path, sleep_s: float
) -> tuple[str, Path]:
    """Have one video made; return where it is."""
    body = {"model": "gemini_omni_flash", "prompt": row["prompt"], "duration": int(row["duration"])}
    url = f"{base_url}/v1/videos/generations"
    async with session.post(url, json=body, headers=KEY) as answer:
        task_id = (await answer.json())["id"]
    while True:
        await asyncio.sleep(sleep_s)
        async with session.get(f"{url}/{task_id}", headers=KEY) as answer:
            task = await answer.json()
        if task["status"] == "completed":
            return task["video_url"], folder / f"{row['sku']}.mp4"


async def fetch(session: aiohttp.ClientSession, url: str, path: Path) -> None:
    """Bring one video home."""
    async with session.get(url) as answer:
        with path.open("wb") as file:
            async for piece in answer.content.iter_chunked(64 * 1024):
                file.write(piece)


async def main(base_url: str, manifest: Path, folder: Path, cap: int, sleep_s: float) -> None:
    """Do all rows, so many at a time."""
    slots, transfers = asyncio.Semaphore(cap), asyncio.Semaphore(8)
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(row: dict[str, str]) -> None:
            async with slots:
                url, path = await make(session, base_url, row, folder, sleep_s)
            async with transfers:
                await fetch(session, url, path)

        await asyncio.gather(*(one(row) for row in rows))


if __name__ == "__main__":
    _, address, rows, out, slots, wait = sys.argv
    asyncio.run(main(address, Path(rows), Path(out), int(slots), float(wait)))
