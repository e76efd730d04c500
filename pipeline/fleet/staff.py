"""The worker processes of this machine: started, started again when they end, and ended with us.

A run with `fleet.local` has some of them, `reelsheet worker` has one.

Tested in tests/system/test_fleet.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from pipeline.errors import ConfigError, ExitCode, ReelsheetError, Unfinished
from pipeline.fleet.workerprocess import DISMISSED
from pipeline.process.children import child_command, child_environment

_PROGRAM = "pipeline.fleet.workerprocess"
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 30.0
"""How long a worker that ended is not started again; twice as long after each that never joined."""
_PREFIXES = (
    "AWS_", "AZURE_", "CONTAINER_", "DASK_", "GOOGLE_", "HTTP_PROXY", "HTTPS_PROXY", "IDENTITY_",
    "KUBERNETES_", "MSI_", "NO_PROXY", "SSL_CERT_",
)  # fmt: skip
"""Of the environment a worker gets what buckets, proxies and Dask are set by."""


@dataclass(frozen=True, slots=True)
class Post:
    """What a worker process is told: where to join, with what, and how it reaches the world."""

    address: str
    slots: int
    decoders: int
    scratch: str
    name: str
    patience_s: float
    host: str | None = None
    tls: dict[str, str] | None = None
    http: dict[str, Any] = field(default_factory=dict)
    logs: str = "critical"


def worker_environment() -> dict[str, str]:
    """Return the environment of a worker: no key of the API, but the way to buckets."""
    kept = {name: text for name, text in os.environ.items() if name.upper().startswith(_PREFIXES)}
    return child_environment() | kept


class Staff:
    """Keeps a worker process at each post; an async context manager.

    Args:
        posts: What each is told.
        tell: Is told in a sentence what happens to them.
        shows_errors: Whether their standard error is ours.

    """

    def __init__(
        self, posts: Sequence[Post], tell: Callable[[str], None], *, shows_errors: bool = False
    ) -> None:
        self._posts = posts
        self._tell = tell
        self._shows_errors = shows_errors
        self._keepers: list[asyncio.Task[ReelsheetError | None]] = []
        self._processes: dict[int, Process] = {}
        self._dismissed: set[int] = set()

    async def __aenter__(self) -> Self:
        """Start them, without waiting for them."""
        self._keepers = [asyncio.create_task(self._keep(one)) for one in self._posts]
        return self

    async def __aexit__(self, *_: object) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    async def finished(self) -> None:
        """Wait until none is kept any more; raises its refusal where one does not fit."""
        for refusal in await asyncio.gather(*self._keepers):
            if refusal is not None:
                raise refusal

    @property
    def refusal(self) -> ReelsheetError | None:
        """Why none of them joins; None as long as any may."""
        if not all(one.done() and not one.cancelled() for one in self._keepers):
            return None
        return next(filter(None, (one.result() for one in self._keepers)), None)

    def kill(self, pid: int, *, for_good: bool = False) -> None:
        """End a process of ours, which is started again unless it is dismissed for good."""
        if (process := self._processes.get(pid)) is not None and process.returncode is None:
            if for_good:
                self._dismissed.add(pid)
            process.kill()

    async def _keep(self, post: Post) -> ReelsheetError | None:
        """Keep a process at a post; return why it cannot work, if it says so."""
        wait_s = _FIRST_WAIT_S
        while True:
            process = await asyncio.create_subprocess_exec(
                *child_command(_PROGRAM),
                stdin=PIPE,
                stdout=PIPE,
                stderr=None if self._shows_errors else DEVNULL,
                env=worker_environment(),
            )
            self._processes[process.pid] = process
            try:
                joined, refusal = await self._attend(process, post)
            finally:
                self._processes.pop(process.pid, None)
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            if refusal is not None or process.pid in self._dismissed:
                return refusal
            if process.returncode == DISMISSED:
                self._tell(f"worker {post.name}: the run has dismissed it")
                return Unfinished("The run has dismissed the worker; its log says why.")
            wait_s = _FIRST_WAIT_S if joined else min(2 * wait_s, _LONGEST_WAIT_S)
            self._tell(f"worker {post.name} has ended; it is started again")
            await asyncio.sleep(wait_s)

    async def _attend(self, process: Process, post: Post) -> tuple[bool, ReelsheetError | None]:
        """Give the order and hear what it says, to its end."""
        assert process.stdin is not None  # noqa: S101 - asked for with PIPE
        assert process.stdout is not None  # noqa: S101 - likewise
        with contextlib.suppress(ConnectionError):
            process.stdin.write(json.dumps(asdict(post)).encode() + b"\n")
            await process.stdin.drain()
        joined, refusal = False, None
        while line := await process.stdout.readline():
            with contextlib.suppress(ValueError):
                told = json.loads(line)
                if "refused" in told:
                    refusal = refusal_told(told)
                elif "told" in told:
                    self._tell(str(told["told"]))
                elif "ready" in told:
                    joined = True
                    self._tell(f"worker {post.name} has joined {post.address}")
        await process.wait()
        return joined, refusal


def refusal_told(told: dict[str, Any]) -> ReelsheetError:
    """Return the refusal that a worker process has said, with the exit code that belongs to it."""
    kind = ConfigError if told.get("exit_code") == ExitCode.USAGE else Unfinished
    return kind(str(told["refused"]), action=told.get("action"))
