"""The boxes of an MP4 file: walked, added, and damaged on purpose."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_HEADER = struct.Struct(">I4s")


def free_box(payload: bytes) -> bytes:
    """Return a ``free`` box, which every player skips."""
    return _HEADER.pack(_HEADER.size + len(payload), b"free") + payload


def boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Give kind, start and end of each top-level box."""
    at = 0
    while at + _HEADER.size <= len(data):
        size, kind = _HEADER.unpack_from(data, at)
        if size < _HEADER.size:
            return
        yield kind, at, min(at + size, len(data))
        at += size


def zero_media(data: bytes) -> bytes:
    """Return the file with all media data zero and every box as it was."""
    damaged = bytearray(data)
    for kind, start, end in boxes(data):
        if kind == b"mdat":
            first = start + _HEADER.size
            damaged[first:end] = bytes(end - first)
    return bytes(damaged)


def corrupt_head(data: bytes, size_bytes: int = 64) -> bytes:
    """Return the file with its first bytes turned over."""
    return bytes(byte ^ 0xFF for byte in data[:size_bytes]) + data[size_bytes:]
