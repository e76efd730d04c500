"""Tell others how a night went: a webhook, a dead man's switch; a failure changes nothing else.

Tested in tests/night/test_telling.py.
"""

from __future__ import annotations

import http.client
import json
import urllib.request
from collections.abc import Callable, Mapping

from pipeline.concealment import conceal

_PATIENCE_S = 10.0


class Telling:
    """Tells the addresses of the configuration; `warn` shows what could not be told."""

    def __init__(self, webhook: str | None, ping: str | None, warn: Callable[[str], None]) -> None:
        self._webhook = webhook
        self._ping = ping
        self._warn = warn

    def begin(self) -> None:
        """Tell the switch that a night begins."""
        if self._ping is not None:
            self._call("notify.ping", f"{self._ping}/start", None)

    def end(self, *, well: bool) -> None:
        """Tell the switch how a night ended."""
        if self._ping is not None:
            self._call("notify.ping", self._ping if well else f"{self._ping}/fail", None)

    def notify(self, document: Mapping[str, object], text: str) -> None:
        """Give the webhook night.json, with the message."""
        if self._webhook is not None:
            data = json.dumps({**document, "text": text}).encode()
            self._call("notify.webhook", self._webhook, data)

    def _call(self, setting: str, url: str, data: bytes | None) -> None:
        headers = {"Content-Type": "application/json"} if data is not None else {}
        request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310 - checked
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_S):  # noqa: S310 - likewise
                pass
        except (OSError, ValueError, http.client.HTTPException) as error:
            # The address itself may be a secret.
            said = conceal(str(error)).replace(url, "its address")
            self._warn(f"warning: nobody could be told by {setting}: {said}")
