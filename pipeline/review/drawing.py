"""Posters of takes, and small copies of local product pictures, drawn beside whatever goes on.

One at a time, in a decoding process, so that the verification of a video never waits for more than
the still that is being drawn. What cannot be drawn is shown without: it never fails a run.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from pipeline.checker.check import CheckedManifest
from pipeline.disk.folder import OutputFolder
from pipeline.disk.place import place
from pipeline.disk.rights import make_folder_for
from pipeline.errors import ReelsheetError
from pipeline.model import Video
from pipeline.review.beside import Beside, read_beside
from pipeline.review.inturn import InTurn
from pipeline.review.posters import names_in, picture_name, poster_name
from pipeline.review.takes import JudgedRow
from pipeline.storage.storedfiles import StoredFile, at_hand, stored_file

_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A still to be drawn: of which file, as which, with the rights of which manifest.

    `take` is set where a video must be fetched from a bucket first; `source` is then where to.
    `jpeg` is set where it was drawn already, and `beside` for the poster of a take in a bucket.
    """

    source: Path
    target: Path
    manifest: Path
    is_picture: bool = False
    take: StoredFile | None = None
    jpeg: bytes | None = None
    beside: StoredFile | None = None

    def of(self, source: Path) -> Drawing:
        """Return the same of another file."""
        return replace(self, source=source, take=None)


def poster_of(video: Video, number: int, folder: OutputFolder, manifest: Path) -> Drawing:
    """Return the poster of a take.

    Args:
        video: the video.
        number: that of its attempt.
        folder: the output folder.
        manifest: the manifest.

    """
    take, target = stored_file(folder, video), folder.posters / poster_name(video.name, number)
    if take.path is not None:
        return Drawing(take.path, target, manifest)
    return Drawing(folder.coming / video.sha256, target, manifest, take=take, beside=take)


def pictures_of(checked: CheckedManifest, folder: OutputFolder) -> list[Drawing]:
    """Return the small copies of local pictures that are not there yet."""
    there = names_in(folder.small_pictures)
    return [
        Drawing(one.path, folder.small_pictures / name, checked.manifest.path, is_picture=True)
        for one in checked.pictures.values()
        if (name := picture_name(one.sha256)) not in there and one.unkept is None
    ]


def posters_missing(
    rows: Iterable[JudgedRow], folder: OutputFolder, manifest: Path
) -> list[Drawing]:
    """Return the posters of takes that are not there yet.

    Args:
        rows: the rows with their takes.
        folder: the output folder.
        manifest: the manifest.

    """
    there = names_in(folder.posters)
    return [
        poster_of(take.video, take.number, folder, manifest)
        for row in rows
        for take in row.takes
        if poster_name(take.video.name, take.number) not in there
    ]


Draw = Callable[[Path, bool], Awaitable[bytes]]
"""Returns a still of a video, or a small copy of a picture, as a JPEG."""
_Asked = tuple[Drawing, asyncio.Future[str | None] | None]
"""What is to be drawn, and whoever waits to hear why it could not be."""


class Drawer(InTurn[_Asked]):
    """Draws stills one after the other; an async context manager, which ends without waiting."""

    def __init__(self, draw: Draw, put_beside: Callable[[Beside], None] | None = None) -> None:
        """Draw with `draw`; `put_beside` puts posters beside videos that are in a bucket."""
        super().__init__()
        self._draw = draw
        self._put_beside = put_beside

    def put(self, drawings: Sequence[Drawing]) -> None:
        """Draw these, after those before them."""
        self._add((one, None) for one in drawings)

    async def draw(self, drawing: Drawing) -> str | None:
        """Draw this after those before it; return why it could not be, when it is done."""
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._add([(drawing, done)])
        return await done

    async def _do(self, item: _Asked) -> None:
        drawing, done = item
        reason = await self._carry_out(drawing)
        if done is not None and not done.done():
            done.set_result(reason)

    async def _carry_out(self, drawing: Drawing) -> str | None:
        try:
            if drawing.take is not None and await asyncio.to_thread(_copy, drawing, drawing.take):
                return None
            if drawing.jpeg is not None:
                await asyncio.to_thread(_place, drawing, drawing.jpeg)
            elif drawing.take is None:
                jpeg = await self._draw(drawing.source, drawing.is_picture)
                await asyncio.to_thread(_place, drawing, jpeg)
            else:
                await self._fetch_and_draw(drawing, drawing.take)
            if drawing.beside is not None and self._put_beside is not None:
                self._put_beside(Beside(drawing.beside, drawing.target.name, drawing.target))
        except ReelsheetError as error:
            return error.message
        except OSError as error:
            return str(error.strerror or error)
        return None

    async def _fetch_and_draw(self, drawing: Drawing, take: StoredFile) -> None:
        scratch, sha256 = drawing.source.parent, drawing.source.name
        with contextlib.ExitStack() as stack:
            fetched = stack.enter_context
            path = await asyncio.to_thread(fetched, at_hand(take, sha256, scratch))
            jpeg = await self._draw(path, False)
            await asyncio.to_thread(_place, drawing.of(path), jpeg)


def _copy(drawing: Drawing, take: StoredFile) -> bool:
    """Take over the poster that lies beside a video in a bucket; return whether one does."""
    jpeg = None if drawing.jpeg is not None else read_beside(take, drawing.target.name)
    if jpeg is None or not jpeg.startswith(_JPEG):
        return False
    _place(drawing, jpeg)
    return True


def _place(drawing: Drawing, jpeg: bytes) -> None:
    folder, manifest = drawing.target.parent, drawing.manifest
    make_folder_for(folder.parent, manifest)
    make_folder_for(folder, manifest)
    shown = (manifest, drawing.source)
    place(drawing.target, partial(_write, jpeg), copy_of=shown)


def _write(data: bytes, file: BinaryIO) -> None:
    file.write(data)
