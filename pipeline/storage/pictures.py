"""Pictures that cells name in buckets: fetched into the cache, and from then on local ones.

The stamp of an object is its ETag: as long as it has the one that it was fetched with, one request
says so and nothing is fetched again. What a picture is, its bytes tell, as those of a local file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.disk.failures import explain_os_error
from pipeline.disk.openfile import read_regular, refuse_link
from pipeline.disk.place import place_in_cache
from pipeline.disk.rights import OWN_FOLDER
from pipeline.errors import ConfigError, StoreError
from pipeline.model import PictureFault
from pipeline.storage.opening import refuse_lack_of_library
from pipeline.storage.places import gives_no_answer

if TYPE_CHECKING:
    from pipeline.storage.bucket import BucketPlace

FOLDER = "fetched"
"""The folder of the cache that they are fetched into."""
_AT_ONCE = 16
_STAMP = "etag"
_LONGEST_STAMP = 1000
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 80
_WITHOUT_LIBRARY = 'Pictures in a bucket need one library more: pip install "reelsheet[cloud]".'


def fetch_pictures(
    addresses: Iterable[str],
    cache: Path,
    most_bytes: int,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Path | PictureFault]:
    """Return for each address of an object its file in the cache, or why there is none.

    Args:
        addresses: those of objects, as `s3://bucket/folder/name.jpg`.
        cache: the folder that is kept between runs.
        most_bytes: the largest picture that is fetched.
        progress: is told how many of how many were asked for.

    """
    distinct = [*dict.fromkeys(addresses)]
    if not distinct:
        return {}
    try:
        refuse_lack_of_library()
    except ConfigError:
        return dict.fromkeys(distinct, PictureFault("no_library", _WITHOUT_LIBRARY))
    from pipeline.storage.bucket import BucketPlace  # noqa: PLC0415 - loads 16 MB

    places = {bucket: BucketPlace(bucket) for bucket in map(_bucket_of, distinct)}
    down: dict[str, StoreError] = {}

    def fetch(address: str) -> Path | PictureFault:
        bucket = _bucket_of(address)
        try:
            if bucket in down:
                raise down[bucket]
            return _fetch(places[bucket], address, cache / FOLDER, most_bytes)
        except StoreError as error:
            if gives_no_answer(error):  # others need not wait for it, too
                down[bucket] = error
            return PictureFault(
                "bucket", f"{address}: {error.message} {error.action or ''}".strip()
            )

    executor = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="bucket")
    try:
        found = {}
        answers = zip(distinct, executor.map(fetch, distinct), strict=True)
        for done, (address, picture) in enumerate(answers, 1):
            found[address] = picture
            progress(done, len(distinct))
        return found
    finally:
        executor.shutdown(wait=True, cancel_futures=True)  # on Ctrl-C those that wait are dropped


def _bucket_of(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _fetch(place: BucketPlace, address: str, folder: Path, most_bytes: int) -> Path | PictureFault:
    """Fetch a picture unless it is there as it is in the bucket; raises StoreError."""
    name = address.removeprefix(f"{place.address}/")
    kept = folder / hashlib.sha256(address.encode()).hexdigest()[:32]
    file, stamp = kept / _safe(name), kept / _STAMP
    refuse_link(kept)
    try:
        found = place.fetch(name, _stamp_of(file, stamp), most_bytes)
        if found is not None:
            kept.mkdir(OWN_FOLDER, parents=True, exist_ok=True)
            stamp.unlink(missing_ok=True)  # first: it is of what is there no more
            place_in_cache(file, found[1])
            place_in_cache(stamp, found[0].encode())
    except FileNotFoundError:
        return PictureFault(
            "missing",
            f"{address} is missing: there is no such object, or no such bucket. Put the picture "
            "there or correct the cell.",
        )
    except OverflowError:
        return PictureFault(
            "too_large", f"{address} has more than {most_bytes / 1e6:.0f} MB. Save it smaller."
        )
    except OSError as error:
        return PictureFault(
            "unreadable", f"{address} cannot be kept in {kept}: {explain_os_error(error)}."
        )
    return file


def _safe(name: str) -> str:
    """Return the last part of an object's name as a name of a file; its end tells the kind."""
    last = _ODD.sub("_", name.rpartition("/")[2])[-_LONGEST_NAME:].lstrip(".-_")
    return last if last and last != _STAMP else f"picture-{last}"


def _stamp_of(file: Path, stamp: Path) -> str | None:
    """Return the ETag that a picture was fetched with; None if it is not there."""
    with suppress(OSError, UnicodeError):
        if file.is_file():
            return read_regular(stamp, _LONGEST_STAMP).decode("ascii") or None
    return None
