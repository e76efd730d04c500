"""What aiohttp alone costs: so many small queries over 32 connections kept alive.

    python benchmarks/peers/bare.py BASE_URL COUNT

Prints microseconds of this process's CPU per request, its start left out.
"""

from __future__ import annotations

import asyncio
import sys
import time

import aiohttp

KEY = {"Authorization": "Bearer sk-benchmark"}


async def main(base_url: str, count: int) -> None:
    """Ask for one task again and again."""
    url = f"{base_url}/v1/videos/generations"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=32)) as session:
        async with session.post(url, json={"prompt": "one"}, headers=KEY) as answer:
            task_id = (await answer.json())["id"]

        async def ask(times: int) -> None:
            for _ in range(times):
                async with session.get(f"{url}/{task_id}", headers=KEY) as answer:
                    await answer.json()

        await asyncio.gather(*(ask(5) for _ in range(32)))
        began = time.process_time()
        await asyncio.gather(*(ask(count // 32) for _ in range(32)))
        print((time.process_time() - began) / (count // 32 * 32) * 1e6)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
