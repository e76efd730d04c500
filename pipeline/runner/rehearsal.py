"""Where a run finds its provider: in a rehearsal, the built-in emulator as a child process.

The emulator needs no key and no network, and costs nothing. It ends when its standard input ends,
so that none is left behind even when this process is killed.

Tested in tests/system/test_rehearsal.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

from pipeline.config.key import api_key, say_refused_key
from pipeline.config.settings import Config
from pipeline.disk.rights import refuse_links_in
from pipeline.errors import Unfinished
from pipeline.models.shelf import own_sheets
from pipeline.network import read_network
from pipeline.process.children import child_command, child_environment
from pipeline.runner.destination import refuse_strange_destination
from pipeline.toapis.client import ToAPIs

_KEY = "rehearsal"
"""Any key is accepted by the emulator."""

_START_LIMIT_S = 60
_PROGRAM = "pipeline.emulator.command"


@contextlib.asynccontextmanager
async def open_provider(
    config: Config, state: Path, *, trusted: bool = False, pictures: Path | None = None
) -> AsyncIterator[ToAPIs]:
    """Yield the client of the provider, open; for a rehearsal, start the emulator first.

    Args:
        config: The configuration.
        state: Where the emulator keeps its tasks and files.
        trusted: Whether it was already asked if the key may go there.
        pictures: Where small copies of web pictures lie, which a rehearsal's videos show.

    Raises:
        UsageError: The key never went there, or there is none.
        Unfinished: The emulator does not start.

    """
    if not trusted:
        refuse_strange_destination(config, os.environ)
    async with contextlib.AsyncExitStack() as stack:
        if config.rehearses:
            refuse_links_in(state.parent)
            base_url, key = await stack.enter_async_context(_emulator(state, pictures)), _KEY
            refused = None
        else:
            base_url, key = config.api.base_url, api_key(config, os.environ)
            refused = say_refused_key(config, os.environ)
        api = ToAPIs(
            base_url,
            key,
            submit_timeout_s=config.api.submit_timeout_s,
            network=read_network(config, os.environ),
            say_refused=refused,
            tells_keys=config.rehearses,
        )
        yield await stack.enter_async_context(api)


@contextlib.asynccontextmanager
async def _emulator(state: Path, pictures: Path | None) -> AsyncIterator[str]:
    # It knows the shipped models by itself; of a team's own ones it believes what is sent.
    own = [f"--own-model={name}" for name in own_sheets()]
    shown = [f"--pictures={pictures}"] if pictures is not None else []
    process = await asyncio.create_subprocess_exec(
        *child_command(_PROGRAM, "--state", str(state), "--until-stdin-closes", *own, *shown),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env=child_environment(),
        # Ctrl-C in a terminal reaches the whole group: the emulator must live until the run is
        # through with the answers under way.
        start_new_session=True,
    )
    try:
        yield await _read_address(process)
    finally:
        await _end(process)


async def _read_address(process: Process) -> str:
    assert process.stdout is not None  # noqa: S101 - it was asked for as a pipe
    try:
        async with asyncio.timeout(_START_LIMIT_S):
            line = await process.stdout.readline()
        return str(json.loads(line)["base_url"])
    except (TimeoutError, ValueError, KeyError) as error:
        raise Unfinished(
            "the emulator for the rehearsal does not start",
            action="Run `reelsheet emulate` to see why.",
        ) from error


async def _end(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(10):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
