"""Texts of picture cells that are no name of one picture: several addresses, or a formula.

What a table holds of a formula that shows a picture is neither the picture nor its name.

IMAGE is a function of Excel and Google Sheets, DISPIMG one of WPS; where Excel has no name for a
function of Google's, the formula is kept as a text in another one.

Tested in tests/reader/test_cellforms.py and tests/manifest/test_locations.py.
"""

from __future__ import annotations

import re

# What people put between two addresses in one cell, in Chinese and Japanese too.
_BETWEEN_ADDRESSES = re.compile(
    r"(?<![\s,\uff0c\u3001;|])[\s,\uff0c\u3001;|]+(?=https?://)", re.IGNORECASE
)
_MAKES_PICTURE = re.compile(r"\b(?:IMAGE|DISPIMG)\s*\(", re.IGNORECASE)
_IS_PICTURE = re.compile(r"=\s*(?:_xlfn\.)?(?:IMAGE|DISPIMG)\s*\(", re.IGNORECASE)
_ADDRESS = re.compile(r"""\bIMAGE\s*\(\s*"+(https?://[^"\s]+)"+\s*[),;]""", re.IGNORECASE)


def split_addresses(text: str) -> list[str]:
    """Part a text before each further web address in it, and leave out what stands between them."""
    return _BETWEEN_ADDRESSES.split(text) if "://" in text else [text]


def makes_picture(formula: str) -> bool:
    """Tell whether a formula shows a picture."""
    return _MAKES_PICTURE.search(formula) is not None


def is_picture_formula(text: str) -> bool:
    """Tell whether the text of a cell is such a formula, as programs write it into text files."""
    return _IS_PICTURE.match(text) is not None


def address_in(formula: str) -> str:
    """Return the web address of the picture; empty if the formula does not have it as a text."""
    found = _ADDRESS.search(formula)
    return found[1] if found else ""


def advice_on(formula: str) -> str:
    """Say what to write into the cell instead."""
    if address := address_in(formula):
        return f"Write {address} into the cell instead of the formula."
    return (
        "Pictures inside a workbook are not sent: save it as a file and write the name of the "
        "file, or a web address, into the cell."
    )
