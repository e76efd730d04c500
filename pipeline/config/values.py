"""The kinds of value that settings take, beyond numbers: each checks itself and says why not."""

from __future__ import annotations

import codecs
import ipaddress
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

from pipeline.config.secret import looks_secret

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VERSIONS = re.compile(r"(?:/+v1)*/*", re.IGNORECASE)
_RESOLUTIONS = {"720p": "720P", "1080p": "1080p"}


def is_loopback(base_url: str) -> bool:
    """Whether a URL points at this very machine."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _base_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("is not a web address; write for example https://toapis.com") from None
    if parts.scheme not in {"https", "http"} or not parts.hostname or re.search(r"\s", url):
        raise ValueError("is not a web address; write for example https://toapis.com")
    if parts.username is not None:
        raise ValueError("must not hold a user name or password; the key comes from api.key_env")
    if parts.query or parts.fragment or not _VERSIONS.fullmatch(parts.path):
        raise ValueError("must be the address of the API alone, nothing behind the host but /v1")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError("must begin with https:// (http only for 127.0.0.1 and localhost)")
    return url.rstrip("/")


def _key_env(name: str) -> str:
    if looks_secret(name):
        raise ValueError(
            "looks like the key itself. Take it out of here, put it into an environment variable "
            "and write the name of that variable here, for example TOAPIS_API_KEY. "
            "If others can read this file, have the key replaced"
        )
    if not _VARIABLE.fullmatch(name):
        raise ValueError("must be the name of an environment variable (letters, digits and _)")
    return name


def _encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError(
            "is no encoding known here; write for example utf-8, cp1252 or gb18030"
        ) from None
    return name


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _resolution(value: object) -> object:
    return _RESOLUTIONS.get(value.casefold(), value) if isinstance(value, str) else value


def _no_template_yet(text: str) -> str:
    raise ValueError(
        f"cannot be used in this version ({len(text)} characters given): "
        "leave it null and give the manifest a prompt column"
    )


Text = Annotated[str, AfterValidator(_not_blank)]
ManifestField = Literal[
    "prompt",
    "image_1",
    "image_2",
    "image_3",
    "images",
    "duration",
    "aspect_ratio",
    "resolution",
    "key",
]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
KeyVariable = Annotated[str, AfterValidator(_key_env)]
Encoding = Annotated[str, AfterValidator(_encoding)]
NoTemplateYet = Annotated[str, AfterValidator(_no_template_yet)]
Resolution = Annotated[Literal["720P", "1080p"], BeforeValidator(_resolution)]
