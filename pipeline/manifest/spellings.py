"""Durations, aspect ratios and resolutions as people write them, read as the provider spells them.

The allowed values are those of docs/contract.md, "Submissions".
Tested in tests/checker/test_rules.py.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pipeline.manifest.blank import compared

DURATIONS = (4, 6, 10)
ASPECT_RATIOS = ("16:9", "9:16")
RESOLUTIONS = ("720P", "1080p")

_BY_LINES = {resolution.rstrip("Pp"): resolution for resolution in RESOLUTIONS}
_SECONDS = re.compile(r"\+?0*([0-9]{1,6})(?:[.,]0*)?\s*(?:s|sec|secs|seconds?|\u2032\u2032|\")?\.?")
# Excel turns 16:9 into a time, which comes out as 16:09, 16:09:00, 4:09 PM, the fraction of a day,
# or a time on the first day of its calendar.
_RATIO = re.compile(r"0*([0-9]{1,4})\s*[:x\u00d7/\u2236\u2215\u2044]\s*0*([0-9]{1,4})(?::00)?")
_DAY_FRACTION = re.compile(r"0?[.,][0-9]{4,}")
_CLOCK = re.compile(r"0*([0-9]{1,2}):([0-9]{2})(?::00)?\s*([ap])\.?m\.?")
_FIRST_DAY = re.compile(r"(?:1899-12-3[01]|1900-01-0[01])[t ]")
_MINUTES_PER_DAY = 1440
_LINES = re.compile(r"0*([0-9]{3,4})\s*p?")
_SHAPES = {"portrait": "9:16", "vertical": "9:16", "landscape": "16:9", "horizontal": "16:9"}


@lru_cache(maxsize=4096)
def duration_of(text: str) -> int | None:
    """Read a duration: `4`, `4s`, `4 sec`, `4.0`, full-width digits…; None if not allowed."""
    match = _SECONDS.fullmatch(compared(text))
    value = int(match[1]) if match else None
    return value if value in DURATIONS else None


@lru_cache(maxsize=4096)
def aspect_ratio_of(text: str) -> str | None:
    """Read an aspect ratio: `16:9`, `16x9`, `16/9`, `portrait`, a time…; None if not allowed."""
    plain = _FIRST_DAY.sub("", compared(text), count=1)
    match = _RATIO.fullmatch(plain)
    value = f"{match[1]}:{match[2]}" if match else _SHAPES.get(plain) or _ratio_of_time(plain)
    return value if value in ASPECT_RATIOS else None


@lru_cache(maxsize=4096)
def resolution_of(text: str) -> str | None:
    """Read a resolution: `720`, `720p`, `1080P`…, as the provider spells it; None if none."""
    match = _LINES.fullmatch(compared(text))
    return _BY_LINES.get(match[1]) if match else None


def _ratio_of_time(plain: str) -> str | None:
    """Find the aspect ratio that was typed where a spreadsheet kept a time of day."""
    if _DAY_FRACTION.fullmatch(plain):
        minutes = round(float(plain.replace(",", ".")) * _MINUTES_PER_DAY, 1)
        hours, rest = divmod(minutes, 60)
        return f"{hours:g}:{rest:g}"
    if clock := _CLOCK.fullmatch(plain):
        return f"{int(clock[1]) % 12 + 12 * (clock[3] == 'p')}:{int(clock[2])}"
    return None
