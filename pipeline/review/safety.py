"""Who may ask the review server for what: pure, from the head of a request.

The server listens on this machine alone, but every page that a browser of this machine shows can
send requests there. So the address holds a secret (a cookie would be shared by all ports), the
host must be the very one that was printed (another name may have been pointed here), and what
changes something must come from this page itself.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""What the page may load and do: its own files, and nothing from anywhere else."""
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
"""The headers of every reply."""
_READING = frozenset({"GET", "HEAD"})
_OUR_SITES = frozenset({"same-origin", "none"})
_DEEPEST = 5
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_UNPLAIN = re.compile(r"[\x00-\x1f/\\:]")


@dataclass(frozen=True, slots=True)
class Door:
    """The address that was printed: `127.0.0.1:8123`, and the secret segment of its path."""

    host: str
    token: str

    @property
    def origin(self) -> str:
        """The origin of the page, as browsers send it."""
        return f"http://{self.host}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered: a status of HTTP and a sentence."""

    status: int
    reason: str


def admit(door: Door, method: str, path: str, headers: Mapping[str, str]) -> Refusal | list[str]:
    """Return the segments of a path behind the token, or why the request is refused.

    Args:
        door: the address that was printed.
        method: GET, POST and so on.
        path: the path as it was sent, not decoded, with its query.
        headers: those of the request; their names without case.

    """
    if headers.get("Host") != door.host:
        return Refusal(421, "This server answers only to the address that it printed.")
    if headers.get("Sec-Fetch-Site", "none") not in _OUR_SITES and not _is_navigation(
        method, headers
    ):
        return Refusal(403, "Another page asked for this.")
    segments = _segments(path)
    if segments is None:
        return Refusal(400, "This is no path of the review page.")
    given = segments[0].encode("utf-8", "surrogateescape") if segments else b""
    if not hmac.compare_digest(given, door.token.encode()):
        return Refusal(404, "There is nothing here. Use the whole address that was printed.")
    if method not in _READING:
        refusal = _may_change(door, method, headers)
        if refusal is not None:
            return refusal
    return segments[1:]


def _is_navigation(method: str, headers: Mapping[str, str]) -> bool:
    """Return whether a person opens the page, as from a link in a mail."""
    mode, dest = headers.get("Sec-Fetch-Mode"), headers.get("Sec-Fetch-Dest")
    return method == "GET" and mode == "navigate" and dest == "document"


def _may_change(door: Door, method: str, headers: Mapping[str, str]) -> Refusal | None:
    if method != "POST":
        return Refusal(405, "Only GET and POST are known here.")
    if headers.get("Origin") != door.origin:
        return Refusal(403, "Only the review page itself may decide.")
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return Refusal(415, "Decisions come as application/json.")
    return None


def _segments(path: str) -> list[str] | None:
    """Return the decoded segments of a path; None if one of them is not a plain name."""
    raw = path.partition("?")[0].partition("#")[0]
    if not raw.startswith("/"):
        return None
    parts = raw[1:].split("/")
    if len(parts) > _DEEPEST:
        return None
    decoded = [unquote_to_bytes(part).decode("utf-8", "surrogateescape") for part in parts]
    names = decoded[:-1] if decoded[-1] == "" else decoded  # a slash at the end names a folder
    if any(not is_plain(name) for name in names):
        return None
    return decoded


def is_plain(name: str) -> bool:
    """Return whether a segment names a file or folder right there, on every system."""
    if not name or name.startswith(".") or name.endswith((".", " ")):
        return False
    return _UNPLAIN.search(name) is None and not any("\ud800" <= one <= "\udfff" for one in name)


def range_of(header: str | None, size: int) -> tuple[int, int] | Refusal | None:
    """Return the first byte and the byte after the last of a part that is asked for.

    None where all is; a header of another kind counts as none (RFC 9110, 14.2).

    Args:
        header: the header Range; None without one.
        size: that of the file, in bytes.

    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        first, last = max(0, size - int(found[2])), size - 1
    else:
        first = int(found[1])
        last = min(int(found[2]) if found[2] else size - 1, size - 1)
    if first > last or first >= size:
        return Refusal(416, "The file has no such part.")
    return first, last + 1
