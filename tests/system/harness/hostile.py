"""An API that a test writes down: it answers on loopback, and keeps what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.system.harness.api import KEY
from tests.system.harness.product import Product


@dataclass
class Call:
    """One request as it came."""

    method: str
    path: str
    body: bytes


@dataclass
class Said:
    """One answer: a JSON document or bytes, and more headers than usual."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class HostileApi:
    """A running API; `answer` is asked for each call, and may be replaced while it runs."""

    answer: Callable[[Call], Said]
    url: str = ""
    calls: list[Call] = field(default_factory=list)

    def called(self, method: str, part: str) -> list[Call]:
        """Return the calls of a method whose path holds this part."""
        return [one for one in self.calls if one.method == method and part in one.path]


@contextmanager
def hostile_api(answer: Callable[[Call], Said]) -> Iterator[HostileApi]:
    """Serve on a free port until the end of the context."""
    api = HostileApi(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = Call(self.command, self.path, body)
            api.calls.append(call)
            said = api.answer(call)
            content = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            self.send_response(said.status)
            for name, value in {"Content-Length": str(len(content)), **said.headers}.items():
                if value:  # an empty one is left out
                    self.send_header(name, value)
            self.end_headers()
            with suppress(ConnectionError):  # the client has seen enough
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def tied_to(api: HostileApi, folder: Path) -> Iterator[Product]:
    """Yield the product in a folder, tied to such an API."""
    folder.mkdir(exist_ok=True)
    product = Product(folder, api.url, KEY)
    try:
        yield product
    finally:
        product.close()
