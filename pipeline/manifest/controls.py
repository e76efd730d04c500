"""Control characters in prompts: they say nothing to anyone, and are left out of what is sent.

Those are the characters of Unicode's category Cc, except tabs and line breaks. What nobody sees but
belongs to a script (joiners, marks of direction) is another category, and stays.

The request of a row is known, and was paid for, by the text in its cell. So nothing is changed
there: the text is cleaned where it leaves for the provider, and wherever two texts are compared.
"""

from __future__ import annotations

import re

from pipeline.manifest.blank import strip_blanks

CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
"""The characters that are left out, as a range of a regular expression."""
_CONTROL = re.compile(f"[{CONTROLS}]")
# These part lines in some programs: between two words they are one break, not none.
_OTHER_BREAKS = re.compile(r"(?<=\S)[\x0b\x0c\x85]+(?=\S)")


def without_controls(text: str) -> str:
    """Return a prompt as it is sent: without control characters, and blanks that they leave."""
    if text.isprintable() or not _CONTROL.search(text):
        return text
    return strip_blanks(_CONTROL.sub("", _OTHER_BREAKS.sub("\n", text)))


def has_controls(text: str) -> bool:
    """Tell whether a text holds control characters other than tabs and line breaks."""
    return not text.isprintable() and _CONTROL.search(text) is not None
