"""Work beside whatever goes on: one thing after the other, or a few at once, as they come.

Tested in tests/review/test_drawing.py and tests/review/test_measuring.py.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Generic, Self, TypeVar

_Item = TypeVar("_Item")


class InTurn(ABC, Generic[_Item]):
    """Does one thing after the other; an async context manager, which ends without waiting."""

    def __init__(self, at_once: int = 1) -> None:
        """Have nothing to do yet, and do so many things at once."""
        self._at_once = at_once
        self._queue: asyncio.Queue[_Item] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._at_once)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for one in self._tasks:
            one.cancel()
        for one in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await one

    async def finish(self, limit_s: float | None) -> None:
        """Wait for those that are left, at most this long; None: as long as it takes."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._queue.join(), limit_s)

    def _add(self, items: Iterable[_Item]) -> None:
        for one in items:
            self._queue.put_nowait(one)

    async def _work(self) -> None:
        while True:
            item = await self._queue.get()
            try:
                await self._do(item)
            finally:
                self._queue.task_done()

    @abstractmethod
    async def _do(self, item: _Item) -> None:
        """Do what is next; whatever it raises ends all of it."""
