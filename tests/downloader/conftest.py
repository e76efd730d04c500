"""Sample videos, and a download host on 127.0.0.1 that misbehaves as its path asks."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import av
import numpy as np
import pytest

from pipeline.downloader.fetching import Downloader

ETAG = '"take-1"'


@dataclass
class Ask:
    """One request as the host got it."""

    target: str
    headers: dict[str, str]


Behaviour: TypeAlias = "Callable[[Host, Ask, asyncio.StreamWriter], Awaitable[None]]"


@dataclass
class Host:
    """A host that serves one body; the path picks the behaviour; every request is kept."""

    body: bytes
    etag: str | None = ETAG
    asks: list[Ask] = field(default_factory=list)
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    port: int = 0
    sent_bytes: int = 0

    def url(self, behaviour: str) -> str:
        return f"http://127.0.0.1:{self.port}/{behaviour}?signature=a%2Fb+c"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().strip().split("\r\n")
                fields = (line.split(": ", 1) for line in lines)
                ask = Ask(first.split()[1], {name.lower(): text for name, text in fields})
                self.asks.append(ask)
                await self.behaviours[ask.target.strip("/").partition("?")[0]](self, ask, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has what it wanted
        finally:
            writer.close()


def answer(
    writer: asyncio.StreamWriter, status: int, body: bytes = b"", **headers: str | int | None
) -> None:
    """Write an answer; header names in snake case, the length is that of the body unless given."""
    fields: dict[str, Any] = {"content_type": "video/mp4", "content_length": len(body)} | headers
    lines = [f"{n.replace('_', '-')}: {v}" for n, v in fields.items() if v is not None]
    writer.write(f"HTTP/1.1 {status} X\r\n{chr(10).join(lines)}\n\r\n".encode() + body)


async def good(host: Host, ask: Ask, writer: asyncio.StreamWriter) -> None:
    """Serve the body as a storage host does, ranges and validators included."""
    span = ask.headers.get("range")
    if span is None or ask.headers.get("if-range") != host.etag:
        answer(writer, 200, host.body, etag=host.etag)
        return
    start, size = int(span.removeprefix("bytes=").rstrip("-")), len(host.body)
    if start >= size:
        answer(writer, 416, content_range=f"bytes */{size}")
        return
    content_range = f"bytes {start}-{size - 1}/{size}"
    answer(writer, 206, host.body[start:], etag=host.etag, content_range=content_range)


async def cut(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    """Close in the middle of an announced length."""
    half = host.body[: len(host.body) // 2]
    answer(writer, 200, half, content_length=len(host.body), etag=host.etag)
    await writer.drain()
    writer.close()


async def cut_chunked(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    half = host.body[: len(host.body) // 2]
    answer(writer, 200, content_length=None, transfer_encoding="chunked", etag=host.etag)
    writer.write(f"{len(half):x}\r\n".encode() + half + b"\r\n")
    await writer.drain()
    writer.close()


async def cut_unannounced(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    half = host.body[: len(host.body) // 2]
    answer(writer, 200, half, content_length=None, connection="close", etag=host.etag)
    await writer.drain()
    writer.close()


async def unannounced(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    answer(writer, 200, host.body, content_length=None, connection="close")
    await writer.drain()
    writer.close()


async def chunked(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    answer(writer, 200, content_length=None, transfer_encoding="chunked")
    for at in range(0, len(host.body), 1000):
        piece = host.body[at : at + 1000]
        writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    writer.write(b"0\r\n\r\n")


async def huge(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    """Announce two gigabytes."""
    answer(writer, 200, host.body, content_length=2 * 1024**3, etag=host.etag)


async def endless(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    """Announce nothing, and send on and on what begins like a video."""
    answer(writer, 200, host.body, content_length=None, connection="close")
    piece = bytes(64 * 1024)
    while True:
        writer.write(piece)
        await writer.drain()
        host.sent_bytes += len(piece)


async def half_as_whole(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    """Announce and send half of the file, as if it were all."""
    answer(writer, 200, host.body[: len(host.body) // 2], etag=host.etag)


async def packed(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    answer(writer, 200, gzip.compress(host.body), content_encoding="gzip", etag=host.etag)


async def packed_cut(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    small = gzip.compress(host.body)[:-200]
    answer(writer, 200, small, content_encoding="gzip", etag=host.etag)


async def stalled(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    answer(writer, 200, host.body[:2000], content_length=len(host.body), etag=host.etag)
    await writer.drain()
    await asyncio.sleep(30)


async def stalled_late(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    answer(writer, 200, host.body[:-1000], content_length=len(host.body), etag=host.etag)
    await writer.drain()
    await asyncio.sleep(30)


async def silent(_: Host, __: Ask, ___: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def drip(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    """Send a few bytes at a time, for ever, fast enough that it never is silent."""
    answer(writer, 200, host.body[:20], content_length=len(host.body), etag=host.etag)
    for at in range(20, len(host.body)):
        writer.write(host.body[at : at + 1])
        await writer.drain()
        await asyncio.sleep(0.02)


async def range_ignored(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    answer(writer, 200, host.body, etag=host.etag)


async def wrong_range(host: Host, ask: Ask, writer: asyncio.StreamWriter) -> None:
    """Answer a range with another one than was asked for."""
    if "range" not in ask.headers:
        await good(host, ask, writer)
        return
    size = len(host.body)
    content_range = f"bytes 5-{size - 1}/{size}"
    answer(writer, 206, host.body[5:], content_range=content_range, etag=host.etag)


async def overlong(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    """Send more than the announced length."""
    answer(writer, 200, host.body + b"x" * 5000, content_length=len(host.body), etag=host.etag)
    await writer.drain()
    writer.close()


async def redirect(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    answer(writer, 302, location=host.url("good"), set_cookie="session=1")


async def redirect_relative(_: Host, __: Ask, writer: asyncio.StreamWriter) -> None:
    answer(writer, 307, location="/good?x=1")


async def redirect_loop(host: Host, _: Ask, writer: asyncio.StreamWriter) -> None:
    answer(writer, 302, location=host.url("redirect_loop"))


def fixed(status: int, body: bytes = b"", **headers: str | int | None) -> Behaviour:
    """Answer always alike."""

    async def behave(_: Host, __: Ask, writer: asyncio.StreamWriter) -> None:
        answer(writer, status, body, **headers)

    return behave


BEHAVIOURS: dict[str, Behaviour] = {
    behaviour.__name__: behaviour
    for behaviour in (
        good, cut, cut_chunked, cut_unannounced, unannounced, chunked, half_as_whole, packed,
        packed_cut, stalled, stalled_late, silent, drip, range_ignored, wrong_range, overlong,
        redirect, redirect_relative, redirect_loop,
    )
} | {
    "huge": huge,
    "endless": endless,
    "html": fixed(200, b"<!DOCTYPE html><p>expired</p>", content_type="text/html"),
    "html_as_video": fixed(200, b"\n<html><p>expired</p></html>"),
    "json": fixed(200, b'{"error":"expired"}', content_type="application/json"),
    "picture": fixed(200, b"\x89PNG\r\n\x1a\n" + bytes(100), content_type="image/png"),
    "empty": fixed(200),
    "status_403": fixed(403, b"no"),
    "status_404": fixed(404),
    "status_410": fixed(410),
    "status_500": fixed(500),
    "status_503": fixed(503, retry_after="7"),
    "status_429": fixed(429, retry_after="3"),
    "redirect_file": fixed(302, location="file:///etc/hostname"),
    "redirect_user": fixed(302, location="http://me:secret@127.0.0.1/x"),
    "redirect_nowhere": fixed(302),
}  # fmt: skip


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """One second of noise, 16:9, H.264, 24 fps, with its index in front."""
    path = tmp_path_factory.mktemp("sample") / "sample.mp4"
    noise = np.random.default_rng(1)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 192, 108, "yuv420p"
        stream.time_base = Fraction(1, 24)
        for _ in range(24):
            picture = noise.integers(0, 255, (108, 192, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture
def sha256(video: bytes) -> str:
    return hashlib.sha256(video).hexdigest()


@pytest.fixture
async def host(video: bytes) -> AsyncIterator[Host]:
    """Run the host; afterwards hold it to the promise that no credential ever reached it."""
    host = Host(video, behaviours=dict(BEHAVIOURS))
    served: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.create_task(host.serve(reader, writer)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host.port = server.sockets[0].getsockname()[1]
    yield host
    server.close()
    for task in served:
        task.cancel()
    await asyncio.gather(*served, return_exceptions=True)
    for ask in host.asks:
        assert not {"authorization", "cookie", "proxy-authorization"} & set(ask.headers)
        assert ask.headers["accept-encoding"] == "identity"


@pytest.fixture
async def downloader(tmp_path: Path) -> AsyncIterator[Downloader]:
    """A downloader for the local host, without decoding: most promises are about bytes."""
    async with Downloader(tmp_path / "videos", verify="boxes", allow_private=True) as it:
        yield it
