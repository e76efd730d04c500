"""Videos of a lost journal are found where they were put, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import obstore
import pytest

from pipeline.config.content import Output
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.errors import StoreError
from pipeline.runner.leftvideos import find_left
from tests.review.browser import film
from tests.system.harness.bucket import Bucket, Faults


def test_each_is_found_where_it_was_put(bucket: Bucket, tmp_path: Path) -> None:
    """Where it was noted, where videos go now, and in the output folder; nothing is left behind."""
    folder = OutputFolder(tmp_path / "shop")
    folder.videos.mkdir(parents=True)
    (tmp_path / "nas").mkdir()
    content = film()
    (folder.videos / "home.mp4").write_bytes(content)
    (tmp_path / "nas" / "nas.mp4").write_bytes(content)
    for name in ("spring/shop/now.mp4", "old/shop/noted.mp4", "old/shop/cut.mp4"):
        obstore.put(bucket.store(), name, content[:50] if "cut" in name else content)
    config = Config(output=Output(videos=f"s3://{bucket.name}/spring"))
    old = f"s3://{bucket.name}/old/shop"
    wanted = {
        "1": ("home.mp4", ""),
        "2": ("nas.mp4", str(tmp_path / "nas")),
        "3": ("now.mp4", ""),
        "4": ("noted.mp4", old),
        "5": ("cut.mp4", old),
        "6": ("gone.mp4", old),
        "7": ("../../nas/nas.mp4", ""),
    }
    said: list[str] = []
    found = find_left(wanted, config, folder, said.append)
    assert {one: video.place for one, video in found.items()} == {
        "1": "",
        "2": str(tmp_path / "nas"),
        "3": f"s3://{bucket.name}/spring/shop",
        "4": old,
    }
    assert {video.name for video in found.values()} == {wanted[one][0] for one in found}
    assert {(one.size_bytes, one.width) for one in found.values()} == {(len(content), 160)}
    assert said[0].startswith("3 videos in s3://")
    assert not list(folder.coming.iterdir())


def test_a_bucket_that_does_not_answer_is_no_bucket_without_videos(
    faults: Faults, bucket: Bucket, tmp_path: Path
) -> None:
    """Else its videos would be taken for lost, and fetched or bought again."""
    faults.fault, faults.methods = "403", ("GET",)
    config = Config(output=Output(videos=f"s3://{bucket.name}/spring"))
    with pytest.raises(StoreError, match="refuses to list"):
        find_left({"1": ("a.mp4", "")}, config, OutputFolder(tmp_path / "shop"), print)
