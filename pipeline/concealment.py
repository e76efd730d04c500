"""Hide what no log, message or traceback may show, and show what no screen may obey.

Hidden are keys, and the signatures of web addresses. Shown, as escapes, are the control characters
and the marks of direction in the texts of cells, files and the API: a terminal would obey them, and
a line break would make a line of the log that nobody wrote. Letters of all languages, emoji and
what joins them stay as they are.

Tested in tests/cli/test_hostile_texts.py.
"""

from __future__ import annotations

import json
import re

_MARK = "***"
SHORTEST = 8
"""A shorter text is no secret, and hiding it would damage other words."""
# A signature follows the address; a user name and a password precede the host.
_SIGNED = re.compile(r"(https?://[^\s?#\"'<>\\]*)[?#][^\s\"'<>\\]*", re.IGNORECASE)
# The emulator answers only who has the secret that its addresses begin with.
_LOCAL = re.compile(
    r"(https?://(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?)/[0-9a-f]{32}(?![\w-])",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(https?://)[^\s/?#\"'<>\\@]*@", re.IGNORECASE)

# C0, delete and C1; the marks of Unicode that break lines or turn the direction of letters; halves
# of characters, as in names of files that are no text.
_OBEYED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff]"
)
_NAMED_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ONE_BYTE = 0x100


def show_controls(text: str) -> str:
    """Return a text as one line that moves no cursor: what would, stands in it as an escape."""
    return text if text.isprintable() else _OBEYED.sub(_escape, text)


def show_in_json(text: str) -> str:
    """Return JSON in which the same characters are escaped; it still means the same.

    Line breaks between its values stay: within a text JSON itself escapes them.
    """
    return _OBEYED.sub(lambda found: found[0] if found[0] == "\n" else _unicode(found), text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return _NAMED_ESCAPES.get(found[0]) or (
        f"\\x{code:02x}" if code < _ONE_BYTE else _unicode(found)
    )


def _unicode(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def conceal(text: str, *secrets: str) -> str:
    """Return a text in which web addresses are shortened and secrets are replaced.

    The text may be JSON: a secret is also found in the form in which JSON writes it.
    """
    for secret in secrets:
        if len(secret) >= SHORTEST:
            # As JSON first: otherwise the backslash before a quotation mark would be left behind.
            text = text.replace(json.dumps(secret)[1:-1], _MARK).replace(secret, _MARK)
    if "://" not in text:
        return text
    return conceal_secret(_NAMED.sub(r"\1", _SIGNED.sub(r"\1?…", text)))


def conceal_secret(text: str) -> str:
    """Return a text without the secret in an emulator's addresses; nothing else changes."""
    return _LOCAL.sub(r"\1", text)
