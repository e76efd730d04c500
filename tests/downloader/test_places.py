"""Videos that go elsewhere: verified here, put there, and kept here until that is certain."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.downloader import onloan
from pipeline.downloader.fetching import Downloader
from pipeline.downloader.onloan import clear_arrived
from pipeline.errors import BadVideo, HostDown, StoreError
from pipeline.model import Video
from pipeline.storage.folder import FolderPlace
from pipeline.storage.places import Put

if TYPE_CHECKING:
    from tests.downloader.conftest import Host

ASKED: dict[str, Any] = {"duration": 1, "aspect_ratio": "16:9", "resolution": "720P"}


@dataclass(frozen=True)
class Moody(FolderPlace):
    """A folder that is down for the first tries."""

    down: int = 0
    tries: list[str] = field(default_factory=list)

    async def put(self, name: str, file: Path, sha256: str) -> Put:
        self.tries.append(name)
        if len(self.tries) <= self.down:
            raise HostDown("the bucket does not answer")
        return await super().put(name, file, sha256)


def downloader(folder: Path, place: FolderPlace, verify: str = "boxes") -> Downloader:
    return Downloader(folder / "coming", verify=verify, allow_private=True, place=place)


async def fetch(store: Downloader, url: str, name: str = "a.mp4") -> Video:
    return await store.fetch(url, name=name, **ASKED)


async def test_a_video_goes_to_its_place(tmp_path: Path, host: Host, sha256: str) -> None:
    """It says where it is, and lies here only as long as others may want it."""
    place = FolderPlace(tmp_path / "shop")
    async with downloader(tmp_path, place) as store:
        video = await fetch(store, host.url("good"))
        assert (video.name, video.place, video.sha256) == ("a.mp4", place.address, sha256)
        at_hand = store.file_at_hand(sha256)
        assert at_hand is not None
        assert at_hand.read_bytes() == host.body
    assert place.list() == {"a.mp4": len(host.body)}
    assert not list((tmp_path / "coming").iterdir())
    assert store.file_at_hand(sha256) is None


async def test_another_file_of_the_name_stays(tmp_path: Path, host: Host) -> None:
    """The video gets the next name that is free; the same video again gets the same one."""
    place = FolderPlace(tmp_path / "shop")
    place.path.mkdir()
    (place.path / "a.mp4").write_bytes(b"of somebody else")
    for _ in range(2):
        async with downloader(tmp_path, place) as store:
            assert (await fetch(store, host.url("good"))).name == "a-2.mp4"
    assert (place.path / "a.mp4").read_bytes() == b"of somebody else"
    assert set(place.list()) == {"a.mp4", "a-2.mp4"}


@pytest.mark.parametrize("behaviour", ["good", "unannounced"])
async def test_a_place_that_is_down(tmp_path: Path, host: Host, behaviour: str) -> None:
    """What came stays here, whole; the next try, and the next run, ask the host for nothing."""
    place = Moody(tmp_path / "shop", down=2)
    for _ in range(2):
        async with downloader(tmp_path, place) as store:
            with pytest.raises(HostDown):
                await fetch(store, host.url(behaviour))
    async with downloader(tmp_path, place) as store:
        await fetch(store, host.url(behaviour))
    assert len(host.asks) == 1
    assert place.tries == ["a.mp4"] * 3
    assert not list((tmp_path / "coming").iterdir())


async def test_what_may_not_be_in_the_journal_stays(tmp_path: Path, host: Host) -> None:
    """A run that fails leaves what it put last, and the next one puts it once more: the same."""
    place = FolderPlace(tmp_path / "shop")

    async def fail() -> None:
        async with downloader(tmp_path, place) as store:
            await fetch(store, host.url("good"))
            raise StoreError("the journal cannot be written")

    with pytest.raises(StoreError, match="journal"):
        await fail()
    assert len(list((tmp_path / "coming").iterdir())) == 2
    async with downloader(tmp_path, place) as store:
        assert (await fetch(store, host.url("good"))).name == "a.mp4"
    assert len(host.asks) == 1
    assert set(place.list()) == {"a.mp4"}


async def test_a_broken_video_is_put_nowhere(tmp_path: Path, host: Host) -> None:
    """Verified first, put then."""
    place = FolderPlace(tmp_path / "shop")
    async with downloader(tmp_path, place) as store:
        with pytest.raises(BadVideo):
            await fetch(store, host.url("half_as_whole"))
    assert place.list() == {}


async def test_few_are_kept_at_hand(
    tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night of 100,000 videos does not fill the disk on their way."""
    monkeypatch.setattr(onloan, "_LEAST", 2)
    monkeypatch.setattr(onloan, "_MOST_BYTES", 1)
    place = FolderPlace(tmp_path / "shop")
    bodies = [host.body + bytes([0, 0, 0, 8]) + kind for kind in (b"free", b"skip", b"wide")]
    async with downloader(tmp_path, place) as store:
        for number, body in enumerate(bodies):
            host.body = body
            await fetch(store, host.url("good"), f"{number}.mp4")
        left = {path.name for path in (tmp_path / "coming").iterdir()}
        assert {name for name in left if name.endswith(".part")} == {".1.mp4.part", ".2.mp4.part"}
    assert len(place.list()) == 3


def test_what_has_arrived_is_cleared(tmp_path: Path) -> None:
    """A killed run leaves it; what is not in the journal yet stays."""
    clear_arrived(tmp_path / "none", ["a.mp4"])
    for name in (".a.mp4.part", ".a.mp4.part.json", ".b.mp4.part"):
        (tmp_path / name).write_bytes(b"{}")
    copies = [tmp_path / f".0a.{number}-1.copy" for number in range(2)]
    for copy in copies:
        copy.write_bytes(b"film")
    os.utime(copies[0], (0, 0))  # the other one may be looked at right now
    clear_arrived(tmp_path, ["a.mp4", "c.mp4"])
    left = [".0a.1-1.copy", ".b.mp4.part"]
    assert sorted(path.name for path in tmp_path.iterdir()) == left
