"""A rehearsal's video, drawn and encoded in a worker process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from PIL import Image, ImageOps

from pipeline.emulator.cards import mark_patch, title_card
from pipeline.emulator.encode import FRAMES_PER_S, write_video
from pipeline.emulator.stills import (
    Box,
    Plane,
    Size,
    cut,
    fit,
    frame_of,
    layers_of,
    planes_of,
    put_mark,
)

_OPTIONS = {"preset": "ultrafast", "tune": "zerolatency", "crf": "24", "g": "48"}
_ZOOM = 0.12  # how much of the picture the slow move takes away by its end
_BAR_LUMA = 200


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a request: a file of ours, or a URL's host that is never asked."""

    path: Path | None
    host: str


@dataclass(frozen=True, slots=True)
class Shot:
    """All that a worker must know to make one video."""

    path: Path
    prompt: str
    duration_s: int
    frame_size: Size
    pictures: tuple[Picture, ...]


def render(shot: Shot) -> None:
    """Make the video of ``shot`` at its path."""
    shot.path.parent.mkdir(parents=True, exist_ok=True)
    write_video(shot.path, _frames(shot), shot.frame_size, _OPTIONS, sound=True)


def _frames(shot: Shot) -> Iterator[VideoFrame]:
    count = shot.duration_s * FRAMES_PER_S
    patch = np.array(mark_patch(shot.frame_size))
    if not shot.pictures:
        return _card_frames(shot, count, patch)
    return _picture_frames(shot, count, patch)


def _card_frames(shot: Shot, count: int, patch: Plane) -> Iterator[VideoFrame]:
    """Show the prompt, with a bar at the foot that tells how far the video is."""
    width, height = shot.frame_size
    planes = planes_of(title_card(shot.prompt, shot.frame_size))
    put_mark(planes, patch)
    thickness = height // 120
    for number in range(count):
        reached = width * (number + 1) // count
        planes[0][height - thickness :, :reached] = _BAR_LUMA
        yield frame_of(planes)


def _picture_frames(shot: Shot, count: int, patch: Plane) -> Iterator[VideoFrame]:
    """Move slowly over each picture in turn."""
    parts = len(shot.pictures)
    for index, picture in enumerate(shot.pictures):
        layers = layers_of(planes_of(_still(picture, shot)))
        length = count * (index + 1) // parts - count * index // parts
        for number in range(length):
            box = _view(number / max(1, length - 1), inward=index % 2 == 0)
            planes = cut(layers, box, shot.frame_size)
            put_mark(planes, patch)
            yield frame_of(planes)


def _view(moved: float, *, inward: bool) -> Box:
    """Return the part of the still that is seen, in shares of its sides."""
    taken = _ZOOM * (moved if inward else 1 - moved)
    # A little more is taken on the left: the look drifts as well as nears.
    left, top = taken * 0.6, taken * 0.5
    return (left, top, left + 1 - taken, top + 1 - taken)


def _still(picture: Picture, shot: Shot) -> Image.Image:
    """Return the picture, somewhat larger than the frame so that nearing stays sharp."""
    width, height = shot.frame_size
    size = (int(width * (1 + _ZOOM)) // 2 * 2, int(height * (1 + _ZOOM)) // 2 * 2)
    if picture.path is None:
        return title_card(f"picture at\n{picture.host}", size, "not fetched in a rehearsal")
    try:
        with Image.open(picture.path) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return title_card("this picture cannot be opened", size, picture.path.name)
    return fit(upright, size)
