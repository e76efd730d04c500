"""Tell others how a night went: a webhook, a dead man's switch, addresses of Apprise.

Nobody is waited for for long, and what fails changes nothing else. The addresses may be secrets:
no sentence repeats one.

Tested in tests/night/test_telling.py.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pipeline.concealment import conceal
from pipeline.config.nights import Notify
from pipeline.config.settings import Config
from pipeline.disk.failures import explain_os_error
from pipeline.errors import ConfigError
from pipeline.network import DIRECT, Network, read_network
from pipeline.night.hours import say_span
from pipeline.night.notice import (
    Ended,
    Notice,
    compose,
    count_waiting,
    is_due,
)
from pipeline.night.record import NightRecord
from pipeline.night.sending import read_addresses, send

_PATIENCE_S = 10.0
"""How long one answer of a web address is waited for."""
MOST_S = 20.0
"""How long all together are waited for."""
_SHARE = 0.75
"""The part of that which services have, as their program has to start before."""
WANTED = ("notify.", "http.", "metrics.", "night.timezone", "output.dir")
"""How the settings begin that telling needs, and where the record of the night lies."""
_Call = Callable[[], list[str]]


@dataclass(frozen=True, slots=True)
class Way:
    """How others are reached: through a proxy or not, and whose certificates are trusted."""

    network: Network = DIRECT
    ca_file: str | None = None

    @property
    def environ(self) -> dict[str, str]:
        """The same for programs that know it by their environment."""
        told = {f"{scheme}_PROXY".upper(): one.url for scheme, one in self.network.proxies.items()}
        return told | ({"NO_PROXY": ",".join(self.network.no_proxy)} if told else {})


class Telling:
    """Tells the addresses of the configuration; `warn` shows what could not be told."""

    def __init__(
        self,
        notify: Notify,
        environ: Mapping[str, str],
        warn: Callable[[str], None],
        *,
        way: Way | None = None,
        most_s: float = MOST_S,
    ) -> None:
        self._webhook, self._ping = notify.webhook, notify.ping
        self._way = way or Way()
        self._most_s = most_s
        self._warn = warn
        self._addresses, faults = read_addresses(notify, environ)
        self._say(faults)

    @classmethod
    def by(cls, config: Config, environ: Mapping[str, str], warn: Callable[[str], None]) -> Self:
        """Return what tells whom a configuration names, on the way out that it describes."""
        network = DIRECT
        with contextlib.suppress(ConfigError):  # whoever calls the API says what is wrong with it
            # The message of a rehearsal goes out, too, though nothing else does.
            network = read_network(config.model_copy(update={"provider": "toapis"}), environ)
        way = Way(network, config.http.ca_file if network.certificates else None)
        return cls(config.notify, environ, warn, way=way)

    def begin(self) -> None:
        """Tell the switch that a night begins."""
        if self._ping is not None:
            self._carry_out([self._get(f"{self._ping}/start")])

    def end(self, document: Mapping[str, object], notice: Notice | None, *, well: bool) -> None:
        """Tell all of them at once how a night ended.

        Args:
            document: What night.json says.
            notice: What is told to people; None if there is nothing to say.
            well: What the switch is told.

        """
        calls: list[_Call] = []
        if self._ping is not None:
            calls.append(self._get(self._ping if well else f"{self._ping}/fail"))
        if self._webhook is not None and notice is not None:
            told = {"title": notice.title, "text": f"{notice.title}\n\n{notice.text}"}
            data = json.dumps({**document, **told}).encode()
            calls.append(self._call("notify.webhook", self._webhook, data))
        if self._addresses and notice is not None:
            calls.append(self._apprise(notice, bad=not well))
        self._carry_out(calls)

    def _say(self, faults: Sequence[str]) -> None:
        for fault in faults:
            self._warn(f"warning: nobody could be told by {fault}")

    def _carry_out(self, calls: Sequence[_Call]) -> None:
        """Make all calls at once, and wait for none of them longer than for the others."""
        faults: list[str] = []
        threads = [
            threading.Thread(target=lambda call=call: faults.extend(call()), daemon=True)
            for call in calls
        ]
        for thread in threads:
            thread.start()
        until = time.monotonic() + self._most_s
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        if any(thread.is_alive() for thread in threads):
            faults.append(f"all that is set under notify: no answer within {self._most_s:.0f} s")
        self._say(list(faults))

    def _get(self, url: str) -> _Call:
        return self._call("notify.ping", url, None)

    def _call(self, setting: str, url: str, data: bytes | None) -> _Call:
        headers = {"Content-Type": "application/json"} if data is not None else {}

        def call() -> list[str]:
            try:
                request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310 - checked
                with self._opener(url).open(request, timeout=_PATIENCE_S):
                    return []
            except (OSError, ValueError, http.client.HTTPException) as error:
                return [f"{setting}: {_why(error, url)}"]

        return call

    def _opener(self, url: str) -> urllib.request.OpenerDirector:
        proxy = self._way.network.proxy_for(url)
        proxies = {} if proxy is None else {urlsplit(url).scheme: proxy.url}
        return urllib.request.build_opener(
            urllib.request.ProxyHandler(proxies),
            urllib.request.HTTPSHandler(context=self._way.network.certificates),
        )

    def _apprise(self, notice: Notice, *, bad: bool) -> _Call:
        return lambda: send(
            self._addresses,
            notice.title,
            notice.text,
            bad=bad,
            environ=self._way.environ,
            ca_file=self._way.ca_file,
            limit_s=self._most_s * _SHARE,
        )


def tell_end(
    telling: Telling,
    config: Config,
    record: NightRecord,
    ended: Sequence[Ended],
    where: tuple[Path, float],
    *,
    action: str | None = None,
) -> None:
    """Tell all of them how a night ended.

    Args:
        telling: Tells them.
        config: The configuration.
        record: What night.json says.
        ended: How each manifest ended.
        where: The folder of outputs, and the Unix second.
        action: What to do about what ended it, where no manifest says it.

    """
    code, notice = record.exit_code, None
    well = record.ended_well
    if is_due(config.notify.on, code, record.submitted, count_waiting(ended), well=well):
        outputs, now = where
        span = say_span(config, record.began, now)
        at = [f"{span}, on {socket.gethostname()} in {outputs.absolute()}"]
        at += [record.killed] if record.killed else []
        at += [f"Commands are for the folder {Path.cwd()}."] if ended else []
        why, hindrance = record.stopped_by, record.hindrance
        notice = compose(code, ended, why, action=action, at=at, hindrance=hindrance)
    telling.end(record.document(ended=True), notice, well=well)


def _why(error: Exception, url: str) -> str:
    """Say why an address was not reached; it and what is in it may be a secret."""
    if not isinstance(error, OSError):  # these repeat parts of the address
        return f"it gave no answer that can be read ({type(error).__name__})"
    parts = urlsplit(url)
    reason = getattr(error, "reason", None)
    said = explain_os_error(reason) if isinstance(reason, OSError) else str(error)
    said = conceal(said).replace(url, "its address")
    for part in (parts.path, parts.netloc):
        said = said.replace(part, "…") if len(part) > 1 else said
    return said
