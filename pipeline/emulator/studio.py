"""Makes each task's video off the event loop, and knows when it is there.

Tested in tests/emulator/test_render.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipeline.emulator.clips import ClipKind, clip_at_hand, free_box, plain_clip, stamp
from pipeline.emulator.private import read_private
from pipeline.emulator.render import Picture, Shot, render
from pipeline.emulator.tasks import Task

if TYPE_CHECKING:
    # A pipe's end is of another class on Windows.
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection as Connection
    else:
        from multiprocessing.connection import Connection

_BELOW_NORMAL_PRIORITY_CLASS = 0x4000


class Studio(Protocol):
    """Makes videos."""

    def start(self, task: Task) -> None:
        """Begin with the video of a task."""

    def ready_at(self, task: Task) -> float | None:
        """Return when the video was there (Unix seconds), or None."""

    def has_failed(self, task: Task) -> bool:
        """Tell whether the video can never be made."""

    async def video(self, task: Task) -> list[bytes]:
        """Return the bytes of a finished video, in parts."""

    def close(self) -> None:
        """Stop all work."""


class QuickStudio:
    """Gives every task a tiny plain clip, encoded once per length and frame."""

    def __init__(self, folder: Path | None, padding_bytes: int, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._padding = free_box(bytes(padding_bytes)) if padding_bytes else b""
        self._clock = clock
        self._ready: dict[ClipKind, float] = {}
        self._works: dict[ClipKind, asyncio.Future[bytes]] = {}

    def start(self, task: Task) -> None:
        """Encode the clip of this kind if nobody has yet."""
        kind = task.order.clip_kind
        if kind in self._works or kind in self._ready:
            return
        if clip_at_hand(*kind):
            # Made before the task was: it must not push the task's end back.
            self._ready[kind] = 0.0
            return
        work = asyncio.get_running_loop().run_in_executor(None, plain_clip, *kind, self._folder)
        self._works[kind] = work
        work.add_done_callback(lambda done: self._done(kind, done))

    def ready_at(self, task: Task) -> float | None:
        """Return when the clip of this kind was there."""
        return self._ready.get(task.order.clip_kind)

    def has_failed(self, task: Task) -> bool:  # noqa: ARG002 - a plain clip cannot fail
        """Tell that quick clips are always made."""
        return False

    async def video(self, task: Task) -> list[bytes]:
        """Return the shared clip and the task's own box."""
        kind = task.order.clip_kind
        clip = clip_at_hand(*kind)
        if clip is None:
            clip = await asyncio.to_thread(plain_clip, *kind, self._folder)
        return [clip, self._padding, stamp(task.task_id)]

    def close(self) -> None:
        """Leave: an encoding under way ends by itself within a second."""
        self._works.clear()

    def _done(self, kind: ClipKind, work: asyncio.Future[bytes]) -> None:
        if not work.cancelled() and work.exception() is None:
            self._ready[kind] = self._clock()


@dataclass(frozen=True, slots=True)
class _Work:
    """One video under way."""

    path: Path
    future: Future[None]
    pool: ProcessPoolExecutor
    tries: int = 1


class RenderStudio:
    """Draws what was asked for, in a few worker processes of low priority."""

    def __init__(
        self, folder: Path, workers: int, picture_of: Callable[[str], Picture], padding_bytes: int
    ) -> None:
        self._folder = folder
        self._workers = workers
        self._picture_of = picture_of
        self._padding = free_box(bytes(padding_bytes)) if padding_bytes else b""
        self._works: dict[str, _Work] = {}
        self._ready: dict[str, float] = {}
        self._pool: ProcessPoolExecutor | None = None
        # Workers end when the other end of this pipe does, however this process ends.
        self._leash: tuple[Connection, Connection] | None = None

    def start(self, task: Task) -> None:
        """Begin to render, unless the file is there from before a restart."""
        if task.fate.failure is not None or task.task_id in self._works:
            return
        path = self._path(task)
        if path.exists():
            self._ready[task.task_id] = path.stat().st_mtime
            return
        self._works[task.task_id] = self._begin(task, path)

    def ready_at(self, task: Task) -> float | None:
        """Return when the file was there."""
        known = self._ready.get(task.task_id)
        work = self._works.get(task.task_id)
        if known is None and work is not None and work.future.done():
            if work.path.exists():
                known = self._ready[task.task_id] = work.path.stat().st_mtime
                del self._works[task.task_id]
            elif work.tries == 1:
                self._try_again(task, work)
        return known

    def has_failed(self, task: Task) -> bool:
        """Tell whether two tries have failed."""
        work = self._works.get(task.task_id)
        return work is not None and work.tries > 1 and work.future.done() and not work.path.exists()

    async def video(self, task: Task) -> list[bytes]:
        """Return the file's bytes."""
        body = await asyncio.to_thread(read_private, self._path(task))
        return [body, self._padding]

    def _path(self, task: Task) -> Path:
        return self._folder / f"{task.task_id}.mp4"

    def _try_again(self, task: Task, work: _Work) -> None:
        """Try a second time, with new workers if one of the old has died."""
        died = isinstance(work.future.exception(), BrokenProcessPool)
        if died and work.pool is self._pool:
            self.close()
        self._works[task.task_id] = replace(self._begin(task, work.path), tries=2)

    def _begin(self, task: Task, path: Path) -> _Work:
        order = task.order
        pictures = tuple(map(self._picture_of, order.image_urls))
        shot = Shot(path, order.prompt, order.duration_s, order.frame, pictures, order.row)
        pool = self._open_pool()
        return _Work(path, pool.submit(render, shot), pool)

    def _open_pool(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            reader, writer = context.Pipe(duplex=False)
            self._leash = (reader, writer)
            self._pool = ProcessPoolExecutor(
                self._workers, mp_context=context, initializer=_settle_in, initargs=(reader,)
            )
        return self._pool

    def close(self) -> None:
        """End the workers at once, with what they have in hand."""
        if self._pool is not None and self._leash is not None:
            for end in self._leash[::-1]:
                end.close()
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = self._leash = None


def _settle_in(leash: Connection) -> None:
    """Give way to everybody else, and never outlive the emulator."""
    threading.Thread(target=_watch, args=(leash,), daemon=True).start()
    # A Ctrl-C goes to all processes of a terminal; the emulator tells its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - there is no such library elsewhere

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _BELOW_NORMAL_PRIORITY_CLASS)
    else:
        os.nice(10)


def _watch(leash: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        leash.recv_bytes()
    os._exit(0)
