"""Who downloads the videos of a run: the run itself, or the workers that its settings ask for.

With workers it is noted beside each output folder who they are, for as long as the run goes on.

Tested in tests/system/test_fleet.py and tests/runner/test_manning.py.
"""

from __future__ import annotations

import contextlib
import json
import platform
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pipeline import __version__
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import open_to_read_bytes
from pipeline.disk.place import place_in_cache
from pipeline.disk.rights import make_cache, make_folder_for
from pipeline.engine.engine import Engine
from pipeline.runner.order import Order
from pipeline.runner.signals import Brake
from pipeline.storage.places import is_bucket

if TYPE_CHECKING:
    from pipeline.fleet.fleet import Fleet
    from pipeline.fleet.roster import Worker
    from pipeline.scheduler.scheduler import Scheduler

_PROBE = ".reelsheet-shared"
_NOTE = "workers.json"


class Manning:
    """The workers of a run, if it has any; an async context manager.

    Args:
        orders: Those of its lanes.
        brake: Ends the wait for workers.
        private: Whether videos come from this machine alone.
        say: Is told what happens to workers.

    """

    def __init__(
        self, orders: Sequence[Order], brake: Brake, *, private: bool, say: Callable[[str], None]
    ) -> None:
        self._orders = orders
        self._brake = brake
        self._private = private
        self._say = say
        self._config = orders[0].config
        self._scheduler: Scheduler | None = None
        self._stack = AsyncExitStack()
        self.fleet: Fleet | None = None
        self.workers: tuple[int, int] | None = (0, 0) if self._config.has_workers else None

    async def __aenter__(self) -> Self:
        """Wait for a worker, if there are to be any; raises Unfinished if none is fit."""
        if not self._config.has_workers:
            return self
        from pipeline.fleet.crew import Hands  # noqa: PLC0415 - Dask is loaded for workers alone
        from pipeline.fleet.opening import open_fleet  # noqa: PLC0415

        scratch = self._orders[0].folder.coming
        for order in self._orders:
            self._stack.callback(_forget, order.folder)
        probes = self._stack.enter_context(self._probes())
        make_cache(scratch.parent, self._orders[0].checked.manifest.path)
        opening = open_fleet(
            self._config,
            self._notice(probes),
            scratch / "workers",
            Hands(self._say, self._note),
        )
        try:
            entering = self._stack.enter_async_context(opening)
            self.fleet = await self._brake.unless_pressed(entering)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._scheduler = None
        await self._stack.aclose()

    def attend(self, scheduler: Scheduler) -> None:
        """Have as many videos asked for at a time as there are slots, from now on."""
        self._scheduler = scheduler
        self._steer()

    def _steer(self) -> None:
        if self._scheduler is not None and self.workers is not None:
            slots = max(1, self.workers[1])

            def download(engine: Engine) -> None:
                engine.download_at_once(slots)

            self._scheduler.steer(download)

    def _note(self, workers: Sequence[Worker]) -> None:
        """Take note of who is there: for the screen, for the engine, for `status`."""
        self.workers = len(workers), sum(one.slots for one in workers)
        listed = [{"pid": one.pid, "slots": one.slots} for one in workers]
        for order in self._orders:
            with contextlib.suppress(OSError):  # who is at work is news, and no more
                place_in_cache(order.folder.cache / _NOTE, json.dumps(listed).encode())
        self._steer()

    @contextlib.contextmanager
    def _probes(self) -> Iterator[dict[str, str]]:
        """Yield files in the folders of the videos that workers elsewhere must see."""
        probes: dict[str, str] = {}
        with contextlib.ExitStack() as stack:
            shared = self._config.output.shared and self._config.fleet.scheduler is not None
            for order in self._orders if shared else ():
                folder = folder_of_videos(order)
                if folder is None:
                    continue
                make_folder_for(folder, order.checked.manifest.path)
                probe = folder / _PROBE
                probes[str(probe)] = content = secrets.token_hex(16)
                place_in_cache(probe, content.encode())
                stack.callback(probe.unlink, missing_ok=True)
            yield probes

    def _notice(self, probes: dict[str, str]) -> dict[str, Any]:
        """Return what a worker must know to tell whether it is fit; no key is in it."""
        away = self._config.fleet.scheduler is not None
        return {
            "version": __version__,
            "places": [one.place.address for one in self._orders if one.place is not None],
            "probes": probes,
            "node": platform.node() if away and self._private else None,
        }


def folder_of_videos(order: Order) -> Path | None:
    """Return the folder that the videos of a manifest go to; None where they go to a bucket."""
    at = order.place
    if at is None:
        return order.folder.videos.absolute()
    return None if is_bucket(at.address) else Path(at.address)


def workers_of(folder: OutputFolder) -> list[dict[str, object]]:
    """Return the workers of the run that goes on in an output folder; none where nobody says so."""
    try:
        with open_to_read_bytes(folder.cache / _NOTE) as file:
            found = json.load(file)
    except (OSError, ValueError):
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _forget(folder: OutputFolder) -> None:
    with contextlib.suppress(OSError):
        (folder.cache / _NOTE).unlink(missing_ok=True)
