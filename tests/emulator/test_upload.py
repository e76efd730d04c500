"""Uploading pictures and reading them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def test_a_picture_comes_back_as_it_was(api: Any, png: bytes) -> None:
    """The type is that of the content, whatever the name says."""
    status, body = await api.upload(png, name="chair.jpg", purpose="generation")
    assert status == 200
    assert body["success"] is True
    assert body["data"]["mime_type"] == "image/png"
    assert body["data"]["size"] == len(png)
    assert (await api.get(body["data"]["url"]))[1] == png
    (record,) = api.emulator.records.uploads
    assert record.name == "chair.jpg"


async def test_other_content_is_refused(api: Any) -> None:
    """A text file called .png is no picture."""
    status, body = await api.upload(b"hello")
    assert status == 400
    assert body["success"] is False
    assert "Unsupported image type" in body["message"]


async def test_a_picture_too_large_is_refused(
    start: Callable[..., Awaitable[Any]], png: bytes
) -> None:
    """Beyond the limit the message names it."""
    api = await start(upload_limit_bytes=1000)
    status, body = await api.upload(png + bytes(1000))
    assert (status, body["success"]) == (400, False)
    assert "Maximum size is 10MB" in body["message"]


@pytest.mark.parametrize("names", [(), ("file", "file"), ("image",), ("file", "extra")], ids=str)
async def test_exactly_one_part_named_file(api: Any, png: bytes, names: tuple[str, ...]) -> None:
    """None, two, or others are refused."""
    form = aiohttp.FormData({"purpose": "generation"}, default_to_multipart=True)
    for name in names:
        form.add_field(name, png, filename="a.png")
    status, _ = await api.call("POST", "/v1/uploads/images", data=form)
    assert status == 400


async def test_a_picture_can_be_used_in_a_request(api: Any, png: bytes) -> None:
    """Its URL is accepted, an unknown one of ours is not."""
    url = (await api.upload(png))[1]["data"]["url"]
    assert (await api.submit(image_urls=[url]))[0] == 200
    status, body = await api.submit(image_urls=[url.replace("_", "_0")])
    assert status == 400
    assert body["error"]["code"] == "image_fetch_failed"
