"""What a worker does with a fetch, and whether it is fit for a run."""

from __future__ import annotations

import asyncio
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import __version__
from pipeline.downloader.fetching import Downloader
from pipeline.errors import BadVideo, LinkDead, StoreError, TransferBroken, Unfinished
from pipeline.fleet import worker
from pipeline.fleet.wire import Fetch, Fetched, Terms, read_reply
from pipeline.fleet.worker import Bench, refusal_of, work_at
from pipeline.model import Video

if TYPE_CHECKING:
    from tests.downloader.conftest import Host

pytestmark = pytest.mark.process


def asked(host: Host, folder: Path, behaviour: str, **terms: Any) -> Fetch:
    at = Terms(str(folder), "boxes", 0o644, links=True, allow_private=True, **terms)
    return Fetch(f"{behaviour}-1", host.url(behaviour), "a.mp4", 1, "16:9", "720P", at)


async def carry_out(one: Fetch) -> Fetched:
    return read_reply(await worker.fetch(one.message()), one)


async def test_a_video_is_fetched_into_its_place(tmp_path: Path, host: Host, sha256: str) -> None:
    """By a link, with its figures and its poster; failures leave nothing in the scratch folder."""
    videos, scratch = tmp_path / "videos", tmp_path / "scratch"
    videos.mkdir()
    scratch.mkdir()
    (scratch / "left").write_text("by another")
    async with Bench(scratch, 2, 1) as bench:
        work_at(bench)
        assert not (scratch / "left").exists()
        found = await carry_out(asked(host, videos, "good", measure=True, draw=True))
        assert isinstance(found.content, Video)
        assert found.content.sha256 == sha256
        assert (videos / "a.mp4").read_bytes() == host.body
        assert found.figures is not None
        assert (found.poster or b"").startswith(b"\xff\xd8")
        host.asks.clear()
        again = await carry_out(asked(host, videos, "good"))
        assert isinstance(again.content, Video)
        assert host.asks  # what a name stood for in another run says nothing
        assert [one.name for one in videos.iterdir()] == ["a.mp4"]
        gone = await carry_out(asked(host, videos, "html"))
        assert isinstance(gone.content, LinkDead)
        assert not gone.own
        elsewhere = await carry_out(asked(host, tmp_path / "no" / "place", "good"))
        assert isinstance(elsewhere.content, StoreError)
        assert elsewhere.own
        old = asked(host, videos, "good").message().replace(__version__, "0.0.1")
        refused = read_reply(await worker.fetch(old), asked(host, videos, "good"))
        assert isinstance(refused.content, Unfinished)
        assert refused.own


async def test_a_fetch_is_given_up_at_once(tmp_path: Path, host: Host) -> None:
    """What is cancelled elsewhere stops here, by its key."""
    async with Bench(tmp_path / "scratch", 2, 1) as bench:
        work_at(bench)
        one = asked(host, tmp_path, "stalled")
        fetching = asyncio.create_task(carry_out(one))
        while not host.asks:  # noqa: ASYNC110 - the host has no event
            await asyncio.sleep(0.01)
        assert await worker.stop(["another"]) == 0
        assert await worker.stop([one.key]) == 1
        assert isinstance((await fetching).content, TransferBroken)


async def test_a_worker_without_room_does_not_begin(tmp_path: Path) -> None:
    (tmp_path / "scratch").write_text("no folder")
    with pytest.raises(StoreError, match="cannot be used"):
        async with Bench(tmp_path / "scratch", 1, 1):
            pass
    with pytest.raises(StoreError, match="slots need"):
        async with Bench(tmp_path / "other", 10**9, 1):
            pass


async def test_who_is_fit(tmp_path: Path) -> None:
    """Version, place, shared folder and machine, each told in a few words."""
    probe = tmp_path / "probe"
    probe.write_text("nonce")
    notice = {"version": __version__, "places": [str(tmp_path / "shop")], "node": None}
    assert await refusal_of({**notice, "probes": {str(probe): "nonce"}}) is None
    assert "not shared" in str(await refusal_of({**notice, "probes": {str(probe): "other"}}))
    assert "not shared" in str(await refusal_of({**notice, "probes": {f"{probe}2": "nonce"}}))
    assert "the run has 0.0.1" in str(await refusal_of({**notice, "version": "0.0.1"}))
    assert "rehearsal" in str(await refusal_of({**notice, "node": f"not-{platform.node()}"}))
    with pytest.raises(StoreError, match="there is no folder"):
        await refusal_of({**notice, "places": [str(tmp_path / "no" / "shop")]})
    work_at(Bench(tmp_path / "scratch", 1, 1))
    (tmp_path / "scratch").mkdir()
    assert (await worker.vet(notice))["fault"] is None
    assert (
        "no folder"
        in (await worker.vet({**notice, "places": [str(tmp_path / "no" / "a")]}))["fault"]
    )


async def test_a_damaged_video_is_damaged_here_too(tmp_path: Path, host: Host) -> None:
    async with Bench(tmp_path / "scratch", 1, 1) as bench:
        work_at(bench)
        host.body = host.body[:100] + bytes(100) + host.body[200:]
        found = await carry_out(asked(host, tmp_path, "good"))
        assert isinstance(found.content, BadVideo)
        assert not list((tmp_path / "scratch").rglob("*.part*"))


class _Silent:
    address = "s3://videos/spring"

    async def prepare(self) -> None:
        raise StoreError("The bucket says nothing.")


async def test_a_place_that_was_vetted_is_not_tried_for_each_video(tmp_path: Path) -> None:
    """Each would wait for it in turn, while the run thinks that it has its videos."""
    place: Any = _Silent()
    async with Downloader(tmp_path / "coming", place=place, tried=True):
        pass
    with pytest.raises(StoreError):
        await Downloader(tmp_path / "coming", place=place).__aenter__()
