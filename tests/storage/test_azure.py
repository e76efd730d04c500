"""The same promises against Azurite, which answers as Azure does. `.ci/long` installs it by npm."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import StoreError
from pipeline.storage import bucket as module
from pipeline.storage.bucket import BucketPlace
from pipeline.storage.places import Put, put_numbered

pytestmark = [pytest.mark.long, pytest.mark.process]

ACCOUNT = "devstoreaccount1"
# Azurite's own key, the same everywhere and public.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A container of a server of its own."""
    program, node = os.environ.get("AZURITE", ""), shutil.which("node")
    if not program or node is None:
        pytest.skip("AZURITE names no azurite-blob: see .ci/long")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = ("--blobHost", "127.0.0.1", "--blobPort", str(port))
    line = [node, program, "--inMemoryPersistence", "--silent", "--skipApiVersionCheck", *where]
    server = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    monkeypatch.setenv("AZURE_ENDPOINT", f"http://127.0.0.1:{port}/{ACCOUNT}")
    monkeypatch.setenv("AZURE_ALLOW_HTTP", "true")
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            assert server.poll() is None, "azurite ended"
            time.sleep(0.1)
        _make(port, "videos")
        yield "videos"
    finally:
        server.kill()
        server.wait()


def _make(port: int, container: str) -> None:
    """Make a container, as the account's owner does."""
    date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    path, version = f"/{ACCOUNT}/{container}", "2021-08-06"
    signed = f"PUT{chr(10) * 12}x-ms-date:{date}\nx-ms-version:{version}\n/{ACCOUNT}{path}"
    signed += "\nrestype:container"
    mac = base64.b64encode(hmac.digest(base64.b64decode(KEY), signed.encode(), "sha256")).decode()
    headers = {
        "x-ms-date": date,
        "x-ms-version": version,
        "Authorization": f"SharedKey {ACCOUNT}:{mac}",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("PUT", f"{path}?restype=container", headers=headers)
    assert connection.getresponse().status == 201
    connection.close()


def file(folder: Path, content: bytes) -> tuple[Path, str]:
    path = folder / ".x.mp4.part"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


async def test_a_file_is_put_once(
    container: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one request or in parts, whatever its name; and what is missing is said."""
    there = BucketPlace(f"az://{container}/spring 24/shop")
    await there.prepare()
    await there.prepare()
    path, sha256 = file(tmp_path, b"a video")
    name = "Größe 38 & Tüll #2.mp4"
    assert await there.put(name, path, sha256) is Put.CREATED
    assert await there.put(name, path, sha256) is Put.SAME
    path, other = file(tmp_path, b"b video")
    assert await put_numbered(there, name, path, other) == "Größe 38 & Tüll #2-2.mp4"
    assert there.list() == {name: 7, "Größe 38 & Tüll #2-2.mp4": 7}
    assert there.read_part(name, 0, 1) == b"a"
    link = there.link(name, 600)
    assert link is not None
    assert KEY not in link
    monkeypatch.setattr(module, "_WHOLE_BYTES", 1_000_000)
    path, sha256 = file(tmp_path, bytes(6_000_000))
    assert await there.put("large.mp4", path, sha256) is Put.CREATED
    assert await there.put("large.mp4", path, sha256) is Put.SAME
    with pytest.raises(StoreError, match="There is no bucket for az://none"):
        await BucketPlace("az://none/x").prepare()
