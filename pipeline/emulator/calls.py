"""Calls about tasks: a submission and a query.

POST /v1/videos/generations and GET /v1/videos/generations/{task_id or client_business_id}.

Tested in tests/emulator/test_tasks.py and tests/emulator/test_submit.py.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from pipeline.emulator.catalogue import UnknownFaultError
from pipeline.emulator.faults import FaultRule
from pipeline.emulator.gate import CALL, CODE, PROMPT
from pipeline.emulator.orders import Order, RefusedError
from pipeline.emulator.pages import check_order
from pipeline.emulator.provider import Provider
from pipeline.emulator.replies import close, delay, fault_error, reset, spoil
from pipeline.emulator.tasks import COMPLETED, FAILED, IN_PROGRESS, QUEUED, Stage, Task

_ROW_HEADER = "X-Rehearsed-Row"
_LONGEST_ROW = 200
# These depend on how the task was asked for and how old it is, and are decided apart.
_TIMED = frozenset({"query_not_found_early", "query_lookup_late", "query_lookup_unsupported"})
_SPELLINGS = {
    "query_status_submitted": (QUEUED, "submitted"),
    "query_status_pending": (QUEUED, "pending"),
    "query_status_processing": (IN_PROGRESS, "processing"),
    "query_status_succeeded": (COMPLETED, "succeeded"),
    "query_status_succeed": (COMPLETED, "succeed"),
    "query_status_success": (COMPLETED, "SUCCESS"),
    "query_status_failure": (FAILED, "FAILURE"),
}
_PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "query_url_result": lambda url: {
        "result": {"type": "video", "data": [{"url": url, "format": "mp4"}]}
    },
    "query_url_plain": lambda url: {"url": url},
    "query_url_data": lambda url: {"data": [{"url": url}]},
    "query_url_not_http": lambda _: {"video_url": "file:///etc/hostname"},
}
"""Where else an answer may have the URL of a video."""


class SubmitEndpoint:
    """Accepts submissions, or does not, or does and says otherwise."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one submission."""
        body = await self._body(request)
        provider, settings = self._provider, self._provider.settings
        order = check_order(body, settings.models, provider.knows_picture, own=settings.own_models)
        order = replace(order, row=unquote(request.headers.get(_ROW_HEADER, ""))[:_LONGEST_ROW])
        self._check_room(order)
        key = _key(order)
        rule = self._fault(key, order.prompt)
        if rule is not None:
            request[CALL].fault = rule.kind.name
            request[CODE] = rule.kind.code
            if not rule.kind.accepted:
                return await _refusal(request, rule)
        task = self._provider.accept(order, request[CALL])
        await delay(self._provider.faults.strike("submit_slow", key, order.prompt))
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
            return close(request) if rule.value == "close" else reset(request)
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
            return await spoil(request, rule, lambda: document)


async def _refusal(request: web.Request, rule: FaultRule) -> web.StreamResponse:
    """Return the answer of a fault that lets nothing be accepted."""
    match rule.kind.name:
        case "submit_redirect":
            # A client that follows it would be accepted at the other path.
            headers = {"Location": "?redirected=1"}
            return web.Response(status=int(rule.number(307)), headers=headers)
        case "submit_429_date":
            then = datetime.now(UTC) + timedelta(seconds=rule.number(1.0) + 1)
            headers = {"Retry-After": format_datetime(then, usegmt=True)}
            return fault_error(rule, headers)
        case _:
            return await spoil(request, rule)


def _key(order: Order) -> str:
    """Return what a marker's count belongs to: the row, whatever its attempt."""
    return f"{order.prompt}|{order.duration_s}|{order.frame}|{order.image_urls}"


class QueryEndpoint:
    """Tells where a task stands."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one query."""
        name = request.match_info["name"]
        book = self._provider.book
        task = book.by_id(name) or book.by_reference(name)
        self._provider.records.queries[task.task_id if task else name] += 1
        if task is None:
            raise _not_found_error()
        call = request[CALL]
        call.task_id = task.task_id
        call.client_business_id = task.order.client_business_id
        if name != task.task_id:
            self._look_up(task)
        self._early(task, "query_not_found_early")
        await delay(self._provider.strike("query_slow", task))
        key, prompt = str(task.number), task.order.prompt
        rule = self._provider.faults.pick("query", key, prompt, skip=_TIMED)
        if rule is None:
            return web.json_response(self._document(task))
        call.fault = rule.kind.name
        return await spoil(request, rule, lambda: self._document(task))

    def _look_up(self, task: Task) -> None:
        """Refuse to find a task by its reference, if so asked."""
        if self._provider.has("query_lookup_unsupported", task):
            raise _not_found_error()
        self._early(task, "query_lookup_late")

    def _early(self, task: Task, name: str) -> None:
        """Know nothing of a task for its first queries, or its first seconds."""
        provider = self._provider
        value = provider.trait(name, task)
        if value:
            early = provider.clock() - task.created_at < float(value)
        else:
            early = value is not None and provider.strike(name, task) is not None
        if early:
            raise _not_found_error()

    def _document(self, task: Task) -> dict[str, Any]:
        """Return the status answer."""
        stage = self._provider.stage(task)
        document = {**self._provider.show_task(task, stage.status), "progress": stage.progress}
        if stage.status == COMPLETED:
            self._complete(document, task, stage)
        elif stage.status == FAILED:
            self._fail(document, task)
        if self._provider.faults.concerns_queries(task.order.prompt):
            self._distort(document, task)
        return document

    def _complete(self, document: dict[str, Any], task: Task, stage: Stage) -> None:
        provider = self._provider
        done_at = stage.completed_at or task.due_at
        document["completed_at"] = provider.shown_time(done_at)
        document["expires_at"] = provider.shown_time(done_at + provider.settings.video_lifetime_s)
        if provider.strike("query_no_url", task) is not None:
            return
        url = provider.video_url(task)
        places = (place(url) for name, place in _PLACES.items() if provider.has(name, task))
        document.update(next(places, {"video_url": url}))

    def _fail(self, document: dict[str, Any], task: Task) -> None:
        code, message = self._provider.failure(task) or ("generation_failed", "")
        if self._provider.has("query_failed_reason", task):
            document["fail_reason"] = message
        else:
            document["error"] = {"code": code, "message": message}

    def _distort(self, document: dict[str, Any], task: Task) -> None:
        """Apply what is wrong with this task's answers."""
        self._distort_progress(document, task)
        strike, has = self._provider.strike, self._provider.has
        for name, (true, spelt) in _SPELLINGS.items():
            if document["status"] == true and has(name, task):
                document["status"] = spelt
        word = self._provider.trait("query_status_word", task)
        if word is not None and document["status"] == COMPLETED:
            document["status"] = word or "ready"
        if has("query_status_upper", task):
            document["status"] = document["status"].upper()
        if strike("query_unknown_status", task) is not None:
            document["status"] = "reticulating"
        if strike("query_missing_status", task) is not None:
            del document["status"]
        if has("query_nested", task):
            _nest(document)

    def _distort_progress(self, document: dict[str, Any], task: Task) -> None:
        has = self._provider.has
        running = document["status"] not in (COMPLETED, FAILED)
        if has("query_progress_stuck", task) and running:
            document["progress"] = 99
        if has("query_progress_jumps", task) and running:
            document["progress"] = random.randrange(100)  # noqa: S311 - not a secret
        if has("query_progress_percent", task):
            document["progress"] = f"{document['progress']}%"
        if has("query_progress_null", task):
            document["progress"] = None
        if has("query_progress_missing", task):
            del document["progress"]


def _nest(document: dict[str, Any]) -> None:
    """Put the task into `data`, and its address into the `data` of that."""
    task = {"task_id": document.pop("id"), **document}
    task["data"] = {"video_url": task.pop("video_url", "")}
    document.clear()
    document.update({"code": "success", "data": task})


def _not_found_error() -> RefusedError:
    return RefusedError(404, "task_not_found", "任务不存在")
