"""The transfer of one video: an answer of the download host becomes bytes in the part file.

`judge` decides by status and headers alone what an answer means. Range requests are as in RFC 9110:
206 continues only if it says exactly what is missing, 200 is the whole file again, 416 means that
nothing is missing or that our part belongs to another file. `receive` then writes the body, piece
by piece.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Protocol

import aiohttp

from pipeline.downloader.partfile import Mark, PartFile
from pipeline.errors import BadVideo, LinkDead, TransferBroken
from pipeline.retryafter import retry_after_s

_LEAST_BYTES_PER_S = 1024
_HEAD_BYTES = 12
# Boxes that may stand first. With any other beginning it is no MP4, whatever it is called.
_FIRST_BOXES = frozenset({b"ftyp", b"styp", b"free", b"skip", b"wide", b"moov", b"mdat"})
_TEXT = bytes([9, 10, 13, *range(32, 127)])
_UNPACKED_BYTES = 1024 * 1024
_GZIP = 31  # zlib: a gzip header and trailer are expected
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
# Client errors that pass by themselves; all others say that this link will not work again.
_PASSING = frozenset({408, 425, 429})
_OK, _PARTIAL, _UNSATISFIABLE = 200, 206, 416
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
# A Last-Modified is a safe validator only when it is clearly older than the answer.
_SETTLED = timedelta(seconds=2)


class Step(Enum):
    """What to do with the body of an answer."""

    APPEND = auto()
    REWRITE = auto()
    ASK_AGAIN = auto()  # without a range
    NOTHING_MISSING = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with an answer. `mark` is None if its file cannot be resumed.

    `total_bytes` is the announced size of the whole file, None if it was not announced.
    """

    step: Step
    total_bytes: int | None = None
    mark: Mark | None = None
    gzip: bool = False


def judge(status: int, headers: Mapping[str, str], have_bytes: int, mark: Mark | None) -> Verdict:
    """Judge an answer to a request for a video.

    Args:
        status: The HTTP status.
        headers: The headers.
        have_bytes: How many bytes are here already; the request was for those after them.
        mark: What makes them resumable; None if all bytes were requested.

    Raises:
        LinkDead: This link will not give the video.
        TransferBroken: A later try may.

    """
    if status == _OK:
        return _whole(headers)
    if have_bytes and mark is not None:
        if status == _PARTIAL:
            return _rest(headers, have_bytes, mark)
        if status == _UNSATISFIABLE:
            return _nothing_left(headers, have_bytes, mark)
    raise _refusal(status, headers)


def _refusal(status: int, headers: Mapping[str, str]) -> LinkDead | TransferBroken:
    if _CLIENT_ERROR <= status < _SERVER_ERROR and status not in _PASSING:
        return LinkDead(f"The download host refuses the link (HTTP {status}).")
    return TransferBroken(
        f"The download host answered with HTTP {status} instead of the video.",
        retry_after_s=retry_after_s(headers, time.time()),
    )


def _whole(headers: Mapping[str, str]) -> Verdict:
    encoding = headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in {"gzip", "x-gzip"}:
        # The ranges of an encoded body are not those of the file: never resumed.
        return Verdict(Step.REWRITE, gzip=True)
    if encoding not in {"identity", ""}:
        raise TransferBroken(f"The download host sent the video packed as '{encoding[:20]}'.")
    total = _number(headers.get("Content-Length"))
    validator = strong_validator(headers)
    return Verdict(Step.REWRITE, total, Mark(validator, total) if validator else None)


def _rest(headers: Mapping[str, str], have_bytes: int, mark: Mark) -> Verdict:
    """Accept a 206 only if it is the rest of the very file whose beginning we have."""
    found = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    plain = headers.get("Content-Encoding", "identity").strip().lower() in {"identity", ""}
    validator = strong_validator(headers)
    if found is None or not plain or (validator is not None and not _same(validator, mark)):
        return Verdict(Step.ASK_AGAIN)
    first, last = int(found[1]), int(found[2])
    total = mark.total_bytes if found[3] == "*" else int(found[3])
    announced = _number(headers.get("Content-Length"))
    if first != have_bytes or total is None or last != total - 1:
        return Verdict(Step.ASK_AGAIN)
    if mark.total_bytes not in {None, total} or announced not in {None, last - first + 1}:
        return Verdict(Step.ASK_AGAIN)
    return Verdict(Step.APPEND, total, mark)


def _same(validator: str, mark: Mark) -> bool:
    """Compare validators of the same kind; an ETag says nothing about a date."""
    return validator == mark.validator or validator.startswith('"') != mark.validator.startswith(
        '"'
    )


def _nothing_left(headers: Mapping[str, str], have_bytes: int, mark: Mark) -> Verdict:
    told = headers.get("Content-Range", "").removeprefix("bytes */")
    total = _number(told) if told else mark.total_bytes
    if total == have_bytes and mark.total_bytes in {None, total}:
        return Verdict(Step.NOTHING_MISSING, total, mark)
    return Verdict(Step.ASK_AGAIN)


def strong_validator(headers: Mapping[str, str]) -> str | None:
    """Return what If-Range may name: a strong ETag, otherwise an old enough Last-Modified."""
    etag = headers.get("ETag", "").strip()
    if len(etag) > 1 and etag.startswith('"') and etag.endswith('"'):
        return etag
    if etag:
        return None
    modified, answered = headers.get("Last-Modified", ""), headers.get("Date", "")
    try:
        age = parsedate_to_datetime(answered) - parsedate_to_datetime(modified)
    except (ValueError, TypeError):
        return None
    return modified if age >= _SETTLED else None


def _number(text: str | None) -> int | None:
    # Nineteen digits are more than any file; int() of far longer ones is refused by Python.
    clean = (text or "").strip()
    return int(clean) if re.fullmatch(r"[0-9]{1,19}", clean) else None


class Pace:
    """Notices a transfer that never ends because it is too slow over `window_s` seconds."""

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
        if self._bytes < _LEAST_BYTES_PER_S * passed_s:
            raise TransferBroken(
                f"The transfer is too slow: {self._bytes} bytes in {passed_s:g} s."
            )
        self._since_s, self._bytes = now_s, 0


class _Unpacker(Protocol):
    def feed(self, raw: bytes) -> Iterator[bytes]: ...
    def finish(self) -> None: ...


class _Plain:
    """A body that is the file itself."""

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """Yield the bytes as they came."""
        yield raw

    def finish(self) -> None:
        """Nothing can be left over."""


class _Gunzip:
    """A body packed with gzip although we asked for an unpacked one."""

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


class _Intake:
    """Writes the pieces of a body into the part, which it opens only once a video comes."""

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
            _check_head(self._head, self._content_type)
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
    """Say that a video is above the size limit."""
    return BadVideo(f"The video is larger than {max_bytes} bytes, the largest allowed size.")


def _check_head(head: bytes, content_type: str) -> None:
    """Raise LinkDead if a body that begins like this is a page or another file instead of a video.

    A body that begins with a box of an MP4 is accepted, whatever the content type says. So is any
    that is announced as a video and is not text: it may be a damaged video, which is found out when
    it is whole.
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
    """Write the body of `response` into `part`, which is kept and closed, whatever happens."""
    unpacker: _Unpacker = _Gunzip() if verdict.gzip else _Plain()
    intake = _Intake(part, verdict, response.headers.get("Content-Type", ""), max_bytes)
    pace = Pace(stall_s, time.monotonic())
    try:
        # Whatever the socket has, at once: measured as fast as curl, with flat memory.
        while raw := await response.content.readany():
            pace.saw(len(raw), time.monotonic())
            for piece in unpacker.feed(raw):
                intake.take(piece)
        unpacker.finish()
        intake.finish()
    finally:
        part.close()
