"""The types of settings other than numbers; each validates itself and says what is wrong.

The one rule for the API's address is here, for the settings and for the client.
"""

from __future__ import annotations

import codecs
import contextlib
import ipaddress
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pathvalidate import is_valid_filename
from pydantic import AfterValidator, BeforeValidator, Field

from pipeline.errors import ConfigError
from pipeline.manifest.blank import is_blank
from pipeline.manifest.templates import TemplateFault, compile_template, from_shorthand, is_jinja

TASK_PATH = "/v1/videos/generations/"
"""A task is queried at this path with its id appended (docs/contract.md, "Queries")."""

WITHOUT_BOOK = "none"
"""The value of `account.book` that asks for runs without a book."""

_EXAMPLE = "https://toapis.com"
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?")
_LONGEST_LABEL = 63  # characters between two dots of a host name (RFC 1035)
_VERSIONS = re.compile(r"(?:/+v1)*/*", re.IGNORECASE)
_SECRET = re.compile(r"/+([0-9a-f]{32})(?=/|$)")
"""What the address of an emulator has behind its origin, on this machine alone."""
_USUAL_PORT = {"https": 443, "http": 80}
_SECRET_LIKE = re.compile(
    r"(?<![A-Za-z0-9])sk-|^(?=.*[a-z])(?=.*[0-9])[A-Za-z0-9_\-]{28,}$",
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BUCKETS = ("s3", "gs", "az")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,221}")
_RESOLUTIONS = {"720p": "720P", "1080p": "1080p"}


def origin_of(base_url: str) -> str:
    """Return `scheme://host[:port]` of the API, without `/v1` and without a trailing slash.

    Accepts the base with or without `/v1`, with trailing slashes, and with the doubled `/v1/v1`
    that is the most common mistake. Only https, except on this machine, because the key is sent
    in a header.

    Raises:
        ConfigError: The URL is not usable; the message never repeats a user name or password.

    """
    try:
        return _origin(base_url.strip())
    except ValueError as fault:
        raise ConfigError(
            f"api.base_url {fault}.", action=f"Set api.base_url to {_EXAMPLE}."
        ) from None


def address_of(base_url: str) -> str:
    """Return what the paths of the API follow: its origin, and an emulator's secret behind it.

    Raises ConfigError as `origin_of` does.
    """
    origin = origin_of(base_url)
    secret = _SECRET.match(urlsplit(base_url.strip()).path)
    return f"{origin}/{secret[1]}" if secret and is_loopback(origin) else origin


def is_loopback(base_url: str) -> bool:
    """Tell whether a URL points at this machine."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def proxy_address(text: str) -> str:
    """Return the address of an HTTP proxy with its scheme, which may be left out.

    Raises:
        ValueError: It is none; the text never repeats it, for it may hold a password.

    """
    example = "write for example http://proxy.example:3128"
    address = text.strip() if "://" in text else f"http://{text.strip()}"
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(f"is not the address of a proxy; {example}") from None
    if parts.scheme.startswith("socks"):
        raise ValueError(f"is a SOCKS proxy, and only HTTP proxies can be used; {example}")
    if parts.scheme not in _USUAL_PORT or not _is_host(host) or re.search(r"\s", address):
        raise ValueError(f"is not the address of a proxy; {example}")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"must be the address of the proxy only; {example}")
    return address.rstrip("/")


def looks_secret(text: str) -> bool:
    """Tell whether a text may be a pasted key, which no message may repeat."""
    return bool(_SECRET_LIKE.search(text.strip()))


def _origin(url: str) -> str:
    not_an_address = f"is not a web address; write for example {_EXAMPLE}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(not_an_address) from None
    host, scheme = parts.hostname or "", parts.scheme
    if scheme not in _USUAL_PORT or not _is_host(host) or re.search(r"\s", url):
        raise ValueError(not_an_address)
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password; the key comes from api.key_env")
    path = _SECRET.sub("", parts.path, count=1) if is_loopback(url) else parts.path
    if parts.query or parts.fragment or not _VERSIONS.fullmatch(path):
        raise ValueError("must be the address of the API only, nothing after the host but /v1")
    if scheme == "http" and not is_loopback(url):
        raise ValueError("must begin with https:// (http only for 127.0.0.1 and localhost)")
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" + ("" if port in {None, _USUAL_PORT[scheme]} else f":{port}")


def _is_host(host: str) -> bool:
    if ":" not in host:
        # A longer label makes the resolver fail with an error that is not a network error.
        labels = host.rstrip(".").split(".")
        return _HOST.fullmatch(host) is not None and all(
            0 < len(label) <= _LONGEST_LABEL for label in labels
        )
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True


def _base_url(url: str) -> str:
    _origin(url)
    return url.rstrip("/")


def _key_env(name: str) -> str:
    if looks_secret(name):
        raise ValueError(
            "looks like the key itself. Remove it here, put it into an environment variable and "
            "write the name of that variable here, for example TOAPIS_API_KEY. "
            "If others can read this file, have the key replaced"
        )
    if not _VARIABLE.fullmatch(name):
        raise ValueError("must be the name of an environment variable (letters, digits and _)")
    return name


def _variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError(
            "must be the name of an environment variable (letters, digits and _); what the "
            "variable holds never stands here"
        )
    return name


def _encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError(
            "is not a known encoding; write for example utf-8, cp1252 or gb18030"
        ) from None
    return name


def _zone(name: str) -> str:
    if name == "local":
        return name
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if not available_timezones():
            raise ValueError(
                "cannot be looked up: this system has no list of time zones. Install it with: pip "
                "install tzdata, or write local for the zone of this machine"
            ) from None
        raise ValueError(
            "is not a time zone; write local for the zone of this machine, or a name such as "
            "Europe/Berlin or UTC"
        ) from None
    return name


def _videos(text: str) -> str:
    """Check the place of the videos: a bucket has an address, anything else is a folder."""
    scheme, mark, rest = _not_blank(text).partition("://")
    if not mark and text.partition(":")[0].lower() not in _BUCKETS:
        return text
    if not mark or scheme not in _BUCKETS:
        listed = ", ".join(f"{one}://" for one in _BUCKETS)
        raise ValueError(f"must begin with one of {listed} (in small letters), or be a folder")
    if "@" in rest or "?" in rest or "#" in rest:
        raise ValueError(
            "must be bucket and folder alone, for example s3://my-videos/spring; keys come from "
            "the usual variables of the service"
        )
    bucket, _, folder = rest.strip("/").partition("/")
    parts = folder.split("/") if folder else []
    if not _BUCKET.fullmatch(bucket) or any(part in {"", ".", ".."} for part in parts):
        raise ValueError(
            "names no bucket (3 to 63 small letters, digits, . and -); write for example "
            "s3://my-videos/spring"
        )
    return "/".join([f"{scheme}://{bucket}", *parts])


def _web_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" and _is_host(parts.hostname or "") and (parts.port or 1)
    except ValueError:
        usable = False
    if not usable or re.search(r"\s", url) or "@" in url or "?" in url or "#" in url:
        raise ValueError("must be a web address, for example https://videos.example.com/spring")
    return url.rstrip("/")


def _not_blank(text: str) -> str:
    if is_blank(text):
        raise ValueError("must not be empty")
    return text


def _resolution(value: object) -> object:
    return _RESOLUTIONS.get(value.casefold(), value) if isinstance(value, str) else value


def _prompt_template(text: str) -> str:
    if not is_jinja(_not_blank(text)):
        raise ValueError(
            "names no column, so all rows would get the same prompt; write for example "
            "'Product video of {{ title }}'"
        )
    try:
        compile_template(text)
    except TemplateFault as fault:
        raise ValueError(f"is not a usable template: {fault}") from None
    return text


def _name_template(text: str) -> str:
    """Check a template, and translate the shorthand: every later reader knows Jinja alone."""
    try:
        jinja = from_shorthand(_not_blank(text))
        compile_template(jinja)
    except TemplateFault as fault:
        raise ValueError(
            f"is not a usable template: {fault}; write for example {{key}}-{{colour}}"
        ) from None
    return jinja


def _series(name: str) -> str:
    # Every file system takes it, and it is taken neither for an option nor for a rehearsal.
    usable = is_valid_filename(name, platform="universal") and name.strip(" .") == name
    if not usable or name.startswith("-") or name.casefold().endswith(".rehearsal"):
        raise ValueError("cannot be the name of a folder; write for example products")
    return name


def scheduler_address(text: str) -> str:
    """Return the address of a scheduler; raises ValueError if it is none, or not encrypted.

    Whoever can talk to a scheduler runs what they like on its workers.
    """
    address = text.strip().rstrip("/")
    parts, usable = urlsplit(address), False
    with contextlib.suppress(ValueError):
        usable = bool(parts.hostname and parts.port) and parts.scheme in {"tls", "tcp"}
    if not usable or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("is not the address of a scheduler; write for example tls://host:8786")
    if parts.scheme == "tcp" and not is_loopback(address):
        raise ValueError(f"is not encrypted; write tls://{parts.netloc}, and see docs/scale.md")
    return address


def _proxy(text: str) -> str:
    return text if text == "env" else proxy_address(_not_blank(text))


def _prepare(value: object) -> object:
    return "off" if value is False else value  # YAML reads a plain off as false


def _sheet(value: object) -> object:
    return str(value) if type(value) is int else value


def read_list(value: object) -> object:
    """Read `a, b` as [a, b]: brackets mean something to shells, and a list is easily forgotten."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(value) if isinstance(value, list) else () if value is None else value


AllowedCode = Literal[
    "prompt_placeholder",
    "prompt_todo",
    "error_text",
    "example_row",
    "header_row",
    "totals_row",
    "formula_empty",
    "picture_formula",
]
AllowedCodes = Annotated[tuple[AllowedCode, ...], BeforeValidator(read_list)]
Text = Annotated[str, AfterValidator(_not_blank)]
ManifestField = Literal[
    "prompt", "image_1", "image_2", "image_3", "images", "duration", "aspect_ratio", "resolution",
    "key", "video_look", "video_model", "audio", "seed", "negative_prompt", "ignore",
]  # fmt: skip
BaseUrl = Annotated[str, AfterValidator(_base_url)]
KeyVariable = Annotated[str, AfterValidator(_key_env)]
Variable = Annotated[str, AfterValidator(_variable)]
Encoding = Annotated[str, AfterValidator(_encoding)]
Zone = Annotated[str, AfterValidator(_zone)]
PromptTemplateText = Annotated[str, AfterValidator(_prompt_template)]
NameTemplate = Annotated[str, Field(max_length=500), AfterValidator(_name_template)]
Sheet = Annotated[str, AfterValidator(_not_blank), BeforeValidator(_sheet)]
SeriesName = Annotated[str, AfterValidator(_not_blank), AfterValidator(_series)]
VideosPlace = Annotated[str, AfterValidator(_videos)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
ProxySetting = Annotated[str, AfterValidator(_proxy)]
SchedulerAddress = Annotated[str, AfterValidator(scheduler_address)]
Prepare = Annotated[Literal["auto", "off"], BeforeValidator(_prepare)]
Resolution = Annotated[Literal["720P", "1080p"], BeforeValidator(_resolution)]
