"""What goes back to a client: bodies in every shape, whole files and ranges, broken answers.

Tested in tests/emulator/test_faults.py.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from pipeline.emulator.faults import FaultRule

_FIRST_SERVER_ERROR = 500
_FOREVER_S = 3600.0
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
# The provider answers in the account's language: a client must not read these.
_MESSAGES = {401: "无效的令牌", 402: "账户余额不足", 429: "请求过于频繁", 500: "内部错误"}


def page(status: int) -> web.Response:
    """Return the HTML page of a proxy in front of the service."""
    text = (
        "<!DOCTYPE html><html><head><title>Gateway</title></head>"
        f"<body><center><h1>{status}</h1></center><hr><center>nginx</center></body></html>"
    )
    return web.Response(status=status, text=text, content_type="text/html")


def error(
    status: int,
    code: str,
    message: str,
    shape: str = "error",
    headers: dict[str, str] | None = None,
) -> web.Response:
    """Return an error answer in one of the shapes of the catalogue."""
    if shape == "html":
        answer = page(status)
        answer.headers.update(headers or {})
        return answer
    return web.json_response(
        _shape_error(status, code, message, shape), status=status, headers=headers
    )


def _shape_error(status: int, code: str, message: str, shape: str) -> dict[str, Any]:
    other = "server_error" if status >= _FIRST_SERVER_ERROR else "invalid_request_error"
    kind = _TYPES.get(status, other)
    match shape:
        case "error_int":
            return {"error": {"code": status, "message": message, "type": kind}}
        case "success":
            return {"success": False, "message": message}
        case "message":
            return {"message": code}
        case "flat":
            return {"code": code, "message": message, "data": None}
        case "plain":
            return {"error": message}
        case _:
            return {"error": {"code": code, "message": message, "type": kind}}


def fault_error(rule: FaultRule, headers: dict[str, str] | None = None) -> web.Response:
    """Return the plain error answer of a fault."""
    kind = rule.kind
    status = kind.status
    if kind.value == "STATUS" and rule.value.isdigit():
        status = int(rule.value)
    message = f"{_MESSAGES.get(status, kind.code)} ({kind.code})"
    return error(status, kind.code, message, rule.shape or kind.shape, headers)


UNANSWERED = web.RequestKey("unanswered", bool)
"""Set on a request whose connection is dropped in place of an answer."""


def reset(request: web.Request) -> web.Response:
    """Drop the connection so that the client sees a reset instead of an answer."""
    request[UNANSWERED] = True
    if request.transport is not None:
        _linger_none(request.transport)
        request.transport.abort()
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


async def spoil(
    request: web.Request, rule: FaultRule, document: Callable[[], dict[str, Any]] = dict
) -> web.Response:
    """Return the answer of a fault that is the same for every call.

    Args:
        request: the call.
        rule: the fault.
        document: returns what would be answered without it.
    """
    match rule.kind.name.partition("_")[2]:
        case "reset":
            return reset(request)
        case "stall":
            # Ends at once when the client goes away.
            await asyncio.sleep(rule.number(_FOREVER_S))
            return close(request)
        case "html":
            return page(200)
        case "half_json":
            text = json.dumps(document())
            body = text[: len(text) // 2].encode()
            return web.Response(body=body, content_type="application/json")
        case "429_seconds":
            return fault_error(rule, {"Retry-After": rule.value or "1"})
        case _:
            return fault_error(rule)


async def delay(rule: FaultRule | None) -> None:
    """Wait as long as a fault that struck wants it."""
    if rule is not None:
        await asyncio.sleep(rule.number(1.0))


async def _send_raw(request: web.Request, head: list[str], body: bytes) -> web.Response:
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


_CHUNK_BYTES = 1 << 18
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class Body:
    """What a URL stands for: bytes in parts, their strong ETag and their type."""

    parts: tuple[bytes, ...]
    etag: str
    content_type: str

    @property
    def size_bytes(self) -> int:
        """The length of it all."""
        return sum(len(part) for part in self.parts)

    def whole(self) -> bytes:
        """Return it in one piece."""
        return b"".join(self.parts)

    def slices(self, start: int, stop: int) -> Iterator[memoryview]:
        """Give the bytes from ``start`` to before ``stop``, without copying them."""
        for part in self.parts:
            size_bytes = len(part)
            first, last = max(0, start), min(size_bytes, stop)
            view = memoryview(part)
            for at in range(first, last, _CHUNK_BYTES):
                yield view[at : min(last, at + _CHUNK_BYTES)]
            start -= size_bytes
            stop -= size_bytes


@dataclass(frozen=True, slots=True)
class _Span:
    """The part of a body that an answer carries."""

    start: int
    stop: int
    partial: bool


def _span_of(request: web.Request, body: Body) -> _Span | None:
    """Return what a request asks for; None if its range lies outside."""
    size_bytes = body.size_bytes
    whole = _Span(0, size_bytes, partial=False)
    match = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if match is None or match.groups() == ("", ""):
        return whole
    # A changed file is sent whole: that is what If-Range is for.
    if request.headers.get("If-Range", body.etag) != body.etag:
        return whole
    first, last = match.groups()
    if not first:
        length = min(int(last), size_bytes)
        return _Span(size_bytes - length, size_bytes, partial=True) if length else None
    start = int(first)
    stop = min(int(last) + 1, size_bytes) if last else size_bytes
    return _Span(start, stop, partial=True) if start < stop else None


def out_of_range(body: Body) -> web.Response:
    """Return the answer to a range that does not exist."""
    return web.Response(status=416, headers={"Content-Range": f"bytes */{body.size_bytes}"})


async def send(request: web.Request, body: Body) -> web.StreamResponse:
    """Send what is asked for."""
    span = _span_of(request, body)
    if span is None:
        return out_of_range(body)
    answer = await _open_stream(request, body, span)
    if request.method != "HEAD":
        for piece in body.slices(span.start, span.stop):
            await answer.write(piece)
    await answer.write_eof()
    return answer


async def send_badly(request: web.Request, body: Body, rule: FaultRule) -> web.StreamResponse:
    """Send what is asked for, with one of the faults of the transport."""
    span = _span_of(request, body) or _Span(0, body.size_bytes, partial=False)
    content = body.whole()[span.start : span.stop]
    half_bytes = min(len(content), int(rule.number(len(content) // 2)))
    line = "HTTP/1.1 206 Partial Content" if span.partial else "HTTP/1.1 200 OK"
    head = [line, *(f"{name}: {value}" for name, value in _headers(body, span).items())]
    length = f"Content-Length: {len(content)}"
    match rule.kind.name:
        case "download_cut":
            return await _send_raw(request, [*head, length], content[:half_bytes])
        case "download_cut_chunked":
            # One chunk, without the mark of the end.
            chunk = f"{half_bytes:x}\r\n".encode() + content[:half_bytes] + b"\r\n"
            return await _send_raw(request, [*head, "Transfer-Encoding: chunked"], chunk)
        case "download_cut_close":
            return await _send_raw(request, head, content[:half_bytes])
        case "download_longer":
            return await _send_raw(request, [*head, length], content + b"\0" * 1024)
        case "download_gzip":
            headers = {**_headers(body, span), "Content-Encoding": "gzip"}
            packed = gzip.compress(content, compresslevel=1)
            return web.Response(status=206 if span.partial else 200, body=packed, headers=headers)
        case "download_stall":
            return await _send_with_pause(request, body, span, rule)
        case _:
            return await _drip(request, body, span, rule)


async def _send_with_pause(
    request: web.Request, body: Body, span: _Span, rule: FaultRule
) -> web.StreamResponse:
    """Send half, then nothing for a long time, then close."""
    answer = await _open_stream(request, body, span)
    for piece in body.slices(span.start, (span.start + span.stop) // 2):
        await answer.write(piece)
    await asyncio.sleep(rule.number(_FOREVER_S))
    if request.transport is not None:
        request.transport.close()
    return answer


async def _drip(
    request: web.Request, body: Body, span: _Span, rule: FaultRule
) -> web.StreamResponse:
    """Send one byte, pause, and so on: never stalled, never done."""
    answer = await _open_stream(request, body, span)
    for at in range(span.start, span.stop):
        for piece in body.slices(at, at + 1):
            await answer.write(piece)
        await asyncio.sleep(rule.number(1.0))
    await answer.write_eof()
    return answer


async def _open_stream(request: web.Request, body: Body, span: _Span) -> web.StreamResponse:
    answer = web.StreamResponse(status=206 if span.partial else 200, headers=_headers(body, span))
    answer.content_length = span.stop - span.start
    await answer.prepare(request)
    return answer


def _headers(body: Body, span: _Span) -> dict[str, str]:
    headers = {"Content-Type": body.content_type, "Accept-Ranges": "bytes", "ETag": body.etag}
    if span.partial:
        headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{body.size_bytes}"
    return headers
