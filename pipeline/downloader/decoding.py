"""Decodes videos in child processes with a time limit.

A damaged file can hang or crash the decoder, so it never runs in the process of the run. Children
start when they are first needed (0.3 s), are reused, are replaced after a timeout or a crash, and
end with their parent, whatever ends it (see `examiner`).
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE
from types import TracebackType
from typing import Any, Self

from pipeline.downloader.boxes import Footage
from pipeline.errors import Unfinished

_PROGRAM = Path(__file__).with_name("examiner.py")
_START_LIMIT_S = 60


class DecodeFault(ValueError):
    """The video cannot be decoded; the message says why."""


class _Died(Exception):
    """The child ended without a reply."""


class _Decoder:
    """A child process that takes one order at a time."""

    def __init__(self, program: Path = _PROGRAM) -> None:
        self._program = program
        self._process: asyncio.subprocess.Process | None = None

    async def ask(self, order: dict[str, Any], limit_s: float) -> dict[str, Any]:
        """Give an order and wait for the reply; whatever ends the wait ends the child as well.

        Raises TimeoutError after `limit_s`, _Died if the child ended, Unfinished if none starts.
        """
        process = self._process or await self._start()
        try:
            async with asyncio.timeout(limit_s):
                return await _exchange(process, order)
        except BaseException:
            await self.end()
            raise

    async def _start(self) -> asyncio.subprocess.Process:
        # -P keeps the program's own folder and the working folder off the import path: nothing
        # that happens to be called like a library may be executed.
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", str(self._program), stdin=PIPE, stdout=PIPE, stderr=DEVNULL
        )
        try:
            async with asyncio.timeout(_START_LIMIT_S):
                greeting = await _reply(process)
        except (_Died, TimeoutError):
            greeting = {"ready": False, "error": "it ended at once"}
        except BaseException:
            await self.end()
            raise
        if not greeting["ready"]:
            await self.end()
            raise Unfinished(
                f"The video decoder does not start: {greeting['error']}.",
                action="Install reelsheet again, or set output.verify to boxes, and run again.",
            )
        return process

    async def end(self) -> None:
        """End the child, if there is one, and wait until it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


async def _exchange(process: asyncio.subprocess.Process, order: dict[str, Any]) -> dict[str, Any]:
    assert process.stdin is not None  # noqa: S101  (asked for with PIPE)
    try:
        process.stdin.write(json.dumps(order).encode() + b"\n")
        await process.stdin.drain()
    except ConnectionError as error:
        raise _Died from error
    return await _reply(process)


async def _reply(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None  # noqa: S101  (asked for with PIPE)
    line = await process.stdout.readline()
    if not line.endswith(b"\n"):
        raise _Died
    reply: dict[str, Any] = json.loads(line)
    return reply


class Decoders:
    """A few decoding processes, as an async context manager.

    `limit_s` is the longest time that one video may take.
    """

    def __init__(
        self, *, processes: int = 2, limit_s: float = 120, program: Path = _PROGRAM
    ) -> None:
        self._limit_s = limit_s
        self._all = [_Decoder(program) for _ in range(processes)]
        # Last in, first out: the second child starts only when two videos come together.
        self._free: asyncio.LifoQueue[_Decoder] = asyncio.LifoQueue()
        for decoder in reversed(self._all):
            self._free.put_nowait(decoder)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for decoder in self._all:
            await decoder.end()

    async def examine(self, path: Path, *, full: bool) -> Footage:
        """Decode the first film frame, or with `full` all of them, and return what the video shows.

        Raises DecodeFault if it cannot be decoded in time, Unfinished if no decoder starts.
        """
        decoder = await self._free.get()
        try:
            reply = await self._ask(decoder, {"path": str(path), "full": full})
        finally:
            self._free.put_nowait(decoder)
        if "fault" in reply:
            raise DecodeFault(reply["fault"])
        return Footage(reply["width"], reply["height"], reply["duration_s"])

    async def _ask(self, decoder: _Decoder, order: dict[str, Any]) -> dict[str, Any]:
        try:
            try:
                return await decoder.ask(order, self._limit_s)
            except _Died:
                # Something else may have ended it, a lack of memory say: it gets a second chance.
                return await decoder.ask(order, self._limit_s)
        except TimeoutError as error:
            raise DecodeFault(f"decoding it takes longer than {self._limit_s:g} s") from error
        except _Died as error:
            raise DecodeFault("the decoder crashes on it") from error
