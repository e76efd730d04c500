"""What a key can ask of itself: GET /v1/balance, /v1/user/balance and /v1/models.

Tested in tests/emulator/test_faults.py and tests/emulator/test_submit.py.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from pipeline.emulator.faults import FaultRule
from pipeline.emulator.gate import CALL
from pipeline.emulator.orders import RefusedError
from pipeline.emulator.provider import Provider
from pipeline.emulator.replies import fault_error, spoil

_CREDITS_PER_USD = 200
_OTHER_UNIT = 7.2
_FULL_USD = 1_000_000.0


class BalanceEndpoint:
    """Tells what the key may spend, and what the account holds."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def key(self, request: web.Request) -> web.StreamResponse:
        """Answer one look at the balance of the key."""
        return self._answer(request, of_account=False)

    async def account(self, request: web.Request) -> web.StreamResponse:
        """Answer one look at the balance of the account."""
        if self._strikes("balance_account_404"):
            raise RefusedError(404, "not_found", "Invalid URL (GET /v1/user/balance)")
        return self._answer(request, of_account=True)

    def _answer(self, request: web.Request, *, of_account: bool) -> web.StreamResponse:
        rule = self._provider.faults.pick("balance")
        if rule is not None:
            request[CALL].fault = rule.kind.name
            return self._faulty(rule)
        remain_usd, used_usd = self._provider.book.money(self._provider.clock())
        if not of_account and self._strikes("balance_key_full"):
            remain_usd = _FULL_USD
        document = _document(remain_usd, used_usd)
        if self._strikes("balance_other_unit"):
            for name in ("remain_balance", "used_balance"):
                document[name] = round(document[name] * _OTHER_UNIT, 6)
        if self._strikes("balance_no_credits"):
            document = {name: one for name, one in document.items() if "credits" not in name}
        return web.json_response(document)

    def _faulty(self, rule: FaultRule) -> web.StreamResponse:
        match rule.kind.name:
            case "balance_success_false":
                return web.json_response({"success": False, "message": "查询失败"})
            case "balance_unlimited":
                document = _document(*self._provider.book.money(self._provider.clock()))
                unlimited = {"unlimited_quota": True, "remain_balance": -1}
                return web.json_response({**document, **unlimited})
            case _:
                return fault_error(rule)

    def _strikes(self, name: str) -> bool:
        return self._provider.faults.strike(name) is not None


def _document(remain_usd: float, used_usd: float) -> dict[str, Any]:
    return {
        "success": True,
        "remain_balance": round(remain_usd, 6),
        "used_balance": round(used_usd, 6),
        "unlimited_quota": False,
        "remain_credits": round(remain_usd * _CREDITS_PER_USD, 3),
        "used_credits": round(used_usd * _CREDITS_PER_USD, 3),
        "credits_per_usd": _CREDITS_PER_USD,
    }


class ModelsEndpoint:
    """Lists the models that the key may use."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call; without `type=video` only models of text come."""
        rule = self._provider.faults.pick("models")
        if rule is None:
            names = self._provider.settings.models + self._provider.settings.own_models
            wanted = request.query.get("type") == "video"
            return web.json_response(_models(names if wanted else ("gpt-5",)))
        request[CALL].fault = rule.kind.name
        if rule.kind.name == "models_listed":
            return web.json_response(_models(tuple(rule.value.split(","))))
        return await spoil(request, rule, lambda: _models(()))


def _models(names: tuple[str, ...]) -> dict[str, Any]:
    listed = [
        {
            "id": name,
            "object": "model",
            "created": 1_626_777_600,
            "owned_by": "custom",
            "supported_endpoint_types": ["openai"],
        }
        for name in names
        if name
    ]
    return {"success": True, "object": "list", "data": listed}
