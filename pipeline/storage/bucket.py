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
from math import ceil
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotModifiedError
from obstore.store import AzureStore, GCSStore, S3Store

from pipeline.disk.failures import raise_store_errors
from pipeline.disk.openfile import hash_of_file, open_to_read_bytes
from pipeline.errors import ConfigError, StoreError
from pipeline.storage.bucketfaults import BucketDown, fault_of, unreadable
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
_ALLOW_HTTP = {"s3": "AWS_ALLOW_HTTP", "gs": "GOOGLE_ALLOW_HTTP", "az": "AZURE_ALLOW_HTTP"}
_TRUE = frozenset({"1", "true", "on", "yes", "y"})
_TYPES = {"mp4": "video/mp4", "jpg": "image/jpeg"}


class BucketPlace:
    """A folder of a bucket.

    Args:
        address: `s3://bucket/folder`, `gs://…` or `az://container/…`.
        timeout_s: How long a small request may take.

    """

    def __init__(self, address: str, *, timeout_s: float = _TIMEOUT_S) -> None:
        self.address = address
        self._scheme, _, rest = address.partition("://")
        self._bucket, _, self._prefix = rest.partition("/")
        self._timeout_s = timeout_s
        self._stores: dict[int, ObjectStore] = {}

    async def prepare(self) -> None:
        """Put a probe twice: a bucket that takes the second one would overwrite videos.

        The probe stays, so that no right to delete is needed. Raises StoreError where a right is
        missing or the bucket does not answer, ConfigError where it overwrites.
        """
        act = "write"
        try:
            for turn in range(2):
                if not await self._create(_PROBE, f"reelsheet {turn}".encode(), "probe"):
                    break
                if turn:
                    raise ConfigError(
                        f"The bucket {self.address} overwrites what is there, although it was "
                        "told not to (If-None-Match): two runs could overwrite each other's "
                        "videos.",
                        action="Use a bucket that keeps to conditional writes, or a folder.",
                    )
            act = "read"
            await obstore.head_async(self._store(), _PROBE)
            act = "list"
            async for _ in obstore.list(self._store(), chunk_size=1):
                break
        except (BaseError, FileNotFoundError, ValueError) as error:
            raise unreadable(error, self.address, act) from error

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
        try:
            if await self._put(name, file, sha256):
                return Put.CREATED
            return await self._compare(name, file, sha256)
        except (BaseError, FileNotFoundError, ValueError) as error:
            raise fault_of(error, self.address, "write") from error

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
            return {
                one["path"]: one["size"]
                for part in obstore.list(self._store())
                for one in part
                if one["path"] != _PROBE
            }
        except FileNotFoundError:
            return {}
        except (BaseError, ValueError) as error:
            raise unreadable(error, self.address, "list") from error

    def size_of(self, name: str) -> int | None:
        """Return the size of an object; None where there is none."""
        try:
            return int(obstore.head(self._store(), name)["size"])
        except FileNotFoundError:
            return None
        except (BaseError, ValueError) as error:
            raise unreadable(error, self.address, "read") from error

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[Iterable[bytes]]:
        """Open an object to read it piece by piece; raises FileNotFoundError if it is gone."""
        try:
            got = obstore.get(self._store(_WHOLE_BYTES), name)
            yield (bytes(piece) for piece in got.stream())
        except FileNotFoundError as error:
            raise FileNotFoundError(2, "there is no such object", name) from error
        except (BaseError, ValueError) as error:
            raise unreadable(error, self.address, "read") from error

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
        try:
            options: GetOptions = {} if etag is None else {"if_none_match": etag}
            got = obstore.get(self._store(_WHOLE_BYTES), name, options=options)
            size = got.meta["size"]
            if size > most_bytes:
                raise OverflowError(size)
            with _LARGE if size > _PART_BYTES else contextlib.nullcontext():
                return got.meta["e_tag"] or "", bytes(got.bytes())
        except NotModifiedError:
            return None
        except FileNotFoundError as error:
            raise FileNotFoundError(2, "there is no such object", name) from error
        except (BaseError, ValueError) as error:
            raise unreadable(error, self.address, "read") from error

    def read_part(self, name: str, first: int, end: int) -> bytes:
        """Return the bytes from `first` up to `end`; raises FileNotFoundError if it is gone."""
        try:
            return bytes(obstore.get_range(self._store(end - first), name, start=first, end=end))
        except FileNotFoundError as error:
            raise FileNotFoundError(2, "there is no such object", name) from error
        except (BaseError, ValueError) as error:
            raise unreadable(error, self.address, "read") from error

    def link(self, name: str, seconds: int) -> str | None:
        """Return a signed address; None where what is used here cannot sign one."""
        try:
            return obstore.sign(self._signs, "GET", name, timedelta(seconds=seconds))
        except (BaseError, ValueError):
            return None

    @cached_property
    def _signs(self) -> Any:  # noqa: ANN401 - one of three classes that sign alike
        return self._store()

    def _store(self, size_bytes: int = 0) -> ObjectStore:
        """Return what carries so many bytes a request: larger ones may take longer."""
        times = max(1, ceil(size_bytes / _PART_BYTES))
        if times not in self._stores:
            self._stores[times] = self._open(self._timeout_s * times)
        return self._stores[times]

    def _open(self, timeout_s: float) -> ObjectStore:
        client: dict[str, Any] = {
            "timeout": timedelta(seconds=timeout_s),
            "connect_timeout": timedelta(seconds=min(_CONNECT_S, timeout_s)),
        }
        if os.environ.get(_ALLOW_HTTP[self._scheme], "").strip().lower() in _TRUE:
            client["allow_http"] = True
        retry: dict[str, Any] = {
            "max_retries": _RETRIES,
            "retry_timeout": timedelta(seconds=timeout_s),
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
