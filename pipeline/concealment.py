"""What no log, message or traceback may show: keys, and the signatures behind web addresses."""

from __future__ import annotations

import json
import re

_MARK = "***"
_SHORTEST = 8  # what is shorter is no secret, and to mark it would tear other words
# A signature stands behind the address; a user's name and password in front of the host.
_SIGNED = re.compile(r"(https?://[^\s?#\"'<>\\]*)[?#][^\s\"'<>\\]*", re.IGNORECASE)
_NAMED = re.compile(r"(https?://)[^\s/?#\"'<>\\@]*@", re.IGNORECASE)


def conceal(text: str, *secrets: str) -> str:
    """Return a text with its web addresses shortened and each of the secrets made unreadable.

    The text may be JSON: a secret is found as JSON writes it, too.
    """
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            # As JSON first: what escapes a quotation mark must not be left behind alone.
            text = text.replace(json.dumps(secret)[1:-1], _MARK).replace(secret, _MARK)
    if "://" not in text:
        return text
    return _NAMED.sub(r"\1", _SIGNED.sub(r"\1?…", text))
