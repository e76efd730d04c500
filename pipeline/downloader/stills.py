"""Draw a still of a video, or of a picture: part of the program that runs in a decoding process.

The still of a video is the film frame of its middle half with the most spread: a first one may be
black, as one of a fade is.

Tested in tests/downloader/test_stills.py.
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from PIL.Image import Image

_WIDTH, _MOST_HEIGHT = 320, 570
_SMALL_PICTURE = 640
_QUALITIES = (78, 62, 45, 30)
_MOST_BYTES = 40_000
"""In base64 it must fit the line that the parent reads, which is 64 KB at most."""
_SPREAD_WIDTH = 64
_LOOKED_AT = 24
"""Film frames whose spread is measured: all would take as long as to decode them."""
_FROM, _TO = 0.25, 0.75


def draw_still(container: InputContainer, stream: VideoStream, length_s: float) -> dict[str, Any]:
    """Return the still of an open video as a reply: a JPEG in base64, or a fault.

    Args:
        container: the video, open at its beginning.
        stream: its video track.
        length_s: its length in seconds.

    """
    stream.codec_context.thread_count = 1
    best: tuple[float, VideoFrame | None] = (-1.0, None)
    every_s = max(length_s * (_TO - _FROM) / _LOOKED_AT, 1e-6)
    next_s = length_s * _FROM
    for frame in container.decode(stream):
        at = frame.time or 0.0
        if best[1] is None or at >= next_s:
            best = max(best, (_spread(frame), frame), key=lambda one: one[0])
            if at >= next_s:
                next_s = max(next_s + every_s, at)
        if at > length_s * _TO:
            break
        if at < length_s * _FROM:
            best = (-1.0, frame)  # only where nothing comes of the middle half
    if best[1] is None:
        return {"fault": "no film frame of it can be decoded"}
    tall = best[1].height * _WIDTH > _MOST_HEIGHT * best[1].width
    width = _MOST_HEIGHT * best[1].width // best[1].height if tall else _WIDTH
    return _as_reply(_picture_of(best[1], max(2, width // 2 * 2)), _WIDTH)


def _spread(frame: VideoFrame) -> float:
    """Return the spread of the brightness."""
    from PIL import ImageStat  # noqa: PLC0415 - a decoder that only verifies needs none

    small = _picture_of(frame, _SPREAD_WIDTH)
    return float(ImageStat.Stat(small.convert("L")).stddev[0])


def _picture_of(frame: VideoFrame, width: int) -> Image:
    """Return a film frame as a picture of this width; without numpy, which takes long to load."""
    height = max(2, round(frame.height * width / frame.width) // 2 * 2)
    picture: Image = frame.to_image(width=width, height=height)  # type: ignore[no-untyped-call]
    return picture


def shrink_picture(path: str) -> dict[str, Any]:
    """Return a small copy of a local picture as a reply: a JPEG in base64, or a fault."""
    from PIL import Image  # noqa: PLC0415 - likewise

    try:
        with Image.open(path) as opened:
            opened.draft("RGB", (_SMALL_PICTURE, _SMALL_PICTURE))
            return _as_reply(upright(opened), _SMALL_PICTURE)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return {"fault": f"the picture cannot be opened ({type(error).__name__})"}


def upright(picture: Image) -> Image:
    """Return an open picture the right way up, in colours and without transparency."""
    from PIL import ImageOps  # noqa: PLC0415 - likewise

    ImageOps.exif_transpose(picture, in_place=True)
    return _on_white(picture)


def _on_white(picture: Image) -> Image:
    """Return a picture without transparency."""
    from PIL import Image  # noqa: PLC0415 - likewise

    if picture.mode not in {"RGBA", "LA", "PA"} and "transparency" not in picture.info:
        return picture.convert("RGB")
    seen = picture.convert("RGBA")
    white = Image.new("RGBA", seen.size, "white")
    return Image.alpha_composite(white, seen).convert("RGB")


def _as_reply(picture: Image, width: int) -> dict[str, Any]:
    picture.thumbnail((width, max(_MOST_HEIGHT, width)))
    while True:
        for quality in _QUALITIES:
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=quality, optimize=True)
            content = file.getvalue()
            if len(content) <= _MOST_BYTES:
                return {"jpeg": base64.b64encode(content).decode("ascii")}
        # Nothing but grain, as of a cloth or a film, is small only in a smaller picture.
        picture.thumbnail((picture.width * 2 // 3, picture.height * 2 // 3))
