"""How posters and small copies of pictures are called, and which of them are there.

Tested in tests/review/test_cards.py.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

_SHORT_HASH = 24
LOCAL = "sha256:"
"""How a request names a local picture: by this and the hash of what it holds."""


def poster_name(video: str, number: int) -> str:
    """Return the name of a take's poster: the number is in it, so that no browser mixes takes up.

    `video` is the file name of the video, `number` that of its attempt.
    """
    return f"{video.removesuffix('.mp4')}.{number}.jpg"


def picture_name(sha256: str) -> str:
    """Return the name of the small copy of a local picture with this hash."""
    return f"{sha256[:_SHORT_HASH]}.jpg"


def web_picture_name(url: str) -> str:
    """Return the name of the small copy of the picture at a web address."""
    return picture_name(hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest())


def names_in(folder: Path) -> frozenset[str]:
    """Return the names of the files in a folder; none where it cannot be read."""
    with suppress(OSError), os.scandir(folder) as found:
        return frozenset(one.name for one in found if one.is_file(follow_symlinks=False))
    return frozenset()
