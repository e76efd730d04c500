"""Whole pictures from the web, of which small copies are made: bounded, and each asked once.

Addresses are judged as those of videos are. What comes is handed on at once: no more pictures are
held than are asked for at a time.
"""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import aiohttp

from pipeline.downloader.webpictures import Asking, WebFault, unpacker
from pipeline.network import DIRECT, Network
from pipeline.pictures.accepted import LARGEST_BYTES
from pipeline.pictures.heads import read_head

_AT_A_TIME = 4
_LIMIT_S = 60.0
"""The longest time that a picture may take, until its copy is made."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A picture came, and somebody has it."""


async def fetch_pictures(
    urls: Iterable[str],
    keep: Callable[[str, bytes], Awaitable[str | None]],
    *,
    network: Network = DIRECT,
    allow_private: bool = False,
) -> dict[str, str]:
    """Fetch pictures and hand each to `keep`; return why others were not, by their addresses.

    Args:
        urls: their addresses.
        keep: takes the address and the bytes of each; returns why nothing can be made of it.
        network: the way out: proxies and trusted certificates.
        allow_private: whether addresses may lead into private networks.

    """

    async def take(url: str, response: aiohttp.ClientResponse) -> _Kept | WebFault:
        body = await _body(response)
        if isinstance(body, WebFault):
            return body
        reason = await keep(url, body)
        return _Kept() if reason is None else WebFault(reason, certain=False)

    asking = Asking(network, allow_private, _LIMIT_S, _AT_A_TIME)
    found = await asking.ask_each(urls, take)
    return {url: one.sentence for url, one in found.items() if isinstance(one, WebFault)}


async def _body(response: aiohttp.ClientResponse) -> bytes | WebFault:
    """Return a picture, unpacked; no more of it is read than a picture may have."""
    unpack = unpacker(response)
    parts: list[bytes] = []
    size = 0
    while piece := await response.content.readany():
        try:
            part = unpack(piece, LARGEST_BYTES + 1) if unpack else piece
        except zlib.error:
            return WebFault("What stands at the address cannot be unpacked.", certain=False)
        parts.append(part)
        size += len(part)
        if size > LARGEST_BYTES:
            return WebFault(f"The picture has more than {LARGEST_BYTES:,} bytes.", certain=False)
    data = b"".join(parts)
    if read_head(data).format is None:
        return WebFault("What stands at the address is no picture.", certain=False)
    return data
