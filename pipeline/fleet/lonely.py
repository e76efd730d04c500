"""A worker on a machine of its own, as `reelsheet worker` starts it.

Tested in tests/cli/test_worker.py and tests/system/test_fleet.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import signal
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from platformdirs import user_cache_path

from pipeline.disk.lock import run_lock
from pipeline.disk.openfile import refuse_link
from pipeline.errors import ExitCode, RunLocked, StoreError
from pipeline.fleet.staff import Post, Staff
from pipeline.process.cores import usable_cores

_SIGNALS = {
    "SIGINT": ExitCode.INTERRUPTED,
    "SIGTERM": ExitCode.TERMINATED,
    "SIGHUP": ExitCode.TERMINATED,
}


@contextlib.contextmanager
def scratch_folder(named: Path | None) -> Iterator[Path]:
    """Yield a folder for videos on their way that no other worker uses; raises StoreError.

    `named` is where it is made; None for the user's folder for caches.
    """
    home = named or user_cache_path("reelsheet") / "worker"
    try:
        refuse_link(home)
        home.mkdir(parents=True, mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The scratch folder {home} cannot be made: {error.strerror or error}.",
            action="Name another: reelsheet worker ADDRESS --scratch FOLDER",
        ) from error
    for number in count(1):
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(run_lock(home / f"{number}.lock"))
            except RunLocked:
                continue
            yield (home / str(number)).absolute()
            return


async def work_alone(
    address: str, slots: int, scratch: Path, patience_s: float, tell: Callable[[str], None]
) -> ExitCode:
    """Keep a worker at work until it is dismissed, or a signal ends it; return the exit code.

    Raises Unfinished if it does not fit, ConfigError if what it is set to is wrong.

    Args:
        address: The scheduler's.
        slots: How many videos it has at a time.
        scratch: The folder for videos on their way.
        patience_s: How long a scheduler that is not there is waited for.
        tell: Is told in sentences what happens.

    """
    post = Post(
        address=address,
        slots=slots,
        decoders=usable_cores(),
        scratch=str(scratch),
        name=f"{platform.node()}-{os.getpid()}",
        patience_s=patience_s,
        logs="error",
    )
    ended = _end_by_signals()
    try:
        async with Staff([post], tell, shows_errors=True) as staff:
            await staff.finished()
    except asyncio.CancelledError:
        if not ended:
            raise
        tell("ended; what it had under way goes to other workers")
        return ended[0]
    return ExitCode.DONE


def _end_by_signals() -> list[ExitCode]:
    """Have the first signal cancel this task; return where the exit code of each is noted."""
    ended: list[ExitCode] = []
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def end(code: ExitCode) -> None:
        if not ended and task is not None:
            task.cancel()
        ended.append(code)

    for name, code in _SIGNALS.items():
        with contextlib.suppress(AttributeError, NotImplementedError):  # Windows has no handlers
            loop.add_signal_handler(getattr(signal, name), end, code)
    return ended
