"""Links of the provider lead to public hosts alone, however they hide where they lead.

Everything here stays on 127.0.0.1: a resolver of the test's own says where names lead.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from pipeline.downloader.addresses import CheckedResolver
from pipeline.downloader.connection import link_refusal, open_session, request_answer
from pipeline.downloader.fetching import Downloader
from pipeline.downloader.way import Way
from pipeline.errors import DownloadError, LinkDead
from pipeline.model import Phase
from pipeline.toapis.client import ToAPIs
from tests.toapis.doubles import KEY, Script, http, raw_server

PRIVATE = (
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::", "2001::1",
)  # fmt: skip


@dataclass
class Names(AbstractResolver):
    """A resolver that knows the names of the test; a second look may give another address."""

    known: Mapping[str, list[list[str]]]
    asked: list[str] = field(default_factory=list)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        assert family in {socket.AF_INET, socket.AF_UNSPEC}
        looks = self.known[host]
        addresses = looks[min(self.asked.count(host), len(looks) - 1)]
        self.asked.append(host)
        return [
            ResolveResult(
                hostname=host,
                host=one,
                port=port,
                family=socket.AF_INET6 if ":" in one else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for one in addresses
        ]

    async def close(self) -> None:
        pass


def only(allowed: str) -> CheckedResolver:
    """Stands for the rule about public addresses, with one of 127/8 as the only public one."""
    names = Names({
        "files.example": [["127.0.0.1"]],
        "inner.example": [["127.0.0.2"]],
        "both.example": [["127.0.0.1", "127.0.0.2"]],
    })  # fmt: skip
    return CheckedResolver(names, lambda ip: None if ip == allowed else "it is closed")


@asynccontextmanager
async def listening() -> AsyncIterator[list[int]]:
    """Listen on 127.0.0.1 and count the connections; the first element is the port."""
    seen = [0]

    def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(1)
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    seen[0] = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()


async def fetch(downloader: Downloader, link: str) -> None:
    await downloader.fetch(link, name="a.mp4", duration=4, aspect_ratio="16:9", resolution="720P")


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_public_name_with_a_private_address(tmp_path: Path, address: str) -> None:
    """Judged after it is resolved and before anything is sent; one bad address of two is enough."""
    async with listening() as seen:
        names = Names({"files.example": [["93.184.216.34", address]]})
        async with Downloader(tmp_path / "videos", verify="boxes", resolver=names) as downloader:
            with pytest.raises(LinkDead, match="private or reserved"):
                await fetch(downloader, f"http://files.example:{seen[0]}/a.mp4")
        assert names.asked == ["files.example"]
        assert len(seen) == 1


async def test_the_double_leads_where_it_says(tmp_path: Path) -> None:
    """With leave the same name is connected to: so it was the check that kept it back."""
    async with listening() as seen:
        names = Names({"files.example": [["127.0.0.1"]]})
        async with Downloader(
            tmp_path / "videos", verify="boxes", resolver=names, allow_private=True
        ) as downloader:
            with pytest.raises(DownloadError):
                await fetch(downloader, f"http://files.example:{seen[0]}/a.mp4")
        assert len(seen) > 1


@asynccontextmanager
async def hop(location: str) -> AsyncIterator[Script]:
    """A host whose every answer is a redirect; `PORT` in it stands for its own port."""
    script = Script(lambda _: b"")
    async with raw_server(script):
        port = str(URL(script.url).port)
        moved = http(302, headers={"Location": location.replace("PORT", port)})
        script.answer = lambda _: moved
        yield script


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://inner.example:PORT/a", "it is closed"),
        ("http://both.example:PORT/a", "it is closed"),
        ("//inner.example:PORT/a", "it is closed"),
        ("http://127.0.0.1:PORT/a", "private or reserved"),
        ("http://2130706433:PORT/a", "number in disguise"),
        ("http://0177.0.0.1:PORT/a", "number in disguise"),
        ("http://0x7f.1:PORT/a", "number in disguise"),
        ("http://[::1]:PORT/a", "private or reserved"),
        ("http://[::ffff:7f00:1]:PORT/a", "private or reserved"),
        ("http://[64:ff9b::7f00:1]:PORT/a", "private or reserved"),
        ("http://[2002:7f00:1::]:PORT/a", "private or reserved"),
        ("http://①②⑦.⓪.⓪.①:PORT/a", "private or reserved"),
        ("file:///etc/passwd", "no http or https"),
        ("ftp://files.example/a", "no http or https"),
        ("gopher://127.0.0.1:PORT/_x", "no http or https"),
        ("http://me:pw@files.example:PORT/a", "user name or password"),
    ],
)
async def test_every_redirect_is_judged(location: str, why: str) -> None:
    """The first host is open, the place to which it sends is not: one request, no second one."""
    async with hop(location) as host:
        async with open_session(
            concurrency=2, allow_private=True, stall_s=5, connect_s=5, resolver=only("127.0.0.1")
        ) as session:
            with pytest.raises((LinkDead, OSError)) as caught:
                async with request_answer(
                    session,
                    f"http://files.example:{URL(host.url).port}/a",
                    have_bytes=0,
                    mark=None,
                    allow_private=False,
                    headers_s=5,
                    way=Way(),
                ):
                    pass
        assert why in str(caught.value)
        assert len(host.received) == 1


async def test_a_name_that_changes_its_address(tmp_path: Path) -> None:
    """The address that was judged is the one that is connected to: there is no second look."""
    async with listening() as seen:
        names = Names({"files.example": [["169.254.169.254"], ["127.0.0.1"]]})
        async with Downloader(tmp_path / "videos", verify="boxes", resolver=names) as downloader:
            for _ in range(2):
                with pytest.raises(LinkDead):
                    await fetch(downloader, f"http://files.example:{seen[0]}/a.mp4")
        assert len(seen) == 1


@pytest.mark.parametrize(
    "link",
    [
        "http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/", "http://127。0。0。1/", "http://①②⑦.⓪.⓪.①/",
        "http://127.1/",
        "http://[::ffff:127.0.0.1]/", "http://[fe80::1%25eth0]/", "http://0300.0250.0.1/",
        "http://0xa9fea9fe/", "http://[::]/", "http://[64:ff9b:1::a00:1]/",
    ],
)  # fmt: skip
def test_numbers_in_disguise(link: str) -> None:
    """Other digits, other dots, other bases, one number, IPv4 within IPv6."""
    assert link_refusal(URL(link), allow_private=False)


@pytest.mark.parametrize(
    "link", ["file:///etc/passwd", "ftp://h.example/a.mp4", "javascript:1", "http://me:pw@h/a", ""]
)
async def test_a_video_is_taken_from_http_alone(link: str) -> None:
    """What the API calls a video's address and is none, or names somebody, counts as not given."""
    body = f'{{"id":"t","status":"completed","video_url":"{link}"}}'
    async with (
        raw_server(Script(lambda _: http(200, body))) as server,
        ToAPIs(server.url, KEY) as api,
    ):
        view = await api.query("t")
    assert (view.phase, view.video_url) == (Phase.COMPLETED, None)


@pytest.mark.parametrize("link", ["file:///etc/passwd", "http://me:pw@h/a.png", "data:,x"])
async def test_an_uploaded_picture_is_at_http_alone(link: str) -> None:
    """Else it would be sent on as the picture's address."""
    body = f'{{"success":true,"data":{{"url":"{link}"}}}}'
    async with (
        raw_server(Script(lambda _: http(200, body))) as server,
        ToAPIs(server.url, KEY) as api,
    ):
        with pytest.raises(Exception, match="usable"):
            await api.upload(Path(__file__), "image/png")
