"""The way out: which proxy an address is reached through, and whose certificates are trusted.

Nothing but the key's own origin gets the key: an encrypted connection to the API goes through a
proxy as a tunnel, so that the proxy sees the name of the host and no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline.config.settings import Config
from pipeline.config.values import is_loopback, proxy_address
from pipeline.disk.failures import explain_os_error
from pipeline.disk.openfile import read_regular
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import ssl

_LARGEST_BYTES = 10_000_000
WANTS_PASSWORD = 407
"""The HTTP answer of a proxy that was told no password, or a wrong one."""
UNTRUSTED = (
    "the certificate of the host is not trusted (a network that opens encrypted connections has a "
    "certificate of its own: name its file in http.ca_file)"
)
"""Why a connection fails whose certificate nobody here vouches for."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy. `url` may hold a password; `setting` is where it was set."""

    url: str = field(repr=False)
    setting: str

    @property
    def host(self) -> str:
        """Its host alone."""
        return urlsplit(self.url).hostname or ""

    def explain(self, status: int | None = None) -> str:
        """Say that it lets nothing through; `status` is its HTTP answer, if one came."""
        name = urlsplit(self.url).netloc.rpartition("@")[2]
        if status is None:
            return f"the proxy {name} ({self.setting}) cannot be reached, or broke the connection"
        if status == WANTS_PASSWORD:
            return (
                f"the proxy {name} ({self.setting}) wants a user name and a password, or others "
                "than it was given (HTTP 407)"
            )
        return f"the proxy {name} ({self.setting}) refuses to connect to the host (HTTP {status})"


@dataclass(frozen=True, slots=True)
class Network:
    """The proxies by scheme, the hosts that need none, and certificates other than the system's."""

    proxies: Mapping[str, Proxy] = field(default_factory=dict)
    no_proxy: tuple[str, ...] = ()
    certificates: ssl.SSLContext | None = field(default=None, compare=False, repr=False)

    @property
    def proxy_hosts(self) -> frozenset[str]:
        """The hosts of all proxies."""
        return frozenset(proxy.host for proxy in self.proxies.values())

    def proxy_for(self, url: str) -> Proxy | None:
        """Return the proxy that an address is reached through; None where it is reached without."""
        parts = urlsplit(url)
        proxy = self.proxies.get(parts.scheme)
        if proxy is None or is_loopback(url):
            return None
        host = (parts.hostname or "").rstrip(".")
        port = str(parts.port or _PORTS[parts.scheme])
        return None if any(_covers(one, host, port) for one in self.no_proxy) else proxy


_PORTS = {"http": 80, "https": 443}
"""Where an address without a port leads."""

DIRECT = Network()
"""Without a proxy, and with the system's certificates."""


def read_network(config: Config, environ: Mapping[str, str]) -> Network:
    """Return the way out that the settings, and the environment where they say so, describe.

    Raises ConfigError where a proxy's address or the file of certificates cannot be used.
    """
    if config.rehearses:
        return DIRECT
    certificates = _certificates(config.http.ca_file)
    if config.http.proxy == "env":
        names = environ.get("no_proxy") or environ.get("NO_PROXY", "")
        return Network(_proxies_of(environ), tuple(names.replace(",", " ").split()), certificates)
    if config.http.proxy is None:
        return Network(certificates=certificates)
    proxy = Proxy(config.http.proxy, "http.proxy")
    return Network({"http": proxy, "https": proxy}, (), certificates)


def broke_at_proxy(error: Exception) -> bool:
    """Return whether a call through a proxy failed there: not reached, or it hung up in between.

    It hangs up after it has promised a tunnel, too, where it cannot come by the host.
    """
    import aiohttp  # noqa: PLC0415 - a third of the time in which a command answers

    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return True
    broke = isinstance(error, aiohttp.ClientConnectorError)
    return broke and isinstance(getattr(error, "os_error", None), ConnectionError)


def _proxies_of(environ: Mapping[str, str]) -> dict[str, Proxy]:
    found = {}
    for scheme in ("http", "https"):
        for name in (f"{scheme}_proxy", f"{scheme}_PROXY".upper()):
            if value := environ.get(name, "").strip():
                found[scheme] = Proxy(_usable(value, name), f"the environment variable {name}")
                break
    return found


def _usable(value: str, name: str) -> str:
    try:
        return proxy_address(value)
    except ValueError as fault:
        raise ConfigError(
            f"The environment variable {name} {fault}.",
            action="Correct it, or set http.proxy to the address of a proxy, or to null for none.",
        ) from None


def _covers(entry: str, host: str, port: str) -> bool:
    """Tell whether an entry of NO_PROXY means this host: a name, a domain, addresses, or all."""
    entry = entry.casefold()
    if entry == "*":
        return True
    if "/" in entry:
        try:
            return ip_address(host) in ip_network(entry, strict=False)
        except ValueError:
            return False
    name, colon, asked = entry.rpartition(":")
    if colon and asked.isdigit() and ":" not in name.strip("[]"):
        if asked.lstrip("0") != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").strip(".")
    return bool(entry) and (host == entry or host.endswith(f".{entry}"))


def _certificates(named: str | None) -> ssl.SSLContext | None:
    """Return what trusts the certificates of a file beside those of the system."""
    if named is None:
        return None
    import ssl  # noqa: PLC0415 - a tenth of the time in which a command answers

    where = f"http.ca_file: {named}"
    try:
        content = read_regular(Path(named), _LARGEST_BYTES)
    except OSError as error:
        raise ConfigError(
            f"{where} cannot be read: {explain_os_error(error)}.",
            action="Correct the path, which starts from the working folder.",
        ) from None
    context = ssl.create_default_context()
    try:
        # Lists of certificates name them in comments, in any language.
        context.load_verify_locations(cadata=content.decode("ascii", "ignore"))
    except (ssl.SSLError, ValueError):
        raise ConfigError(
            f"{where} holds no certificate in PEM form.",
            action="Ask whoever runs the network for the certificate of its authority as PEM: text "
            "that begins with -----BEGIN CERTIFICATE-----.",
        ) from None
    return context
