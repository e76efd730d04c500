"""The styles of an OpenDocument spreadsheet: hidden tables, and what numbers are shown with.

ODF 1.2 part 1: a cell style (19.500) names a data style (16.27), which may leave positive numbers
to another one (`style:map`, 16.3) and has its digits, words and symbols as elements in order.

Tested in tests/reader/test_opendocument.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.reader.workbook.formats import (
    CLOCK,
    DIGIT,
    OPTION,
    PERCENT,
    UNREADABLE,
    join_masks,
    make_mask,
)
from pipeline.reader.workbook.package import make_parser

if TYPE_CHECKING:
    from xml.parsers import expat

# Styles inherit from one another; a real workbook does so three or four times.
_MOST_PARENTS = 20
_MOST_DIGITS = 64
# As long as a whole format of Excel's can be.
_MOST_WORDS = 255
# A style of texts may leave all numbers to others: LibreOffice keeps Excel's accounting so.
_OF_NUMBERS = {
    "number:number-style",
    "number:currency-style",
    "number:percentage-style",
    "number:text-style",
    "number:time-style",
}
_CLOCK = {"number:hours", "number:minutes"}
_CLOCK_PARTS = _CLOCK | {"number:seconds"}
_WORDS = {"number:text", "number:currency-symbol"}
_POSITIVE, _NEGATIVE = {"value()>=0", "value()>0"}, {"value()<0", "value()<=0"}


@dataclass(slots=True)
class _Shown:
    """A data style while it is read: its words before and behind, its digits, its stand-ins.

    `between` has the words between the digits, by the number of digits behind them; `clock` are
    the parts of a time. `length` counts the characters of all words.
    """

    percent: bool
    words: list[str] = field(default_factory=lambda: ["", ""])
    digits: tuple[int, int] | None = None
    between: dict[int, str] = field(default_factory=dict)
    thousands: bool = False
    clock: set[str] = field(default_factory=set)
    positive: str = ""
    negative: str = ""
    conditional: bool = False
    odd: bool = False
    length: int = 0

    @property
    def pads(self) -> bool:
        """Whether it shows more than one digit before the point."""
        return self.digits is not None and self.digits[0] > 1

    def mask(self) -> str | None:
        """Return the mask, or None if the style is not understood."""
        if self.digits is None or self.odd or (self.between and self.thousands):
            return None
        before, after = self.words
        if self.percent:
            before, after = before.replace("%", PERCENT), after.replace("%", PERCENT)
        zeros, decimals = self.digits
        return make_mask(before, self._places(zeros), decimals, after, thousands=self.thousands)

    def _places(self, zeros: int) -> str:
        count = max([zeros, *(behind + 1 for behind in self.between)])
        return "".join(
            (DIGIT if left <= zeros else OPTION) + self.between.get(left - 1, "")
            for left in range(count, 0, -1)
        )


class OdsStyles:
    """What the style elements of a spreadsheet say, as its parsers come upon them."""

    def __init__(self) -> None:
        self.hidden_tables: set[str] = set()
        self._cells: dict[str, tuple[str, str]] = {}
        self._shown: dict[str, _Shown] = {}
        self._masks: dict[str, str] = {}
        self._style = ""
        self._open: _Shown | None = None
        self._reads = False
        self._between: int | None = None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "style:style":
            self._style = attributes.get("style:name", "")
            if attributes.get("style:family") == "table-cell":
                self._cells[self._style] = (
                    attributes.get("style:data-style-name", ""),
                    attributes.get("style:parent-style-name", ""),
                )
        elif tag == "style:table-properties":
            if attributes.get("table:display") == "false":
                self.hidden_tables.add(self._style)
        elif tag in _OF_NUMBERS:
            self._open = _Shown(percent=tag == "number:percentage-style")
            self._shown[attributes.get("style:name", "")] = self._open
        elif self._open is not None:
            self._part(self._open, tag, attributes)

    def _part(self, shown: _Shown, tag: str, attributes: dict[str, str]) -> None:
        if tag in _WORDS:
            self._reads = True
        elif tag in _CLOCK_PARTS:
            shown.clock.add(tag)
        elif tag == "number:number":
            zeros = _digits(attributes, "number:min-integer-digits", 1)
            decimals = _digits(attributes, "number:decimal-places", 0)
            least = _digits(attributes, "number:min-decimal-places", decimals)
            shown.digits = (zeros, decimals)
            scaled = attributes.get("number:display-factor", "1") not in {"1", "1.0"}
            shown.odd = shown.odd or scaled or least != decimals
            shown.thousands = attributes.get("number:grouping") == "true"
        elif tag == "number:embedded-text":
            self._between = _digits(attributes, "number:position", 0)
        elif tag == "style:map":
            _map(shown, attributes)
        elif tag in {"number:scientific-number", "number:fraction"}:
            shown.odd = True

    def _text(self, text: str) -> None:
        if self._open is None:
            return
        if self._between is not None or self._reads:
            self._open.length += len(text)
            self._open.odd = self._open.odd or self._open.length > _MOST_WORDS
        if self._open.odd:
            return
        if self._between is not None:
            between = self._open.between
            between[self._between] = between.get(self._between, "") + text
        elif self._reads:
            self._open.words[self._open.digits is not None] += text

    def _end(self, tag: str) -> None:
        if tag in _WORDS:
            self._reads = False
        elif tag == "number:embedded-text":
            self._between = None
        elif tag in _OF_NUMBERS:
            self._open = None

    def mask_of(self, style: str) -> str:
        """Return the mask of a cell style; empty where it shows nothing but the number."""
        if style not in self._masks:
            self._masks[style] = self._find_mask(style)
        return self._masks[style]

    def _find_mask(self, style: str) -> str:
        for _ in range(_MOST_PARENTS):
            data, parent = self._cells.get(style, ("", ""))
            if data:
                return self._mask(self._shown.get(data))
            style = parent
        return ""

    def _mask(self, shown: _Shown | None) -> str:
        """Return the mask of a data style and of those that it leaves numbers to."""
        if shown is None:
            return ""
        if shown.clock:
            return CLOCK if shown.clock == _CLOCK else ""
        positive = self._shown.get(shown.positive, shown)
        negative = self._shown.get(shown.negative, shown if positive is not shown else None)
        mask = None if shown.conditional else positive.mask()
        if mask is None:
            return UNREADABLE if any(one.pads for one in (shown, positive)) else ""
        return join_masks(mask, (negative.mask() if negative else None) or "")

    def parser(self) -> expat.XMLParserType:
        """Return a parser that tells this object of all elements."""
        return make_parser(self._start, self._end, self._text)


def _map(shown: _Shown, attributes: dict[str, str]) -> None:
    """Take which numbers are left to which other style."""
    condition = attributes.get("style:condition", "")
    if condition in _POSITIVE:
        shown.positive = attributes.get("style:apply-style-name", "")
    elif condition in _NEGATIVE:
        shown.negative = attributes.get("style:apply-style-name", "")
    elif condition.startswith("value()") and condition != "value()=0":
        shown.conditional = True


def _digits(attributes: dict[str, str], name: str, default: int) -> int:
    return min(int(attributes.get(name, default)), _MOST_DIGITS)
