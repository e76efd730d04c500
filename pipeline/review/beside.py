"""Posters and figures of videos in a bucket, put beside them there.

They are copies: `reelsheet review` and `export` of another folder, or of a journal that was made
anew, take them from there and need not fetch the videos for them. What the bucket does not take is
left out, since both draw and measure whatever is missing.

Tested in tests/review/test_beside.py and tests/system/test_buckets.py.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ReelsheetError
from pipeline.review.inturn import InTurn
from pipeline.storage.opening import open_place
from pipeline.storage.storedfiles import StoredFile, asked

_AT_ONCE = 8
_MOST_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Beside:
    """What was made of a take in a bucket: the file with it, and its name beside the video."""

    take: StoredFile
    name: str
    file: Path


class Besides(InTurn[Beside]):
    """Puts copies beside their videos, several at once; an async context manager."""

    def __init__(self) -> None:
        """Have nothing to put yet."""
        super().__init__(_AT_ONCE)

    def put(self, beside: Beside) -> None:
        """Put this after those before it; nothing is ever overwritten."""
        self._add([beside])

    async def _do(self, item: Beside) -> None:
        with contextlib.suppress(ReelsheetError, OSError):  # a copy less, which others make anew
            sha256 = hashlib.sha256(item.file.read_bytes()).hexdigest()
            await open_place(item.take.place).put(item.name, item.file, sha256)


def figures_name(video: str) -> str:
    """Return the name of the figures of a video of this name."""
    return f"{video.removesuffix('.mp4')}.json"


def read_beside(take: StoredFile, name: str) -> bytes | None:
    """Return what lies beside a take in its bucket; None where nothing can be had there."""
    content = bytearray()
    with (
        contextlib.suppress(ReelsheetError, OSError),
        asked(take.place) as place,
        place.open(name) as pieces,
    ):
        for piece in pieces:
            content += piece
            if len(content) > _MOST_BYTES:
                return None
        return bytes(content)
    return None
