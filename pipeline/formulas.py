"""Texts that a spreadsheet would take for a formula: made harmless, and made themselves again.

A results CSV is opened in Excel, which runs a cell that starts with `=` (CSV injection). A leading
apostrophe keeps it text; so that reading the results back gives every text as it was, a text that
begins with an apostrophe gets a second one.
"""

from __future__ import annotations

_APOSTROPHE = "'"
# The fullwidth forms are taken for their ASCII twins by some spreadsheet locales.
_STARTERS = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_GUARDED = _STARTERS | {_APOSTROPHE}


def guard(text: str) -> str:
    """Give `text` a leading apostrophe where a spreadsheet could run it, or where it has one."""
    return _APOSTROPHE + text if text and text[0] in _GUARDED else text


def unguard(text: str) -> str:
    """Undo `guard` exactly; any other text, also one with a lone apostrophe, stays as it is."""
    if len(text) > 1 and text[0] == _APOSTROPHE and text[1] in _GUARDED:
        return text[1:]
    return text
