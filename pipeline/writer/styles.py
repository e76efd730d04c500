"""The looks of result cells, appended to a workbook's styles; what it had keeps its numbers."""

from __future__ import annotations

import re

from pipeline.model import State
from pipeline.writer.elements import Element, elements, prefix_of, prefixed, splice

GOOD, BAD, DOUBT, BUSY, WARN, LINK = "good", "bad", "doubt", "busy", "warn", "link"
STATE_LOOKS = {
    State.DONE: GOOD,
    State.FAILED: BAD,
    State.REFUSED: BAD,
    State.EXPIRED: BAD,
    State.IN_DOUBT: DOUBT,
    State.MISSING: DOUBT,
    State.WAITING: BUSY,
    State.SUBMITTING: BUSY,
    State.RUNNING: BUSY,
    State.READY: BUSY,
    State.INVALID: WARN,
}
COLOURS = {
    GOOD: "FFC6EFCE",
    BAD: "FFFFC7CE",
    DOUBT: "FFFFD9A8",
    BUSY: "FFD6E0EA",
    WARN: "FFFFF2B3",
}
# Written as Excel itself writes them, so that they are found again and not added twice.
FILL = (
    '<fill><patternFill patternType="solid"><fgColor rgb="{}"/><bgColor indexed="64"/>'
    "</patternFill></fill>"
)
LINK_FONT = (
    '<font><u/><sz val="11"/><color rgb="FF0563C1"/><name val="Calibri"/><family val="2"/></font>'
)
FILL_XF = '<xf numFmtId="0" fontId="0" fillId="{}" borderId="0" xfId="0" applyFill="1"/>'
LINK_XF = '<xf numFmtId="0" fontId="{}" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
COUNT = re.compile(rb"""\bcount=("\d*"|'\d*')""")


class _Pool:
    """The children of `fonts`, `fills` or `cellXfs`: found by their bytes, or appended."""

    def __init__(self, data: bytes, pool: Element, found: list[Element]) -> None:
        self.data, self.pool = data, pool
        children = (element for element in found if element.parent is pool)
        self.have = [data[child.start : child.end] for child in children]
        self.own = len(self.have)

    def index(self, xml: str) -> int:
        raw = prefixed(xml, prefix_of(self.pool))
        if raw not in self.have:
            self.have.append(raw)
        return self.have.index(raw)

    def cuts(self) -> list[tuple[int, int, bytes]]:
        pool, added = self.pool, self.have[self.own :]
        tag = self.data[pool.start : pool.inner]
        tag = COUNT.sub(f'count="{len(self.have)}"'.encode(), tag)
        return [
            (pool.start, pool.inner, tag),
            (pool.close, pool.close, b"".join(added)),
        ]


def add_looks(data: bytes) -> tuple[bytes, dict[str, int]]:
    """`styles.xml` with our looks in it, and each look's cell format number.

    A style sheet without the usual lists is left alone: then no look has a number.
    """
    found = elements(data)
    tops = {element.local: element for element in found if element.parent is found[0]}
    lists = [tops.get(name) for name in ("fonts", "fills", "cellXfs")]
    pools = [_Pool(data, e, found) for e in lists if e is not None and not e.self_closing]
    if len(pools) != len(lists):
        return data, {}
    fonts, fills, formats = pools
    looks = {
        look: formats.index(FILL_XF.format(fills.index(FILL.format(colour))))
        for look, colour in COLOURS.items()
    }
    looks[LINK] = formats.index(LINK_XF.format(fonts.index(LINK_FONT)))
    return splice(data, [cut for pool in pools for cut in pool.cuts()]), looks
