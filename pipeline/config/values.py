"""The kinds of value that settings take, beyond numbers: each checks itself and says why not."""

from __future__ import annotations

import codecs
import ipaddress
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

from pipeline.config.secret import looks_secret
from pipeline.manifest.templates import TemplateFault, compile_braces, compile_template, is_jinja

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


def _prompt_template(text: str) -> str:
    if not is_jinja(_not_blank(text)):
        raise ValueError(
            "names no column, so that all rows would get one prompt; write for example "
            "'Product video of {{ title }}'"
        )
    return _compiled(text)


def _name_template(text: str) -> str:
    return _compiled(_not_blank(text))


def _compiled(text: str) -> str:
    try:
        compile_template(text) if is_jinja(text) else compile_braces(text)
    except TemplateFault as fault:
        raise ValueError(f"is no template that can be used: {fault}") from None
    return text


def _prepare(value: object) -> object:
    return "off" if value is False else value  # YAML reads a plain off as false


def _sheet(value: object) -> object:
    return str(value) if type(value) is int else value


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
PromptTemplate = Annotated[str, AfterValidator(_prompt_template)]
NameTemplate = Annotated[str, AfterValidator(_name_template)]
Sheet = Annotated[str, AfterValidator(_not_blank), BeforeValidator(_sheet)]
Prepare = Annotated[Literal["auto", "off"], BeforeValidator(_prepare)]
Resolution = Annotated[Literal["720P", "1080p"], BeforeValidator(_resolution)]
