"""What Dask alone carries: tasks that do nothing, on its own cluster of this machine.

    python benchmarks/peers/dask_loop.py COUNT WORKERS THREADS

As its documentation begins: `LocalCluster`, `submit`, `await`, all settings Dask's own, no
certificates. Prints JSON: what one task took: seconds, CPU-seconds of this process, with the
scheduler inside, and of the workers.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from operator import pos

import psutil
from distributed import Client, LocalCluster


def spent() -> tuple[float, float]:
    """Return the CPU-seconds of this process, and of all below it."""
    below = psutil.Process().children(recursive=True)
    return time.process_time(), sum(sum(one.cpu_times()[:2]) for one in below)


async def main(count: int, workers: int, threads: int) -> None:
    """Submit and await, as many at a time as there are threads."""
    cluster = LocalCluster(
        n_workers=workers, threads_per_worker=threads, dashboard_address=None, asynchronous=True
    )
    async with cluster, Client(cluster, asynchronous=True) as client:

        async def submit(numbers: range) -> None:
            todo = iter(numbers)

            async def some() -> None:
                for number in todo:
                    await client.submit(pos, number, pure=False)

            await asyncio.gather(*(some() for _ in range(workers * threads)))

        await submit(range(100))
        before, began = spent(), time.monotonic()
        await submit(range(count))
        seconds, after = time.monotonic() - began, spent()
        own, others = (one - other for one, other in zip(after, before, strict=True))
        told = {"seconds": seconds, "own": own, "others": others}
        print(json.dumps({name: one / count for name, one in told.items()}))


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
