"""POST /v1/videos/generations."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from pipeline.emulator import replies
from pipeline.emulator.catalogue import AFTER_ACCEPTANCE, UnknownFaultError
from pipeline.emulator.faults import FaultRule
from pipeline.emulator.gate import CALL, CODE, PROMPT
from pipeline.emulator.provider import Provider
from pipeline.emulator.replies import error, fault_error, half, page
from pipeline.emulator.tasks import QUEUED, Order, RefusedError, Task, check_order

_FOREVER_S = 3600.0


class SubmitEndpoint:
    """Accepts submissions, or does not, or does and says otherwise."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one submission."""
        body = await self._body(request)
        order = check_order(body, self._provider.settings.models, self._provider.knows_picture)
        self._check_room(order)
        key = _key(order)
        rule = self._fault(key, order.prompt)
        if rule is not None:
            request[CALL].fault = rule.kind.name
            request[CODE] = rule.kind.code
        if rule is not None and rule.kind.name not in AFTER_ACCEPTANCE:
            return _refusal(request, rule)
        task = self._provider.accept(order, request[CALL])
        slow = self._provider.faults.strike("submit_slow", key, order.prompt)
        if slow is not None:
            await asyncio.sleep(slow.number(1.0))
        return await self._answer(request, task, rule)

    async def _body(self, request: web.Request) -> object:
        try:
            body = await request.json()
        except ValueError:
            raise RefusedError(400, "invalid_json", "the body is not valid JSON") from None
        if isinstance(body, dict):
            request[PROMPT] = str(body.get("prompt", ""))
            request[CALL].client_business_id = str(body.get("client_business_id", ""))
        return body

    def _check_room(self, order: Order) -> None:
        """Refuse what the account has no room or no money for."""
        provider = self._provider
        cap = provider.settings.outstanding_cap
        if cap is not None and provider.outstanding() >= cap:
            raise RefusedError(429, "too_many_tasks", "当前任务数已达上限")
        cost_usd = order.duration_s * provider.settings.price_per_second_usd
        if provider.book.money(provider.clock())[0] < cost_usd:
            raise RefusedError(402, "insufficient_user_quota", "账户余额不足")

    def _fault(self, key: str, prompt: str) -> FaultRule | None:
        try:
            return self._provider.faults.pick("submit", key, prompt)
        except UnknownFaultError as unknown:
            raise RefusedError(400, "unknown_fault", str(unknown)) from None

    async def _answer(
        self, request: web.Request, task: Task, rule: FaultRule | None
    ) -> web.StreamResponse:
        """Answer for an accepted task, truly or not."""
        document = self._document(task)
        match rule.kind.name if rule else "":
            case "":
                return web.json_response(document)
            case "submit_answer_lost":
                politely = rule is not None and rule.value == "close"
                return replies.close(request) if politely else replies.reset(request)
            case "submit_stall":
                seconds = rule.number(_FOREVER_S) if rule else _FOREVER_S
                return await replies.stall(request, seconds)
            case _:
                return _odd(rule, document) if rule else web.json_response(document)

    def _document(self, task: Task) -> dict[str, Any]:
        whole = not self._provider.settings.fractional_times
        return {
            "id": task.task_id,
            "object": "generation.task",
            "model": task.order.model,
            "status": QUEUED,
            "created_at": int(task.created_at) if whole else task.created_at,
        }


def _odd(rule: FaultRule, document: dict[str, Any]) -> web.StreamResponse:
    """Return an answer after acceptance that is not what the page says."""
    match rule.kind.name:
        case "submit_500_after":
            status = int(rule.number(500))
            return error(status, "internal_error", "内部错误", rule.shape or "html")
        case "submit_no_id":
            return web.json_response({k: v for k, v in document.items() if k != "id"})
        case "submit_html":
            return page(200)
        case "submit_half_json":
            return half(document)
        case "submit_id_as_task_id":
            task_id = document.pop("id")
            return web.json_response({"task_id": task_id, **document})
        case _:
            return web.json_response({"code": "success", "message": "", "data": document})


def _refusal(request: web.Request, rule: FaultRule) -> web.StreamResponse:
    """Return the answer of a fault that lets nothing be accepted."""
    match rule.kind.name:
        case "submit_reset":
            return replies.reset(request)
        case "submit_redirect":
            # A client that follows it would be accepted at the other path.
            headers = {"Location": f"{request.path}?redirected=1"}
            return web.Response(status=int(rule.number(307)), headers=headers)
        case "submit_429_seconds":
            return fault_error(rule, {"Retry-After": rule.value or "1"})
        case "submit_429_date":
            then = datetime.now(UTC) + timedelta(seconds=rule.number(1.0) + 1)
            return fault_error(rule, {"Retry-After": format_datetime(then, usegmt=True)})
        case _:
            return fault_error(rule)


def _key(order: Order) -> str:
    """Return what a marker's count belongs to: the row, whatever its attempt."""
    return f"{order.prompt}|{order.duration_s}|{order.frame}|{order.image_urls}"
