"""The videos of a lost journal: looked for where they were put, and described as they are now.

What is found need not be fetched from the provider again, whose links end after a day. Files on a
disk are described where they lie; of objects in buckets a passing copy is made.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import open_regular
from pipeline.downloader.verification import describe_open_file
from pipeline.errors import BadVideo
from pipeline.manifest.wording import count
from pipeline.model import Video
from pipeline.storage.opening import open_place, place_for
from pipeline.storage.places import check_name, is_bucket
from pipeline.storage.storedfiles import StoredFile, at_hand

_AT_ONCE = 8


def find_left(
    wanted: Mapping[str, tuple[str, str]],
    config: Config,
    folder: OutputFolder,
    tell: Callable[[str], None],
) -> dict[str, Video]:
    """Return the videos that are found, by whatever they are wanted for.

    Args:
        wanted: The name of each, and the address where it was put as far as that was noted.
        config: Says where videos go now.
        folder: The output folder.
        tell: Is told in a sentence what takes long.

    Raises:
        ConfigError: A bucket cannot be used, as the library for it is missing.
        StoreError: A bucket does not answer, or refuses.

    """
    now = place_for(config, folder) if wanted else None
    names_in = cache(lambda address: open_place(address).list())

    def candidates(name: str, noted: str) -> Iterator[StoredFile]:
        check_name(name)  # what a log or a table says leads nowhere else
        known = (one for one in (noted, now.address if now else "") if one)
        for address in dict.fromkeys((*known, "")):
            if is_bucket(address):
                if name in names_in(address) or open_place(address).size_of(name) is not None:
                    yield StoredFile(None, address, name)
            else:
                yield StoredFile((Path(address) if address else folder.videos) / name, address)

    found: dict[str, list[StoredFile]] = {}
    for one, where in wanted.items():
        with contextlib.suppress(ValueError):
            found[one] = [*candidates(*where)]
    if away := [one.place for each in found.values() for one in each[:1] if one.path is None]:
        places = ", ".join(dict.fromkeys(away))
        tell(f"{count(len(away), 'video')} in {places}: each is fetched once, to be described")
    executor = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="left")
    try:
        described = executor.map(lambda each: _first(each, folder.coming), found.values())
        told = zip(found, described, strict=True)
        return {one: video for one, video in told if video is not None}
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _first(candidates: Iterable[StoredFile], scratch: Path) -> Video | None:
    """Return the first that is a whole video."""
    for one in candidates:
        with contextlib.suppress(OSError, BadVideo), at_hand(one, "", scratch) as path:
            with open_regular(path) as descriptor:
                video = describe_open_file(descriptor, one.name or path.name, None)
            return replace(video, place=one.place)
    return None
