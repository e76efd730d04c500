"""What it costs to decode a picture, told by its header before anything is decoded.

A file of a megabyte can ask for gigabytes of memory, or for minutes: a PNG of one colour unfolds to
four bytes for each pixel, and a progressive JPEG is worked through once for each of its passes. So
memory and passes are counted first. What asks for too much is a fault of its row. The rest is
decoded when there is room: all decodes of this process share one amount of memory, so that ordinary
photographs are decoded side by side, and a heavy one waits until it fits.

Memory per pixel was measured with Pillow 13, by the peak of a process that opens one picture of 24
megapixels. Time that no header tells is limited as well: what is read for a decode comes from a
file that ends it once the thread has worked too long.
"""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.model import PictureFault
from pipeline.pictures.accepted import LARGEST_SIDE
from pipeline.pictures.metadata.jpeg import comes_in_passes, count_scans

if TYPE_CHECKING:
    from PIL import Image

MOST_BYTES = 1_200_000_000
"""The memory that all decodes of this process may take together, and so a single one. A JPEG of 48
megapixels needs 0.4 GB, or 0.6 GB if it is progressive."""

_MOST_PASSED_PIXELS = 1_500_000_000
"""How many pixels all passes of a JPEG may work through, which takes about 6 s. Programs write ten
passes: 48 megapixels make 480 million."""

_LONGEST_S = 10.0
"""The longest time that a thread may work on a picture: five times what 48 megapixels need."""

_PIXEL_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}
_OTHER_PIXEL_BYTES = 4
_BY_FORMAT = {"WEBP": 17, "AVIF": 12, "HEIF": 10}
"""Bytes per pixel where the decoder keeps several copies of the picture."""
_AVIF_SETTING = b"av1C"
_DEEP_BYTES = 4
"""Bytes per pixel more where an AVIF has 10 or 12 bits per colour: these take two bytes each."""
_UNTOLD = frozenset({"AVIF"})
"""The header may say less than the picture inside has, which is decoded whole before it is made to
fit: each is decoded alone."""
_CONVERTED_BYTES = {
    "RGBA": 4,
    "LA": 8,
    "PA": 8,
    "P": 8,
    "I;16": 9,
    "I;16B": 9,
    "I;16L": 9,
    "I": 9,
    "F": 9,
}
"""Bytes per pixel that a copy takes before it is made smaller (see `recipe`)."""
_COEFFICIENT_BYTES = 2
_USUAL_SCANS = 12
_GIGA = 1e9


class TookTooLong(Exception):
    """A picture was worked on for too long."""


class TimedFile(io.BytesIO):
    """The content of a picture file, which can be read for a limited time of this thread's work."""

    def __init__(self, data: bytes, limit_s: float | None = None) -> None:
        super().__init__(data)
        self._until_s = time.thread_time() + (_LONGEST_S if limit_s is None else limit_s)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on; raises TookTooLong once the time is over."""
        if time.thread_time() > self._until_s:
            raise TookTooLong
        return super().read(size)


def weigh(path: Path, picture: Image.Image, data: bytes) -> int | PictureFault:
    """Return about how many bytes of memory it takes to decode a picture and to make a copy of it.

    Args:
        path: The file.
        picture: The opened picture, of which only the header was read.
        data: The file's content.

    Returns:
        The bytes, or why the picture is not decoded: it would take too much memory or time.

    """
    in_passes = _comes_in_passes(picture, data)
    needed = _memory_bytes(picture, in_passes=in_passes, deep=_is_deep(data))
    size = f"{path.name} ({picture.width} x {picture.height})"
    if needed > MOST_BYTES:
        return PictureFault(
            "too_heavy",
            f"{size} would take {needed / _GIGA:.1f} GB of memory to be opened, and "
            f"{MOST_BYTES / _GIGA:g} GB is the most. {_REMEDY}",
        )
    most_scans = int(_MOST_PASSED_PIXELS / (picture.width * picture.height))
    scans = _count_scans(data, max(most_scans, _USUAL_SCANS)) if in_passes else 1
    if scans > max(most_scans, _USUAL_SCANS):
        return PictureFault(
            "too_slow",
            f"{size} is a progressive JPEG of {scans:,} passes, where programs write about ten: it "
            f"would take too long to be opened. {_REMEDY}",
        )
    return MOST_BYTES if picture.format in _UNTOLD else needed


def took_too_long(path: Path) -> PictureFault:
    """Return the fault of a picture that was given up."""
    return PictureFault(
        "too_slow", f"{path.name} takes longer than {_LONGEST_S:g} s to be opened. {_REMEDY}"
    )


_REMEDY = (
    "Open it and save it anew, for example as a plain JPEG with at most 3000 pixels on the longer "
    "side."
)


def _is_deep(data: bytes) -> bool:
    """Tell whether any picture in an AVIF file has more than 8 bits per colour."""
    settings = re.finditer(re.escape(_AVIF_SETTING) + rb"..(.)", data, re.DOTALL)
    return any(found[1][0] & 0x40 for found in settings)


def _memory_bytes(picture: Image.Image, *, in_passes: bool, deep: bool) -> int:
    kind = picture.format or ""
    per_pixel: float = _BY_FORMAT.get(kind) or _PIXEL_BYTES.get(picture.mode, _OTHER_PIXEL_BYTES)
    per_pixel += _DEEP_BYTES if deep and kind == "AVIF" else 0
    per_pixel += _CONVERTED_BYTES.get(picture.mode, 0)
    if in_passes:
        per_pixel += _coefficient_bytes(getattr(picture, "layer", ()))
    side = max(picture.size)
    # It is made smaller in one direction, then in the other, and then a few times over.
    lines = side + 2 * LARGEST_SIDE
    smaller = 0 if side <= LARGEST_SIDE else _OTHER_PIXEL_BYTES * LARGEST_SIDE * lines
    return int(picture.width * picture.height * per_pixel) + smaller


def _comes_in_passes(picture: Image.Image, data: bytes) -> bool:
    if picture.format not in {"JPEG", "MPO"}:
        return False
    return bool(picture.info.get("progressive")) or comes_in_passes(data)


def _count_scans(data: bytes, enough: int) -> int:
    """Count the passes of a JPEG; up to `enough` previews and trailers may count, which is fast."""
    most = data.count(b"\xff\xda")
    return most if most <= enough else count_scans(data)


def _coefficient_bytes(layers: object) -> float:
    """Return the bytes per pixel that a JPEG of several passes is kept in until the last one.

    `layers` has number, horizontal and vertical share of each colour, as Pillow reads them.
    """
    if not isinstance(layers, list) or not layers:
        return _COEFFICIENT_BYTES * _OTHER_PIXEL_BYTES
    shares = [(int(across), int(down)) for _, across, down, *_ in layers]
    whole = max(across for across, _ in shares) * max(down for _, down in shares)
    return _COEFFICIENT_BYTES * sum(across * down for across, down in shares) / max(1, whole)


class DecodeRoom:
    """The memory that decodes share; whoever asks first gets it first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = self._free = most_bytes
        self._turn = threading.Lock()
        self._freed = threading.Condition()

    @contextmanager
    def take(self, size_bytes: int) -> Iterator[None]:
        """Wait until there is as much room, and keep it for the length of the context."""
        size_bytes = min(size_bytes, self._most)
        # Only the first in the queue looks: a heavy picture is not overtaken for ever.
        with self._turn, self._freed:
            self._freed.wait_for(lambda: self._free >= size_bytes)
            self._free -= size_bytes
        try:
            yield
        finally:
            with self._freed:
                self._free += size_bytes
                self._freed.notify_all()


DECODE_ROOM = DecodeRoom()
"""Memory belongs to the process, so there is one for all checks that it makes."""
