"""The fleet that the settings ask for: workers of this machine, or those of a scheduler elsewhere.

Workers of this machine have a scheduler inside the run, which answers only to who has the run's
passing certificate: other users of the machine are none of it.

Tested in tests/system/test_fleet.py.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config.settings import Config
from pipeline.fleet.crew import Crew, Hands
from pipeline.fleet.dasksettings import (
    hand_on,
    load,
    passing_security,
    refuse_lack_of_certificates,
    security_from,
)
from pipeline.fleet.fleet import Fleet
from pipeline.fleet.staff import Post, Staff
from pipeline.fleet.wire import Message
from pipeline.process.cores import usable_cores

if TYPE_CHECKING:
    from distributed.scheduler import Scheduler
    from distributed.security import Security

_LOOPBACK = "127.0.0.1"
_JOIN_S = 60.0


@contextlib.asynccontextmanager
async def open_fleet(
    config: Config, notice: Message, scratch: Path, hands: Hands
) -> AsyncIterator[Fleet]:
    """Yield the fleet of a run, with a worker that is fit.

    Args:
        config: What has workers.
        notice: What they are told before they get anything.
        scratch: The folder of videos on their way, for workers of this machine.
        hands: Are told what happens.

    Raises:
        ConfigError: The libraries for it are not installed, or it has no certificates.
        Unfinished: No worker is fit.

    """
    load()
    async with AsyncExitStack() as stack:
        if config.fleet.scheduler is not None:
            refuse_lack_of_certificates(config.fleet.scheduler, "client", security_from(None))
            crew = Crew(config.fleet.scheduler, hands, notice)
            yield await stack.enter_async_context(Fleet(crew))
            return
        security = passing_security()
        stack.callback(shutil.rmtree, scratch, ignore_errors=True)
        scheduler = await stack.enter_async_context(_scheduler(security, scratch))
        number = config.fleet.local or 1
        posts = [
            Post(
                address=scheduler.address,
                slots=config.fleet.slots,
                decoders=ceil(usable_cores() / number),
                scratch=str(scratch / str(one)),
                name=str(one),
                patience_s=_JOIN_S,
                host=_LOOPBACK,
                tls=hand_on(security),
                http=config.http.model_dump(),
            )
            for one in range(1, number + 1)
        ]
        staff = await stack.enter_async_context(Staff(posts, lambda _: None))
        crew = Crew(
            scheduler.address,
            hands,
            notice,
            security=security,
            staff=staff,
            way=way_within(scheduler),
        )
        yield await stack.enter_async_context(Fleet(crew))


def _scheduler(security: Security, scratch: Path) -> Scheduler:
    """Return a scheduler of this process, which imports nothing from its working folder.

    It listens to workers, and to the run itself without a socket: what goes there and back for a
    task would be packed and encrypted for nobody.
    """
    import dask.config  # noqa: PLC0415 - takes a while
    from distributed.scheduler import Scheduler  # noqa: PLC0415 - takes a while

    # Lists, which Dask takes although its types do not say so.
    ways: dict[str, Any] = {
        "protocol": ["tls", "inproc"],
        "host": [_LOOPBACK, None],
        "port": [0, None],
    }
    before = list(sys.path)
    # Else it would keep files in a folder that all may write to.
    with dask.config.set({"temporary-directory": str(scratch)}):
        scheduler = Scheduler(
            **ways,
            security=security,
            dashboard=False,
            dashboard_address=f"{_LOOPBACK}:0",
        )
    sys.path[:] = before
    return scheduler


def way_within(scheduler: Scheduler) -> str:
    """Return the address at which a scheduler of this process is reached without a socket."""
    addresses = [str(one.contact_address) for one in scheduler.listeners]
    return next(one for one in addresses if one.startswith("inproc://"))
