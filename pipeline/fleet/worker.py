"""What a worker does: it fetches a video as the run would, puts it into its place, and says so.

The functions are called by Dask, by their names, in the worker's own loop. A worker never submits
and never decides; it has no key of the API.

Tested in tests/fleet/test_worker.py and tests/system/test_fleet.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import shutil
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from pipeline import __version__
from pipeline.disk.openfile import read_regular
from pipeline.downloader.fetching import Downloader
from pipeline.downloader.filmfigures import RECIPE
from pipeline.downloader.verification import MEASURER, Decoders
from pipeline.errors import (
    BadVideo,
    DownloadError,
    ReelsheetError,
    StoreError,
    TransferBroken,
    Unfinished,
)
from pipeline.fleet.linkedfolder import LinkedFolder
from pipeline.fleet.wire import Fetch, Message, Terms, message_of, other_version, read_fetch
from pipeline.model import Video
from pipeline.network import DIRECT, Network
from pipeline.storage.folder import FolderPlace
from pipeline.storage.opening import open_place
from pipeline.storage.places import Place, is_bucket

_ROOM_BYTES = 60_000_000
"""The scratch room that each slot is to have."""
_LONGEST_PROBE = 200


class Bench:
    """Where a worker works: its scratch folder, its decoders, its ways out.

    Args:
        scratch: The folder for videos on their way; it is emptied.
        slots: How many videos there are at a time.
        decoders: How many decoding processes it may have.
        network: The way out.

    """

    def __init__(self, scratch: Path, slots: int, decoders: int, network: Network = DIRECT) -> None:
        self.address = ""
        self.slots = slots
        self._scratch = scratch
        self._network = network
        self._decoders = Decoders(processes=decoders)
        self._measurers = Decoders(processes=decoders, program=MEASURER)
        self._stores: dict[Terms, Downloader] = {}
        self._numbers: dict[Terms, int] = {}
        self._opening = asyncio.Lock()
        self._running: dict[str, asyncio.Task[Message]] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Empty the scratch folder, and see that a decoder starts; raises Unfinished."""
        await asyncio.to_thread(self.empty)
        await self._stack.enter_async_context(self._decoders)
        await self._stack.enter_async_context(self._measurers)
        await self._decoders.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def empty(self) -> None:
        """Empty the scratch folder, and see that there is room; raises StoreError."""
        try:
            if self._scratch.is_dir() and not self._scratch.is_symlink():
                shutil.rmtree(self._scratch)
            self._scratch.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise _unusable(self._scratch, error) from error
        self.look_at_room()

    def look_at_room(self) -> None:
        """See that the scratch folder takes files, and has room; raises StoreError."""
        try:
            (self._scratch / ".probe").write_bytes(bytes(1024))
            free = shutil.disk_usage(self._scratch).free
        except OSError as error:
            raise _unusable(self._scratch, error) from error
        if free < self.slots * _ROOM_BYTES:
            raise StoreError(
                f"The scratch folder {self._scratch} has {free // 1_000_000} MB free, and "
                f"{self.slots} slots need {self.slots * _ROOM_BYTES // 1_000_000}.",
                action="Make room, or have fewer slots: reelsheet worker ADDRESS --slots 1.",
            )

    async def fetch(self, asked: Fetch) -> Message:
        """Fetch a video; return how it ended. It is known by its key until then."""
        task = asyncio.ensure_future(self._fetch(asked))
        self._running[asked.key] = task
        try:
            return await task
        except asyncio.CancelledError:
            return message_of(TransferBroken("The run has given it up."), self.address)
        finally:
            del self._running[asked.key]

    def stop(self, keys: Iterable[str]) -> int:
        """Give up fetches under way, by their keys; return how many there were."""
        found = [task for key in keys if (task := self._running.get(key)) is not None]
        for task in found:
            task.cancel()
        return len(found)

    async def _fetch(self, asked: Fetch) -> Message:
        content: Video | DownloadError | Unfinished
        try:
            store = await self._store(asked.terms)
            # Another run may have had another video of this name here.
            store.forget(asked.name)
            content = await store.fetch(
                asked.url,
                name=asked.name,
                duration=asked.duration,
                aspect_ratio=asked.aspect_ratio,
                resolution=asked.resolution,
            )
        except (DownloadError, Unfinished) as error:
            content = error
        except ReelsheetError as error:  # the settings of this machine do not fit the place
            content = Unfinished(error.message, action=error.action)
        except Exception as error:  # noqa: BLE001 - of a bug the run hears as of a broken transfer
            content = TransferBroken(f"A worker failed ({type(error).__name__}).")
        if not isinstance(content, Video):
            self._forget(asked)
            return message_of(content, self.address)
        at_hand = store.file_at_hand(content.sha256)
        figures = store.take_figures(content.sha256)
        if asked.terms.measure and figures is None:
            figures = await self._measure(at_hand)
        poster = await self._draw(at_hand) if asked.terms.draw else None
        return message_of(content, self.address, figures, poster)

    async def _measure(self, path: Path | None) -> Message | None:
        """Return the figures of a video; None where it cannot be read any more."""
        try:
            return None if path is None else await self._measurers.measure(path)
        except BadVideo as error:
            return {"recipe": RECIPE, "fault": error.message}
        except ReelsheetError:
            return None

    async def _draw(self, path: Path | None) -> bytes | None:
        with contextlib.suppress(ReelsheetError):
            return None if path is None else await self._decoders.draw(path)
        return None

    async def _store(self, terms: Terms) -> Downloader:
        """Return what downloads by these terms, made when it is first asked for."""
        async with self._opening:
            if (known := self._stores.get(terms)) is not None:
                return known
            store = Downloader(
                self._folder(terms),
                concurrency=self.slots,
                verify=terms.verify,
                allow_private=terms.allow_private,
                network=self._network,
                max_bytes=terms.max_bytes,
                mode=terms.mode,
                place=_place_of(terms),
                # By whoever vetted the worker: else each video would wait for it once more.
                tried=is_bucket(terms.place),
                decoders=self._decoders,
            )
            if terms.measure:
                store.keep_figures()
            self._stores[terms] = await self._stack.enter_async_context(store)
            return store

    def _folder(self, terms: Terms) -> Path:
        """Return where videos of these terms are on their way: no two terms share a folder."""
        return self._scratch / str(self._numbers.setdefault(terms, len(self._numbers)))

    def _forget(self, asked: Fetch) -> None:
        """Let go what came of a video: the next try may be another worker's."""
        if asked.terms in self._stores:
            with contextlib.suppress(StoreError):
                self._stores[asked.terms].forget(asked.name)


def _unusable(scratch: Path, error: OSError) -> StoreError:
    return StoreError(
        f"The scratch folder {scratch} cannot be used: {error.strerror or error}.",
        action="Name another: reelsheet worker ADDRESS --scratch FOLDER",
    )


def _place_of(terms: Terms) -> Place:
    if is_bucket(terms.place):
        return open_place(terms.place, terms.patience)
    kind = LinkedFolder if terms.links else FolderPlace
    return kind(Path(terms.place), terms.mode)


_benches: list[Bench] = []
"""The bench of this process, if it is a worker."""


def work_at(bench: Bench) -> None:
    """Have this process be a worker at that bench."""
    _benches[:] = [bench]


async def fetch(text: str) -> Message:
    """Fetch a video: what Dask calls."""
    bench = _benches[0]
    try:
        asked = read_fetch(text)
    except Unfinished as error:
        return message_of(error, bench.address)
    return await bench.fetch(asked)


async def stop(keys: Iterable[str]) -> int:
    """Give up fetches under way: a cancelled future alone stops no transfer."""
    return _benches[0].stop(keys) if _benches else 0


async def vet(notice: Message) -> Message:
    """Say who this worker is, and in `fault` why it is not fit for a run."""
    reason: str | None
    try:
        reason = None if _benches else "it was not started by reelsheet worker"
        if reason is None:
            await asyncio.to_thread(_benches[0].look_at_room)
            reason = await refusal_of(notice)
    except ReelsheetError as error:
        reason = error.message
    return {"pid": os.getpid(), "node": platform.node(), "fault": reason}


async def refusal_of(notice: Message) -> str | None:
    """Say why this machine cannot work for a run; None if it can.

    `notice` has the version of the run, the places of its videos, whether they come from the
    machine of the run alone, and a file that is to be seen from here. Raises ReelsheetError.
    """
    version = str(notice.get("version"))
    if version != __version__:
        return other_version(version)
    if notice.get("node") not in {None, platform.node()}:
        return "a rehearsal has its videos on its own machine, which others cannot reach"
    for file, content in (notice.get("probes") or {}).items():
        if not await asyncio.to_thread(_reads, Path(file), str(content)):
            return f"{file} of the run cannot be read here: the folder is not shared"
    for place in notice.get("places") or ():
        await open_place(str(place)).prepare()
    return None


def _reads(file: Path, content: str) -> bool:
    try:
        return read_regular(file, _LONGEST_PROBE).decode() == content
    except (OSError, ReelsheetError, ValueError):
        return False
