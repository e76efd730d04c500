"""A bucket on this machine: moto's server as a process, and a proxy before it that misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

import obstore
import pytest
from obstore.store import S3Store

SECRET = "bucket-secret-4d1c7f"  # noqa: S105 - of no bucket
BUCKET = "videos"
_SERVER = """
import os
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

buckets = DomainDispatcherApplication(create_backend_app)
server = make_server("127.0.0.1", 0, buckets, threaded=True, request_handler=MotoRequestHandler)
os.environ["MOTO_PORT"] = str(server.port)
print(server.port, flush=True)
server.serve_forever()
"""
_numbers = count()


@dataclass
class Bucket:
    """A bucket of its own in the server, and the variables that lead to it."""

    url: str
    name: str

    def environment(self, url: str = "") -> dict[str, str]:
        """Return the variables by which it is reached, here or through a proxy."""
        return {
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": url or self.url,
            "AWS_ALLOW_HTTP": "true",
        }

    def store(self) -> S3Store:
        """Return the bucket as the library sees it, without a proxy."""
        return S3Store(
            self.name,
            endpoint=self.url,
            access_key_id="AKIDEXAMPLE",
            secret_access_key=SECRET,
            region="us-east-1",
            client_options={"allow_http": True},
        )

    def objects(self) -> dict[str, str]:
        """Return all videos with the hashes that were noted of them."""
        return {
            name: sha256
            for name, sha256 in self.everything().items()
            if not name.endswith((".jpg", ".json"))
        }

    def everything(self) -> dict[str, str]:
        """Return all objects but probes with the hashes that were noted of them."""
        store = self.store()
        found = {}
        for part in obstore.list(store):
            for one in part:
                if not one["path"].endswith(".reelsheet-probe"):
                    got = obstore.get(store, one["path"], options={"head": True})
                    found[one["path"]] = str(got.attributes.get("sha256"))
        return found

    def remove(self, name: str) -> None:
        """Delete an object, as somebody else would."""
        obstore.delete(self.store(), name)


@contextlib.contextmanager
def start_server() -> Iterator[str]:
    """Start moto's server on a port that it has from the system; yield its address."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            assert port, "moto's server ended"
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


def new_bucket(url: str) -> Bucket:
    """Make a bucket that no other test has."""
    name = f"{BUCKET}-{next(_numbers)}-{time.monotonic_ns() % 10**9}"
    request = urllib.request.Request(f"{url}/{name}", method="PUT")  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310
        return Bucket(url, name)


@dataclass
class Faults:
    """A proxy before a bucket, in a thread; `fault` says how it treats the requests of `methods`.

    `lose`: the answer is lost after the bucket has done what was asked. `cut`: so is the request.
    `freeze`: nothing comes back. `forget`: yes is said and nothing done. `ignore`: the condition of
    a PUT is left out. A number is answered as a status. `hold_s` keeps a PUT on its way.
    """

    target: str
    fault: str = ""
    methods: tuple[str, ...] = ("PUT",)
    hold_s: float = 0.0
    seen: list[tuple[str, str]] = field(default_factory=list)
    on_the_way: threading.Event = field(default_factory=threading.Event)
    port: int = 0
    _served: set[object] = field(default_factory=set)
    """Tasks: of one whose client was killed the loop itself keeps no reference."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def listening(self) -> Iterator[Faults]:
        """Listen as long as the context lasts."""
        ready = threading.Event()
        loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

        async def listen() -> None:
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            loops.append((asyncio.get_running_loop(), asyncio.Event()))
            ready.set()
            await loops[0][1].wait()
            server.close()
            # Connections that were accepted meanwhile get a task in the next turn of the loop.
            while rest := asyncio.all_tasks() - {asyncio.current_task()}:
                for one in rest:
                    one.cancel()
                await asyncio.gather(*rest, return_exceptions=True)
                await asyncio.sleep(0.05)  # the loop closes their sockets

        thread = threading.Thread(target=lambda: asyncio.run(listen()), daemon=True)
        thread.start()
        assert ready.wait(10)
        try:
            yield self
        finally:
            loop, ended = loops[0]
            loop.call_soon_threadsafe(ended.set)
            thread.join(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._served.add(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            await self._pass_on(reader, writer)
        with contextlib.suppress(OSError, RuntimeError, asyncio.CancelledError):
            writer.close()
            await writer.wait_closed()
        self._served.discard(asyncio.current_task())

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines)
        fields = {name.lower(): value for name, value in fields.items()}
        body = await reader.readexactly(int(fields.get("content-length", 0)))
        method, path = first.split()[:2]
        fault = self.fault if method in self.methods else ""
        self.seen.append((method, path))
        if fault == "freeze":
            await asyncio.sleep(3600)
        if fault == "cut":
            writer.transport.abort()
            return
        if fault.isdigit() or fault == "forget":
            status = int(fault) if fault.isdigit() else 200
            code = b"<Error><Code>Denied</Code></Error>" if status != 200 else b""
            length = f'content-length: {len(code)}\r\netag: "1"\r\nconnection: close'
            writer.write(f"HTTP/1.1 {status} X\r\n{length}\r\n\r\n".encode() + code)
            await writer.drain()
            return
        if fault == "ignore":
            fields.pop("if-none-match", None)
        if method == "PUT":
            self.on_the_way.set()
            await asyncio.sleep(self.hold_s)
        answer = await self._ask(first, fields, body)
        if method == "PUT":
            await asyncio.sleep(self.hold_s)
        if fault == "lose":
            writer.transport.abort()
            return
        writer.write(answer)
        await writer.drain()

    async def _ask(self, first: str, fields: Mapping[str, str], body: bytes) -> bytes:
        host, _, port = self.target.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        lines = "".join(f"{k}: {v}\r\n" for k, v in {**fields, "connection": "close"}.items())
        try:
            writer.write(f"{first}\r\n{lines}\r\n".encode() + body)
            return await reader.read()
        finally:
            writer.close()


@pytest.fixture(scope="session")
def bucket_server() -> Iterator[str]:
    """Moto's server, one for all tests of a process."""
    with start_server() as url:
        yield url


@pytest.fixture
def bucket(bucket_server: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket, to which the variables of this process lead."""
    made = new_bucket(bucket_server)
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def faults(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """A proxy before that bucket, through which it is reached."""
    with Faults(bucket.url).listening() as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy
