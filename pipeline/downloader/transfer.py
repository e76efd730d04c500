"""The body of an answer, piece by piece into the part file."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from typing import Protocol

import aiohttp

from pipeline.downloader.answers import Step, Verdict
from pipeline.downloader.partfile import PartFile
from pipeline.errors import BadVideo, LinkDead, TransferBroken

LEAST_BYTES_PER_S = 1024
_HEAD_BYTES = 12
# Boxes that may stand first. With any other beginning it is no MP4, whatever it is called.
_FIRST_BOXES = frozenset({b"ftyp", b"styp", b"free", b"skip", b"wide", b"moov", b"mdat"})
_TEXT = bytes([9, 10, 13, *range(32, 127)])
_UNPACKED_BYTES = 1024 * 1024
_GZIP = 31  # zlib: a gzip header and trailer are expected


class Pace:
    """Notices a transfer that is alive and never ends: too few bytes over `window_s`."""

    def __init__(self, window_s: float, now_s: float) -> None:
        self._window_s = window_s
        self._since_s = now_s
        self._bytes = 0

    def saw(self, size_bytes: int, now_s: float) -> None:
        """Count a piece; raises TransferBroken at the end of a window with too few bytes."""
        self._bytes += size_bytes
        passed_s = now_s - self._since_s
        if passed_s < self._window_s:
            return
        if self._bytes < LEAST_BYTES_PER_S * passed_s:
            raise TransferBroken(
                f"The transfer is too slow: {self._bytes} bytes in {passed_s:g} s."
            )
        self._since_s, self._bytes = now_s, 0


class _Unpacker(Protocol):
    def feed(self, raw: bytes) -> Iterator[bytes]: ...
    def finish(self) -> None: ...


class Plain:
    """A body that is the file itself."""

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """Yield the bytes as they came."""
        yield raw

    def finish(self) -> None:
        """Nothing can be left over."""


class Gunzip:
    """A body packed with gzip although we asked for none."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP)
        self._begun = False

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """Yield the unpacked bytes in pieces of limited size, however well they were packed."""
        rest = raw
        while rest:
            self._begun = True
            try:
                yield self._stream.decompress(rest, _UNPACKED_BYTES)
            except zlib.error as error:
                raise TransferBroken("The packed video cannot be unpacked.") from error
            rest = self._stream.unconsumed_tail
            if self._stream.eof:
                rest, self._stream = self._stream.unused_data, zlib.decompressobj(_GZIP)
                self._begun = False

    def finish(self) -> None:
        """Raise TransferBroken if the packed body ended too early."""
        if self._begun:
            raise TransferBroken("The packed video ended too early.")


class Intake:
    """Takes the pieces of one body into the part, which it touches only once a video comes."""

    def __init__(self, part: PartFile, verdict: Verdict, content_type: str, max_bytes: int) -> None:
        self._part = part
        self._verdict = verdict
        self._content_type = content_type
        self._max_bytes = max_bytes
        self._head = b""
        self._opened = False

    def take(self, piece: bytes) -> None:
        """Write a piece; raises LinkDead for a page, BadVideo above the size limit."""
        if not self._opened:
            self._head += piece
            if len(self._head) >= _HEAD_BYTES or self._verdict.step is Step.APPEND:
                self._open()
            return
        self._write(piece)

    def finish(self) -> None:
        """Check that all announced bytes came; raises TransferBroken if not."""
        if not self._opened and self._head:
            self._open()
        if not self._opened and self._verdict.step is not Step.APPEND:
            raise TransferBroken("The download host sent an empty file.")
        total = self._verdict.total_bytes
        if total is not None and self._part.size_bytes < total:
            raise TransferBroken(f"Only {self._part.size_bytes} of {total} bytes came.")

    def _open(self) -> None:
        if self._verdict.step is Step.APPEND:
            self._part.go_on()
        else:
            check_head(self._head, self._content_type)
            self._part.start_over(self._verdict.mark)
        self._opened = True
        self._write(self._head)

    def _write(self, piece: bytes) -> None:
        after, total = self._part.size_bytes + len(piece), self._verdict.total_bytes
        if after > self._max_bytes:
            self._part.remove()
            raise too_large(self._max_bytes)
        if total is not None and after > total:
            self._part.remove()
            raise TransferBroken(f"The download host sent more than the {total} bytes announced.")
        self._part.write(piece)


def too_large(max_bytes: int) -> BadVideo:
    """Say that a video is above the limit for one file."""
    return BadVideo(f"The video is larger than {max_bytes} bytes, the most that one may have.")


def check_head(head: bytes, content_type: str) -> None:
    """Raise LinkDead if a body that begins like this is a page or another file, no video.

    A body that begins with a box of an MP4 is taken, whatever the content type says; without one,
    if it is announced as a video and is not text: a damaged video, which shows when it is whole.
    """
    if head[4:8] in _FIRST_BOXES:
        return
    text = not head.removeprefix(b"\xef\xbb\xbf").translate(None, _TEXT)
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("video/") and not text:
        return
    raise LinkDead("The download link gives a page or another file instead of the video.")


async def receive(
    response: aiohttp.ClientResponse,
    part: PartFile,
    verdict: Verdict,
    *,
    max_bytes: int,
    stall_s: float,
) -> None:
    """Write the body of `response` into `part`, which stays, closed, whatever happens."""
    unpacker: _Unpacker = Gunzip() if verdict.gzip else Plain()
    intake = Intake(part, verdict, response.headers.get("Content-Type", ""), max_bytes)
    pace = Pace(stall_s, time.monotonic())
    try:
        # Whatever the socket gave, at once: measured as fast as curl, with flat memory.
        while raw := await response.content.readany():
            pace.saw(len(raw), time.monotonic())
            for piece in unpacker.feed(raw):
                intake.take(piece)
        unpacker.finish()
        intake.finish()
    finally:
        part.close()
