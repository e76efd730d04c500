"""Hide what no log, message or traceback may show: keys, and the signatures of web addresses."""

from __future__ import annotations

import json
import re

_MARK = "***"
_SHORTEST = 8  # a shorter text is no secret, and hiding it would damage other words
# A signature follows the address; a user name and a password precede the host.
_SIGNED = re.compile(r"(https?://[^\s?#\"'<>\\]*)[?#][^\s\"'<>\\]*", re.IGNORECASE)
_NAMED = re.compile(r"(https?://)[^\s/?#\"'<>\\@]*@", re.IGNORECASE)


def conceal(text: str, *secrets: str) -> str:
    """Return a text in which web addresses are shortened and secrets are replaced.

    The text may be JSON: a secret is also found in the form in which JSON writes it.
    """
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            # As JSON first: otherwise the backslash before a quotation mark would be left behind.
            text = text.replace(json.dumps(secret)[1:-1], _MARK).replace(secret, _MARK)
    if "://" not in text:
        return text
    return _NAMED.sub(r"\1", _SIGNED.sub(r"\1?…", text))
