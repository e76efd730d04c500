"""What a child does to itself before it opens anything: limits, and an end with its parent's.

The limits are the system's, so no library can pass them, whatever it is busy with: too much memory
makes it fail, too much time ends it. Where the system has no such limits (Windows) the parent's
clock remains.

Tested in tests/process/test_children.py.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress

READY = b"ready\n"
"""The first line of a child that `children.Child` starts: from now on its time counts."""
_LAST = 19
_BELOW_NORMAL = 0x4000


def confine(*, memory_bytes: int, cpu_s: int | None = None, clock_s: float | None = None) -> None:
    """Limit this process; Ctrl-C is left to the process that started it.

    Args:
        memory_bytes: The most address space.
        cpu_s: The most time of a processor; None for any.
        clock_s: The most time that passes; None for any.

    """
    # Ctrl-C reaches the whole group; the process that started this one decides about its end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - there is none on Windows

    limits = [(resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CORE, 0)]
    if cpu_s is not None:
        limits.append((resource.RLIMIT_CPU, cpu_s))
    for kind, wanted in limits:
        _, hard = resource.getrlimit(kind)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):  # macOS takes no limit of the address space
            resource.setrlimit(kind, (most, hard))
    for name in ("SIGALRM", "SIGXCPU"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    if clock_s is not None:
        signal.setitimer(signal.ITIMER_REAL, clock_s)


def give_way() -> None:
    """Let every other process go before this one, for good."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - only there it is needed

        system = ctypes.windll.kernel32
        system.SetPriorityClass(system.GetCurrentProcess(), _BELOW_NORMAL)
        return
    with suppress(OSError):
        os.nice(_LAST)


def end_with_input() -> None:
    """End this process as soon as its input ends; to be called when the order has been read.

    The parent keeps the input open as long as it lives and waits for the answer.
    """
    if sys.platform == "linux":
        # A library may keep the thread below from its turn; what the system sends ends it anyway.
        import fcntl  # noqa: PLC0415 - there is none on Windows

        fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    with suppress(OSError):
        while os.read(0, 1024):
            pass
    os._exit(1)
