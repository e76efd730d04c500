"""Which links and addresses a download may go to.

A video link comes from an API answer and can redirect anywhere, so it must not reach this machine
or its network. Names are judged after resolution, literal addresses as they stand; forms that hide
an address (octal, hexadecimal, one decimal number, IPv4 inside IPv6) do not get around it.
"""

from __future__ import annotations

import ipaddress
import re
from ipaddress import IPv4Address, IPv6Address

from yarl import URL

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
