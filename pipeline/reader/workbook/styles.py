"""Cell styles: what a number is shown as, in an .xlsx and in the two binary formats.

A style is an index into a list of formats. The binary formats keep times as numbers of days, which
only the format tells from other numbers; .xlsx does so too, and calamine knows.
"""

from __future__ import annotations

import datetime as dt
import struct
from typing import TYPE_CHECKING

from pipeline.reader.workbook.formats import BUILT_IN, Timing, mask_of, timing_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.reader.workbook.sheets import Gathered

# The day 60 of 1900 is the 29th of February, which that year did not have.
_FIRST_REAL_DAY = 60
_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - spreadsheets have no zones
_EPOCH_1904 = dt.datetime(1904, 1, 1)  # noqa: DTZ001
_DAY = dt.timedelta(days=1)
# 31 December 9999, the last day that a spreadsheet has.
_LAST_DAY = 2_958_466
# BErr, [MS-XLS] 2.5.10 and [MS-XLSB] 2.5.97.2.
ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}


class Styles:
    """The styles of a workbook: `formats` has codes by number, `used` the number of each style."""

    def __init__(
        self, formats: Mapping[int, str], used: Sequence[int], *, since_1904: bool
    ) -> None:
        codes = [formats.get(number) or BUILT_IN.get(number, "") for number in used]
        self._timings = {at: timing for at, code in enumerate(codes) if (timing := timing_of(code))}
        self._masks = {at: mask for at, code in enumerate(codes) if (mask := mask_of(code))}
        self._since_1904 = since_1904

    def put(self, gathered: Gathered, row: int, column: int, style: int, value: float) -> None:
        """Take a number as its style shows it."""
        timing = self._timings.get(style)
        if timing is not None:
            gathered.put(row, column, dated(value, timing, since_1904=self._since_1904))
        else:
            gathered.put(row, column, value)
        if style in self._masks:
            gathered.mark(row, column, "padded", self._masks[style])


def error_text(code: int) -> str:
    """The name of an error value."""
    return ERRORS.get(code, "#N/A")


def rk_number(rk: int) -> float:
    """The number packed into four bytes: [MS-XLS] 2.5.217, [MS-XLSB] 2.5.123."""
    if rk & 2:
        value: float = (rk >> 2) - (1 << 30 if rk & 0x80000000 else 0)
    else:
        (value,) = struct.unpack("<d", b"\0\0\0\0" + struct.pack("<I", rk & 0xFFFFFFFC))
    return value / 100 if rk & 1 else value


def dated(value: float, timing: Timing, *, since_1904: bool) -> object:
    """The number as a date and time, or as a span of time; itself where it can be neither.

    ECMA-376 part 1, 18.17.4, tells which day a number is.
    """
    if not 0 <= value < _LAST_DAY:
        return value
    span = dt.timedelta(days=value)
    if timing is Timing.SPAN or span < _DAY:
        return span
    if since_1904:
        epoch = _EPOCH_1904
        return epoch + span if value < _LAST_DAY - 1462 else value
    return _EPOCH + span + (_DAY if value < _FIRST_REAL_DAY else dt.timedelta())
