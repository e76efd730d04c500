"""A bucket takes a file once, says when it cannot, and never shows a secret."""

from __future__ import annotations

import hashlib
from pathlib import Path

import obstore
import pytest

from pipeline.errors import ConfigError, StoreError
from pipeline.storage import bucket as module
from pipeline.storage.bucket import BucketPlace
from pipeline.storage.bucketfaults import BucketDown
from pipeline.storage.places import Put, put_numbered
from tests.system.harness.api import wait_for
from tests.system.harness.bucket import SECRET, Bucket, Faults


def file(folder: Path, content: bytes = b"a video") -> tuple[Path, str]:
    path = folder / ".x.mp4.part"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def place(bucket: Bucket, *, timeout_s: float = 5.0) -> BucketPlace:
    return BucketPlace(f"s3://{bucket.name}/spring 24/shop #1", timeout_s=timeout_s)


async def test_a_file_is_put_once(bucket: Bucket, tmp_path: Path) -> None:
    """The same bytes again are the same; others are put nowhere, or under the next name."""
    there = place(bucket)
    await there.prepare()
    await there.prepare()
    path, sha256 = file(tmp_path)
    assert await there.put("a.mp4", path, sha256) is Put.CREATED
    assert await there.put("a.mp4", path, sha256) is Put.SAME
    path, other = file(tmp_path, b"b video")
    assert await there.put("a.mp4", path, other) is Put.TAKEN
    assert await put_numbered(there, "a.mp4", path, other) == "a-2.mp4"
    assert await put_numbered(there, "a.mp4", path, other) == "a-2.mp4"
    assert there.list() == {"a.mp4": 7, "a-2.mp4": 7}
    assert there.size_of("a.mp4") == 7
    assert there.size_of("none.mp4") is None
    with there.open("a.mp4") as pieces:
        assert b"".join(pieces) == b"a video"
    with pytest.raises(FileNotFoundError), there.open("none.mp4"):
        pass
    link = there.link("a.mp4", 600)
    assert link is not None
    assert "X-Amz-Expires=600" in link
    assert SECRET not in link


async def test_what_is_noted_of_a_file(bucket: Bucket, tmp_path: Path) -> None:
    """Its kind, for browsers, and its hash, by which it is known again."""
    path, sha256 = file(tmp_path)
    await place(bucket).put("a.mp4", path, sha256)
    got = obstore.get(bucket.store(), "spring 24/shop #1/a.mp4", options={"head": True})
    assert got.attributes["Content-Type"] == "video/mp4"
    assert got.attributes["sha256"] == sha256


async def test_a_file_without_a_noted_hash_is_read(bucket: Bucket, tmp_path: Path) -> None:
    """Some buckets keep no notes, and people copy files into them by hand."""
    store = bucket.store()
    obstore.put(store, "spring 24/shop #1/a.mp4", b"a video")
    obstore.put(store, "spring 24/shop #1/b.mp4", b"b video")
    path, sha256 = file(tmp_path)
    assert await place(bucket).put("a.mp4", path, sha256) is Put.SAME
    assert await place(bucket).put("b.mp4", path, sha256) is Put.TAKEN


@pytest.mark.parametrize(
    "name", ["Größe 38 & Tüll #2.mp4", "100% Wolle.mp4", "名前.mp4", "a%20b;=+~'c.mp4"]
)
async def test_any_name(bucket: Bucket, tmp_path: Path, name: str) -> None:
    """The name that is listed is the one that was put."""
    path, sha256 = file(tmp_path)
    assert await place(bucket).put(name, path, sha256) is Put.CREATED
    assert list(place(bucket).list()) == [name]


async def test_a_changed_file_is_not_put(bucket: Bucket, tmp_path: Path) -> None:
    """What is put is what was verified."""
    path, _ = file(tmp_path)
    with pytest.raises(StoreError, match="changed after it was verified"):
        await place(bucket).put("a.mp4", path, "0" * 64)
    assert not bucket.objects()


async def test_a_large_file_comes_in_parts(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, too, as far as a look beforehand can tell."""
    monkeypatch.setattr(module, "_WHOLE_BYTES", 1_000_000)
    monkeypatch.setattr(module, "_PART_BYTES", 5 * 1024 * 1024)
    path, sha256 = file(tmp_path, bytes(6_000_000))
    assert await place(bucket).put("a.mp4", path, sha256) is Put.CREATED
    assert await place(bucket).put("a.mp4", path, sha256) is Put.SAME
    assert place(bucket).size_of("a.mp4") == 6_000_000
    assert bucket.objects() == {"spring 24/shop #1/a.mp4": sha256}


async def test_a_bucket_that_overwrites_is_refused(bucket: Bucket, faults: Faults) -> None:
    """Some answer to S3 and ignore the condition: two runs would overwrite each other's videos."""
    faults.fault = "ignore"
    with pytest.raises(ConfigError, match="overwrites what is there"):
        await place(bucket).prepare()


@pytest.mark.parametrize(
    ("method", "right"), [("PUT", "s3:PutObject"), ("HEAD", "s3:GetObject"), ("GET", "ListBucket")]
)
async def test_a_missing_right_is_named(
    bucket: Bucket, faults: Faults, method: str, right: str
) -> None:
    """Before anything is paid for."""
    faults.fault, faults.methods = "403", (method,)
    with pytest.raises(StoreError) as caught:
        await place(bucket).prepare()
    assert right in (caught.value.action or "")
    assert "HTTP 403" in caught.value.message
    assert SECRET not in f"{caught.value!r}{caught.value.action}"


async def test_a_bucket_that_is_not_there(bucket: Bucket, tmp_path: Path) -> None:
    """It is not made, as it could be in any place and open to anybody."""
    path, sha256 = file(tmp_path)
    gone = BucketPlace("s3://no-such-bucket/x")
    for act in (gone.prepare(), gone.put("a.mp4", path, sha256)):
        with pytest.raises(StoreError, match="There is no bucket for s3://no-such-bucket/x"):
            await act
    with pytest.raises(StoreError, match="There is no bucket"):
        gone.list()
    assert not bucket.objects()


@pytest.mark.parametrize("fault", ["500", "503", "freeze", "cut"])
async def test_a_bucket_that_is_down_is_waited_for(
    bucket: Bucket, faults: Faults, tmp_path: Path, fault: str
) -> None:
    """Nothing is put, nobody waits for ever, and the next try does it."""
    path, sha256 = file(tmp_path)
    faults.fault = fault
    there = place(bucket, timeout_s=0.5)
    with pytest.raises(BucketDown) as caught:
        await there.put("a.mp4", path, sha256)
    assert there.address in caught.value.message
    assert SECRET not in repr(caught.value)
    assert not bucket.objects()
    faults.fault = ""
    assert await place(bucket).put("a.mp4", path, sha256) is Put.CREATED


async def test_a_frozen_bucket_is_put_to_for_its_patience_and_the_grace(
    bucket: Bucket, faults: Faults, tmp_path: Path
) -> None:
    """Whoever comes later is told for how long it was silent before, and has the grace alone."""
    path, sha256 = file(tmp_path)
    faults.fault = "freeze"
    there = BucketPlace(place(bucket).address, patience_s=0.2, grace_s=0.2)
    silent = []
    for _ in range(2):
        with pytest.raises(BucketDown, match="too long to answer") as caught:
            await there.put("a.mp4", path, sha256)
        silent.append(caught.value.down_s)
    assert silent[1] > silent[0] >= 0.4
    faults.fault = ""
    assert await there.put("a.mp4", path, sha256) is Put.CREATED


def test_reading_from_a_frozen_bucket_ends(bucket: Bucket, faults: Faults) -> None:
    """As soon as any small request would: how large the object is nobody has told yet."""
    faults.fault, faults.methods = "freeze", ("GET", "HEAD")
    there = place(bucket, timeout_s=1.0)
    for read in (
        lambda: there.fetch("a.mp4", None, 100),
        lambda: there.open("a.mp4").__enter__(),
        lambda: there.read_part("a.mp4", 0, 60_000_000),
        there.list,
    ):
        seen = len(faults.seen)
        with pytest.raises(StoreError, match=r"too long to answer \(it was given 1 s\)"):
            read()
        assert len(faults.seen) - seen == 1


async def test_a_lost_answer_puts_nothing_twice(
    bucket: Bucket, faults: Faults, tmp_path: Path
) -> None:
    """What is there under the name is what was to be put."""
    path, sha256 = file(tmp_path)
    faults.fault = "lose"
    with pytest.raises(BucketDown):
        await place(bucket, timeout_s=0.5).put("a.mp4", path, sha256)
    faults.fault = ""
    wait_for("what was put", bucket.objects)  # also where the machine is slower than the time-out
    assert await place(bucket).put("a.mp4", path, sha256) is Put.SAME
    assert len(bucket.objects()) == 1
