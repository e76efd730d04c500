"""The file of a take, wherever it lies: in `videos/` of its output folder, elsewhere, in a bucket.

Tested in tests/storage/test_storedfiles.py.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO

from pipeline.disk.failures import raise_store_errors
from pipeline.disk.folder import OutputFolder
from pipeline.disk.place import holds_hash, place, place_copy
from pipeline.errors import StoreError
from pipeline.model import Video
from pipeline.storage.folder import FolderPlace
from pipeline.storage.opening import open_place
from pipeline.storage.places import Place, address_of, gives_no_answer, is_bucket

_ASKED_AT_ONCE = 32
PASSING = ".copy"
"""How the names of passing copies end."""
_COPIES = count()
"""Their numbers: a video may be drawn and measured at once, in two processes, too."""
_silent: ContextVar[dict[str, StoreError] | None] = ContextVar("_silent", default=None)
"""What was said of the buckets that gave no answer, by bucket, where nobody waits twice."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a take: its path, or the address of the bucket and its name there.

    `size_bytes` is its size; None where that was never known.
    """

    path: Path | None
    place: str = ""
    name: str = ""
    size_bytes: int | None = None

    @property
    def shown(self) -> str:
        """What it is called in messages."""
        return str(self.path) if self.path is not None else address_of(self.place, self.name)

    def is_there(self) -> bool:
        """Return whether a file is there that may be the take, by its size; raises StoreError."""
        if self.size_bytes is None:
            return False
        if self.path is None:
            with asked(self.place) as place:
                return place.size_of(self.name) == self.size_bytes
        try:
            return self.path.lstat().st_size == self.size_bytes
        except OSError:
            return False

    def read_part(self, first: int, end: int) -> bytes:
        """Return a part of what is in a bucket; raises StoreError, FileNotFoundError."""
        with asked(self.place) as place:
            return place.read_part(self.name, first, end)

    def copy_to(self, target: Path, sha256: str, mode: int) -> bool:
        """Put a copy at `target` if it has this hash; return whether it has.

        Args:
            target: Where the copy goes, in place of what has that name.
            sha256: The hash of the content; empty where a bucket is to tell what it has.
            mode: The most rights of the copy.

        Raises:
            StoreError: The folder does not take it, or the bucket does not give it.

        """
        if self.path is not None:
            return place_copy(self.path, target, sha256, mode)
        place(target, self._write)
        if sha256 and not holds_hash(target, sha256):
            target.unlink(missing_ok=True)
            return False
        if os.name == "posix":
            target.chmod(mode & target.stat().st_mode)
        return True

    def _write(self, file: BinaryIO) -> None:
        """Write what is in the bucket; nothing where it is gone."""
        with (
            contextlib.suppress(FileNotFoundError),
            asked(self.place) as place,
            place.open(self.name) as pieces,
        ):
            file.writelines(pieces)


@contextlib.contextmanager
def wait_once() -> Iterator[None]:
    """Wait once for a bucket that gives no answer, and not for each of its videos.

    For a command that ends with that; a page that is shown for hours asks again.
    """
    token = _silent.set({})
    try:
        yield
    finally:
        _silent.reset(token)


@contextlib.contextmanager
def asked(address: str) -> Iterator[Place]:
    """Yield a place that is asked for something; raises StoreError at once after `wait_once`.

    Args:
        address: That of the place.

    """
    silent, bucket = _silent.get(), "/".join(address.split("/")[:3])
    if silent is not None and bucket in silent:
        raise silent[bucket]
    try:
        yield open_place(address)
    except StoreError as error:
        if silent is not None and gives_no_answer(error):
            silent[bucket] = error
        raise


@contextlib.contextmanager
def at_hand(take: StoredFile, sha256: str, scratch: Path) -> Iterator[Path]:
    """Yield a path of the file of a take: where it lies or, from a bucket, of a passing copy.

    Args:
        take: The take.
        sha256: The hash of its content; empty where what is there is to be looked at.
        scratch: The folder for copies, which is made.

    Raises:
        StoreError: It cannot be had.

    """
    if take.path is not None:
        yield take.path
        return
    with raise_store_errors(scratch):
        scratch.mkdir(parents=True, exist_ok=True)
    named = sha256 or hashlib.sha256(take.shown.encode(errors="surrogateescape")).hexdigest()
    copy = scratch / f".{named}.{os.getpid()}-{next(_COPIES)}{PASSING}"
    try:
        if not take.copy_to(copy, sha256, 0o600):
            raise StoreError(f"{take.shown} is gone, or not the video that was put there.")
        yield copy
    finally:
        with contextlib.suppress(OSError):
            copy.unlink(missing_ok=True)


def place_of(folder: OutputFolder, video: Video) -> Place:
    """Return the place of a take; raises ConfigError where it is a bucket that cannot be used."""
    return open_place(video.place) if video.place else FolderPlace(folder.videos)


def stored_file(folder: OutputFolder, video: Video) -> StoredFile:
    """Return the file of a take, which may be gone."""
    if is_bucket(video.place):
        return StoredFile(None, video.place, video.name, video.size_bytes)
    parent = Path(video.place) if video.place else folder.videos
    return StoredFile(parent / video.name, size_bytes=video.size_bytes)


def find_gone(videos: Iterable[tuple[str, Video]], folder: OutputFolder) -> set[str]:
    """Return the keys of videos that are missing in their places or have another size there.

    A list tells of most at once. What the list of a bucket lacks is asked for by its name before it
    counts as gone: it may be bought again for that.

    Args:
        videos: The videos with their keys.
        folder: The output folder.

    Raises:
        StoreError: A place cannot be listed, or does not answer.

    """
    sizes = {"": FolderPlace(folder.videos).list()}
    gone, doubted = set(), []
    for key, video in videos:
        if video.place not in sizes:
            sizes[video.place] = place_of(folder, video).list()
        if sizes[video.place].get(video.name) == video.size_bytes:
            continue
        if is_bucket(video.place):
            doubted.append((key, video))
        else:
            gone.add(key)
    return gone | _ask_for(doubted) if doubted else gone


def _ask_for(doubted: Sequence[tuple[str, Video]]) -> set[str]:
    """Return the keys of those videos that are not in their buckets."""
    places = {place: open_place(place) for place in {video.place for _, video in doubted}}

    def is_gone(video: Video) -> bool:
        return places[video.place].size_of(video.name) != video.size_bytes

    executor = ThreadPoolExecutor(_ASKED_AT_ONCE, thread_name_prefix="bucket")
    try:
        answers = executor.map(is_gone, (video for _, video in doubted))
        return {key for (key, _), gone in zip(doubted, answers, strict=True) if gone}
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
