"""The container of .xls files and of encrypted workbooks: a small file system in one file.

[MS-CFB]: sectors, chained by a table (FAT), hold a directory of named streams; short streams lie
in a stream of their own in small sectors.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.reader.workbook.damage import Damage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# [MS-CFB] 2.1: numbers from here on are no sectors but ends of chains and the like.
_LAST_SECTOR = 0xFFFFFFFA
_ENTRY_BYTES = 128
_IN_HEADER = 109
_STREAM, _ROOT = 2, 5
_SHIFTS = (9, 12)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A stream: its first sector, its length, and whether it is the stream of the short ones."""

    start: int
    size_bytes: int
    root: bool


class Compound:
    """The streams of a compound file. Raises Damage or struct.error for one that is not whole."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._shift, self._short_shift = struct.unpack_from("<HH", data, 30)
        if self._shift not in _SHIFTS or self._short_shift >= self._shift:
            raise Damage("its sectors have no valid size")
        self._most = (len(data) >> self._shift) + 1
        directory, _, self._least, shorts, count = struct.unpack_from("<IIIII", data, 48)
        self._table = self._chained(self._table_sectors())
        self._shorts = self._chained(self._chain(shorts)) if count else ()
        self._entries = self._listed(self._joined(directory))

    @property
    def names(self) -> frozenset[str]:
        """The names of the streams."""
        return frozenset(self._entries)

    def stream(self, name: str) -> bytes:
        """The bytes of the stream `name`."""
        entry = self._entries[name]
        if entry.size_bytes >= self._least or entry.root:
            return _whole(self._joined(entry.start), entry.size_bytes)
        return _whole(self._short(entry.start), entry.size_bytes)

    def _table_sectors(self) -> list[int]:
        """The sectors of the FAT: the first 109 in the header, the others in a list of their own.

        [MS-CFB] 2.2 and 2.5.
        """
        following, count = struct.unpack_from("<II", self._data, 68)
        found = list(struct.unpack_from(f"<{_IN_HEADER}I", self._data, 76))
        for _ in range(min(count, self._most)):
            if following >= _LAST_SECTOR:
                break
            *more, following = self._numbers(self._sector(following))
            found += more
        return [sector for sector in found if sector < _LAST_SECTOR]

    def _chained(self, sectors: Sequence[int]) -> tuple[int, ...]:
        if len(sectors) > self._most:
            raise Damage("its table is longer than the file")
        return self._numbers(b"".join(map(self._sector, sectors)))

    def _numbers(self, data: bytes) -> tuple[int, ...]:
        return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])

    def _sector(self, number: int) -> bytes:
        start = (number + 1) << self._shift
        sector = self._data[start : start + (1 << self._shift)]
        if not sector:
            raise Damage("it ends before its last part")
        return sector

    def _chain(self, start: int) -> list[int]:
        return _followed(start, self._table.__getitem__, self._most)

    def _joined(self, start: int) -> bytes:
        return b"".join(map(self._sector, self._chain(start)))

    def _short(self, start: int) -> bytes:
        root = next(entry for entry in self._entries.values() if entry.root)
        store, size = self._joined(root.start), 1 << self._short_shift
        chain = _followed(start, self._shorts.__getitem__, len(store) // size + 1)
        return b"".join(store[at * size : (at + 1) * size] for at in chain)

    def _listed(self, directory: bytes) -> dict[str, _Entry]:
        """The entries of the directory ([MS-CFB] 2.6.1)."""
        found = {}
        for at in range(0, len(directory) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
            length, kind = struct.unpack_from("<HB", directory, at + 64)
            if kind in {_STREAM, _ROOT}:
                name = directory[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le")
                start, size = struct.unpack_from("<II", directory, at + 116)
                found[name] = _Entry(start, size, kind == _ROOT)
        return found


def _followed(start: int, following: Callable[[int], int], most: int) -> list[int]:
    chain = []
    while start < _LAST_SECTOR:
        chain.append(start)
        if len(chain) > most:
            raise Damage("its parts follow one another in a circle")
        start = following(start)
    return chain


def _whole(data: bytes, size_bytes: int) -> bytes:
    if len(data) < size_bytes:
        raise Damage(f"{size_bytes - len(data):,} bytes of its table are missing")
    return data[:size_bytes]
