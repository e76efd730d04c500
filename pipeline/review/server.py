"""The review page served: two folders of each manifest, the page itself, and a way to decide.

What is admitted is decided in `safety`. Files come from the videos and from the stills of the
output folder only, never through a link, and in parts where a browser asks for a part.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import open_regular
from pipeline.errors import StoreError, UsageError
from pipeline.review.listening import listen
from pipeline.review.safety import HEADERS, Door, Refusal, admit, range_of
from pipeline.review.saving import Saver, join_documents, understand
from pipeline.review.static import ASSETS, DATA, PAGE, asset
from pipeline.review.together import News, Together
from pipeline.review.verdicts import UnfitDecision
from pipeline.storage.storedfiles import StoredFile, stored_file

_TOKEN_BYTES = 24
_MOST_BODY_BYTES = 4 * 1024 * 1024
_AT_ONCE_BYTES = 256 * 1024
_AT_ONCE_FAR_BYTES = 4 * 1024 * 1024
"""So much of a video in a bucket is sent at a time; browsers ask for the rest."""
_LOOK_EVERY_S = 1.0
_BEAT_EVERY_S = 15.0
_MOST_LISTENERS = 32
_VERSION = re.compile(r"\d{1,9}(\.\d{1,9})*", re.ASCII)
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".jpg": "image/jpeg",
    ".mp4": "video/mp4",
    ".svg": "image/svg+xml",
}


@asynccontextmanager
async def serve(
    page: Together, who: str | None, *, host: str | None = None, port: int = 0
) -> AsyncIterator[str]:
    """Serve the page of one manifest or several, and yield its address.

    Args:
        page: what it shows.
        who: who decides in it; None: each browser asks for a name.
        host: an address of this machine in its network; None for this machine alone.
        port: its port; 0 for any that is free.

    Raises:
        UsageError: Nothing can listen there.

    """
    listener, printed = listen(host, port)
    door = Door(printed, secrets.token_urlsafe(_TOKEN_BYTES))
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(listener.close)
        server = _Server(page, who, door)
        await stack.enter_async_context(server)
        runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listener).start()
        yield f"{door.origin}/{door.token}/"


class _Server:
    """Answers requests as long as it is entered."""

    def __init__(self, page: Together, who: str | None, door: Door) -> None:
        self._page = page
        self._who = who
        self._door = door
        self._folders = {
            root: live.folder for root, live in zip(page.roots, page.lives, strict=True)
        }
        self._savers = [Saver(live.folder.journal, self._wake) for live in page.lives]
        self._woken = asyncio.Event()
        self._listeners: set[asyncio.Event] = set()
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        for saver in self._savers:
            await saver.__aenter__()
        self._watching = asyncio.create_task(self._watch())
        with contextlib.suppress(StoreError):  # whoever opens the page is told
            await self._script()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        for saver in self._savers:
            await saver.__aexit__()

    def app(self) -> web.Application:
        """Return the application; every path comes here, whatever it looks like."""
        app = web.Application(client_max_size=_MOST_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        admitted = admit(self._door, request.method, request.raw_path, request.headers)
        if isinstance(admitted, Refusal):
            return _refuse(admitted)
        try:
            return await self._route(request, admitted)
        except StoreError as error:
            return _refuse(Refusal(503, f"{error.message} {error.action or ''}".strip()))

    async def _route(self, request: web.Request, path: list[str]) -> web.StreamResponse:
        match path:
            case [] | [""] | ["review.html"] if request.method in {"GET", "HEAD"}:
                if not path:
                    return web.Response(
                        status=308, headers={**HEADERS, "Location": f"/{self._door.token}/"}
                    )
                return _page_file(PAGE)
            case ["api", "decisions"] if request.method == "POST":
                return await self._save(request)
            case ["api", "events"] if request.method == "GET":
                return await self._tell(request)
            case ["review", name] if name == DATA and request.method == "GET":
                return _whole(await self._script(), ".js")
            case ["review", name] if name in ASSETS and request.method in {"GET", "HEAD"}:
                return _page_file(name)
        return await self._send(request, path)

    async def _script(self) -> bytes:
        """Return the data of the page."""
        asks = self._who is None
        return await asyncio.to_thread(self._page.script, who=self._who or "", asks=asks)

    async def _send(self, request: web.Request, path: list[str]) -> web.StreamResponse:
        """Send a video or a still of a manifest."""
        root, rest = (path[0], path[1:]) if path and path[0] in self._folders else ("", path)
        folder = self._folders.get(root)
        match rest:
            case ["videos", name] if folder and name.endswith(".mp4"):
                return await self._send_video(request, root, folder, name)
            case ["review", "posters", name] if folder and name.endswith(".jpg"):
                return await _file(request, folder.posters / name)
            case ["review", "pictures", name] if folder and name.endswith(".jpg"):
                return await _file(request, folder.small_pictures / name)
        return _refuse(Refusal(404, "There is nothing here."))

    async def _send_video(
        self, request: web.Request, root: str, folder: OutputFolder, name: str
    ) -> web.StreamResponse:
        """Send the video of a take, wherever it lies."""
        live = self._page.lives[self._page.roots.index(root)]
        takes = (take.video for row in live.rows for take in row.takes)
        video = next((one for one in takes if one.name == name and one.place), None)
        if video is None:
            return await _file(request, folder.videos / name)
        stored = stored_file(folder, video)
        if stored.path is not None:
            return await _file(request, stored.path)
        return await _from_bucket(request, stored, video.size_bytes)

    async def _save(self, request: web.Request) -> web.Response:
        try:
            document: Any = json.loads(await request.read())
            parts = understand(document, [one.videos for one in self._page.lives], self._who)
        except web.HTTPRequestEntityTooLarge:
            return _refuse(Refusal(413, "That is too much at once."))
        except (ValueError, RecursionError) as error:
            sentence = str(error) if isinstance(error, UnfitDecision) else "it is no JSON"
            return _refuse(Refusal(400, f"Not saved: {sentence[:300]}."))
        every = [(at, saves, gone) for at, (saves, gone) in enumerate(parts) if saves or gone]
        saved = await asyncio.gather(*(self._savers[at].save(saves) for at, saves, _ in every))
        told = join_documents(
            [(at, one.document(gone)) for (at, _, gone), one in zip(every, saved, strict=True)],
            len(parts),
        )
        status = 409 if told["conflicts"] else 200
        return web.json_response(told, status=status, headers=_headers("no-store"))

    # What is new.

    def _wake(self) -> None:
        self._woken.set()

    async def _watch(self) -> None:
        """Look at the journal as long as a page listens, and tell all pages what is new."""
        known = ""
        while True:
            await _is_set(self._woken, _LOOK_EVERY_S)
            self._woken.clear()
            if not self._listeners:
                continue
            with contextlib.suppress(StoreError, UsageError):  # whoever saves is told
                version = await asyncio.to_thread(self._page.look)
                if version != known:
                    known = version
                    for listener in self._listeners:
                        listener.set()

    async def _tell(self, request: web.Request) -> web.StreamResponse:
        """Tell a page what is new since the version that it has, as long as it listens."""
        if len(self._listeners) >= _MOST_LISTENERS:
            return _refuse(Refusal(503, "Too many pages are open."))
        since = request.query.get("since", "0")
        version = since if _VERSION.fullmatch(since) else "0"
        reply = web.StreamResponse(headers=_headers("no-store"))
        reply.content_type = "text/event-stream"
        await reply.prepare(request)
        listener = asyncio.Event()
        self._listeners.add(listener)
        try:
            with contextlib.suppress(ConnectionError):
                await reply.write(b": here\n\n")
                while True:
                    news = await asyncio.to_thread(self._page.news_since, version)
                    version = news.version
                    if news:
                        await reply.write(_event(news))
                    if not await _is_set(listener, _BEAT_EVERY_S):
                        await reply.write(b": here\n\n")
                    listener.clear()
        finally:
            self._listeners.discard(listener)
        return reply


async def _is_set(event: asyncio.Event, limit_s: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), limit_s)
    except TimeoutError:
        return False
    return True


def _event(news: News) -> bytes:
    data = json.dumps({"cards": news.cards, "decisions": news.decisions})
    return f"event: news\ndata: {data}\n\n".encode("ascii")


def _headers(cache: str) -> dict[str, str]:
    return {**HEADERS, "Cache-Control": cache}


def _refuse(refusal: Refusal) -> web.Response:
    return web.Response(
        status=refusal.status, text=refusal.reason + "\n", headers=_headers("no-store")
    )


def _page_file(name: str) -> web.Response:
    return _whole(asset(name), Path(name).suffix)


def _whole(body: bytes, suffix: str) -> web.Response:
    headers = {**_headers("no-store"), "Content-Type": _KINDS[suffix]}
    return web.Response(body=body, headers=headers)


async def _file(request: web.Request, path: Path) -> web.StreamResponse:
    """Send an ordinary file, or the part of it that is asked for."""
    if request.method not in {"GET", "HEAD"} or path.parent.is_symlink():
        return _refuse(Refusal(404, "There is nothing here."))
    with contextlib.ExitStack() as stack:
        try:
            descriptor = await asyncio.to_thread(stack.enter_context, open_regular(path))
            size = os.fstat(descriptor).st_size
        except OSError:
            return _refuse(Refusal(404, "The file is not there."))
        part = range_of(request.headers.get("Range"), size)
        if isinstance(part, Refusal):
            refused = _refuse(part)
            refused.headers["Content-Range"] = f"bytes */{size}"
            return refused
        first, end = part or (0, size)
        reply = web.StreamResponse(
            status=200 if part is None else 206, headers=_headers("private, max-age=3600")
        )
        reply.headers["Content-Type"] = _KINDS[path.suffix]
        reply.headers["Accept-Ranges"] = "bytes"
        reply.content_length = end - first
        if part is not None:
            reply.headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
        await reply.prepare(request)
        if request.method == "GET":
            await _send(reply, descriptor, first, end)
        return reply


async def _from_bucket(request: web.Request, stored: StoredFile, size: int) -> web.StreamResponse:
    """Send what lies in a bucket, or a part of it: the browser is led nowhere else."""
    part = range_of(request.headers.get("Range"), size)
    if isinstance(part, Refusal) or request.method not in {"GET", "HEAD"}:
        return _refuse(part if isinstance(part, Refusal) else Refusal(404, "Nothing here."))
    first, end = part or (0, size)
    if request.method == "GET":
        end = min(end, first + _AT_ONCE_FAR_BYTES)
    whole = (first, end) == (0, size)
    headers = _headers("private, max-age=3600") | {"Accept-Ranges": "bytes"}
    if not whole:
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    try:
        body = await asyncio.to_thread(stored.read_part, first, end)
    except FileNotFoundError:
        return _refuse(Refusal(404, "The file is not there."))
    headers["Content-Type"] = _KINDS[".mp4"]
    return web.Response(body=body, status=200 if whole else 206, headers=headers)


async def _send(reply: web.StreamResponse, descriptor: int, first: int, end: int) -> None:
    read: Callable[[int, int], bytes] = (
        (lambda at, most: os.pread(descriptor, most, at))
        if hasattr(os, "pread")
        else (lambda at, most: _read_at(descriptor, at, most))
    )
    with contextlib.suppress(ConnectionError):  # the browser has enough of it
        while first < end:
            some = await asyncio.to_thread(read, first, min(_AT_ONCE_BYTES, end - first))
            if not some:
                break
            first += len(some)
            await reply.write(some)


def _read_at(descriptor: int, at: int, most: int) -> bytes:
    os.lseek(descriptor, at, os.SEEK_SET)
    return os.read(descriptor, most)
