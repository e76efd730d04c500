"""Whole pictures from the web, over a local host: bounded, and into no private network."""

from __future__ import annotations

import asyncio
import gzip

from pipeline.downloader.webcopies import fetch_pictures
from pipeline.pictures.accepted import LARGEST_BYTES
from tests.downloader.conftest import Ask, Behaviour, Host, answer
from tests.downloader.test_webpictures import picture, serve


async def endless(_host: Host, _ask: Ask, writer: asyncio.StreamWriter) -> None:
    answer(writer, 200, b"", content_length=None, content_type="image/png")
    while True:
        writer.write(bytes(1_000_000))
        await writer.drain()


PNG = picture("PNG")
BEHAVIOURS: dict[str, Behaviour] = {
    "png": serve(PNG),
    "packed": serve(gzip.compress(PNG), content_encoding="gzip"),
    "bomb": serve(gzip.compress(bytes(3 * LARGEST_BYTES)), content_encoding="gzip"),
    "page": serve(b"<!DOCTYPE html><html><body>A mug</body></html>", content_type="image/jpeg"),
    "gone": serve(b"", 404),
    "away": serve(b"", 302, location="/png"),
    "endless": endless,
}


async def test_pictures_come_whole_and_bounded() -> None:
    """What is no picture, too large or not there is told, by its address; and nothing else."""
    host = Host(b"", behaviours=BEHAVIOURS)
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    host.port = server.sockets[0].getsockname()[1]
    at = f"http://127.0.0.1:{host.port}"
    kept: dict[str, bytes] = {}

    async def keep(url: str, content: bytes) -> str | None:
        kept[url.removeprefix(f"{at}/")] = content
        return "it cannot be drawn" if url.endswith("away") else None

    urls = [f"{at}/{name}" for name in (*BEHAVIOURS, "png")]
    async with server:
        faults = await fetch_pictures(urls, keep, allow_private=True)
    assert kept == {"png": PNG, "packed": PNG, "away": PNG}
    said = {url.removeprefix(f"{at}/"): sentence for url, sentence in faults.items()}
    assert "more than 10,000,000 bytes" in said["endless"]
    assert "more than 10,000,000 bytes" in said["bomb"]
    assert "no picture" in said["page"]
    assert "nothing at the address" in said["gone"]
    assert said["away"] == "it cannot be drawn"
    assert set(said) == {"endless", "bomb", "page", "gone", "away"}


async def test_no_private_network_is_asked() -> None:
    """Neither this machine nor the metadata of a cloud."""

    async def keep(_url: str, _content: bytes) -> str | None:
        raise AssertionError

    urls = ["http://127.0.0.1/a.png", "http://169.254.169.254/latest", "http://[::1]/a.png"]
    faults = await fetch_pictures(urls, keep)
    assert set(faults) == set(urls)
