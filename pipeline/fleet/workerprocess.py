"""The program of a worker's process: it checks what it needs, then joins the scheduler.

The check comes first: nothing keeps a worker out once it has joined. It gets one order, a line of
JSON; says in a line that it has joined, or why it does not; and ends when its input ends, whatever
ended the process that started it. With exit code 0 it was dismissed; after any other it is started
again.

Tested in tests/system/test_fleet.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from pipeline.config.settings import Config, Http
from pipeline.errors import ConfigError, ReelsheetError, Unfinished
from pipeline.fleet.dasksettings import (
    CONNECT_S,
    NOTICE,
    RESOURCE,
    load,
    refuse_lack_of_certificates,
    security_from,
)
from pipeline.fleet.worker import Bench, refusal_of, work_at
from pipeline.network import read_network

DISMISSED, LOST = 0, 75
"""Exit codes: the run has no use for it; the scheduler is gone, or has forgotten it."""
_RETIRED = "scheduler-close-worker"
"""What Dask gives as the reason where a worker was retired."""


def serve() -> None:
    """Carry out the order that stands in the input."""
    for name in ("SIGINT", "SIGTERM"):  # the process that started this one decides about its end
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        load(logs=order["logs"])
        code = asyncio.run(_work(order, said))
    except ReelsheetError as error:
        _say(said, refused=error.message, action=error.action, exit_code=error.exit_code)
        code = DISMISSED
    os._exit(code)


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(LOST)


def _say(said: Any, **told: object) -> None:  # noqa: ANN401 - a text stream
    with contextlib.suppress(OSError):
        said.write(json.dumps(told) + "\n")
        said.flush()


async def _work(order: dict[str, Any], said: Any) -> int:  # noqa: ANN401
    """Check, join, and work until the scheduler lets go; return the exit code."""
    network = read_network(Config(http=Http(**order["http"])), os.environ)
    bench = Bench(Path(order["scratch"]), order["slots"], order["decoders"], network)
    async with bench:
        await _see_that_it_fits(order, said)
        return await _join(order, bench, said)


async def _see_that_it_fits(order: dict[str, Any], said: Any) -> None:  # noqa: ANN401
    """Ask the scheduler what the run needs; raises Unfinished where that is not to be had here.

    Raises ConfigError where what this machine is set to is wrong.
    """
    if (notice := await _notice(order, said)) is None:
        return  # no run yet: it asks for itself when it begins
    try:
        reason = await refusal_of(notice)
    except ReelsheetError as error:
        kind = ConfigError if isinstance(error, ConfigError) else Unfinished
        raise kind(f"The worker does not join: {error.message}", action=error.action) from error
    if reason is not None:
        action = "Install the version of the run here, and start the worker again."
        raise Unfinished(
            f"The worker does not join: {reason}.", action=action if "reelsheet" in reason else None
        )


async def _notice(order: dict[str, Any], said: Any) -> dict[str, Any] | None:  # noqa: ANN401
    """Return what the run has told the scheduler; waits for the scheduler to be there."""
    from distributed.core import rpc  # noqa: PLC0415 - takes a while

    security = security_from(order["tls"])
    refuse_lack_of_certificates(order["address"], "worker", security)
    until, waits = time.monotonic() + order["patience_s"], False
    while True:
        try:
            arguments = security.get_connection_args("worker")
            async with rpc(order["address"], connection_args=arguments) as scheduler:
                asked = scheduler.get_metadata(keys=[NOTICE], default=None)
                found = await asyncio.wait_for(asked, CONNECT_S)
                return found if isinstance(found, dict) else None
        except (OSError, TimeoutError) as error:
            if time.monotonic() >= until:
                raise Unfinished(
                    f"No scheduler answers at {order['address']} ({type(error).__name__}).",
                    action="Start it: dask scheduler; and start the worker again.",
                ) from error
            if not waits:
                minutes = f"{order['patience_s'] / 60:g} min"
                _say(
                    said,
                    told=f"no scheduler answers at {order['address']} yet: for {minutes} "
                    "it is waited for",
                )
                waits = True
        except ValueError as error:  # certificates that are missing, or fit no address
            raise Unfinished(f"The scheduler cannot be reached: {error}.") from error
        await asyncio.sleep(1)


async def _join(order: dict[str, Any], bench: Bench, said: Any) -> int:  # noqa: ANN401
    """Be a worker of the scheduler until one of them lets go; return the exit code."""
    from distributed.worker import Worker  # noqa: PLC0415 - takes a while

    reasons: list[str] = []

    class Noting(Worker):
        """A worker that notes why it is closed."""

        async def close(self, *args: Any, **more: Any) -> Any:  # noqa: ANN401 - Dask's own
            reasons.append(str(more.get("reason")))
            return await super().close(*args, **more)

    slots = order["slots"]
    worker = Noting(
        order["address"],
        nthreads=slots,
        resources={RESOURCE: slots},
        name=order["name"],
        host=order["host"],
        security=security_from(order["tls"]),
        local_directory=str(Path(order["scratch"]) / "dask"),
        memory_limit=0,
        death_timeout=order["patience_s"],
    )
    try:
        async with asyncio.timeout(order["patience_s"]):
            await worker
    except (OSError, TimeoutError, RuntimeError):  # it is started again, and told so
        return LOST
    bench.address = worker.address
    work_at(bench)
    _say(said, ready=worker.address)
    await worker.finished()  # type: ignore[no-untyped-call]
    return DISMISSED if _RETIRED in reasons else LOST
