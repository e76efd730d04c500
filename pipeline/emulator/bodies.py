"""The bodies of answers, in all the shapes that clients have met."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from pipeline.emulator.faults import FaultRule

_FIRST_SERVER_ERROR = 500
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
# The provider answers in the account's language: a client must not read these.
_MESSAGES = {
    401: "无效的令牌",
    402: "账户余额不足",
    429: "请求过于频繁",
    500: "内部错误",
}


def page(status: int) -> web.Response:
    """Return the HTML page of a proxy in front of the service."""
    text = (
        "<!DOCTYPE html><html><head><title>Gateway</title></head>"
        f"<body><center><h1>{status}</h1></center><hr><center>nginx</center></body></html>"
    )
    return web.Response(status=status, text=text, content_type="text/html")


def error(
    status: int,
    code: str,
    message: str,
    shape: str = "error",
    headers: dict[str, str] | None = None,
) -> web.Response:
    """Return an error answer in one of the shapes of the catalogue."""
    if shape == "html":
        answer = page(status)
        answer.headers.update(headers or {})
        return answer
    return web.json_response(_shaped(status, code, message, shape), status=status, headers=headers)


def _shaped(status: int, code: str, message: str, shape: str) -> dict[str, Any]:
    other = "server_error" if status >= _FIRST_SERVER_ERROR else "invalid_request_error"
    kind = _TYPES.get(status, other)
    match shape:
        case "error_int":
            return {"error": {"code": status, "message": message, "type": kind}}
        case "success":
            return {"success": False, "message": message}
        case "message":
            return {"message": code}
        case "flat":
            return {"code": code, "message": message, "data": None}
        case "plain":
            return {"error": message}
        case _:
            return {"error": {"code": code, "message": message, "type": kind}}


def fault_error(rule: FaultRule, headers: dict[str, str] | None = None) -> web.Response:
    """Return the plain error answer of a fault."""
    kind = rule.kind
    status = kind.status
    if kind.value == "STATUS" and rule.value.isdigit():
        status = int(rule.value)
    message = f"{_MESSAGES.get(status, kind.code)} ({kind.code})"
    return error(status, kind.code, message, rule.shape or kind.shape, headers)


def half(document: dict[str, Any]) -> web.Response:
    """Return the first half of a JSON document, as if it were whole."""
    text = json.dumps(document)
    body = text[: len(text) // 2].encode()
    return web.Response(body=body, content_type="application/json")
