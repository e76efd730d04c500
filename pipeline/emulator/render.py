"""A rehearsal's video, drawn and encoded in a worker process.

Title cards and placeholders are drawn, moved as planes of luma and colour, and marked still by
still.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from pipeline.emulator.clips import FRAMES_PER_S, write_video
from pipeline.emulator.private import make_folder, read_private

_Size = tuple[int, int]
_Box = tuple[float, float, float, float]
_Plane = npt.NDArray[np.uint8]
_Planes = tuple[_Plane, _Plane, _Plane]

_NEAR = 1.2  # shapes that differ by less are cropped, others get a blurred surround
_NEUTRAL = 128
_MARK_AT = 0.035  # of the shorter side, from the corner


def _fit(picture: Image.Image, size: _Size) -> Image.Image:
    """Return the picture at ``size``, undistorted: cropped, or over a blur of itself."""
    shape = (picture.width / picture.height) / (size[0] / size[1])
    if 1 / _NEAR < shape < _NEAR:
        return ImageOps.fit(picture, size, Image.Resampling.BICUBIC)
    small = (max(2, size[0] // 16), max(2, size[1] // 16))
    surround = ImageOps.fit(picture, small, Image.Resampling.BILINEAR)
    blurred = surround.filter(ImageFilter.GaussianBlur(4)).point(lambda level: level * 0.6)
    ground = blurred.resize(size, Image.Resampling.BICUBIC)
    whole = ImageOps.contain(picture, size, Image.Resampling.BICUBIC)
    ground.paste(whole, ((size[0] - whole.width) // 2, (size[1] - whole.height) // 2))
    return ground


def _planes_of(image: Image.Image) -> _Planes:
    """Return luma and the two colour planes of half the size; sides must be even."""
    width, height = image.size
    source = VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
    packed = np.asarray(source.reformat(format="yuv420p").to_ndarray(), dtype=np.uint8)
    colour_bytes = width * height // 4
    flat = packed.reshape(-1)
    luma = flat[: width * height].reshape(height, width).copy()
    rest = flat[width * height :]
    half = (height // 2, width // 2)
    return (
        luma,
        rest[:colour_bytes].reshape(half).copy(),
        rest[colour_bytes:].reshape(half).copy(),
    )


def _frame_of(planes: _Planes) -> VideoFrame:
    """Return the planes as a frame for the encoder."""
    height, width = planes[0].shape
    packed = np.concatenate([plane.reshape(-1) for plane in planes])
    return VideoFrame.from_ndarray(packed.reshape(height * 3 // 2, width), format="yuv420p")


def _layers_of(planes: _Planes) -> list[Image.Image]:
    """Return the planes as grey pictures, which Pillow resizes fastest."""
    return [Image.fromarray(plane) for plane in planes]


def _cut(layers: list[Image.Image], box: _Box, size: _Size) -> _Planes:
    """Return the part ``box`` (in shares of the sides) of a still, at ``size``."""
    halved = (size[0] // 2, size[1] // 2)
    luma, blue, red = layers
    return (
        _cut_layer(luma, box, size),
        _cut_layer(blue, box, halved),
        _cut_layer(red, box, halved),
    )


def _put_mark(planes: _Planes, patch: _Plane) -> None:
    """Lay the grey patch over a corner; colour under it goes."""
    height, width = patch.shape
    at = int(min(planes[0].shape) * _MARK_AT) // 2 * 2
    planes[0][at : at + height, at : at + width] = patch
    for colour in planes[1:]:
        colour[at // 2 : (at + height) // 2, at // 2 : (at + width) // 2] = _NEUTRAL


def _cut_layer(layer: Image.Image, box: _Box, size: _Size) -> _Plane:
    width, height = layer.size
    part = (box[0] * width, box[1] * height, box[2] * width, box[3] * height)
    return np.array(layer.resize(size, Image.Resampling.BILINEAR, box=part))


_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_INK = (244, 241, 234)
_MUTED = (186, 190, 198)
_GROUNDS = ((38, 52, 74), (58, 44, 66), (34, 60, 56), (70, 50, 42), (44, 48, 58))
_LONGEST = 600
_SMALLEST = 16
_SPACING = 0.35  # of the font's size, between lines
_MARK = "REHEARSAL"


@lru_cache(maxsize=16)
def _font(size: int) -> _Font:
    """Return Pillow's own font, the only one that is there on every machine."""
    return ImageFont.load_default(size)


def _title_card(text: str, size: _Size, caption: str = "", heading: str = "") -> Image.Image:
    """Return ``text`` as a readable card, as large as it fits, what it is for above it."""
    image = Image.new("RGB", size, _ground(text))
    draw = ImageDraw.Draw(image)
    width, height = size
    room = (int(width * 0.82), int(height * 0.62))
    chosen, lines = _fit_text(draw, text[:_LONGEST], room, min(size) // 9)
    wrapped = "\n".join(lines)
    spacing = getattr(chosen, "size", _SMALLEST) * _SPACING
    draw.multiline_text(
        (width / 2, height / 2),
        wrapped,
        fill=_INK,
        font=chosen,
        anchor="mm",
        align="center",
        spacing=spacing,
    )
    for said, at, share in ((caption, 0.89, 30), (heading, 0.14, 20)):
        font = _font(max(_SMALLEST, min(size) // share))
        line = _shorten(draw, said, font, width * 0.9)
        draw.text((width / 2, height * at), line, fill=_MUTED, font=font, anchor="mm")
    return image


def _shorten(draw: ImageDraw.ImageDraw, text: str, font: _Font, width: float) -> str:
    """Return ``text`` as one line that is not wider than that."""
    line = " ".join(text.split())
    while draw.textlength(line, font=font) > width:
        line = f"{line[:-2]}\u2026"
    return line


def _mark_patch(size: _Size) -> Image.Image:
    """Return the grey patch that says that this is no real video."""
    text = _font(max(20, min(size) // 18))
    probe = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = probe.textbbox((0, 0), _MARK, font=text)
    pad = max(8, min(size) // 60)
    # Even sides, since a colour sample covers two by two pixels.
    width = (int(right - left) + 2 * pad + 1) // 2 * 2
    height = (int(bottom - top) + 2 * pad + 1) // 2 * 2
    patch = Image.new("L", (width, height), 28)
    draw = ImageDraw.Draw(patch)
    draw.rectangle((0, 0, width - 1, height - 1), outline=220, width=2)
    draw.text((pad - left, pad - top), _MARK, fill=235, font=text)
    return patch


def _ground(text: str) -> tuple[int, int, int]:
    digest = hashlib.sha256(text.encode()).digest()
    return _GROUNDS[digest[0] % len(_GROUNDS)]


def _fit_text(
    draw: ImageDraw.ImageDraw, text: str, room: _Size, largest: int
) -> tuple[_Font, list[str]]:
    """Return the largest font at which the wrapped text fits, and its lines."""
    size = largest
    # Below this a long word is cut rather than all the rest made smaller still.
    smallest = max(_SMALLEST, largest // 4)
    while True:
        chosen = _font(size)
        lines = _wrap(draw, text, chosen, room[0])
        spacing = size * _SPACING
        box = draw.multiline_textbbox((0, 0), "\n".join(lines), font=chosen, spacing=spacing)
        fits = box[3] - box[1] <= room[1] and _words_fit(draw, text, chosen, room[0])
        if fits or size <= smallest:
            return chosen, lines
        size = int(size * 0.85)


def _words_fit(draw: ImageDraw.ImageDraw, text: str, chosen: _Font, width: int) -> bool:
    return all(draw.textlength(word, font=chosen) <= width for word in text.split())


def _wrap(draw: ImageDraw.ImageDraw, text: str, chosen: _Font, width: int) -> list[str]:
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in paragraph.split():
            for piece in _pieces(draw, word, chosen, width):
                longer = f"{line} {piece}".strip()
                if line and draw.textlength(longer, font=chosen) > width:
                    lines.append(line)
                    longer = piece
                line = longer
        lines.append(line)
    return lines


def _pieces(draw: ImageDraw.ImageDraw, word: str, chosen: _Font, width: int) -> list[str]:
    """Cut a word that is wider than a line; scripts without spaces are one such word."""
    if draw.textlength(word, font=chosen) <= width:
        return [word]
    pieces = [""]
    for letter in word:
        if draw.textlength(pieces[-1] + letter, font=chosen) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


_OPTIONS = {"preset": "ultrafast", "tune": "zerolatency", "crf": "24", "g": "48"}
_ZOOM = 0.12  # how much of the picture the slow move takes away by its end
_BAR_LUMA = 200


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a request: a file of ours, or a URL's host that is not asked from here."""

    path: Path | None
    host: str


@dataclass(frozen=True, slots=True)
class Shot:
    """All that a worker must know to make one video."""

    path: Path
    prompt: str
    duration_s: int
    frame_size: _Size
    pictures: tuple[Picture, ...]
    row: str = ""


def render(shot: Shot) -> None:
    """Make the video of ``shot`` at its path."""
    make_folder(shot.path.parent)
    write_video(shot.path, _frames(shot), shot.frame_size, _OPTIONS, sound=True)


def _frames(shot: Shot) -> Iterator[VideoFrame]:
    count = shot.duration_s * FRAMES_PER_S
    patch = np.array(_mark_patch(shot.frame_size))
    if not shot.pictures:
        return _card_frames(shot, count, patch)
    return _picture_frames(shot, count, patch)


def _card_frames(shot: Shot, count: int, patch: _Plane) -> Iterator[VideoFrame]:
    """Show row and prompt, with a bar at the foot that tells how far the video is."""
    width, height = shot.frame_size
    planes = _planes_of(_title_card(shot.prompt, shot.frame_size, heading=shot.row))
    _put_mark(planes, patch)
    thickness = height // 120
    for number in range(count):
        reached = width * (number + 1) // count
        planes[0][height - thickness :, :reached] = _BAR_LUMA
        yield _frame_of(planes)


def _picture_frames(shot: Shot, count: int, patch: _Plane) -> Iterator[VideoFrame]:
    """Move slowly over each picture in turn."""
    parts = len(shot.pictures)
    for index, picture in enumerate(shot.pictures):
        layers = _layers_of(_planes_of(_still(picture, shot)))
        length = count * (index + 1) // parts - count * index // parts
        for number in range(length):
            box = _view(number / max(1, length - 1), inward=index % 2 == 0)
            planes = _cut(layers, box, shot.frame_size)
            _put_mark(planes, patch)
            yield _frame_of(planes)


def _view(moved: float, *, inward: bool) -> _Box:
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
        return _title_card(shot.prompt, size, f"without the picture at {picture.host}", shot.row)
    try:
        with Image.open(io.BytesIO(read_private(picture.path))) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return _title_card("this picture cannot be opened", size, picture.path.name)
    return _fit(upright, size)
