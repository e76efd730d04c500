"""Serve the review page until Ctrl-C, and make beside it what is missing for it.

Tested in tests/system/test_review.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.cli.screen import is_terminal, print_line, say
from pipeline.errors import ReelsheetError
from pipeline.manifest.wording import count

if TYPE_CHECKING:
    from pipeline.cli.decisions import Judged
    from pipeline.review.drawing import Drawer
    from pipeline.runner.order import Order
    from pipeline.runner.reports import RunReport
    from pipeline.runner.target import Refused, Target

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")


@dataclass(frozen=True)
class ServedPage:
    """How the page is served: to whom, where, and what is done beside it."""

    judged: Sequence[Judged]
    who: str | None
    host: str | None
    port: int
    browser: bool
    fetch: bool

    def show(self) -> None:
        """Show the page until Ctrl-C."""
        for one in self.judged:  # before any thread starts: the browser would get the key
            os.environ.pop(one.target.config.api.key_env, None)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(self._serve())

    async def _serve(self) -> None:
        from pipeline.downloader.verification import MEASURER, Decoders
        from pipeline.review.beside import Besides
        from pipeline.review.drawing import Drawer, pictures_of, posters_missing
        from pipeline.review.live import LiveReview
        from pipeline.review.measuring import Measurer, not_measured
        from pipeline.review.server import serve
        from pipeline.review.together import Together

        reviewed = [one.reviewed for one in self.judged]
        page = Together([LiveReview(one) for one in reviewed])
        # Decoders first: they end last, when nothing is drawn any more.
        async with (
            Decoders() as decoders,
            Decoders(processes=1, program=MEASURER) as yielding,
            Besides() as besides,
            Drawer(decoders.draw, besides.put) as drawer,
            Measurer(yielding, besides.put) as measurer,
            serve(page, self.who, host=self.host, port=self.port) as address,
        ):
            for judged, one, live in zip(self.judged, reviewed, page.lives, strict=True):
                if judged.target.config.review.posters:
                    drawer.put(posters_missing(live.rows, one.folder, one.checked.manifest.path))
                    drawer.put(pictures_of(one.checked, one.folder))
                measurer.put(not_measured(live.rows, one.checked, one.folder, one.looks))
            print_line(address)
            say(f"{count(page.left, 'take')} to judge; Ctrl-C ends the page.")
            if self.host is not None:
                say(
                    "note: the line is plain: whoever is on this network can read along, and who "
                    "has the address can decide. Each browser is asked for a name."
                )
            if self.browser:
                await asyncio.to_thread(_open_browser, address)
            if self.fetch:
                await _fetch_web_pictures(self.judged, drawer)
            await asyncio.Event().wait()


async def _fetch_web_pictures(judged: Sequence[Judged], drawer: Drawer) -> None:
    """Fetch the web pictures that are not there yet, and say how many."""
    from pipeline.network import read_network
    from pipeline.review.webstills import fetch_stills, web_pictures_missing

    missing = web_pictures_missing([(one.reviewed.checked, one.target.folder) for one in judged])
    if missing:
        network = read_network(judged[0].target.config, os.environ)
        say(await fetch_stills(missing, drawer.draw, network=network))


async def fetch_alone(judged: Sequence[Judged]) -> None:
    """Fetch web pictures where no page is served."""
    from pipeline.downloader.verification import Decoders
    from pipeline.review.drawing import Drawer

    async with Decoders() as decoders, Drawer(decoders.draw) as drawer:
        await _fetch_web_pictures(judged, drawer)


def _open_browser(address: str) -> None:
    import webbrowser

    # Without a screen a browser of the terminal would take it over.
    screen = not sys.platform.startswith("linux") or any(map(os.environ.get, _SCREENS))
    if not (screen and webbrowser.open(address)):
        say("No browser could be opened: open the address above.")


def show_pilots(
    targets: Sequence[Target | Refused],
    ended: Sequence[tuple[Order, RunReport | ReelsheetError]],
) -> None:
    """Show the pilots of a run to a person at a terminal, as `review` does, until Ctrl-C.

    Elsewhere a line has said how to see them.
    """
    from pipeline.cli.decisions import Judged, name_of_reviewer
    from pipeline.review.static import Reviewed
    from pipeline.review.takes import rows_with_takes
    from pipeline.runner import target

    pilots = {
        order.folder: order.checked
        for order, outcome in ended
        if not isinstance(outcome, ReelsheetError) and outcome.pilot and outcome.pilot.undecided
    }
    if not (pilots and all(map(is_terminal, (sys.stdin, sys.stdout, sys.stderr)))):
        return
    judged = []
    for one in targets:
        if not isinstance(one, target.Refused) and one.folder in pilots:
            checked = pilots[one.folder]
            reviewed = Reviewed.of(checked, one.folder, one.config, one.invocation)
            judged.append(Judged(one, reviewed, rows_with_takes(checked, one.folder)))
    ServedPage(judged, name_of_reviewer(None), None, 0, browser=True, fetch=False).show()
