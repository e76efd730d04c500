"""A store whose videos are fetched by workers: where the engine's downloads of a manifest go.

What the worker measured and drew is kept until it is taken; what is drawn beside that, such as
small copies of pictures, is drawn here.

Tested in tests/fleet/test_fleetstore.py and tests/system/test_fleet.py.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Self

from pipeline.disk.openfile import refuse_link
from pipeline.downloader.allowance import most_bytes
from pipeline.downloader.boxes import Footage
from pipeline.downloader.transfer import raise_video_errors
from pipeline.downloader.verification import Decoders, Figures, Wanted
from pipeline.errors import TransferBroken
from pipeline.fleet.fleet import Fleet
from pipeline.fleet.wire import Fetch, Terms
from pipeline.model import Video
from pipeline.models.shelf import DEFAULT_MODEL
from pipeline.storage.places import check_name, is_bucket


class FleetStore:
    """Has the videos of a manifest fetched by a fleet; an async context manager.

    Args:
        fleet: The workers; None where the run was stopped before any came.
        terms: What they are told of all its videos.
        decoders: Draw what no worker draws.
        own: Whether the place is `videos/` of the output folder, which videos do not name.

    """

    def __init__(self, fleet: Fleet | None, terms: Terms, decoders: Decoders, *, own: bool) -> None:
        self._fleet = fleet
        self._terms = terms
        self._decoders = decoders
        self._own = own
        self._figures: dict[str, Figures] = {}
        self._posters: dict[str, bytes] = {}

    async def __aenter__(self) -> Self:
        """Make the folder of videos, where there is one; a bucket is tried by the workers."""
        if self._own or not is_bucket(self._terms.place):
            folder = Path(self._terms.place)
            with raise_video_errors(folder):
                refuse_link(folder)
                folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - once, at the start
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def fetch(
        self,
        url: str,
        *,
        name: str,
        duration: int,
        aspect_ratio: str,
        resolution: str,
        model: str = "",
    ) -> Video:
        """Have a video fetched and put into its place.

        Args:
            url: The link that the provider gave.
            name: The name of the file.
            duration: The seconds of video that were asked for.
            aspect_ratio: The aspect ratio that was asked for.
            resolution: The resolution that was asked for.
            model: The model that was asked; empty for the first one.

        Raises:
            DownloadError: It was not fetched this time, for whatever reason.
            Unfinished: No worker can put it, for a reason that is not its own.

        """
        check_name(name)
        if self._fleet is None:
            raise TransferBroken("The run was stopped before a worker had joined.")
        key = self._fleet.key_for(name)
        asked = Fetch(key, url, name, duration, aspect_ratio, resolution, self._terms)
        largest = self._terms.max_bytes or most_bytes(duration, resolution)
        fetched = await self._fleet.fetch(asked, largest)
        video = fetched.content
        if not isinstance(video, Video):
            raise video
        if fetched.figures is not None:
            self._figures[video.sha256] = fetched.figures
        if fetched.poster is not None:
            self._posters[video.sha256] = fetched.poster
        # Here, since no worker has the sheets of a team's own models.
        wanted = Wanted(duration, aspect_ratio, resolution, model or DEFAULT_MODEL)
        footage = Footage(video.width, video.height, video.duration_s)
        place = "" if self._own else video.place
        return replace(video, place=place, warnings=wanted.differences(footage))

    async def draw(self, path: Path, is_picture: bool = False) -> bytes:
        """Return a still of a video, or a small copy of a picture, as a JPEG; see `Decoders`."""
        return await self._decoders.draw(path, is_picture)

    def file_at_hand(self, _sha256: str) -> Path | None:
        """Return where a video that was put elsewhere still lies here: nowhere."""
        return None

    def keep_figures(self) -> None:
        """Keep the figures of videos: the terms say whether there are any."""

    def take_figures(self, sha256: str) -> Figures | None:
        """Return the figures of a video that came, and forget them; None if it was not measured."""
        return self._figures.pop(sha256, None)

    def take_poster(self, sha256: str) -> bytes | None:
        """Return the poster of a video that came, and forget it; None if none was drawn."""
        return self._posters.pop(sha256, None)
