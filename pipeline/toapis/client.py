"""The calls themselves, over aiohttp: each is sent once and gives an `Answer` or a `Silence`.

Tested in tests/toapis/test_client.py, test_submit.py and test_free_calls.py.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any, Self, TypeVar
from urllib.parse import quote

import aiohttp
from yarl import URL

from pipeline.concealment import conceal
from pipeline.config.values import TASK_PATH, origin_of
from pipeline.disk.failures import explain_os_error
from pipeline.disk.openfile import read_regular
from pipeline.errors import ConfigError, NoSuchTask, ProviderError, Refused
from pipeline.model import Balance, Request, TaskView
from pipeline.retryafter import retry_after_s
from pipeline.toapis import answers, failures
from pipeline.toapis.answers import Answer, Received, Silence
from pipeline.toapis.weblinks import UNPRINTABLE

_LONGEST_BODY_BYTES = 1_000_000
_LARGEST_UPLOAD_BYTES = 10_000_000  # docs/contract.md, "Uploads": "10MB"; the smaller reading
_LONGEST_MESSAGE = 500
_LONGEST_STATUS = 60
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif"}
_Good = TypeVar("_Good", str, TaskView, Balance)


class ToAPIs:
    """An account at ToAPIs (or at the emulator), as an async context manager.

    Each submission has a connection of its own: one kept alive may turn out dead just when a paid
    call went into it, and nobody could tell whether it was read. A handshake per submission is
    cheap at a few submissions per second. aiohttp itself repeats only idempotent methods
    (`IDEMPOTENT_METHODS` in its client.py), never a POST.

    Args:
        base_url: Where the API lives, with or without /v1.
        key: Sent in the Authorization header of calls to that origin, and nowhere else.
        submit_timeout_s: The longest wait for the answer to a submission.
        connect_s: The longest wait for a connection.
        query_timeout_s: The longest wait for the answer to a query.
        upload_timeout_s: The longest wait for the answer to an upload.
        connections: The most connections for queries, uploads and the balance together.
        clock: Returns Unix seconds, for a date in Retry-After if the answer has no Date.

    Raises:
        ConfigError: The base URL or the key cannot be used.

    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        submit_timeout_s: float = 180,
        connect_s: float = 30,
        query_timeout_s: float = 30,
        upload_timeout_s: float = 120,
        connections: int = 100,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.origin = origin_of(base_url)
        self._key = _checked_key(key)
        self._submit_timeout = aiohttp.ClientTimeout(total=submit_timeout_s, connect=connect_s)
        self._query_timeout = aiohttp.ClientTimeout(total=query_timeout_s, connect=connect_s)
        self._upload_timeout = aiohttp.ClientTimeout(total=upload_timeout_s, connect=connect_s)
        self._connections = connections
        self._clock = clock
        self._paid: aiohttp.ClientSession | None = None
        self._free: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # No limit here: the cap on submissions in flight is the caller's, and waiting for a place
        # in the pool must not eat the time to connect.
        self._paid = _session(aiohttp.TCPConnector(force_close=True, limit=0))
        self._free = _session(aiohttp.TCPConnector(limit=self._connections))
        return self

    async def __aexit__(self, *_: object) -> None:
        sessions, self._paid, self._free = (self._paid, self._free), None, None
        for session in filter(None, sessions):
            await session.close()

    async def upload(self, path: Path, mime_type: str, *, sha256: str | None = None) -> str:
        """Upload a picture and return its public URL. Free, and may be repeated.

        Args:
            path: The file.
            mime_type: What its content is.
            sha256: The hash that the content must have; None to take any.

        Raises:
            Refused: The file cannot be read, is too large or has another content, or the API
                refuses it (`status` is 200 for an answer with success:false).
            Unauthorized, Throttled, Unreachable: See `errors`.

        """
        content = await asyncio.to_thread(_picture_bytes, path, sha256)
        form = aiohttp.FormData()
        # In memory, but wrapped: aiohttp warns about bare bytes of more than 1 MB.
        form.add_field(
            "file",
            io.BytesIO(content),
            filename=_upload_name(path, mime_type),
            content_type=mime_type,
        )
        received = await self._call(
            self._free, "POST", "/v1/uploads/images", self._upload_timeout, data=form
        )
        return self._read_reply(received, answers.picture_url, failures.explain_upload)

    async def submit(
        self, request: Request, image_urls: Sequence[str], client_business_id: str | None
    ) -> str:
        """Submit a request, once, and return the id of its task. This costs money.

        Args:
            request: What is asked for.
            image_urls: The public URLs of its pictures, in order.
            client_business_id: Our own reference; None to send none.

        Raises:
            NotSent, Throttled: Nothing was accepted; it is safe to submit again.
            Refused, OutOfCredit, Unauthorized: Nothing was accepted, and it would not be next time.
            Unclear: Everything else; it may have been accepted, so look it up first.

        """
        body: dict[str, object] = {
            "model": request.model,
            "prompt": request.prompt,
            "duration": request.duration,
            "aspect_ratio": request.aspect_ratio,
            "resolution": request.resolution,
        }
        if image_urls:
            body["image_urls"] = list(image_urls)
        if client_business_id is not None:
            body["client_business_id"] = client_business_id
        received = await self._call(
            self._paid, "POST", "/v1/videos/generations", self._submit_timeout, json=body
        )
        return self._read_reply(received, answers.accepted_task, failures.explain_submission)

    async def query(self, reference: str) -> TaskView:
        """Return the task with this id or this `client_business_id`, as it is now.

        Raises:
            NoSuchTask: The API does not know it, or not yet.
            Unauthorized, Throttled, Unreachable: See `errors`.

        """
        if not reference.strip(" ."):
            raise NoSuchTask(f"{reference!r} is not the id of a task.")
        path = f"{TASK_PATH}{quote(reference, safe='')}"
        received = await self._call(self._free, "GET", path, self._query_timeout)
        view = self._read_reply(received, answers.task_view, failures.explain_query)
        told = (view.error_code, view.error_message, view.unknown_status, view.url_fault)
        if not any(told):
            return view
        code, message, status, fault = (_presentable(text, self._key) for text in told)
        return replace(
            view,
            error_code=code,
            error_message=message,
            unknown_status=status and status[:_LONGEST_STATUS],
            url_fault=fault,
        )

    async def balance(self) -> Balance:
        """Return what the account still holds.

        Raises:
            Unauthorized, Throttled, Unreachable: See `errors`.

        """
        received = await self._call(self._free, "GET", "/v1/balance", self._query_timeout)
        return self._read_reply(received, answers.balance, failures.explain_balance)

    async def _call(
        self,
        session: aiohttp.ClientSession | None,
        method: str,
        path: str,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own record of three times
        **payload: Any,  # noqa: ANN401 - `json` or `data`, as aiohttp takes them
    ) -> Received:
        """Make a call, once.

        Failures are returned, not chained: aiohttp's exceptions carry the request's headers and
        with them the key.
        """
        if session is None:
            raise RuntimeError("ToAPIs is used outside of its `async with` block")
        answer: Answer | None = None
        try:
            async with session.request(
                method,
                URL(self.origin + path, encoded=True),
                **payload,
                headers={"Authorization": f"Bearer {self._key}"},
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                wait_s = None
                if "Retry-After" in response.headers:
                    wait_s = retry_after_s(response.headers, self._clock())
                answer = Answer(response.status, await _bounded_body(response), wait_s)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            # Raised only while connecting (refused, DNS, TLS handshake, connect timeout).
            return Silence(sent=False, reason=_reason(error))
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            # A failure while the connection is handed back does not undo a whole answer.
            return answer or Silence(sent=True, reason=_reason(error))
        return answer

    def _read_reply(
        self,
        received: Received,
        read: Callable[[Received], _Good | None],
        failed: Callable[[Received], ProviderError],
    ) -> _Good:
        """Return what `read` finds, or raise what `failed` says, without anything secret in it."""
        good = read(received)
        if good is not None:
            return good
        error = failed(received)
        raise type(error)(
            _presentable(error.message, self._key) or "The API gave no answer.",
            status=error.status,
            code=_presentable(error.code, self._key),
            retry_after_s=error.retry_after_s,
            action=error.action,
        )


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    """Open a session that takes nothing from its surroundings: no proxy, no netrc, no cookies."""
    return aiohttp.ClientSession(
        connector=connector,
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
    (aiohttp.ClientConnectorCertificateError, "the certificate of the host is not trusted"),
    (aiohttp.ClientSSLError, "the TLS handshake failed"),
    (aiohttp.ClientConnectorError, "the connection was refused or broke off"),
    (TimeoutError, "no answer came in time"),
    (aiohttp.ServerDisconnectedError, "the connection was closed without an answer"),
    (aiohttp.ClientResponseError, "the answer was not valid HTTP"),
)


def _reason(error: Exception) -> str:
    """Say in plain words what broke; aiohttp's own texts are for programmers."""
    known = (words for kind, words in _REASONS if isinstance(error, kind))
    return next(known, f"the connection broke ({type(error).__name__})")


def _checked_key(key: str) -> str:
    if not re.fullmatch(r"[!-~]+", key):
        raise ConfigError(
            "The API key is empty or holds a space, a line break or a letter that no key has.",
            action="Copy the key again into the variable that api.key_env names.",
        )
    return key


def _presentable(text: str | None, secret: str) -> str | None:
    """Return a provider's text fit for logs: a line without key or signed URL, at most 500 long."""
    if text is None:
        return None
    clean = conceal(UNPRINTABLE.sub(" ", text), secret).strip()
    return clean[:_LONGEST_MESSAGE] or None


def _picture_bytes(path: Path, sha256: str | None) -> bytes:
    """Read a picture whole, and make sure that it is still the picture that was checked."""
    try:
        content = read_regular(path, _LARGEST_UPLOAD_BYTES)
    except OSError as error:
        raise Refused(
            f"The picture {path} cannot be read: {explain_os_error(error)}.",
            code="picture_unreadable",
            action="Put the picture back in its place, then run again.",
        ) from error
    if len(content) > _LARGEST_UPLOAD_BYTES:
        raise Refused(
            f"The picture {path} has more than {_LARGEST_UPLOAD_BYTES:,} bytes.",
            code="picture_too_large",
            action="Save it smaller, then run again.",
        )
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise Refused(
            f"The picture {path} has changed since it was checked.",
            code="picture_changed",
            action="Run again, so that the new picture is checked and sent.",
        )
    return content


def _upload_name(path: PurePath, mime_type: str) -> str:
    """Return a plain ASCII name whose suffix agrees with the content, whatever the file says."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-")[:60] or "picture"
    return stem + _SUFFIXES.get(mime_type, "")
