"""Fetch so many videos in this process, or by workers of this machine; or have workers do nothing.

    python -m benchmarks.fleet_driver FILES_URL COUNT FOLDER WORKERS
    python -m benchmarks.fleet_driver nothing|messages COUNT FOLDER WORKERS

With `messages` workers do nothing, too, and it is told what goes over the wire for a task, and how
long one takes that is alone.

WORKERS 0: in this process. Prints JSON: seconds, and CPU-seconds of this process (with the
scheduler of the workers inside) and of the others, from when all of them are there.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from pipeline import __version__
from pipeline.config.loading import load
from pipeline.downloader.fetching import Downloader
from pipeline.fleet.crew import Hands
from pipeline.fleet.dasksettings import RESOURCE
from pipeline.fleet.fleet import Fleet
from pipeline.fleet.opening import open_fleet
from pipeline.fleet.wire import Fetch, Terms
from pipeline.model import Video

SLOTS = 8
_ALONE = 100
Do = Callable[[int], Awaitable[object]]


def spent() -> tuple[float, float]:
    """Return the CPU-seconds of this process, and of all below it that are there."""

    def of(process: psutil.Process) -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    here = psutil.Process()
    return of(here), sum(of(one) for one in here.children(recursive=True))


async def all_of(count: int, at_a_time: int, do: Do) -> None:
    """Do it so many times, so many at a time, and print what it took."""
    for number in range(-at_a_time, 0):
        await do(number)  # decoders and loops have started
    todo, before, began = iter(range(count)), spent(), time.monotonic()

    async def some() -> None:
        for number in todo:
            await do(number)

    await asyncio.gather(*(some() for _ in range(at_a_time)))
    took_s, after = time.monotonic() - began, spent()
    own, others = (one - other for one, other in zip(after, before, strict=True))
    print(json.dumps({"seconds": took_s, "own": own, "others": others}))


async def messages(count: int, at_a_time: int, do: Do) -> None:
    """Do it so many times and print the bytes of messages a time, and the seconds of one alone."""
    await do(-1)
    alone_s = []
    for number in range(count, count + _ALONE):
        began = time.monotonic()
        await do(number)
        alone_s.append(time.monotonic() - began)
    sent_bytes, todo = count_messages(), iter(range(count))

    async def some() -> None:
        for number in todo:
            await do(number)

    await asyncio.gather(*(some() for _ in range(at_a_time)))
    print(json.dumps({"bytes": sent_bytes() / count, "alone_s": median(alone_s)}))


def count_messages() -> Callable[[], int]:
    """Count from now on the bytes of Dask's messages, each once; return what tells how many.

    Run and scheduler are in this process: what either writes is counted, and what workers write
    when it is read. What TLS adds is not counted.
    """
    from distributed.comm import tcp  # noqa: PLC0415 - only where there are workers

    counted: list[int] = []
    own_ports: set[int] = set()
    read: Callable[..., Any] = tcp.read_bytes_rw
    write: Callable[..., Any] = tcp.TCP.write

    async def count_read(stream: Any, length: int) -> memoryview:  # noqa: ANN401
        own_ports.add(stream.socket.getsockname()[1])
        if stream.socket.getpeername()[1] not in own_ports:
            counted.append(length)
        found: memoryview = await read(stream, length)
        return found

    async def count_write(self: Any, *given: Any, **named: Any) -> int:  # noqa: ANN401
        own_ports.add(self.stream.socket.getsockname()[1])
        counted.append(await write(self, *given, **named))
        return counted[-1]

    tcp.read_bytes_rw = count_read  # type: ignore[assignment]
    tcp.TCP.write = count_write  # type: ignore[method-assign]
    return lambda: sum(counted)


async def in_process(files_url: str, count: int, folder: Path) -> None:
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

        await all_of(count, SLOTS, fetch)


async def by_workers(files_url: str, count: int, folder: Path, workers: int) -> None:
    """Fetch as a run with workers does."""
    config = load(None, environ={}, overrides=[f"fleet.local={workers}", f"fleet.slots={SLOTS}"])
    videos = folder / "videos"
    videos.mkdir()
    terms = Terms(str(videos), "first_frame", 0o644, links=True, allow_private=True)
    hands = Hands(lambda _: None, lambda _: None)
    notice = {"version": __version__}
    async with open_fleet(config, notice, folder / "scratch", hands) as fleet:
        while len(fleet._crew.roster.fit) < workers:  # noqa: ASYNC110, SLF001 - all are there
            await asyncio.sleep(0.1)

        async def fetch(number: int) -> None:
            name = f"v{number}.mp4"
            url = f"{files_url}/{name}"
            asked = Fetch(fleet.key_for(name), url, name, 6, "16:9", "720P", terms)
            assert isinstance((await fleet.fetch(asked, 25_000_000)).content, Video)

        async def nothing(number: int) -> None:
            await _nothing(fleet, fleet.key_for(f"n{number}"))

        if files_url == "messages":
            await messages(count, SLOTS * workers, nothing)
            return
        await all_of(count, SLOTS * workers, nothing if files_url == "nothing" else fetch)


async def _nothing(fleet: Fleet, key: str) -> None:
    """Have a worker do nothing, by all of Dask's way."""
    from pipeline.fleet import worker  # noqa: PLC0415

    client: Any = fleet._crew.client  # noqa: SLF001
    future = client.submit(worker.stop, [], key=key, resources={RESOURCE: 1}, pure=False)
    await future
    future.release()


def main(arguments: Sequence[str]) -> None:
    """Do what the arguments say."""
    files_url, count, folder, workers = arguments
    if workers == "0":
        asyncio.run(in_process(files_url, int(count), Path(folder)))
    else:
        asyncio.run(by_workers(files_url, int(count), Path(folder), int(workers)))


if __name__ == "__main__":
    main(sys.argv[1:])
