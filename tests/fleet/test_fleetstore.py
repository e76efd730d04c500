"""The store of a manifest whose videos are fetched by workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.downloader.verification import Decoders
from pipeline.errors import LinkDead, TransferBroken
from pipeline.fleet.fleetstore import FleetStore
from pipeline.fleet.wire import Fetch, Fetched, Terms
from pipeline.model import Video


class Answering:
    """A fleet that answers at once."""

    def __init__(self, *answers: Fetched) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[Fetch, int]] = []

    def key_for(self, name: str) -> str:
        return f"{name}-1"

    async def fetch(self, asked: Fetch, most_bytes: int) -> Fetched:
        self.asked.append((asked, most_bytes))
        return self.answers.pop(0)


def store_of(fleet: Answering | None, place: str, *, own: bool) -> FleetStore:
    terms = Terms(place, "first_frame", 0o644)
    return FleetStore(fleet, terms, Decoders(), own=own)  # type: ignore[arg-type]


async def fetch(store: FleetStore, name: str = "A1.mp4") -> Video:
    return await store.fetch(
        "https://x/y", name=name, duration=4, aspect_ratio="16:9", resolution="720P"
    )


async def test_what_a_worker_measured_is_kept_until_it_is_taken(tmp_path: Path) -> None:
    """A video in the output folder is noted as ever: by its name alone."""
    folder = tmp_path / "videos"
    video = Video("A1.mp4", 10, "ab" * 32, 4.0, 1280, 720, (), str(folder))
    fleet = Answering(Fetched("w", video, {"recipe": 1}, b"jpeg"), Fetched("w", video))
    async with store_of(fleet, str(folder), own=True) as store:
        assert folder.is_dir()
        store.keep_figures()
        found = await fetch(store)
        assert (found.place, found.name, found.file) == ("", "A1.mp4", "videos/A1.mp4")
        assert store.take_figures(found.sha256) == {"recipe": 1}
        assert store.take_poster(found.sha256) == b"jpeg"
        assert store.take_figures(found.sha256) is None
        assert store.take_poster(found.sha256) is None
        assert store.file_at_hand(found.sha256) is None
        assert (await fetch(store)).place == ""
    assert fleet.asked[0][1] == 25_000_000


async def test_a_video_elsewhere_names_its_place() -> None:
    place = "s3://videos/spring/shop"
    video = Video("A1.mp4", 10, "ab" * 32, 4.0, 1280, 720, (), place)
    async with store_of(Answering(Fetched("w", video)), place, own=False) as store:
        assert (await fetch(store)).place == place


async def test_failures_are_raised(tmp_path: Path) -> None:
    fleet = Answering(Fetched("w", LinkDead("gone")))
    async with store_of(fleet, str(tmp_path), own=True) as store:
        with pytest.raises(LinkDead, match="gone"):
            await fetch(store)
        with pytest.raises(ValueError, match="not a plain file name"):
            await fetch(store, "../A1.mp4")
    async with store_of(None, str(tmp_path), own=True) as store:
        with pytest.raises(TransferBroken, match="before a worker had joined"):
            await fetch(store)
