"""Answers that HTTP libraries do not offer: none at all, half of one, more than announced."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys

from aiohttp import web

UNANSWERED = web.RequestKey("unanswered", bool)


def reset(request: web.Request) -> web.Response:
    """Drop the connection so that the client sees a reset instead of an answer."""
    request[UNANSWERED] = True
    transport = request.transport
    if transport is not None:
        _linger_none(transport)
        transport.abort()
    return web.Response(status=500)


def close(request: web.Request) -> web.Response:
    """Close the connection in good order, but without an answer."""
    request[UNANSWERED] = True
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=500)


def _linger_none(transport: asyncio.Transport) -> None:
    """Make the coming close a reset: no time to linger."""
    plug = transport.get_extra_info("socket")
    if plug is None:
        return
    # Windows has two shorts in its struct linger, everybody else two ints.
    form = "hh" if sys.platform == "win32" else "ii"
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(form, 1, 0))


async def stall(request: web.Request, seconds: float) -> web.Response:
    """Say nothing for a while, then close; ends at once when the client goes away."""
    await asyncio.sleep(seconds)
    return close(request)


async def raw(request: web.Request, head: list[str], body: bytes) -> web.Response:
    """Send exactly these header lines and these bytes, then close the connection.

    aiohttp would not let a body be longer or shorter than it was announced.
    """
    transport = request.transport
    if transport is not None and not transport.is_closing():
        text = "\r\n".join([*head, "Connection: close", "", ""])
        transport.write(text.encode("latin-1"))
        transport.write(body)
        transport.close()
    return web.Response(status=200)


def chunk(body: bytes) -> bytes:
    """Return ``body`` as one chunk of a chunked body, without the end mark."""
    return f"{len(body):x}\r\n".encode() + body + b"\r\n"
