"""When one machine is enough: how many videos an hour it gets, by its link and what is decoded.

A division, and no measurement: bytes by what a link carries, processor time by what a video takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

_SECONDS = 3600
_CORES = 4
_MB_A_GBIT = 1000 / 8 * 0.94
"""What a link of 1 Gbit/s carries in a second, less the headers of its packets."""
_GROUPS = {"default": 300, "vip": 1000, "svip": 2000}
"""What the provider takes of an account in a minute, by its group."""


@dataclass(frozen=True)
class _Work:
    """What is done with a video, its size, and the processor time of a worker."""

    what: str
    megabytes: float
    cpu_s: float


_WORKS = (
    _Work("720p, 10 MB, first frame", 10, 0.055),
    _Work("720p, 10 MB, decoded whole or measured", 10, 0.6),
    _Work("1080p of 10 s, 25 MB, first frame", 25, 0.055),
    _Work("1080p of 10 s, 25 MB, decoded whole or measured", 25, 1.6),
)


def videos_an_hour(work: _Work, gbits: float) -> float:
    """Return how many videos a machine of four cores gets: by its link or by its cores."""
    by_link = gbits * _MB_A_GBIT / work.megabytes
    return min(by_link, _CORES / work.cpu_s) * _SECONDS


def capacity() -> str:
    """Return the table."""
    needs = [f"{_SECONDS // 60 * rate:,} ({name})" for name, rate in _GROUPS.items()]
    lines = [
        "| videos | an hour at 1 Gbit/s | at 10 Gbit/s | "
        + " | ".join(f"machines for {need}" for need in needs)
        + " |",
        "| --- |" + " ---: |" * (2 + len(needs)),
    ]
    for work in _WORKS:
        one, ten = videos_an_hour(work, 1), videos_an_hour(work, 10)
        machines = [ceil(_SECONDS // 60 * rate / one) for rate in _GROUPS.values()]
        cells = [f"{round(one, -3):,.0f}", f"{round(ten, -3):,.0f}", *map(str, machines)]
        lines.append(f"| {work.what} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
