"""Which of the user's texts are plainly numbers, for workbooks that are written anew.

A manifest holds texts, so that a number, a date or a code with zeros in front look alike. A number
is written as one only where it is shown as it was, but for rounding, and the reader gives the very
text again: `4.50`, `007`, an EAN of 13 digits and all dates stay texts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.manifest.columns import ALIASES, folded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pipeline.model import Row

# Source: Microsoft, "Available number formats in Excel" and "Excel specifications and limits": a
# cell without a format rounds decimals for want of room, and shows 12 digits before the point and
# more, and what begins with 0.0000, in powers of ten. It keeps 15 digits, and so does a float.
_PLAIN = re.compile(r"(?!-0$)-?(?!0\.0000)(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?")
_MOST_WHOLE, _MOST_DIGITS = 11, 15
_DIGIT = re.compile(r"\d")


def number_columns(
    headers: Sequence[str], rows: Sequence[Row], columns: Iterable[int]
) -> frozenset[int]:
    """Those of `columns` whose numbers are written as such.

    Every cell with a digit must be plainly a number: half a column of texts would be left out of a
    sum, and sorted apart, without a word. A column named as a key keeps its texts: what names a
    product is no amount, and is compared with other lists as a text.
    """
    names = map(folded, headers)
    keys = {index for index, name in enumerate(names) if name in ALIASES["key"]}
    return frozenset(
        index for index in columns if index not in keys and all(_fits(row, index) for row in rows)
    )


def own_values(
    row: Row, columns: Iterable[int], numbers: Collection[int]
) -> list[str | int | float]:
    """The values of a row's own `columns`; in those of `numbers` a number, where there is one."""
    texts = row.cells
    return [
        _value(texts[index] if index < len(texts) else "", number=index in numbers)
        for index in columns
    ]


def _fits(row: Row, index: int) -> bool:
    text = row.cells[index] if index < len(row.cells) else ""
    return _plain(text) or _DIGIT.search(text) is None


def _plain(text: str) -> bool:
    if _PLAIN.fullmatch(text) is None:
        return False
    whole, _, decimals = text.removeprefix("-").partition(".")
    digits = f"{whole}{decimals}".lstrip("0")
    return len(whole) <= _MOST_WHOLE and len(digits) <= _MOST_DIGITS


def _value(text: str, *, number: bool) -> str | int | float:
    if not number or not _plain(text):
        return text
    return float(text) if "." in text else int(text)
