"""Fetch so many videos in this process, or by workers of this machine.

    python -m benchmarks.fleet_driver FILES_URL COUNT FOLDER WORKERS

WORKERS 0: in this process. Prints JSON: seconds, and CPU-seconds of this process (with the
scheduler of the workers inside) and of the others, each for one video, from when all of them are
there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import psutil

from pipeline import __version__
from pipeline.config.loading import load
from pipeline.downloader.fetching import Downloader
from pipeline.fleet.crew import Hands
from pipeline.fleet.fleet import Fleet
from pipeline.fleet.opening import open_fleet
from pipeline.fleet.wire import Fetch, Terms
from pipeline.model import Video

SLOTS = 8
Do = Callable[[int], Awaitable[object]]


def spent() -> tuple[float, float]:
    """Return the CPU-seconds of this process, and of all below it that are there."""

    def of(process: psutil.Process) -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    below = psutil.Process().children(recursive=True)
    return time.process_time(), sum(of(one) for one in below)


async def take(count: int, at_a_time: int, do: Do) -> dict[str, float]:
    """Do it so many times, so many at a time; return what one of them took."""
    todo, before, began = iter(range(count)), spent(), time.monotonic()

    async def some() -> None:
        for number in todo:
            await do(number)

    await asyncio.gather(*(some() for _ in range(at_a_time)))
    seconds, after = time.monotonic() - began, spent()
    own, others = (one - other for one, other in zip(after, before, strict=True))
    return {"seconds": seconds / count, "own": own / count, "others": others / count}


async def warm(at_a_time: int, do: Do) -> None:
    """Do it some times, so that decoders and loops have started."""
    for number in range(-at_a_time, 0):
        await do(number)


@contextlib.asynccontextmanager
async def opened(folder: Path, workers: int) -> AsyncIterator[Fleet]:
    """Yield the fleet of a run with so many workers of this machine, once all of them are fit."""
    config = load(None, environ={}, overrides=[f"fleet.local={workers}", f"fleet.slots={SLOTS}"])
    hands = Hands(lambda _: None, lambda _: None)
    notice = {"version": __version__}
    async with open_fleet(config, notice, folder / "scratch", hands) as fleet:
        while len(fleet._crew.roster.fit) < workers:  # noqa: ASYNC110, SLF001 - all are there
            await asyncio.sleep(0.1)
        yield fleet


async def in_process(files_url: str, count: int, folder: Path) -> dict[str, float]:
    """Fetch as a run without workers does."""
    async with Downloader(folder, verify="first_frame", allow_private=True) as downloader:

        def fetch(number: int) -> Awaitable[object]:
            return downloader.fetch(
                f"{files_url}/v{number}.mp4",
                name=f"v{number}.mp4",
                duration=6,
                aspect_ratio="16:9",
                resolution="720P",
            )

        await warm(SLOTS, fetch)
        return await take(count, SLOTS, fetch)


async def by_workers(files_url: str, count: int, folder: Path, workers: int) -> dict[str, float]:
    """Fetch as a run with workers does."""
    videos = folder / "videos"
    videos.mkdir()
    terms = Terms(str(videos), "first_frame", 0o644, links=True, allow_private=True)
    async with opened(folder, workers) as fleet:

        async def fetch(number: int) -> None:
            name = f"v{number}.mp4"
            url = f"{files_url}/{name}"
            asked = Fetch(fleet.key_for(name), url, name, 6, "16:9", "720P", terms)
            assert isinstance((await fleet.fetch(asked, 25_000_000)).content, Video)

        await warm(SLOTS * workers, fetch)
        return await take(count, SLOTS * workers, fetch)


def main(arguments: Sequence[str]) -> None:
    """Do what the arguments say."""
    files_url, count, folder, workers = arguments
    if workers == "0":
        found = asyncio.run(in_process(files_url, int(count), Path(folder)))
    else:
        found = asyncio.run(by_workers(files_url, int(count), Path(folder), int(workers)))
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
