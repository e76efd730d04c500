"""A look at pictures on the web, over a local host: bounded, and into no private network."""

from __future__ import annotations

import asyncio
import gzip
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest
from PIL import Image

from pipeline.downloader import webpictures
from pipeline.downloader.webpictures import WebFault, WebPicture, look_at_pictures
from tests.downloader.conftest import Ask, Behaviour, Host, answer


def picture(kind: str, width: int = 640, height: int = 360) -> bytes:
    file = BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(file, kind)
    return file.getvalue()


def serve(body: bytes, status: int = 200, **headers: str | int | None) -> Behaviour:
    async def behave(_host: Host, _ask: Ask, writer: asyncio.StreamWriter) -> None:
        answer(writer, status, body, **headers)

    return behave


async def silent(_host: Host, _ask: Ask, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def endless(_host: Host, _ask: Ask, writer: asyncio.StreamWriter) -> None:
    answer(writer, 200, b"", content_length=None, content_type="image/png")
    while True:
        writer.write(bytes(65_536))
        await writer.drain()


BEHAVIOURS: dict[str, Behaviour] = {
    "jpeg": serve(picture("JPEG")),
    "png": serve(picture("PNG")),
    "webp": serve(picture("WEBP")),
    "gif": serve(picture("GIF")),
    "tiff": serve(picture("TIFF")),
    "packed": serve(gzip.compress(picture("PNG")), content_encoding="gzip"),
    "page": serve(b"<!DOCTYPE html><html><body>A mug</body></html>", content_type="image/jpeg"),
    "pdf": serve(b"%PDF-1.7\n" + bytes(100)),
    "gone": serve(b"", 404),
    "forbidden": serve(b"", 403),
    "busy": serve(b"", 503),
    "empty": serve(b""),
    "away": serve(b"", 302, location="/jpeg"),
    "circle": serve(b"", 302, location="/circle"),
    "large": serve(picture("JPEG"), content_length=12_000_000),
    "silent": silent,
    "endless": endless,
}


@pytest.fixture(scope="module")
def host() -> Host:
    """The host, in a thread of its own."""
    made, ready = Host(b"", behaviours=BEHAVIOURS), asyncio.Event()

    async def run() -> None:
        server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
        made.port = server.sockets[0].getsockname()[1]
        loop.call_soon(ready.set)
        async with server:
            await server.serve_forever()

    loop = asyncio.new_event_loop()
    Thread(target=lambda: loop.run_until_complete(run()), daemon=True).start()
    asyncio.run_coroutine_threadsafe(ready.wait(), loop).result(10)
    return made


def look(host: Host, *names: str, limit_s: float = 10) -> dict[str, WebPicture | WebFault]:
    urls = {host.url(name): name for name in names}
    found = look_at_pictures(urls, allow_private=True, limit_s=limit_s)
    return {urls[url]: one for url, one in found.items()}


def test_type_and_size(host: Host) -> None:
    """Of every format that the provider takes, through a redirect and unpacked."""
    found = look(host, "jpeg", "png", "webp", "gif", "tiff", "packed", "away")
    assert len(found) == 7
    for name, one in found.items():
        assert isinstance(one, WebPicture), name
        assert (one.head.width, one.head.height) == (640, 360), name
        assert one.head.sent is (name != "tiff")


def test_what_is_no_picture(host: Host) -> None:
    """By its bytes, whatever it is announced as."""
    found = look(host, "page", "pdf")
    shown = {name: one.head.shown for name, one in found.items() if isinstance(one, WebPicture)}
    assert shown == {"page": "a web page", "pdf": "a PDF"}


@pytest.mark.parametrize(
    ("name", "certain", "words"),
    [
        ("gone", True, "nothing at the address (HTTP 404)"),
        ("forbidden", False, "HTTP 403"),
        ("busy", False, "HTTP 503"),
        ("empty", True, "empty file"),
        ("circle", True, "redirects more than"),
    ],
)
def test_why_there_is_none(host: Host, name: str, certain: bool, words: str) -> None:
    """And whether the provider is sure to get none either."""
    (found,) = look(host, name).values()
    assert isinstance(found, WebFault)
    assert (found.certain, words in found.sentence) == (certain, True), found.sentence


def test_bytes_and_time_are_bounded(host: Host) -> None:
    """A host that never stops is left after a megabyte, one that is silent after its time."""
    found = look(host, "endless", "silent", limit_s=1)
    assert isinstance(found["endless"], WebPicture)
    assert found["endless"].head.format is None
    assert isinstance(found["silent"], WebFault)
    assert "does not answer" in found["silent"].sentence
    (large,) = look(host, "large").values()
    assert isinstance(large, WebPicture)
    assert webpictures.is_too_large(large)


def test_each_address_is_asked_once_and_told(host: Host) -> None:
    """However many there are, all are counted."""
    before, told = len(host.asks), list[tuple[int, int]]()
    urls = [host.url("jpeg") + f"&n={n % 20}" for n in range(40)]
    found = look_at_pictures(
        urls, allow_private=True, progress=lambda done, total: told.append((done, total))
    )
    assert len(found) == len(host.asks) - before == 20
    assert told == [(n, 20) for n in range(1, 21)]


def test_no_private_network_is_asked(host: Host) -> None:
    """By address, by name, or through a number in disguise."""
    before = len(host.asks)
    urls = [
        host.url("jpeg"),
        f"http://localhost:{host.port}/jpeg",
        f"http://2130706433:{host.port}/",
    ]
    found = look_at_pictures(urls)
    assert list(found) == urls
    for url, one in found.items():
        assert isinstance(one, WebFault), url
        assert one.certain
        assert "may not be followed" in one.sentence
    assert len(host.asks) == before
    assert look_at_pictures([]) == {}


def test_a_name_that_no_host_can_have() -> None:
    """It is a fault of its address, and ends nothing."""
    (found,) = look_at_pictures([f"https://{'a' * 70}.example/a.jpg"]).values()
    assert isinstance(found, WebFault)


def test_no_file_is_written(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is seen is not kept."""
    monkeypatch.chdir(tmp_path)
    look(host, "jpeg")
    assert not [*tmp_path.iterdir()]
