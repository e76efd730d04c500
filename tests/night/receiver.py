"""A receiver of notices on this machine, which keeps what it gets."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class Receiver(HTTPServer):
    """Keeps what it gets, and answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[str, str, Any]] = []
        self.status = 200

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/abc"


class Postbox(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it gets."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Postman)
        self.mails: list[EmailMessage] = []

    @property
    def address(self) -> str:
        port = self.server_address[1]
        return f"mailto://127.0.0.1:{port}/?mode=insecure&from=night@example.com&to=you@example.com"


class _Postman(socketserver.StreamRequestHandler):
    server: Postbox

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().strip().upper():
            if line == b"DATA":
                self._say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                parser = BytesParser(EmailMessage, policy=default)
                self.server.mails.append(parser.parsebytes(b"".join(lines)))
            self._say("221 bye" if line == b"QUIT" else "250 done")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_GET(self) -> None:
        self._take(None)

    def do_POST(self) -> None:
        self._take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _take(self, body: object) -> None:
        self.server.got.append((self.command, self.path, body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(receiver: socketserver.BaseServer) -> Iterator[None]:
    """Have it answer as long as the context lasts."""
    thread = threading.Thread(target=receiver.serve_forever)
    thread.start()
    try:
        yield
    finally:
        receiver.shutdown()
        thread.join()
