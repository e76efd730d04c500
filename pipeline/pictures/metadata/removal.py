"""Photographs without what they tell of their makers: places, names, dates, serial numbers.

A picture file is a row of pieces: segments in a JPEG, chunks in a PNG or WebP, blocks in a GIF. The
pieces that make the picture are copied byte for byte, and all others are left out, so nothing is
decoded and nothing gets worse. What is kept is named, not what is dropped: a kind of metadata that
nobody has heard of yet is left out as well. So is whatever follows the end of the picture: other
pictures, the film of a "live" photograph.

Kept are also colours (the ICC profile, gamma and the like) and how the camera was held: of Exif one
entry is left, the orientation, and only if the picture is not upright.

A file whose pieces cannot be told apart is refused rather than sent as it is, because nobody could
say what is in it. A file that was decoded to its end before has hardly ever such a fault.

Tested in tests/pictures/metadata/test_removal.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline.pictures.metadata.gif import rewrite_gif
from pipeline.pictures.metadata.jpeg import rewrite_jpeg
from pipeline.pictures.metadata.orientation import Unwalkable
from pipeline.pictures.metadata.png import rewrite_png
from pipeline.pictures.metadata.webp import rewrite_webp

_REWRITES: Mapping[str, Callable[[bytes], bytes]] = {
    "image/jpeg": rewrite_jpeg,
    "image/png": rewrite_png,
    "image/webp": rewrite_webp,
    "image/gif": rewrite_gif,
}


def remove_metadata(data: bytes, mime_type: str) -> bytes:
    """Return a picture file without its metadata; it has at most as many bytes as before.

    Raises:
        Unwalkable: Its pieces cannot be told apart.

    """
    rewrite = _REWRITES.get(mime_type)
    if rewrite is None:
        raise Unwalkable(f"no way is known for the kind {mime_type}")
    return rewrite(data)
