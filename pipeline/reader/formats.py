"""The number formats of a workbook that show more than the number.

`00000` shows 7 as 00007, `"SKU-"0000` as SKU-0007: a key that a person sees so is meant so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.reader.package import elements

if TYPE_CHECKING:
    import zipfile

_TEXT = r'(?:"[^"]*"|\\.|_.|\[\$[^\]-]*\]|[-/ ])*'
_SHOWN = re.compile(rf"(?P<before>{_TEXT})(?P<zeros>0+)(?P<after>{_TEXT})(?:;.*)?")
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|(_).|\[\$([^\]-]*)\]|([-/ ])')
DIGIT = "\0"
_PART = "xl/styles.xml"
_GROUPS = frozenset({"numFmts", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs"})


def padded_styles(package: zipfile.ZipFile) -> dict[str, str]:
    """The cell styles (a cell's `s`) that pad with zeros or words, and the mask of each.

    A mask has a `DIGIT` for each digit that is always shown, and the words around them.

    ECMA-376 part 1, 18.8: `s` is an index into `cellXfs`, whose `numFmtId` names a format.
    """
    if _PART not in package.namelist():
        return {}
    masks: dict[str, str] = {}
    styles: list[str] = []
    group = ""
    for tag, attributes in elements(package, _PART):
        if tag in _GROUPS:
            group = tag
        elif tag == "numFmt" and group == "numFmts":
            mask = _mask(attributes.get("formatCode", ""))
            if mask:
                masks[attributes.get("numFmtId", "")] = mask
        elif tag == "xf" and group == "cellXfs":
            styles.append(attributes.get("numFmtId", ""))
    return {str(index): masks[number] for index, number in enumerate(styles) if number in masks}


def padded(text: str, mask: str) -> str:
    """A number as its mask shows it; what is no whole number stays as it is."""
    digits = text.removeprefix("-")
    if not digits.isdecimal():
        return text
    before, _, rest = mask.partition(DIGIT)
    sign = "-" if text != digits else ""
    return f"{sign}{before}{digits.zfill(mask.count(DIGIT))}{rest.lstrip(DIGIT)}"


def _mask(code: str) -> str:
    """The mask of a format; empty where it shows the number as it is."""
    found = _SHOWN.fullmatch(code)
    if found is None:
        return ""
    before, after = _words(found["before"]), _words(found["after"])
    plain = len(found["zeros"]) == 1 and not (before + after).strip()
    return "" if plain else f"{before}{DIGIT * len(found['zeros'])}{after}".strip(" ")


def _words(code: str) -> str:
    return "".join(
        quoted or escaped or currency or plain
        for quoted, escaped, _, currency, plain in _LITERAL.findall(code)
    )
