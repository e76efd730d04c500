"""What a person sees in a cell: its value as a text, in the number format of the cell.

`00000` shows 7 as 00007, `000-000` 42 as 000-042, `"SKU-"0000` 7 as SKU-0007, `0 %` 0.5 as 50 %,
`0.00 "€"` 4 as 4.00 €: a cell that a person sees so is meant so. Rounded decimals alone change
nothing: 4.0 is 4.

A format becomes a mask: a text with a sign for each digit, and the words around and between them
as they are. ECMA-376 part 1, 18.8.31, describes the codes; all workbook formats share them but
.ods, whose styles (`odsstyles`) make the same masks.

Tested in tests/reader/test_formats.py.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# A digit that is always shown, the whole as a share, the decimal point, a digit that is shown if
# the number has it, thousands told apart; what follows `_NEGATIVE` is for negative numbers.
DIGIT, PERCENT, _POINT, OPTION, _THOUSANDS, _NEGATIVE = "\0", "\1", "\2", "\3", "\4", "\5"
# Masks of their own: a time without its seconds, and zeros shown in a way that is not understood.
CLOCK, UNREADABLE = "\6", "\7"
_DIGITS = DIGIT + OPTION
_SIGNS = re.compile(f"[{DIGIT}{_POINT}{OPTION}{_THOUSANDS}]")
_TIME = re.compile(r"(-?\d+:\d\d):\d\d")
# Behind a digit, and before as many digits as make groups of three.
_THREES = re.compile(r"(?<=\d)(?=(?:\d{3})+$)")
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|[_*].|\[\$(?P<currency>[^\]-]*)(?:-[^\]]*)?\]'
    r"|\[(?:black|blue|cyan|green|magenta|red|white|yellow|color ?\d+)\]"
    r"|(?P<plain>[- $€£¥+():!^&'~{}<>=])|(?P<sign>[0#.,%/])",
    re.IGNORECASE,
)
_SLASH = "\v"
_SIGN_OF = {"0": DIGIT, "#": OPTION, ".": _POINT, ",": _THOUSANDS, "%": PERCENT, "/": _SLASH}
_NUMBER = re.compile(
    r"(?P<before>[^\x00\x02-\x04]*)(?P<places>[\x00\x03](?:[^\x01\x02\v]*[\x00\x03])?)"
    r"(?:\x02(?P<decimals>\x00+))?(?P<after>[^\x00\x02-\x04]*)"
)
# A code has sections for positive numbers, negative ones, zero and texts.
_SECTION = re.compile(r'((?:"[^"]*"|\\.|[_*].|\[[^\]]*\]|[^;])*)(?:;|\Z)', re.DOTALL)
_CONDITION = re.compile(r"\[[<>=]")
_POWER = re.compile(r"[0#?.,]+E[+-]0+", re.IGNORECASE)
_NO_CODE = re.compile(r'"[^"]*"|\\.|_.|\*.')
_BRACKETS = re.compile(r"\[[^\]]*\]")
_SPAN = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_HALVES = re.compile(r"AM/PM|A/P", re.IGNORECASE)
_MOMENT = re.compile(r"[dmyhs]", re.IGNORECASE)
_MOST_CODE = 255
# ECMA-376 part 1, 18.8.30: what numbers without a code of their own mean. Those of currencies
# depend on the country, which no file names.
BUILT_IN = {
    9: "0%",
    10: "0.00%",
    **dict.fromkeys((14, 15, 16, 17, 22, *range(27, 32), *range(50, 55)), "yyyy-mm-dd"),
    **dict.fromkeys((18, 20, 32, 55), "h:mm"),
    **dict.fromkeys((19, 21, 33, 45, 47, 56), "h:mm:ss"),
    **dict.fromkeys((34, 35, 36, 57, 58), "yyyy-mm-dd"),
    46: "[h]:mm:ss",
}
# Excel keeps 15 significant digits of a number; what was typed beyond is gone.
_MAX_EXACT = 10**15


class Timing(Enum):
    """How a number format shows a number as a time: as a moment, or as hours that may pass 24."""

    MOMENT = "moment"
    SPAN = "span"


@lru_cache(maxsize=4096)
def mask_of(code: str) -> str:
    """Return the mask of a format; empty where it shows nothing but the number."""
    if len(code) > _MOST_CODE:
        return ""
    if timing_of(code) is not None:
        return CLOCK if _is_clock(code) else ""
    positive, negative = ([*_SECTION.findall(code), ""])[:2]
    shown = None if _CONDITION.search(_NO_CODE.sub("", code)) else _mask(positive)
    if shown is None:
        return UNREADABLE if _pads(code) else ""
    return join_masks(shown, _mask(negative) or "")


@lru_cache(maxsize=4096)
def timing_of(code: str) -> Timing | None:
    """Tell whether the format shows a time, and which kind of it."""
    if len(code) > _MOST_CODE:
        return None
    bare = _NO_CODE.sub("", code).partition(";")[0]
    if _SPAN.search(bare):
        return Timing.SPAN
    bare = _BRACKETS.sub("", bare)
    if bare.strip().casefold() == "general":
        return None
    return Timing.MOMENT if _MOMENT.search(bare) else None


def _is_clock(code: str) -> bool:
    """Tell whether a format of times shows hours and minutes, and nothing else."""
    bare = _NO_CODE.sub("", code).partition(";")[0]
    bare = _BRACKETS.sub(lambda found: found[0] if _SPAN.match(found[0]) else "", bare)
    return {sign.casefold() for sign in _MOMENT.findall(_HALVES.sub("", bare))} == {"h", "m"}


def _mask(section: str) -> str | None:
    """Return the mask of one section of a code; None where it is not understood."""
    signs = _signs(section)
    found = _NUMBER.fullmatch(signs) if signs else None
    if found is None:
        return None
    before, places, decimals, after = found.groups(default="")
    words = places.translate(dict.fromkeys(map(ord, (DIGIT, OPTION, _THOUSANDS))))
    thousands = _THOUSANDS in places
    if words and thousands:
        return None
    # Every digit behind one that is always shown is shown, too.
    may, _, must = places.replace(_THOUSANDS, "").partition(DIGIT)
    if DIGIT in places:
        may += DIGIT + must.replace(OPTION, DIGIT)
    before, after = before.replace(_SLASH, "/"), after.replace(_SLASH, "/")
    return make_mask(before, may, len(decimals), after, thousands=thousands)


def _signs(section: str) -> str:
    """Return the section with signs for its digits; empty if it holds more than words and these."""
    said, at = "", 0
    while at < len(section):
        token = _TOKEN.match(section, at)
        if token is None:
            return ""
        words = token["quoted"] or token["escaped"] or token["currency"] or token["plain"] or ""
        said += _SIGN_OF[token["sign"]] if token["sign"] else words
        at = token.end()
    return said


def _pads(code: str) -> bool:
    """Tell whether a code that is not understood shows more than one digit before the point."""
    bare = _POWER.sub("", _BRACKETS.sub("", _NO_CODE.sub("", code)))
    return any(section.partition(".")[0].count("0") > 1 for section in bare.split(";"))


def make_mask(
    before: str, places: str, decimals: int, after: str, *, thousands: bool = False
) -> str:
    """Return the mask of words around the `places` before the point and the digits behind it."""
    if not any(map(str.strip, _SIGNS.split(places))):
        places = places.lstrip(OPTION) or OPTION
    if thousands and places.count(DIGIT) > 1:
        places = _THOUSANDS + places
    return (before + places + (_POINT + DIGIT * decimals if decimals else "") + after).strip(" ")


def join_masks(positive: str, negative: str) -> str:
    """Join the masks of positive and negative numbers; empty where they add nothing."""
    if negative in {positive, "-" + positive}:
        negative = ""
    shown = positive if _adds(positive) else ""
    return f"{shown}{_NEGATIVE}{negative}" if negative else shown


def apply_mask(text: str, mask: str) -> str:
    """Return a number as its mask shows it; what does not fit the mask stays as it is."""
    if mask == CLOCK:
        found = _TIME.fullmatch(text)
        return found[1] if found else text
    shown, _, negative = mask.partition(_NEGATIVE)
    try:
        number = Decimal(text)
        if number < 0 and negative:
            shown, number = negative, -number
        number = _round(number, shown)
    except InvalidOperation:
        return text
    if not shown:
        return text
    whole, _, decimals = f"{abs(number):f}".partition(".")
    head, point, tail = shown.partition(_POINT)
    behind = "." + decimals + tail.lstrip(DIGIT) if point else ""
    said = _fill(head, whole if int(whole) else "") + behind
    return ("-" if number < 0 else "") + said.replace(PERCENT, "%")


def _adds(mask: str) -> bool:
    """Tell whether the mask shows more than the number: zeros before it, words."""
    return mask.partition(_POINT)[0].count(DIGIT) > 1 or bool(_SIGNS.sub("", mask).strip())


def _fill(head: str, digits: str) -> str:
    """Put digits into the places before the point, from the last digit on."""
    first = next(at for at, sign in enumerate(head) if sign in _DIGITS)
    if _THOUSANDS in head:
        places = head.count(DIGIT)
        return head[: first - 1] + _THREES.sub(",", digits.zfill(places)) + head[first + places :]
    said = []
    for at in range(len(head) - 1, -1, -1):
        sign = head[at]
        if sign not in _DIGITS:
            said.append(sign)
            continue
        cut = 0 if at == first else -1
        said.append(digits[cut:] or ("0" if sign == DIGIT else ""))
        digits = digits[:cut]
    return "".join(reversed(said))


def _round(number: Decimal, shown: str) -> Decimal:
    """Return the number with the decimals shown; raises InvalidOperation where it has others."""
    if PERCENT in shown:
        number = number.scaleb(2)
    tail = shown.partition(_POINT)[2]
    decimals = len(tail) - len(tail.lstrip(DIGIT))
    whole = number.to_integral_value()
    if decimals or PERCENT in shown:
        return number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    if number != whole:
        raise InvalidOperation
    return whole


def texts_of(column: list[object]) -> list[str]:
    """Return the texts of a whole column."""
    kinds = set(map(type, column))
    if kinds <= {str}:
        return column  # type: ignore[return-value]  # just proven by the line above
    memo: dict[object, str] = {}
    # True equals 1 as a dictionary key, and is another text.
    if bool in kinds:
        return [text_of(value) for value in column]
    return [memo.get(value) or memo.setdefault(value, text_of(value)) for value in column]


def text_of(value: object) -> str:
    """Return a value as text: `4.0` is "4", dates are ISO 8601, booleans TRUE or FALSE."""
    convert = _CONVERTERS.get(type(value))
    return str(value) if convert is None else convert(value)


def has_lost_digits(value: object) -> TypeGuard[int | float]:
    """Tell whether `value` is a whole number that is too long to have kept all of its digits."""
    if type(value) is int:
        return not -_MAX_EXACT < value < _MAX_EXACT
    return type(value) is float and math.isfinite(value) and abs(value) >= _MAX_EXACT


def is_exact(numbers: Sequence[float]) -> bool:
    """Tell whether none of these numbers has lost digits or is too large: all of them at once."""
    if not numbers:
        return True
    within = min(numbers) > -_MAX_EXACT and max(numbers) < _MAX_EXACT
    return within and math.isfinite(sum(numbers))  # one that is no number hides from the others


def too_large(value: object) -> bool:
    """Tell whether `value` is a number beyond all that a computer counts with, such as 1e999."""
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
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return _from_duration(dt.timedelta(seconds=seconds, microseconds=value.microsecond))


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
