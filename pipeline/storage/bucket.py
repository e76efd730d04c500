"""A bucket as the place of videos: Amazon S3 and what answers like it, Google Cloud, Azure.

One conditional PUT puts a file: `If-None-Match: *` makes the bucket refuse a name that is taken, so
that two processes, or one that was killed and runs again, never put a second object. S3 has no such
condition for uploads in parts, which also leave billed, invisible parts behind when they are
killed: only files above 128 MB come in parts, after a look whether the name is free.

What may be used where (rights, region, other hosts) is told by the usual variables of each service;
the library reads them, and nothing of them is kept or shown here.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from math import ceil, inf
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotModifiedError
from obstore.store import AzureStore, GCSStore, S3Store

from pipeline.disk.failures import raise_store_errors
from pipeline.disk.openfile import hash_of_file, open_to_read_bytes
from pipeline.errors import ConfigError, StoreError
from pipeline.storage.bucketfaults import BucketDown, allows_http, fault_of, unreadable
from pipeline.storage.places import Put

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ObjectStore

_WHOLE_BYTES = 128 * 1024 * 1024
"""Up to this size a file is put by one request; above, in parts of:"""
_PART_BYTES = 16 * 1024 * 1024
_PARTS_AT_ONCE = 4
_TIMEOUT_S, _CONNECT_S = 60.0, 5.0
"""How long a request may take that carries up to 16 MB, and how long a connection."""
_RETRIES = 3
_PROBE = ".reelsheet-probe"
_LARGE = Lock()
"""Is held while more than 16 MB are read at once: several threads would fill the memory."""
_FAILURES = (BaseError, FileNotFoundError, TimeoutError, ValueError)
_TYPES = {"mp4": "video/mp4", "jpg": "image/jpeg"}


class BucketPlace:
    """A folder of a bucket.

    Args:
        address: `s3://bucket/folder`, `gs://…` or `az://container/…`.
        timeout_s: How long a small request may take.
        patience_s: For how long files are put although the bucket says nothing.
        grace_s: How long a file may take that is being put when the patience ends.

    """

    def __init__(
        self,
        address: str,
        *,
        timeout_s: float = _TIMEOUT_S,
        patience_s: float = inf,
        grace_s: float = 0.0,
    ) -> None:
        self.address = address
        self._scheme, _, rest = address.partition("://")
        self._bucket, _, self._prefix = rest.partition("/")
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        self._grace_s = grace_s
        self._silent_since: float | None = None
        self._stores: dict[tuple[int, bool], ObjectStore] = {}

    async def prepare(self) -> None:
        """Put a probe twice: a bucket that takes the second one would overwrite videos.

        The probe stays, so that no right to delete is needed. Raises StoreError where a right is
        missing or the bucket does not answer, ConfigError where it overwrites.
        """
        act, begun = "write", monotonic()
        try:
            async with asyncio.timeout(self._timeout_s):  # for all of it
                await self._probe()
                act = "read"
                await obstore.head_async(self._store(), _PROBE)
                act = "list"
                async for _ in obstore.list(self._store(), chunk_size=1):
                    break
        except _FAILURES as error:
            raise unreadable(error, self.address, act, monotonic() - begun) from error

    async def _probe(self) -> None:
        for turn in range(2):
            if not await self._create(_PROBE, f"reelsheet {turn}".encode(), "probe"):
                return
        raise ConfigError(
            f"The bucket {self.address} overwrites what is there, although it was told not to "
            "(If-None-Match): two runs could overwrite each other's videos.",
            action="Use a bucket that keeps to conditional writes, or a folder.",
        )

    async def put(self, name: str, file: Path, sha256: str) -> Put:
        """Put a file under a name that nothing has; nothing is ever overwritten.

        Args:
            name: Its name there.
            file: The file, which stays.
            sha256: The hash of its content, which is made sure of.

        Raises:
            BucketDown: The bucket does not answer in time; try again.
            StoreError: It refuses, or the file is not what the hash says.

        """
        begun = monotonic()
        since = begun if self._silent_since is None else self._silent_since
        limit_s = max(0.0, since + self._patience_s - begun) + self._grace_s
        try:
            async with asyncio.timeout(None if limit_s == inf else limit_s):
                created = await self._put(name, file, sha256)
                put = Put.CREATED if created else await self._compare(name, file, sha256)
        except _FAILURES as error:
            fault = fault_of(error, self.address, "write", monotonic() - begun)
            self._silent_since = None
            if isinstance(fault, BucketDown):
                self._silent_since, fault.down_s = since, monotonic() - since
            raise fault from error
        self._silent_since = None
        return put

    async def _put(self, name: str, file: Path, sha256: str) -> bool:
        """Put a file; return False where something has the name."""
        content = await asyncio.to_thread(_read, file)
        if content is None:
            return await self._put_parts(name, file, sha256)
        if await asyncio.to_thread(_hash, content) != sha256:
            raise _changed(file)
        return await self._create(name, content, sha256)

    async def _create(self, name: str, content: bytes, sha256: str) -> bool:
        try:
            await obstore.put_async(
                self._store(len(content)),
                name,
                content,
                mode="create",
                use_multipart=False,
                attributes=_attributes(name, sha256),
            )
        except AlreadyExistsError:
            return False
        return True

    async def _put_parts(self, name: str, file: Path, sha256: str) -> bool:
        """Put a large file in parts, if nothing has the name; the bucket cannot make sure of it."""
        if await self._head(name) is not None:
            return False
        if await asyncio.to_thread(hash_of_file, file) != sha256:
            raise _changed(file)
        await obstore.put_async(
            self._store(_PART_BYTES),
            name,
            file,
            use_multipart=True,
            chunk_size=_PART_BYTES,
            max_concurrency=_PARTS_AT_ONCE,
            attributes=_attributes(name, sha256),
        )
        return True

    async def _compare(self, name: str, file: Path, sha256: str) -> Put:
        """Return whether what has a name is the same file, by its noted hash or by its content."""
        found = await self._head(name)
        if found is None:  # another process is just putting it
            raise BucketDown(f"The bucket {self.address} is putting {name} already.")
        size, noted = found
        if size != file.stat().st_size:  # noqa: ASYNC240 - of a file that was just read
            return Put.TAKEN
        if noted is None:
            digest = hashlib.sha256()
            got = await obstore.get_async(self._store(size), name)
            async for piece in got.stream():
                digest.update(piece)
            noted = digest.hexdigest()
        return Put.SAME if noted == sha256 else Put.TAKEN

    async def _head(self, name: str) -> tuple[int, str | None] | None:
        """Return the size of an object and the hash noted of it; None where there is none."""
        try:
            got = await obstore.get_async(self._store(), name, options={"head": True})
        except FileNotFoundError:
            return None
        noted = got.attributes.get("sha256")
        return got.meta["size"], None if noted is None else str(noted)

    def list(self) -> Mapping[str, int]:
        """Return the names that are there with their sizes in bytes.

        A list costs 1,000 names a request: of 100,000 a fifteenth of the time of asking for each.
        """
        try:
            with self._told("list"):
                return {
                    one["path"]: one["size"]
                    for part in obstore.list(self._store())
                    for one in part
                    if one["path"] != _PROBE
                }
        except FileNotFoundError:
            return {}

    def size_of(self, name: str) -> int | None:
        """Return the size of an object; None where there is none."""
        try:
            with self._told("read"):
                return int(obstore.head(self._store(), name)["size"])
        except FileNotFoundError:
            return None

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[Iterable[bytes]]:
        """Open an object to read it piece by piece; raises FileNotFoundError if it is gone."""
        with self._told("read", name):
            got = obstore.get(self._store(_WHOLE_BYTES, reads=True), name)
            yield (bytes(piece) for piece in got.stream())

    def fetch(self, name: str, etag: str | None, most_bytes: int) -> tuple[str, bytes] | None:
        """Return the ETag of an object and what is in it; None if it still has the one given.

        Args:
            name: The object.
            etag: The ETag that it had; None if it is not known.
            most_bytes: The most that is read.

        Raises:
            FileNotFoundError: There is no such object, or no such bucket.
            StoreError: The bucket refuses, or does not answer in time.
            OverflowError: It is larger than that.

        """
        options: GetOptions = {} if etag is None else {"if_none_match": etag}
        with self._told("read", name):
            try:
                got = obstore.get(self._store(_WHOLE_BYTES, reads=True), name, options=options)
            except NotModifiedError:
                return None
            size = got.meta["size"]
            if size > most_bytes:
                raise OverflowError(size)
            with _LARGE if size > _PART_BYTES else contextlib.nullcontext():
                return got.meta["e_tag"] or "", bytes(got.bytes())

    def read_part(self, name: str, first: int, end: int) -> bytes:
        """Return the bytes from `first` up to `end`; raises FileNotFoundError if it is gone."""
        with self._told("read", name):
            store = self._store(end - first, reads=True)
            return bytes(obstore.get_range(store, name, start=first, end=end))

    def link(self, name: str, seconds: int) -> str | None:
        """Return a signed address; None where what is used here cannot sign one."""
        try:
            return obstore.sign(self._signs, "GET", name, timedelta(seconds=seconds))
        except (BaseError, ValueError):
            return None

    @cached_property
    def _signs(self) -> Any:  # noqa: ANN401 - one of three classes that sign alike
        return self._store()

    @contextlib.contextmanager
    def _told(self, act: str, name: str = "") -> Iterator[None]:
        """Tell of what fails inside in a sentence; that an object is gone stays as it is."""
        begun = monotonic()
        try:
            yield
        except FileNotFoundError as error:
            raise FileNotFoundError(2, "there is no such object", name) from error
        except _FAILURES as error:
            raise unreadable(error, self.address, act, monotonic() - begun) from error

    def _store(self, size_bytes: int = 0, *, reads: bool = False) -> ObjectStore:
        """Return what carries so many bytes a request: larger ones may take longer.

        What `reads` need not know the size, and gives up when nothing comes for as long as a small
        request may take.
        """
        times = max(1, ceil(size_bytes / _PART_BYTES))
        if (times, reads) not in self._stores:
            self._stores[times, reads] = self._open(self._timeout_s * times, reads=reads)
        return self._stores[times, reads]

    def _open(self, timeout_s: float, *, reads: bool) -> ObjectStore:
        client: dict[str, Any] = {
            "timeout": timedelta(seconds=timeout_s),
            "connect_timeout": timedelta(seconds=min(_CONNECT_S, timeout_s)),
        }
        if reads:
            client["read_timeout"] = timedelta(seconds=self._timeout_s)
        if allows_http(self._scheme, os.environ):
            client["allow_http"] = True
        retry: dict[str, Any] = {
            "max_retries": _RETRIES,
            "retry_timeout": timedelta(seconds=self._timeout_s if reads else timeout_s),
        }
        shared: dict[str, Any] = {
            "prefix": self._prefix or None,
            "client_options": client,
            "retry_config": retry,
        }
        try:
            match self._scheme:
                case "s3":
                    return S3Store(self._bucket, checksum_algorithm="sha256", **shared)
                case "gs":
                    return GCSStore(self._bucket, **shared)
                case _:
                    return AzureStore(self._bucket, **shared)
        except (BaseError, ValueError) as error:
            raise unreadable(error, self.address, "write") from error


def _read(file: Path) -> bytes | None:
    """Return what is in a file; None if it is too large for one request. Raises StoreError."""
    with raise_store_errors(file, cannot="be read"), open_to_read_bytes(file) as opened:
        content = opened.read(_WHOLE_BYTES + 1)
    return content if len(content) <= _WHOLE_BYTES else None


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _attributes(name: str, sha256: str) -> dict[str, str]:
    kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    return {"Content-Type": kind, "sha256": sha256}


def _changed(file: Path) -> StoreError:
    return StoreError(f"{file} changed after it was verified; run again.")
