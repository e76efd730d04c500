"""Stills as planes of luma and colour: what is moved and marked, frame by frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from PIL import Image, ImageFilter, ImageOps

Size = tuple[int, int]
Box = tuple[float, float, float, float]
Plane = npt.NDArray[np.uint8]
Planes = tuple[Plane, Plane, Plane]

_NEAR = 1.2  # shapes that differ by less are cropped, others get a blurred surround
_NEUTRAL = 128
_MARK_AT = 0.035  # of the shorter side, from the corner


def fit(picture: Image.Image, size: Size) -> Image.Image:
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


def planes_of(image: Image.Image) -> Planes:
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


def frame_of(planes: Planes) -> VideoFrame:
    """Return the planes as a frame for the encoder."""
    height, width = planes[0].shape
    packed = np.concatenate([plane.reshape(-1) for plane in planes])
    return VideoFrame.from_ndarray(packed.reshape(height * 3 // 2, width), format="yuv420p")


def layers_of(planes: Planes) -> list[Image.Image]:
    """Return the planes as grey pictures, which Pillow resizes fastest."""
    return [Image.fromarray(plane) for plane in planes]


def cut(layers: list[Image.Image], box: Box, size: Size) -> Planes:
    """Return the part ``box`` (in shares of the sides) of a still, at ``size``."""
    halved = (size[0] // 2, size[1] // 2)
    luma, blue, red = layers
    return (_cut(luma, box, size), _cut(blue, box, halved), _cut(red, box, halved))


def put_mark(planes: Planes, patch: Plane) -> None:
    """Lay the grey patch over a corner; colour under it goes."""
    height, width = patch.shape
    at = int(min(planes[0].shape) * _MARK_AT) // 2 * 2
    planes[0][at : at + height, at : at + width] = patch
    for colour in planes[1:]:
        colour[at // 2 : (at + height) // 2, at // 2 : (at + width) // 2] = _NEUTRAL


def _cut(layer: Image.Image, box: Box, size: Size) -> Plane:
    width, height = layer.size
    part = (box[0] * width, box[1] * height, box[2] * width, box[3] * height)
    return np.array(layer.resize(size, Image.Resampling.BILINEAR, box=part))
