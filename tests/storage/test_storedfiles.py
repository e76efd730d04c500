"""The file of a take, wherever it lies."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import obstore
import pytest

from pipeline.disk.folder import OutputFolder
from pipeline.errors import StoreError
from pipeline.model import Video
from pipeline.storage.bucket import BucketPlace
from pipeline.storage.storedfiles import find_gone, place_of, stored_file
from tests.system.harness.bucket import Bucket, Faults

CONTENT = b"a video"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def video(place: str = "") -> Video:
    return Video("a.mp4", len(CONTENT), SHA256, 4.0, 1280, 720, place=place)


def test_a_take_on_a_disk(tmp_path: Path) -> None:
    """In `videos/`, or in the folder that it was put into."""
    folder = OutputFolder(tmp_path / "shop")
    for place, parent in (("", folder.videos), (str(tmp_path / "nas"), tmp_path / "nas")):
        take = stored_file(folder, video(place))
        assert not take.is_there()
        assert not take.copy_to(tmp_path / "copy.mp4", SHA256, 0o600)
        parent.mkdir(parents=True)
        (parent / "a.mp4").write_bytes(CONTENT)
        assert take.is_there()
        assert take.shown == str(parent / "a.mp4")
        assert place_of(folder, video(place)).list() == {"a.mp4": 7}
        assert take.copy_to(tmp_path / "copy.mp4", SHA256, 0o600)
        (tmp_path / "copy.mp4").unlink()


async def test_a_take_in_a_bucket(bucket: Bucket, tmp_path: Path) -> None:
    """It is copied only if it is what was recorded."""
    folder = OutputFolder(tmp_path / "shop")
    address = f"s3://{bucket.name}/shop"
    take = stored_file(folder, video(address))
    copy = tmp_path / "copy.mp4"
    assert not take.is_there()
    assert not take.copy_to(copy, SHA256, 0o600)
    source = tmp_path / "x"
    source.write_bytes(CONTENT)
    await BucketPlace(address).put("a.mp4", source, SHA256)
    assert take.is_there()
    assert take.shown == f"{address}/a.mp4"
    assert place_of(folder, video(address)).list() == {"a.mp4": 7}
    assert not take.copy_to(copy, "0" * 64, 0o600)
    assert not copy.exists()
    assert take.copy_to(copy, SHA256, 0o600)
    assert copy.read_bytes() == CONTENT
    assert not copy.stat().st_mode & 0o077


def test_what_a_list_lacks_is_asked_for_before_it_counts_as_gone(
    bucket: Bucket, faults: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that is behind or cut short would have videos bought again."""
    for name, content in (("a", CONTENT), ("b", CONTENT), ("short", CONTENT[1:])):
        obstore.put(bucket.store(), f"shop/{name}.mp4", content)
    whole = video(f"s3://{bucket.name}/shop")
    videos = [(key, replace(whole, name=f"{key}.mp4")) for key in ("a", "b", "short", "lost")]
    folder = OutputFolder(tmp_path / "shop")
    assert find_gone([*videos, ("home", video())], folder) == {"short", "lost", "home"}
    assert sorted(method for method, _ in faults.seen) == ["GET", "HEAD", "HEAD"]
    monkeypatch.setattr(BucketPlace, "list", lambda _: {"a.mp4": 0})
    assert find_gone(videos, folder) == {"short", "lost"}
    faults.fault, faults.methods = "403", ("HEAD",)
    with pytest.raises(StoreError, match="refuses to read"):
        find_gone(videos, folder)
