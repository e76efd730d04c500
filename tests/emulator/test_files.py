"""The files origin: ranges, ETags, expiry, and nobody's key."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

import av
import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def test_clips_are_valid_and_all_different(api: Any) -> None:
    """Two tasks of one kind have two sums, both clips decode."""
    bodies = [(await api.get(await api.video_url()))[1] for _ in range(2)]
    assert len({hashlib.sha256(body).hexdigest() for body in bodies}) == 2
    for body in bodies:
        with av.open(io.BytesIO(body), "r") as container:
            stream = container.streams.video[0]
            assert stream.codec_context.name == "h264"
            assert stream.average_rate == 24
            frames = list(container.decode(stream))
        assert (frames[0].width, frames[0].height, len(frames)) == (1280, 720, 144)
        assert body.index(b"moov") < body.index(b"mdat")


@pytest.mark.parametrize(
    ("fields", "frame", "count"),
    [
        ({"duration": 4, "aspect_ratio": "9:16"}, (720, 1280), 96),
        ({"duration": 4, "resolution": "1080p"}, (1920, 1080), 96),
    ],
)
async def test_clips_have_the_frame_and_length_asked_for(
    api: Any, fields: dict[str, Any], frame: tuple[int, int], count: int
) -> None:
    """Each kind has its own clip."""
    body = (await api.get(await api.video_url(**fields)))[1]
    with av.open(io.BytesIO(body), "r") as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.frames) == (*frame, count)


async def test_padding_makes_clips_large(start: Callable[..., Awaitable[Any]]) -> None:
    """A padded clip is as large as was asked and still opens."""
    api = await start(padding_bytes=4_000_000)
    status, body, headers = await api.get(await api.video_url())
    assert status == 200
    assert len(body) == int(headers["Content-Length"]) > 4_000_000
    with av.open(io.BytesIO(body), "r") as container:
        assert container.streams.video[0].frames == 144


@pytest.mark.parametrize(
    ("range_", "first", "last"),
    [("bytes=0-0", 0, 0), ("bytes=100-", 100, None), ("bytes=-7", -7, None), ("bytes=5-9", 5, 9)],
)
async def test_ranges(api: Any, range_: str, first: int, last: int | None) -> None:
    """Each form of range gives 206 and exactly its bytes."""
    url = await api.video_url()
    whole = (await api.get(url))[1]
    status, part, headers = await api.get(url, Range=range_)
    assert status == 206
    assert part == whole[first : None if last is None else last + 1]
    assert headers["Content-Range"].endswith(f"/{len(whole)}")


async def test_a_range_outside_is_416(api: Any) -> None:
    """It names the size."""
    url = await api.video_url()
    whole = (await api.get(url))[1]
    status, _, headers = await api.get(url, Range=f"bytes={len(whole)}-")
    assert (status, headers["Content-Range"]) == (416, f"bytes */{len(whole)}")


async def test_if_range(api: Any) -> None:
    """The right ETag gives the rest, another one the whole."""
    url = await api.video_url()
    _, whole, headers = await api.get(url)
    ranged = {"Range": "bytes=10-", "If-Range": headers["ETag"]}
    assert (await api.get(url, **ranged))[0] == 206
    status, body, _ = await api.get(url, **{**ranged, "If-Range": '"other"'})
    assert (status, body) == (200, whole)


async def test_head_has_a_length_and_no_body(api: Any) -> None:
    """HEAD answers as GET does, without the bytes."""
    url = await api.video_url()
    async with api.session.head(url) as answer:
        assert answer.status == 200
        assert int(answer.headers["Content-Length"]) > 1000


async def test_urls_expire_and_a_query_gives_a_fresh_one(
    start: Callable[..., Awaitable[Any]],
) -> None:
    """After its lifetime a URL answers 403; the next query's works."""
    now = [1_779_247_407.0]
    api = await start(lambda: now[0], url_lifetime_s=60, median_s=5, p95_s=5)
    task_id = await api.accepted()
    now[0] += 10
    old = (await api.finished(task_id))["video_url"]
    assert (await api.get(old))[0] == 200
    now[0] += 60
    assert (await api.get(old))[0] == 403
    fresh = (await api.finished(task_id))["video_url"]
    assert fresh != old
    assert (await api.get(fresh))[0] == 200
    assert (await api.get(fresh[:-9] + "00000.mp4"))[0] == 404


async def test_a_key_sent_to_the_files_origin_is_noticed(api: Any) -> None:
    """No key is asked for, and one that comes leaves a trace."""
    url = await api.video_url()
    assert (await api.get(url))[0] == 200
    assert api.emulator.summary()["files_authorizations"] == 0
    await api.get(url, Authorization="Bearer secret", Cookie="a=b")
    summary = api.emulator.summary()
    assert (summary["files_authorizations"], summary["files_cookies"]) == (1, 1)
    assert [call.authorization for call in api.emulator.records.downloads] == [False, True]
