"""The file of a take, wherever it lies."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipeline.disk.folder import OutputFolder
from pipeline.model import Video
from pipeline.storage.bucket import BucketPlace
from pipeline.storage.storedfiles import place_of, stored_file
from tests.system.harness.bucket import Bucket

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
