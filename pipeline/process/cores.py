"""How many cores this process may use: of the machine, of its own set of them, of its container.

Tested in tests/process/test_cores.py.
"""

from __future__ import annotations

import os
from contextlib import suppress
from math import ceil
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def usable_cores(groups: Path = _GROUPS, own: Path = _OWN) -> int:
    """Return the number of cores, one at least.

    `groups` is where control groups lie, `own` the file that names that of this process.
    """
    cores = _given_cores()
    quota = _quota(groups, own)
    return cores if quota is None else max(1, min(cores, ceil(quota)))


def _given_cores() -> int:
    """Return the cores that the system lets this process run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota(groups: Path, own: Path) -> float | None:
    """Return the cores that the control groups around this process let it use; None for all.

    A container of two processors on a machine of 64 sees all of them, and is held back.
    """
    name = ""
    with suppress(OSError, UnicodeError):
        lines = own.read_text("utf-8").splitlines()
        name = next((one[3:] for one in lines if one.startswith("0::")), "").strip("/")
    place = groups / name
    quotas = []
    while place.is_relative_to(groups) and ".." not in place.parts:
        with suppress(OSError, UnicodeError):
            quota = quota_in((place / "cpu.max").read_text("ascii"))
            quotas += [] if quota is None else [quota]
        place = place.parent
    return min(quotas, default=None)


def quota_in(text: str) -> float | None:
    """Return how many cores a line of a control group allows, as `200000 100000`; None for all."""
    allowed, _, period = text.strip().partition(" ")
    if not (allowed.isdecimal() and period.isdecimal()) or int(period) == 0 or int(allowed) == 0:
        return None
    return int(allowed) / int(period)
