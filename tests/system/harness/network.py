"""A network that lets nobody out but through a proxy, and opens every encrypted connection.

The hosts `API_HOST` and `FILES_HOST` exist behind the proxy only. Their certificates are issued by
an authority of the test's own; what they answer is the emulator's.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import trustme
from aiohttp import web

API_HOST, FILES_HOST = "api.reelsheet.test", "files.reelsheet.test"
USER, PASSWORD = "operator", "pass-w0rd-of-the-proxy"


@dataclass
class Network:
    """What lies outside: the port of the proxy, the authority's certificate, and what was seen.

    `mode` is what the proxy does: `open`, `password`, `refuse`, `drop`, or `hang up` once it has
    promised a tunnel. `heads` are the heads of the requests that it got, `seen` is every byte that
    came from clients. `calls` are the requests that reached a host: host, path, and whether they
    carried a key. Unless it is `trusted`, the hosts show certificates of another authority.
    """

    ca_file: Path
    mode: str = "open"
    trusted: bool = True
    port: int = 0
    front_port: int = 0
    heads: list[str] = field(default_factory=list)
    seen: bytearray = field(default_factory=bytearray)
    calls: list[tuple[str, str, bool]] = field(default_factory=list)

    @property
    def proxy(self) -> str:
        """The address of the proxy, with what it wants to be told."""
        return f"http://{USER}:{PASSWORD}@127.0.0.1:{self.port}"

    @property
    def asked(self) -> set[str]:
        """The hosts that a tunnel was asked for."""
        return {head.split()[1] for head in self.heads if head.startswith("CONNECT ")}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Be the proxy for one connection."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head.decode())
            self.seen += head
            if (refusal := self._refusal(head.decode())) is not None:
                writer.write(refusal)
                await writer.drain()
                return
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            if self.mode == "hang up":
                await writer.drain()
                return
            inner, outer = await asyncio.open_connection("127.0.0.1", self.front_port)
            await asyncio.gather(self._relay(reader, outer, self.seen), self._relay(inner, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _refusal(self, head: str) -> bytes | None:
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        match self.mode:
            case "drop":
                return b""
            case "refuse":
                return b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
            case "password":
                known = f"Proxy-Authorization: Basic {login}\r\n" in head
            case _:
                known = True
        return None if known else b"HTTP/1.1 407 Authentication\r\nContent-Length: 0\r\n\r\n"

    async def _relay(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        kept: bytearray | None = None,
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(65536):
                if kept is not None:
                    kept += piece
                sink.write(piece)
                await sink.drain()
        sink.close()


class _Front:
    """The hosts themselves, before an emulator whose addresses are rewritten to theirs."""

    def __init__(self, network: Network, api_url: str, files_url: str) -> None:
        self._network = network
        self._targets = {API_HOST: api_url, FILES_HOST: files_url}
        self._swap = (files_url.encode(), f"https://{FILES_HOST}".encode())

    async def handle(self, request: web.Request) -> web.Response:
        inner, outer = self._swap
        headers = dict(request.headers)
        known = "Authorization" in headers
        self._network.calls.append((request.host, request.path_qs, known))
        assert not any(name.lower().startswith("proxy-") for name in headers)
        for name in ("Host", "Content-Length"):
            headers.pop(name, None)
        body = await request.read()
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(
                request.method,
                f"{self._targets[request.host]}{request.path_qs}",
                data=body.replace(outer, inner),
                headers=headers,
            ) as answer,
        ):
            content = (await answer.read()).replace(inner, outer)
            kept = {
                name: value
                for name, value in answer.headers.items()
                if name not in {"Content-Length", "Transfer-Encoding", "Date", "Server"}
            }
            return web.Response(status=answer.status, body=content, headers=kept)


@contextlib.contextmanager
def network(folder: Path, api_url: str, files_url: str) -> Iterator[Network]:
    """Run the proxy and the hosts behind it, in a thread of their own."""
    authority = trustme.CA()
    outside = Network(folder / "ca.pem")
    authority.cert_pem.write_to_path(str(outside.ca_file))
    context, other = (ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) for _ in range(2))
    authority.issue_cert(API_HOST, FILES_HOST).configure_cert(context)
    trustme.CA().issue_cert(API_HOST, FILES_HOST).configure_cert(other)

    def choose(connection: ssl.SSLObject | ssl.SSLSocket, *_: object) -> None:
        connection.context = context if outside.trusted else other

    context.sni_callback = choose
    ready, done = threading.Event(), asyncio.Event()

    async def serve() -> None:
        app = web.Application(client_max_size=16 << 20)
        app.router.add_route("*", "/{path:.*}", _Front(outside, api_url, files_url).handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        outside.front_port = int(runner.addresses[0][1])
        proxy = await asyncio.start_server(outside.serve, "127.0.0.1", 0)
        outside.port = int(proxy.sockets[0].getsockname()[1])
        ready.set()
        await done.wait()
        proxy.close()
        await runner.cleanup()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(20)
        yield outside
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(20)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
