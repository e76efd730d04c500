"""Where the API lives: a configured base URL becomes one origin, or a clear refusal. Pure."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from pipeline.errors import ConfigError

TASK_PATH = "/v1/videos/generations/"
"""page: a task is asked for at this path, with its id behind it."""

_EXAMPLE = "https://toapis.com"
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?")
_VERSIONS = re.compile(r"(?:/v1)*/*", re.IGNORECASE)
_USUAL_PORT = {"https": 443, "http": 80}


def origin(base_url: str) -> str:
    """Return `scheme://host[:port]` of the API, without `/v1` and without a closing slash.

    Accepted are the base with or without `/v1`, with slashes at the end and with the doubled
    `/v1/v1` that is the commonest mistake. Only https, except on this machine itself, because the
    key travels in a header.

    Raises:
        ConfigError: it is no such URL; the message never repeats a user name or password in it.

    """
    parts, port = _split(base_url.strip())
    host = (parts.hostname or "").lower()
    scheme = parts.scheme.lower()
    if scheme not in _USUAL_PORT:
        raise _fault("has to begin with https://")
    if parts.username is not None or parts.password is not None:
        raise _fault("must not hold a user name or password; the key comes from api.key_env")
    if not _is_host(host):
        raise _fault("names no host that can be called")
    path = re.sub(r"/{2,}", "/", parts.path)
    if parts.query or parts.fragment or not _VERSIONS.fullmatch(path):
        raise _fault("must be the address of the API alone, nothing behind the host but /v1")
    if scheme == "http" and not is_loopback(host):
        raise _fault("has to begin with https://, because the key is sent there")
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" + ("" if port in (None, _USUAL_PORT[scheme]) else f":{port}")


def is_loopback(host: str) -> bool:
    """Tell whether `host` (a name or an address without brackets) is this very machine."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _split(text: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _fault("cannot be read as a URL") from None
    return parts, port


def _is_host(host: str) -> bool:
    if ":" not in host:
        # A longer label makes the resolver fail with an error that is no network error.
        labels = host.rstrip(".").split(".")
        return _HOST.fullmatch(host) is not None and all(0 < len(each) < 64 for each in labels)  # noqa: PLR2004
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True


def _fault(what: str) -> ConfigError:
    return ConfigError(f"api.base_url {what}.", action=f"Set api.base_url to {_EXAMPLE}.")
