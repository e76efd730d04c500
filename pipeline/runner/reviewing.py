"""What a run makes for those who judge its videos: posters as they come, and the page at its end.

Nothing of it can make a run fail, or changes how it ends: `reelsheet review` makes up for what is
missing. Where videos are only verified by their boxes no decoder runs, and no poster is drawn.

Tested in tests/runner/test_reviewing.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self, TypeVar

from pipeline.errors import ReelsheetError
from pipeline.events import Downloaded, Event
from pipeline.model import State
from pipeline.review.drawing import Draw, Drawer, pictures_of, poster_of
from pipeline.review.static import write_page
from pipeline.runner.order import Order
from pipeline.runner.reports import RunReport
from pipeline.runner.runlog import RunLog
from pipeline.runner.signals import Brake

_DRAWS_AFTER_S = 30.0
"""How long the end of a run waits for posters that are not drawn yet."""


class _Draws(Protocol):
    """Whatever has decoding processes, as the downloader of a lane."""

    @property
    def draw(self) -> Draw:
        """Return a still of a file."""


_Store = TypeVar("_Store", bound=_Draws)


class RunStills:
    """The posters of a run's videos, drawn one after the other; an async context manager.

    `orders` are those of the lanes, in their order. The end waits a while for those that are left,
    unless the `brake` is pressed.
    """

    def __init__(self, orders: Sequence[Order], brake: Brake) -> None:
        self._orders = orders
        self._brake = brake
        self._draw: Draw | None = None
        self._drawer: Drawer | None = None
        self._begun: set[int] = set()

    def drawn_by(self, store: _Store) -> _Store:
        """Have stills drawn by the processes of the first store; return this one."""
        self._draw = self._draw or store.draw
        return store

    async def __aenter__(self) -> Self:
        if self._draw is not None and self._orders[0].config.output.verify != "boxes":
            self._drawer = await Drawer(self._draw).__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._drawer is not None:
            try:
                await self._brake.unless_pressed(self._drawer.finish(_DRAWS_AFTER_S))
            finally:
                await self._drawer.__aexit__()

    def note(self, event: Event) -> None:
        """Have the poster drawn of a video that has come."""
        if self._drawer is None or not isinstance(event, Downloaded):
            return
        order = self._orders[event.lane]
        manifest, folder = order.checked.manifest.path, order.folder
        self._drawer.put([poster_of(event.video.name, event.number, folder, manifest)])
        if event.lane not in self._begun:
            self._begun.add(event.lane)
            self._drawer.put(pictures_of(order.checked, folder))


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
        log.write("the review page could not be written", reason=error.message)
