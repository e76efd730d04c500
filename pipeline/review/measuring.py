"""Videos are measured beside whatever goes on, one after the other, and never in its way.

In a process of its own, which gives way to all others; nothing waits for it but the end of a run,
for a while. What cannot be measured is shown without chips.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from pipeline.checker.check import CheckedManifest
from pipeline.disk.folder import OutputFolder
from pipeline.downloader.filmfigures import RECIPE
from pipeline.errors import BadVideo, ReelsheetError
from pipeline.model import Video
from pipeline.review.beside import Beside, figures_name, read_beside
from pipeline.review.inturn import InTurn
from pipeline.review.looks import Looks, figures_in, picture_of
from pipeline.review.posters import picture_name
from pipeline.review.takes import JudgedRow
from pipeline.storage.storedfiles import StoredFile, at_hand, stored_file

Figures = dict[str, Any]


class Measures(Protocol):
    """Whatever can measure, as `downloader.verification.Decoders`."""

    @property
    def measure(self) -> Callable[[Path], Awaitable[Figures]]:
        """Return the figures of a video."""

    @property
    def compare(self) -> Callable[[Figures, Path], Awaitable[Figures]]:
        """Return how far the beginning of a video is like a picture."""


@dataclass(frozen=True, slots=True)
class Measuring:
    """A video to be measured; `figures` are there if it was measured by the way.

    `picture` is the sha256 of the picture that it is to begin with, `shown` where that lies. `take`
    is set where the video must be fetched from a bucket first, `beside` where it is in one.
    """

    path: Path
    video: Video
    looks: Looks
    picture: str | None = None
    shown: Path | None = None
    figures: Figures | None = None
    take: StoredFile | None = None
    beside: StoredFile | None = None

    def of(self, path: Path) -> Measuring:
        """Return the same of a video that lies elsewhere."""
        return replace(self, path=path, take=None)


def measuring_of(
    video: Video,
    images: Sequence[str],
    checked: CheckedManifest,
    folder: OutputFolder,
    looks: Looks,
    *,
    figures: Figures | None = None,
) -> Measuring:
    """Return what is to be measured of a take.

    Args:
        video: its video.
        images: the pictures of its request.
        checked: the manifest, which knows where pictures lie.
        folder: the output folder.
        looks: where figures are kept.
        figures: what was measured of it already.

    """
    picture = picture_of(images)
    known = checked.pictures.get(picture) if picture is not None else None
    shown = None if known is None else known.path
    if picture is not None and (small := folder.small_pictures / picture_name(picture)).is_file():
        shown = small
    take = stored_file(folder, video)
    path = take.path or folder.coming / video.name
    away = take if take.path is None else None
    first = picture if shown else None
    return Measuring(path, video, looks, first, shown, figures, away, beside=away)


def not_measured(
    rows: Sequence[JudgedRow], checked: CheckedManifest, folder: OutputFolder, looks: Looks
) -> list[Measuring]:
    """Return the takes that were not measured yet, or not held against their pictures.

    Args:
        rows: the rows with their takes.
        checked: the manifest.
        folder: the output folder.
        looks: where figures are kept.

    """
    return [
        measuring_of(take.video, take.images, checked, folder, looks)
        for row in rows
        for take in row.takes
        if looks.needs(take)
    ]


class Measurer(InTurn[Measuring]):
    """Measures videos one after the other; an async context manager, which ends without waiting."""

    def __init__(
        self, decoders: Measures, put_beside: Callable[[Beside], None] | None = None
    ) -> None:
        """Measure with `decoders`; `put_beside` puts figures beside videos that are in a bucket."""
        super().__init__()
        self._decoders = decoders
        self._put_beside = put_beside

    def put(self, measurings: Sequence[Measuring]) -> None:
        """Measure these, after those before them."""
        self._add(measurings)

    async def _do(self, item: Measuring) -> None:
        # Whatever goes wrong: it is one video without chips.
        with contextlib.suppress(Exception):
            await self._measure(item)

    async def _measure(self, measuring: Measuring) -> None:
        looks, sha256 = measuring.looks, measuring.video.sha256
        kept = await asyncio.to_thread(looks.figures, sha256)
        figures = kept or measuring.figures or await asyncio.to_thread(_copied, measuring)
        is_known = figures is not None and figures is not measuring.figures
        figures = figures or await self._figures(measuring)
        if figures is None:
            return
        compared = await self._compare(measuring, figures)
        if compared is not None:
            figures = {**figures, "pictures": {**figures.get("pictures", {}), **compared}}
        if figures != kept:
            await asyncio.to_thread(looks.keep, sha256, figures)
        if measuring.beside is not None and self._put_beside is not None and not is_known:
            name = figures_name(measuring.video.name)
            self._put_beside(Beside(measuring.beside, name, looks.path(sha256)))

    async def _figures(self, measuring: Measuring) -> Figures | None:
        """Measure a video; None if it is not, or cannot be read as, what was made."""
        with contextlib.ExitStack() as stack:
            if measuring.take is not None:
                sha256, scratch = measuring.video.sha256, measuring.path.parent
                passing = at_hand(measuring.take, sha256, scratch)
                measuring = measuring.of(await asyncio.to_thread(stack.enter_context, passing))
            if not await asyncio.to_thread(_is_unchanged, measuring):
                return None
            try:
                return await self._decoders.measure(measuring.path)
            except BadVideo as error:
                return {"recipe": RECIPE, "fault": error.message}

    async def _compare(
        self, measuring: Measuring, figures: Mapping[str, Any]
    ) -> dict[str, Figures] | None:
        picture, shown = measuring.picture, measuring.shown
        start = figures.get("start")
        if picture is None or shown is None or start is None:
            return None
        if picture in figures.get("pictures", {}):
            return None
        try:
            return {picture: await self._decoders.compare(start, shown)}
        except BadVideo:  # the picture cannot be opened, and never will
            return {picture: {}}
        except ReelsheetError:
            return None


def _copied(measuring: Measuring) -> Figures | None:
    """Return the figures that lie beside a video in a bucket, if it would be fetched for them."""
    if measuring.take is None:
        return None
    content = read_beside(measuring.take, figures_name(measuring.video.name))
    return None if content is None else figures_in(content)


def _is_unchanged(measuring: Measuring) -> bool:
    """Return whether the file can still be what was made: its figures are kept by what it held."""
    try:
        found = measuring.path.stat()
    except OSError:
        return False
    return found.st_size == measuring.video.size_bytes
