"""Which addresses and links a download may go to, and what a failed connection means."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING

import aiohttp
import pytest
from yarl import URL

from pipeline.downloader.addresses import address_refusal
from pipeline.downloader.connection import explain_failure, link_refusal
from pipeline.downloader.fetching import Downloader
from pipeline.errors import LinkDead, StoreError, TransferBroken

if TYPE_CHECKING:
    from tests.downloader.conftest import Ask, Host


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255",
        "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1", "192.88.99.1",
        "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
        "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::",
        "2002:808:808::1", "2001::1", "2001:db8::1", "fc00::1", "fd12::1", "fe80::1",
        "fe80::1%eth0", "fec0::1", "ff02::1", "100::1", "3fff::1", "nonsense", "",
    ],
)  # fmt: skip
def test_closed_address(address: str) -> None:
    """No private, local, reserved or disguised address is open to downloads."""
    assert address_refusal(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::1111", "64:ff9b::808:808"],
)
def test_open_address(address: str) -> None:
    """Public addresses are open, also through the NAT64 of an IPv6-only network."""
    assert address_refusal(address) is None


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/",
        "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://017700000001/", "http://127.0.0.1./",
        "http://0/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
        "http://1.2.3.4.5/", "http://010.8.8.8/", "ftp://files.example/", "file:///etc/passwd",
        "data:video/mp4;base64,AA", "//files.example/x", "/x", "", "http:///x",
        "https://me@files.example/", "https://me:secret@files.example/", "https://:x@files.example",
    ],
)  # fmt: skip
def test_refused_link(link: str) -> None:
    """A link that is no http(s), carries a user, or hides an address is refused."""
    assert link_refusal(URL(link), allow_private=False)


@pytest.mark.parametrize(
    "link",
    [
        "https://files.example/a.mp4?x=1",
        "http://8.8.8.8/",
        "https://1.example/",
        "https://0x.example/",
    ],
)
def test_open_link(link: str) -> None:
    """Ordinary links are open; their names are judged once resolved."""
    assert link_refusal(URL(link), allow_private=False) is None


def test_leaving_encryption() -> None:
    """A redirect may not leave https, unless private networks are allowed."""
    secure, plain = URL("https://files.example/a"), URL("http://files.example/a")
    assert link_refusal(plain, allow_private=False, came_from=secure)
    assert link_refusal(plain, allow_private=True, came_from=secure) is None
    assert link_refusal(secure, allow_private=False, came_from=plain) is None


def test_private_allowed() -> None:
    """With leave, local addresses are open; schemes and users stay refused."""
    assert link_refusal(URL("http://127.0.0.1:8/x"), allow_private=True) is None
    assert link_refusal(URL("file:///x"), allow_private=True)
    assert link_refusal(URL("http://me:x@127.0.0.1/"), allow_private=True)


@pytest.mark.parametrize(
    ("number", "why", "remedy"),
    [
        (errno.EMFILE, "lets this program open no more files", "Lower limits.downloads"),
        (errno.ENFILE, "lets no program open any more files", "Close other programs"),
    ],
)
def test_no_more_connections_can_be_opened(number: int, why: str, remedy: str) -> None:
    """The run stops; which limit was met decides what to do, however aiohttp wraps the failure."""
    refused = OSError(number, "reason")
    key = aiohttp.client_reqrep.ConnectionKey("cdn.example", 443, True, True, None, None, None)
    for error in (refused, aiohttp.ClientConnectorError(key, refused)):
        told = explain_failure(error, "cdn.example")
        assert isinstance(told, StoreError)
        assert told.message == (
            f"The connection to cdn.example cannot be opened: the system {why}."
        )
        assert (told.action or "").startswith(remedy)
    other = explain_failure(OSError(errno.ECONNRESET, "reason"), "cdn.example")
    assert isinstance(other, TransferBroken)


@pytest.mark.parametrize(
    "place",
    [
        "http://[",
        "http://a:b/",
        "http://a:99999/",
        f"http://{'a' * 70}.example/",
        "http://a..b/",
        "http://xn--\u00e4/",
        "http://[v1.x]/",
        f"http://a:{'9' * 4400}/",
        "http://\ufffd/",
    ],
)
async def test_a_redirect_to_no_link(downloader: Downloader, host: Host, place: str) -> None:
    """A link or a redirect that parsers raise for is a dead link, not the end of the run."""

    async def lead(_: Host, ask: Ask, writer: asyncio.StreamWriter) -> None:
        assert ask.target
        head = f"HTTP/1.1 302 X\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n"
        writer.write(head.encode())

    host.behaviours["lead"] = lead
    for link in (host.url("lead"), place):
        with pytest.raises((LinkDead, TransferBroken)):
            await downloader.fetch(
                link, name="a.mp4", duration=1, aspect_ratio="16:9", resolution="720P"
            )
