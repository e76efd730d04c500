"""Links through a proxy lead to public hosts alone, as far as that can be known here."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from pipeline.downloader.fetching import Downloader
from pipeline.errors import DownloadError, LinkDead, TransferBroken
from pipeline.network import Network, Proxy

PUBLIC = "93.184.216.34"


class Names(AbstractResolver):
    """Knows these names and no others."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self.known = known

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del family
        if host not in self.known:
            raise OSError(socket.EAI_NONAME, "not known")
        address = self.known[host]
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def proxy(answer: bytes) -> AsyncIterator[tuple[Network, list[str]]]:
    """A proxy that gives every request this answer; yields the network and the heads it got."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.decode())
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    # By its name, and in the user's own network, as proxies are.
    found = Proxy(f"http://me:w0rd@proxy.example:{port}", "http.proxy")
    try:
        yield Network({"http": found, "https": found}), asked
    finally:
        server.close()


async def fetch(folder: Path, network: Network, names: Mapping[str, str], link: str) -> None:
    resolver = Names({"proxy.example": "127.0.0.1", **names})
    async with Downloader(
        folder / "videos", verify="boxes", resolver=resolver, network=network
    ) as downloader:
        await downloader.fetch(
            link, name="a.mp4", duration=4, aspect_ratio="16:9", resolution="720P"
        )


@pytest.mark.parametrize(
    ("link", "names", "why"),
    [
        ("https://files.example/a", {"files.example": "10.0.0.1"}, "private or reserved"),
        ("http://files.example/a", {"files.example": "169.254.169.254"}, "private or reserved"),
        ("https://10.0.0.1/a", {}, "private or reserved"),
        ("https://[::ffff:10.0.0.1]/a", {}, "private or reserved"),
        ("https://0x7f.1/a", {}, "number in disguise"),
        ("https://intranet/a", {}, "its name belongs to a private network"),
        ("https://wiki.corp/a", {}, "its name belongs to a private network"),
        ("https://metadata.google.internal/a", {}, "its name belongs to a private network"),
        ("https://router.home.arpa./a", {}, "its name belongs to a private network"),
        ("http://localhost/a", {"localhost": "127.0.0.1"}, "private or reserved"),
        ("http://proxy.example/a", {}, "it leads to the proxy"),
        ("https://proxy.example:9/a", {}, "it leads to the proxy"),
    ],
)
async def test_a_link_that_no_proxy_is_asked_for(
    tmp_path: Path, link: str, names: Mapping[str, str], why: str
) -> None:
    """What a name leads to is judged here, before the proxy hears of it."""
    async with proxy(b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n") as (network, asked):
        with pytest.raises(LinkDead, match=why):
            await fetch(tmp_path, network, names, link)
    assert asked == []


@pytest.mark.parametrize("names", [{}, {"files.example": PUBLIC}])
async def test_a_public_name_is_left_to_the_proxy(tmp_path: Path, names: dict[str, str]) -> None:
    """Also where nobody here knows it, as behind a firewall; its own name is resolved all the same.

    Its password goes to it, as a header of the tunnel.
    """
    async with proxy(b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n") as (network, asked):
        with pytest.raises(TransferBroken, match=r"\(http\.proxy\) refuses .* \(HTTP 502\)"):
            await fetch(tmp_path, network, names, "https://files.example/a")
    (head,) = asked
    assert head.startswith("CONNECT files.example:443 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic bWU6dzByZA==" in head
    assert "Range" not in head


async def test_a_password_that_a_proxy_misses_kills_no_link(tmp_path: Path) -> None:
    """Where nothing is encrypted its answer comes in the place of the host's."""
    async with proxy(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n") as (network, asked):
        with pytest.raises(TransferBroken, match="wants a user name and a password"):
            await fetch(tmp_path, network, {}, "http://files.example/a")
    assert asked[0].startswith("GET http://files.example/a HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic bWU6dzByZA==" in asked[0]


async def test_every_hop_is_judged(tmp_path: Path) -> None:
    """A redirect into the network of the proxy is refused, too."""
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://wiki.corp/a\r\nContent-Length: 0\r\n\r\n"
    async with proxy(moved) as (network, asked):
        with pytest.raises(DownloadError, match="belongs to a private network"):
            await fetch(tmp_path, network, {}, "http://files.example/a")
    assert len(asked) == 1
