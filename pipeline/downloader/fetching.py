"""The downloader: each call tries once to download a video."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver

from pipeline.disk.openfile import refuse_link
from pipeline.downloader.allowance import most_bytes, video_too_large
from pipeline.downloader.connection import (
    BodyStep,
    explain_failure,
    host_of,
    judge,
    open_session,
    request_answer,
)
from pipeline.downloader.onloan import OnLoan, keep_whole
from pipeline.downloader.transfer import PartFile, raise_video_errors, receive
from pipeline.downloader.verification import (
    VERIFY_LEVELS,
    CutVideo,
    Decoders,
    Figures,
    Wanted,
    describe_open_file,
    verify_file,
)
from pipeline.downloader.way import Way
from pipeline.errors import BadVideo, LinkDead, TransferBroken
from pipeline.model import Video
from pipeline.models.shelf import DEFAULT_MODEL
from pipeline.network import DIRECT, Network
from pipeline.storage.places import Place, check_name, put_numbered

_Done = TypeVar("_Done")


class Downloader:
    """Downloads videos, whole and verified, into a folder; an async context manager.

    Args:
        videos_dir: The folder.
        concurrency: How many transfers run at a time.
        verify: How far a video is verified: `boxes`, `first_frame` or `full`.
        allow_private: Whether links may lead into private networks (rehearsals, own storage).
        stall_s: The longest silence in a transfer, and the time over which it must keep up 1 KB/s.
        connect_s: The longest wait for a connection.
        max_bytes: The size of the largest video; None for what its seconds justify.
        resolver: Finds the addresses of hosts; None for the system's.
        network: The way out: proxies and trusted certificates.
        secret: The API key, which no file that is kept may hold.
        mode: The rights of the videos.
        place: Where verified videos go from the folder; None: they stay in it.
        tried: Whether the place was tried already, and is not to be asked again.
        decoders: Decoding processes that others use as well; None for some of its own.

    Raises:
        ValueError: There is no such level of `verify`.

    """

    def __init__(
        self,
        videos_dir: Path,
        *,
        concurrency: int = 8,
        verify: str = "first_frame",
        allow_private: bool = False,
        stall_s: float = 60,
        connect_s: float = 30,
        max_bytes: int | None = None,
        resolver: AbstractResolver | None = None,
        network: Network = DIRECT,
        secret: str = "",
        mode: int = 0o644,
        place: Place | None = None,
        tried: bool = False,
        decoders: Decoders | None = None,
    ) -> None:
        if verify not in VERIFY_LEVELS:
            raise ValueError(f"verify must be one of {', '.join(VERIFY_LEVELS)}, not {verify!r}")
        self._folder = videos_dir.absolute()
        self._concurrency = concurrency
        self._verify = verify
        self._allow_private = allow_private
        self._stall_s = stall_s
        self._connect_s = connect_s
        self._max_bytes = max_bytes
        self._resolver = resolver
        self._network = network
        self._secret = secret
        self._mode = mode
        self._place = place
        self._tried = tried
        self._on_loan = None if place is None else OnLoan()
        self._figures: dict[str, Figures] | None = None
        self._way = Way()
        self._shares_decoders = decoders is not None
        self._decoders = decoders or Decoders()
        self._slots = asyncio.Semaphore(concurrency)
        self._names: set[str] = set()
        self._stack = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        with raise_video_errors(self._folder):
            refuse_link(self._folder)
            self._folder.mkdir(parents=True, exist_ok=True)
        if self._place is not None and not self._tried:
            await self._place.prepare()
        self._way = Way.of(self._network, self._resolver, private=self._allow_private)
        self._session = await self._stack.enter_async_context(
            open_session(
                concurrency=self._concurrency,
                allow_private=self._allow_private,
                stall_s=self._stall_s,
                connect_s=self._connect_s,
                resolver=self._resolver,
                network=self._network,
            )
        )
        if not self._shares_decoders:
            await self._stack.enter_async_context(self._decoders)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self._stack.aclose()
        # Else what was put may not be in the journal: the next run puts it once more.
        if kind is None and self._on_loan is not None:
            self._on_loan.end()

    async def fetch(
        self,
        url: str,
        *,
        name: str,
        duration: int,
        aspect_ratio: str,
        resolution: str,
        model: str = "",
    ) -> Video:
        """Try once to download the video at `url`, continuing where an earlier try ended.

        A sound file that already has this name is taken as it is, without asking the host. A video
        that differs from what was asked for carries warnings. Cancellation keeps what came.

        Args:
            url: The link, http or https.
            name: The name of the file in the folder of videos.
            duration: The seconds of video that were asked for.
            aspect_ratio: The aspect ratio that was asked for.
            resolution: The resolution that was asked for.
            model: The model that was asked; empty for the first one.

        Raises:
            LinkDead: Get a fresh URL.
            TransferBroken: Try again; what came is kept.
            BadVideo: Try again from the start.
            VideoTooLarge: It has more bytes than are taken.
            StoreError: The disk does not take it.
            Unfinished: No decoder starts.

        """
        check_name(name)
        if name in self._names:
            raise ValueError(f"{name} is already being fetched")
        self._names.add(name)
        try:
            wanted = Wanted(duration, aspect_ratio, resolution, model or DEFAULT_MODEL)
            return await self._fetch(url, name, wanted)
        finally:
            self._names.discard(name)

    async def draw(self, path: Path, is_picture: bool = False) -> bytes:
        """Return a still of a video, or a small copy of a picture, as a JPEG; see `Decoders`."""
        return await self._decoders.draw(path, is_picture)

    def file_at_hand(self, sha256: str) -> Path | None:
        """Return where a video that was put elsewhere still lies here; None if nowhere."""
        return None if self._on_loan is None else self._on_loan.path_of(sha256)

    def forget(self, name: str) -> None:
        """Remove what lies here of a video of that name, so that it is asked for anew."""
        part = PartFile(self._folder, name)
        if self._on_loan is not None:
            self._on_loan.forget(part.path)
        part.remove()

    def keep_figures(self) -> None:
        """Keep the figures of videos all of which is decoded anyway, until they are taken."""
        self._figures = {}

    def take_figures(self, sha256: str) -> Figures | None:
        """Return the figures of a video that came, and forget them; None if it was not measured."""
        return self._figures.pop(sha256, None) if self._figures else None

    def take_poster(self, _sha256: str) -> bytes | None:
        """Return the poster of a video that came: none, they are drawn when it lies here."""
        return None

    async def _fetch(self, url: str, name: str, wanted: Wanted) -> Video:
        part = PartFile(self._folder, name, self._mode)
        if self._place is None:
            left = await self._take_finished_file(part, wanted)
            if left is not None:
                return left
        length_known = part.whole
        if not part.whole:
            async with self._slots:
                length_known = await self._transfer(url, part, self._most_bytes(wanted))
        try:
            return await self._verify_and_place(part, wanted)
        except CutVideo as error:
            if length_known:
                part.remove()
                raise
            # The connection was closed in the middle and nothing had said how much was to come.
            raise TransferBroken(f"The transfer was cut: {error}") from error
        except BadVideo:
            part.remove()
            raise
        except BaseException:
            part.keep()  # whole, and nothing is wrong with it: the next try needs no host
            raise

    async def _verify_and_place(self, part: PartFile, wanted: Wanted) -> Video:
        """Verify the part and bring it to its place."""
        if self._place is not None and self._on_loan is not None:
            video = await self._examine(part.path, part, wanted)
            # Whole and kept: killed from here on, the next run puts it without asking the host.
            await asyncio.to_thread(keep_whole, part)
            name = await put_numbered(self._place, video.name, part.path, video.sha256)
            self._on_loan.add(video, part)
            return replace(video, name=name, place=self._place.address)
        if self._verify == "boxes":
            # One thread for both: a change of threads costs more than the boxes of a short video.
            return await _to_the_end(partial(_describe_and_settle, part, wanted))
        video = await self._examine(part.path, part, wanted)
        await _to_the_end(part.settle)
        return video

    async def _take_finished_file(self, part: PartFile, wanted: Wanted) -> Video | None:
        """Take the file that an earlier process finished and did not note; leave a damaged one."""
        with raise_video_errors(part.final):
            refuse_link(part.final)
            try:
                part.final.lstat()
            except FileNotFoundError:
                return None
        try:
            video = await self._examine(part.final, part, wanted)
        except BadVideo:
            return None
        part.remove()
        return video

    async def _examine(self, path: Path, part: PartFile, wanted: Wanted) -> Video:
        return await verify_file(
            path,
            self._verify,
            self._decoders,
            wanted=wanted,
            name=part.final.name,
            note=None if self._figures is None else self._figures.__setitem__,
        )

    async def _transfer(self, link: str, part: PartFile, max_bytes: int) -> bool:
        """Download all missing bytes; return whether the host had announced the whole length."""
        try:
            resumed = await self._ask(link, part, max_bytes, resume=part.mark is not None)
            if resumed is None:
                resumed = await self._ask(link, part, max_bytes, resume=False)
        except UnicodeError as error:  # a name that no host can have, such as a label of 70 letters
            raise LinkDead("The download link names no host that can be looked up.") from error
        except (aiohttp.ClientError, OSError) as error:
            proxy = self._network.proxy_for(link)
            raise explain_failure(error, host_of(link), proxy) from error
        return bool(resumed)

    async def _ask(self, link: str, part: PartFile, max_bytes: int, *, resume: bool) -> bool | None:
        """Ask once; None means that the part does not fit and the whole file must be asked for."""
        mark = part.mark if resume else None
        have_bytes = part.size_bytes if mark else 0
        async with request_answer(
            self._need_session(),
            link,
            have_bytes=have_bytes,
            mark=mark,
            allow_private=self._allow_private,
            headers_s=self._connect_s + self._stall_s,
            way=self._way,
        ) as response:
            verdict = judge(response.status, response.headers, have_bytes, mark)
            if verdict.mark and self._secret and self._secret in verdict.mark.validator:
                verdict = replace(verdict, mark=None)  # it would be written down beside the part
            if verdict.step is BodyStep.ASK_AGAIN:
                return None
            if (verdict.total_bytes or 0) > max_bytes:
                part.remove()
                raise video_too_large(max_bytes, verdict.total_bytes)
            if verdict.step is not BodyStep.NOTHING_MISSING:
                await receive(response, part, verdict, max_bytes=max_bytes, stall_s=self._stall_s)
            return verdict.total_bytes is not None or verdict.gzip

    def _most_bytes(self, wanted: Wanted) -> int:
        return self._max_bytes or most_bytes(wanted.duration, wanted.resolution)

    def _need_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the downloader is used before `async with`")
        return self._session


def _describe_and_settle(part: PartFile, wanted: Wanted) -> Video:
    """Verify the boxes of the part and settle it, opened once. Blocks: call it in a thread."""
    descriptor = part.open()
    try:
        with raise_video_errors(part.path):
            video = describe_open_file(descriptor, part.final.name, wanted)
    except BaseException:
        os.close(descriptor)
        raise
    part.settle(descriptor)
    return video


async def _to_the_end(settle: Callable[[], _Done]) -> _Done:
    """Wait for a thread even when cancelled: the next try must not meet it moving the file."""
    settling = asyncio.get_running_loop().run_in_executor(None, copy_context().run, settle)
    try:
        return await asyncio.shield(settling)
    except asyncio.CancelledError:
        await settling
        raise
