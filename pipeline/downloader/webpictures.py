"""A look at pictures on the web: what stands at an address, what size it has, and its kind.

Nothing is kept. Each address is asked once, several at a time, and no more of a picture is read
than tells its size. Addresses are judged as those of videos are: none leads into a private network.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, TypeVar

import aiohttp
from yarl import URL

from pipeline.downloader.connection import explain_failure, open_session, request_answer
from pipeline.downloader.way import Way
from pipeline.errors import LinkDead, StoreError, TransferBroken
from pipeline.network import DIRECT, Network
from pipeline.pictures.accepted import LARGEST_BYTES
from pipeline.pictures.heads import ENOUGH_BYTES, PictureHead, is_step, read_head

_Found = TypeVar("_Found")
Unpack: TypeAlias = Callable[[bytes, int], bytes]
_AT_A_TIME = 8
_LIMIT_S = 30.0
"""The longest time that one address may take, with all its redirects."""
_SILENCE_S = 10.0
_OK = 200
_GONE = frozenset({404, 410})
_GZIP = 31  # zlib: a gzip header and trailer are expected


@dataclass(frozen=True, slots=True)
class WebPicture:
    """What stands at an address: the head of a file, and its length where that is announced."""

    head: PictureHead
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class WebFault:
    """Why an address was not seen to give a picture.

    `certain` says that the provider cannot get it either, as far as anybody can tell.
    """

    sentence: str
    certain: bool


def look_at_pictures(
    urls: Iterable[str],
    *,
    network: Network = DIRECT,
    allow_private: bool = False,
    progress: Callable[[int, int], None] | None = None,
    limit_s: float = _LIMIT_S,
) -> dict[str, WebPicture | WebFault]:
    """Ask each address once for what stands there.

    Args:
        urls: The addresses of pictures, http or https.
        network: The way out: proxies and trusted certificates.
        allow_private: Whether they may lead into private networks.
        progress: Is told how many addresses of how many were asked.
        limit_s: The longest time that one of them may take.

    """
    tell = progress or (lambda _done, _total: None)
    asking = Asking(network, allow_private, limit_s, tell=tell)
    return asyncio.run(asking.ask_each(urls, lambda _url, response: _judge(response)))


@dataclass
class Asking:
    """Asks addresses of pictures, several at a time; none leads into a private network.

    Args:
        network: The way out: proxies and trusted certificates.
        allow_private: Whether they may lead into private networks all the same.
        limit_s: The longest time that one of them may take.
        at_a_time: How many are asked at a time.
        tell: Is told how many addresses of how many were asked.

    """

    network: Network = DIRECT
    allow_private: bool = False
    limit_s: float = _LIMIT_S
    at_a_time: int = _AT_A_TIME
    tell: Callable[[int, int], None] = lambda _done, _total: None

    async def ask_each(
        self,
        urls: Iterable[str],
        judge: Callable[[str, aiohttp.ClientResponse], Awaitable[_Found | WebFault]],
    ) -> dict[str, _Found | WebFault]:
        """Ask each address once, and return what `judge` makes of the answers."""
        distinct = list(dict.fromkeys(urls))
        way = Way.of(self.network, None, private=self.allow_private)
        found: dict[str, _Found | WebFault] = {}
        queue = iter(distinct)
        async with open_session(
            concurrency=self.at_a_time,
            allow_private=self.allow_private,
            stall_s=_SILENCE_S,
            connect_s=_SILENCE_S,
            network=self.network,
            accept="image/*, */*;q=0.5",
        ) as session:

            async def work() -> None:
                for url in queue:  # shared: each takes the next one
                    found[url] = await self._at(session, url, way, judge)
                    self.tell(len(found), len(distinct))

            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.at_a_time, len(distinct))):
                    group.create_task(work())
        return {url: found[url] for url in distinct}

    async def _at(
        self,
        session: aiohttp.ClientSession,
        url: str,
        way: Way,
        judge: Callable[[str, aiohttp.ClientResponse], Awaitable[_Found | WebFault]],
    ) -> _Found | WebFault:
        explain = partial(explain_failure, url_host=_host(url), proxy=self.network.proxy_for(url))
        try:
            async with (
                asyncio.timeout(self.limit_s),
                request_answer(
                    session,
                    url,
                    have_bytes=0,
                    mark=None,
                    allow_private=self.allow_private,
                    headers_s=self.limit_s,
                    way=way,
                ) as response,
            ):
                return status_fault(response) or await judge(url, response)
        except (LinkDead, TransferBroken) as error:
            return _fault(error, url)
        except UnicodeError:
            return WebFault("The address names no host that can be looked up.", certain=True)
        except (aiohttp.ClientError, OSError) as error:
            said = explain(error)
            if isinstance(error, aiohttp.ClientConnectorDNSError) and isinstance(
                said, TransferBroken
            ):
                return WebFault(f"No host {_host(url)} was found.", certain=False)
            return _fault(said, url)


def status_fault(response: aiohttp.ClientResponse) -> WebFault | None:
    """Say what the status of an answer means; None where a file comes with it."""
    if response.status in _GONE:
        return WebFault(f"There is nothing at the address (HTTP {response.status}).", certain=True)
    if response.status != _OK:
        return WebFault(
            f"The host answers with HTTP {response.status}, and may so answer the provider.",
            certain=False,
        )
    return None


def unpacker(response: aiohttp.ClientResponse) -> Unpack | None:
    """Return what unpacks the body of an answer; None where it is not packed."""
    packed = response.headers.get("Content-Encoding", "").strip().lower() in {"gzip", "x-gzip"}
    return zlib.decompressobj(_GZIP).decompress if packed else None


async def _judge(response: aiohttp.ClientResponse) -> WebPicture | WebFault:
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None  # noqa: PLR2004
    unpack = unpacker(response)
    data, tried = b"", -1
    while len(data) < ENOUGH_BYTES and (piece := await response.content.readany()):
        try:
            data += unpack(piece, ENOUGH_BYTES) if unpack else piece
        except zlib.error:
            return WebFault("What stands at the address cannot be unpacked.", certain=False)
        if is_step(len(data), tried):
            tried = len(data)
            head = read_head(data)
            if head.width or (head.format is None and len(data) >= _PLAIN_BYTES):
                return WebPicture(head, None if unpack else total)
    if not data:
        return WebFault("The host sends an empty file.", certain=True)
    return WebPicture(read_head(data[:ENOUGH_BYTES]), None if unpack else total)


_PLAIN_BYTES = 32
"""So many bytes show whether a file is a picture at all."""


def is_too_large(picture: WebPicture) -> bool:
    """Tell whether a picture has more bytes than the provider takes for an upload."""
    return (picture.size_bytes or 0) > LARGEST_BYTES


def _fault(error: LinkDead | TransferBroken | StoreError, url: str) -> WebFault:
    """Say of an address what is known of links to videos."""
    sentence = (
        error.message.replace("The download link", "The address")
        .replace("The download host", _host(url))
        .replace("The transfer from", "The answer of")
        .replace("The video cannot be downloaded", "The picture cannot be looked at")
        .replace("in the transfer", "in the answer")
    )
    # The provider may be less careful about a redirect that is not encrypted.
    certain = isinstance(error, LinkDead) and "encrypted" not in sentence
    return WebFault(sentence, certain)


def _host(url: str) -> str:
    try:
        return URL(url).host or "The host"
    except ValueError:
        return "The host"
