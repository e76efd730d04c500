"""Room on the disks: for what is paid for and not yet home, and only then for the next order.

How large a video will be is learned from those that came, for each resolution; before the first one
it is assumed. A lane writes to a disk or to several: videos to one, say, and what the account has
bought to another. Several lanes may write to the same one.

Tested in tests/engine/test_full_disks.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.engine.rows import Reach, Stop, Tracked
from pipeline.errors import ExitCode
from pipeline.events import Downloaded, Event
from pipeline.lifecycle import PAID
from pipeline.model import State, Video

_ASSUMED = {"720P": 500_000.0, "1080p": 1_100_000.0, "4k": 4_400_000.0}
"""Bytes per second of video, until one was seen: docs/contract.md, "The video"."""

_MARGIN = 1.1
"""Videos differ: so much more than the mean of those that came is counted on."""

_FULL_HD, _ULTRA_HD = 1080, 2160
_MEGABYTE, _GIGABYTE = 1e6, 1e9


class Sizes:
    """How many bytes a second of video takes, by resolution."""

    def __init__(self, videos: Iterable[Video] = ()) -> None:
        self._bytes: Counter[str] = Counter()
        self._seconds: dict[str, float] = {}
        for video in videos:
            self.learn(video)

    def learn(self, video: Video) -> None:
        """Take in the size of a video that came."""
        if video.duration_s > 0:
            lines = min(video.width, video.height)
            resolution = "4k" if lines >= _ULTRA_HD else "1080p" if lines >= _FULL_HD else "720P"
            self._bytes[resolution] += video.size_bytes
            self._seconds[resolution] = self._seconds.get(resolution, 0.0) + video.duration_s

    def knows(self, resolution: str) -> bool:
        """Return whether a video of this resolution was seen, so that nothing is assumed."""
        return _spelt(resolution) in self._seconds

    def expected_bytes(self, resolution: str, seconds: float) -> float:
        """Return how many bytes so many seconds of video will take."""
        spelt = _spelt(resolution)
        if spelt in self._seconds:
            learned = self._bytes[spelt] / self._seconds[spelt]
            return learned * _MARGIN * seconds
        return _ASSUMED.get(spelt, _ASSUMED["1080p"]) * seconds


def _spelt(resolution: str) -> str:
    """Return a resolution as the first model spells it: others write 720p in small letters."""
    return "720P" if resolution == "720p" else resolution


class Asked(Protocol):
    """What a row asks for, as far as its size depends on it."""

    @property
    def prompt(self) -> str:
        """What the video shows."""

    @property
    def duration(self) -> int:
        """Its seconds."""

    @property
    def resolution(self) -> str:
        """Its resolution."""


@dataclass(slots=True)
class Several:
    """What several rows ask for, as far as their size depends on it, by resolution."""

    rows: int = 0
    prompt_bytes: int = 0
    seconds: Counter[str] = field(default_factory=Counter)


def bytes_of(prompt: str) -> int:
    """Return how many bytes a prompt takes in a database."""
    return len(prompt) if prompt.isascii() else len(prompt.encode(errors="replace"))


class Disk:
    """A disk that lanes write to; `folder`, which lies on it, is what it is called.

    Of `free_bytes` so many stay free: `min_free_bytes`; None: not known, so nothing is kept back.
    `overhead_bytes` is what this run still writes beside the rows: its results, and the logs of its
    databases. `manifests` is how many of them write to it.
    """

    def __init__(self, folder: str, min_free_bytes: float, free_bytes: float | None = None) -> None:
        self.folder = folder
        self.min_free_bytes = min_free_bytes
        self.free_bytes = free_bytes
        self.overhead_bytes = 0.0
        self.manifests = 0
        self.elsewhere: Mapping[str, float] = {}
        """Seconds of video by resolution that are paid for and that others bring home."""
        self._seconds: Counter[str] = Counter()
        self._row_bytes = 0.0

    def expect(self, share: Share, request: Asked, times: int) -> None:
        """Count a row that is paid for and whose video is to come, or take it back with -1."""
        if share.videos:
            self._seconds[request.resolution] += times * request.duration
        self._row_bytes += times * share.bytes_of_row(request)

    def expect_all(self, share: Share, several: Several) -> None:
        """Count several such rows."""
        if share.videos:
            self._seconds.update(several.seconds)
        self._row_bytes += share.bytes_of_rows(several)

    def coming_bytes(self, sizes: Sizes) -> float:
        """Return how many bytes that is paid for and not yet home takes."""
        parts = (*self._seconds.items(), *self.elsewhere.items())
        return self._row_bytes + sum(sizes.expected_bytes(one, seconds) for one, seconds in parts)

    def holds(self, more_bytes: float, sizes: Sizes) -> bool:
        """Return whether so much more finds room."""
        if self.free_bytes is None:
            return True
        kept = self.min_free_bytes + self.overhead_bytes
        return self.coming_bytes(sizes) + more_bytes + kept <= self.free_bytes


@dataclass(frozen=True, slots=True)
class Share:
    """What the rows of a lane take on a disk: their `videos`, if they go there, and records.

    `row_bytes` is how many bytes of records a row takes, beside its prompt, which is kept `texts`
    times.
    """

    disk: Disk
    videos: bool = True
    row_bytes: int = 0
    texts: int = 0

    def bytes_of_row(self, request: Asked) -> int:
        """Return how many bytes the records of a row take."""
        return self.row_bytes + self.texts * bytes_of(request.prompt)

    def bytes_of_rows(self, several: Several) -> int:
        """Return how many bytes the records of several rows take."""
        return several.rows * self.row_bytes + self.texts * several.prompt_bytes

    def expected_bytes_of(self, several: Several, sizes: Sizes) -> float:
        """Return how many bytes all of several rows takes."""
        videos = several.seconds.items() if self.videos else ()
        parts = (sizes.expected_bytes(one, seconds) for one, seconds in videos)
        return sum(parts) + self.bytes_of_rows(several)

    def expected_bytes(self, request: Asked, sizes: Sizes) -> float:
        """Return how many bytes all of a row takes."""
        video = sizes.expected_bytes(request.resolution, request.duration) if self.videos else 0.0
        return video + self.bytes_of_row(request)

    def shortage(self, request: Asked, sizes: Sizes) -> Stop | None:
        """Return why a row is not to be ordered; None if the disk has room for it."""
        disk = self.disk
        if disk.free_bytes is None:
            return None
        coming, next_bytes = disk.coming_bytes(sizes), self.expected_bytes(request, sizes)
        kept = disk.min_free_bytes + disk.overhead_bytes
        if coming + next_bytes + kept <= disk.free_bytes:
            return None
        return _stop_for_room(disk, coming, next_bytes)


class Room:
    """Whether there is room for one more video; without a disk for a lane there always is.

    `rows` are the engine's, and only read.
    """

    def __init__(self, rows: Mapping[tuple[int, str], Tracked]) -> None:
        self._rows = rows
        self._sizes = Sizes()
        self._shares: dict[int, Sequence[Share]] = {}

    def keep(self, lanes: Sequence[Sequence[Share]], sizes: Sizes) -> None:
        """Order only what finds room on the disks of its lane; to be told before the run begins.

        Args:
            lanes: What each lane takes where; whoever carries commands out keeps the `free_bytes`
                of the disks right.
            sizes: How large videos have been; it learns from those that come.

        """
        self._sizes = sizes
        self._shares = dict(enumerate(lanes))
        for row in self._rows.values():
            self.follow(row, State.WAITING)

    def follow(self, row: Tracked, before: State, event: Event | None = None) -> None:
        """Take in that a row has moved on from a state, and by which event."""
        was_paid, is_paid = before in PAID, row.state in PAID
        if is_paid != was_paid:
            for share in self._shares.get(row.lane, ()):
                share.disk.expect(share, row.attempt.request, 1 if is_paid else -1)
        if isinstance(event, Downloaded):
            self._sizes.learn(event.video)

    def shortage(self, row: Tracked) -> Stop | None:
        """Return why the video of a row is not to be ordered; None if there is room for it."""
        stops = (
            share.shortage(row.attempt.request, self._sizes)
            for share in self._shares.get(row.lane, ())
        )
        return next((stop for stop in stops if stop is not None), None)


def _stop_for_room(disk: Disk, coming: float, next_bytes: float) -> Stop:
    needed = coming + next_bytes + disk.overhead_bytes + disk.min_free_bytes
    shared = f"; {disk.manifests:,} manifests share that disk" if disk.manifests > 1 else ""
    return Stop(
        ExitCode.UNFINISHED,
        f"{disk.folder} has {worded_bytes(disk.free_bytes or 0)} free and needs "
        f"{worded_bytes(needed)}: {worded_bytes(coming)} for videos that are paid for and not yet "
        f"home, {worded_bytes(next_bytes)} for the next one, "
        f"{worded_bytes(disk.overhead_bytes)} for records and results, and "
        f"{worded_bytes(disk.min_free_bytes)} that stay free (disk.min_free_mb){shared}",
        action=(
            f"Make room on the disk of {disk.folder}, or lower disk.min_free_mb, then run again: "
            "what is paid for comes first, and the rows that are left are ordered then."
        ),
        reach=Reach.SUBMITTING,
        by_disk=True,
    )


def worded_bytes(size_bytes: float) -> str:
    """Return a size as people read it."""
    if size_bytes >= _GIGABYTE:
        return f"{size_bytes / _GIGABYTE:,.1f} GB"
    if size_bytes >= _MEGABYTE:
        return f"{size_bytes / _MEGABYTE:,.1f} MB"
    return f"{size_bytes / 1e3:,.0f} kB"
