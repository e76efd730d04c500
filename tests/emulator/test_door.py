"""Only who has the secret of the address is answered; anybody else learns nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest

from pipeline.emulator.server import Emulator, EmulatorSettings

STRANGE_PATHS = (
    "/", "/v1/balance", "/v1/models", "/v1/videos/generations/x", "/v1/videos/generations",
    "/v1/uploads/images", "/emulator/records", "/emulator/faults", "/uploads/1/x.png",
    "/videos/x/y.mp4", "/moved/videos/x/y.mp4", "/favicon.ico", "/%2e%2e/", "//", "/\xe9",
    "/0123456789abcdef0123456789abcdef/v1/balance", "?", "*", "/?/v1/balance",
)  # fmt: skip
BROKEN = (
    b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01",
    b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"POST /v1/videos/generations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n",
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
    b"GET http://127.0.0.1/v1/balance HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n",
)  # fmt: skip


async def tell(url: str, request: bytes) -> tuple[int, bytes]:
    """Send bytes to the port of a URL; return the status and the body of the answer."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request)
    if not request.endswith(b"\r\n\r\n"):
        writer.write_eof()  # or the end of the request would be waited for
    head, _, body = (await asyncio.wait_for(reader.read(), 20)).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1]) if head else 0, body


def lines(method: str, path: str, *headers: str) -> bytes:
    text = "\r\n".join((f"{method} {path} HTTP/1.1", *headers, "Connection: close", "", ""))
    return text.encode("latin-1")


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "DELETE"])
@pytest.mark.parametrize("origin", ["base_url", "files_url"])
async def test_a_stranger_gets_an_empty_404(api: Any, method: str, origin: str) -> None:
    """Whatever is asked for, known here or not, with a key or without."""
    for path in STRANGE_PATHS:
        for more in ((), ("Authorization: Bearer x",), ("Expect: 100-continue",)):
            said = await tell(
                getattr(api.emulator, origin), lines(method, path, "Host: 127.0.0.1", *more)
            )
            assert said == (404, b""), path
    assert api.emulator.records.document()["calls"] == []


@pytest.mark.parametrize("origin", ["base_url", "files_url"])
async def test_what_is_no_request_gets_no_more(
    api: Any, origin: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a word of what was sent nor of the program comes back, or goes to a log."""
    for request in BROKEN:
        status, body = await tell(getattr(api.emulator, origin), request)
        assert (status in {0, 404}, body) == (True, b""), request
    assert caplog.text == ""


async def test_pictures_and_videos_are_behind_the_secret(api: Any, png: bytes) -> None:
    """The very path of a picture or a video is worth nothing without it."""
    picture = (await api.upload(png))[1]["data"]["url"]
    video = await api.video_url()
    for url in (picture, video):
        assert url.startswith(api.emulator.files_url + "/")
        assert (await api.get(url))[0] == 200
        path = url.removeprefix(api.emulator.files_url)
        assert await tell(url, lines("GET", path, "Host: 127.0.0.1")) == (404, b"")
        near = urlsplit(url).path
        near = near[:2] + ("0" if near[2] != "0" else "1") + near[3:]
        assert await tell(url, lines("GET", near, "Host: 127.0.0.1")) == (404, b"")


@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        (["127.0.0.1"], 200),
        (["127.0.0.1:99"], 200),
        (["LOCALHOST:99"], 200),
        (["[::1]:99"], 200),
        ([], 404),
        ([""], 404),
        (["rebound.example"], 404),
        (["rebound.example:80"], 404),
        (["127.0.0.1.rebound.example"], 404),
        (["localhost.rebound.example"], 404),
        (["10.0.0.1"], 404),
    ],
)
async def test_a_page_under_another_name_is_kept_out(
    api: Any, hosts: Sequence[str], status: int
) -> None:
    """A name that was made to lead to this machine is not this machine's."""
    path = urlsplit(api.emulator.base_url).path + "/emulator/records"
    said = await tell(api.emulator.base_url, lines("GET", path, *(f"Host: {h}" for h in hosts)))
    assert said[0] == status
    assert bool(said[1]) == (status == 200)


async def test_each_request_of_a_connection_is_looked_at(api: Any) -> None:
    """Who was let in once is asked again."""
    own = urlsplit(api.emulator.base_url).path + "/emulator/records"
    first = f"GET {own} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    _, body = await tell(
        api.emulator.base_url, first + lines("GET", "/emulator/records", "Host: 127.0.0.1")
    )
    assert b"HTTP/1.1 404 Not Found" in body
    assert body.count(b"summary") == 1


async def test_each_emulator_has_a_secret_of_its_own() -> None:
    """Of 128 bits; after a stop it is the same, since clients go on then."""
    ones = [Emulator(EmulatorSettings(quick=True)) for _ in range(2)]
    known = set()
    for one in ones:
        async with one:
            api, files = (urlsplit(url).path for url in (one.base_url, one.files_url))
            assert api == files
            assert len(bytes.fromhex(api[1:])) == 16
            known.add(api)
    assert len(known) == 2


async def test_a_redirect_tells_no_other_host(api: Any) -> None:
    """A sheet may name any host in a marker; it does not learn the secret."""
    secret = urlsplit(api.emulator.base_url).path[1:]
    for marker, told in (("@127.0.0.1:9", False), ("", True)):
        url = await api.video_url(prompt=f"a [fault:download_redirect_host{marker}]")
        async with api.session.get(url, allow_redirects=False) as answer:
            assert (secret in answer.headers["Location"]) == told
