"""GET /v1/videos/generations/{task_id or client_business_id}, and GET /v1/balance.

Tested in tests/emulator/test_tasks.py.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

from aiohttp import web

from pipeline.emulator import replies
from pipeline.emulator.faults import FaultRule
from pipeline.emulator.gate import CALL
from pipeline.emulator.provider import Provider
from pipeline.emulator.replies import fault_error, half, page
from pipeline.emulator.tasks import (
    COMPLETED,
    FAILED,
    IN_PROGRESS,
    QUEUED,
    RefusedError,
    Stage,
    Task,
)

_FOREVER_S = 3600.0
_CREDITS_PER_USD = 200
# These depend on how the task was asked for and how old it is, and are decided apart.
_TIMED = frozenset({"query_not_found_early", "query_lookup_late", "query_lookup_unsupported"})
_SPELLINGS = {
    "query_status_submitted": (QUEUED, "submitted"),
    "query_status_pending": (QUEUED, "pending"),
    "query_status_processing": (IN_PROGRESS, "processing"),
    "query_status_succeeded": (COMPLETED, "succeeded"),
}


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
            raise _not_found()
        call = request[CALL]
        call.task_id = task.task_id
        call.client_business_id = task.order.client_business_id
        if name != task.task_id:
            self._look_up(task)
        self._early(task, "query_not_found_early")
        key, prompt = str(task.number), task.order.prompt
        slow = self._provider.faults.strike("query_slow", key, prompt)
        if slow is not None:
            await asyncio.sleep(slow.number(1.0))
        rule = self._provider.faults.pick("query", key, prompt, skip=_TIMED)
        if rule is None:
            return web.json_response(self._document(task))
        call.fault = rule.kind.name
        return await self._faulty(request, task, rule)

    def _look_up(self, task: Task) -> None:
        """Refuse to find a task by its reference, if so asked."""
        if self._provider.trait("query_lookup_unsupported", task) is not None:
            raise _not_found()
        self._early(task, "query_lookup_late")

    def _early(self, task: Task, name: str) -> None:
        """Know nothing of a task for its first queries, or its first seconds."""
        provider = self._provider
        value = provider.trait(name, task)
        if value is None:
            return
        if value:
            early = provider.clock() - task.created_at < float(value)
        else:
            struck = provider.faults.strike(name, str(task.number), task.order.prompt)
            early = struck is not None
        if early:
            raise _not_found()

    async def _faulty(
        self, request: web.Request, task: Task, rule: FaultRule
    ) -> web.StreamResponse:
        match rule.kind.name:
            case "query_reset":
                return replies.reset(request)
            case "query_stall":
                return await replies.stall(request, rule.number(_FOREVER_S))
            case "query_html":
                return page(200)
            case "query_half_json":
                return half(self._document(task))
            case "query_429_seconds":
                return fault_error(rule, {"Retry-After": rule.value or "1"})
            case _:
                return fault_error(rule)

    def _document(self, task: Task) -> dict[str, Any]:
        """Return the status answer."""
        stage = self._provider.stage(task)
        document: dict[str, Any] = {
            "id": task.task_id,
            "object": "generation.task",
            "model": task.order.model,
            "status": stage.status,
            "progress": stage.progress,
            "created_at": self._time(task.created_at),
        }
        if stage.status == COMPLETED:
            self._complete(document, task, stage)
        elif stage.status == FAILED:
            self._fail(document, task)
        if self._provider.faults.concerns("query", task.order.prompt):
            self._distort(document, task)
        return document

    def _complete(self, document: dict[str, Any], task: Task, stage: Stage) -> None:
        done_at = stage.completed_at or task.due_at
        document["completed_at"] = self._time(done_at)
        document["expires_at"] = self._time(done_at + self._provider.settings.video_lifetime_s)
        provider = self._provider
        key, prompt = str(task.number), task.order.prompt
        if provider.faults.strike("query_no_url", key, prompt) is not None:
            return
        document.update(self._place(task, provider.video_url(task)))

    def _place(self, task: Task, url: str) -> dict[str, Any]:
        """Return the URL where this task's answer has it."""
        trait = self._provider.trait
        if trait("query_url_result", task) is not None:
            return {"result": {"type": "video", "data": [{"url": url, "format": "mp4"}]}}
        if trait("query_url_plain", task) is not None:
            return {"url": url}
        if trait("query_url_data", task) is not None:
            return {"data": [{"url": url}]}
        if trait("query_url_not_http", task) is not None:
            return {"video_url": "file:///etc/hostname"}
        return {"video_url": url}

    def _fail(self, document: dict[str, Any], task: Task) -> None:
        code, message = self._provider.failure(task) or ("generation_failed", "")
        if self._provider.trait("query_failed_reason", task) is not None:
            document["fail_reason"] = message
        else:
            document["error"] = {"code": code, "message": message}

    def _distort(self, document: dict[str, Any], task: Task) -> None:
        """Apply what is wrong with this task's answers."""
        self._distort_progress(document, task)
        faults, trait = self._provider.faults, self._provider.trait
        for name, (true, spelt) in _SPELLINGS.items():
            if document["status"] == true and trait(name, task) is not None:
                document["status"] = spelt
        if trait("query_status_upper", task) is not None:
            document["status"] = document["status"].upper()
        key, prompt = str(task.number), task.order.prompt
        if faults.strike("query_unknown_status", key, prompt) is not None:
            document["status"] = "reticulating"
        if faults.strike("query_missing_status", key, prompt) is not None:
            del document["status"]

    def _distort_progress(self, document: dict[str, Any], task: Task) -> None:
        trait = self._provider.trait
        running = document["status"] not in (COMPLETED, FAILED)
        if trait("query_progress_stuck", task) is not None and running:
            document["progress"] = 99
        if trait("query_progress_jumps", task) is not None and running:
            document["progress"] = random.randrange(100)  # noqa: S311 - not a secret
        if trait("query_progress_null", task) is not None:
            document["progress"] = None
        if trait("query_progress_missing", task) is not None:
            del document["progress"]

    def _time(self, seconds: float) -> float:
        fractional = self._provider.settings.fractional_times
        return round(seconds, 3) if fractional else int(seconds)


class BalanceEndpoint:
    """Tells what the account holds."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one look at the balance."""
        rule = self._provider.faults.pick("balance")
        if rule is None:
            return web.json_response(self._document())
        request[CALL].fault = rule.kind.name
        match rule.kind.name:
            case "balance_success_false":
                return web.json_response({"success": False, "message": "查询失败"})
            case "balance_unlimited":
                unlimited = {"unlimited_quota": True, "remain_balance": -1}
                return web.json_response({**self._document(), **unlimited})
            case _:
                return fault_error(rule)

    def _document(self) -> dict[str, Any]:
        remain_usd, used_usd = self._provider.book.money(self._provider.clock())
        return {
            "success": True,
            "remain_balance": round(remain_usd, 6),
            "used_balance": round(used_usd, 6),
            "unlimited_quota": False,
            "remain_credits": round(remain_usd * _CREDITS_PER_USD, 3),
            "used_credits": round(used_usd * _CREDITS_PER_USD, 3),
            "credits_per_usd": _CREDITS_PER_USD,
        }


def _not_found() -> RefusedError:
    return RefusedError(404, "task_not_found", "任务不存在")
