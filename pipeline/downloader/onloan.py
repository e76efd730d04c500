"""Videos that were put elsewhere and still lie here for a while, for those who draw and measure.

Also for the journal: a video is let go only when others came after it, so that what was put is
long noted. Whoever comes later fetches it from its place.

Tested in tests/downloader/test_places.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pipeline.downloader.connection import PartMark
from pipeline.downloader.transfer import PartFile, raise_video_errors
from pipeline.errors import StoreError
from pipeline.model import Video
from pipeline.storage.storedfiles import PASSING

_VERIFIED = '"verified"'
"""What stands for the host's validator where it gave none, and nothing is missing any more."""
_MOST_BYTES = 256_000_000
_PASSED_S = 86_400.0
_LEAST = 16
"""So many are kept, however large they are."""


def keep_whole(part: PartFile) -> None:
    """Write down that nothing of a part is missing: the next try asks no host for more.

    Raises StoreError.
    """
    if part.whole:
        part.keep()
        return
    with raise_video_errors(part.sidecar):
        part.sidecar.unlink(missing_ok=True)
    part.mark = PartMark(_VERIFIED if part.mark is None else part.mark.validator, part.size_bytes)
    part.write_mark(part.mark)


def clear_arrived(folder: Path, names: Iterable[str]) -> None:
    """Remove what a killed run left of videos that the journal has by now, by their names.

    So are copies that were to pass, once nobody can be at work on them any more.
    """
    with suppress(OSError):
        there = [*folder.iterdir()]
        if not there:
            return
        for one in there:
            if one.name.endswith(PASSING) and one.lstat().st_mtime < time.time() - _PASSED_S:
                one.unlink()
        for name in names:
            with suppress(StoreError):
                PartFile(folder, name).remove()


class OnLoan:
    """The parts of the videos that were put last, by the hashes of their content."""

    def __init__(self) -> None:
        self._parts: dict[str, PartFile] = {}
        self._bytes = 0

    def add(self, video: Video, part: PartFile) -> None:
        """Keep the part of a video for a while, and let go what is too much."""
        known = self._parts.pop(video.sha256, None)
        if known is not None and known.path != part.path:
            self._let_go(known)
        elif known is not None:
            self._bytes -= known.size_bytes
        self._parts[video.sha256] = part
        self._bytes += part.size_bytes
        while self._bytes > _MOST_BYTES and len(self._parts) > _LEAST:
            self._let_go(self._parts.pop(next(iter(self._parts))))

    def path_of(self, sha256: str) -> Path | None:
        """Return where a video lies; None if it was let go."""
        part = self._parts.get(sha256)
        return None if part is None else part.path

    def forget(self, path: Path) -> None:
        """Let go what lies at a path."""
        for sha256 in [one for one, part in self._parts.items() if part.path == path]:
            self._let_go(self._parts.pop(sha256))

    def end(self) -> None:
        """Let all of them go."""
        while self._parts:
            self._let_go(self._parts.popitem()[1])

    def _let_go(self, part: PartFile) -> None:
        self._bytes -= part.size_bytes
        with suppress(StoreError):  # what stays is put once more at most, which changes nothing
            part.remove()
