"""Which texts are blank, and what a cell says without the blanks around it.

A text of nothing but characters that nobody can see says nothing, wherever it stands: sent as a
prompt, it would be paid for. Inside other texts, invisible characters are kept.

Control characters in prompts say nothing to anyone, and are left out of what is sent: those of the
category Cc, except tabs and line breaks. What nobody sees but belongs to a script (joiners, marks
of direction) is another category, and stays. The request of a row is known, and was paid for, by
the text in its cell. So nothing is changed there: the text is cleaned where it leaves for the
provider, and wherever two texts are compared. Tested in tests/manifest/test_controls.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

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
CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
"""The characters that are left out, as a range of a regular expression."""
_CONTROL = re.compile(f"[{CONTROLS}]")
# These part lines in some programs: between two words they are one break, not none.
_OTHER_BREAKS = re.compile(r"(?<=\S)[\x0b\x0c\x85]+(?=\S)")


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


def strip_all(texts: Sequence[str]) -> list[str]:
    """Return what `strip_blanks` makes of each text; many at a time cost half as much."""
    return [*map(str.strip if "".join(texts).isascii() else strip_blanks, texts)]


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


def without_controls(text: str) -> str:
    """Return a prompt as it is sent: without control characters, and blanks that they leave."""
    if text.isprintable() or not _CONTROL.search(text):
        return text
    return strip_blanks(_CONTROL.sub("", _OTHER_BREAKS.sub("\n", text)))


def has_controls(text: str) -> bool:
    """Tell whether a text holds control characters other than tabs and line breaks."""
    return not text.isprintable() and _CONTROL.search(text) is not None
