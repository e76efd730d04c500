"""How a cell of ours is written: its XML, and the looks that are added to a workbook's styles.

Text is written as text: nothing here ever becomes a formula but a link to a video or a task.
Source of the limits: Microsoft, "Excel specifications and limits": 32,767 characters in a cell,
255 in a text inside a formula. The `_xHHHH_` escapes are ECMA-376 part 1, 22.9.2.19 (ST_Xstring).

Tested in tests/writer/test_workbook_copy.py and tests/writer/test_links.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.model import State
from pipeline.reader.workbook.package import Element
from pipeline.writer.parts import add_prefix, elements, prefix_of, splice

_MOST_CHARACTERS = 32_767
_MOST_IN_FORMULA = 255
_SPECIAL = re.compile('[&<>"_\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]')
_ESCAPE_LIKE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f]")
_IMPOSSIBLE = re.compile("[\ud800-\udfff\ufffe\uffff]")
_FILL_OF_FORMAT = re.compile(rb"""\s(?:fillId|applyFill)\s*=\s*(?:"[^"]*"|'[^']*')""")
_MOST_FORMATS = 64_000
"""Excel takes 65,490 cell formats."""
_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})

_GOOD, _BAD, _DOUBT, _BUSY, _WARN, LINK = "good", "bad", "doubt", "busy", "warn", "link"
BAND = _BUSY
"""The look of a heading in a sheet of ours, which a workbook has in any case."""
TOP, TEXT, HEAD = "top", "text", "head"
"""The looks of a cell, of one whose text wraps, and of a header, in a table of our own."""
WEAK_LOOKS = frozenset({TOP, TEXT, HEAD})
"""The looks that a cell gets only where it has none: a person's own stay."""
STATE_LOOKS = {
    State.DONE: _GOOD,
    State.FAILED: _BAD,
    State.REFUSED: _BAD,
    State.EXPIRED: _BAD,
    State.IN_DOUBT: _DOUBT,
    State.MISSING: _DOUBT,
    State.WAITING: _BUSY,
    State.SUBMITTING: _BUSY,
    State.RUNNING: _BUSY,
    State.READY: _BUSY,
    State.INVALID: _WARN,
}
"""The look of a cell that names a state."""
COLOUR_OF_LOOK = {
    _GOOD: "FFC6EFCE",
    _BAD: "FFFFC7CE",
    _DOUBT: "FFFFD9A8",
    _BUSY: "FFD6E0EA",
    _WARN: "FFFFF2B3",
}
"""The fill of each look but links (ARGB)."""
# As Excel itself writes them, so that those of an earlier run are found and not added twice.
_FILL = (
    '<fill><patternFill patternType="solid"><fgColor rgb="{}"/><bgColor indexed="64"/>'
    "</patternFill></fill>"
)
_LINK_FONT = (
    '<font><u/><sz val="11"/><color rgb="FF0563C1"/><name val="Calibri"/><family val="2"/></font>'
)
_HEAD_FONT = (
    '<font><b/><sz val="11"/><color rgb="FFFFFFFF"/><name val="Calibri"/><family val="2"/></font>'
)
_HEAD_COLOUR = "FF22313A"
_XF = (
    '<xf numFmtId="0" fontId="{font}" fillId="{fill}" borderId="0" xfId="0"{applied} '
    'applyAlignment="1"><alignment vertical="{at}"{wrapped}/></xf>'
)
_COUNT = re.compile(rb"""\bcount=("\d*"|'\d*')""")


class Cell(NamedTuple):
    """The value of a cell, the name of its look, and the file or address that it links to.

    `style` is the number of a cell format that the workbook has, in place of a look.
    """

    value: str | float | None
    look: str | None = None
    link: str | None = None
    style: int | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A cell that keeps what it holds, and gets a fill: the one with this number, from 1.

    `formats` is how many cell formats the workbook had before `add_formats`.
    """

    formats: int
    fill: int

    def style(self, kept: str | None) -> int | str | None:
        """Return the number of the format that the cell had, with the fill."""
        number = int(kept or 0)
        return self.formats * self.fill + number if number < self.formats else kept


@dataclass(slots=True)
class Cut:
    """How many texts were cut because they are longer than a cell takes."""

    texts: int = 0


def cell_xml(reference: str, cell: Cell, style: int | str | None, cut: Cut) -> str:
    """Return the `<c>` element of a cell; nothing for an empty cell without a style.

    Args:
        reference: its address, as in "D7".
        cell: what is written.
        style: the number of its cell format; None for the default.
        cut: counts the texts that had to be cut.

    """
    look = "" if style is None else f' s="{style}"'
    value = cell.value
    if value is None or value == "":
        return f'<c r="{reference}"{look}/>' if look else ""
    if isinstance(value, int | float):
        return f'<c r="{reference}"{look}><v>{value}</v></c>'
    if cell.link and _linkable(cell.link) and _linkable(value):
        target, shown = (xml_text(text.replace('"', '""')) for text in (cell.link, value))
        formula = f"HYPERLINK(&quot;{target}&quot;,&quot;{shown}&quot;)"
        return f'<c r="{reference}"{look} t="str"><f>{formula}</f><v>{xml_text(value)}</v></c>'
    text = xml_text(_shorten(value, cut))
    space = ' xml:space="preserve"' if text != text.strip() or "\n" in text else ""
    return f'<c r="{reference}"{look} t="inlineStr"><is><t{space}>{text}</t></is></c>'


def xml_text(text: str) -> str:
    """Return text as the content of an element: markup escaped, control characters as `_xHHHH_`."""
    if _SPECIAL.search(text) is None:
        return text
    text = _ESCAPE_LIKE.sub("_x005F_", text)
    text = _CONTROL.sub(lambda match: f"_x{ord(match[0]):04X}_", text)
    return _IMPOSSIBLE.sub("\ufffd", text).translate(_XML)


def _shorten(text: str, cut: Cut) -> str:
    """Cut a text, with an ellipsis, to what a cell takes (in UTF-16 units, as Excel counts)."""
    if len(text) <= _MOST_CHARACTERS // 2:
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= _MOST_CHARACTERS * 2:
        return text
    cut.texts += 1
    return units[: (_MOST_CHARACTERS - 1) * 2].decode("utf-16-le", "ignore") + "…"


def _linkable(name: str) -> bool:
    # Each of the two texts in the formula may have 255 characters; none may hold a control
    # character or half of a surrogate pair.
    short = len(name.encode("utf-16-le", "surrogatepass")) <= _MOST_IN_FORMULA * 2
    return short and _CONTROL.search(name) is None and _IMPOSSIBLE.search(name) is None


class _Pool:
    """The children of `fonts`, `fills` or `cellXfs`: looked up by their bytes, or appended."""

    def __init__(self, data: bytes, pool: Element, found: list[Element]) -> None:
        self.data, self.pool = data, pool
        children = (element for element in found if element.parent is pool)
        self.have = [data[child.start : child.end] for child in children]
        self.own = len(self.have)

    def index(self, xml: str) -> int:
        raw = add_prefix(xml, prefix_of(self.pool))
        if raw not in self.have:
            self.have.append(raw)
        return self.have.index(raw)

    def cuts(self) -> list[tuple[int, int, bytes]]:
        pool, added = self.pool, self.have[self.own :]
        tag = self.data[pool.start : pool.inner]
        tag = _COUNT.sub(f'count="{len(self.have)}"'.encode(), tag)
        return [
            (pool.start, pool.inner, tag),
            (pool.close, pool.close, b"".join(added)),
        ]


def _xf(*, font: int = 0, fill: int = 0, at: str = "top", wrapped: bool = False) -> str:
    """Return a cell format; its fonts and fills but the first ones are said to be applied."""
    applied = (' applyFont="1"' if font else "") + (' applyFill="1"' if fill else "")
    wraps = ' wrapText="1"' if wrapped else ""
    return _XF.format(font=font, fill=fill, applied=applied, at=at, wrapped=wraps)


def add_looks(data: bytes, *, dressed: bool = False) -> tuple[bytes, dict[str, int]]:
    """Return `styles.xml` with our looks added, and the number of each look's cell format.

    What it had keeps its numbers. Without the usual lists it is returned as it is, and no look
    gets a number. The look of headers is added only to a workbook that is `dressed` as our own.
    """
    found = elements(data)
    tops = {element.local: element for element in found if element.parent is found[0]}
    lists = [tops.get(name) for name in ("fonts", "fills", "cellXfs")]
    pools = [_Pool(data, e, found) for e in lists if e is not None and not e.self_closing]
    if len(pools) != len(lists):
        return data, {}
    fonts, fills, formats = pools
    looks = {
        look: formats.index(_xf(fill=fills.index(_FILL.format(colour))))
        for look, colour in COLOUR_OF_LOOK.items()
    }
    looks[LINK] = formats.index(_xf(font=fonts.index(_LINK_FONT)))
    looks[TOP], looks[TEXT] = formats.index(_xf()), formats.index(_xf(wrapped=True))
    if dressed:
        fill = fills.index(_FILL.format(_HEAD_COLOUR))
        looks[HEAD] = formats.index(_xf(font=fonts.index(_HEAD_FONT), fill=fill, at="center"))
    return splice(data, [cut for pool in pools for cut in pool.cuts()]), looks


def add_formats(data: bytes, colours: Sequence[str]) -> tuple[bytes, int]:
    """Return `styles.xml` with each cell format once more for each colour, and how many there were.

    So whatever a cell looks like, it can be coloured and keep the rest: see `Mark`. Without the
    usual lists, or with more formats than a workbook takes, it is returned as it is, with 0.

    Args:
        data: the part.
        colours: the fills (ARGB).

    """
    found = elements(data)
    tops = {element.local: element for element in found if element.parent is found[0]}
    listed, formats = tops.get("fills"), tops.get("cellXfs")
    if listed is None or formats is None or listed.self_closing or formats.self_closing:
        return data, 0
    own = [element for element in found if element.parent is formats]
    if len(own) * (1 + len(colours)) > _MOST_FORMATS:
        return data, 0
    fills, new = _Pool(data, listed, found), []
    for colour in colours:
        number = fills.index(_FILL.format(colour))
        new += [_filled(data, one, number) for one in own]
    tag = data[formats.start : formats.inner]
    tag = _COUNT.sub(f'count="{len(own) + len(new)}"'.encode(), tag)
    cuts = [
        *fills.cuts(),
        (formats.start, formats.inner, tag),
        (formats.close, formats.close, b"".join(new)),
    ]
    return splice(data, cuts), len(own)


def _filled(data: bytes, element: Element, fill: int) -> bytes:
    """Return a cell format with another fill."""
    tag = _FILL_OF_FORMAT.sub(b"", data[element.start : element.inner])
    named = len(element.name) + 1
    filled = f' fillId="{fill}" applyFill="1"'.encode()
    return tag[:named] + filled + tag[named:] + data[element.inner : element.end]
