"""A cell's value becomes the text that a person sees in it.

calamine hands over Python values; most of a manifest is text already and is left alone.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Callable

# Excel keeps 15 significant digits of a number; what was typed beyond is gone.
MAX_EXACT = 10**15
_SECONDS_PER_DAY = 86_400


def texts_of(column: list[object]) -> list[str]:
    """The texts of a whole column."""
    kinds = set(map(type, column))
    if kinds <= {str}:
        return column  # type: ignore[return-value]  # just proven by the line above
    memo: dict[object, str] = {}
    # True equals 1 as a dictionary key, and is another text.
    if bool in kinds:
        return [text_of(value) for value in column]
    return [memo.get(value) or memo.setdefault(value, text_of(value)) for value in column]


def text_of(value: object) -> str:
    """One value as text: `4.0` is "4", dates are ISO 8601, booleans TRUE or FALSE."""
    convert = _CONVERTERS.get(type(value))
    return str(value) if convert is None else convert(value)


def digits_lost(value: object) -> TypeGuard[int | float]:
    """Whether `value` is a whole number that is too long to have kept all of its digits."""
    if type(value) is int:
        return not -MAX_EXACT < value < MAX_EXACT
    return type(value) is float and math.isfinite(value) and abs(value) >= MAX_EXACT


def too_large(value: object) -> bool:
    """Whether `value` is a number beyond all that a computer counts with, such as 1e999."""
    return type(value) is float and not math.isfinite(value)


def _from_bool(value: bool) -> str:
    return "TRUE" if value else "FALSE"


def _from_float(value: float) -> str:
    """At most 15 digits, as Excel shows them, and never in powers of ten."""
    if not math.isfinite(value):
        return str(value)  # only a damaged file holds such a number
    if value == int(value):
        return str(int(value))
    short = format(value, ".15g")
    return format(Decimal(short), "f") if "e" in short else short


def _from_datetime(value: dt.datetime) -> str:
    whole = (value + dt.timedelta(microseconds=500_000)).replace(microsecond=0)
    if (whole.hour, whole.minute, whole.second) == (0, 0, 0):
        return whole.date().isoformat()
    return whole.isoformat()


def _from_time(value: dt.time) -> str:
    return _from_duration(
        dt.timedelta(
            hours=value.hour,
            minutes=value.minute,
            seconds=value.second,
            microseconds=value.microsecond,
        )
    )


def _from_duration(value: dt.timedelta) -> str:
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


_CONVERTERS: dict[type, Callable[..., str]] = {
    str: str,
    bool: _from_bool,
    int: str,
    float: _from_float,
    dt.datetime: _from_datetime,
    dt.date: dt.date.isoformat,
    dt.time: _from_time,
    dt.timedelta: _from_duration,
}
