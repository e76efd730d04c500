"""Local servers whose answers the test writes down, and which count what they received."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pipeline.model import Request

KEY = "sk-very-secret-0123456789"

REQUEST = Request(
    prompt="A red kettle",
    images=(),
    duration=6,
    aspect_ratio="16:9",
    resolution="720P",
    model="gemini_omni_flash",
    request_hash="h",
)


@dataclass
class Received:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass
class Script:
    """What the raw server does, and what it saw.

    `answer` gets each request and returns the bytes to send, or None to send nothing. `then` is
    what happens to the connection: "keep", "close", "reset" or "stall".
    """

    answer: Callable[[Received], bytes | None]
    then: str = "close"
    before: str = ""
    connections: int = 0
    received: list[Received] = field(default_factory=list)
    url: str = ""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def posts(self) -> int:
        return sum(each.method == "POST" for each in self.received)


def http(
    status: int,
    body: bytes | str = b"",
    *,
    headers: dict[str, str] | None = None,
    length: int | None = None,
) -> bytes:
    """Build an HTTP/1.1 answer; `length` may lie about the body."""
    content = body.encode() if isinstance(body, str) else body
    lines = [
        f"HTTP/1.1 {status} X",
        f"Content-Length: {len(content) if length is None else length}",
    ]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + content


@asynccontextmanager
async def raw_server(script: Script) -> AsyncIterator[Script]:
    """Serve `script` on a free port of 127.0.0.1."""
    idle = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script.connections += 1
        number = script.connections
        try:
            if script.before == "reset":
                _reset(writer)
                return
            while True:
                request = await _read_request(reader, number)
                if request is None:
                    return
                script.received.append(request)
                script.arrived.set()
                content = script.answer(request)
                if content is not None:
                    writer.write(content)
                    await writer.drain()
                if script.then == "stall":
                    await idle.wait()
                if script.then == "reset":
                    _reset(writer)
                    return
                if script.then == "close":
                    return
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield script
    finally:
        idle.set()
        server.close()
        await asyncio.sleep(0)


async def _read_request(reader: asyncio.StreamReader, number: int) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    if headers.get("transfer-encoding") == "chunked":
        body = await reader.readuntil(b"0\r\n\r\n")
    return Received(method, path, headers, body, number)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a TCP reset instead of an orderly end."""
    held: Any = writer.get_extra_info("socket")
    held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def texts_of(error: BaseException) -> str:
    """Return everything that a log could show of an exception and of what it was made from."""
    seen: list[str] = []
    current: BaseException | None = error
    while current is not None:
        seen += [str(current), repr(current), repr(current.args), repr(vars(current))]
        current = current.__cause__ or current.__context__
    return "\n".join(seen)
