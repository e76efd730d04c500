"""The emulator as one object: two origins on loopback, and endpoints of its own for tests.

Tested in tests/emulator/test_tasks.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from pipeline.emulator.calls import QueryEndpoint, SubmitEndpoint
from pipeline.emulator.catalogue import UnknownFaultError, list_faults
from pipeline.emulator.door import Door
from pipeline.emulator.faults import FaultBoard, rule_from_json
from pipeline.emulator.files import FilesEndpoint, UploadEndpoint
from pipeline.emulator.gate import Gate
from pipeline.emulator.provider import Provider
from pipeline.emulator.records import Records
from pipeline.emulator.settings import EmulatorSettings
from pipeline.emulator.standing import BalanceEndpoint, ModelsEndpoint
from pipeline.emulator.tasks import Task

__all__ = ["Emulator", "EmulatorSettings"]

_BODY_LIMIT_BYTES = 16 << 20


class Emulator:
    """A local ToAPIs in the running event loop.

    ``async with Emulator(EmulatorSettings(quick=True)) as emulator: ...``
    """

    def __init__(
        self,
        settings: EmulatorSettings | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the settings; nothing listens and no file is touched until it is started.

        Args:
            settings: what to be like.
            clock: gives Unix seconds; tests may turn it forward.
        """
        self._settings = settings or EmulatorSettings()
        self._clock = clock
        self._provider: Provider | None = None
        self._door = Door(self._settings.host)
        self._ports = (self._settings.port, self._settings.files_port)
        self.base_url = ""
        self.files_url = ""

    async def start(self) -> None:
        """Listen on both origins; after a stop at the same addresses as before.

        What went before is known again only with a ``state_dir``; records and
        faults begin anew in either case, but for the accepted submissions.
        """
        provider = Provider(self._settings, self._clock)
        self._provider = provider
        try:
            files_port = await self._door.open(_files_app(provider), self._ports[1])
            self.files_url = provider.files_url = self._door.address(files_port)
            provider.begin()
            port = await self._door.open(_api_app(provider), self._ports[0])
            self._ports = (port, files_port)
            self.base_url = self._door.address(port)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop listening, end all work, close the state."""
        await self._door.close()
        if self._provider is not None:
            self._provider.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def records(self) -> Records:
        """What happened so far; still there after the stop."""
        return self._running().records

    @property
    def faults(self) -> FaultBoard:
        """The faults in force: ``add``, ``replace``, ``clear``."""
        return self._running().faults

    @property
    def tasks(self) -> list[Task]:
        """Every accepted task, in order."""
        return list(self._running().book)

    @property
    def peak_outstanding(self) -> int:
        """The most tasks that were unfinished at one time."""
        return self._running().book.peak_outstanding

    def summary(self) -> dict[str, Any]:
        """Return the counts, as ``GET /emulator/records?summary=1`` does."""
        return _summary(self._running())

    def _running(self) -> Provider:
        if self._provider is None:
            raise RuntimeError("the emulator has not been started")
        return self._provider


class _ControlEndpoint:
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
        summary = _summary(self._provider)
        if request.query.get("summary") in (None, "", "0"):
            return web.json_response({**self._provider.records.document(), "summary": summary})
        return web.json_response(summary)

    def _active(self) -> list[str]:
        return [str(rule) for rule in self._provider.faults.rules]


def _summary(provider: Provider) -> dict[str, Any]:
    """Return the counts, those of tasks included."""
    return {
        **provider.records.summary(),
        "outstanding": provider.outstanding(),
        "peak_outstanding": provider.book.peak_outstanding,
        "strikes": dict(provider.faults.strikes),
    }


def _api_app(provider: Provider) -> web.Application:
    """Return the API's routes; the name of a route is the kind of call in the records."""
    submit, query = SubmitEndpoint(provider), QueryEndpoint(provider)
    upload, balance = UploadEndpoint(provider), BalanceEndpoint(provider)
    control = _ControlEndpoint(provider)
    app = web.Application(
        middlewares=[Gate(provider, "api").middleware], client_max_size=_BODY_LIMIT_BYTES
    )
    router = app.router
    router.add_post("/v1/videos/generations", submit.handle, name="submit")
    router.add_get("/v1/videos/generations/{name}", query.handle, name="query")
    router.add_post("/v1/uploads/images", upload.handle, name="upload")
    router.add_get("/v1/balance", balance.key, name="balance")
    router.add_get("/v1/user/balance", balance.account, name="balance_account")
    router.add_get("/v1/models", ModelsEndpoint(provider).handle, name="models")
    control_faults = router.add_resource("/emulator/faults", name="control")
    control_faults.add_route("POST", control.set_faults)
    control_faults.add_route("GET", control.get_faults)
    router.add_get("/emulator/records", control.records, name="control_records")
    return app


def _files_app(provider: Provider) -> web.Application:
    files = FilesEndpoint(provider)
    app = web.Application(middlewares=[Gate(provider, "files").middleware])
    app.router.add_get("/uploads/{number}/{name}", files.upload, name="picture")
    app.router.add_get("/videos/{task_id}/{name}", files.video, name="download")
    app.router.add_get("/moved/videos/{task_id}/{name}", files.video, name="download_moved")
    return app
