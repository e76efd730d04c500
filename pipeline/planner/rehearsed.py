"""How long a rehearsal takes on this machine: its previews are drawn here.

Tested in tests/planner/test_planner.py.
"""

from __future__ import annotations

import os
from math import ceil

from pipeline.config.settings import Polling
from pipeline.process.cores import usable_cores

_REHEARSAL_S, _EMULATED_S, _RENDERED_S = 5.0, 4.0, 0.1
"""What a rehearsal takes around its tasks, one of these, and a core for a second of its preview."""


def power() -> tuple[int, float]:
    """Return how many processors this process may use, and how many processes want one of them.

    The load is that of the whole machine; these processors have their share of it.
    """
    cores = usable_cores()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return cores, load * cores / (os.cpu_count() or cores)


def rehearsal_s(seconds: int, polling: Polling, cores: int, load: float) -> float:
    """Return how long it takes until the previews of so many seconds are drawn and asked for.

    Args:
        seconds: those of all videos.
        polling: the settings by which ends are noticed.
        cores: how many processors there are.
        load: how many processes want one.

    """
    drawn_s = seconds * _RENDERED_S / min(cores, 2) * max(1.0, load / cores)
    more = ceil(max(0.0, _EMULATED_S + drawn_s - polling.first_s) / polling.interval_s)
    return _REHEARSAL_S + polling.first_s + more * polling.interval_s
