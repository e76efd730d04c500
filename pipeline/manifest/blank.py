"""Which texts are blank, and what a cell says without the blanks around it.

A text of nothing but characters that nobody can see says nothing, wherever it stands: sent as a
prompt, it would be paid for. Inside other texts, invisible characters are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.manifest.normalform import to_normal_form

# Default_Ignorable_Code_Point, White_Space, and the Braille pattern without dots.
# begin: table of docs/generate/blank.py
UNICODE_VERSION = "15.0.0"
_BLANKS = (
    "\u0009-\u000d\u0020\u0085\u00a0\u00ad\u034f\u061c\u115f-\u1160\u1680\u17b4-\u17b5\u180b-\u180f"
    "\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# The table ends here.

# Python takes the separators U+001C to U+001F for white space, Unicode does not.
_BLANK = re.compile(rf"[{_BLANKS}\x1c-\x1f]*")
# What cells lose at both ends. Prompts are sent without it, and the hashes of rows that were paid
# for are made of them: another character here makes other requests.
_EDGES = "\u00a0\u00ad\u200b\u200c\u200d\u2060\ufeff"
# What chats, mails and Explorer leave around a path, marks of direction among it. Not one set with
# the edges of cells: more characters there would change the hashes of rows that were paid for.
_AROUND_PATHS = "\u200b\u200e\u200f\u202a\u202c\u2060\ufeff"
# What headers and spellings are compared without.
_FORMATTING = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")


def is_blank(text: str) -> bool:
    """Tell whether a text holds nothing that can be seen."""
    return _BLANK.fullmatch(text) is not None


def all_blank(texts: Iterable[str]) -> bool:
    """Tell whether all texts are blank."""
    return all(map(_BLANK.fullmatch, texts))


def strip_blanks(text: str) -> str:
    """Return a cell's text without the blanks around it; the empty text for a blank one."""
    if text.isascii():
        return text.strip()
    text = text.strip().strip(_EDGES).strip()
    # Most texts begin with a letter or a digit of ASCII, which can be seen.
    return text if text[:1].isascii() or not is_blank(text) else ""


def trim(text: str) -> str:
    """Return a cell's text without the blanks around it that are not sent.

    A blank text may leave some of its characters: only keys of rows need them.
    """
    return text.strip() if text.isascii() else text.strip().strip(_EDGES).strip()


def trim_path(text: str) -> str:
    """Return a path or web address without the blanks and the invisible marks around it."""
    return text.strip().strip(_AROUND_PATHS).strip()


def fold_text(text: str) -> str:
    """Return a header or a spelling as it is compared: without case and formatting characters."""
    return _FORMATTING.sub("", to_normal_form("NFKC", text)).strip().casefold()
