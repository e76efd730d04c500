"""Texts that a spreadsheet would take for a formula: made harmless, and made themselves again.

A results CSV is opened in Excel, which runs a cell that starts with `=` (CSV injection). A leading
apostrophe keeps it text; so that reading the results back gives every text as it was, a text that
begins with an apostrophe gets a second one.
"""

from __future__ import annotations

import re

_APOSTROPHE = "'"
# The fullwidth forms are taken for their ASCII twins by some spreadsheet locales.
_STARTERS = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_GUARDED = _STARTERS | {_APOSTROPHE}
# Minus five degrees and telephone numbers are data: a spreadsheet shows them and runs nothing.
_PLAIN_NUMBER = re.compile(r"[+-](?:[0-9]+(?:[.,][0-9]+)?%?|[0-9][0-9 ]*)")


def _is_guarded(text: str) -> bool:
    return text[:1] in _GUARDED and text != "" and _PLAIN_NUMBER.fullmatch(text) is None


def guard(text: str) -> str:
    """Give `text` a leading apostrophe where a spreadsheet could run it, or where it has one."""
    return _APOSTROPHE + text if _is_guarded(text) else text


def unguard(text: str) -> str:
    """Undo `guard` exactly; any other text, also one with a lone apostrophe, stays as it is."""
    if text[:1] == _APOSTROPHE and _is_guarded(text[1:]):
        return text[1:]
    return text
