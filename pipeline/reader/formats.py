"""Number formats: what they show beyond the number, and which of them show a time.

`00000` shows 7 as 00007, `"SKU-"0000` as SKU-0007, `0 %` 0.5 as 50 %, `0.00 "€"` 4 as 4.00 €: a
cell that a person sees so is meant so. Rounded decimals alone change nothing: 4.0 is 4.

ECMA-376 part 1, 18.8.31, describes the codes; all workbook formats share them but .ods.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache

# A mask is a text that holds a digit for each one that is always shown.
DIGIT, PERCENT = "\0", "\1"
_TEXT = r'(?:"[^"]*"|\\.|_.|\*.|\[\$[^\]-]*(?:-[^\]]*)?\]|[-/ $€£¥+%])*'
_SHOWN = re.compile(
    rf"(?P<before>{_TEXT})[#,]*(?P<zeros>0+)(?P<decimals>\.0+)?(?P<after>{_TEXT})(?:;.*)?"
)
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|([_*]).|\[\$([^\]-]*)(?:-[^\]]*)?\]|([-/ $€£¥+])|(%)')
_NO_CODE = re.compile(r'"[^"]*"|\\.|_.|\*.')
_BRACKETS = re.compile(r"\[[^\]]*\]")
_SPAN = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_MOMENT = re.compile(r"[dmyhs]", re.IGNORECASE)
_MOST_CODE = 255


class Timing(Enum):
    """How a number format shows a number as a time: as a moment, or as hours that may pass 24."""

    MOMENT = "moment"
    SPAN = "span"


# ECMA-376 part 1, 18.8.30: what numbers without a code of their own mean. Those of currencies
# depend on the country, which no file names.
BUILT_IN = {
    9: "0%",
    10: "0.00%",
    **dict.fromkeys((14, 15, 16, 17, 22, *range(27, 32), *range(50, 55)), "yyyy-mm-dd"),
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 45, 47, 55, 56), "h:mm:ss"),
    **dict.fromkeys((34, 35, 36, 57, 58), "yyyy-mm-dd"),
    46: "[h]:mm:ss",
}


@lru_cache(maxsize=4096)
def mask_of(code: str) -> str:
    """The mask of a format; empty where it shows nothing but the number."""
    found = _SHOWN.fullmatch(code) if len(code) <= _MOST_CODE else None
    if found is None:
        return ""
    before, after = _words(found["before"]), _words(found["after"])
    zeros, decimals = len(found["zeros"]), found["decimals"] or ""
    return mask(before, zeros, len(decimals) - bool(decimals), after)


def mask(before: str, zeros: int, decimals: int, after: str) -> str:
    """The mask of words around `zeros` digits and `decimals` more behind the point."""
    if zeros <= 1 and not (before + after).strip():
        return ""
    digits = DIGIT * zeros + ("." + DIGIT * decimals if decimals else "")
    return f"{before}{digits}{after}".strip(" ")


@lru_cache(maxsize=4096)
def timing_of(code: str) -> Timing | None:
    """Whether the format shows a time, and which kind of it."""
    bare = _NO_CODE.sub("", code).partition(";")[0]
    if _SPAN.search(bare):
        return Timing.SPAN
    bare = _BRACKETS.sub("", bare)
    if bare.strip().casefold() == "general":
        return None
    return Timing.MOMENT if _MOMENT.search(bare) else None


def padded(text: str, mask: str) -> str:
    """A number as its mask shows it; what does not fit the mask stays as it is."""
    at, end = mask.find(DIGIT), mask.rfind(DIGIT) + 1
    before, digits, after = mask[:at], mask[at:end], mask[end:]
    try:
        number = Decimal(text)
        if PERCENT in mask:
            number = number.scaleb(2)
        number = _rounded(number, digits, PERCENT in mask)
    except InvalidOperation:
        return text
    first, point, rest = f"{abs(number):f}".partition(".")
    shown = before + first.zfill(len(digits.partition(".")[0])) + point + rest + after
    return ("-" if number < 0 else "") + shown.replace(PERCENT, "%")


def _rounded(number: Decimal, digits: str, percent: bool) -> Decimal:
    """The number with the decimals that are shown. Raises InvalidOperation where it has others."""
    whole = number.to_integral_value()
    decimals = len(digits.partition(".")[2])
    if decimals or percent:
        return number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    if number != whole:
        raise InvalidOperation
    return whole


def _words(code: str) -> str:
    return "".join(
        quoted or escaped or currency or plain or (PERCENT if percent else "")
        for quoted, escaped, _, currency, plain, percent in _LITERAL.findall(code)
    )
