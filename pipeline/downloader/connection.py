"""Connections to a download host, over one HTTP session: no credentials, cookies or proxy.

A video link comes from an API answer and can redirect anywhere, so it must not reach this machine
or its network. Redirects are followed by hand: every hop is judged before anything is sent to it.
Names are judged after resolution, literal addresses as they stand; forms that hide an address
(octal, hexadecimal, one decimal number, IPv4 inside IPv6) do not get around it.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from pipeline import __version__
from pipeline.downloader.partfile import Mark
from pipeline.errors import LinkDead, StoreError, TransferBroken

# Listed here as well, because older Python versions call some of them global.
_CLOSED_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "100.64.0.0/10",  # carrier-grade NAT
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_CLOSED_V6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "::/96",  # unspecified, loopback, IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "64:ff9b:1::/48",  # local NAT64
        "100::/64",  # discard
        "2001::/23",  # Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
        "fc00::/7",  # private
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, the old private
        "ff00::/8",  # multicast
    )
)
# Behind a DNS64 every IPv4-only host resolves to this prefix: the address inside decides.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

_NUMERIC_HOST = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*\.?", re.IGNORECASE)


def address_refusal(address: str) -> str | None:
    """Say why no connection may go to this IP address; None where it may."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "its address cannot be read"
    if isinstance(ip, IPv6Address) and ip in _NAT64:
        ip = IPv4Address(int(ip) & 0xFFFFFFFF)
    if _closed(ip) or not ip.is_global or ip.is_multicast or ip.is_reserved:
        return "it leads into a private or reserved network"
    return None


def _closed(ip: IPv4Address | IPv6Address) -> bool:
    if isinstance(ip, IPv4Address):
        return any(ip in network for network in _CLOSED_V4)
    return any(ip in network for network in _CLOSED_V6)


def link_refusal(url: URL, *, allow_private: bool, came_from: URL | None = None) -> str | None:
    """Say why this link may not be followed; None where it may.

    `came_from` is the address that redirected here. With `allow_private` (loopback tests, one's
    own storage) addresses are not judged and a redirect may leave https.
    """
    if url.scheme not in {"http", "https"}:
        return "it is no http or https address"
    host = url.raw_host
    if not host:
        return "it names no host"
    if url.raw_user is not None or url.raw_password is not None:
        return "it carries a user name or password"
    if allow_private:
        return None
    if came_from is not None and came_from.scheme == "https" and url.scheme == "http":
        return "it leaves the encrypted connection"
    return _host_refusal(host)


def _host_refusal(host: str) -> str | None:
    if ":" in host:
        return address_refusal(host)
    if not _NUMERIC_HOST.fullmatch(host):
        return None
    try:
        IPv4Address(host)
    except ValueError:
        return "its host is a number in disguise"
    return address_refusal(host)


_READ_BUFFER_BYTES = 256 * 1024
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class _ForbiddenAddress(OSError):
    """A host name resolved to an address that no download may go to."""


class CheckedResolver(AbstractResolver):
    """Resolves names with `resolver` and refuses names that lead to a closed address.

    `refusal` returns why an address is closed; None if it is open.
    """

    def __init__(
        self,
        resolver: AbstractResolver,
        refusal: Callable[[str], str | None] = address_refusal,
    ) -> None:
        self._resolver = resolver
        self._refusal = refusal

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Resolve; raises _ForbiddenAddress if one of the addresses is closed to downloads."""
        found = await self._resolver.resolve(host, port, family)
        for address in found:
            if reason := self._refusal(address["host"]):
                raise _ForbiddenAddress(errno.EACCES, reason)
        return found

    async def close(self) -> None:
        """Release the resolver."""
        await self._resolver.close()


def open_session(
    *,
    concurrency: int,
    allow_private: bool,
    stall_s: float,
    connect_s: float,
    resolver: AbstractResolver | None = None,
) -> aiohttp.ClientSession:
    """Open the session. `stall_s` is the longest silence in a body, `connect_s` to connect.

    `resolver` finds the addresses of names, the system's unless given; what it finds is checked.
    """
    resolver = resolver or aiohttp.ThreadedResolver()
    if not allow_private:
        resolver = CheckedResolver(resolver)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=concurrency, resolver=resolver),
        cookie_jar=aiohttp.DummyCookieJar(),
        # Packed bodies are unpacked by us, because their ranges and lengths are not the file's.
        auto_decompress=False,
        trust_env=False,
        read_bufsize=_READ_BUFFER_BYTES,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_s, sock_read=stall_s),
        headers={
            "User-Agent": f"reelsheet/{__version__}",
            "Accept": "video/mp4, */*;q=0.5",
            "Accept-Encoding": "identity",
        },
    )


@asynccontextmanager
async def answered(
    session: aiohttp.ClientSession,
    link: str,
    *,
    have_bytes: int,
    mark: Mark | None,
    allow_private: bool,
    headers_s: float,
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Ask for the bytes from `have_bytes` on and yield the answer at the end of the redirects.

    `headers_s` limits the wait for each hop's headers. Raises LinkDead and TransferBroken.
    """
    headers = {"Range": f"bytes={have_bytes}-", "If-Range": mark.validator} if mark else {}
    url, came_from = _parse(link), None
    for _ in range(_MOST_REDIRECTS + 1):
        reason = link_refusal(url, allow_private=allow_private, came_from=came_from)
        if reason:
            raise LinkDead(f"The download link may not be followed: {reason}.")
        async with asyncio.timeout(headers_s):
            response = await session.get(url, headers=headers, allow_redirects=False)
        if response.status not in _REDIRECTS:
            try:
                yield response
            finally:
                response.release()
            return
        response.close()
        came_from, url = url, _next(url, response.headers.get("Location"))
    raise LinkDead(f"The download link redirects more than {_MOST_REDIRECTS} times.")


def _parse(link: str) -> URL:
    try:
        # Signed links must arrive letter for letter; others are escaped as usual.
        return URL(link, encoded=link.isascii() and link.isprintable() and " " not in link)
    except ValueError as error:
        raise LinkDead("The download link cannot be read.") from error


def _next(url: URL, location: str | None) -> URL:
    if not location:
        raise LinkDead("The download link redirects to nowhere.")
    try:
        return url.join(_parse(location.strip()))
    except ValueError as error:
        raise LinkDead("The download link redirects to something unreadable.") from error


def broken(
    error: aiohttp.ClientError | OSError, url_host: str
) -> LinkDead | TransferBroken | StoreError:
    """Say what a failure of the connection means."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, _ForbiddenAddress):
        return LinkDead(f"The download link may not be followed: {cause.strerror}.")
    if isinstance(error, aiohttp.InvalidURL):
        return LinkDead("The download link cannot be read.")
    if isinstance(cause, OSError) and cause.errno in {errno.EMFILE, errno.ENFILE}:
        return StoreError(
            "The system lets this program open no more files.",
            action="Lower limits.downloads (or raise the limit with ulimit -n) and run again.",
        )
    if isinstance(error, TimeoutError):
        return TransferBroken(f"{url_host} does not answer or went silent in the transfer.")
    return TransferBroken(f"The transfer from {url_host} broke ({type(error).__name__}).")
