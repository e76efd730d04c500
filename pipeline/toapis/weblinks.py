"""Judge the web addresses in the API's answers, and escape them for a request. Pure.

Such an address is signed, long, and somebody has paid for what it leads to. So the rule is wider
than the one for the cells of a manifest; where a download may lead, the downloader decides.

Tested in tests/toapis/test_task_answers.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from pipeline.toapis.bodies import CONCEALED

_LONGEST_LINK = 64 * 1024
_SHOWN = 120
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
"""Characters that no address or id holds, and no log may show."""
_BREAKS = re.compile("[\t-\r\x85\u2028\u2029]+")
_UNSEEN = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]+"
)
"""Characters that show nothing of themselves, and change what others look like or where they stand:
marks of direction above all."""
# All of ASCII that can be seen, so that a signature arrives letter for letter; never a backslash.
_KEPT = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "\\")


def show_plainly(text: str) -> str:
    """Return a text as one line, without control characters and marks of direction."""
    # The others are dropped, not replaced: a key in pieces is a key again, and is concealed.
    return UNPRINTABLE.sub("", _UNSEEN.sub("", _BREAKS.sub(" ", text))).strip()


def is_plain(name: str) -> bool:
    """Tell whether an id or a name holds nothing that cannot be seen."""
    return not (UNPRINTABLE.search(name) or _UNSEEN.search(name))


def first_usable(values: Iterable[object]) -> tuple[str | None, str | None]:
    """Return the first address that a request can be made of, else what is wrong with the first."""
    wrong = None
    for value in values:
        text = value.strip() if isinstance(value, str) else ""
        if not text:
            continue
        fault = link_fault(text)
        if fault is None:
            return escape_link(text), None
        wrong = wrong or _name(text, fault)
    return None, wrong


def link_fault(link: str) -> str | None:
    """Say why no request can be made of this address; None if one can."""
    if len(link) > _LONGEST_LINK:
        return f"is longer than {_LONGEST_LINK:,} characters"
    if CONCEALED in link:
        return "holds the API key, which goes to no other host"
    if UNPRINTABLE.search(link):
        return "holds a line break or another control character"
    try:
        parts = urlsplit(link)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "cannot be read as a web address"
    if parts.scheme not in ("http", "https"):
        return "does not begin with http:// or https://"
    if "@" in parts.netloc:
        return "carries a user name or password"
    if re.search(r"[\s\\]", parts.netloc) or not re.search(r"[^\W_]", host):
        return "names no host"
    return None


def escape_link(link: str) -> str:
    """Escape blanks and foreign letters behind the host of an address without a fault."""
    end = link.index("//") + 2 + len(urlsplit(link).netloc)
    return link[:end] + quote(link[end:], safe=_KEPT)


def _name(link: str, fault: str) -> str:
    """Name an address with its fault, without its signature and without a password."""
    if "@" in link or CONCEALED in link:
        return f"it {fault}"
    bare = re.split(r"[?#]", link, maxsplit=1)[0]
    shown = bare if len(bare) <= _SHOWN else f"{bare[:_SHOWN]}…"
    return f"{shown!r} {fault}"
