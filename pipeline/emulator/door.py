"""Lets in only who has the secret of the address, and tells nobody else anything.

Every user of a machine can reach its loopback ports, and so can any web page in a browser there.
Therefore each request is looked at before anything else sees it: its path must begin with the
secret, and its Host header must name this machine, so that no page can come in under a name of its
own that leads here. Whoever fails gets an empty 404, whatever was asked and however badly.

Tested in tests/emulator/test_door.py.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from http import HTTPStatus
from typing import Any

from aiohttp import web
from yarl import URL

_SECRET_BYTES = 16
_LONGEST_LINE_BYTES = 128 << 10  # signed URLs may have half of that
_GOODBYE_S = 0.1
_BACKLOG = 1024


class Door:
    """The way in to all origins of one emulator."""

    def __init__(self, host: str) -> None:
        """Draw a secret; nothing listens yet.

        Args:
            host: the interface that is listened on.
        """
        self._host = host
        self._secret = secrets.token_hex(_SECRET_BYTES)
        self._open: list[tuple[asyncio.Server, web.AppRunner]] = []

    async def open(self, app: web.Application, port: int) -> int:
        """Listen for an origin; return its port.

        Args:
            app: answers what is let in; it sees paths without the secret.
            port: where to listen; 0 lets the system choose.

        Raises:
            OSError: the port is not free.
        """
        # A client that goes away ends its handler: what was accepted stays accepted.
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=_GOODBYE_S)
        await runner.setup()
        server = runner.server
        assert server is not None  # noqa: S101 - set up above
        inside = server.request_handler

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            admitted = self._admit(request)
            return _nothing() if admitted is None else await inside(admitted)

        server.request_handler = answer
        loop = asyncio.get_running_loop()

        def connect() -> _Connection:
            # Without a log of requests, which would hold the secret; None is what aiohttp wants.
            unlogged: Any = None
            return _Connection(
                server, loop=loop, access_log=unlogged, max_line_size=_LONGEST_LINE_BYTES
            )

        try:
            listener = await loop.create_server(connect, self._host, port, backlog=_BACKLOG)
        except BaseException:
            await runner.cleanup()
            raise
        self._open.append((listener, runner))
        return int(listener.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening, and end what is under way."""
        opened, self._open = self._open, []
        for listener, _ in opened:
            listener.close()
        await asyncio.gather(*(runner.cleanup() for _, runner in opened))

    def address(self, port: int) -> str:
        """Return the address of an origin, with the secret."""
        return f"http://{self._host}:{port}/{self._secret}"

    def _admit(self, request: web.BaseRequest) -> web.BaseRequest | None:
        """Return the request as it is inside, without the secret; None where it lacks it."""
        target = request.raw_path
        first, slash, rest = target[1:].partition("/")
        known = secrets.compare_digest(_bytes(first), _bytes(self._secret))
        if not (known and slash and target.startswith("/")):
            return None
        hosts = request.headers.getall("Host", ())
        if len(hosts) != 1 or not self._is_here(hosts[0]):
            return None
        return request.clone(rel_url=URL(f"/{rest}", encoded=True))

    def _is_here(self, host: str) -> bool:
        """Tell whether a Host header names this machine as a client here would."""
        name = host.rpartition(":")[0] if _has_port(host) else host
        name = name.lower().removeprefix("[").removesuffix("]")
        if name in {self._host, "localhost"}:
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False


class _Connection(web.RequestHandler):
    """Answers what is no proper request as it answers strangers; aiohttp would quote from it."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Return the answer to a request that could not be read, or that a handler failed at."""
        if status == HTTPStatus.BAD_REQUEST:
            return _nothing()
        return super().handle_error(request, status, exc, message)


def _nothing() -> web.Response:
    answer = web.Response(status=HTTPStatus.NOT_FOUND)
    answer.force_close()
    return answer


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _has_port(host: str) -> bool:
    return host.rpartition(":")[2].isdecimal() and not host.endswith("]")
