"""A list of words to choose from in a column of a sheet; any other word can be typed all the same.

Source: ECMA-376 part 1, 18.3.1.99 (worksheet, with the order of its parts) and 18.3.1.32.

Tested in tests/review/test_readback.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.parsers.expat import ExpatError

from pipeline.manifest.wording import letters_of
from pipeline.writer.parts import add_prefix, append_child, parts_behind_rows, splice

WORDS = "approve,reject"
_LAST_ROW = 2**20
_COUNT = re.compile(rb"""\scount\s*=\s*["']\d*["']""")
BEHIND_LISTS = frozenset({
    "hyperlinks", "printOptions", "pageMargins", "pageSetup", "headerFooter", "rowBreaks",
    "colBreaks", "customProperties", "cellWatches", "ignoredErrors", "smartTags", "drawing",
    "drawingHF", "legacyDrawing", "legacyDrawingHF", "picture", "oleObjects", "controls",
    "webPublishItems", "tableParts", "extLst",
})  # fmt: skip
"""The parts of a sheet that stand behind its lists."""


def put_dropdown(column: int, header_row: int) -> Callable[[str, bytes], bytes]:
    """Return what adds the list to a sheet, given the prefix of its elements and its end.

    `column` is the one below whose header, in `header_row`, one of the words is to be chosen; both
    count from 1. A list that an earlier results file had there stays.
    """
    letters = letters_of(column)
    cells = f"{letters}{header_row + 1}:{letters}{_LAST_ROW}"
    xml = (
        '<dataValidation type="list" errorStyle="information" allowBlank="1" showErrorMessage="0" '
        f'sqref="{cells}"><formula1>"{WORDS}"</formula1></dataValidation>'
    )

    def put(prefix: str, tail: bytes) -> bytes:
        ours = add_prefix(xml, prefix)
        try:
            found, end = parts_behind_rows(prefix, tail)
        except ExpatError:  # what a spreadsheet program forgives stays as it is
            return tail
        lists = next((one for one in found if one.local == "dataValidations"), None)
        if lists is None:
            at = next((one.start for one in found if one.local in BEHIND_LISTS), end)
            opened, closed = (add_prefix(f"<{s}dataValidations>", prefix) for s in ("", "/"))
            return splice(tail, [(at, at, opened + ours + closed)])
        if _is_there(tail[lists.start : lists.end], cells):
            return tail
        if lists.self_closing:
            return splice(tail, [append_child(tail, lists, ours)])
        # How many there are is counted by whoever reads them.
        tag = _COUNT.sub(b"", tail[lists.start : lists.inner])
        return splice(tail, [(lists.start, lists.inner, tag), (lists.close, lists.close, ours)])

    return put


def _is_there(lists: bytes, cells: str) -> bool:
    """Return whether the list is there, as we wrote it or as a spreadsheet program saved it."""
    first = cells.partition(":")[0].encode()
    for found in re.finditer(rb"<(?:[\w.-]+:)?dataValidation\s[^>]*>.{0,200}", lists, re.DOTALL):
        if first in found[0] and WORDS.encode() in found[0]:
            return True
    return False
