"""POST /v1/videos/generations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from pipeline.emulator import replies
from pipeline.emulator.catalogue import UnknownFaultError
from pipeline.emulator.faults import FaultRule
from pipeline.emulator.gate import CALL, CODE, PROMPT
from pipeline.emulator.provider import Provider
from pipeline.emulator.tasks import QUEUED, Order, RefusedError, check_order


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
            if not rule.kind.accepted:
                return await _refusal(request, rule)
        task = self._provider.accept(order, request[CALL])
        await replies.delay(self._provider.faults.strike("submit_slow", key, order.prompt))
        document = self._provider.show_task(task, QUEUED)
        return await _odd(request, rule, document) if rule else web.json_response(document)

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


async def _odd(
    request: web.Request, rule: FaultRule, document: dict[str, Any]
) -> web.StreamResponse:
    """Return an answer after acceptance that is not what the page says."""
    match rule.kind.name:
        case "submit_answer_lost":
            return replies.close(request) if rule.value == "close" else replies.reset(request)
        case "submit_no_id":
            del document["id"]
            return web.json_response(document)
        case "submit_id_as_task_id":
            return web.json_response({"task_id": document.pop("id"), **document})
        case "submit_id_in_list":
            task_id = document.pop("id")
            entry = {"status": "submitted", "task_id": task_id}
            return web.json_response({"code": 200, "data": [entry]})
        case "submit_id_in_data":
            return web.json_response({"code": "success", "message": "", "data": document})
        case _:
            return await replies.spoil(request, rule, lambda: document)


async def _refusal(request: web.Request, rule: FaultRule) -> web.StreamResponse:
    """Return the answer of a fault that lets nothing be accepted."""
    match rule.kind.name:
        case "submit_redirect":
            # A client that follows it would be accepted at the other path.
            headers = {"Location": f"{request.path}?redirected=1"}
            return web.Response(status=int(rule.number(307)), headers=headers)
        case "submit_429_date":
            then = datetime.now(UTC) + timedelta(seconds=rule.number(1.0) + 1)
            headers = {"Retry-After": format_datetime(then, usegmt=True)}
            return replies.fault_error(rule, headers)
        case _:
            return await replies.spoil(request, rule)


def _key(order: Order) -> str:
    """Return what a marker's count belongs to: the row, whatever its attempt."""
    return f"{order.prompt}|{order.duration_s}|{order.frame}|{order.image_urls}"
