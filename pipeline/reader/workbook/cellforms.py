"""Cells of a worksheet's XML that calamine cannot read, and what stands in them.

A cell of a shared text names the text by its number. Where calamine cannot read that number
(`-1`, `3.0`, a line break around it) it takes the first text of the workbook and says nothing; and
over a number that is none, or a kind of cell that it does not know, it gives up the whole workbook.
So such cells are found before: what can only be meant in one way is written as calamine reads it,
and any other one is a problem of its own.

A formula whose saved result is empty says nothing either. Some of them make pictures, which no
table holds as text.

Tested in tests/reader/test_cellforms.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from pipeline.manifest.picturetexts import makes_picture

UNREADABLE, EMPTY_RESULT = "cell_unreadable", "formula_empty"
IN_CELL, BY_FORMULA = "picture_in_cell", "picture_formula"
DELIBERATE = "formula_empty_meant"
"""The codes of cells: unreadable, a formula without a result, a picture in a cell, a formula that
makes one, and a formula that says itself when its result is empty."""

# What calamine reads rightly: the number of a text in bare digits, and nothing else in the value.
_STRICT = re.compile(rb"<(?:\w+:)?v(?:\s[^<>]*)?>\d{1,9}</(?:\w+:)?v>")
_ODD_STRING = re.compile(rb't="s"[^<>]*(?<!/)>(?!<v>\d{1,9}</v></c>)')
_VALUE = re.compile(rb"<(?:\w+:)?v[\s/>]")
_INLINE = re.compile(rb"<(?:\w+:)?is[\s>]")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,9}")
_FORMULA = re.compile(rb"<(?:\w+:)?f(?:\s[^<>]*)?>([^<]*)</")
_RICH = re.compile(rb'\svm="\d+"')
_KIND = re.compile(rb"""\st=(?:"[^"<>]*"|'[^'<>]*')""")
_NUMERIC = re.compile(rb"""\st=["']n["']""")
_KNOWN_KINDS = frozenset({"n", "s", "b", "e", "str", "inlineStr", "d"})
_TRUTHS = frozenset({"", "0", "1", "true", "false"})
_BLANKS = " \t\r\n"
_MEANS_EMPTY = re.compile(r"\+?IF\(.*[,;]\s*\"\"\s*[,;)]", re.IGNORECASE | re.DOTALL)
_EMPTY_TEXT = '""'
_NO_VALUE = "#VALUE!"


@dataclass(frozen=True, slots=True)
class RawCell:
    """A cell with a value or a formula, as its XML states it.

    Rows count from 1, columns from 0. `kind` and `style` are its `t` and `s`; `begins` and `ends`
    are the bytes of the block from its opening tag to before its closing tag.
    """

    row: int
    column: int
    kind: str
    style: str
    text: str
    formula: bool
    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class Strings:
    """How many shared texts a workbook has; None: they were not counted."""

    count: int | None = None

    @property
    def counted(self) -> bool:
        """Whether each cell is held against what calamine can read."""
        return self.count is not None

    def number_in(self, text: str) -> str | None:
        """Return the number of a text without the blanks around it; None if it is none."""
        bare = text.strip(_BLANKS)
        if not _DIGITS.fullmatch(bare):
            return None
        return bare if self.count is None or int(bare) < self.count else None


def has_odd_string(block: bytes) -> bool:
    """Tell whether a cell of a plain block may name its text in a way that calamine misreads."""
    return _ODD_STRING.search(block) is not None


def code_of(cell: RawCell, raw: bytes, strings: Strings) -> str:
    """Return the code of a cell that needs a word because of its form; empty if there is none.

    Args:
        cell: the cell.
        raw: its bytes, from its opening tag on.
        strings: the shared texts of the workbook; once they are counted, cells count over which
            calamine gives up the workbook.

    """
    if cell.kind == "e":
        if cell.formula and makes_picture(formula_in(raw)):
            return BY_FORMULA
        return IN_CELL if _RICH.search(raw[: raw.find(b">")]) and cell.text == _NO_VALUE else ""
    if is_unreadable(cell, raw, strings):
        return UNREADABLE
    if not cell.formula or cell.text:
        return ""
    formula = formula_in(raw)
    if makes_picture(formula):
        return BY_FORMULA
    if cell.kind != "str":
        return ""
    return code_of_empty(formula)


def code_of_empty(formula: str) -> str:
    """Return the code of a cell whose formula has an empty text for its result."""
    if formula.strip() == _EMPTY_TEXT:
        return ""
    return DELIBERATE if _MEANS_EMPTY.match(formula) else EMPTY_RESULT


def is_unreadable(cell: RawCell, raw: bytes, strings: Strings) -> bool:
    """Tell whether nobody can say what the cell says; the arguments are those of `code_of`."""
    if cell.kind == "s":
        if not cell.text or _INLINE.search(raw):
            return False
        return strings.number_in(cell.text) is None or len(_VALUE.findall(raw)) > 1
    if not strings.counted:
        return False
    if cell.kind == "n":
        return _NUMERIC.search(raw[: raw.find(b">")]) is not None and not _is_number(cell.text)
    if cell.kind == "b":
        return cell.text not in _TRUTHS
    return cell.kind not in _KNOWN_KINDS


def is_misread(cell: RawCell, raw: bytes) -> bool:
    """Tell whether calamine would take the cell for another text, or for none, or would give up."""
    if cell.kind == "n":
        return _NUMERIC.search(raw[: raw.find(b">")]) is not None and cell.text != cell.text.strip(
            _BLANKS
        )
    if cell.kind != "s" or not cell.text.strip(_BLANKS):
        return False
    return not _INLINE.search(raw) and not _STRICT.search(raw)


def rewrite(
    cell: RawCell, raw: bytes, tag: bytes, prefix: bytes, strings: Strings
) -> tuple[bytes, bytes] | None:
    """Return the opening tag without its end, and the content, as calamine reads them rightly.

    None for a cell that it reads rightly anyhow.

    Args:
        cell: the cell.
        raw: its bytes, from its opening tag on.
        tag: its opening tag without the last sign.
        prefix: that of the sheet's tags, with its colon.
        strings: the shared texts of the workbook.

    """
    if is_unreadable(cell, raw, strings):
        return _KIND.sub(b"", tag) + b' t="e"', b"<%sv>#N/A</%sv>" % (prefix, prefix)
    if is_misread(cell, raw):
        number = cell.text.strip(_BLANKS).encode()
        return tag, b"<%sv>%s</%sv>" % (prefix, number, prefix)
    return None


def formula_in(raw: bytes) -> str:
    """Return the formula of a cell; empty where another cell has it for both."""
    found = _FORMULA.search(raw)
    return unescape(found[1].decode("utf-8", "replace")) if found else ""


def _is_number(text: str) -> bool:
    return not text or _NUMBER.fullmatch(text.strip(_BLANKS)) is not None
