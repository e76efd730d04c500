"""What a run makes for those who judge its videos: posters and figures, and the page at its end.

Nothing of it can make a run fail, or changes how it ends: `reelsheet review` makes up for what is
missing. Where videos are only verified by their boxes no decoder runs: no poster is drawn, and
nothing is measured.

Tested in tests/runner/test_reviewing.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from pipeline.errors import ReelsheetError
from pipeline.events import Downloaded, Event
from pipeline.model import Request, State
from pipeline.network import read_network
from pipeline.review.beside import Besides
from pipeline.review.drawing import Draw, Drawer, pictures_of, poster_of
from pipeline.review.looks import Looks
from pipeline.review.measuring import Measurer, measuring_of
from pipeline.review.static import write_page
from pipeline.review.webstills import fetch_stills, web_pictures_missing
from pipeline.runner.order import Order
from pipeline.runner.reports import RunReport
from pipeline.runner.runlog import RunLog
from pipeline.runner.signals import Brake

if TYPE_CHECKING:  # what talks to hosts is loaded by a run that has something to download
    from pipeline.downloader.verification import Figures

_MADE_AFTER_S = 30.0
"""How long the end of a run waits for posters and figures that are not made yet."""


class _Draws(Protocol):
    """Whatever has decoding processes, as the downloader of a lane."""

    @property
    def draw(self) -> Draw:
        """Return a still of a file."""

    def keep_figures(self) -> None:
        """Keep the figures of videos all of which is decoded anyway."""

    def take_figures(self, sha256: str) -> Figures | None:
        """Return them."""

    def take_poster(self, sha256: str) -> bytes | None:
        """Return the poster of a video that a worker has drawn; None if none has."""

    def file_at_hand(self, sha256: str) -> Path | None:
        """Return where a video that was put elsewhere still lies here; None if nowhere."""


_Store = TypeVar("_Store", bound=_Draws)


class _Lane:
    """What is known of a manifest whose videos come."""

    def __init__(self, order: Order, store: _Draws) -> None:
        self.order = order
        self.store = store
        self.looks = Looks.of(order.folder, order.config)
        self.begun = False

    @cached_property
    def requests(self) -> Mapping[str, Request]:
        """The requests of its rows by key."""
        return self.order.checked.requests_by_key


class RunStills:
    """Posters and figures of a run's videos, made one after the other; an async context manager.

    `orders` are those of the lanes, in their order. The end waits a while for those that are left,
    unless the `brake` is pressed. `say` is told how many web pictures were fetched.
    """

    def __init__(
        self, orders: Sequence[Order], brake: Brake, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self._orders = orders
        self._say = say
        self._fetching: asyncio.Task[None] | None = None
        self._brake = brake
        self._draw: Draw | None = None
        self._drawer: Drawer | None = None
        self._measurer: Measurer | None = None
        self._besides: Besides | None = None
        self._lanes: list[_Lane] = []
        self._stack = contextlib.AsyncExitStack()

    def drawn_by(self, store: _Store) -> _Store:
        """Have stills drawn by the processes of the first store; return this one.

        It is asked for in the order of the lanes.
        """
        self._draw = self._draw or store.draw
        order = self._orders[len(self._lanes)]
        self._lanes.append(_Lane(order, store))
        if order.config.review.quality:
            store.keep_figures()
        return store

    async def __aenter__(self) -> Self:
        config = self._orders[0].config
        if self._draw is not None and config.output.verify != "boxes":
            beside = None
            if any(one.place is not None for one in self._orders):
                self._besides = await self._stack.enter_async_context(Besides())
                beside = self._besides.put
            self._drawer = await self._stack.enter_async_context(Drawer(self._draw, beside))
            if any(order.fetch_pictures for order in self._orders):
                self._fetching = asyncio.create_task(self._fetch_pictures(self._drawer))
                if config.rehearses:  # whose videos show them
                    await self._brake.unless_pressed(asyncio.wait([self._fetching]))
            if config.review.quality:
                from pipeline.downloader.verification import MEASURER, Decoders  # noqa: PLC0415

                yielding = Decoders(processes=1, program=MEASURER)
                await self._stack.enter_async_context(yielding)
                measurer = Measurer(yielding, beside)
                self._measurer = await self._stack.enter_async_context(measurer)
        return self

    async def _fetch_pictures(self, drawer: Drawer) -> None:
        asked = [(one.checked, one.folder) for one in self._orders if one.fetch_pictures]
        missing = web_pictures_missing(asked)
        if missing:
            with contextlib.suppress(ReelsheetError, OSError):
                network = read_network(self._orders[0].config, os.environ)
                self._say(await fetch_stills(missing, drawer.draw, network=network))

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._brake.unless_pressed(self._finish())
        finally:
            if self._fetching is not None:
                self._fetching.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._fetching
            await self._stack.aclose()

    async def _finish(self) -> None:
        """Wait for what is not made yet, and not for ever."""
        makers = [one for one in (self._drawer, self._measurer) if one is not None]
        fetched = [] if self._fetching is None else [self._fetching]
        await asyncio.gather(
            *(one.finish(_MADE_AFTER_S) for one in makers),
            *(asyncio.wait([one], timeout=_MADE_AFTER_S) for one in fetched),
        )
        if self._besides is not None:
            await self._besides.finish(_MADE_AFTER_S)

    def note(self, event: Event) -> None:
        """Have the poster drawn of a video that has come, and have it measured."""
        if self._drawer is None or not isinstance(event, Downloaded):
            return
        lane = self._lanes[event.lane]
        checked, folder = lane.order.checked, lane.order.folder
        at_hand = lane.store.file_at_hand(event.video.sha256)
        if lane.order.config.review.posters:
            if not lane.begun:
                lane.begun = True
                self._drawer.put(pictures_of(checked, folder))
            poster = poster_of(event.video, event.number, folder, checked.manifest.path)
            if (jpeg := lane.store.take_poster(event.video.sha256)) is not None:
                poster = replace(poster, jpeg=jpeg)
            self._drawer.put([poster if at_hand is None else poster.of(at_hand)])
        if self._measurer is not None:
            request = lane.requests.get(event.key)
            images = () if request is None else request.images
            figures = lane.store.take_figures(event.video.sha256)
            measuring = measuring_of(
                event.video, images, checked, folder, lane.looks, figures=figures
            )
            self._measurer.put([measuring if at_hand is None else measuring.of(at_hand)])


def write_review(order: Order, report: RunReport, log: RunLog) -> None:
    """Write the static page of a run that has videos, unless its folder takes nothing more.

    Args:
        order: what was run.
        report: how it ended.
        log: told where the page could not be written.

    """
    part = order.folder.wrote(order.checked.manifest.path)  # failed.csv has some of the rows
    if part or report.failure is not None or not report.states.get(State.DONE.value):
        return
    try:
        write_page(order.checked, order.folder, order.config, order.invocation)
    except ReelsheetError as error:
        log.write("page_not_written", reason=error.message)
