"""How far the beginning of a video is like a picture: figures that judge nothing.

Whether a video begins with its picture can be told. A new scene with the product, and another
product, cannot be told apart by anything as cheap as this.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from pipeline.downloader.filmfigures import shrink

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image

    _Array: TypeAlias = npt.NDArray[np.float32]

_OPENED_AT = 256
_NEARER = (1.0, 1.06, 1.14, 1.25)
"""By how much a video may begin nearer than its picture."""
_BIN = 12.0
_BINS = 22
_MIDDLE = 0.15
"""Of each side, what does not belong to the middle."""
_GREY_COUNTS = 2.0
_NOTHING = 1e-3
_LUMA = (0.299, 0.587, 0.114)
_BLUE, _RED = 0.564, 0.713


def compare(start: dict[str, Any], path: str) -> dict[str, Any]:
    """Return how far the beginning of a video is like a picture, or a fault.

    Args:
        start: the thumbnails of the beginning, as `FilmFigures` reports them.
        path: the picture.

    """
    from PIL import Image  # noqa: PLC0415 - a decoder that only verifies needs none

    high, wide = int(start["height"]), int(start["width"])
    try:
        views = _views(path, high, wide)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return {"fault": f"the picture cannot be opened ({type(error).__name__})"}
    found = [_best(_unpack(one, high, wide), views) for one in start["thumbnails"]]
    alike = max(one for one, _ in found)
    near = [colour for one, colour in found if one >= alike - 0.1]
    return {"alike": round(alike, 3), "colour": round(max(near), 3)}


def _unpack(packed: str, high: int, wide: int) -> _Array:
    import numpy as np  # noqa: PLC0415

    content = np.frombuffer(base64.b64decode(packed), np.uint8).reshape(3, high, wide)
    planes: _Array = content.astype(np.float32)
    planes[1:] -= 128.0
    return planes


@lru_cache(maxsize=4)
def _views(path: str, high: int, wide: int) -> list[_Array]:
    """Return how a video of this shape may begin with the picture: brightness and two colours."""
    from PIL import Image  # noqa: PLC0415

    from pipeline.downloader.stills import upright  # noqa: PLC0415

    with Image.open(path) as opened:
        opened.draft("RGB", (_OPENED_AT, _OPENED_AT))
        picture = upright(opened)
    picture.thumbnail((_OPENED_AT, _OPENED_AT))
    views = [_planes(_cropped(picture, wide / high, nearer), high, wide) for nearer in _NEARER]
    views.append(_planes(picture, high, wide))
    fitted = _fitted(picture, wide / high)
    return views if fitted is None else [*views, _planes(fitted, high, wide)]


def _cropped(picture: Image, shape: float, nearer: float) -> Image:
    """Return the middle of the picture in a shape."""
    width, height = picture.size
    wide = min(width, height * shape) / nearer
    high = wide / shape
    left, top = (width - wide) / 2, (height - high) / 2
    return picture.crop((round(left), round(top), round(left + wide), round(top + high)))


def _fitted(picture: Image, shape: float) -> Image | None:
    """Return the whole picture in a shape, on the colour of its corner; None if it has the shape.

    What is added is like what a provider adds if the ground is plain; else it is little.
    """
    from PIL import Image  # noqa: PLC0415

    width, height = picture.size
    wide, high = max(width, round(height * shape)), max(height, round(width / shape))
    if (wide, high) == (width, height):
        return None
    ground = Image.new("RGB", (wide, high), picture.getpixel((0, 0)))
    ground.paste(picture, ((wide - width) // 2, (high - height) // 2))
    return ground


def _planes(picture: Image, high: int, wide: int) -> _Array:
    import numpy as np  # noqa: PLC0415

    pixels = np.asarray(picture, np.float32)
    light = pixels @ np.asarray(_LUMA, np.float32)
    blue, red = (pixels[..., 2] - light) * _BLUE, (pixels[..., 0] - light) * _RED
    # Planes of colour have another scale in a video: 224 of 255 steps.
    colours = (blue * (224 / 255), red * (224 / 255))
    return np.stack([shrink(plane, high, wide) for plane in (light, *colours)])


def _best(seen: _Array, views: list[_Array]) -> tuple[float, float]:
    """Return the correlation with the view that is most alike, and how far the colours overlap."""
    alike = [_correlation(seen[0], view[0]) for view in views]
    best = max(range(len(views)), key=alike.__getitem__)
    return alike[best], _overlap(seen, views[best])


def _correlation(one: _Array, other: _Array) -> float:
    """Return how far the brightness goes together, and its changes from place to place do."""
    import numpy as np  # noqa: PLC0415

    def together(left: _Array, right: _Array) -> float:
        left, right = left - left.mean(), right - right.mean()
        size = float(np.sqrt((left * left).sum() * (right * right).sum()))
        return float((left * right).sum()) / size if size > _NOTHING else 0.0

    whole = together(one, other)
    edges = np.mean([together(np.diff(one, axis=at), np.diff(other, axis=at)) for at in (0, 1)])
    return (whole + float(edges)) / 2


def _overlap(seen: _Array, view: _Array) -> float:
    """Return which part of the colours in the middle both have; grey counts little."""
    import numpy as np  # noqa: PLC0415

    high, wide = seen.shape[1:]
    top, left = round(high * _MIDDLE), round(wide * _MIDDLE)
    amounts = []
    for planes in (seen, view):
        blue, red = planes[1:, top : high - top, left : wide - left].reshape(2, -1)
        weight = _GREY_COUNTS + np.hypot(blue, red)
        amount = np.zeros((_BINS + 1, _BINS + 1))
        # Each pixel is shared by the four bins around it, so that nothing depends on their edges.
        across, down = (np.clip(one / _BIN + _BINS / 2, 0, _BINS - 1e-3) for one in (blue, red))
        for right in (0, 1):
            for below in (0, 1):
                places = across.astype(int) + right, down.astype(int) + below
                part = np.abs(1 - right - across % 1) * np.abs(1 - below - down % 1)
                np.add.at(amount, places, part * weight)
        amounts.append(amount / max(1e-6, amount.sum()))
    return float(np.minimum(*amounts).sum())
