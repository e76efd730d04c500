"""One call over aiohttp: it is sent once and gives an `Answer` or a `Silence`.

Tested in tests/toapis/test_client.py, test_submit.py and test_free_calls.py.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Any, Self

import aiohttp
from yarl import URL

from pipeline.network import UNTRUSTED, WANTS_PASSWORD, Network, broke_at_proxy
from pipeline.retryafter import retry_after_s
from pipeline.toapis.bodies import Answer, Received, Silence, conceal_key

_LONGEST_BODY_BYTES = 1_000_000


class Caller:
    """Calls one origin with one key, which goes nowhere else; an async context manager.

    Answers that hold the key come without it.

    Each paid call has a connection of its own: one kept alive may turn out dead just when a paid
    call went into it, and nobody could tell whether it was read. A handshake per submission is
    cheap at a few submissions per second. aiohttp itself repeats only idempotent methods
    (`IDEMPOTENT_METHODS` in its client.py), never a POST.

    Args:
        address: What the paths of the API follow: `scheme://host[:port]`, perhaps more.
        key: Sent in the Authorization header.
        connections: The most connections for free calls.
        clock: Returns Unix seconds.
        network: The way to the origin.

    """

    def __init__(
        self,
        address: str,
        key: str,
        *,
        connections: int,
        clock: Callable[[], float],
        network: Network,
    ) -> None:
        self._address = address
        self._key = key
        self._proxy = network.proxy_for(address)
        self._certificates = network.certificates or True
        self._connections = connections
        self._clock = clock
        self._paid: aiohttp.ClientSession | None = None
        self._free: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # No limit here: the cap on submissions in flight is the caller's, and waiting for a place
        # in the pool must not eat the time to connect.
        trusted = self._certificates
        self._paid = _session(aiohttp.TCPConnector(force_close=True, limit=0, ssl=trusted))
        self._free = _session(aiohttp.TCPConnector(limit=self._connections, ssl=trusted))
        return self

    async def __aexit__(self, *_: object) -> None:
        sessions, self._paid, self._free = (self._paid, self._free), None, None
        for session in filter(None, sessions):
            await session.close()

    async def call(
        self,
        method: str,
        path: str,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own record of three times
        *,
        paid: bool = False,
        headers: Mapping[str, str] = MappingProxyType({}),
        **payload: Any,  # noqa: ANN401 - `json` or `data`, as aiohttp takes them
    ) -> Received:
        """Make a call, once.

        Failures are returned, not chained: aiohttp's exceptions carry the request's headers and
        with them the key.

        Args:
            method: That of HTTP.
            path: What follows the origin, escaped.
            timeout: The longest waits.
            paid: Whether it costs money.
            headers: Further ones.
            payload: What is sent along.

        """
        session = self._paid if paid else self._free
        if session is None:
            raise RuntimeError("ToAPIs is used outside of its `async with` block")
        answer: Answer | None = None
        way = _Way()
        try:
            async with session.request(
                method,
                URL(self._address + path, encoded=True),
                **payload,
                headers={**headers, "Authorization": f"Bearer {self._key}"},
                timeout=timeout,
                allow_redirects=False,
                proxy=self._proxy.url if self._proxy else None,
                trace_request_ctx=way,
            ) as response:
                wait_s = None
                if "Retry-After" in response.headers:
                    wait_s = retry_after_s(response.headers, self._clock())
                body = await _bounded_body(response)
                told = None if body is None else conceal_key(body, self._key)
                answer = Answer(response.status, told, wait_s)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            # Raised only while connecting (refused, DNS, TLS handshake, connect timeout).
            wrong = _is_misdirected(error)
            return Silence(sent=False, reason=self._reason(error), misdirected=wrong)
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            # A failure while the connection is handed back does not undo a whole answer.
            wrong = _is_misdirected(error)
            return answer or Silence(
                sent=way.stands, reason=self._reason(error, way), misdirected=wrong
            )
        return answer

    def _reason(self, error: Exception, way: _Way | None = None) -> str:
        """Say in plain words what broke; aiohttp's own texts are for programmers."""
        if self._proxy is not None:
            if isinstance(error, aiohttp.ClientHttpProxyError):
                return self._proxy.explain(error.status)
            untold = way is not None and not way.stands and not isinstance(error, TimeoutError)
            if untold or broke_at_proxy(error):
                return self._proxy.explain()
        known = (words for kind, words in _REASONS if isinstance(error, kind))
        return next(known, f"the connection broke ({type(error).__name__})")


@dataclass(slots=True)
class _Way:
    """Whether the connection of a call stands, through a tunnel where there is a proxy.

    Until then nothing has been sent to the API.
    """

    stands: bool = False


async def _note_connection(_: object, context: SimpleNamespace, __: object) -> None:
    context.trace_request_ctx.stands = True


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    """Open a session that takes nothing from its surroundings: no proxy, no netrc, no cookies."""
    watch = aiohttp.TraceConfig()
    watch.on_connection_create_end.append(_note_connection)
    watch.on_connection_reuseconn.append(_note_connection)
    return aiohttp.ClientSession(
        connector=connector,
        trace_configs=[watch],
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        headers={"Accept": "application/json"},
    )


async def _bounded_body(response: aiohttp.ClientResponse) -> bytes | None:
    """Read a body of at most `_LONGEST_BODY_BYTES`; None if it is longer or breaks off."""
    body = bytearray()
    try:
        while piece := await response.content.readany():
            body += piece
            if len(body) > _LONGEST_BODY_BYTES:
                response.close()
                return None
    except (aiohttp.ClientError, OSError):  # the status still counts: see `failures`
        response.close()
        return None
    return bytes(body)


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ConnectionTimeoutError, "no connection came about in time"),
    (aiohttp.ClientConnectorDNSError, "the name of the host cannot be resolved"),
    (aiohttp.ClientConnectorCertificateError, UNTRUSTED),
    (aiohttp.ClientSSLError, "the TLS handshake failed"),
    (aiohttp.ClientConnectorError, "the connection was refused or broke off"),
    (TimeoutError, "no answer came in time"),
    (aiohttp.ServerDisconnectedError, "the connection was closed without an answer"),
    (aiohttp.ClientResponseError, "the answer was not valid HTTP"),
)


def _is_misdirected(error: Exception) -> bool:
    """Return whether no waiting helps if it was so from the beginning: a setting may be wrong.

    Not while a name server only cannot be reached. A proxy that wants a password will go on to.
    """
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return error.status == WANTS_PASSWORD
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return error.os_error.errno != socket.EAI_AGAIN
    return isinstance(error, aiohttp.ClientConnectorCertificateError)
