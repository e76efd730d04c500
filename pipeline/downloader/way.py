"""Which proxy a download goes through, and which hosts no proxy is asked for.

A proxy resolves names by itself, so the check of what a name leads to is made here beforehand, with
our own resolver. Where that knows nothing of the name, as behind many a firewall, names that can
only be of a private network are refused, and what else the proxy reaches is the proxy's own rule.

Tested in tests/downloader/test_way.py and tests/system/test_networks.py.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from pipeline.downloader.addresses import CheckedResolver, ForbiddenAddress, local_name_refusal
from pipeline.errors import HostDown, LinkDead
from pipeline.network import (
    DIRECT,
    UNTRUSTED,
    WANTS_PASSWORD,
    Network,
    Proxy,
    broke_at_proxy,
)

_RESOLVE_LIMIT_S = 5.0
_USUAL_PORT = 443


@dataclass(slots=True)
class Way:
    """The way out for downloads.

    `names` judges the names that a proxy is to resolve; None where links may lead anywhere.
    """

    network: Network = DIRECT
    names: CheckedResolver | None = None
    _unknown: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, network: Network, resolver: AbstractResolver | None, *, private: bool) -> Way:
        """Return the way through a network, in a running loop.

        Args:
            network: The proxies.
            resolver: Finds the addresses of names; None for the system's.
            private: Whether links may lead into private networks.

        """
        if private or not network.proxies:
            return cls(network)
        return cls(network, CheckedResolver(resolver or aiohttp.ThreadedResolver()))

    async def proxy_for(self, url: URL) -> Proxy | None:
        """Return the proxy for a link; raises LinkDead and ForbiddenAddress if it may not go."""
        host = url.raw_host or ""
        if self.names is not None and host in self.network.proxy_hosts:
            raise LinkDead("The download link may not be followed: it leads to the proxy.")
        proxy = self.network.proxy_for(str(url))
        if proxy is not None and self.names is not None:
            await self._judge(self.names, host, url.port or _USUAL_PORT)
        return proxy

    async def _judge(self, names: CheckedResolver, host: str, port: int) -> None:
        if host not in self._unknown:
            try:
                async with asyncio.timeout(_RESOLVE_LIMIT_S):
                    await names.resolve(host, port)
            except ForbiddenAddress:
                raise
            except OSError:  # TimeoutError is one
                self._unknown.add(host)
            else:
                return
        if (reason := local_name_refusal(host)) is not None:
            raise LinkDead(f"The download link may not be followed: {reason}.")


def explain_proxy(error: Exception, proxy: Proxy | None) -> HostDown | None:
    """Say what a failure of the way itself means; None if it was another."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return HostDown(f"The video cannot be downloaded: {UNTRUSTED}.")
    if proxy is None:
        return None
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return HostDown(f"The video cannot be downloaded: {proxy.explain(error.status)}.")
    if broke_at_proxy(error):
        return HostDown(f"The video cannot be downloaded: {proxy.explain()}.")
    return None


def refuse_proxys_own(status: int, proxy: Proxy | None) -> None:
    """Raise HostDown if an answer is not the host's but the proxy's, who wants a password."""
    if proxy is not None and status == WANTS_PASSWORD:
        raise HostDown(f"The video cannot be downloaded: {proxy.explain(status)}.")
