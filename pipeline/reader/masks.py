"""Masks: what number formats make of a number, whichever file the format comes from.

A mask is a text with a sign for each digit, and the words around and between them as they are.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

# A digit that is always shown, the whole as a share, the decimal point, a digit that is shown if
# the number has it, thousands told apart; what follows `NEGATIVE` is for negative numbers.
DIGIT, PERCENT, POINT, OPTION, THOUSANDS, NEGATIVE = "\0", "\1", "\2", "\3", "\4", "\5"
# Masks of their own: a time without its seconds, and zeros shown in a way that is not understood.
CLOCK, UNREADABLE = "\6", "\7"
_DIGITS = DIGIT + OPTION
_SIGNS = re.compile(f"[{DIGIT}{POINT}{OPTION}{THOUSANDS}]")
_TIME = re.compile(r"(-?\d+:\d\d):\d\d")
_THREE = 3


def mask(before: str, places: str, decimals: int, after: str, *, thousands: bool = False) -> str:
    """The mask of words around the `places` before the point and the digits behind it."""
    if not any(map(str.strip, _SIGNS.split(places))):
        places = places.lstrip(OPTION) or OPTION
    if thousands and places.count(DIGIT) > 1:
        places = THOUSANDS + places
    return (before + places + (POINT + DIGIT * decimals if decimals else "") + after).strip(" ")


def both(positive: str, negative: str) -> str:
    """One mask out of those of positive and negative numbers; empty where they add nothing."""
    if negative in {positive, "-" + positive}:
        negative = ""
    shown = positive if _adds(positive) else ""
    return f"{shown}{NEGATIVE}{negative}" if negative else shown


def padded(text: str, mask: str) -> str:
    """A number as its mask shows it; what does not fit the mask stays as it is."""
    if mask == CLOCK:
        found = _TIME.fullmatch(text)
        return found[1] if found else text
    shown, _, negative = mask.partition(NEGATIVE)
    try:
        number = Decimal(text)
        if number < 0 and negative:
            shown, number = negative, -number
        number = _rounded(number, shown)
    except InvalidOperation:
        return text
    if not shown:
        return text
    whole, _, decimals = f"{abs(number):f}".partition(".")
    head, point, tail = shown.partition(POINT)
    behind = "." + decimals + tail.lstrip(DIGIT) if point else ""
    said = _filled(head, whole if int(whole) else "") + behind
    return ("-" if number < 0 else "") + said.replace(PERCENT, "%")


def _adds(mask: str) -> bool:
    """Whether the mask shows more than the number: zeros before it, words."""
    return mask.partition(POINT)[0].count(DIGIT) > 1 or bool(_SIGNS.sub("", mask).strip())


def _filled(head: str, digits: str) -> str:
    """The part before the point with the digits in their places, from the last one on."""
    first = next(at for at, sign in enumerate(head) if sign in _DIGITS)
    if THOUSANDS in head:
        places = head.count(DIGIT)
        return head[: first - 1] + _in_threes(digits.zfill(places)) + head[first + places :]
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


def _in_threes(digits: str) -> str:
    first = len(digits) % _THREE or _THREE
    return ",".join(
        [digits[:first], *(digits[at : at + _THREE] for at in range(first, len(digits), _THREE))]
    )


def _rounded(number: Decimal, shown: str) -> Decimal:
    """The number with the decimals that are shown. Raises InvalidOperation where it has others."""
    if PERCENT in shown:
        number = number.scaleb(2)
    tail = shown.partition(POINT)[2]
    decimals = len(tail) - len(tail.lstrip(DIGIT))
    whole = number.to_integral_value()
    if decimals or PERCENT in shown:
        return number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    if number != whole:
        raise InvalidOperation
    return whole
