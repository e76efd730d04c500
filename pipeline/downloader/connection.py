"""The download host: a connection to it, and what its answers mean.

One HTTP session without credentials and cookies. Redirects are followed by hand: every hop is
judged before anything is sent to it (see `addresses`, and `way` where there is a proxy). `judge`
decides by status and headers alone what an answer means. Range requests are as in RFC 9110: 206
continues only if it says exactly what is missing, 200 is the whole file again, 416 means that
nothing is missing or that our part belongs to another file.

Tested in tests/downloader/test_connection.py and tests/downloader/test_transfer.py.
"""

from __future__ import annotations

import asyncio
import errno
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from pipeline import __version__
from pipeline.disk.failures import store_error
from pipeline.downloader.addresses import CheckedResolver, ForbiddenAddress, public_refusal
from pipeline.downloader.way import Way, explain_proxy, refuse_proxys_own
from pipeline.errors import HostDown, LinkDead, StoreError, TransferBroken
from pipeline.network import DIRECT, Network, Proxy
from pipeline.retryafter import read_http_date, retry_after_s

_READ_BUFFER_BYTES = 256 * 1024
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Nineteen digits are more than any file; int() of far longer ones is refused by Python.
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)")
# Client errors that pass by themselves; all others say that this link will not work again.
_PASSING = frozenset({408, 425, 429})
_OK, _PARTIAL, _UNSATISFIABLE = 200, 206, 416
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
# A Last-Modified is a safe validator only when it is clearly older than the answer.
_SETTLED = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class PartMark:
    """What makes a part resumable: the host's validator of the file, and its whole size.

    `validator` is a strong ETag or a Last-Modified date; `total_bytes` is None if never announced.
    """

    validator: str
    total_bytes: int | None = None


class BodyStep(Enum):
    """What to do with the body of an answer."""

    APPEND = auto()
    REWRITE = auto()
    ASK_AGAIN = auto()  # without a range
    NOTHING_MISSING = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with an answer. `mark` is None if its file cannot be resumed.

    `total_bytes` is the announced size of the whole file, None if it was not announced.
    """

    step: BodyStep
    total_bytes: int | None = None
    mark: PartMark | None = None
    gzip: bool = False


def link_refusal(url: URL, *, allow_private: bool, came_from: URL | None = None) -> str | None:
    """Say why this link may not be followed; None where it may.

    `came_from` is the address that redirected here. With `allow_private` (loopback tests, the
    user's own storage) addresses are not judged and a redirect may leave https.
    """
    if url.scheme not in {"http", "https"}:
        return "it is no http or https address"
    if not url.raw_host:
        return "it names no host"
    if url.raw_user is not None or url.raw_password is not None:
        return "it carries a user name or password"
    return None if allow_private else public_refusal(url, came_from)


def open_session(
    *,
    concurrency: int,
    allow_private: bool,
    stall_s: float,
    connect_s: float,
    resolver: AbstractResolver | None = None,
    network: Network = DIRECT,
    accept: str = "video/mp4, */*;q=0.5",
) -> aiohttp.ClientSession:
    """Open the session. `stall_s` is the longest silence in a body, `connect_s` to connect.

    `accept` says which kinds of file are wanted. `resolver` finds the addresses of names, the
    system's unless given; what it finds is checked, except for the proxies of the `network`.
    """
    resolver = resolver or aiohttp.ThreadedResolver()
    if not allow_private:
        resolver = CheckedResolver(resolver, unjudged=network.proxy_hosts)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=concurrency, resolver=resolver, ssl=network.certificates or True
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        # Packed bodies are unpacked by us, because their ranges and lengths are not the file's.
        auto_decompress=False,
        trust_env=False,
        read_bufsize=_READ_BUFFER_BYTES,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_s, sock_read=stall_s),
        headers={
            "User-Agent": f"reelsheet/{__version__}",
            "Accept": accept,
            "Accept-Encoding": "identity",
        },
    )


@asynccontextmanager
async def request_answer(
    session: aiohttp.ClientSession,
    link: str,
    *,
    have_bytes: int,
    mark: PartMark | None,
    allow_private: bool,
    headers_s: float,
    way: Way,
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Ask for the bytes from `have_bytes` on and yield the answer at the end of the redirects.

    `headers_s` limits the wait for each hop's headers; `way` knows the proxies. Raises LinkDead and
    TransferBroken.
    """
    headers = {"Range": f"bytes={have_bytes}-", "If-Range": mark.validator} if mark else {}
    url, came_from = _parse(link), None
    for _ in range(_MOST_REDIRECTS + 1):
        reason = link_refusal(url, allow_private=allow_private, came_from=came_from)
        if reason:
            raise LinkDead(f"The download link may not be followed: {reason}.")
        proxy = await way.proxy_for(url)
        async with asyncio.timeout(headers_s):
            response = await session.get(
                url, headers=headers, allow_redirects=False, proxy=proxy.url if proxy else None
            )
        if response.status not in _REDIRECTS:
            try:
                refuse_proxys_own(response.status, proxy)
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
        url = URL(link, encoded=link.isascii() and link.isprintable() and " " not in link)
        _ = url.raw_host, url.port, url.raw_user  # they are read when they are asked for first
        return url  # noqa: TRY300 - whatever cannot be read raises above
    except ValueError as error:
        raise LinkDead("The download link cannot be read.") from error


def _next(url: URL, location: str | None) -> URL:
    if not location:
        raise LinkDead("The download link redirects to nowhere.")
    try:
        return url.join(_parse(location.strip()))
    except ValueError as error:
        raise LinkDead("The download link redirects to something unreadable.") from error


def explain_failure(
    error: aiohttp.ClientError | OSError, url_host: str, proxy: Proxy | None = None
) -> LinkDead | TransferBroken | StoreError:
    """Say what a failure of the connection, through a proxy if there is one, means."""
    if (broken := explain_proxy(error, proxy)) is not None:
        return broken
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, ForbiddenAddress):
        return LinkDead(f"The download link may not be followed: {cause.strerror}.")
    if isinstance(error, aiohttp.InvalidURL):
        return LinkDead("The download link cannot be read.")
    if isinstance(cause, OSError) and cause.errno in {errno.EMFILE, errno.ENFILE}:
        return store_error(f"The connection to {url_host}", cause, cannot="be opened")
    if isinstance(error, TimeoutError):
        return TransferBroken(f"{url_host} does not answer or went silent in the transfer.")
    if isinstance(error, aiohttp.ClientConnectorError):
        return HostDown(f"{url_host} cannot be reached ({type(cause).__name__}).")
    return TransferBroken(f"The transfer from {url_host} broke ({type(error).__name__}).")


def judge(
    status: int, headers: Mapping[str, str], have_bytes: int, mark: PartMark | None
) -> Verdict:
    """Judge an answer to a request for a video.

    Args:
        status: The HTTP status.
        headers: The headers.
        have_bytes: How many bytes are here already; the request was for those after them.
        mark: What makes them resumable; None if all bytes were requested.

    Raises:
        LinkDead: This link will not give the video.
        TransferBroken: A later try may.

    """
    if status == _OK:
        return _whole(headers)
    if have_bytes and mark is not None:
        if status == _PARTIAL:
            return _rest(headers, have_bytes, mark)
        if status == _UNSATISFIABLE:
            return _nothing_left(headers, have_bytes, mark)
    raise _refusal(status, headers)


def _refusal(status: int, headers: Mapping[str, str]) -> LinkDead | TransferBroken:
    if _CLIENT_ERROR <= status < _SERVER_ERROR and status not in _PASSING:
        return LinkDead(f"The download host refuses the link (HTTP {status}).")
    return HostDown(
        f"The download host answered with HTTP {status} instead of the video.",
        retry_after_s=retry_after_s(headers, time.time()),
    )


def _whole(headers: Mapping[str, str]) -> Verdict:
    encoding = headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in {"gzip", "x-gzip"}:
        # The ranges of an encoded body are not those of the file: never resumed.
        return Verdict(BodyStep.REWRITE, gzip=True)
    if encoding not in {"identity", ""}:
        raise TransferBroken("The download host sent the video packed in a way not asked for.")
    total = _number(headers.get("Content-Length"))
    validator = strong_validator(headers)
    return Verdict(BodyStep.REWRITE, total, PartMark(validator, total) if validator else None)


def _rest(headers: Mapping[str, str], have_bytes: int, mark: PartMark) -> Verdict:
    """Accept a 206 only if it is the rest of the very file whose beginning we have."""
    found = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    plain = headers.get("Content-Encoding", "identity").strip().lower() in {"identity", ""}
    validator = strong_validator(headers)
    if found is None or not plain or (validator is not None and not _same(validator, mark)):
        return Verdict(BodyStep.ASK_AGAIN)
    first, last = int(found[1]), int(found[2])
    total = mark.total_bytes if found[3] == "*" else int(found[3])
    announced = _number(headers.get("Content-Length"))
    if first != have_bytes or total is None or last != total - 1:
        return Verdict(BodyStep.ASK_AGAIN)
    if mark.total_bytes not in {None, total} or announced not in {None, last - first + 1}:
        return Verdict(BodyStep.ASK_AGAIN)
    return Verdict(BodyStep.APPEND, total, mark)


def _same(validator: str, mark: PartMark) -> bool:
    """Compare validators of the same kind; an ETag says nothing about a date."""
    tag, known_tag = validator.startswith('"'), mark.validator.startswith('"')
    return validator == mark.validator or tag != known_tag


def _nothing_left(headers: Mapping[str, str], have_bytes: int, mark: PartMark) -> Verdict:
    told = headers.get("Content-Range", "").removeprefix("bytes */")
    total = _number(told) if told else mark.total_bytes
    if total == have_bytes and mark.total_bytes in {None, total}:
        return Verdict(BodyStep.NOTHING_MISSING, total, mark)
    return Verdict(BodyStep.ASK_AGAIN)


def strong_validator(headers: Mapping[str, str]) -> str | None:
    """Return what If-Range may name: a strong ETag, otherwise an old enough Last-Modified."""
    etag = headers.get("ETag", "").strip()
    if len(etag) > 1 and etag.startswith('"') and etag.endswith('"'):
        return etag
    if etag:
        return None
    modified = headers.get("Last-Modified", "")
    changed, answered = read_http_date(modified), read_http_date(headers.get("Date", ""))
    if changed is None or answered is None:
        return None
    return modified if answered - changed >= _SETTLED else None


def _number(text: str | None) -> int | None:
    clean = (text or "").strip()
    return int(clean) if re.fullmatch(r"[0-9]{1,19}", clean) else None


def host_of(link: str) -> str:
    """Return the host for a message; the rest of a link is signed and is not shown."""
    try:
        return URL(link).host or "the download host"
    except ValueError:
        return "the download host"
