"""Check the boxes of an MP4 file (ISO/IEC 14496-12) without decoding anything.

It takes well under a millisecond for a catalogue video and finds every truncation: the boxes of the
top level must add up to the file exactly, `ftyp`, `moov` and `mdat` must be there, and every chunk
that the sample tables name must lie inside the file. What the samples hold is not looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import BinaryIO, NamedTuple

from pipeline.manifest.wording import agree, count

_MOOV_LIMIT_BYTES = 64 * 1024 * 1024
_TOP_LEVEL_LIMIT = 100_000
_HEADER = 8
_WIDE_HEADER = 16


class BoxFault(ValueError):
    """The file is not a whole MP4. `truncated` says that its end is missing."""

    def __init__(self, message: str, *, truncated: bool = False) -> None:
        super().__init__(message)
        self.truncated = truncated


@dataclass(frozen=True, slots=True)
class Footage:
    """What a video shows: its size in pixels and its length in seconds (0 if not stated)."""

    width: int
    height: int
    duration_s: float


class _Box(NamedTuple):
    """A box: its four-letter kind, and where its payload starts and ends."""

    kind: bytes
    start: int
    end: int


def walk_boxes(file: BinaryIO, size_bytes: int) -> Footage:
    """Check the structure of the MP4 in `file` and return what it claims to show.

    Raises BoxFault with a sentence about the first fault.
    """
    boxes = list(_top_level(file, size_bytes))
    kinds = {box.kind for box in boxes}
    for kind, name in ((b"ftyp", "type"), (b"moov", "index"), (b"mdat", "media")):
        if kind not in kinds:
            raise BoxFault(f"its {name} box ('{kind.decode()}') is missing")
    moov = _payload(file, next(box for box in boxes if box.kind == b"moov"))
    try:
        return _check_moov(moov, size_bytes, fragmented=b"moof" in kinds)
    except struct.error as error:
        raise BoxFault("its index is shorter than it says") from error


def has_sound(file: BinaryIO, size_bytes: int) -> bool:
    """Return whether a whole MP4 has a track of sound. Raises BoxFault."""
    moov = next((box for box in _top_level(file, size_bytes) if box.kind == b"moov"), None)
    if moov is None:
        raise BoxFault("its index box ('moov') is missing")
    data = _payload(file, moov)
    tracks = _walk_children(data, _Box(b"moov", 0, len(data)))
    return any(_handler(data, box) == b"soun" for box in tracks if box.kind == b"trak")


def _top_level(file: BinaryIO, size_bytes: int) -> Iterator[_Box]:
    at = 0
    for _ in range(_TOP_LEVEL_LIMIT):
        if at == size_bytes:
            return
        file.seek(at)
        box = _header(file.read(_WIDE_HEADER), at, size_bytes)
        if box.end > size_bytes:
            raise _cut_off(box.end - size_bytes)
        yield box
        at = box.end
    raise BoxFault("it consists of far too many pieces")


def _header(head: bytes, at: int, limit: int) -> _Box:
    """Read the header of the box at `at`; a size of 0 (to the end) is taken for `mdat` only."""
    if len(head) < _HEADER:
        raise BoxFault("it ends in the middle of a box", truncated=True)
    size, kind = struct.unpack_from(">I4s", head)
    start = at + _HEADER
    if size == 1:
        if len(head) < _WIDE_HEADER:
            raise BoxFault("it ends in the middle of a box", truncated=True)
        size, start = struct.unpack_from(">Q", head, 8)[0], at + _WIDE_HEADER
    elif size == 0 and kind == b"mdat":
        size = limit - at
    if at + size < start:
        raise BoxFault(f"there is no box where one must be, at byte {at}")
    return _Box(kind, start, at + size)


def _payload(file: BinaryIO, box: _Box) -> bytes:
    length = box.end - box.start
    if length > _MOOV_LIMIT_BYTES:
        raise BoxFault(f"its index of {length} bytes is far too large")
    file.seek(box.start)
    data = file.read(length)
    if len(data) != length:
        raise BoxFault("its index is cut", truncated=True)
    return data


def _walk_children(data: bytes, parent: _Box) -> Iterator[_Box]:
    at = parent.start
    while at + _HEADER <= parent.end:
        box = _header(data[at : at + _WIDE_HEADER], at, parent.end)
        if box.end > parent.end:
            raise BoxFault(f"its '{_show_kind(box.kind)}' box is larger than the box around it")
        yield box
        at = box.end


def _show_kind(kind: bytes) -> str:
    return kind.decode("ascii", "backslashreplace")


def _find(data: bytes, parent: _Box, *path: bytes) -> _Box | None:
    found: _Box | None = parent
    for kind in path:
        if found is None:
            return None
        found = next((box for box in _walk_children(data, found) if box.kind == kind), None)
    return found


def _check_moov(moov: bytes, size_bytes: int, *, fragmented: bool) -> Footage:
    """Check the sample tables of every track; return what the first video track shows."""
    whole = _Box(b"moov", 0, len(moov))
    tracks = [box for box in _walk_children(moov, whole) if box.kind == b"trak"]
    # In a fragmented file the tables of `moov` are empty: the samples are named by each `moof`.
    fragmented = fragmented and _find(moov, whole, b"mvex") is not None
    samples = {track: _check_samples(moov, track, size_bytes) for track in tracks}
    video = next((track for track in tracks if _handler(moov, track) == b"vide"), None)
    if video is None:
        raise BoxFault("it holds no video track")
    if samples[video] == 0 and not fragmented:
        raise BoxFault("its video track is empty")
    width, height = _pixels(moov, _find(moov, video, b"tkhd"))
    duration_s = _length_s(moov, _find(moov, video, b"mdia", b"mdhd"))
    return Footage(width, height, duration_s or _length_s(moov, _find(moov, whole, b"mvhd")))


def _handler(moov: bytes, track: _Box) -> bytes:
    box = _find(moov, track, b"mdia", b"hdlr")
    return moov[box.start + 8 : box.start + 12] if box else b""


def _pixels(moov: bytes, tkhd: _Box | None) -> tuple[int, int]:
    """Read width and height, two 16.16 fixed-point numbers at the end of the track header."""
    if tkhd is None:
        raise BoxFault("its video track has no header")
    offset = 88 if moov[tkhd.start] == 1 else 76
    width, height = struct.unpack_from(">II", moov, tkhd.start + offset)
    return width >> 16, height >> 16


def _length_s(moov: bytes, header: _Box | None) -> float:
    """Read the length from an `mdhd` or `mvhd` box, which begin alike."""
    if header is None:
        return 0.0
    if moov[header.start] == 1:
        timescale, duration = struct.unpack_from(">IQ", moov, header.start + 20)
    else:
        timescale, duration = struct.unpack_from(">II", moov, header.start + 12)
    return duration / timescale if timescale else 0.0


def _check_samples(moov: bytes, track: _Box, size_bytes: int) -> int:
    """Check that every chunk of the track lies inside the file; return its number of samples."""
    table = _find(moov, track, b"mdia", b"minf", b"stbl")
    if table is None:
        raise BoxFault("one of its tracks has no sample table")
    boxes = {box.kind: box for box in _walk_children(moov, table)}
    offsets = _chunk_offsets(moov, boxes)
    if b"stsz" not in boxes:
        if b"stz2" not in boxes and offsets:
            raise BoxFault("the sizes of its samples are missing")
        _demand_inside(max(offsets, default=0), size_bytes)
        return len(offsets)
    each, count = struct.unpack_from(">II", moov, boxes[b"stsz"].start + 4)
    per_chunk = _samples_per_chunk(moov, boxes, len(offsets))
    if sum(per_chunk) < count:
        raise BoxFault("its sample tables name fewer samples than they count")
    ends: Iterator[int]
    if each:
        ends = (at + each * n for at, n in zip(offsets, per_chunk, strict=True))
    else:
        sizes = _numbers(moov, boxes[b"stsz"], 8, ">I")
        ends = _chunk_ends(offsets, per_chunk, sizes)
    _demand_inside(max(ends, default=0), size_bytes)
    return int(count)


def _demand_inside(end: int, size_bytes: int) -> None:
    if end > size_bytes:
        raise _cut_off(end - size_bytes)


def _cut_off(missing: int) -> BoxFault:
    are = agree(missing, "is", "are")
    return BoxFault(f"{count(missing, 'byte')} or more {are} missing at its end", truncated=True)


def _chunk_offsets(moov: bytes, boxes: dict[bytes, _Box]) -> tuple[int, ...]:
    if b"co64" in boxes:
        return _numbers(moov, boxes[b"co64"], 4, ">Q")
    if b"stco" in boxes:
        return _numbers(moov, boxes[b"stco"], 4, ">I")
    raise BoxFault("one of its tracks does not say where its samples are")


def _numbers(moov: bytes, box: _Box, count_at: int, form: str) -> tuple[int, ...]:
    """Read a counted table; the count may not promise more than the box holds."""
    (count,) = struct.unpack_from(">I", moov, box.start + count_at)
    first = box.start + count_at + 4
    if first + count * struct.calcsize(form) > box.end:
        raise BoxFault(f"its '{_show_kind(box.kind)}' table is shorter than it says")
    return struct.unpack_from(f">{count}{form[-1]}", moov, first)


def _samples_per_chunk(moov: bytes, boxes: dict[bytes, _Box], chunks: int) -> list[int]:
    """Expand `stsc`, whose entries (first chunk, samples, description) hold until the next one."""
    if b"stsc" not in boxes:
        raise BoxFault("one of its tracks does not say which samples make a chunk")
    box = boxes[b"stsc"]
    (count,) = struct.unpack_from(">I", moov, box.start + 4)
    if box.start + 8 + count * 12 > box.end:
        raise BoxFault("its 'stsc' table is shorter than it says")
    entries = list(struct.iter_unpack(">III", moov[box.start + 8 : box.start + 8 + count * 12]))
    per_chunk: list[int] = []
    for index, (first, samples, _) in enumerate(entries):
        until = entries[index + 1][0] if index + 1 < count else chunks + 1
        if first != len(per_chunk) + 1 or not first <= until <= chunks + 1:
            raise BoxFault("its 'stsc' table contradicts its list of chunks")
        per_chunk += [samples] * (until - first)
    if len(per_chunk) != chunks:
        raise BoxFault("its 'stsc' table contradicts its list of chunks")
    return per_chunk


def _chunk_ends(
    offsets: tuple[int, ...], per_chunk: list[int], sizes: tuple[int, ...]
) -> Iterator[int]:
    """Yield the byte after each chunk: its offset and the sizes of its samples."""
    lasts = list(accumulate(per_chunk))
    for offset, last, samples in zip(offsets, lasts, per_chunk, strict=True):
        yield offset + sum(sizes[last - samples : last])
