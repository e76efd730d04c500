"""The middlewares of both origins: every call recorded, the key checked, the rate kept.

Tested in tests/emulator/test_submit.py.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from pipeline.emulator.orders import RefusedError
from pipeline.emulator.provider import Provider
from pipeline.emulator.records import Call, Refused
from pipeline.emulator.replies import UNANSWERED, error
from pipeline.emulator.settings import EmulatorSettings


class _TokenBucket:
    """Allows ``per_minute`` calls on average and ``burst`` at once.

    A refused call takes no token, as the provider documents.
    """

    def __init__(self, per_minute: float, burst: int | None, category: str) -> None:
        """Begin full; without a burst ten seconds' worth fit in."""
        self._per_minute = per_minute
        self._per_s = per_minute / 60
        self._size = float(burst if burst is not None else max(1, round(per_minute / 6)))
        self._category = category
        self._tokens = self._size
        self._at: float | None = None

    def take(self, now: float) -> dict[str, str]:
        """Take a token at ``now`` (monotonic seconds) if there is one.

        Returns the headers of the answer; with Retry-After there was none.
        """
        if self._at is not None:
            self._tokens = min(self._size, self._tokens + (now - self._at) * self._per_s)
        self._at = now
        allowed = self._tokens >= 1
        if allowed:
            self._tokens -= 1
        full_s = (self._size - self._tokens) / self._per_s
        headers = {
            "X-RateLimit-Limit": f"{self._per_minute:g}",
            "X-RateLimit-Remaining": str(int(self._tokens)),
            "X-RateLimit-Reset": str(math.ceil(full_s)),
            "X-RateLimit-Category": self._category,
        }
        if not allowed:
            wait_s = (1 - self._tokens) / self._per_s
            headers["Retry-After"] = str(max(1, math.ceil(wait_s)))
        return headers


CALL = web.RequestKey("call", Call)
"""Which call of the API a request is."""
CODE = web.RequestKey("code", str)
"""The error code that a request was answered with, for the log."""
PROMPT = web.RequestKey("prompt", str)
"""The prompt of a submission, for the log."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _kind_of(request: web.Request) -> str:
    """Name the call by its route."""
    return (request.match_info.route.name or "unknown").partition("_")[0]


class Gate:
    """Stands before every handler of one origin."""

    def __init__(self, provider: Provider, origin: str) -> None:
        self._provider = provider
        self._origin = origin
        self._buckets = _buckets(provider.settings)

    @web.middleware
    async def middleware(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Record a call and its answer; tests' own calls pass without a trace."""
        if _kind_of(request) == "control":
            return await handler(request)
        records = self._provider.records
        call = self._call(request)
        request[CALL] = call
        records.note_call(call)
        status = 0
        try:
            answer = await self._answer(request, handler)
            status = 0 if UNANSWERED in request else answer.status
        except web.HTTPException as unknown:
            status = unknown.status
            raise
        finally:
            records.note_answer(call, status)
            if call.kind == "submit" and status and not call.task_id:
                self._note_refused(request, call)
        return answer

    async def _answer(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Answer, with the rate limit's headers on whatever comes out."""
        try:
            headers = self._admit(request)
            answer = await handler(request)
        except RefusedError as refused:
            request[CODE] = refused.code
            headers = refused.headers
            answer = error(refused.status, refused.code, refused.message, refused.shape)
        if headers and not answer.prepared:
            answer.headers.update(headers)
        return answer

    def _admit(self, request: web.Request) -> dict[str, str]:
        """Check key and rate; return headers for the answer."""
        if self._origin == "files":
            return {}
        self._check_key(request.headers.get("Authorization", ""))
        bucket = self._buckets.get(_kind_of(request))
        headers = bucket.take(time.monotonic()) if bucket else {}
        if "Retry-After" in headers:
            raise RefusedError(429, "rate_limit_exceeded", "请求过于频繁", headers=headers)
        return headers

    def _check_key(self, authorization: str) -> None:
        scheme, _, key = authorization.partition(" ")
        wanted = self._provider.settings.key
        if scheme.lower() != "bearer" or not key.strip() or wanted not in (None, key.strip()):
            raise RefusedError(401, "invalid_api_key", "无效的令牌")

    def _call(self, request: web.Request) -> Call:
        headers = request.headers
        return Call(
            number=self._provider.records.next_number(),
            at=self._provider.clock(),
            origin=self._origin,
            kind=_kind_of(request),
            method=request.method,
            path=request.path_qs,
            authorization="Authorization" in headers,
            cookie="Cookie" in headers,
            user_agent=headers.get("User-Agent", ""),
            range=headers.get("Range", ""),
        )

    def _note_refused(self, request: web.Request, call: Call) -> None:
        self._provider.records.refused.append(
            Refused(
                call.number,
                call.at,
                call.status,
                request.get(CODE, ""),
                call.client_business_id,
                request.get(PROMPT, ""),
            )
        )


def _buckets(settings: EmulatorSettings) -> dict[str, _TokenBucket]:
    """Return a bucket for each kind of call that has a limit."""
    limits = {
        "submit": (settings.submit_per_minute, settings.submit_burst),
        "query": (settings.query_per_minute, settings.query_burst),
    }
    return {
        kind: _TokenBucket(per_minute, burst, f"async_{kind}")
        for kind, (per_minute, burst) in limits.items()
        if per_minute
    }
