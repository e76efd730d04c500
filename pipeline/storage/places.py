"""Where videos lie: the acts of a place, and the addresses of places and of files in them.

A place is a folder or a bucket. A take stays where it was put: its video notes the address of its
place, so that another setting of `output.videos` neither loses nor buys anything.

Tested in tests/storage/test_folder.py and tests/storage/test_bucket.py.
"""

from __future__ import annotations

import ntpath
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from pipeline.errors import StoreError

BUCKETS = ("s3", "gs", "az")
"""The schemes of buckets: Amazon S3 and what answers like it, Google Cloud Storage, Azure."""

RUN_AGAIN_LATER = "Run again later: nothing paid for is lost."


_MOST_NAMES = 99


class Put(StrEnum):
    """What came of putting a file: it is there now, it was there, or other bytes have the name."""

    CREATED = "created"
    SAME = "same"
    TAKEN = "taken"


class Place(Protocol):
    """A folder or a bucket with videos in it; all of it raises StoreError.

    `address` is what the journal notes: a path, or `s3://bucket/folder`.
    """

    @property
    def address(self) -> str:
        """What it is called for good."""

    async def prepare(self) -> None:
        """Make sure that files can be put, before anything is paid for."""

    async def put(self, name: str, file: Path, sha256: str) -> Put:
        """Put a file under a name that nothing has; nothing is ever overwritten.

        Args:
            name: Its name there.
            file: The file, which stays.
            sha256: The hash of its content, which is made sure of.

        Raises:
            HostDown: The place does not answer in time; try again.
            StoreError: It refuses.

        """

    def list(self) -> Mapping[str, int]:
        """Return the names that are there with their sizes in bytes."""

    def size_of(self, name: str) -> int | None:
        """Return the size of a file; None where there is none."""

    def open(self, name: str) -> AbstractContextManager[Iterable[bytes]]:
        """Open a file to read it piece by piece; raises FileNotFoundError where there is none."""

    def read_part(self, name: str, first: int, end: int) -> bytes:
        """Return the bytes from `first` up to `end`; raises FileNotFoundError if it is gone."""

    def link(self, name: str, seconds: int) -> str | None:
        """Return a web address that gives a file for so long; None where it can have none."""


def check_name(name: str) -> None:
    """Raise ValueError unless `name` is a plain file name on every system."""
    plain = name == posixpath.basename(name) == ntpath.basename(name)
    if not plain or name in {"", ".", ".."} or not name.isprintable():
        raise ValueError(f"{name!r} is not a plain file name")


def is_bucket(address: str) -> bool:
    """Tell whether an address is that of a bucket, and not of a folder."""
    return address.partition("://")[0] in BUCKETS and "://" in address


def gives_no_answer(error: StoreError) -> bool:
    """Tell whether a bucket was waited for in vain, so that nothing else need be tried there."""
    return error.action == RUN_AGAIN_LATER


async def put_numbered(place: Place, name: str, file: Path, sha256: str) -> str:
    """Put a file under a name or, where another has it, under the next that is free; return it.

    Args:
        place: Where it goes.
        name: Its name.
        file: The file.
        sha256: The hash of its content.

    Raises:
        HostDown: The place does not answer in time.
        StoreError: It refuses.

    """
    for candidate in islice(_numbered(name), _MOST_NAMES):
        if await place.put(candidate, file, sha256) is not Put.TAKEN:
            return candidate
    raise StoreError(
        f"{address_of(place.address, name)} and the {_MOST_NAMES - 1} names after it are taken.",
        action="Set output.videos to another folder, or output.name to other names.",
    )


def _numbered(name: str) -> Iterator[str]:
    """Yield a name, and then those that are tried where others have it: `a.mp4`, `a-2.mp4`, …."""
    stem, dot, suffix = name.rpartition(".")
    yield name
    number = 2
    while True:
        yield f"{stem}-{number}{dot}{suffix}"
        number += 1


def address_of(place: str, name: str) -> str:
    """Return the address of a file in a place, for people and other programs."""
    return f"{place}/{name}" if is_bucket(place) else str(Path(place) / name)


def public_address(link_base: str, file: str) -> str:
    """Return the web address of a file below `output.link_base`, by its address in its place."""
    place, _, name = file.rpartition("/")
    folder = place.rpartition("/")[2] if is_bucket(place) else Path(place).name
    return f"{link_base}/{quote(folder, safe='')}/{quote(name, safe='')}"
