"""What can be asked of the API: uploads, submissions, queries, balances and models.

Tested in tests/toapis/test_client.py, test_submit.py and test_free_calls.py.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import io
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath
from typing import Self, TypeVar
from urllib.parse import quote

import aiohttp

from pipeline.concealment import conceal, conceal_secret
from pipeline.config.values import TASK_PATH, address_of, origin_of
from pipeline.disk.failures import explain_os_error
from pipeline.disk.openfile import read_regular
from pipeline.errors import (
    ConfigError,
    NoSuchTask,
    ProviderError,
    Refused,
    Unauthorized,
    Unreachable,
)
from pipeline.manifest.blank import without_controls
from pipeline.model import Balance, BalanceOf, Request, TaskView
from pipeline.models.body import body_of
from pipeline.network import DIRECT, Network
from pipeline.toapis import answers, failures, holdings
from pipeline.toapis.bodies import Received
from pipeline.toapis.calls import Caller
from pipeline.toapis.weblinks import show_plainly

_LARGEST_UPLOAD_BYTES = 10_000_000  # docs/contract.md, "Uploads": "10MB"; the smaller reading
_ROW_HEADER = "X-Rehearsed-Row"
_LONGEST_ROW = 200  # characters of a key that a rehearsal shows; servers take headers of 8 KB
_LONGEST_MESSAGE = 500
_LONGEST_STATUS = 60
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif"}
_BALANCE_PATHS: dict[BalanceOf, str] = {"key": "/v1/balance", "account": "/v1/user/balance"}
_Good = TypeVar("_Good", str, TaskView, Balance, tuple[str, ...])


class ToAPIs:
    """An account at ToAPIs (or at the emulator), as an async context manager.

    Args:
        base_url: Where the API lives, with or without /v1.
        key: Sent in the Authorization header of calls to that origin, and nowhere else.
        submit_timeout_s: The longest wait for the answer to a submission.
        connect_s: The longest wait for a connection.
        query_timeout_s: The longest wait for the answer to a query.
        upload_timeout_s: The longest wait for the answer to an upload.
        connections: The most connections for queries, uploads and the balance together.
        clock: Returns Unix seconds, for a date in Retry-After if the answer has no Date.
        network: The way out: proxies and trusted certificates.
        say_refused: What to do where the key is refused; None for what is true of any key.
        tells_keys: Whether to tell how rows are called: the emulator, and nobody else.

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
        network: Network = DIRECT,
        say_refused: str | None = None,
        tells_keys: bool = False,
    ) -> None:
        self.origin, address = origin_of(base_url), address_of(base_url)
        self._key = _checked_key(key)
        self._say_refused = say_refused
        self._tells_keys = tells_keys
        self._submit_timeout = aiohttp.ClientTimeout(total=submit_timeout_s, connect=connect_s)
        self._query_timeout = aiohttp.ClientTimeout(total=query_timeout_s, connect=connect_s)
        self._upload_timeout = aiohttp.ClientTimeout(total=upload_timeout_s, connect=connect_s)
        self._caller = Caller(
            address, self._key, connections=connections, clock=clock, network=network
        )

    async def __aenter__(self) -> Self:
        await self._caller.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._caller.__aexit__()

    async def upload(
        self,
        path: Path,
        mime_type: str,
        *,
        sha256: str | None = None,
        rewrite: Callable[[bytes, str], bytes] | None = None,
    ) -> str:
        """Upload a picture and return its public URL. Free, and may be repeated.

        Args:
            path: The file.
            mime_type: What its content is.
            sha256: The hash that the content must have; None to take any.
            rewrite: Turns content of such a kind into what is sent; None to send it as it is.

        Raises:
            Refused: The file cannot be read or rewritten, is too large or has another content, or
                the API refuses it (`status` is 200 for an answer with success:false).
            Unauthorized, Throttled, Unreachable: See `errors`.

        """
        content = await asyncio.to_thread(_picture_bytes, path, mime_type, sha256, rewrite)
        form = aiohttp.FormData()
        # In memory, but wrapped: aiohttp warns about bare bytes of more than 1 MB.
        form.add_field(
            "file",
            io.BytesIO(content),
            filename=_upload_name(path, mime_type),
            content_type=mime_type,
        )
        received = await self._caller.call(
            "POST", "/v1/uploads/images", self._upload_timeout, data=form
        )
        # Kept in journals without an emulator's secret, which it wants only where it is asked.
        return conceal_secret(
            self._read_reply(received, answers.picture_url, failures.explain_upload)
        )

    async def submit(
        self,
        request: Request,
        image_urls: Sequence[str],
        client_business_id: str | None,
        key: str = "",
    ) -> str:
        """Submit a request, once, and return the id of its task. This costs money.

        Args:
            request: What is asked for.
            image_urls: The public URLs of its pictures, in order.
            client_business_id: Our own reference; None to send none.
            key: What the row is called; sent in a rehearsal alone.

        Raises:
            NotSent, Throttled: Nothing was accepted; it is safe to submit again.
            Refused, OutOfCredit, Unauthorized: Nothing was accepted, and it would not be next time.
            Unclear: Everything else; it may have been accepted, so look it up first.

        """
        prompt = without_controls(request.prompt)
        body = body_of(request, prompt, image_urls, client_business_id)
        told = quote(key[:_LONGEST_ROW], errors="replace")
        headers = {_ROW_HEADER: told} if self._tells_keys else {}
        received = await self._caller.call(
            "POST",
            "/v1/videos/generations",
            self._submit_timeout,
            paid=True,
            headers=headers,
            json=body,
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
        if reference == self._key:
            raise NoSuchTask("The API key was given in the place of the id of a task.")
        path = f"{TASK_PATH}{quote(reference, safe='', errors='replace')}"
        received = await self._caller.call("GET", path, self._query_timeout)
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

    async def balance(self, of: BalanceOf = "key") -> Balance:
        """Return what the key may still spend, or what the account still holds.

        Raises:
            Unauthorized, Throttled, Unreachable: See `errors`.

        """
        received = await self._caller.call("GET", _BALANCE_PATHS[of], self._query_timeout)
        read = partial(holdings.balance, of=of)
        return self._read_reply(received, read, failures.explain_balance)

    async def video_models(self) -> tuple[str, ...]:
        """Return the names of the video models that the key may use.

        Raises:
            Unauthorized, Throttled, Unreachable: See `errors`.

        """
        received = await self._caller.call("GET", "/v1/models?type=video", self._query_timeout)
        return self._read_reply(received, holdings.model_names, failures.explain_models)

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
        if isinstance(error, Unauthorized) and self._say_refused is not None:
            error.action = self._say_refused
        raise type(error)(
            _presentable(error.message, self._key) or "The API gave no answer.",
            status=error.status,
            code=_presentable(error.code, self._key),
            retry_after_s=error.retry_after_s,
            action=error.action,
            misdirected=error.misdirected,
        )


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
    clean = conceal(show_plainly(text), secret)
    return clean[:_LONGEST_MESSAGE] or None


def _picture_bytes(
    path: Path, mime_type: str, sha256: str | None, rewrite: Callable[[bytes, str], bytes] | None
) -> bytes:
    """Return what is sent of a picture; the file has to be the one that was checked."""
    content = _checked_file(path, sha256)
    if rewrite is None:
        return content
    try:
        return rewrite(content, mime_type)
    except ValueError as fault:
        raise Refused(
            f"The picture {path} cannot be freed of its metadata: {fault}. Open it and save it "
            "again, or set images.metadata to keep, and run again.",
            code="picture_unreadable",
        ) from fault


def _checked_file(path: Path, sha256: str | None) -> bytes:
    """Read a picture whole, and make sure that it is still the picture that was checked."""
    try:
        content = read_regular(path, _LARGEST_UPLOAD_BYTES)
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):  # of us, not of the picture: it passes
            raise Unreachable(f"{path} cannot be read now: {explain_os_error(error)}.") from error
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
