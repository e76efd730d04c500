"""Item 5: downloads beside curl, in turns, on the same files from the same server.

The transfer is what curl does: bytes into a file. The whole adds what makes a file a video that is
surely there: its boxes, its hash, flushing it to the disk, its final name.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, at_least, at_most, beside
from benchmarks.processes import api, python, spend, workplace

VIDEO_BYTES = 4_000_000
AT_A_TIME = 8
TURNS = 5

Turn = tuple[float, float]
"""Seconds of the transfers, and CPU-seconds of the process."""


def _product(files_url: str, count: int, *only: str) -> Turn:
    with workplace() as folder:
        line = python("-m", "benchmarks.fetch_driver", files_url, str(count), folder, *only)
        spent = spend(line).ok()
        return float(spent.out), spent.cpu_s


def _curl(curl: str, files_url: str, count: int) -> Turn:
    with workplace() as folder:
        orders = Path(folder, "orders")
        lines = [
            f'url = "{files_url}/c{number}.mp4"\noutput = "{folder}/c{number}.mp4"'
            for number in range(count)
        ]
        orders.write_text("\n".join(lines), encoding="utf-8")
        at_a_time = ("--parallel", "--parallel-max", str(AT_A_TIME))
        spent = spend([curl, "--silent", "--no-progress-meter", *at_a_time, "-K", orders]).ok()
        return spent.elapsed_s, spent.cpu_s


def measure(*, count: int = 250, long: bool = False) -> Iterator[Figure]:
    """Measure item 5."""
    _ = long
    curl = shutil.which("curl")
    transfers: list[Turn] = []
    wholes: list[Turn] = []
    theirs: list[Turn] = []
    with api("--video-bytes", VIDEO_BYTES) as running:
        url = running.files_url
        start_s = min(_product(url, 0)[1] for _ in range(3))
        for _turn in range(TURNS):
            if curl is not None:
                theirs.append(_curl(curl, url, count))
            transfers.append(_product(url, count, "bytes"))
            wholes.append(_product(url, count))
    speed, cost = _best(transfers, count, start_s)
    yield beside("the product's transfers", f"{speed:.0f} MB/s, {cost:.2f} CPU-s/GB")
    whole_speed, whole_cost = _best(wholes, count, start_s)
    shown = f"{whole_speed:.0f} MB/s, {whole_cost:.2f} CPU-s/GB"
    yield beside("with boxes, hash, flush and final name", shown)
    if curl is None:
        yield beside("curl", "skipped: it is not installed")
        return
    curl_speed, curl_cost = _best(theirs, count, 0)
    yield beside("curl", f"{curl_speed:.0f} MB/s, {curl_cost:.2f} CPU-s/GB")
    yield at_least("throughput of transfers over curl's", speed / curl_speed, 0.95, form=".2f")
    yield at_most("CPU of transfers over curl's", cost / curl_cost, 1.2, form=".2f")
    shown = f"{whole_speed / curl_speed:.2f} and {whole_cost / curl_cost:.2f}"
    yield beside("both with boxes, hash, flush and final name", shown)


def _best(turns: list[Turn], count: int, start_cpu_s: float) -> tuple[float, float]:
    """Return MB/s and CPU-seconds per GB, the best of each: others share the machine."""
    gigabytes = count * VIDEO_BYTES / 1e9
    took_s = min(took for took, _ in turns)
    return gigabytes * 1000 / took_s, (min(cpu for _, cpu in turns) - start_cpu_s) / gigabytes
