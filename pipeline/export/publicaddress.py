"""Where the videos will be on the web: the address that was named, with the path of each file.

Whoever fetches them wants ASCII (RFC 3986): a name outside of it is percent-encoded, a host as
`xn--…`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlsplit

from pipeline.errors import UsageError

_EXAMPLE = "Write it as in --base-url https://cdn.example.com/videos."
_KEPT = "/%~!$&'()*+,;=:@-._"
"""What stands for itself in the path of an address, or is encoded already."""


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """The address of the folder of what is handed over, without a slash at its end."""

    base: str

    @classmethod
    def read(cls, text: str) -> Self:
        """Understand the value of --base-url; raises UsageError."""
        try:
            parts = urlsplit(text.strip())
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise UsageError(f"--base-url {text}: {error}.", action=_EXAMPLE) from error
        if parts.scheme not in {"http", "https"} or not host:
            raise UsageError(f"--base-url {text} is no address of a web server.", action=_EXAMPLE)
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise UsageError(
                "--base-url is the address of a folder that everybody can read: without a login, "
                "without ? and #.",
                action=_EXAMPLE,
            )
        try:
            name = host if host.isascii() else host.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise UsageError(f"--base-url {text}: {host} is no host.", action=_EXAMPLE) from error
        name = f"[{name}]" if ":" in name else name
        at = "" if port is None else f":{port}"
        path = quote(parts.path.rstrip("/"), safe=_KEPT)
        return cls(f"{parts.scheme}://{name}{at}{path}")

    def of(self, file: str) -> str:
        """Return the address of a file below the folder; every part of its path is encoded."""
        return "/".join([self.base, *(quote(part, safe="") for part in file.split("/"))])
