"""Normal forms of Unicode, in time that grows with the text and no faster.

The library sorts the marks on a letter by exchanging neighbours: ten thousand accents on one letter
take a second, and a table can hold thousands of such texts. So where a text has long runs of marks,
they are put in order here first; the normal form of the text stays what the library says.

Tested in tests/manifest/test_normalform.py.
"""

from __future__ import annotations

import re
import unicodedata
from functools import partial
from typing import Literal

Form = Literal["NFC", "NFD", "NFKC"]
_Decomposed = Literal["NFD", "NFKD"]

_SHORT = 200
"""So many characters are done in no time, whatever they are."""
_LONG_RUN = 50


def to_normal_form(form: Form, text: str) -> str:
    """Return a text in a normal form."""
    if len(text) > _SHORT and not text.isascii():
        text = _with_marks_in_order(form, text)
    return unicodedata.normalize(form, text)


def is_in_normal_form(form: Form, text: str) -> bool:
    """Tell whether a text is in a normal form already."""
    return text.isascii() or to_normal_form(form, text) == text


def fold(text: str) -> str:
    """Return a text without case and accents, as words are compared."""
    plain = unicodedata.normalize("NFKD", text.casefold()).replace("\u0142", "l")
    return "".join(char for char in plain if not unicodedata.combining(char))


def _with_marks_in_order(form: Form, text: str) -> str:
    decomposed: _Decomposed = "NFKD" if form == "NFKC" else "NFD"
    apart = partial(unicodedata.normalize, decomposed)
    marks = "".join(sign for sign in set(text) if unicodedata.combining(apart(sign)[0]))
    if not marks:
        return text
    composed = {ord(sign): apart(sign) for sign in marks if apart(sign) != sign}

    def in_order(run: re.Match[str]) -> str:
        if len(run[0]) < _LONG_RUN:
            return run[0]
        signs = run[0].translate(composed) if composed else run[0]
        return "".join(sorted(signs, key=unicodedata.combining))

    return re.sub(f"[{re.escape(marks)}]++", in_order, text)
