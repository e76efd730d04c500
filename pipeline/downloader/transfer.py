"""The transfer of a video: its part file, and the body of an answer that is written into it.

The part is `.<name>.part` beside the final name. A small companion, `.<name>.part.json`, keeps the
validator and the size that the host gave, so that a later try, of any process and by a fresh URL,
can continue. A short video gets one only when it is interrupted. None of them may be a link.

Tested in tests/downloader/test_fetching.py and tests/downloader/test_transfer.py.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import time
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from io import FileIO
from pathlib import Path

import aiohttp

from pipeline.disk.failures import raise_store_errors
from pipeline.disk.openfile import open_regular, open_unlinked
from pipeline.disk.place import place_written, temporary
from pipeline.downloader.allowance import video_too_large
from pipeline.downloader.connection import BodyStep, PartMark, Verdict
from pipeline.errors import LinkDead, StoreError, TransferBroken
from pipeline.manifest.wording import count

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_WRITTEN_OR_READ = "be written or read"
_SIDECAR_LIMIT_BYTES = 4096
"""A companion larger than this is none of ours."""
LONG_BYTES = 1024 * 1024
"""A video of at least this size, or of unknown size, has its companion from the start."""

_LEAST_BYTES_PER_S = 1024
"""A transfer that is slower than this counts as broken."""
_HEAD_BYTES = 12
"""How many bytes of a body show whether it can be an MP4."""
# Boxes that may stand first. With any other beginning it is no MP4, whatever it is called.
_FIRST_BOXES = frozenset({b"ftyp", b"styp", b"free", b"skip", b"wide", b"moov", b"mdat"})
_TEXT = bytes([9, 10, 13, *range(32, 127)])
"""The bytes of plain ASCII text."""
_UNPACKED_BYTES = 1024 * 1024
"""The largest piece that is unpacked at a time."""
_GZIP = 31  # zlib: a gzip header and trailer are expected


def raise_video_errors(path: Path) -> AbstractContextManager[None]:
    """Turn every failure of the file system inside into a StoreError that names `path`."""
    return raise_store_errors(path, cannot=_WRITTEN_OR_READ)


class PartFile:
    """The part of one video: written in pieces, kept over interruptions, moved when verified."""

    def __init__(self, folder: Path, name: str, mode: int = 0o644) -> None:
        self.final = folder / name
        self.path = temporary(self.final)
        self.sidecar = folder / f".{name}.part.json"
        self._name = name
        self._mode = mode
        self._descriptor: int | None = None
        self.size_bytes = _size_on_disk(self.path)
        self.mark = self._read_mark() if self.size_bytes else None
        self._mark_kept = self.mark is not None

    @property
    def whole(self) -> bool:
        """Whether all announced bytes are there already."""
        return self.mark is not None and self.mark.total_bytes == self.size_bytes > 0

    def _read_mark(self) -> PartMark | None:
        """Read the companion; without a sound one the part is not resumable."""
        if not 0 < _size_on_disk(self.sidecar) <= _SIDECAR_LIMIT_BYTES:
            return None
        with raise_video_errors(self.sidecar), open_regular(self.sidecar) as descriptor:
            mark = _parse_mark(os.read(descriptor, _SIDECAR_LIMIT_BYTES), self._name)
        if mark is None or (mark.total_bytes or self.size_bytes) < self.size_bytes:
            return None
        return mark

    def start_over(self, mark: PartMark | None) -> None:
        """Begin an empty part; without a `mark` it is not resumable."""
        if self.size_bytes or self._mark_kept:
            self.remove()
        with raise_video_errors(self.path):
            # A companion without its part would describe bytes that are not there. Usually neither
            # exists.
            self.sidecar.unlink(missing_ok=True)
            try:
                self._descriptor = open_unlinked(self.path, _NEW, self._mode)
            except FileExistsError:
                self.path.unlink()
                self._descriptor = open_unlinked(self.path, _NEW, self._mode)
        self.mark = mark
        if mark is not None and (mark.total_bytes or LONG_BYTES) >= LONG_BYTES:
            self.write_mark(mark)

    def keep(self) -> None:
        """Write down what is needed to continue with this part, if that is possible.

        It happens after a failure: that there is no room for it must not hide that failure.
        """
        if self.mark is None or self._mark_kept or _size_on_disk(self.path) != self.size_bytes:
            return
        with suppress(StoreError):
            self.write_mark(self.mark)

    def write_mark(self, mark: PartMark) -> None:
        """Write the companion where there is none."""
        record = {"name": self._name, "validator": mark.validator, "size": mark.total_bytes}
        with raise_video_errors(self.sidecar):
            try:
                with FileIO(open_unlinked(self.sidecar, _NEW), "wb") as file:
                    file.write(json.dumps(record).encode())
            except OSError:
                self.sidecar.unlink(missing_ok=True)
                raise
        self._mark_kept = True

    def reopen(self) -> None:
        """Open the part at its end."""
        with raise_video_errors(self.path):
            self._descriptor = open_unlinked(self.path, os.O_WRONLY | os.O_APPEND)
            if os.fstat(self._descriptor).st_size != self.size_bytes:
                raise OSError(errno.EBUSY, "another program changes it")

    def write(self, piece: bytes) -> None:
        """Append a piece, unbuffered."""
        descriptor = self._descriptor
        assert descriptor is not None, "opened before it is written to"  # noqa: S101
        with raise_video_errors(self.path):
            written = os.write(descriptor, piece)
            while written < len(piece):  # a disk that runs full takes a part of it first
                written += os.write(descriptor, memoryview(piece)[written:])
        self.size_bytes += len(piece)

    def close(self) -> None:
        """Close the part and keep it; unless it is whole, with what is needed to continue."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with raise_video_errors(self.path):
                os.close(descriptor)
            if not self.whole:
                self.keep()

    def remove(self) -> None:
        """Delete the companion, then the part: a companion never stays without its part."""
        self.mark = None
        self.close()
        for path in (self.sidecar, self.path):
            with raise_video_errors(path):
                path.unlink(missing_ok=True)
        self.size_bytes, self._mark_kept = 0, False

    def open(self) -> int:
        """Return a descriptor of the part, for its verification and for `settle`.

        It can be written to as well, since Windows flushes no other.
        """
        with raise_video_errors(self.path):
            return open_unlinked(self.path, os.O_RDWR)

    def settle(self, descriptor: int | None = None) -> None:
        """Make the verified part durable under its final name. Blocks: call it in a thread.

        `descriptor` is what `open` gave, if it was opened already; it is closed here.
        """
        if descriptor is None:
            descriptor = self.open()
        self._narrow(descriptor)
        outlived = self.sidecar if self._mark_kept else None
        place_written(descriptor, self.path, self.final, outlived=outlived, cannot=_WRITTEN_OR_READ)

    def _narrow(self, descriptor: int) -> None:
        """Take rights away that a part of an earlier run has and this one must not have."""
        wide = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if os.name == "posix" and wide & ~self._mode:
            os.fchmod(descriptor, wide & self._mode)


def _size_on_disk(path: Path) -> int:
    """Return the size of an ordinary file; 0 where there is none."""
    with raise_video_errors(path):
        try:
            found = path.lstat()
        except FileNotFoundError:
            return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _parse_mark(text: bytes, name: str) -> PartMark | None:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or record.get("name") != name:
        return None
    validator, size = record.get("validator"), record.get("size")
    # It is sent as a header: nothing that could not have come as a header.
    if not isinstance(validator, str) or not validator.isprintable() or not validator:
        return None
    if size is not None and (not isinstance(size, int) or size < 0):
        return None
    return PartMark(validator, size)


class SpeedWatch:
    """Notices a transfer that never ends because it is too slow over `window_s` seconds."""

    def __init__(self, window_s: float, now_s: float) -> None:
        self._window_s = window_s
        self._since_s = now_s
        self._bytes = 0

    def count_piece(self, size_bytes: int, now_s: float) -> None:
        """Count a piece; raises TransferBroken at the end of a window with too few bytes."""
        self._bytes += size_bytes
        passed_s = now_s - self._since_s
        if passed_s < self._window_s:
            return
        if self._bytes < _LEAST_BYTES_PER_S * passed_s:
            raise TransferBroken(
                f"The transfer is too slow: {count(self._bytes, 'byte')} in {passed_s:g} s."
            )
        self._since_s, self._bytes = now_s, 0


class _Gunzip:
    """A body packed with gzip although we asked for an unpacked one."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP)
        self._begun = False

    def unpack(self, raw: bytes) -> Iterator[bytes]:
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
        """Write a piece; raises LinkDead for a page, VideoTooLarge above the limit."""
        if not self._opened:
            self._head += piece
            if len(self._head) >= _HEAD_BYTES or self._verdict.step is BodyStep.APPEND:
                self._open()
            return
        self._write(piece)

    def finish(self) -> None:
        """Check that all announced bytes came; raises TransferBroken if not."""
        if not self._opened and self._head:
            self._open()
        if not self._opened and self._verdict.step is not BodyStep.APPEND:
            raise TransferBroken("The download host sent an empty file.")
        total = self._verdict.total_bytes
        if total is not None and self._part.size_bytes < total:
            raise TransferBroken(f"Only {self._part.size_bytes:,} of {count(total, 'byte')} came.")

    def _open(self) -> None:
        if self._verdict.step is BodyStep.APPEND:
            self._part.reopen()
        else:
            _check_head(self._head, self._content_type)
            self._part.start_over(self._verdict.mark)
        self._opened = True
        self._write(self._head)

    def _write(self, piece: bytes) -> None:
        after, total = self._part.size_bytes + len(piece), self._verdict.total_bytes
        if after > self._max_bytes:
            self._part.remove()
            raise video_too_large(self._max_bytes)
        if total is not None and after > total:
            self._part.remove()
            announced = count(total, "byte")
            raise TransferBroken(f"The download host sent more than the {announced} announced.")
        self._part.write(piece)


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
    packed = _Gunzip() if verdict.gzip else None
    intake = _Intake(part, verdict, response.headers.get("Content-Type", ""), max_bytes)
    pace = SpeedWatch(stall_s, time.monotonic())
    try:
        # Whatever the socket has, at once: measured as fast as curl, with flat memory.
        while raw := await response.content.readany():
            pace.count_piece(len(raw), time.monotonic())
            for piece in packed.unpack(raw) if packed else (raw,):
                intake.take(piece)
        if packed:
            packed.finish()
        intake.finish()
    finally:
        part.close()
