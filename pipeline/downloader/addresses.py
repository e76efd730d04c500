"""Where a download may lead: addresses, names and links that are judged before anything is sent.

A video link comes from an API answer and can redirect anywhere, so it must not reach this machine
or its network. Names are judged after resolution, literal addresses as they stand; forms that hide
an address (octal, hexadecimal, one decimal number, IPv4 inside IPv6) do not get around it.

Tested in tests/downloader/test_connection.py and tests/security/test_links.py.
"""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

# Listed here as well, because older Python versions call some of them global.
_CLOSED = tuple(
    ip_network(text)
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
_NAT64 = IPv6Network("64:ff9b::/96")

_LOCAL_DOMAINS = frozenset(
    {"localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan"}
)
_NUMERIC_HOST = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*\.?", re.IGNORECASE)


def address_refusal(address: str) -> str | None:
    """Say why no connection may go to this IP address; None where it may."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return "its address cannot be read"
    if isinstance(ip, IPv6Address) and ip in _NAT64:
        ip = IPv4Address(int(ip) & 0xFFFFFFFF)
    closed = any(ip in network for network in _CLOSED)
    if closed or not ip.is_global or ip.is_multicast or ip.is_reserved:
        return "it leads into a private or reserved network"
    return None


def public_refusal(url: URL, came_from: URL | None = None) -> str | None:
    """Say why a link may not be followed into the public network; None where it may.

    `came_from` is the address that redirected here.
    """
    if came_from is not None and came_from.scheme == "https" and url.scheme == "http":
        return "it leaves the encrypted connection"
    host = url.raw_host or ""
    if ":" not in host:
        if not _NUMERIC_HOST.fullmatch(host):
            return None
        try:
            IPv4Address(host)
        except ValueError:
            return "its host is a number in disguise"
    return address_refusal(host)


def local_name_refusal(host: str) -> str | None:
    """Say why a name that cannot be resolved here may not be left to a proxy to resolve.

    A name without a dot, or of a domain that no public name has, is one of the proxy's own network.
    """
    labels = host.rstrip(".").casefold().split(".")
    if len(labels) == 1 or labels[-1] in _LOCAL_DOMAINS or labels[-2:] == ["home", "arpa"]:
        return "its name belongs to a private network"
    return None


class ForbiddenAddress(OSError):
    """A host name resolved to an address that no download may go to."""


class CheckedResolver(AbstractResolver):
    """Resolves names with `resolver` and refuses names that lead to a closed address.

    `refusal` returns why an address is closed; None if it is open. The hosts that are `unjudged`
    are proxies, which lie in the user's own network.
    """

    def __init__(
        self,
        resolver: AbstractResolver,
        refusal: Callable[[str], str | None] = address_refusal,
        unjudged: frozenset[str] = frozenset(),
    ) -> None:
        self._resolver = resolver
        self._refusal = refusal
        self._unjudged = unjudged

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Find the addresses of a host, and let through only those that downloads may use.

        Args:
            host: The host of a download link.
            port: The port, which is passed on with each address.
            family: The kind of addresses to look for, IPv4, IPv6 or both.

        Raises:
            ForbiddenAddress: One of the addresses is closed to downloads.

        """
        found = await self._resolver.resolve(host, port, family)
        for address in [] if host in self._unjudged else found:
            if reason := self._refusal(address["host"]):
                raise ForbiddenAddress(errno.EACCES, reason)
        return found

    async def close(self) -> None:
        """Release the resolver."""
        await self._resolver.close()
