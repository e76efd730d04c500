"""Verify that a file is a whole, playable video, and say where it is not what was asked for.

Tested in tests/downloader/test_fetching.py and tests/downloader/test_decoding.py.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from pipeline.disk.openfile import open_regular
from pipeline.downloader.boxes import BoxFault, Footage, walk
from pipeline.downloader.decoding import DecodeFault, Decoders
from pipeline.downloader.partfile import storing
from pipeline.errors import BadVideo
from pipeline.model import Video

LEVELS = ("boxes", "first_frame", "full")
_LENGTH_TOLERANCE_S = 0.25
AT_ONCE_BYTES = 1024 * 1024
# The pixels of each aspect ratio and resolution (docs/contract.md, "The video").
_PIXELS = {
    ("16:9", "720p"): (1280, 720),
    ("9:16", "720p"): (720, 1280),
    ("16:9", "1080p"): (1920, 1080),
}


class CutVideo(BadVideo):
    """The end of the video is missing: if no length was announced, the transfer was cut off."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for; `duration` in seconds."""

    duration: int
    aspect_ratio: str
    resolution: str

    def differences(self, footage: Footage) -> tuple[str, ...]:
        """Say how the video differs from what was asked for: warnings, not failures."""
        found = []
        size = _PIXELS.get((self.aspect_ratio, self.resolution.lower()))
        if size is not None and size != (footage.width, footage.height):
            found.append(
                f"The video has {footage.width}x{footage.height} pixels instead of "
                f"{size[0]}x{size[1]} ({self.aspect_ratio} at {self.resolution})."
            )
        if abs(footage.duration_s - self.duration) > _LENGTH_TOLERANCE_S:
            found.append(
                f"The video is {footage.duration_s:.2f} s long instead of {self.duration} s."
            )
        return tuple(found)


async def verify_file(
    path: Path,
    level: str = "first_frame",
    *,
    decoders: Decoders | None = None,
    limit_s: float = 120,
    wanted: Wanted | None = None,
    name: str | None = None,
) -> Video:
    """Verify a file and describe it.

    Args:
        path: The file.
        level: How far to verify it: `boxes`, `first_frame` or `full`.
        decoders: The decoding processes to use; None starts one for this call, if one is needed.
        limit_s: The longest time that such a process may take, in seconds.
        wanted: What was asked for; a video that differs carries warnings.
        name: What the video is called; None for the name of the file.

    Raises:
        BadVideo: It is not whole or not playable.
        StoreError: It cannot be read.
        Unfinished: No decoder starts.

    """
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, not {level!r}")
    video = await asyncio.to_thread(described, path, wanted, name)
    if level == "boxes":
        return video
    footage = await _decode(path, decoders, limit_s, full=level == "full")
    return _video(video.name, video.size_bytes, video.sha256, footage, wanted)


def described(path: Path, wanted: Wanted | None = None, name: str | None = None) -> Video:
    """Verify the boxes of the file at `path`, hash it as the disk holds it, and describe it.

    Blocks: call it in a thread. Raises BadVideo if it is not whole, StoreError if it cannot be
    read.
    """
    with storing(path), open_regular(path) as descriptor:
        return described_open(descriptor, name or path.name, wanted)


def described_open(descriptor: int, name: str, wanted: Wanted | None) -> Video:
    """Do what `described` does with an open file that stands at its beginning.

    Raises BadVideo, and OSError where it cannot be read.
    """
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is not an ordinary file")
    size_bytes = found.st_size
    with _reader(descriptor, size_bytes) as file:
        try:
            footage = walk(file, size_bytes)
        except BoxFault as fault:
            kind = CutVideo if fault.truncated else BadVideo
            raise kind(f"The file is no whole video: {fault}.") from fault
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return _video(name, size_bytes, sha256, footage, wanted)


def _reader(descriptor: int, size_bytes: int) -> io.BytesIO | io.BufferedReader:
    """Read a short file at once: after each system call a thread waits for its turn."""
    if size_bytes <= AT_ONCE_BYTES:
        content = os.read(descriptor, size_bytes)
        if len(content) == size_bytes:  # else something is wrong, which reading on will tell
            return io.BytesIO(content)
    return os.fdopen(descriptor, "rb", closefd=False)


def _video(
    name: str, size_bytes: int, sha256: str, footage: Footage, wanted: Wanted | None
) -> Video:
    return Video(
        name=name,
        size_bytes=size_bytes,
        sha256=sha256,
        duration_s=footage.duration_s,
        width=footage.width,
        height=footage.height,
        warnings=wanted.differences(footage) if wanted else (),
    )


async def _decode(path: Path, decoders: Decoders | None, limit_s: float, *, full: bool) -> Footage:
    if decoders is None:
        async with Decoders(processes=1, limit_s=limit_s) as own:
            return await _decode(path, own, limit_s, full=full)
    try:
        return await decoders.examine(path, full=full)
    except DecodeFault as fault:
        raise BadVideo(f"The video cannot be played: {fault}.") from fault
