"""Figures of the sound of a video: how loud it is, and how much of it is cut off at full scale.

Tested in tests/downloader/test_filmfigures.py.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

_CUT_OFF = 0.985
"""Of full scale: an encoder rounds off what was cut off."""
_SILENCE_DB, _NOTHING = -120.0, 1e-6
_WHOLE = {"u8": 128.0, "s16": 32_768.0, "s32": 2_147_483_648.0}


class SoundFigures:
    """Gathers the figures of a sound track."""

    def __init__(self) -> None:
        """Begin."""
        self._samples = 0
        self._cut_off = 0
        self._peak = 0.0
        self._power = 0.0
        self._length_s = 0.0

    def hear(self, frame: AudioFrame) -> None:
        """Take in the next piece."""
        import numpy as np  # noqa: PLC0415 - a decoder that only verifies needs none

        sound = np.asarray(frame.to_ndarray(), np.float32)
        name = frame.format.name.removesuffix("p")
        if name in _WHOLE:
            sound = (sound - (128.0 if name == "u8" else 0.0)) / _WHOLE[name]
        level = np.abs(sound)
        self._samples += level.size
        self._cut_off += int((level >= _CUT_OFF).sum())
        self._peak = max(self._peak, float(level.max(initial=0.0)))
        self._power += float((sound * sound).sum(dtype=np.float64))
        self._length_s += frame.samples / max(1, frame.sample_rate)

    def report(self) -> dict[str, Any] | None:
        """Return the figures; None if nothing was heard."""
        if not self._samples:
            return None
        return {
            "length_s": round(self._length_s, 2),
            "peak_db": _decibels(self._peak),
            "mean_db": _decibels(math.sqrt(self._power / self._samples)),
            "cut_off": round(self._cut_off / self._samples, 5),
        }


def _decibels(level: float) -> float:
    return round(20 * math.log10(level), 1) if level > _NOTHING else _SILENCE_DB
