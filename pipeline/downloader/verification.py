"""Verify that a file is a whole, playable video, and say how it differs from what was asked for.

Videos are decoded in child processes (see `process.children`) with limits on memory and time: a
damaged file can hang or crash the decoder, so it never runs in the process of the run. Children
start when they are first needed (0.3 s), are reused, are replaced after a timeout or a crash, and
end with their parent, whatever ends it (see `examiner`).
"""

from __future__ import annotations

import asyncio
import base64
import errno
import hashlib
import io
import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any, Self, TypeAlias

from pipeline.disk.openfile import open_regular
from pipeline.downloader.boxes import BoxFault, Footage, walk_boxes
from pipeline.downloader.transfer import raise_video_errors
from pipeline.errors import BadVideo, StoreError, Unfinished
from pipeline.model import Video
from pipeline.models.shelf import DEFAULT_MODEL, sheet_of
from pipeline.process.children import child_command, child_environment
from pipeline.process.cores import usable_cores

VERIFY_LEVELS = ("boxes", "first_frame", "full")
"""How thoroughly a video can be verified: each level includes those before."""
_LENGTH_TOLERANCE_S = 0.25
READ_AT_ONCE_BYTES = 1024 * 1024
"""The size up to which a video is read in one go."""
_PROGRAM = "pipeline.downloader.examiner"
MEASURER = "pipeline.downloader.measurer"
"""The program that gives way to all others."""
Figures: TypeAlias = dict[str, Any]
"""What was measured of a video, as the decoding process reports it."""
_START_LIMIT_S = 60


class CutVideo(BadVideo):
    """The end of the video is missing: if no length was announced, the transfer was cut off."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for; `duration` in seconds."""

    duration: int
    aspect_ratio: str
    resolution: str
    model: str = DEFAULT_MODEL

    def differences(self, footage: Footage) -> tuple[str, ...]:
        """Say how the video differs from what was asked for: warnings, not failures."""
        found = []
        size = sheet_of(self.model).frames.get((self.aspect_ratio, self.resolution))
        if size is not None and size != (footage.width, footage.height):
            found.append(
                f"The video has {footage.width}x{footage.height} pixels instead of "
                f"{size[0]}x{size[1]} ({self.aspect_ratio} at {self.resolution})."
            )
        if self.duration and abs(footage.duration_s - self.duration) > _LENGTH_TOLERANCE_S:
            found.append(
                f"The video is {footage.duration_s:.2f} s long instead of {self.duration} s."
            )
        return tuple(found)


async def verify_file(
    path: Path,
    level: str,
    decoders: Decoders,
    *,
    wanted: Wanted | None = None,
    name: str | None = None,
    note: Callable[[str, Figures], None] | None = None,
) -> Video:
    """Verify a file and describe it.

    Args:
        path: The file.
        level: How far to verify it: `boxes`, `first_frame` or `full`.
        decoders: The decoding processes, of which none is used for `boxes`.
        wanted: What was asked for; a video that differs carries warnings.
        name: What the video is called; None for the name of the file.
        note: Told sha256 and figures of a video all of which is decoded anyway.

    Raises:
        BadVideo: It is not whole or not playable.
        StoreError: It cannot be read.
        Unfinished: No decoder starts.

    """
    video = await asyncio.to_thread(_describe, path, wanted, name)
    if level == "boxes":
        return video
    if level == "full" and note is not None:
        footage, figures = await decoders.examine_and_measure(path)
        note(video.sha256, figures)
    else:
        footage = await decoders.examine(path, full=level == "full")
    return _video(video.name, video.size_bytes, video.sha256, footage, wanted)


def _describe(path: Path, wanted: Wanted | None, name: str | None) -> Video:
    with raise_video_errors(path), open_regular(path) as descriptor:
        return describe_open_file(descriptor, name or path.name, wanted)


def describe_open_file(descriptor: int, name: str, wanted: Wanted | None) -> Video:
    """Verify the boxes of an open file, hash it as the disk holds it, and describe it.

    Blocks: call it in a thread.

    Args:
        descriptor: The file, open at its beginning.
        name: What the video is called.
        wanted: What was asked for; a video that differs carries warnings.

    Raises:
        BadVideo: It is not whole.
        OSError: It cannot be read.

    """
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is not an ordinary file")
    size_bytes = found.st_size
    with _reader(descriptor, size_bytes) as file:
        try:
            footage = walk_boxes(file, size_bytes)
        except BoxFault as fault:
            kind = CutVideo if fault.truncated else BadVideo
            raise kind(f"The file is no whole video: {fault}.") from fault
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return _video(name, size_bytes, sha256, footage, wanted)


def _reader(descriptor: int, size_bytes: int) -> io.BytesIO | io.BufferedReader:
    """Read a short file at once: after each system call a thread waits for its turn."""
    if size_bytes <= READ_AT_ONCE_BYTES:
        content = os.read(descriptor, size_bytes)
        if len(content) == size_bytes:  # else something is wrong, which reading on will tell
            return io.BytesIO(content)
    return os.fdopen(descriptor, "rb", closefd=False)


def _video(
    name: str, size_bytes: int, sha256: str, footage: Footage, wanted: Wanted | None
) -> Video:
    shown = (footage.duration_s, footage.width, footage.height)
    warnings = wanted.differences(footage) if wanted else ()
    return Video(name, size_bytes, sha256, *shown, warnings=warnings)


class _Died(Exception):
    """The child ended without a reply."""


class _Decoder:
    """A child process that takes one order at a time."""

    def __init__(self, program: str | Path = _PROGRAM) -> None:
        self._program = program
        self._process: asyncio.subprocess.Process | None = None

    async def ask(self, order: dict[str, Any], limit_s: float) -> dict[str, Any]:
        """Give an order and wait for the reply; whatever ends the wait ends the child as well.

        Raises TimeoutError after `limit_s`, _Died if the child ended, Unfinished if none starts.
        """
        process = await self.start()
        try:
            async with asyncio.timeout(limit_s):
                return await _exchange(process, order)
        except BaseException:
            await self.end()
            raise

    async def start(self) -> asyncio.subprocess.Process:
        """Start the child, unless it runs; raises Unfinished."""
        if self._process is not None:
            return self._process
        self._process = process = await asyncio.create_subprocess_exec(
            *child_command(self._program),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=child_environment(),
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
    """Decoding processes, as an async context manager: as many as there are cores, unless said.

    `limit_s` is the longest time that one video may take.
    """

    def __init__(
        self, *, processes: int | None = None, limit_s: float = 120, program: str | Path = _PROGRAM
    ) -> None:
        self._limit_s = limit_s
        self._all = [_Decoder(program) for _ in range(processes or usable_cores())]
        # Last in, first out: the second child starts only when two videos come together.
        self._free: asyncio.LifoQueue[_Decoder] = asyncio.LifoQueue()
        for decoder in reversed(self._all):
            self._free.put_nowait(decoder)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for decoder in self._all:
            await decoder.end()

    async def start(self) -> None:
        """Start one, to be sure that one starts; raises Unfinished."""
        await self._all[0].start()

    async def examine(self, path: Path, *, full: bool) -> Footage:
        """Decode the first frame of the video, or with `full` all; return what the video shows.

        Raises BadVideo if it cannot be decoded in time, Unfinished if no decoder starts.
        """
        return _footage(await self._reply_of({"path": _as_utf8(path), "full": full}))

    async def examine_and_measure(self, path: Path) -> tuple[Footage, Figures]:
        """Decode all of the video; return what it shows and its figures. Raises as `examine`."""
        order = {"path": _as_utf8(path), "full": True, "figures": True}
        reply = await self._reply_of(order)
        return _footage(reply), reply["figures"]

    async def measure(self, path: Path) -> Figures:
        """Return the figures of a video; raises as `examine`, StoreError if it cannot be read."""
        figures: Figures = (await self._reply_of({"figures_of": _as_utf8(path)}))["figures"]
        return figures

    async def compare(self, start: Figures, picture: Path) -> Figures:
        """Return how far the beginning of a video is like a picture; raises as `examine`."""
        return await self._reply_of({"start": start, "like": str(picture)})

    async def draw(self, path: Path, is_picture: bool = False) -> bytes:
        """Return a still of a video, or a small copy of a picture, as a JPEG.

        Raises BadVideo, Unfinished as `examine`.
        """
        reply = await self._reply_of({"picture" if is_picture else "still": str(path)})
        return base64.b64decode(reply["jpeg"])

    async def _reply_of(self, order: dict[str, Any]) -> dict[str, Any]:
        """Have the next process that is free carry out an order."""
        decoder = await self._free.get()
        try:
            reply = await self._ask(decoder, order)
        finally:
            self._free.put_nowait(decoder)
        if "figures_of" in order and reply.get("unread"):
            raise StoreError(f"The video cannot be read: {reply['fault']}.")
        if "fault" in reply:
            raise _unplayable(reply["fault"])
        return reply

    async def _ask(self, decoder: _Decoder, order: dict[str, Any]) -> dict[str, Any]:
        try:
            try:
                return await decoder.ask(order, self._limit_s)
            except _Died:
                # Something else may have ended it, a lack of memory say: it gets a second chance.
                return await decoder.ask(order, self._limit_s)
        except TimeoutError as error:
            raise _unplayable(f"decoding it takes longer than {self._limit_s:g} s") from error
        except _Died as error:
            raise _unplayable("the decoder crashes on it") from error


def _footage(reply: dict[str, Any]) -> Footage:
    return Footage(reply["width"], reply["height"], reply["duration_s"])


def _unplayable(fault: str) -> BadVideo:
    return BadVideo(f"The video cannot be played: {fault}.")


def _as_utf8(path: Path) -> str:
    """Return the name that a file has on the disk, read as UTF-8 whatever the locale is."""
    return os.fsencode(path).decode("utf-8", "surrogateescape")
