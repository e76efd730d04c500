"""Figures of what a video shows, of all its film frames in one pass: they judge nothing.

The mean brightness of every film frame, and a thumbnail each quarter of a second: a first frame, or
the key frames, say nothing of a flicker and little of a freeze. Thumbnails are means of areas, so
that neither grain nor the noise of an encoder is seen as motion. What follows from the figures is
for `review.quality`, which can so be changed without decoding anything again; what they are is the
recipe, and another one has another number.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from av.video.frame import VideoFrame

    _Plane: TypeAlias = npt.NDArray[np.float32]

RECIPE = 2
"""The version of the figures: other ones are measured again."""
SAMPLE_S = 0.25
_APART = 4
"""Still or not is told by samples one second apart: in less a slow move looks like grain.

What moves differs half as much in half the time, and what is only noise differs as much.
"""
_LONGER_SIDE, _BLOCK = 160, 10
_MOST_SAMPLES, _MOST_FRAMES = 240, 3_000
_START_S = (0.0, 0.5, 1.0, 1.5)
"""When the beginning is looked at: it may fade in."""
START_SIDE = 32
"""The longer side of a thumbnail of the beginning."""
_HASH_SIDE = 16
_EDGE = 6.0
_LIT = 26.0
_LUMA_STEP = 8
_EIGHT_BITS = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"})
_FULL_RANGE = 2


class FilmFigures:
    """Gathers the figures of a video, film frame by film frame.

    `length_s` is the length in seconds that the file announces: of a long one the thumbnails are
    further apart.
    """

    def __init__(self, length_s: float) -> None:
        """Begin."""
        self._every_s = max(SAMPLE_S, length_s / _MOST_SAMPLES)
        self._next_s = 0.0
        self._length_s = length_s
        self._luma: list[float] = []
        self._at: list[float] = []
        self._thumbs: list[_Plane] = []
        self._chromas: list[tuple[_Plane, _Plane]] = []
        self._frames = 0
        self._last_s = 0.0

    def see(self, frame: VideoFrame) -> None:
        """Take in the next film frame."""
        if frame.format.name not in _EIGHT_BITS:
            frame = frame.reformat(format="yuv420p")
        at = frame.time or 0.0
        self._last_s = max(self._last_s, at)
        self._frames += 1
        if len(self._luma) < _MOST_FRAMES:
            light = _plane(frame, 0)[_LUMA_STEP // 2 :: _LUMA_STEP, _LUMA_STEP // 2 :: _LUMA_STEP]
            self._luma.append(float(light.mean()) * _gain(frame) - _floor(frame))
        if at + 1e-6 >= self._next_s and len(self._at) <= _MOST_SAMPLES:
            self._next_s = max(self._next_s + self._every_s, at - self._every_s)
            self._sample(frame, at)

    def _sample(self, frame: VideoFrame, at: float) -> None:
        high, wide = sides(frame.width, frame.height, _LONGER_SIDE, _BLOCK)
        self._at.append(at)
        self._thumbs.append(shrink(_plane(frame, 0), high, wide) * _gain(frame) - _floor(frame))
        blue, red = (shrink(_plane(frame, at), high // 2, wide // 2) - 128.0 for at in (1, 2))
        self._chromas.append((blue, red))

    def report(self) -> dict[str, Any]:
        """Return the figures, in whole tenths where they are levels of brightness."""
        import numpy as np  # noqa: PLC0415 - a decoder that only verifies needs none

        thumbs = np.stack(self._thumbs)
        flat = thumbs.reshape(len(thumbs), -1)
        lowest, highest = np.percentile(flat, (0.5, 99.5), axis=1)
        chroma = [float(np.hypot(blue.std(), red.std())) for blue, red in self._chromas]
        return {
            "frames": self._frames,
            "last_s": round(self._last_s, 3),
            "luma": _tenths(np.asarray(self._luma)),
            "at_s": [round(one, 3) for one in self._at],
            "lowest": _tenths(lowest),
            "highest": _tenths(highest),
            "spread": _tenths(flat.std(axis=1)),
            "chroma": _tenths(np.asarray(chroma)),
            "moved": _moved(thumbs, _APART),
            "moved_half": _moved(thumbs, _APART // 2),
            "lines": [_lines(thumbs), _lines(thumbs.transpose(0, 2, 1))],
            "hashes": [_hash(thumbs[at]) for at in self._three()],
            "tones": [self._tone(at) for at in self._three()],
            "start": self._start(),
        }

    def _three(self) -> tuple[int, int, int]:
        """Return the places of the samples by which videos are told to be alike."""
        last = len(self._at) - 1
        return last // 6, last // 2, last - last // 6

    def _tone(self, at: int) -> list[int]:
        blue, red = self._chromas[at]
        high, wide = blue.shape
        middle = slice(high // 4, high - high // 4), slice(wide // 4, wide - wide // 4)
        return [round(float(blue[middle].mean()) * 10), round(float(red[middle].mean()) * 10)]

    def _start(self) -> dict[str, Any]:
        """Return thumbnails of the beginning: brightness and the two planes of colour, packed."""
        import numpy as np  # noqa: PLC0415

        taken = sorted({self._nearest(one) for one in _START_S})
        high, wide = self._thumbs[0].shape
        high, wide = sides(wide, high, START_SIDE, 2)
        packed = []
        for at in taken:
            planes = (self._thumbs[at], *(plane + 128.0 for plane in self._chromas[at]))
            small = np.stack([shrink(plane, high, wide) for plane in planes])
            content = np.clip(np.rint(small), 0, 255).astype(np.uint8).tobytes()
            packed.append(base64.b64encode(content).decode("ascii"))
        return {"height": high, "width": wide, "thumbnails": packed}

    def _nearest(self, second: float) -> int:
        return min(range(len(self._at)), key=lambda one: abs(self._at[one] - second))


def sides(width: int, height: int, longer: int, step: int) -> tuple[int, int]:
    """Return height and width of a thumbnail.

    Args:
        width: of the original, in pixels.
        height: likewise.
        longer: the longer side of the thumbnail.
        step: what both sides are multiples of.

    """
    scale = longer / max(width, height)
    high, wide = (max(step, round(one * scale / step) * step) for one in (height, width))
    return min(high, longer), min(wide, longer)


def shrink(plane: npt.NDArray[Any], high: int, wide: int) -> _Plane:
    """Return a plane at another size, each value the mean of its area.

    Args:
        plane: the values.
        high: the rows of the result.
        wide: its columns.

    """
    import numpy as np  # noqa: PLC0415

    if plane.shape[0] < high or plane.shape[1] < wide:
        down = np.arange(high) * plane.shape[0] // high
        across = np.arange(wide) * plane.shape[1] // wide
        return plane[np.ix_(down, across)].astype(np.float32)
    if plane.dtype == np.uint8 and not (plane.shape[0] % high or plane.shape[1] % wide):
        return _shrink_evenly(plane, high, wide)
    rows = np.arange(high + 1) * plane.shape[0] // high
    columns = np.arange(wide + 1) * plane.shape[1] // wide
    kind = np.uint32 if plane.dtype == np.uint8 else np.float64
    sums = np.add.reduceat(plane, rows[:-1], axis=0, dtype=kind)
    sums = np.add.reduceat(sums, columns[:-1], axis=1)
    counts = np.outer(np.diff(rows), np.diff(columns))
    return (sums / counts).astype(np.float32)


def _shrink_evenly(plane: npt.NDArray[np.uint8], high: int, wide: int) -> _Plane:
    """Do the same where all areas are alike: added up line by line it takes a tenth of the time."""
    import numpy as np  # noqa: PLC0415

    down, across = plane.shape[0] // high, plane.shape[1] // wide
    columns = np.zeros((high, plane.shape[1]), np.uint32)
    for lines in plane.reshape(high, down, -1).transpose(1, 0, 2):
        columns += lines
    sums = np.zeros((high, wide), np.uint32)
    for values in columns.reshape(high, wide, across).transpose(2, 0, 1):
        sums += values
    small: _Plane = (sums / np.float32(down * across)).astype(np.float32)
    return small


def _plane(frame: VideoFrame, number: int) -> npt.NDArray[np.uint8]:
    """Return a plane of the film frame as it lies in memory."""
    import numpy as np  # noqa: PLC0415

    plane = frame.planes[number]
    lines = np.frombuffer(plane, np.uint8)  # type: ignore[call-overload]
    shown: npt.NDArray[np.uint8] = lines.reshape(plane.height, plane.line_size)[:, : plane.width]
    return shown


def _is_full(frame: VideoFrame) -> bool:
    return frame.format.name.startswith("yuvj") or frame.color_range == _FULL_RANGE


def _gain(frame: VideoFrame) -> float:
    return 1.0 if _is_full(frame) else 255 / 219


def _floor(frame: VideoFrame) -> float:
    return 0.0 if _is_full(frame) else 16 * 255 / 219


def _tenths(levels: npt.NDArray[Any]) -> list[int]:
    import numpy as np  # noqa: PLC0415

    tenths: list[int] = np.rint(levels * 10).astype(int).tolist()
    return tenths


def _moved(thumbs: _Plane, apart: int) -> list[int]:
    """Return by how much each sample differs from the one so many samples later, in hundredths.

    Of the blocks of each, the one that differs third most: a spark or a lamp that blinks is none.
    """
    import numpy as np  # noqa: PLC0415

    if len(thumbs) <= apart:
        return []
    differs = np.abs(thumbs[apart:] - thumbs[:-apart])
    count, high, wide = differs.shape
    blocks = differs.reshape(count, high // _BLOCK, _BLOCK, wide // _BLOCK, _BLOCK).mean(
        axis=(2, 4)
    )
    third = np.sort(blocks.reshape(count, -1), axis=1)[:, -3:][:, 0]
    hundredths: list[int] = np.rint(third * 100).astype(int).tolist()
    return hundredths


def _lines(thumbs: _Plane) -> dict[str, list[int]]:
    """Return of each line, from the first to the last, what bars are told by.

    `spread`: the largest spread along the line in any sample; `level`: its brightness; `drift`: how
    much that changes; `edge`: along which part of it, in percent, the next line but one differs, in
    the sample in the middle of all. All in tenths but the last; dark samples say nothing.
    """
    import numpy as np  # noqa: PLC0415

    bright = np.percentile(thumbs.reshape(len(thumbs), -1), 99.5, axis=1) >= _LIT
    lit = thumbs[bright] if bright.any() else thumbs
    levels = lit.mean(axis=2)
    differs = (np.abs(lit[:, 2:] - lit[:, :-2]) > _EDGE).mean(axis=2)
    return {
        "spread": _tenths(lit.std(axis=2).max(axis=0)),
        "level": _tenths(levels.mean(axis=0)),
        "drift": _tenths(np.ptp(levels, axis=0)),
        "edge": np.rint(np.median(differs, axis=0) * 100).astype(int).tolist(),
    }


def _hash(thumb: _Plane) -> str:
    """Return 256 bits: where the picture gets darker from left to right."""
    import numpy as np  # noqa: PLC0415

    small = shrink(thumb, _HASH_SIDE, _HASH_SIDE + 1)
    bits = small[:, :-1] > small[:, 1:] + 1.0
    return np.packbits(bits).tobytes().hex()
