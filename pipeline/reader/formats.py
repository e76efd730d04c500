"""The number formats of a workbook that show more than the number: `00000` shows 7 as 00007."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.reader.package import elements

if TYPE_CHECKING:
    import zipfile

_ZEROS = re.compile(r"(0{2,})(?:_.|\\ )?(?:;.*)?")
_PART = "xl/styles.xml"
_GROUPS = frozenset({"numFmts", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs"})


def padded_styles(package: zipfile.ZipFile) -> dict[str, int]:
    """The cell styles (a cell's `s`) that pad with zeros, and to how many digits.

    ECMA-376 part 1, 18.8: `s` is an index into `cellXfs`, whose `numFmtId` names a format.
    """
    if _PART not in package.namelist():
        return {}
    digits: dict[str, int] = {}
    styles: list[str] = []
    group = ""
    for tag, attributes in elements(package, _PART):
        if tag in _GROUPS:
            group = tag
        elif tag == "numFmt" and group == "numFmts":
            zeros = _ZEROS.fullmatch(attributes.get("formatCode", ""))
            if zeros:
                digits[attributes.get("numFmtId", "")] = len(zeros[1])
        elif tag == "xf" and group == "cellXfs":
            styles.append(attributes.get("numFmtId", ""))
    return {str(index): digits[number] for index, number in enumerate(styles) if number in digits}
