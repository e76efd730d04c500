"""Have workers do nothing, by the whole way of a fetch and by Dask's bare loop, in turns.

    python -m benchmarks.ceiling_driver COUNT FOLDER WORKERS

Both ways share cluster, connection, certificates and concurrency, so that what the one needs more
than the other is the product's own. Prints JSON: what each turn took of each way; the bytes of
messages of a fetch; and the seconds of one that is alone.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.fleet_driver import SLOTS, Do, opened, take, warm
from pipeline.fleet.fleet import Fleet
from pipeline.fleet.wire import Fetch, Message, Terms, message_of
from pipeline.model import Video

TURNS = 9
_ALONE = 100
_PLACE = "/videos"


def idle() -> None:
    """Have a worker answer each fetch at once, as if it had put the video into its place."""
    from pipeline.fleet import worker  # noqa: PLC0415 - that of the worker's process

    (bench,) = worker._benches  # noqa: SLF001

    async def fetch(asked: Fetch) -> Message:
        video = Video(asked.name, 10_000_000, "0" * 64, 6.0, 1280, 720, place=asked.terms.place)
        return message_of(video, bench.address)

    bench.fetch = fetch  # type: ignore[method-assign]


def by_fleet(fleet: Fleet) -> Do:
    """Return the product's way: all that a fetch passes through but the fetch."""
    terms = Terms(_PLACE, "first_frame", 0o644, links=True)

    async def fetch(number: int) -> None:
        name = f"v{number}.mp4"
        url = f"http://127.0.0.1/{name}"
        asked = Fetch(fleet.key_for(name), url, name, 6, "16:9", "720P", terms)
        found = (await fleet.fetch(asked, 25_000_000)).content
        assert isinstance(found, Video), found

    return fetch


def by_bare_loop(fleet: Fleet) -> Do:
    """Return the peer: what Dask's own documentation shows, with a function that does nothing."""
    from pipeline.fleet import worker  # noqa: PLC0415 - loads what a worker needs

    client: Any = fleet._crew.client  # noqa: SLF001

    async def submit(_number: int) -> None:
        await client.submit(worker.stop, [], pure=False)

    return submit


async def alone(do: Do) -> float:
    """Return the seconds of one that is alone."""
    took_s = []
    for number in range(_ALONE):
        began = time.monotonic()
        await do(number)
        took_s.append(time.monotonic() - began)
    return median(took_s)


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


async def measure(count: int, folder: Path, workers: int) -> None:
    """Measure both ways, so many times a turn, and print it."""
    at_a_time = SLOTS * workers
    async with opened(folder, workers) as fleet:
        client: Any = fleet._crew.client  # noqa: SLF001
        await client.run(idle)
        ways = {"fleet": by_fleet(fleet), "bare": by_bare_loop(fleet)}
        for do in ways.values():
            await warm(at_a_time, do)
        turns: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
        for turn in range(TURNS):
            for name in list(ways)[:: 1 if turn % 2 else -1]:
                turns[name].append(await take(count, at_a_time, ways[name]))
        told: dict[str, Any] = {"turns": turns}
        told["alone_s"] = {name: await alone(do) for name, do in ways.items()}
        sent_bytes = count_messages()
        await take(count, at_a_time, ways["fleet"])
        print(json.dumps({**told, "bytes": sent_bytes() / count}))


def main(arguments: Sequence[str]) -> None:
    """Do what the arguments say."""
    count, folder, workers = arguments
    asyncio.run(measure(int(count), Path(folder), int(workers)))


if __name__ == "__main__":
    main(sys.argv[1:])
