"""The emulator's own endpoints: faults put in force, records read."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from pipeline.emulator.catalogue import UnknownFaultError, list_faults
from pipeline.emulator.faults import rule_from_json
from pipeline.emulator.provider import Provider


class ControlEndpoint:
    """For tests and people; no client of the real service finds these."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def set_faults(self, request: web.Request) -> web.StreamResponse:
        """Replace all rules by a JSON list."""
        try:
            wanted = await request.json()
            if not isinstance(wanted, list):
                raise UnknownFaultError("the body must be a JSON list of faults")
            self._provider.faults.replace([rule_from_json(one) for one in wanted])
        except ValueError as wrong:
            return web.json_response({"error": str(wrong)}, status=400)
        return web.json_response({"faults": self._active()})

    async def get_faults(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        """Return the rules in force, how often they struck, and all that exist."""
        document = {
            "faults": self._active(),
            "strikes": dict(self._provider.faults.strikes),
            "known": dict(list_faults()),
        }
        return web.json_response(document)

    async def records(self, request: web.Request) -> web.StreamResponse:
        """Return what happened; ``?summary=1`` gives the counts alone."""
        records = self._provider.records
        document: dict[str, Any] = {"summary": self.summary()}
        if request.query.get("summary") in (None, "", "0"):
            document = {**records.document(), **document}
        else:
            document = document["summary"]
        return web.json_response(document)

    def summary(self) -> dict[str, Any]:
        """Return the counts, those of tasks included."""
        provider = self._provider
        return {
            **provider.records.summary(),
            "outstanding": provider.outstanding(),
            "peak_outstanding": provider.book.peak_outstanding,
            "strikes": dict(provider.faults.strikes),
        }

    def _active(self) -> list[str]:
        return [str(rule) for rule in self._provider.faults.rules]
